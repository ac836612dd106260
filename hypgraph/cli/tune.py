"""``hypgraph tune``."""

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from hypgraph.cli.options import ConfigFile, DataRoot, Set, described
from hypgraph.cli.paths import check_writable, data_stem, new_folder
from hypgraph.config import load_config
from hypgraph.exceptions import ConfigError

if TYPE_CHECKING:
    from hypgraph.data import Graph
    from hypgraph.experiments.trials import Trial, TrialEvent
    from hypgraph.experiments.tuning import TuningStudy

__all__ = ["tune"]

TRIALS, SEEDS, FIRST_SEED, FINAL_SEEDS = 20, 2, 100, 5
REDRAW_SECONDS = 0.1
REPORT_SEEDS = 10
FEW = 400  # validation edges of all seeds that choose together, below which they choose by chance


def tune(
    data: Annotated[
        str | None,
        typer.Option("--data", help="A data set or a simulation (hypgraph data list), or a file. [default: cora]"),
    ] = None,
    latent: Annotated[str | None, described("model.latent")] = None,
    dim: Annotated[int | None, described("model.dim")] = None,
    posterior: Annotated[str | None, described("model.posterior")] = None,
    decoder: Annotated[str | None, described("model.decoder")] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", help=f"How many settings are tried, the defaults first. [default: {TRIALS}]"),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", help=f"How many search seeds each setting is scored on. [default: {SEEDS}]"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            help=f"The first search seed, and that of the choice of settings. [default: {FIRST_SEED}]",
        ),
    ] = None,
    final_seeds: Annotated[
        int | None,
        typer.Option(
            "--final-seeds",
            help="On how many seeds more the best three settings and the defaults meet in a final, which chooses; "
            f"0 for none. [default: {FINAL_SEEDS}]",
        ),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            help="How many trials run at a time, on one thread each; with more than one, the same seed need not "
            "give the same trials.",
        ),
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="The folder to make for the study. [default: results/tune-<data>-<latent>-<time>]",
        ),
    ] = None,
    config: ConfigFile = None,
    assignments: Set = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help="Write the chosen configuration there too, at the end."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --write replace a file, at the end.")] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="FOLDER",
            help="Go on with a study; takes --trials, --final-seeds, --jobs, --write, --force and --quiet, and no "
            "other option.",
        ),
    ] = None,
    data_root: DataRoot = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but the path of the chosen configuration.")
    ] = False,
) -> None:
    """Search settings of link prediction by validation; what --config, --set or a flag gives is held fixed."""
    if jobs < 1:
        raise ConfigError(f"--jobs {jobs}: at least one trial must run at a time")
    _check_write(write, force=force)
    overrides = {
        "data.name": data,
        "data.root": data_root and str(data_root.absolute()),
        "model.latent": latent,
        "model.dim": dim,
        "model.posterior": posterior,
        "model.decoder": decoder,
    }
    counts = {"trials": trials, "final_seeds": final_seeds}
    try:
        if resume is not None:
            others = {**overrides, "seeds": seeds, "seed": seed, "out": out, "config": config, "set": assignments}
            study, graph = _resumed(resume, counts, others)
        else:
            counts |= {"seeds": seeds, "seed": seed}
            study, graph = _begun(overrides, config, assignments or [], counts, out)
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        raise typer.Exit(130) from None
    options = ["--trials", str(study.search.trials), "--final-seeds", str(study.search.final_seeds)]
    options += ["--jobs", str(jobs)] if jobs != 1 else []
    options += ["--write", str(write)] if write is not None else []
    options += ["--force"] if force else []
    options += ["--quiet"] if quiet else []
    ended = _run(study, graph, jobs=jobs, quiet=quiet, options=options)
    best = study.best(ended)
    if write is not None:
        study.write_best(ended, write)
    chosen = write or study.best_file
    if quiet:
        typer.echo(chosen)
    else:
        _print_result(study, ended, best, chosen, graph)


def _check_write(write: Path | None, *, force: bool) -> None:
    if write is None:
        if force:
            raise ConfigError("--force is for a file of --write; name one, or leave it out")
        return
    check_writable(write, flag="--write")
    if write.is_dir():
        raise ConfigError(f"--write {write}: is a folder; name a file in it")
    if write.exists() and not force:
        raise ConfigError(f"--write {write}: exists; choose another path, or add --force to replace it at the end")


def _resumed(path: Path, counts: dict[str, int | None], others: dict[str, Any]) -> "tuple[TuningStudy, Graph]":
    from hypgraph.experiments.tuning import TuningStudy

    for key, value in others.items():
        if value is not None:
            flag = {"data.name": "data", "data.root": "data-root"}.get(key, key.rpartition(".")[2])
            raise ConfigError(f"--resume takes what is searched from the study's config.json; leave out --{flag}")
    return TuningStudy.open(path, **counts)


def _begun(
    overrides: dict[str, Any],
    file: Path | None,
    assignments: list[str],
    counts: dict[str, int | None],
    out: Path | None,
) -> "tuple[TuningStudy, Graph]":
    for assignment in assignments:
        key = assignment.partition("=")[0].strip()
        if key in ("training.seed", "training.seeds"):
            raise ConfigError(f"--set {assignment}: the search has seeds of its own; give --{key[9:]}")
    resolved = load_config(file, overrides=overrides, assignments=assignments)
    from hypgraph.experiments.search_space import Search
    from hypgraph.experiments.tuning import TuningStudy

    defaults = {"trials": TRIALS, "seeds": SEEDS, "seed": FIRST_SEED, "final_seeds": FINAL_SEEDS}
    given = {name: count for name, count in counts.items() if count is not None}
    search = Search.plan(resolved, **{**defaults, **given})
    return TuningStudy.create(out or new_folder(resolved.data.name, resolved.model.latent, prefix="tune-"), search)


