import sys

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.metrics.pairwise import cosine_similarity

from hypgraph.data.pairs import NonEdgeSampler
from hypgraph.evaluation import TrainingGraph, common_neighbours
from hypgraph.evaluation.hard_negatives import heart_negatives
from hypgraph.exceptions import ConfigError, DataError

from .graphs import edges_of

# The package may export a function of the module's name.
module = sys.modules[heart_negatives.__module__]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def split(graph: nx.Graph, held_out: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training edges, and positives in either direction."""
    rng = np.random.default_rng(seed)
    edges = edges_of(graph)[:, rng.permutation(graph.number_of_edges())]
    positives = edges[:, :held_out].copy()
    flip = rng.random(held_out) < 0.5
    positives[:, flip] = positives[::-1, flip]
    return edges[:, held_out:], positives


def combined_ranks(
    size: int, train: np.ndarray, everything: np.ndarray, node: int, features: np.ndarray | None
) -> np.ndarray:
    """Mean rank of every candidate at ``node`` as HeaRT's recipe reads, infinite for what is no candidate."""
    graph = nx.Graph(train.T.tolist())
    graph.add_nodes_from(range(size))
    known = nx.Graph(everything.T.tolist())
    known.add_nodes_from(range(size))
    walk = nx.pagerank(graph, alpha=0.85, personalization={node: 1.0}, tol=1e-14, max_iter=3000)
    heuristics = [
        [sum(1 / graph.degree[w] for w in set(graph[node]) & set(graph[v])) for v in range(size)],
        [walk[v] if nx.has_path(graph, node, v) else 0.0 for v in range(size)],
    ]
    if features is not None:
        heuristics.append(cosine_similarity(features)[node].tolist())
    candidates = [v for v in range(size) if v != node and not known.has_edge(node, v)]
    ranks = []
    for scores in heuristics:
        row = np.array(scores)[candidates].round(11)
        rank = np.zeros(len(row))
        if (row > 0).any():
            ascending = rankdata(row[row > 0], method="min")
            rank[row > 0] = ascending.max() - ascending + 1
        rank[row <= 0] = rank.max(initial=0) + 1
        ranks.append(rank)
    mean = np.full(size, np.inf)
    mean[candidates] = np.mean(ranks, axis=0)
    return mean


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**16), st.sampled_from([0.1, 0.2, 0.4]), st.booleans(), st.integers(1, 8))
def test_negatives_are_the_hardest_by_brute_force(seed, density, with_features, count):
    size = 24
    graph = nx.gnp_random_graph(size, density, seed=seed)
    train, positives = split(graph, held_out=min(5, graph.number_of_edges()), seed=seed)
    rng = np.random.default_rng(seed)
    features = rng.integers(-1, 2, size=(size, 4)).astype(float) if with_features else None
    training = TrainingGraph.from_edges(train, size, features)
    negatives = heart_negatives(training, positives, edges_of(graph), count=count, generator=seeded(seed))
    assert negatives.shape == (2, positives.shape[1], count)
    for (a, b), pairs in zip(positives.T, negatives.numpy().transpose(1, 2, 0), strict=True):
        half = count - count // 2
        assert (pairs[:half, 0] == a).all()
        assert (pairs[half:, 1] == b).all()
        for node, chosen in ((a, pairs[:half, 1]), (b, pairs[half:, 0])):
            ranks = combined_ranks(size, train, edges_of(graph), node, features)
            differences = ranks[chosen] - np.sort(ranks)[: len(chosen)]
            # Ties may fall either way, so ranks are compared and not nodes.
            np.testing.assert_allclose(differences, 0.0, atol=1e-12)


def cora_like(seed: int = 0) -> nx.Graph:
    return nx.connected_watts_strogatz_graph(300, 6, 0.1, seed=seed)


@pytest.mark.parametrize("count", [1, 7, 20])
def test_negatives_are_distinct_non_edges_that_share_an_end(count):
    graph = cora_like()
    train, positives = split(graph, held_out=80, seed=0)
    training = TrainingGraph.from_edges(train, 300)
    negatives = heart_negatives(training, positives, edges_of(graph), count=count, generator=seeded())
    assert negatives.dtype == torch.int64
    for index, (a, b) in enumerate(positives.T.tolist()):
        pairs = [tuple(pair) for pair in negatives[:, index].T.tolist()]
        assert len({frozenset(pair) for pair in pairs}) == count
        assert all(u != v and not graph.has_edge(u, v) for u, v in pairs)
        assert sum(u == a for u, _ in pairs) >= count - count // 2
        assert all(u == a or v == b for u, v in pairs)


