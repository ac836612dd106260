"""``hypgraph evaluate``: the figures of a run, computed anew."""

import json
import re

import pytest

from tests.cli.program import hypgraph, tree


def edge_list(path, seed=0, nodes=40):
    """A ring with chords, numbered from ``seed`` on."""
    edges = [(u, (u + step) % nodes) for u in range(nodes) for step in (1, 3 + seed)]
    path.write_text("\n".join(f"person{u},person{v}" for u, v in edges))


def summary_of(path):
    return json.loads((path / "summary.json").read_text())


def test_evaluate_reproduces_the_metrics_of_the_summary(karate_run):
    before = tree(karate_run)
    outcome = hypgraph("evaluate", karate_run, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out) == summary_of(karate_run)["metrics"]
    assert tree(karate_run) == before


def test_evaluate_prints_percentages(karate_run):
    outcome = hypgraph("evaluate", karate_run)
    assert outcome.code == 0
    metrics = summary_of(karate_run)["metrics"]
    expected = [f"{100 * metrics[which][name]:.2f}" for which in ("val", "test") for name in ("auc", "ap")]
    row = next(line for line in outcome.out.splitlines() if "poincare d=3" in line)
    assert re.findall(r"\d+\.\d\d", row) == expected


def test_evaluate_works_from_another_folder_than_the_training(here, tmp_path, monkeypatch):
    edge_list(here / "people.csv")
    assert hypgraph("train", "--data", "people.csv", "--epochs", 4, "--out", "run", "-q").code == 0
    monkeypatch.chdir(tmp_path)
    outcome = hypgraph("evaluate", here / "run", "--json")
    assert json.loads(outcome.out) == summary_of(here / "run")["metrics"]


def test_a_run_that_was_moved_evaluates_the_same(karate_run, tmp_path):
    moved = karate_run.rename(tmp_path / "elsewhere")
    assert json.loads(hypgraph("evaluate", moved, "--json").out) == summary_of(moved)["metrics"]


@pytest.mark.parametrize("change", ["other edges", "fewer nodes", "more nodes", "gone"])
@pytest.mark.parametrize("verb", ["evaluate", "resume"])
def test_data_that_changed_since_the_training_are_noticed(change, verb, here):
    data = here / "people.csv"
    edge_list(data)
    assert hypgraph("train", "--data", data, "--epochs", 4, "--out", "run", "-q").code == 0
    if change == "gone":
        data.unlink()
    elif change == "other edges":
        edge_list(data, seed=4)
    else:
        edge_list(data, nodes=30 if change == "fewer nodes" else 50)
    if verb == "resume":
        (here / "run/summary.json").unlink()
    before = tree(here / "run")
    line = hypgraph(*(["evaluate", "run"] if verb == "evaluate" else ["train", "--resume", "run", "-q"])).error
    assert ("people.csv" in line) if change == "gone" else ("changed" in line)
    assert tree(here / "run") == before


@pytest.mark.parametrize("change", ["other edges", "fewer nodes"])
def test_data_that_changed_before_the_first_checkpoint_are_noticed(change, here):
    """The split of the old graph must not be used with the new one."""
    data = here / "people.csv"
    edge_list(data)
    assert hypgraph("train", "--data", data, "--epochs", 4, "--out", "run", "-q").code == 0
    for name in ("summary.json", "checkpoint.pt", "embeddings.npz"):
        (here / "run" / name).unlink()
    edge_list(data, **({"seed": 4} if change == "other edges" else {"nodes": 30}))
    assert "changed" in hypgraph("train", "--resume", "run", "-q").error
