"""The folds of the hybrid: no edge is scored in a graph that it is part of, and nothing held out is in any."""

import dataclasses
import math

import networkx as nx
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.data import EdgeSplit, Graph, split_edges
from hypgraph.evaluation import PairFeatures, TrainingGraph
from hypgraph.random import stream
from hypgraph.training import Fold, HybridTask, LinkTask
from tests.nn.dense import transpose_of

NODES, EDGES = 40, 150
Pair = tuple[int, int]


def graph_of(num_edges: int = EDGES, *, features: bool = True, directed: bool = False) -> Graph:
    """Random edges, and random binary features."""
    drawn = nx.gnm_random_graph(NODES, num_edges, seed=0, directed=directed)
    table = (np.random.default_rng(0).random((NODES, 12)) < 0.3).astype(np.float32)
    return Graph.from_pairs(
        "random",
        np.array(sorted(drawn.edges())).T,
        node_id=np.arange(NODES),
        features=table if features else None,
        directed=directed,
    )


def task_of(graph: Graph, split: EdgeSplit, *, normalisation: str = "symmetric", seed: int = 0) -> HybridTask:
    task = LinkTask.build(graph, split, normalisation=normalisation, device=torch.device("cpu"))
    return HybridTask.of(task, graph, split, normalisation=normalisation, generator=stream(seed, "folds"))


def split_of(graph: Graph, seed: int = 0) -> EdgeSplit:
    return split_edges(graph, generator=stream(seed, "split"))


def as_set(*parts: Tensor) -> set[Pair]:
    return {(u, v) for part in parts for u, v in part.T.tolist()}


def dense_adjacency(edges: set[Pair], normalisation: str) -> NDArray[np.float64]:
    """A + I normalised, for undirected message passing."""
    adjacency: NDArray[np.float64] = np.eye(NODES)
    for u, v in edges:
        adjacency[u, v] = adjacency[v, u] = 1
    degree = adjacency.sum(1)
    if normalisation == "row":
        return np.asarray(adjacency / degree[:, None])
    root = degree**-0.5
    return np.asarray(root[:, None] * adjacency * root)


def rest_of(task: HybridTask, fold: Fold) -> set[Pair]:
    return as_set(*(other.positive for other in task.folds if other is not fold))


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("num_edges", [EDGES, 152])
def test_folds_are_ten_parts_of_the_training_edges_of_nearly_one_size(num_edges: int, directed: bool) -> None:
    graph = graph_of(num_edges, directed=directed)
    split = split_of(graph)
    folds = task_of(graph, split).folds
    sizes = [fold.positive.shape[1] for fold in folds]
    assert len(folds) == 10
    assert sum(sizes) == split.train_edge_index.shape[1]
    assert max(sizes) - min(sizes) <= 1
    assert as_set(*(fold.positive for fold in folds)) == as_set(split.train_edge_index)


def test_the_parts_are_random_and_follow_from_the_generator() -> None:
    graph = graph_of()
    split = split_of(graph)
    first, again, other = (task_of(graph, split, seed=seed).folds for seed in (3, 3, 4))
    for left, right in zip(first, again, strict=True):
        assert torch.equal(left.positive, right.positive)
        assert torch.equal(left.pool, right.pool)
    assert as_set(first[0].positive) != as_set(other[0].positive)
    # The edges are in lexicographic order: a fold has them from all over it, not from one end or every tenth
    place = {pair: number for number, pair in enumerate(map(tuple, split.train_edge_index.T.tolist()))}
    gaps = {int(gap) for fold in first for gap in np.diff(sorted(place[pair] for pair in as_set(fold.positive)))}
    assert len(gaps) > 5


@pytest.mark.parametrize("train", [1, 2, 7])
def test_fewer_edges_than_ten_have_a_fold_each(train: int) -> None:
    graph = graph_of()
    whole = split_of(graph)
    split = dataclasses.replace(whole, train_edge_index=whole.train_edge_index[:, :train])
    task = task_of(graph, split)
    assert [fold.positive.shape[1] for fold in task.folds] == [1] * train
    assert as_set(*(fold.positive for fold in task.folds)) == as_set(split.train_edge_index)
    for fold in task.folds:
        scored = fold.draw(generator=stream(0, "train"))
        assert scored.features.shape == (5, task.num_pair_features)


