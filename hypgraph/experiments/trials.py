"""The trials of a search or of its final: one after the other, or several at a time in processes of their own."""

import multiprocessing
import os
import signal
import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Literal

from hypgraph.data import Graph
from hypgraph.exceptions import HypgraphError, NumericalError
from hypgraph.experiments.link_data import load_data
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.experiments.search_space import Search
from hypgraph.training import all_at_origin, limited_threads
from hypgraph.training.memory import keep_freed_memory

__all__ = ["Desk", "OnEvent", "Trial", "TrialEvent", "run_here", "run_in_processes", "score_settings"]

# Trials in processes of their own tell how far they are this often; and Ctrl-C is seen this soon.
PROGRESS_SECONDS = 0.1

Tell = Callable[[str], None]
Stage = Literal["start", "progress", "done", "failed"]
Round = Literal["search", "final"]


@dataclass(frozen=True)
class Trial:
    """A setting, and what became of it.

    Attributes:
        number: from 0, the defaults.
        settings: by configuration key.
        score: mean of the best validation scores, in [0, 1]; None where there is none yet, or training failed.
        error: why it failed.
        lost: whether it failed for want of memory or of its process, so that another time it may not.
        final: the same mean over the seeds of the final, of the trials that reached it and did not fail there.
        final_error: why it failed there.
    """

    number: int
    settings: Mapping[str, Any]
    score: float | None = None
    error: str = ""
    lost: bool = False
    final: float | None = None
    final_error: str = ""


@dataclass(frozen=True)
class TrialEvent:
    """Something that happened to a trial.

    Attributes:
        stage: what.
        round: in the search or in its final.
        trial: with its score in this round, once it has one.
        text: how far it is, or why it failed.
        seconds: since it was started.
        ended: how many trials of the round have ended.
        total: how many it has.
    """

    stage: Stage
    round: Round
    trial: Trial
    text: str = ""
    seconds: float = 0.0
    ended: int = 0
    total: int = 0


OnEvent = Callable[[TrialEvent], None]


@dataclass(frozen=True)
class Desk:
    """Where trials come from, and where what became of them goes.

    Attributes:
        round: the search or its final.
        total: how many trials the round has.
        ask: gives the trial with a number, with its settings.
        keep: takes a trial that has ended, and says how many have.
        on_event: is told how trials go.
        honour: raises the KeyboardInterrupt that was held back, if there is one.
    """

    round: Round
    total: int
    ask: Callable[[int], Trial]
    keep: Callable[[Trial], int]
    on_event: OnEvent
    honour: Callable[[], None]

    def start(self, number: int) -> Trial:
        """The trial with this number, of which it is told that it starts."""
        trial = self.ask(number)
        self.on_event(TrialEvent("start", self.round, trial))
        return trial

    def progress(self, trial: Trial, text: str, seconds: float) -> None:
        """Tells how far a trial is."""
        self.on_event(TrialEvent("progress", self.round, trial, text, seconds))

    def end(self, trial: Trial, seconds: float) -> None:
        """Keeps a trial that has ended, and tells of it."""
        stage: Stage = "failed" if trial.score is None else "done"
        self.on_event(TrialEvent(stage, self.round, trial, trial.error, seconds, self.keep(trial), self.total))


def score_settings(search: Search, settings: Mapping[str, Any], graph: Graph, tell: Tell) -> float:
    """Mean over the search seeds of the best validation score that training with ``settings`` reaches.

    (AUC + AP) / 2, or Hits@K where that is the metric of the data. Nothing is written, and no test edge is scored.

    Args:
        search: what is held fixed, and the seeds.
        settings: the others.
        graph: the data.
        tell: is told after each epoch how far it is.

    Raises:
        NumericalError: if training diverges from one of the seeds, or leaves all centres at the origin.
    """
    scores = []
    for seed in search.search_seeds:
        run = LinkPrediction.prepare(search.config_of(settings, seed), graph=graph)
        while not run.trainer.done:
            record = run.trainer.run_epoch()
            tell(f"seed {seed}, epoch {record.epoch}, val AUC {100 * record.val_auc:.1f}")
        assert run.trainer.best is not None
        if all_at_origin(run.trainer.best_model(), run.task):
            raise NumericalError(f"all centres lie at the origin with seed {seed}")
        score = run.trainer.best.score
        scores.append(score if run.task.hits_at is not None else score / 2)
    return statistics.fmean(scores)