def _run(study: "TuningStudy", graph: "Graph", *, jobs: int, quiet: bool, options: list[str]) -> "list[Trial]":
    from hypgraph.training.memory import keep_freed_memory

    keep_freed_memory()
    with _Progress(study, quiet=quiet) as progress:
        try:
            return study.run(graph, jobs=jobs, on_event=progress.on_event)
        except KeyboardInterrupt:
            progress.live.stop()
            command = shlex.join(["hypgraph", "tune", "--resume", str(study.path), *options])
            typer.echo(f"Stopped. Go on with: {command}", err=True)
            raise typer.Exit(130) from None


class _Progress:
    """How a study goes: a line for each trial that ends, and in a terminal one for each that runs."""

    def __init__(self, study: "TuningStudy", *, quiet: bool) -> None:
        from rich.console import Console
        from rich.live import Live

        self.study, self.quiet = study, quiet
        self.running: dict[int, TrialEvent] = {}
        console = Console(file=sys.stderr)
        self.live = Live(console=console, transient=True, auto_refresh=False)
        self.terminal = console.is_terminal and not quiet
        self.drawn = 0.0

    def __enter__(self) -> Self:
        if not self.quiet:
            typer.echo(f"{_what(self.study)} -> {self.study.path}", err=True)
        if self.terminal:
            self.live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.live.stop()

    def on_event(self, event: "TrialEvent") -> None:
        """Something happened to a trial."""
        number = event.trial.number
        if event.stage in ("start", "progress"):
            self.running[number] = event
            if self.terminal and time.perf_counter() - self.drawn >= REDRAW_SECONDS:
                self._draw()
            return
        self.running.pop(number, None)
        if self.terminal:
            self._draw()
        score = event.trial.score
        what = f"failed: {event.text}" if score is None else f"{100 * score:.2f}"
        where, unit = ("final, ", "") if event.round == "final" else ("", " trials")
        count = f"{event.ended} of {event.total}{unit}"
        self._say(f"{where}trial {number}: {what}, {event.seconds:.1f} s ({count})")

    def _draw(self) -> None:
        from rich.text import Text

        self.drawn = time.perf_counter()
        lines = "\n".join(
            f"trial {number}: {event.text or 'starts'} ({event.seconds:.0f} s)"
            for number, event in self.running.items()
        )
        self.live.update(Text(lines, overflow="ellipsis", no_wrap=True), refresh=True)

    def _say(self, line: str) -> None:
        if self.quiet:
            return
        if self.terminal:
            self.live.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            typer.echo(line, err=True)


def _what(study: "TuningStudy") -> str:
    search = study.search
    model, seeds = search.config.model, search.search_seeds
    return (
        f"{data_stem(search.config.data.name)}, {model.latent} d={model.dim}, {model.posterior}, {model.decoder}: "
        f"validation {search.metric} on seeds {seeds[0]} to {seeds[-1]}"
    )


def _print_result(study: "TuningStudy", ended: "list[Trial]", best: "Trial", chosen: Path, graph: "Graph") -> None:
    """The choice beside the defaults, where it is, and what can be done next."""
    from rich.console import Console
    from rich.table import Table

    from hypgraph.experiments.link_data import has_own_split

    first = ended[0]
    table = Table()
    table.add_column("")
    table.add_column("defaults", justify="right")
    table.add_column(f"trial {best.number}", justify="right", style="bold")
    rows = {"validation score, %": (first.score, best.score)}
    if best.final is not None:
        rows["in the final, %"] = (first.final, best.final)
    for label, row in rows.items():
        table.add_row(label, *("failed" if score is None else f"{100 * score:.2f}" for score in row))
    table.add_section()
    for key, value in best.settings.items():
        table.add_row(key, _shown(study.search.defaults[key]), _shown(value))
    typer.echo(_what(study))
    Console().print(table)
    failed = sum(trial.score is None for trial in ended)
    typer.echo(f"{len(ended)} trials" + (f", {failed} of them failed" if failed else ""))
    search = study.search
    data = search.config.data
    edges = int(data.val_fraction * graph.num_edges)
    seeds, flag = search.seeds, "--seeds"
    if best.final is not None:
        seeds, flag = search.final_seeds, "--seeds and --final-seeds"
    one_split = data.split is not None or has_own_split(data.name)
    if edges * (1 if one_split else seeds) < FEW:
        of, remedy = ("One split", "") if one_split else (f"{seeds} seeds", f"; search with more {flag}")
        typer.echo(
            f"{of} of {edges} validation edges: so few that what does best on them does so by luck as well{remedy}"
        )
    typer.echo(f"\nStudy: {study.path}\n")
    typer.echo("Next:")
    # The seeds of a report are to be others than those that chose.
    fresh = search.seed + search.seeds + search.final_seeds
    first_seed = f"--seed {fresh} " if search.seed < REPORT_SEEDS else ""
    typer.echo(f"  hypgraph train --config {shlex.quote(str(chosen))} {first_seed}--seeds {REPORT_SEEDS}")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
