"""``hypgraph embed``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hypgraph.cli.options import ConfigFile, DataRoot, described
from hypgraph.cli.paths import new_folder
from hypgraph.config import load_hierarchy_config
from hypgraph.exceptions import ConfigError

__all__ = ["embed"]


def embed(
    data: Annotated[
        str | None,
        typer.Option("--data", help="A data set or a simulation (hypgraph data list), or a file."),
    ] = None,
    source_col: Annotated[str | None, described("data.source_col", metavar="COLUMN")] = None,
    target_col: Annotated[str | None, described("data.target_col", metavar="COLUMN")] = None,
    directed: Annotated[bool | None, described("data.directed", flag=True)] = None,
    features: Annotated[
        Path | None,
        typer.Option("--features", metavar="FILE", help="A table with the labels of the nodes, for pictures."),
    ] = None,
    dim: Annotated[int | None, described("embedding.dim")] = None,
    c: Annotated[float | None, described("embedding.c")] = None,
    uncertainty: Annotated[bool | None, described("embedding.uncertainty", flag=True)] = None,
    seed: Annotated[int | None, described("embedding.seed")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="The run folder to make. [default: results/<data>-disk-<time>]"
        ),
    ] = None,
    config: ConfigFile = None,
    data_root: DataRoot = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the path of the run.")] = False,
) -> None:
    """Draw a hierarchy in the disk as well as the space allows: no features, no held-out edges."""
    overrides = {
        "data.name": data,
        "data.root": data_root and str(data_root.absolute()),
        "data.source_col": source_col,
        "data.target_col": target_col,
        "data.directed": directed,
        "data.features": features and str(features),
        "embedding.dim": dim,
        "embedding.c": c,
        "embedding.uncertainty": uncertainty,
        "embedding.seed": seed,
    }
    if data is None and config is None:
        raise ConfigError("which graph? --data FILE, or a name of hypgraph data list")
    try:
        resolved = load_hierarchy_config(config, overrides=overrides)
    except ConfigError as error:
        raise ConfigError(_with_flag(str(error), overrides)) from None
    if isinstance(resolved.data.features, str):
        raise ConfigError(
            f"--features {resolved.data.features}: a drawing sees no features; give a table of labels"
        )
    path = out or new_folder(resolved.data.name, "disk" if resolved.embedding.dim == 2 else "ball")

    from hypgraph.cli.progress import counts_line
    from hypgraph.experiments.drawing import draw_hierarchy

    def tell(line: str) -> None:
        if not quiet:
            typer.echo(f"  {line}", err=True)

    def show(graph: Any) -> None:
        if not quiet:
            typer.echo(counts_line(graph), err=True)
            for note in graph.notes:
                tell(note)

    try:
        summary = draw_hierarchy(resolved, path, on_graph=show, on_progress=tell)
    except KeyboardInterrupt:
        typer.echo("Stopped; nothing was written.", err=True)
        raise typer.Exit(130) from None
    if quiet:
        typer.echo(path)
    else:
        _print(summary, path)


def _with_flag(line: str, overrides: dict[str, Any]) -> str:
    """An error line that begins with a key of the configuration, with the flag before it where that was given."""
    key = line.partition(" ")[0]
    if overrides.get(key) is None:
        return line
    return f"--{key.partition('.')[2].replace('_', '-')} ({key}){line[len(key) :]}"


def _print(summary: dict[str, Any], path: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from hypgraph.cli.report import print_next

    space = f"{summary['dim']} dimensions, c = {summary['c']:g}"
    typer.echo(f"{summary['data']} in {space}: {summary['method']}, {summary['seconds']:.1f} s")
    distortion, scale = summary["distortion"], summary["distortion_scale"]
    typer.echo(f"  reconstruction mAP   {summary['mean_average_precision']:.4f}   (ties count against it)")
    typer.echo(f"  mean rank            {summary['mean_rank']:.2f}")
    if distortion is not None:
        typer.echo(f"  average distortion   {distortion:.3f}    (of the lengths times {scale:.3g}, from the hops)")
    table = Table(
        title="Radius by depth (hops from the innermost node of each component)",
        title_justify="left",
        title_style="bold",
    )
    for column in ("depth", "nodes", "mean", "smallest", "largest"):
        table.add_column(column, justify="right")
    for row in summary["radius_by_depth"]:
        lengths = (f"{row[key]:.2f}" for key in ("mean", "smallest", "largest"))
        table.add_row(f"{row['depth']}", f"{row['nodes']:,}", *lengths)
    Console().print(table)
    print_next(path, path)
