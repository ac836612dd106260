"""Features of pairs against the dense formulas, node by node, and the truncated PageRank against its limit."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hypgraph.evaluation import TrainingGraph, personalised_pagerank
from hypgraph.evaluation import pair_features as module
from hypgraph.evaluation.pair_features import PairFeatures, truncated_pagerank
from hypgraph.exceptions import ConfigError, DataError

from .graphs import all_pairs, edges_of, random_graphs

Array = NDArray[np.float64]
KINDS = ("none", "binary", "real")


def random_features(num_nodes: int, kind: str, seed: int = 0) -> Array | None:
    """Half zero, one node with nothing; real ones of both signs, with rows of different lengths."""
    if kind == "none":
        return None
    rng = np.random.default_rng(seed)
    features = (rng.random((num_nodes, 7)) < 0.5).astype(np.float64)
    if kind == "real":
        features *= rng.normal(size=features.shape) * np.exp(rng.normal(size=(num_nodes, 1)))
    features[0] = 0.0
    return features


def dense(graph: nx.Graph) -> Array:
    adjacency: Array = nx.to_numpy_array(graph, nodelist=range(len(graph)), weight=None)
    return adjacency


def cosine(a: Array, b: Array) -> float:
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / lengths) if lengths > 1e-9 else 0.0


def by_definition(adjacency: Array, features: Array | None, u: int, v: int) -> list[float]:
    """The nine numbers of one pair, or the four without features, from dense matrices."""
    n = len(adjacency)
    degree = adjacency.sum(1)
    walk = adjacency / np.maximum(degree, 1)[:, None]
    pagerank = sum(0.15 * 0.85**length * np.linalg.matrix_power(walk, length) for length in range(9))
    common = [z for z in range(n) if adjacency[u, z] and adjacency[v, z]]
    log_u, log_v = np.log(1 + degree[u]), np.log(1 + degree[v])
    walks = [np.log(1e-6 + pagerank[u, v] + pagerank[v, u])]
    degrees = [log_u + log_v, abs(log_u - log_v)]
    shared = [np.log(0.01 + sum(1 / degree[z] for z in common))]
    if features is None:
        return walks + degrees + shared
    x = features.copy()
    if set(np.unique(x)) <= {0.0, 1.0}:
        x = x * np.log(n / np.maximum(x.sum(0), 1))
        x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    loops = adjacency + np.eye(n)
    root = np.diag(loops.sum(1) ** -0.5)
    hop = root @ loops @ root
    ax, aax = hop @ x, hop @ hop @ x

    def best(i: int, j: int) -> float:
        return max((cosine(x[i], x[k]) for k in range(n) if adjacency[j, k] and k != i), default=0.0)

    cosines = [cosine(x[u], x[v]), cosine(ax[u], ax[v]), cosine(aax[u], aax[v])]
    cross = [(cosine(x[u], ax[v]) + cosine(x[v], ax[u])) / 2, (best(u, v) + best(v, u)) / 2]
    return walks + cosines + degrees + cross + shared


def expected_of(graph: nx.Graph, features: Array | None, pairs: NDArray[np.int64]) -> Array:
    adjacency = dense(graph)
    return np.array([by_definition(adjacency, features, u, v) for u, v in pairs.T])


def training_graph(graph: nx.Graph, features: Array | None) -> TrainingGraph:
    return TrainingGraph.from_edges(edges_of(graph), len(graph), features)


@settings(max_examples=60, deadline=None)
@given(random_graphs(), st.sampled_from(KINDS), st.integers(0, 2**16))
def test_every_column_of_every_pair_is_its_dense_formula(graph: nx.Graph, kind: str, seed: int) -> None:
    features = random_features(len(graph), kind, seed)
    pairs = all_pairs(len(graph))
    of_pairs = PairFeatures(training_graph(graph, features)).of(pairs)
    assert of_pairs.dtype == np.float32
    np.testing.assert_allclose(of_pairs, expected_of(graph, features, pairs), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("way", ["pair by pair", "in blocks"])
@pytest.mark.parametrize("kind", KINDS)
def test_large_graphs_go_another_way_to_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch, kind: str, way: str
) -> None:
    monkeypatch.setattr(module, "COSINES_MOST_NODES", 0 if way == "pair by pair" else 1000)
    monkeypatch.setattr(module, "SOURCES_A_BLOCK", 5)
    monkeypatch.setattr(module, "DENSE_PAIRS_A_BLOCK", 11)
    monkeypatch.setattr(module, "DENSE_SIZE", 3 * 36)
    monkeypatch.setattr(module, "COMPARISONS_A_BLOCK", 13)
    graph = nx.karate_club_graph()
    graph.add_nodes_from([34, 35])
    features = random_features(36, kind)
    pairs = all_pairs(36)
    np.testing.assert_allclose(
        PairFeatures(training_graph(graph, features)).of(pairs),
        expected_of(graph, features, pairs),
        rtol=2e-5,
        atol=2e-6,
    )


def test_the_columns_are_named_in_order() -> None:
    graph = nx.karate_club_graph()
    without = PairFeatures(training_graph(graph, None))
    names = ("log_pagerank", "sum_log_degree", "difference_log_degree", "log_resource_allocation")
    assert without.names == names
    full = PairFeatures(training_graph(graph, random_features(34, "binary")))
    assert len(full.names) == 9
    pairs = all_pairs(34)
    chosen = [full.names.index(name) for name in names]
    assert chosen == [0, 4, 5, 8]
    np.testing.assert_array_equal(full.of(pairs)[:, chosen], without.of(pairs))


@pytest.mark.parametrize("kind", KINDS)
def test_either_order_of_a_pair_and_any_company_give_the_same_bytes(kind: str) -> None:
    graph = nx.karate_club_graph()
    features = PairFeatures(training_graph(graph, random_features(34, kind)))
    pairs = all_pairs(34)
    whole = features.of(pairs)
    assert features.of(pairs[::-1]).tobytes() == whole.tobytes()
    assert features.of(pairs[:, 100:103]).tobytes() == whole[100:103].tobytes()
    repeated = features.of(np.hstack([pairs[:, 7:8]] * 3))
    assert repeated.tobytes() == np.vstack([whole[7:8]] * 3).tobytes()


@settings(max_examples=20, deadline=None)
@given(random_graphs(), st.sampled_from(KINDS), st.integers(0, 2**16))
def test_renaming_the_nodes_changes_nothing(graph: nx.Graph, kind: str, seed: int) -> None:
    features = random_features(len(graph), kind, seed)
    pairs = all_pairs(len(graph))
    new = np.random.default_rng(seed).permutation(len(graph))
    moved = None if features is None else features[np.argsort(new)]
    renamed = TrainingGraph.from_edges(new[edges_of(graph)], len(graph), moved)
    np.testing.assert_allclose(
        PairFeatures(renamed).of(new[pairs]),
        PairFeatures(training_graph(graph, features)).of(pairs),
        rtol=2e-5,
        atol=2e-6,
    )


@pytest.mark.parametrize("restart", [0.15, 0.3, 0.6])
@pytest.mark.parametrize(
    "graph",
    [nx.karate_club_graph(), nx.star_graph(200), nx.path_graph(20), nx.complete_bipartite_graph(3, 30)],
    ids=["karate", "star", "path", "bipartite"],
)
def test_pagerank_of_many_steps_is_personalised_pagerank(graph: nx.Graph, restart: float) -> None:
    training = training_graph(graph, None)
    pairs = all_pairs(len(graph))
    many = truncated_pagerank(training, pairs, restart=restart, steps=200)
    limit = personalised_pagerank(training, pairs, restart=restart)
    np.testing.assert_allclose(many, limit, rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize("steps", [4, 5, 8])
def test_pagerank_ends_after_its_steps(steps: int) -> None:
    """On a path of equal inner degrees the longest walk that counts is straight: α (1 − α)^n / 2^n each way."""
    path = training_graph(nx.path_graph(40), None)
    near, far = truncated_pagerank(path, [[10, 10], [10 + steps, 11 + steps]], steps=steps)
    assert near == pytest.approx(2 * 0.15 * 0.85**steps / 2**steps, rel=1e-5)
    assert far == 0.0


def test_small_pageranks_keep_their_digits() -> None:
    star_of_stars = nx.full_rary_tree(30, 931)
    training = training_graph(star_of_stars, None)
    leaves = np.array([[931 - 1], [31]])
    walk = dense(star_of_stars) / dense(star_of_stars).sum(1, keepdims=True)
    row = np.eye(931)[930]
    score, weight = 0.0, 0.15
    for _ in range(9):
        score += weight * row[31]
        row, weight = row @ walk, weight * 0.85
    assert 0 < score < 1e-4
    assert truncated_pagerank(training, leaves)[0] == pytest.approx(2 * score, rel=1e-5)


def test_a_node_and_itself_are_a_pair_like_any_other() -> None:
    graph = nx.path_graph(5)
    graph.add_node(5)
    features = random_features(6, "real", 1)
    pairs = np.array([[2, 5], [2, 5]])
    np.testing.assert_allclose(
        PairFeatures(training_graph(graph, features)).of(pairs), expected_of(graph, features, pairs), rtol=2e-5
    )


def test_a_training_edge_is_not_its_own_best_neighbour() -> None:
    """Two nodes with nothing but each other: a neighbour's cosine would be 1 if the end itself counted."""
    graph = TrainingGraph.from_edges([[0], [1]], 3, [[1.0, 2.0], [2.0, 1.0], [0.0, 1.0]])
    features = PairFeatures(graph)
    assert features.of([[0], [1]])[0, features.names.index("best_neighbour_cosine")] == 0.0


