"""``hypgraph evaluate``."""

import json
from statistics import mean
from typing import Annotated, Any

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

    from hypgraph.cli.report import ABLATION, metrics_table, ranking_lines
    from hypgraph.experiments import seeds
    from hypgraph.run_folder import RunFolder

    folder = RunFolder.open(run)
    result, runs = seeds.evaluate(folder), seeds.seed_folders(folder)
    if as_json:
        plain: list[dict[str, Any]] = [
            {which: metrics._asdict() for which, metrics in one.metrics.items()}
            | ({"ranking": one.ranking} if one.ranking else {})
            for one in result
        ]
        several = [
            {"seed": child.config().training.seed, **metrics} for child, metrics in zip(runs, plain, strict=True)
        ]
        typer.echo(json.dumps(several if len(several) > 1 else plain[0], indent=2))
        return
    config = folder.config()
    summary = folder.summary()
    table = metrics_table(f"Link prediction on {summary['data']}, %")
    rows = [[100 * value for which in ("val", "test") for value in one.metrics[which]] for one in result]
    for child, row in zip(runs, rows, strict=True):
        name = f"{config.model.latent} d={config.model.dim}, seed {child.config().training.seed}"
        table.add_row(name, *(f"{value:.2f}" for value in row))
    if len(rows) > 1:
        table.add_section()
        table.add_row("mean", *(f"{mean(column):.2f}" for column in zip(*rows, strict=True)), style="bold")
    for key, figures in summary.get("ablation", {}).items():  # of other models, which the run does not keep
        values = [100 * part[name] for part in (figures["val"], figures) for name in ("auc", "ap")]
        table.add_row(ABLATION[key], *(f"{value:.2f}" for value in values))
    Console().print(table)
    for child, one in zip(runs, result, strict=True):
        for line in ranking_lines(one.ranking):
            typer.echo(f"seed {child.config().training.seed}, {line}")
