"""Held-out and new edges of a run, against scores of every pair from the decoder's formula."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from hypgraph.data import load_graph
from hypgraph.exceptions import ConfigError, RunError
from hypgraph.experiments import new_edges
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.experiments.new_edges import finished_run, held_out_edges, predicted_edges
from hypgraph.run_folder import RunFolder
from hypgraph.training import link_logits
from tests.experiments.runs import arrays_of
from tests.experiments.test_link_prediction import gyroplane_logits

Train = Callable[..., Path]


@pytest.fixture(scope="module")
def run(karate_run: Path) -> LinkPrediction:
    return finished_run(RunFolder.open(karate_run))


@pytest.fixture(scope="module")
def directed_path(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("directed")
    rows = [f"{u},{(u + hop) % 25}" for u in range(25) for hop in (1, 3, 8)]
    rows += [f"{(u + 1) % 25},{u}" for u in range(0, 25, 2)]  # some pairs have edges both ways
    (folder / "graph.csv").write_text("\n".join(["source,target", *rows]) + "\n")
    return train(folder / "run", f'data.name="{folder / "graph.csv"}"', "data.directed=true")


def as_set(pairs: Tensor) -> set[tuple[int, int]]:
    return {(int(u), int(v)) for u, v in pairs.T}


def edges_of(path: Path) -> set[tuple[int, int]]:
    split = arrays_of(path / "split.npz")
    parts = ("train_edge_index", "val_edge_index", "test_edge_index")
    return {(int(u), int(v)) for part in parts for u, v in split[part].T}


def test_new_edges_are_the_best_of_all_pairs_that_are_none(karate_run: Path, run: LinkPrediction) -> None:
    graph, edges = load_graph("karate"), edges_of(karate_run)
    assert edges == as_set(graph.edge_index)
    others = [pair for pair in itertools.combinations(range(34), 2) if pair not in edges]
    logits = gyroplane_logits(karate_run, np.array(others).T)
    order = np.argsort(-logits, kind="stable")[:40]
    result = predicted_edges(run, count=40)
    assert np.allclose(result.probability, expit(logits[order]), rtol=1e-9)
    assert as_set(result.edge_index) == {others[k] for k in order}
    assert result.scope == f"all {len(others)} pairs that are no edges"


def test_held_out_edges_that_the_graph_has_not_are_not_new(run: LinkPrediction) -> None:
    training_only = replace(run.graph, edge_index=run.split.train_edge_index)  # as in some data sets
    result = predicted_edges(replace(run, graph=training_only), count=10_000)
    assert torch.equal(result.edge_index, predicted_edges(run, count=10_000).edge_index)


def test_each_pair_comes_once_and_the_most_probable_first(run: LinkPrediction) -> None:
    result = predicted_edges(run, count=200)
    source, target = result.edge_index
    assert (source < target).all()
    assert len(as_set(result.edge_index)) == result.edge_index.shape[1] == 200
    assert (result.probability.diff() <= 0).all()


def test_more_than_there_are_gives_all_that_there_are(run: LinkPrediction) -> None:
    result = predicted_edges(run, count=10_000)
    assert result.edge_index.shape[1] == 34 * 33 // 2 - 78
    assert as_set(result.edge_index).isdisjoint(as_set(load_graph("karate").edge_index))


def test_the_best_few_are_the_first_of_the_best_many(run: LinkPrediction) -> None:
    few, many = (predicted_edges(run, count=count) for count in (5, 50))
    assert torch.equal(few.edge_index, many.edge_index[:, :5])
    again = predicted_edges(run, count=50)
    assert torch.equal(again.edge_index, many.edge_index)
    assert torch.equal(again.probability, many.probability)


def test_blocks_change_nothing(run: LinkPrediction, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = predicted_edges(run, count=30)
    monkeypatch.setattr(new_edges, "_PAIRS_A_BLOCK", 7)
    parts = predicted_edges(run, count=30)
    assert torch.equal(whole.edge_index, parts.edge_index)


def test_directed_edges_are_ordered_pairs_and_the_reverse_of_an_edge_may_be_new(directed_path: Path) -> None:
    edges = edges_of(directed_path)
    others = [pair for pair in itertools.permutations(range(25), 2) if pair not in edges]
    run = finished_run(RunFolder.open(directed_path))
    result = predicted_edges(run, count=10_000)
    assert as_set(result.edge_index) == set(others)
    (logits,) = link_logits(run.trainer.best_model(), run.task, torch.tensor(others).T)
    by_pair = dict(zip(others, torch.sigmoid(logits).tolist(), strict=True))
    assert np.allclose(result.probability, [by_pair[int(u), int(v)] for u, v in result.edge_index.T])
    assert {(v, u) for u, v in edges} & as_set(result.edge_index)


def two_hops_or_near(path: Path, nearest: int, hub: int, *, directed: bool) -> set[tuple[int, int]]:
    """The candidates, by loops over sets and distances in ball coordinates."""
    edges, arrays = edges_of(path), arrays_of(path / "embeddings.npz")
    x, c, count = arrays["loc"], float(arrays["c"]), len(arrays["loc"])
    neighbours: dict[int, set[int]] = {u: set() for u in range(count)}
    for u, v in edges:
        neighbours[u].add(v)
        neighbours[v].add(u)
    found = {
        (u, w) for u in range(count) for v in neighbours[u] if len(neighbours[v]) <= hub for w in neighbours[v]
    }
    for u in range(count):
        square = np.sum((x - x[u]) ** 2, axis=1) / (1 - c * np.sum(x**2, axis=1))
        order = [int(v) for v in np.argsort(square) if v != u][:nearest]
        found |= {pair for v in order for pair in ((u, v), (v, u))}
    return {
        pair for pair in found if pair not in edges and (pair[0] != pair[1] if directed else pair[0] < pair[1])
    }


@pytest.mark.parametrize("directed", [False, True])
def test_a_large_graph_is_searched_two_hops_and_to_near_nodes(
    karate_run: Path, directed_path: Path, directed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = directed_path if directed else karate_run
    hub = 5 if directed else 9
    for name, value in (("_ALL_PAIRS", 10), ("_NEAREST", 4), ("_HUB", hub), ("_ROWS_A_BLOCK", 9)):
        monkeypatch.setattr(new_edges, name, value)
    run = finished_run(RunFolder.open(path))
    result = predicted_edges(run, count=10_000)
    assert as_set(result.edge_index) == two_hops_or_near(path, 4, hub, directed=directed)
    assert len(as_set(result.edge_index)) == result.edge_index.shape[1]
    assert result.scope == (
        f"pairs two hops apart by way of a node of at most {hub} neighbours, and the 4 nodes nearest to each"
    )
    monkeypatch.setattr(new_edges, "_MOST_NODES_NEAREST", 10)
    fewer = predicted_edges(run, count=10_000)
    assert as_set(fewer.edge_index) == two_hops_or_near(path, 0, hub, directed=directed)
    assert "nearest" not in fewer.scope


@pytest.mark.parametrize("setting", ["model.latent=euclidean", "model.latent=lorentz"])
def test_near_nodes_are_near_in_every_latent_space(
    setting: str, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = train(tmp_path / "run", setting)
    run = finished_run(RunFolder.open(path))
    monkeypatch.setattr(new_edges, "_NEAREST", 3)
    found = new_edges._nearest(run, run.trainer.best_model()).toarray()
    x, c = arrays_of(path / "embeddings.npz")["loc"], float(arrays_of(path / "embeddings.npz")["c"])
    lorentz = np.outer(x[:, 0], x[:, 0]) - x[:, 1:] @ x[:, 1:].T  # cosh(√c d)/c
    apart = lorentz if c else np.linalg.norm(x[:, None] - x, axis=-1)
    assert (found == (np.argsort(np.argsort(apart, axis=1), axis=1) < 4) - np.eye(34)).all()


def test_a_hybrid_is_scored_by_its_head(train: Train, tmp_path: Path) -> None:
    path = train(tmp_path / "run", "model.decoder=hybrid")
    run = finished_run(RunFolder.open(path))
    others = [pair for pair in itertools.combinations(range(34), 2) if pair not in edges_of(path)]
    (logits,) = link_logits(run.trainer.best_model(), run.task, torch.tensor(others).T)
    result = predicted_edges(run, count=10_000)
    by_pair = dict(zip(others, torch.sigmoid(logits).tolist(), strict=True))
    assert np.allclose(result.probability, [by_pair[int(u), int(v)] for u, v in result.edge_index.T])


def accuracy(positive: NDArray[np.float64], negative: NDArray[np.float64], cut: float) -> float:
    return float(((positive > cut).mean() + (negative <= cut).mean()) / 2)


def test_held_out_edges_are_found_above_the_best_threshold_of_validation(
    karate_run: Path, run: LinkPrediction
) -> None:
    split = arrays_of(karate_run / "split.npz")
    val, negative, test = (
        gyroplane_logits(karate_run, split[part])
        for part in ("val_edge_index", "val_neg_edge_index", "test_edge_index")
    )
    result = held_out_edges(run)
    assert torch.equal(
        result.edge_index, torch.from_numpy(np.hstack([split["val_edge_index"], split["test_edge_index"]]))
    )
    assert result.is_test.tolist() == [False] * len(val) + [True] * len(test)
    assert np.allclose(result.probability, expit(np.concatenate([val, test])), rtol=1e-9)
    assert (result.found == (result.probability > result.threshold)).all()
    cut = float(np.log(result.threshold / (1 - result.threshold)))
    best = max(accuracy(val, negative, at) for at in np.linspace(-20, 20, 20_001))
    assert accuracy(val, negative, cut) >= best
    assert result.scope == f"{len(val)} validation and {len(test)} test edges"


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([1.0, 3.0], [-2.0, -1.0], 0.0),  # separated: halfway
        ([4.0, 6.0], [1.0, 2.0], 3.0),
        ([0.5, -3.0, 2.0], [-1.0, 1.0, -4.0], -0.25),  # 4 of 6 at three places
        ([1.0, 1.0], [1.0, 1.0], 0.0),  # nothing helps
        ([-5.0], [5.0], -6.0),  # all or none
        ([2.0], [1.0, 1.5, 3.0, 0.0], 1.75),  # negatives of its own: 3 of 4
        ([1.0, 3.0], [0.0, 0.0, 0.0, 0.0, 2.0, 2.0], 0.5),  # 1 and 2/3, against 1/2 and 1
    ],
)
def test_the_threshold_has_the_best_balanced_accuracy_and_is_the_nearest_to_zero(
    positive: list[float], negative: list[float], expected: float
) -> None:
    assert new_edges._best_cut(np.array(positive), np.array(negative)) == expected


def test_a_count_of_none_is_refused(run: LinkPrediction) -> None:
    with pytest.raises(ConfigError, match="count must be at least 1, got 0"):
        predicted_edges(run, count=0)


def test_an_unfinished_run_is_refused(karate_run: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((karate_run / "config.json").read_bytes())
    with pytest.raises(RunError, match="not finished"):
        finished_run(RunFolder.open(tmp_path))
