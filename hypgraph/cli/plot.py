"""``hypgraph plot``."""

from pathlib import Path
from typing import Annotated

import typer

from hypgraph.cli.options import Run
from hypgraph.cli.paths import check_new_file
from hypgraph.exceptions import ConfigError

__all__ = ["plot"]


def plot(
    run: Run,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The figure to write: .png, .svg or .pdf.")
    ],
    colour: Annotated[
        str, typer.Option(help="Nodes by label, degree, depth, radius, scale or none; auto takes what is known.")
    ] = "auto",
    layout: Annotated[
        str,
        typer.Option(
            help="disk; linear, with radii as long as they are; spread, with angles spread out too; or auto."
        ),
    ] = "auto",
    zoom: Annotated[str, typer.Option(help="disk, all of it; or fit, the part where something is.")] = "disk",
    edges: Annotated[
        bool | None, typer.Option("--edges/--no-edges", help="Draw the edges. [default: up to 20,000]")
    ] = None,
    posteriors: Annotated[
        bool, typer.Option("--posteriors", help="Draw where half of the mass of each posterior lies.")
    ] = False,
    labels: Annotated[
        int,
        typer.Option(
            metavar="N", help="Write the ids of the N nodes with most edges beside them, where there is room."
        ),
    ] = 0,
    size: Annotated[float, typer.Option(help="Side of the picture in inches.")] = 6.0,
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
) -> None:
    """Draw a run as a figure for papers."""
    check_new_file(out, force=force)

    from hypgraph.experiments.opened_run import OpenedRun
    from hypgraph.experiments.run_pictures import figure_of_run
    from hypgraph.viewer import save

    if labels < 0:
        raise ConfigError(f"--labels {labels}: is a number of nodes, 0 or more")
    opened = OpenedRun.open(run)
    figure = figure_of_run(
        opened,
        posteriors=posteriors,
        on_note=lambda note: typer.echo(f"  {note}", err=True),
        colour=colour,
        layout=layout,
        zoom=zoom,
        show_edges=edges,
        names=[str(node) for node in opened.embeddings.node_id.tolist()],
        most_names=labels,
        size=size,
    )
    save(figure, out)
    typer.echo(out)
