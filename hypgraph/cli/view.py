"""``hypgraph view``."""

from pathlib import Path
from typing import Annotated

import typer

from hypgraph.cli.options import Run
from hypgraph.cli.paths import check_new_file
from hypgraph.exceptions import ConfigError

__all__ = ["view"]


def view(
    run: Run,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The page to write. [default: RUN/disk.html]"),
    ] = None,
    predicted: Annotated[
        int, typer.Option("--predicted", min=0, help="How many of the most probable new edges to show.")
    ] = 100,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file where it exists; RUN/disk.html always is.")
    ] = False,
) -> None:
    """Write a page that shows a run: one HTML file that needs no network."""
    from hypgraph.experiments.opened_run import OpenedRun

    opened = OpenedRun.open(run)
    path = opened.folder.path / "disk.html" if out is None else out
    # In the run folder it is made of nothing but the run, and stands in nothing's way.
    check_new_file(path, force=force or out is None)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out {path}: a page ends in .html; pictures are made by hypgraph plot")

    from hypgraph.experiments.run_pictures import page_of_run
    from hypgraph.viewer import write_page

    contents = page_of_run(opened, predicted=predicted, on_note=lambda note: typer.echo(f"  {note}", err=True))
    write_page(path, contents)
    typer.echo(f"{len(contents.ids):,} nodes -> {path}; open it in a browser")
