"""``hypgraph compare``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hypgraph.run_folder import RunFolder

__all__ = ["compare"]


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run folder of several seeds.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another, of the same data and seeds.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with fractions in [0, 1].")] = False,
) -> None:
    """Compare two sets of runs, paired by seed."""
    from rich.console import Console
    from rich.table import Table

    from hypgraph.experiments.compare import compare_runs
    from hypgraph.run_folder import RunFolder

    folders = RunFolder.open(a), RunFolder.open(b)
    result = compare_runs(*folders)
    if as_json:
        typer.echo(json.dumps({"a": str(a), "b": str(b), **result.as_json()}, indent=2))
        return
    if result.seeds_left_out:
        missing, common = (", ".join(map(str, seeds)) for seeds in (result.seeds_left_out, result.seeds))
        typer.echo(f"Not both have finished the seeds {missing}; compared are {common}.", err=True)
    names = [
        f"{summary['latent']} d={summary['dim']}, {summary['decoder']}" for summary in map(_one_summary, folders)
    ]
    data = Path(folders[0].config().data.name).stem
    table = Table(
        title=f"Link prediction on {data}, % (mean and 95 % interval of {len(result.seeds)} seeds)",
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        caption=f"A: {a} ({names[0]})\nB: {b} ({names[1]})\n"
        + (
            "A - B: paired t-test; every seed has the same split, the figures speak of it alone"
            if result.one_split
            else "A - B: paired by seed, corrected resampled t-test (Nadeau and Bengio 2003)"
        ),
    )
    table.add_column("")
    for column in ("A", "B", "A - B", "p"):
        table.add_column(column, justify="right")
    for which, by_metric in result.metrics.items():
        for metric, row in by_metric.items():
            table.add_row(
                f"{which} {metric.capitalize() if '@' in metric else metric.upper()}",
                *(f"{100 * side.mean:.2f} ± {100 * side.half_width:.2f}" for side in (row.a, row.b)),
                f"{100 * row.difference.mean:+.2f} ± {100 * row.difference.half_width:.2f}",
                row.difference.p_text(),
            )
    Console().print(table)


def _one_summary(folder: "RunFolder") -> dict[str, Any]:
    """Of one seed: not all seeds of the folder need be finished."""
    from hypgraph.experiments.seeds import seed_folders

    return next(child.summary() for child in seed_folders(folder) if child.finished)
