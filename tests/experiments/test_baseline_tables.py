"""All baselines on one data set, on the splits that train makes."""

import json
import math
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from hypgraph.config import load_config
from hypgraph.data import EdgeSplit, from_networkx
from hypgraph.evaluation import BASELINES, TrainingGraph, common_neighbours, link_metrics, mean_interval
from hypgraph.experiments.baselines import REFERENCE, BaselineTable, markdown, run_baselines
from hypgraph.experiments.link_data import split_of
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.training import score_links
from tests.experiments.runs import summary_of


@pytest.fixture(scope="module")
def karate() -> BaselineTable:
    return run_baselines(load_config(overrides={"data.name": "karate", "training.seeds": 3, "training.seed": 4}))


def test_the_splits_and_figures_are_those_of_training(karate_run: Path) -> None:
    table = run_baselines(load_config(overrides={"data.name": "karate"}))
    baselines = summary_of(karate_run)["baselines"]
    assert set(baselines) == set(table.figures)
    for key, figures in baselines.items():
        for metric in ("auc", "ap"):
            assert table.figures[key]["test"][metric] == [figures[metric]]
            assert table.figures[key]["val"][metric] == [figures["val"][metric]]


def test_a_seed_gives_the_same_figures_whatever_the_first_seed_is(karate: BaselineTable) -> None:
    alone = run_baselines(load_config(overrides={"data.name": "karate", "training.seed": 5}))
    assert (alone.seeds, karate.seeds) == ([5], [4, 5, 6])
    for key, by_set in alone.figures.items():
        for which, by_metric in by_set.items():
            for metric, (value,) in by_metric.items():
                assert karate.figures[key][which][metric][1] == pytest.approx(value, nan_ok=True, abs=1e-15)


def test_connected_figures_leave_out_pairs_that_touch_an_isolated_node() -> None:
    star_and_path = nx.disjoint_union(nx.karate_club_graph(), nx.path_graph(40))
    graph = from_networkx(star_and_path)
    config = load_config(overrides={"training.seed": 2})
    table = run_baselines(config, graph=graph)
    split = split_of(graph, config)
    train = TrainingGraph.from_edges(split.train_edge_index, split.num_nodes)
    alone = set(np.flatnonzero(train.degree == 0).tolist())
    assert alone
    kept, shares = [], []
    for pairs in (split.test_edge_index, split.test_neg_edge_index):
        clear = [column for column in pairs.T.tolist() if not alone & set(column)]
        kept.append(common_neighbours(train, np.array(clear).T))
        shares.append(1 - len(clear) / pairs.shape[1])
    assert table.figures["common_neighbours"]["test_connected"]["auc"] == [link_metrics(*kept).auc]
    assert table.isolated == pytest.approx(shares)
    assert max(shares) > 0


def test_intervals_are_over_seeds(karate: BaselineTable) -> None:
    values = karate.figures["katz"]["test"]["ap"]
    assert len(values) == 3
    assert karate.interval("katz", "test", "ap") == mean_interval(values)


def test_a_set_that_loses_all_its_pairs_has_no_figure() -> None:
    pairs = nx.Graph((2 * i, 2 * i + 1) for i in range(40))
    table = run_baselines(load_config(), graph=from_networkx(pairs))
    assert table.isolated[0] == 1.0
    assert math.isnan(table.interval("katz", "test_connected", "auc").mean)
    assert table.as_json()["baselines"]["katz"]["test_connected"]["auc"]["mean"] is None
    assert "| – |" in markdown([table], "command")


def test_a_split_that_is_given_is_scored_once(karate_run: Path) -> None:
    config = load_config(
        overrides={"data.name": "karate", "data.split": str(karate_run / "split.npz"), "training.seeds": 5}
    )
    table = run_baselines(config)
    assert table.seeds == [0]
    assert EdgeSplit.load(karate_run / "split.npz").is_of(table.graph)
    assert table.figures["katz"]["test"]["auc"] == [summary_of(karate_run)["baselines"]["katz"]["auc"]]


