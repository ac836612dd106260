"""Searches the settings of link prediction by validation alone; the test edges are never scored.

A trial is a setting, and its score the mean over some seeds of the best validation score of training. Optuna's
tree-structured Parzen estimator proposes settings (Bergstra et al. 2011); the first trial is the defaults. The
best of many settings is so by luck as well: the best three and the defaults meet in a final, on seeds that chose
none of them, and its score alone chooses. The study is a folder, and can be gone on with.
"""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import optuna
from optuna.trial import TrialState

from hypgraph import __version__
from hypgraph.data import Graph
from hypgraph.exceptions import RunError
from hypgraph.experiments.link_data import load_data, split_of
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.experiments.search_space import Search
from hypgraph.experiments.trials import Desk, OnEvent, Trial, run_here, run_in_processes
from hypgraph.files import whole_file, write_json
from hypgraph.random import stream
from hypgraph.run_folder import check_new
from hypgraph.training import deferred_interrupt

__all__ = ["FINALISTS", "TuningStudy"]

# Beside the defaults. More would bring back the luck that a final is there to take away.
FINALISTS = 3


class TuningStudy:
    """A search on disk: its settings, trials and choice. :meth:`create` makes one, :meth:`open` finds one."""

    def __init__(self, path: Path, search: Search, fingerprint: str) -> None:
        self.path, self.search, self.fingerprint = path, search, fingerprint

    @property
    def best_file(self) -> Path:
        """The chosen configuration, for ``hypgraph train --config``."""
        return self.path / "best.toml"

    @property
    def database(self) -> Path:
        """The trials, as optuna keeps them."""
        return self.path / "study.db"

    @property
    def trials_file(self) -> Path:
        """A line a trial."""
        return self.path / "trials.csv"

    @classmethod
    def create(cls, path: Path, search: Search) -> tuple["TuningStudy", Graph]:
        """A new study and its data; what can be refused is refused before a folder is made.

        Raises:
            HypgraphError: if the folder stands already, or a run of the search cannot be prepared.
        """
        check_new(path)
        graph = load_data(search.config.data)
        study = cls(path, search, _fingerprint(search, graph))
        try:
            path.mkdir(parents=True, exist_ok=True)
            study._write_config()
        except OSError as error:
            raise RunError(f"--out {path}: cannot be made ({error.strerror})") from None
        return study, graph

    @classmethod
    def open(
        cls, path: Path, *, trials: int | None = None, final_seeds: int | None = None
    ) -> tuple["TuningStudy", Graph]:
        """The study in the folder ``path`` and its data, with other numbers where they are given.

        Raises:
            HypgraphError: if there is none, it is of another version, or the data have changed.
        """
        file = path / "config.json"
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RunError(
                f"{path}: is not the folder of a study; 'hypgraph tune' prints the path of one"
            ) from None
        search = Search.from_json(values, file).with_counts(trials, final_seeds)
        study = cls(path, search, str(values.get("fingerprint")))
        if study.trials_file.is_file() and not study.database.is_file():
            raise RunError(f"{path}: {study.database.name}, which kept its trials, is gone; begin a new study")
        graph = load_data(search.config.data)
        if _fingerprint(search, graph) != study.fingerprint:
            raise RunError(f"{path}: the data have changed since the study began; begin a new one")
        return study, graph

    def _write_config(self) -> None:
        origin = {"fingerprint": self.fingerprint, "hypgraph": __version__, "optuna": optuna.__version__}
        write_json(self.path / "config.json", {**self.search.to_json(), **origin})

    def run(self, graph: Graph, *, jobs: int, on_event: OnEvent) -> list[Trial]:
        """Runs the trials that are missing, then what is missing of the final; all trials, by number.

        One at a time, each setting depends on the seed, its number and the trials before it alone: a study that
        was interrupted goes on to the trials that it would have made, a cut one anew. With more jobs a setting
        also depends on which trials have ended when it is proposed, and the estimator knows fewer of them.

        Args:
            graph: the data.
            jobs: trials at a time; more than one run in processes of their own, with a thread each.
            on_event: is told how trials go.

        Raises:
            KeyboardInterrupt: on Ctrl-C; what has ended is kept.
            HypgraphError: if the study is open elsewhere or damaged, or training is refused.
        """
        with _locked(self.path), _no_log(), self._storage() as study, deferred_interrupt() as interrupt:
            self._write_config()
            record = _Record(study, self.search)

            def keep(trial: Trial) -> int:
                record.tell(trial)
                ended = record.ended()
                self._write_trials(ended)
                return len(ended)

            desk = Desk("search", self.search.trials, record.ask, keep, on_event, interrupt.honour)
            try:
                _run(self.search, graph, record.missing(), desk, jobs)
            finally:
                record.cut()
            self._run_final(record, graph, jobs, on_event, interrupt.honour)
            self._write_trials(record.ended())
            return record.ended()

    def _run_final(
        self, record: "_Record", graph: Graph, jobs: int, on_event: OnEvent, honour: Callable[[], None]
    ) -> None:
        if not self.search.final_seeds:
            return
        finalists = {trial.number: trial for trial in self.finalists(record.ended())}
        missing = [number for number in finalists if record.missing_in_final(number)]
        done = len(finalists) - len(missing)

        def keep(trial: Trial) -> int:
            nonlocal done
            record.tell_final(trial)
            self._write_trials(record.ended())
            done += 1
            return done

        if len(finalists) > 1:
            desk = Desk("final", len(finalists), finalists.__getitem__, keep, on_event, honour)
            _run(self.search.of_final(), graph, missing, desk, jobs)

    @contextmanager
    def _storage(self) -> Iterator[optuna.Study]:
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.pool import NullPool

        file = self.database.absolute()
        try:
            # A folder may have a name that means something else in an URL.
            engine = {"creator": partial(sqlite3.connect, file), "poolclass": NullPool}
            storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=engine)
            study = optuna.create_study(
                storage=storage, study_name="tune", direction="maximize", load_if_exists=True
            )
        except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise RunError(f"{file}: damaged, or of another version ({reason}); begin a new study") from None
        try:
            yield study
        finally:
            storage.remove_session()
            storage.engine.dispose()

    def _write_trials(self, trials: Sequence[Trial]) -> None:
        """Writes ``trials.csv``, and ``best.toml`` where a trial has a score."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["number", "state", "score", "final", "error", *self.search.space])
        for trial in trials:
            state = "failed" if trial.score is None else "done"
            settings = [
                json.dumps(value) if isinstance(value, bool) else value for value in trial.settings.values()
            ]
            error = trial.error or (trial.final_error and f"in the final: {trial.final_error}")
            rows.writerow([trial.number, state, trial.score, trial.final, error, *settings])
        _write(self.trials_file, text.getvalue())
        if self._choice(trials) is None:
            self.best_file.unlink(missing_ok=True)
        else:
            self.write_best(trials, self.best_file)

    def write_best(self, trials: Sequence[Trial], path: Path) -> None:
        """Writes the chosen configuration to ``path``, under a comment that says where it comes from."""
        best = self.best(trials)
        assert best.score is not None
        seeds = self.search.search_seeds
        head = [
            f"# Trial {best.number} of {len(trials)}, by validation: mean {self.search.metric} of "
            f"{100 * best.score:.2f} % on seeds {seeds[0]} to {seeds[-1]}.",
        ]
        if best.final is not None:
            seeds, first = self.search.of_final().search_seeds, trials[0]
            others = "" if first.final is None or first is best else f"; the defaults: {100 * first.final:.2f} %"
            head.append(f"# In the final {100 * best.final:.2f} % on seeds {seeds[0]} to {seeds[-1]}{others}.")
        _write(path, "\n".join([*head, f"# {self.search.command()}", self.search.toml(best.settings)]))

    def finalists(self, trials: Sequence[Trial]) -> list[Trial]:
        """Those that meet in the final, by number: the defaults, and the others that validate best."""
        first = [trial for trial in trials if trial.number == 0 and trial.score is not None]
        others = [trial for trial in _by_score(trials) if trial.number != 0]
        return sorted([*first, *others[:FINALISTS]], key=lambda trial: trial.number)

    def best(self, trials: Sequence[Trial]) -> Trial:
        """The finalist that does best in the final, or, without a final, the trial that validates best.

        Of several the earliest. While a final goes on, which more trials may have called for anew, it is the best
        of all that have been in it so far.

        Raises:
            RunError: if none came to its end.
        """
        choice = self._choice(trials)
        if choice is None:
            failed = [trial for trial in trials if trial.final_error] or trials
            what = "finalists" if failed and failed[0].final_error else "trials"
            why = f"; the first: {failed[0].final_error or failed[0].error}" if failed else ""
            raise RunError(f"{self.path}: none of {len(failed)} {what} came to its end{why}")
        return choice

    def _choice(self, trials: Sequence[Trial]) -> Trial | None:
        finalists = self.finalists(trials)
        over = all(trial.final is not None or trial.final_error for trial in finalists)  # also where there is none
        candidates = [trial for trial in (finalists if over else trials) if trial.final is not None]
        if candidates:
            return max(candidates, key=lambda trial: (trial.final, -trial.number))
        return None if over else _by_score(trials)[0]


def _by_score(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that have a score, best first, and of several that tie the earliest."""
    scored = [(trial.score, -trial.number, trial) for trial in trials if trial.score is not None]
    return [trial for _, _, trial in sorted(scored, key=lambda row: row[:2], reverse=True)]