def test_the_best_neighbour_may_point_away() -> None:
    graph = TrainingGraph.from_edges([[1], [2]], 3, [[1.0], [0.0], [-2.0]])
    features = PairFeatures(graph)
    assert features.of([[0], [1]])[0, features.names.index("best_neighbour_cosine")] == -0.5


def test_other_edges_of_the_same_nodes_share_what_features_say_and_nothing_of_the_edges() -> None:
    graph = nx.karate_club_graph()
    features = random_features(34, "binary")
    fold = graph.copy()
    fold.remove_edges_from([(0, 1), (2, 3), (32, 33)])
    pairs = all_pairs(34)
    whole = PairFeatures(training_graph(graph, features))
    before = whole.of(pairs)
    anew = PairFeatures(training_graph(fold, features)).of(pairs)
    for given_features in (None, features):
        shared = whole.on(training_graph(fold, given_features))
        assert shared.names == whole.names
        assert shared.of(pairs).tobytes() == anew.tobytes()
    assert whole.of(pairs).tobytes() == before.tobytes()
    assert not np.array_equal(anew, before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_without_edges_has_finite_features(kind: str) -> None:
    features = random_features(6, kind)
    training = TrainingGraph.from_edges(np.empty((2, 0), dtype=int), 6, features)
    of_pairs = PairFeatures(training).of(all_pairs(6))
    expected = expected_of(nx.empty_graph(6), features, all_pairs(6))
    np.testing.assert_allclose(of_pairs, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_nodes", [0, 5])
def test_no_pairs_are_no_rows(kind: str, num_nodes: int) -> None:
    features = None if kind == "none" else np.ones((num_nodes, 3))
    training = TrainingGraph.from_edges(np.empty((2, 0), dtype=int), num_nodes, features)
    pairs = PairFeatures(training)
    assert pairs.of(np.empty((2, 0), dtype=int)).shape == (0, len(pairs.names))


@pytest.mark.parametrize("columns", [0, 3])
def test_features_of_zeros_and_of_no_columns_compare_as_zero(columns: int) -> None:
    training = TrainingGraph.from_edges([[0, 1], [1, 2]], 4, np.zeros((4, columns)))
    pairs = PairFeatures(training)
    cosines = [column for column, name in enumerate(pairs.names) if "cosine" in name]
    assert len(cosines) == 5
    np.testing.assert_array_equal(pairs.of(all_pairs(4))[:, cosines], 0.0)


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1e30, 1e200])
def test_the_size_of_real_features_does_not_matter(size: float) -> None:
    graph = nx.karate_club_graph()
    features = random_features(34, "real")
    assert features is not None
    pairs = all_pairs(34)
    np.testing.assert_allclose(
        PairFeatures(training_graph(graph, size * features)).of(pairs),
        PairFeatures(training_graph(graph, features)).of(pairs),
        rtol=2e-5,
        atol=2e-6,
    )