def run_here(search: Search, graph: Graph, numbers: Sequence[int], desk: Desk) -> None:
    """Runs the trials with these numbers one after the other.

    Raises:
        HypgraphError: if training is refused.
    """
    with limited_threads(search.config.training.threads, num_nodes=graph.num_nodes):
        for number in numbers:
            trial, start = desk.start(number), time.perf_counter()

            def tell(text: str, trial: Trial = trial, start: float = start) -> None:
                desk.honour()
                desk.progress(trial, text, time.perf_counter() - start)

            desk.end(_attempt(search, trial, graph, tell), time.perf_counter() - start)
            desk.honour()


def _attempt(search: Search, trial: Trial, graph: Graph, tell: Tell) -> Trial:
    """The trial with its score, or with why it has none; what is wrong with all trials is raised."""
    try:
        return Trial(trial.number, trial.settings, score_settings(search, trial.settings, graph, tell))
    except NumericalError as error:
        return Trial(trial.number, trial.settings, error=" ".join(str(error).split()))
    except (MemoryError, RuntimeError) as error:
        # torch has no class of its own for memory that the processor cannot give
        if not (isinstance(error, MemoryError) or "memory" in str(error)):
            raise
        return Trial(trial.number, trial.settings, error="not enough memory; try fewer --jobs", lost=True)


@dataclass
class _Worker:
    """A process that takes one trial after the other, and the one that it has."""

    process: SpawnProcess
    trial: Trial | None = None
    start: float = 0.0


def run_in_processes(search: Search, numbers: Sequence[int], workers: int, desk: Desk) -> None:
    """Runs the trials with these numbers in ``workers`` processes, one thread each unless the search says more.

    A process that dies fails its trial. However this ends, the processes end with it: a cut trial leaves nothing.

    Raises:
        HypgraphError: if training is refused.
    """
    waiting, running = deque(numbers), dict[Connection, _Worker]()
    try:
        while waiting or any(worker.trial for worker in running.values()):
            while len(running) < min(workers, len(waiting)):
                pipe, process = _start(search)
                running[pipe] = _Worker(process)
            for pipe, worker in running.items():
                if worker.trial is None and waiting:
                    worker.trial, worker.start = desk.start(waiting.popleft()), time.perf_counter()
                    with suppress(OSError):  # a process that is no more is heard of below
                        pipe.send(worker.trial)
            for ready in wait(list(running), timeout=PROGRESS_SECONDS):
                assert isinstance(ready, Connection)
                if not _listen(running[ready], ready, desk):
                    del running[ready]
            desk.honour()
    finally:
        for pipe, worker in running.items():
            worker.process.kill()
            worker.process.join()
            pipe.close()


def _listen(worker: _Worker, pipe: Connection, desk: Desk) -> bool:
    """Hears one message of a process; False, and its trial has failed, if it is no more."""
    trial, seconds, alive = worker.trial, time.perf_counter() - worker.start, True
    try:
        message: str | Trial | HypgraphError = pipe.recv()
    except (EOFError, OSError):
        alive = False
        pipe.close()
        worker.process.join()
        message = f"its process {_end_of(worker.process)}"
        if trial is not None:
            message = Trial(trial.number, trial.settings, error=message, lost=True)
    if isinstance(message, HypgraphError):
        raise message
    if isinstance(message, Trial):
        worker.trial = None
        desk.end(message, seconds)
    elif trial is not None:
        desk.progress(trial, message, seconds)
    return alive


def _end_of(process: SpawnProcess) -> str:
    code = process.exitcode or 0
    if code >= 0:
        return f"ended with exit code {code}"
    memory = "; perhaps for want of memory, try fewer --jobs" if -code == signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-code).name}{memory}"


def _start(search: Search) -> tuple[Connection, SpawnProcess]:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_work, args=(search, theirs), daemon=True)
    # The child begins with Ctrl-C held back, until the terminal does not tell it any more.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return ours, process


def _work(search: Search, pipe: Connection) -> None:
    """What a process does: trials, one after the other, until the one that started it has no more or is gone."""
    os.setsid()
    keep_freed_memory()
    told = 0.0

    def tell(text: str) -> None:
        nonlocal told
        if time.perf_counter() - told > PROGRESS_SECONDS:
            told = time.perf_counter()
            try:
                pipe.send(text)
            except OSError:
                raise SystemExit from None  # the one that started it is gone

    with limited_threads(search.config.training.threads or 1, num_nodes=0), suppress(EOFError, OSError):
        try:
            graph = load_data(search.config.data)
            while True:
                pipe.send(_attempt(search, pipe.recv(), graph, tell))
        except HypgraphError as error:
            pipe.send(error)
