"""Results as tables for people."""

import shlex
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from hypgraph.evaluation import BASELINES
from hypgraph.export import Embeddings
from hypgraph.run_folder import RunFolder

# The rows that stand under a hybrid model: its two halves, each trained by itself.
ABLATION = {"latent_only": "  latent only", "no_latent": "  same head, no latent"}

__all__ = ["ABLATION", "metrics_table", "print_next", "print_result", "ranking_lines"]


def metrics_table(title: str) -> Table:
    """An empty table with columns for validation and test."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for column in ("val AUC", "val AP", "test AUC", "test AP"):
        table.add_column(column, justify="right")
    return table


def ranking_lines(ranking: dict[str, dict[str, float]]) -> list[str]:
    """Hits@K and MRR in %, a line for each of validation and test."""
    return [
        f"{which}: "
        + ", ".join(
            f"{name.upper() if name == 'mrr' else name.capitalize()} {100 * value:.2f}"
            for name, value in scores.items()
        )
        for which, scores in ranking.items()
    ]


def print_result(summary: dict[str, Any], path: Path) -> None:
    """The model beside the baselines, where the run is, and what can be done next."""
    seeds = summary.get("seeds")
    what = f"mean and 95 % interval of {len(seeds)} seeds" if seeds else f"seed {summary['seed']}"
    table = metrics_table(f"Link prediction on {summary['data']}, % ({what})")
    missing = [
        baseline.label
        for key, baseline in BASELINES.items()
        if not baseline.fitted and key not in summary["baselines"]
    ]
    left_out = f"; not for this graph: {', '.join(missing)}" if missing else ""
    table.caption, table.caption_justify = f"below the line: untrained baselines{left_out}", "left"
    spread = summary.get("interval95", {})

    def cells(figures: dict[str, Any], widths: dict[str, Any] | None) -> list[str]:
        parts = [(which, name) for which in ("val", "test") for name in ("auc", "ap")]
        if not widths:
            return [f"{100 * figures[which][name]:.2f}" for which, name in parts]
        return [f"{100 * figures[which][name]:.1f} ± {100 * widths[which][name]:.1f}" for which, name in parts]

    def by_set(figures: dict[str, Any]) -> dict[str, Any]:
        return {"val": figures["val"], "test": figures}

    model = f"{summary['latent']} d={summary['dim']}, {summary['decoder']}"

    def add_rows(part: str, labels: dict[str, str]) -> None:
        for key, figures in summary.get(part, {}).items():
            table.add_row(labels[key], *cells(by_set(figures), spread and by_set(spread[part][key])))

    table.add_row(model, *cells(summary["metrics"], spread and spread["metrics"]), style="bold")
    add_rows("ablation", ABLATION)
    table.add_section()
    add_rows("baselines", {key: baseline.label for key, baseline in BASELINES.items()})
    Console().print(table)
    for line in ranking_lines(summary.get("ranking", {})):
        typer.echo(line)
    best = summary["best_epoch"]
    epoch = "" if seeds else f", best epoch {best}"
    typer.echo(f"{summary['epochs']} epochs in {summary['seconds']:.1f} s on {summary['device']}{epoch}")
    if fallen := summary.get("all_at_origin"):
        where = f"With seed {', '.join(map(str, fallen))} every" if seeds else "Every"
        typer.echo(
            f"{where} centre lies at the origin, so the latents say nothing; try model.nonnegative=false, a lower "
            "--lr or features that differ."
        )
    if better := _best_baseline(summary):
        typer.echo(f"On validation {better} is ahead of the model; hypgraph tune searches settings for the data.")
    print_next(path, path / f"seed-{seeds[0]}" if seeds else path)


def _best_baseline(summary: dict[str, Any]) -> str | None:
    """The label of the baseline that validates best, if it does better than the model."""

    def score(figures: dict[str, Any]) -> float:
        return float(figures["val"]["auc"] + figures["val"]["ap"])

    best = max(summary["baselines"], key=lambda key: score(summary["baselines"][key]), default=None)
    if best is None or score(summary["baselines"][best]) <= score(summary["metrics"]):
        return None
    return BASELINES[best].label


def print_next(path: Path, run: Path) -> None:
    """Where the results are, and the commands that show, ask and export them; ``run`` is of one seed."""
    embeddings = Embeddings.load(RunFolder(run).embeddings_file)
    central = str(embeddings.node_id[int(embeddings.polar().radius.argmin())])
    name = shlex.quote(str(run))
    typer.echo(f"\nRun folder: {path}\n")
    typer.echo("Next:")
    typer.echo(f"  hypgraph view {name}")
    typer.echo(f"  hypgraph neighbors {name} --node {shlex.quote(central)}")
    typer.echo(f"  hypgraph export {name} --format csv")
