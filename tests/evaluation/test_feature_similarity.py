import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize

from hypgraph.evaluation import TrainingGraph, cosine_features, cosine_propagated_features, feature_similarity
from hypgraph.evaluation.node_pairs import blocks
from hypgraph.exceptions import DataError

from .graphs import all_pairs, edges_of, random_graphs


def random_features(num_nodes: int, *, binary: bool, seed: int) -> np.ndarray:
    """Mostly zero; row 0 and column 0 are all zero."""
    rng = np.random.default_rng(seed)
    features = (rng.random((num_nodes, 6)) < 0.3).astype(np.float32)
    if not binary:
        features *= rng.normal(size=features.shape).astype(np.float32)
    features[0] = features[:, 0] = 0.0
    return features


def dense_propagated_cosine(graph: nx.Graph, features: np.ndarray, *, binary: bool) -> np.ndarray:
    features = features.astype(np.float64)
    if binary:
        document_frequency = np.maximum((features > 0).sum(0), 1)  # a word that nobody uses is zero all the same
        features = normalize(features * np.log(len(graph) / document_frequency))
    loops = nx.to_numpy_array(graph, nodelist=range(len(graph)), weight=None) + np.eye(len(graph))
    root = np.diag(loops.sum(1) ** -0.5)
    return cosine_similarity(root @ loops @ root @ features)


@given(st.integers(2, 20), st.booleans(), st.integers(0, 2**16))
def test_cosine_of_features_is_scikit_learns(num_nodes, binary, seed):
    features = random_features(num_nodes, binary=binary, seed=seed)
    u, v = pairs = all_pairs(num_nodes)
    scores = cosine_features(TrainingGraph.from_edges(np.empty((2, 0), dtype=int), num_nodes, features), pairs)
    np.testing.assert_allclose(scores, cosine_similarity(features.astype(np.float64))[u, v], atol=1e-12)


@given(random_graphs(), st.booleans(), st.integers(0, 2**16))
def test_cosine_of_propagated_features_is_the_dense_formula(graph, binary, seed):
    features = random_features(len(graph), binary=binary, seed=seed)
    # A draw of nothing but zeros is binary, whatever it was meant to be; both readings score it 0.
    u, v = pairs = all_pairs(len(graph))
    scores = cosine_propagated_features(TrainingGraph.from_edges(edges_of(graph), len(graph), features), pairs)
    expected = dense_propagated_cosine(graph, features, binary=binary)[u, v]
    np.testing.assert_allclose(scores, expected, atol=1e-12)


@pytest.mark.parametrize("score", [cosine_features, cosine_propagated_features])
def test_nodes_without_features_score_zero(score):
    graph = TrainingGraph.from_edges([[1], [2]], 4, [[0.0, 0.0], [1.0, 2.0], [2.0, 1.0], [1.0, 1.0]])
    np.testing.assert_array_equal(score(graph, [[0, 0, 0], [1, 2, 3]]), np.zeros(3))


@pytest.mark.parametrize("score", [cosine_features, cosine_propagated_features])
def test_features_of_zeros_or_of_no_columns_score_zero(score):
    for features in (np.zeros((4, 3)), np.zeros((4, 0)), csr_array((4, 3))):
        graph = TrainingGraph.from_edges([[0], [1]], 4, features)
        np.testing.assert_array_equal(score(graph, all_pairs(4)), np.zeros(6))


@pytest.mark.parametrize("score", [cosine_features, cosine_propagated_features])
def test_dense_sparse_and_tensor_features_score_alike(score):
    features = random_features(34, binary=True, seed=3)
    edges = edges_of(nx.karate_club_graph())
    padded = csr_array(features)
    padded.data[0] = 0.0  # an explicit zero must not hide that the features are binary
    dense = padded.toarray()
    expected = score(TrainingGraph.from_edges(edges, 34, dense), all_pairs(34))
    for same in (padded, torch.from_numpy(dense), torch.from_numpy(dense).to_sparse(), dense.astype(bool)):
        scores = score(
            TrainingGraph.from_edges(torch.from_numpy(edges), 34, same), torch.from_numpy(all_pairs(34))
        )
        np.testing.assert_array_equal(scores, expected)


def test_building_the_graph_leaves_the_callers_features_alone():
    features = csr_array(random_features(5, binary=False, seed=0))
    features.data[0] = 0.0
    before = features.copy()
    graph = TrainingGraph.from_edges([[0], [1]], 5, features)
    cosine_features(graph, all_pairs(5))
    cosine_propagated_features(graph, all_pairs(5))
    np.testing.assert_array_equal(features.data, before.data)
    np.testing.assert_array_equal(features.indices, before.indices)


def test_propagated_scores_do_not_depend_on_the_blocks(monkeypatch):
    graph = TrainingGraph.from_edges(
        edges_of(nx.karate_club_graph()), 34, random_features(34, binary=True, seed=1)
    )
    whole = cosine_propagated_features(graph, all_pairs(34))
    monkeypatch.setattr(feature_similarity, "blocks", lambda length: blocks(length, 7))
    np.testing.assert_allclose(cosine_propagated_features(graph, all_pairs(34)), whole, rtol=1e-12)


def test_propagation_follows_training_edges_only():
    one_hot = np.eye(4)
    without = TrainingGraph.from_edges([[0], [1]], 4, one_hot)
    assert cosine_propagated_features(without, [[2], [3]]) == 0.0
    joined = TrainingGraph.from_edges([[0, 2], [1, 3]], 4, one_hot)
    assert cosine_propagated_features(joined, [[2], [3]]) == pytest.approx(1.0)


@pytest.mark.parametrize("score", [cosine_features, cosine_propagated_features])
def test_a_graph_without_features_is_an_error(score):
    with pytest.raises(DataError, match=r"^features: none were given"):
        score(TrainingGraph.from_edges([[0], [1]], 2), [[0], [1]])


@pytest.mark.parametrize(
    ("features", "message"),
    [(np.ones((3, 2)), "have shape"), ([[float("nan")], [1.0]], "NaN"), ([[float("inf")], [1.0]], "NaN")],
)
def test_features_that_do_not_fit_or_are_not_finite_are_an_error(features, message):
    with pytest.raises(DataError, match=f"^features: .*{message}"):
        TrainingGraph.from_edges([[0], [1]], 2, features)
