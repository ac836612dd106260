"""``hypgraph experiment``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hypgraph.cli.options import DataRoot, help_without_verb
from hypgraph.cli.paths import check_writable
from hypgraph.lookup import lookup

if TYPE_CHECKING:
    from hypgraph.experiments.experiment import Cell, Experiment

__all__ = ["app"]

DEFAULT_OUT = Path("results/experiments")

app = typer.Typer(
    help="Named experiments: run them, and make their tables.", invoke_without_command=True, rich_markup_mode=None
)

Name = Annotated[
    str,
    typer.Argument(metavar="NAME|FILE", help="An experiment (hypgraph experiment list), or an experiment file."),
]
Out = Annotated[
    Path,
    typer.Option("--out", metavar="FOLDER", help="Where the folders of the cells lie."),
]
Seeds = Annotated[int | None, typer.Option("--seeds", help="How many runs a cell has. [default: the file's]")]
Smoke = Annotated[
    bool, typer.Option("--smoke", help="Of a quick trial of every cell, with two seeds at most, in FOLDER/smoke.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A setting of every cell, or an option of a measure: MEASURE.OPTION=VALUE; may be repeated.",
    ),
]


@app.callback()
def options(context: typer.Context) -> None:
    """Named experiments: run them, and make their tables."""
    help_without_verb(context)


@app.command("list")
def list_() -> None:
    """List the experiments that come with the package."""
    from hypgraph.experiments.experiment_file import experiment_names

    names = experiment_names()
    width = max(map(len, names), default=0)
    for name, description in names.items():
        typer.echo(f"{name:<{width}}  {description}")


@app.command("run")
def run(
    name: Name,
    jobs: Annotated[int, typer.Option("--jobs", help="How many cells run at a time.")] = 1,
    seeds: Seeds = None,
    assignments: Set = None,
    smoke: Smoke = False,
    device: Annotated[
        str,
        typer.Option("--device", help="Where to train: auto, cpu or cuda; auto takes a GPU where there is one."),
    ] = "auto",
    data_root: DataRoot = None,
    out: Out = DEFAULT_OUT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the folder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the cells and what is left to do.")] = False,
) -> None:
    """Compute the cells of an experiment that are not done yet."""
    from hypgraph.cli.experiment_progress import ExperimentProgress
    from hypgraph.experiments.experiment_results import read_cell
    from hypgraph.experiments.experiment_table import command_line, figure_text
    from hypgraph.experiments.runner import left_of, run_experiment
    from hypgraph.training.memory import keep_freed_memory

    lookup(dict.fromkeys(("auto", "cpu", "cuda")), device, what="device")
    experiment = _experiment(name, seeds, assignments, smoke=smoke)
    root = _root(out, smoke=smoke)
    left = left_of(experiment, root)
    if dry_run:
        for cell, what in left.items():
            todo = f"{len(what.train)} to train, {len(what.measure)} to measure" if what else "done"
            typer.echo(f"{cell.name}: {todo}")
        return
    given = [*_out_option(out)]
    given += ["--jobs", str(jobs)] if jobs != 1 else []
    given += ["--device", device] if device != "auto" else []
    given += ["--data-root", str(data_root)] if data_root is not None else []

    def figure(cell: "Cell") -> str:
        return figure_text(read_cell(experiment, root, cell).figure(experiment.file.table.value), experiment)

    keep_freed_memory()
    with ExperimentProgress(experiment, figure, quiet=quiet) as progress:
        progress.already_done(sum(not what for what in left.values()))
        try:
            outcome = run_experiment(
                experiment,
                root,
                jobs=jobs,
                device=device,
                data_root=data_root and data_root.absolute(),
                on_event=progress.on_event,
            )
        except KeyboardInterrupt:
            progress.live.stop()
            typer.echo(f"Stopped. Go on with: {command_line(experiment, 'run', *given)}", err=True)
            raise typer.Exit(130) from None
    for cell, text in outcome.failed.items():
        typer.echo(f"hypgraph: {cell.name}: {text}", err=True)
    typer.echo(root if quiet else f"Results: {root}")
    if outcome.failed:
        raise typer.Exit(1)
    if not quiet:
        typer.echo(f"Next: {command_line(experiment, 'table', *_out_option(out))}")


@app.command("table")
def table(
    name: Name,
    out: Out = DEFAULT_OUT,
    format_: Annotated[str, typer.Option("--format", help="markdown or csv.")] = "markdown",
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Write the table there.")] = None,
    seeds: Seeds = None,
    assignments: Set = None,
    smoke: Smoke = False,
) -> None:
    """Make the table of an experiment from what has been computed."""
    from hypgraph.experiments.experiment_table import Table, command_line, render
    from hypgraph.experiments.runner import left_of
    from hypgraph.files import whole_file

    write = lookup({"markdown": Table.markdown, "csv": Table.csv}, format_, what="format")
    if file is not None:
        check_writable(file, flag="--file")
    experiment = _experiment(name, seeds, assignments, smoke=smoke)
    left = left_of(experiment, _root(out, smoke=smoke))
    if any(left.values()):
        done = sum(not what for what in left.values())
        typer.echo(
            f"{done} of {len(left)} cells are done in {_root(out, smoke=smoke)}; the rest: "
            f"{command_line(experiment, 'run', *_out_option(out))}",
            err=True,
        )
    command = command_line(experiment, "run", *_out_option(out))
    text = write(render(experiment, _root(out, smoke=smoke), command=command))
    if file is None:
        typer.echo(text, nl=False)
        return
    with whole_file(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    typer.echo(file)


@app.command("draw")
def draw(
    name: Name,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="KEY=VALUE", help="Only cells with this setting; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of which run.")] = 0,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where to put them. [default: the folder of each cell]"),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="png, pdf or svg.")] = "png",
    data_root: DataRoot = None,
    out: Out = DEFAULT_OUT,
    seeds: Seeds = None,
    assignments: Set = None,
    smoke: Smoke = False,
) -> None:
    """Draw what trained cells have learnt: latent spaces, samples, reconstructions."""
    from hypgraph.experiments.pictures import draw_cells
    from hypgraph.viewer import FIGURE_FORMATS

    lookup(dict.fromkeys(FIGURE_FORMATS), format_, what="format")
    experiment = _experiment(name, seeds, assignments, smoke=smoke)
    root = _root(out, smoke=smoke)
    for path in draw_cells(
        experiment,
        root,
        where=where or (),
        seed=seed,
        folder=to,
        file_format=format_,
        data_root=data_root and data_root.absolute(),
    ):
        typer.echo(path)


def _experiment(name: str, seeds: int | None, assignments: list[str] | None, *, smoke: bool) -> "Experiment":
    from hypgraph.experiments.experiment import load_experiment

    return load_experiment(name).with_changes(seeds=seeds, assignments=assignments or (), smoke=smoke)


def _root(out: Path, *, smoke: bool) -> Path:
    return out / "smoke" if smoke else out


def _out_option(out: Path) -> list[str]:
    return ["--out", str(out)] if out != DEFAULT_OUT else []