@pytest.mark.parametrize("normalisation", ["row", "symmetric"])
@pytest.mark.parametrize("directed", [False, True])
def test_the_graph_of_a_fold_has_exactly_the_edges_of_the_others(normalisation: str, directed: bool) -> None:
    graph = graph_of(directed=directed)
    task = task_of(graph, split_of(graph), normalisation=normalisation)
    for fold in task.folds:
        rest = rest_of(task, fold)
        assert not rest & as_set(fold.positive)
        found = fold.adjacency.matrix.to_dense().numpy()
        np.testing.assert_allclose(found, dense_adjacency(rest, normalisation), atol=1e-6)
        np.testing.assert_allclose(transpose_of(fold.adjacency).numpy(), found.T)


@pytest.mark.parametrize("directed", [False, True])
def test_degrees_that_the_encoder_sees_do_not_count_the_edges_of_the_fold(directed: bool) -> None:
    graph = graph_of(features=False, directed=directed)
    split, device = split_of(graph), torch.device("cpu")
    plain = LinkTask.build(graph, split, normalisation="row", device=device, inputs="degree")
    generator = stream(0, "folds")
    task = HybridTask.of(plain, graph, split, normalisation="row", inputs="degree", generator=generator)
    changed = 0
    for fold in task.folds:
        rest = rest_of(task, fold)
        counts = [[sum(edge[end] == node for edge in rest) for node in range(NODES)] for end in (0, 1)]
        degrees = counts if directed else [[out + into for out, into in zip(*counts, strict=True)]]
        classes = np.array([[(1 + degree).bit_length() - 1 for degree in each] for each in degrees])
        seen = fold.features.matrix.to_dense().numpy()
        assert seen.shape == plain.features.shape
        half = seen.shape[1] // 2 if directed else seen.shape[1]
        for each, block in zip(classes, (seen[:, :half], seen[:, half:]), strict=False):
            assert block.argmax(1).tolist() == each.tolist()
        changed += int((seen != plain.features.matrix.to_dense().numpy()).any())
    assert changed == len(task.folds)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("features", [True, False])
def test_features_of_scored_pairs_are_those_of_the_graph_of_the_other_folds(
    features: bool, directed: bool
) -> None:
    graph = graph_of(features=features, directed=directed)
    task = task_of(graph, split_of(graph))
    assert task.num_pair_features == (9 if features else 4)
    for fold in task.folds:
        rest = torch.tensor(sorted(rest_of(task, fold))).mT
        afresh = PairFeatures(TrainingGraph.from_edges(rest, NODES, graph.features))
        assert np.array_equal(fold.positive_features.numpy(), afresh.of(fold.positive))
        assert np.array_equal(fold.pool_features.numpy(), afresh.of(fold.pool))


@pytest.mark.parametrize("directed", [False, True])
def test_pools_are_other_pairs_than_training_edges_and_hold_out_nothing(directed: bool) -> None:
    """What is held out is unknown to training, and comes as often as any other pair."""
    graph = graph_of(directed=directed)
    split = split_of(graph)
    folds = task_of(graph, split).folds
    train = as_set(split.train_edge_index)
    for fold in folds:
        assert not as_set(fold.pool) & train
        assert fold.pool.shape[1] == 20 * fold.positive.shape[1]
        u, v = fold.pool
        assert bool((u != v).all() if directed else (u < v).all())
    held_out = as_set(split.val_edge_index, split.test_edge_index)
    drawn = [pair for fold in folds for pair in map(tuple, fold.pool.T.tolist())]
    every = NODES * (NODES - 1) // (1 if directed else 2) - len(train)
    share = len(held_out) / every
    found = sum(pair in held_out for pair in drawn)
    assert abs(found - share * len(drawn)) < 4 * math.sqrt(len(drawn) * share)


