import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from hypgraph.evaluation import (
    TrainingGraph,
    common_neighbours,
    graph_similarity,
    node_pairs,
    personalised_pagerank,
)
from hypgraph.exceptions import ConfigError, DataError

from .graphs import all_pairs, edges_of, random_graphs


def dense_pagerank(graph: nx.Graph, restart: float) -> np.ndarray:
    """Scores of all pairs from a dense inverse; an isolated node's walk ends where it starts."""
    adjacency = nx.to_numpy_array(graph, nodelist=range(len(graph)))
    walk = adjacency / np.maximum(adjacency.sum(1, keepdims=True), 1.0)
    inverse = restart * np.linalg.inv(np.eye(len(graph)) - (1.0 - restart) * walk)
    u, v = all_pairs(len(graph))
    return (inverse + inverse.T)[u, v]


@given(random_graphs())
def test_common_neighbours_are_those_of_networkx(graph):
    pairs = all_pairs(len(graph))
    expected = [len(list(nx.common_neighbors(graph, u, v))) for u, v in pairs.T]
    scores = common_neighbours(TrainingGraph.from_edges(edges_of(graph), len(graph)), pairs)
    np.testing.assert_array_equal(scores, expected)


@settings(max_examples=25, deadline=None)
@given(random_graphs())
def test_pagerank_is_networkx_pagerank_in_both_directions(graph):
    pairs = all_pairs(len(graph))
    rows = [
        nx.pagerank(graph, alpha=0.85, personalization={u: 1.0}, tol=1e-13, max_iter=2000)
        for u in range(len(graph))
    ]
    expected = [rows[u][v] + rows[v][u] for u, v in pairs.T]
    scores = personalised_pagerank(TrainingGraph.from_edges(edges_of(graph), len(graph)), pairs)
    np.testing.assert_allclose(scores, expected, atol=1e-9)


@pytest.mark.parametrize("restart", [0.05, 0.15, 0.9])
@pytest.mark.parametrize(
    "graph",
    [nx.karate_club_graph(), nx.star_graph(400), nx.path_graph(60), nx.complete_bipartite_graph(3, 40)],
    ids=["karate", "star", "path", "bipartite"],
)
def test_pagerank_is_the_dense_inverse(graph, restart):
    pairs = all_pairs(len(graph))
    scores = personalised_pagerank(TrainingGraph.from_edges(edges_of(graph), len(graph)), pairs, restart=restart)
    np.testing.assert_allclose(scores, dense_pagerank(nx.Graph(graph.edges), restart), atol=1e-10)


@given(random_graphs())
def test_pagerank_is_zero_exactly_where_no_path_joins_the_pair(graph):
    u, v = pairs = all_pairs(len(graph))
    scores = personalised_pagerank(TrainingGraph.from_edges(edges_of(graph), len(graph)), pairs)
    joined = np.array([nx.has_path(graph, a, b) for a, b in zip(u, v, strict=True)])
    np.testing.assert_array_equal(scores > 0.0, joined)
    assert np.all(scores[~joined] == 0.0)


@pytest.mark.parametrize("score", [common_neighbours, personalised_pagerank])
def test_the_order_of_a_pair_and_of_the_pairs_changes_no_score(score):
    graph = TrainingGraph.from_edges(edges_of(nx.karate_club_graph()), 34)
    pairs = np.random.default_rng(0).integers(34, size=(2, 50))
    shuffled = np.random.default_rng(1).permutation(50)
    np.testing.assert_allclose(score(graph, pairs[::-1][:, shuffled]), score(graph, pairs)[shuffled], rtol=1e-9)


@pytest.mark.parametrize("score", [common_neighbours, personalised_pagerank])
def test_scores_do_not_depend_on_the_blocks(score, monkeypatch):
    graph = TrainingGraph.from_edges(edges_of(nx.karate_club_graph()), 34)
    whole = score(graph, all_pairs(34))
    monkeypatch.setattr(graph_similarity, "SOURCES_A_BLOCK", 5)
    monkeypatch.setattr(node_pairs, "PAIRS_A_BLOCK", 7)
    np.testing.assert_allclose(score(graph, all_pairs(34)), whole, rtol=1e-12)


@pytest.mark.parametrize("score", [common_neighbours, personalised_pagerank])
def test_a_graph_without_edges_scores_zero_and_no_pairs_score_nothing(score):
    graph = TrainingGraph.from_edges(np.empty((2, 0), dtype=np.int64), 5)
    np.testing.assert_array_equal(score(graph, all_pairs(5)), np.zeros(10))
    assert score(graph, np.empty((2, 0), dtype=np.int64)).shape == (0,)


@pytest.mark.parametrize("option", ["restart", "tolerance"])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, float("nan")])
def test_a_restart_or_tolerance_outside_zero_to_one_is_an_error(option, value):
    graph = TrainingGraph.from_edges([[0], [1]], 2)
    with pytest.raises(ConfigError, match=f"^{option}:"):
        personalised_pagerank(graph, [[0], [1]], **{option: value})


@pytest.mark.parametrize("pairs", [[[0], [2]], [[-1], [0]], [0, 1], [[0.0], [1.0]], [[0, 1]]])
def test_pairs_that_are_not_pairs_of_the_graph_are_an_error(pairs):
    with pytest.raises(DataError, match=r"^pairs: "):
        common_neighbours(TrainingGraph.from_edges([[0], [1]], 2), pairs)