def test_the_listener_hears_of_every_row_of_every_seed() -> None:
    heard: list[tuple[int, str]] = []
    config = load_config(overrides={"data.name": "karate", "training.seeds": 2})
    table = run_baselines(config, on_score=lambda seed, label: heard.append((seed, label)))
    labels = [BASELINES[key].label for key in table.figures]
    assert heard == [(seed, label) for seed in (0, 1) for label in labels]
    assert table.left_out == ["cosine ÂX", "cosine X", "logistic regression"]


def test_the_json_holds_every_value(karate: BaselineTable) -> None:
    plain = json.loads(json.dumps(karate.as_json(), allow_nan=False))
    assert (plain["data"], plain["seeds"]) == ("karate", [4, 5, 6])
    assert plain["graph"] == {"nodes": 34, "edges": 78, "features": 0}
    row = plain["baselines"]["adamic_adar"]["test"]["auc"]
    assert row["values"] == karate.figures["adamic_adar"]["test"]["auc"]
    assert row["mean"] == pytest.approx(np.mean(row["values"]))
    assert plain["left_out"] == ["cosine_ax", "cosine_x", "logistic_regression"]


def test_the_markdown_has_a_row_for_each_baseline_and_the_command(karate: BaselineTable) -> None:
    text = markdown([karate], "hypgraph baselines --data karate")
    assert text.startswith("# Baselines\n\nMade by `hypgraph baselines --data karate`.\n")
    assert "\n## karate\n\n34 nodes, 78 edges, no features; seeds 4 to 6." in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(karate.figures)
    mean, half_width = karate.interval("katz", "val", "auc")
    (row,) = [line for line in rows if line.startswith("| Katz |")]
    assert row.startswith(f"| Katz | {100 * mean:.1f} ± {100 * half_width:.1f} |")
    assert row.count("|") == 8
    assert "Not for this graph: cosine ÂX, cosine X, logistic regression." in text


def test_reference_figures_stand_beside_ours_with_the_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    assert REFERENCE["cora"]["cosine_ax"] == (93.8, 94.9)
    monkeypatch.setitem(REFERENCE, "karate", {"katz": (71.3, 64.9)})
    table = run_baselines(load_config(overrides={"data.name": "karate"}))
    text = markdown([table], "command")
    auc, ap = (100 * table.figures["katz"]["test"][metric][0] for metric in ("auc", "ap"))
    (row,) = [line for line in text.splitlines() if line.startswith("| Katz |")]
    assert row.endswith(f"| 71.3 / 64.9 | {auc - 71.3:+.1f} / {ap - 64.9:+.1f} |")
    (row,) = [line for line in text.splitlines() if line.startswith("| Adamic–Adar |")]
    assert row.endswith("| – | – |")


def test_reference_names_known_baselines_only() -> None:
    assert all(set(rows) <= set(BASELINES) for rows in REFERENCE.values())


def test_the_trained_row_is_the_euclidean_run_of_the_same_seed() -> None:
    overrides = {"data.name": "karate", "training.seed": 3, "training.epochs": 6, "model.dim": 2}
    config = load_config(overrides=overrides)
    row = run_baselines(config, trained=True).figures["euclidean_vgae"]
    twin = LinkPrediction.prepare(load_config(overrides={**overrides, "model.latent": "euclidean"}))
    while not twin.trainer.done:
        twin.trainer.run_epoch()
    val, test = score_links(twin.trainer.best_model(), twin.task, twin.task.val, twin.task.test)
    assert (row["test"]["auc"], row["test"]["ap"]) == ([test.auc], [test.ap])
    assert (row["val"]["auc"], row["val"]["ap"]) == ([val.auc], [val.ap])
    assert "euclidean_vgae" not in run_baselines(config).figures
