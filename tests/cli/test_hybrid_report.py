"""``hypgraph train --decoder hybrid``: three rows that belong together, and the verbs that follow."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import hypgraph, tree

QUICK = ("--data", "karate", "--decoder", "hybrid", "--epochs", 3, "--dim", 2)
LABELS = {"latent_only": "latent only", "no_latent": "same head, no latent"}


def summary_of(path: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((path / "summary.json").read_text())
    return summary


def row(text: str, label: str) -> list[str]:
    """The figures in the one line with this label, in their order."""
    (line,) = [line for line in text.splitlines() if label in line]
    return re.findall(r"\d+\.\d+(?: ± (?:\d+\.\d+|inf|nan))?", line.split(label)[1])


def in_order(figures: dict[str, Any]) -> list[float]:
    return [figures["val"]["auc"], figures["val"]["ap"], figures["auc"], figures["ap"]]


def rows_of(summary: dict[str, Any]) -> dict[str, list[float]]:
    metrics = summary["metrics"]
    whole = in_order({**metrics["test"], "val": metrics["val"]})
    return {
        "poincare d=2, hybrid": whole,
        **{LABELS[half]: in_order(figures) for half, figures in summary["ablation"].items()},
    }


def test_the_table_always_has_the_halves_under_the_hybrid(here: Path) -> None:
    outcome = hypgraph("train", *QUICK, "--out", "run")
    assert outcome.code == 0
    expected = rows_of(summary_of(here / "run"))
    assert len(expected) == 3
    for label, values in expected.items():
        assert row(outcome.out, label) == [f"{100 * value:.2f}" for value in values]
    lines = outcome.out.splitlines()
    places = [next(n for n, line in enumerate(lines) if label in line) for label in expected]
    assert places == [places[0], places[0] + 1, places[0] + 2]
    assert next(n for n, line in enumerate(lines) if "common neighbours" in line) > places[2] + 1  # below a line


def test_other_decoders_have_no_such_rows(here: Path) -> None:
    outcome = hypgraph("train", "--data", "karate", "--epochs", 2, "--dim", 2, "--out", "run")
    assert summary_of(here / "run")["ablation"] == {}
    assert not any(label in outcome.out for label in LABELS.values())


def test_several_seeds_show_the_halves_with_intervals(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    outcome = hypgraph("train", *QUICK, "--seeds", 3, "--out", "runs")
    assert outcome.code == 0
    summary = summary_of(here / "runs")
    spread = {"metrics": summary["interval95"]["metrics"], "ablation": summary["interval95"]["ablation"]}
    widths = rows_of(spread)
    for label, values in rows_of(summary).items():
        pairs = zip(values, widths[label], strict=True)
        assert row(outcome.out, label) == [f"{100 * value:.1f} ± {100 * width:.1f}" for value, width in pairs]


def test_the_default_decoder_reaches_what_latent_only_says(here: Path) -> None:
    assert hypgraph("train", *QUICK, "--seed", 3, "--out", "hybrid", "-q").code == 0
    alone = ("--data", "karate", "--decoder", "auto", "--epochs", 3, "--dim", 2, "--seed", 3)
    assert hypgraph("train", *alone, "--out", "alone", "-q").code == 0
    metrics = summary_of(here / "alone")["metrics"]
    assert summary_of(here / "hybrid")["ablation"]["latent_only"] == {**metrics["test"], "val": metrics["val"]}


def test_evaluate_export_and_resume_take_a_hybrid_run(here: Path) -> None:
    assert hypgraph("train", *QUICK, "--out", "run", "-q").code == 0
    before, summary = tree(here / "run"), summary_of(here / "run")
    assert json.loads(hypgraph("evaluate", "run", "--json").out) == summary["metrics"]
    shown = row(hypgraph("evaluate", "run").out, "poincare d=2, seed 0")
    assert shown == [f"{100 * value:.2f}" for value in rows_of(summary)["poincare d=2, hybrid"]]
    assert hypgraph("export", "run", "--format", "csv", "--out", "embeddings.csv").code == 0
    assert len((here / "embeddings.csv").read_text().splitlines()) == 35
    assert tree(here / "run") == before
    (here / "run/summary.json").unlink()
    outcome = hypgraph("train", "--resume", "run")
    assert outcome.code == 0
    for label, values in rows_of(summary).items():
        assert row(outcome.out, label) == [f"{100 * value:.2f}" for value in values]


def test_directed_edges_train_a_hybrid(here: Path) -> None:
    edges = [f"n{u},n{(u + step) % 40}" for u in range(40) for step in (1, 3, 39)]  # some in both directions
    (here / "edges.csv").write_text("\n".join(edges))
    options = ("--data", "edges.csv", "--directed", "--decoder", "hybrid", "--epochs", 3, "--dim", 2)
    outcome = hypgraph("train", *options, "--out", "run")
    assert outcome.code == 0
    assert row(outcome.out, "poincare d=2, hybrid")
    assert json.loads(hypgraph("evaluate", "run", "--json").out) == summary_of(here / "run")["metrics"]