def test_negatives_have_far_more_common_neighbours_than_random_non_edges():
    graph = cora_like()
    train, positives = split(graph, held_out=80, seed=0)
    training = TrainingGraph.from_edges(train, 300)
    hard = heart_negatives(training, positives, edges_of(graph), count=10, generator=seeded()).flatten(1)
    sampler = NonEdgeSampler(torch.from_numpy(np.sort(edges_of(graph), axis=0)), num_nodes=300)
    random = sampler.sample(hard.shape[1], generator=seeded())
    assert common_neighbours(training, hard).mean() > 10 * common_neighbours(training, random).mean()


def test_features_decide_where_the_graph_does_not():
    # Node 0 is joined to 1 in the positive alone; by features it resembles 5, and 1 resembles 6.
    features = np.zeros((8, 4))
    features[[0, 5], 0] = features[[1, 6], 1] = features[[2, 3, 4, 7], 2] = 1.0
    train = np.array([[2, 3], [3, 4]])
    training = TrainingGraph.from_edges(train, 8, features)
    negatives = heart_negatives(training, [[0], [1]], train, count=2, generator=seeded())
    assert negatives[:, 0].T.tolist() == [[0, 5], [6, 1]]


def test_held_out_edges_are_no_negatives_but_lend_no_score():
    # Without the held-out edge (0, 3) node 3 is like any other; with it, it would share the neighbour 2.
    train, held_out = np.array([[0, 1], [1, 2]]), np.array([[0, 2], [4, 3]])
    training = TrainingGraph.from_edges(train, 40)
    everything = np.concatenate([train, held_out], axis=1)
    runs = [
        heart_negatives(training, held_out[:, :1], everything, count=6, generator=seeded(s)) for s in range(40)
    ]
    partners = [{int(v) for u, v in run[:, 0].T.tolist() if u == 0} for run in runs]
    assert all(2 in chosen and 4 not in chosen for chosen in partners)
    # The two others at node 0 are drawn from 35 without a score: 3 no more often than chance.
    assert sum(3 in chosen for chosen in partners) < 12


def test_candidates_without_a_score_are_drawn_uniformly():
    training = TrainingGraph.from_edges([[0], [1]], 12)
    drawn = np.zeros(12)
    for seed in range(400):
        negatives = heart_negatives(training, [[2], [3]], [[0], [1]], count=6, generator=seeded(seed))
        drawn += np.bincount(negatives[1, 0, :3], minlength=12)
    assert set(np.flatnonzero(drawn == 0)) == {2, 3}
    # 3 of 10 in each of 400 runs, within five standard deviations.
    assert np.abs(drawn[drawn > 0] - 120).max() < 5 * (400 * 0.3 * 0.7) ** 0.5


def test_rounding_errors_break_no_tie_of_symmetric_candidates():
    # 7 and 8 have the same neighbours in 0's neighbourhood but for their order, in which 1/degree is summed.
    edges = [(0, w) for w in range(1, 7)] + [(7, 1), (7, 2), (7, 3), (8, 4), (8, 5), (8, 6)]
    degree, leaf = {1: 3, 2: 3, 3: 4, 4: 4, 5: 3, 6: 3}, 10
    assert 1 / degree[1] + 1 / degree[2] + 1 / degree[3] != 1 / degree[4] + 1 / degree[5] + 1 / degree[6]
    for w, wanted in degree.items():
        edges += [(w, leaf + i) for i in range(wanted - 2)]
        leaf += wanted - 2
    train = np.array(edges).T
    training = TrainingGraph.from_edges(train, leaf)
    first = [
        heart_negatives(training, [[0], [9]], train, count=2, generator=seeded(s))[1, 0, 0].item()
        for s in range(40)
    ]
    assert set(first) == {7, 8}
    assert 8 <= first.count(7) <= 32


def test_an_end_that_is_joined_to_almost_all_leaves_its_share_to_the_other():
    star = nx.star_graph(9)
    negatives = heart_negatives(
        TrainingGraph.from_edges(edges_of(star), 10), [[0, 5], [3, 0]], edges_of(star), count=4, generator=seeded()
    )
    for (a, b), pairs in zip([(0, 3), (5, 0)], negatives.permute(1, 2, 0).tolist(), strict=True):
        leaf = max(a, b)
        assert len({frozenset(pair) for pair in pairs}) == 4
        assert all(leaf in pair and 0 not in pair for pair in pairs)
        assert all(pair[1 if b == leaf else 0] == leaf for pair in pairs)