def test_the_graph_that_was_given_stays_as_it_is() -> None:
    training = training_graph(nx.karate_club_graph(), random_features(34, "real"))
    assert training.features is not None
    before = [matrix.copy() for matrix in (training.adjacency, training.features)]
    PairFeatures(training).of(all_pairs(34))
    for matrix, copy in zip((training.adjacency, training.features), before, strict=True):
        for part in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(matrix, part), getattr(copy, part))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (TrainingGraph.from_edges([[0], [1]], 4), "has 4 nodes"),
        (TrainingGraph.from_edges([[0], [1]], 3, np.eye(3)[::-1]), "features are not those"),
        (TrainingGraph.from_edges([[0], [1]], 3, 2 * np.eye(3)), "features are not those"),
        (TrainingGraph.from_edges([[0], [1]], 3, np.ones((3, 3))), "features are not those"),
    ],
    ids=["nodes", "places", "values", "more"],
)
def test_edges_of_other_nodes_are_refused_in_one_line(other: TrainingGraph, message: str) -> None:
    features = PairFeatures(TrainingGraph.from_edges([[0], [1]], 3, csr_array(np.eye(3))))
    with pytest.raises(DataError, match=f"^graph: .*{message}") as refused:
        features.on(other)
    assert "\n" not in str(refused.value)


def test_features_where_there_were_none_are_refused() -> None:
    features = PairFeatures(TrainingGraph.from_edges([[0], [1]], 3))
    with pytest.raises(DataError, match=r"^graph: its features are not those"):
        features.on(TrainingGraph.from_edges([[0], [1]], 3, np.eye(3)))


def test_unknown_nodes_and_settings_out_of_range_are_refused() -> None:
    training = TrainingGraph.from_edges([[0], [1]], 3)
    with pytest.raises(DataError, match=r"^pairs: holds nodes"):
        PairFeatures(training).of([[0], [3]])
    with pytest.raises(ConfigError, match=r"^restart: 1.0 is not strictly between 0 and 1"):
        truncated_pagerank(training, [[0], [1]], restart=1.0)
    with pytest.raises(ConfigError, match=r"^steps: 3 is too few"):
        truncated_pagerank(training, [[0], [1]], steps=3)