def _run(search: Search, graph: Graph, numbers: Sequence[int], desk: Desk, jobs: int) -> None:
    workers = min(jobs, len(numbers))
    if workers > 1:
        run_in_processes(search, numbers, workers, desk)
    else:
        run_here(search, graph, numbers, desk)


class _Record:
    """The trials in an optuna study. Ours are numbered without those that were cut."""

    def __init__(self, study: optuna.Study, search: Search) -> None:
        self.study, self.search = study, search
        self.asked: dict[int, optuna.Trial] = {}
        self.cut()

    def ended(self) -> list[Trial]:
        found, finals = dict[int, Trial](), self.study.user_attrs
        for trial in self.study.get_trials(deepcopy=False):
            attributes = trial.user_attrs
            if trial.state == TrialState.COMPLETE or "error" in attributes:
                number = attributes["number"]  # of a lost trial that was tried again, the later counts
                error, lost = attributes.get("error", ""), attributes.get("lost", False)
                final = finals.get(self._final_key(number), {})
                found[number] = Trial(
                    number,
                    attributes["settings"],
                    trial.value,
                    error,
                    lost,
                    final.get("score"),
                    final.get("error", ""),
                )
        return [found[number] for number in sorted(found)]

    def missing_in_final(self, number: int) -> bool:
        """Whether the trial is still to be scored in the final."""
        final = self.study.user_attrs.get(self._final_key(number), {"lost": True})
        return bool(final["lost"])

    def missing(self) -> list[int]:
        ended = {trial.number for trial in self.ended() if not trial.lost}
        return [number for number in range(self.search.trials) if number not in ended]

    def ask(self, number: int) -> Trial:
        """Proposes the settings of a trial."""
        # A sampler of its own for each trial: what it draws does not depend on what was drawn before an interrupt.
        seed = stream(self.search.seed, f"trial-{number}").initial_seed() % 2**32
        self.study.sampler = optuna.samplers.TPESampler(seed=seed)
        # A program that was killed may have left the defaults waiting.
        if number == 0 and not self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self.study.enqueue_trial(self.search.defaults)
        space = self.search.space
        asked = self.study.ask({key: values.distribution() for key, values in space.items()})
        trial = Trial(number, self.search.tidy(asked.params))
        asked.set_user_attr("number", number)
        asked.set_user_attr("settings", dict(trial.settings))
        self.asked[number] = asked
        return trial

    def tell(self, trial: Trial) -> None:
        """Keeps what became of a trial."""
        asked = self.asked.pop(trial.number)
        if trial.score is None:
            asked.set_user_attr("error", trial.error)
            asked.set_user_attr("lost", trial.lost)
            self.study.tell(asked, state=TrialState.FAIL)
        else:
            self.study.tell(asked, trial.score)

    def tell_final(self, trial: Trial) -> None:
        """Keeps what became of a trial in the final."""
        # Of the study, since optuna lets nothing be added to a trial that has ended.
        outcome = {"score": trial.score, "error": trial.error, "lost": trial.lost}
        self.study.set_user_attr(self._final_key(trial.number), outcome)

    def _final_key(self, number: int) -> str:
        return f"final-of-{self.search.final_seeds}-seeds-{number}"

    def cut(self) -> None:
        """Closes what did not come to its end; no setting depends on it."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)
        self.asked.clear()


def _fingerprint(search: Search, graph: Graph) -> str:
    """Of the data, once a run of the search has been prepared on them."""
    seed, *others = search.search_seeds
    if search.config.data.negatives == "heart":  # a later split may have an edge with too few of them
        for other in (*others, *search.of_final().search_seeds):
            split_of(graph, search.config_of(search.defaults, other))
    return LinkPrediction.prepare(search.config_of(search.defaults, seed), graph=graph).fingerprint


@contextmanager
def _no_log() -> Iterator[None]:
    """Silences what optuna tells of every trial."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    with (path / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{path}: another process is at this study") from None
        yield


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
