"""``hypgraph evaluate``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hypgraph.cli.options import Run

__all__ = ["evaluate"]


def evaluate(
    run: Run,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON with fractions in [0, 1]; a list for several seeds.")
    ] = False,
) -> None:
    """Score a finished run anew from its files."""
    from rich.console import Console

    from hypgraph.cli.report import metrics_table
    from hypgraph.experiments import seeds
    from hypgraph.run_folder import RunFolder

    folder = RunFolder.open(run)
    result = seeds.evaluate(folder)
    if as_json:
        plain = [{which: metrics._asdict() for which, metrics in one.items()} for one in result]
        typer.echo(json.dumps(plain if len(plain) > 1 else plain[0], indent=2))
        return
    config = folder.config()
    table = metrics_table(f"Link prediction on {Path(config.data.name).stem}, %")
    for child, metrics in zip(seeds.seed_folders(folder), result, strict=True):
        cells = [f"{100 * value:.2f}" for which in ("val", "test") for value in metrics[which]]
        table.add_row(f"{config.model.latent} d={config.model.dim}, seed {child.config().training.seed}", *cells)
    Console().print(table)