def test_of_a_directed_graph_only_edges_of_the_same_direction_are_no_candidates():
    cycle = np.array([[0, 1, 2, 3], [1, 2, 3, 0]])
    training = TrainingGraph.from_edges(cycle, 4)
    negatives = heart_negatives(training, [[0], [1]], cycle, count=4, generator=seeded(), directed=True)
    pairs = negatives[:, 0].T.tolist()
    # From 0 to all but 0 and 1; to 1 from all but 0 and 1.
    assert {tuple(pair) for pair in pairs[:2]} == {(0, 2), (0, 3)}
    assert {tuple(pair) for pair in pairs[2:]} == {(2, 1), (3, 1)}
    with pytest.raises(DataError, match="only 2 non-edges share an end"):
        heart_negatives(training, [[0], [1]], cycle, count=4, generator=seeded())


def test_the_generator_alone_decides_and_blocks_do_not(monkeypatch):
    graph = cora_like(1)
    train, positives = split(graph, held_out=60, seed=1)
    training = TrainingGraph.from_edges(train, 300, np.random.default_rng(0).random((300, 3)))
    whole = heart_negatives(training, positives, edges_of(graph), count=40, generator=seeded())
    assert torch.equal(whole, heart_negatives(training, positives, edges_of(graph), count=40, generator=seeded()))
    monkeypatch.setattr(module, "CANDIDATES_A_BLOCK", 7 * 300)
    assert torch.equal(whole, heart_negatives(training, positives, edges_of(graph), count=40, generator=seeded()))
    bare = TrainingGraph.from_edges(train, 300)
    first, second = (
        heart_negatives(bare, positives, edges_of(graph), count=250, generator=seeded(s)) for s in (0, 1)
    )
    assert not torch.equal(first, second)


def test_edges_with_a_common_end_share_negatives_there_and_repetitions_of_edges_change_nothing():
    graph = cora_like()
    train, positives = split(graph, held_out=30, seed=2)
    training = TrainingGraph.from_edges(train, 300)
    everything = edges_of(graph)
    once = heart_negatives(training, positives, everything, count=6, generator=seeded())
    messy = np.concatenate([everything] * 128 + [everything[::-1]] * 128, axis=1)  # 256 copies: 0 in a byte
    assert torch.equal(once, heart_negatives(training, positives, messy, count=6, generator=seeded()))
    unlisted = heart_negatives(training, positives, train, count=6, generator=seeded())
    positive_pairs = {frozenset(pair) for pair in positives.T.tolist()}
    assert not positive_pairs & {frozenset(pair) for pair in unlisted.flatten(1).T.tolist()}
    a, b = positives[:, 0]
    twice = heart_negatives(training, [[a, b], [b, a]], everything, count=6, generator=seeded())
    assert torch.equal(twice[1, 0, :3], twice[0, 1, 3:])


def test_no_positives_have_no_negatives():
    training = TrainingGraph.from_edges([[0], [1]], 3)
    empty = np.empty((2, 0), dtype=np.int64)
    assert heart_negatives(training, empty, [[0], [1]], count=5, generator=seeded()).shape == (2, 0, 5)


def test_arguments_that_are_not_allowed_are_an_error():
    training = TrainingGraph.from_edges([[0], [1]], 4)
    with pytest.raises(ConfigError, match=r"^count: 0 negatives are too few"):
        heart_negatives(training, [[0], [1]], [[0], [1]], count=0, generator=seeded())
    with pytest.raises(
        DataError, match=r"^count: 5 negatives are too many for 1 edges; the first is \(0, 1\): only 4 .* no more$"
    ):
        heart_negatives(training, [[0], [1]], [[0], [1]], count=5, generator=seeded())
    with pytest.raises(DataError, match=r"^edges: 1 join a node to itself"):
        heart_negatives(training, [[2], [2]], [[0], [1]], count=1, generator=seeded())
    with pytest.raises(DataError, match=r"^edges: holds nodes 0 to 4"):
        heart_negatives(training, [[0], [4]], [[0], [1]], count=1, generator=seeded())
    with pytest.raises(DataError, match=r"^all_edges: holds nodes"):
        heart_negatives(training, [[0], [1]], [[0], [9]], count=1, generator=seeded())