def test_no_held_out_edge_is_in_any_fold_or_graph() -> None:
    graph = graph_of()
    split = split_of(graph)
    task = task_of(graph, split)
    held_out = torch.cat([split.val_edge_index, split.test_edge_index], dim=1)
    assert not as_set(held_out) & as_set(*(fold.positive for fold in task.folds))
    u, v = held_out
    for adjacency in [task.adjacency, *(fold.adjacency for fold in task.folds)]:
        matrix = adjacency.matrix.to_dense()
        assert matrix[u, v].count_nonzero() == matrix[v, u].count_nonzero() == 0
    inside = task.pair_features.graph.adjacency.toarray()
    assert not inside[u, v].any()
    assert inside.sum() == 2 * split.train_edge_index.shape[1]


def test_folds_do_not_depend_on_what_is_held_out() -> None:
    """Other held-out pairs, and a graph that does not have them: the same folds to the last bit."""
    graph = graph_of()
    split = split_of(graph)
    only_training = Graph("training", split.train_edge_index, graph.node_id, graph.features)
    other = dataclasses.replace(
        split,
        val_edge_index=split.test_neg_edge_index,
        val_neg_edge_index=split.test_edge_index,
        test_edge_index=split.val_neg_edge_index[:, :1],
        test_neg_edge_index=split.val_edge_index[:, :1],
    )
    left, right = task_of(graph, split).folds, task_of(only_training, other).folds
    for one, two in zip(left, right, strict=True):
        for part, same in zip(one[2:], two[2:], strict=True):
            assert isinstance(part, Tensor)
            assert torch.equal(part, same)
        assert torch.equal(one.adjacency.matrix.to_dense(), two.adjacency.matrix.to_dense())


def test_a_draw_is_the_edges_of_the_fold_and_four_times_as_many_of_its_pool() -> None:
    graph = graph_of()
    fold = task_of(graph, split_of(graph)).folds[0]
    size = fold.positive.shape[1]
    generator = stream(0, "train")
    draws = [fold.draw(generator=generator) for _ in range(60)]
    features_of_pool: dict[Pair, list[float]] = dict(
        zip(map(tuple, fold.pool.T.tolist()), fold.pool_features.tolist(), strict=True)
    )
    for scored in draws:
        assert torch.equal(scored.positive, fold.positive)
        assert torch.equal(scored.features[:size], fold.positive_features)
        assert scored.negative.shape == (2, 4 * size)
        for pair, row in zip(scored.negative.T.tolist(), scored.features[size:].tolist(), strict=True):
            assert features_of_pool[tuple(pair)] == row
    assert as_set(*(scored.negative for scored in draws)) == as_set(fold.pool)  # all of it, in time
    assert torch.equal(
        fold.draw(generator=stream(5, "train")).negative, fold.draw(generator=stream(5, "train")).negative
    )
    assert not torch.equal(draws[0].negative, draws[1].negative)


def test_features_of_any_pairs_are_those_of_the_whole_training_graph() -> None:
    graph = graph_of()
    split = split_of(graph)
    task = task_of(graph, split)
    whole = PairFeatures(TrainingGraph.from_edges(split.train_edge_index, NODES, graph.features))
    others = task.negatives.sample(50, generator=stream(0, "others"))
    swapped = task.test[0].flip(0)
    for pairs in (*task.val, *task.test, others, swapped, task.test[0][:, 2:5], task.test[0].clone()):
        assert np.array_equal(task.features_of(pairs).numpy(), whole.of(pairs))


def test_features_of_what_is_scored_every_epoch_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of()
    task = task_of(graph, split_of(graph))
    calls: list[Tensor] = []
    real = PairFeatures.of

    def counted(self: PairFeatures, pairs: Tensor) -> NDArray[np.float32]:
        calls.append(pairs)
        return real(self, pairs)

    monkeypatch.setattr(PairFeatures, "of", counted)
    for pairs in (*task.val, *task.test):
        task.features_of(pairs)
    assert not calls
    task.features_of(task.val[0].clone())
    assert len(calls) == 1


def test_everything_else_is_the_task_that_it_was_made_from() -> None:
    graph = graph_of()
    split = split_of(graph)
    plain = LinkTask.build(graph, split, normalisation="row", device=torch.device("cpu"), hits_at=7)
    task = HybridTask.of(plain, graph, split, normalisation="row", generator=stream(0, "folds"))
    for field in dataclasses.fields(LinkTask):
        assert getattr(task, field.name) is getattr(plain, field.name)
