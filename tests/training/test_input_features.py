"""What the encoder sees of a node, for every choice and with or without features in the data."""

import numpy as np
import pytest
import torch

from hypgraph.data import Graph, load_graph
from hypgraph.exceptions import ConfigError
from hypgraph.training import input_features

NO_EDGES = torch.empty(2, 0, dtype=torch.long)
# A star of four edges, and two nodes that a single edge joins.
STAR = torch.tensor([[0, 0, 0, 0, 5], [1, 2, 3, 4, 6]])


def graph_of(features=None, *, directed=False, nodes=8):
    return Graph.from_pairs("star", STAR, node_id=list(range(nodes)), features=features, directed=directed)


def test_binary_features_are_weighted_by_inverse_document_frequency_in_rows_of_length_one():
    graph = load_graph("cora")
    features = graph.features.toarray().astype(np.float64)
    weighted = features * np.log(len(features) / np.maximum(features.sum(axis=0), 1))
    expected = weighted / np.linalg.norm(weighted, axis=1, keepdims=True)
    found = input_features(graph, NO_EDGES).toarray()
    assert found.shape == (2708, 1433)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_other_features_keep_their_proportions_and_a_node_without_any_keeps_zeros():
    graph = Graph.from_pairs("path", [[0, 1], [1, 2]], node_id=[1, 2, 3], features=[[3, -4], [0, 0], [0, 5]])
    np.testing.assert_allclose(input_features(graph, NO_EDGES).toarray(), [[0.6, -0.8], [0, 0], [0, 1]], rtol=1e-6)


@pytest.mark.parametrize("inputs", ["own", "none", "learned"])
def test_a_graph_without_features_gets_one_a_node(inputs):
    assert np.array_equal(input_features(load_graph("karate"), NO_EDGES, inputs).toarray(), np.eye(34))


def test_none_leaves_the_features_out_and_learned_stands_beside_them():
    graph = graph_of(np.full((8, 3), 2.0))
    assert np.array_equal(input_features(graph, STAR, "none").toarray(), np.eye(8))
    found = input_features(graph, STAR, "learned").toarray()
    np.testing.assert_allclose(found[:, :3], np.full((8, 3), 3**-0.5), rtol=1e-6)
    assert np.array_equal(found[:, 3:], np.eye(8))


def test_degree_is_the_class_of_the_degree_in_the_training_graph():
    # degrees 4, 1 x 4, 1, 1, 0; classes 0 | 1-2 | 3-6
    expected = np.zeros((8, 3))
    expected[[0, 1, 2, 3, 4, 5, 6, 7], [2, 1, 1, 1, 1, 1, 1, 0]] = 1
    assert np.array_equal(input_features(graph_of(), STAR, "degree").toarray(), expected)
    without_edges = input_features(graph_of(), NO_EDGES, "degree").toarray()
    assert np.array_equal(without_edges, np.ones((8, 1)))


@pytest.mark.parametrize(("degree", "column"), [(0, 0), (1, 1), (2, 1), (3, 2), (6, 2), (7, 3), (2**20 - 1, 20)])
def test_classes_of_degrees_double_in_width(degree, column):
    edges = torch.tensor([[0] * degree, [1] * degree], dtype=torch.long)
    found = input_features(graph_of(nodes=9), edges, "degree").toarray()[0]
    assert found.argmax() == column
    assert found.sum() == 1


def test_degree_stands_beside_the_features_and_counts_directions_apart():
    graph = graph_of(np.full((8, 1), 2.0), directed=True)
    found = input_features(graph, STAR, "degree").toarray()
    assert np.array_equal(found[:, 0], np.ones(8))
    out_class, in_class = found[:, 1:4].argmax(1), found[:, 4:].argmax(1)
    assert out_class.tolist() == [2, 0, 0, 0, 0, 1, 0, 0]
    assert in_class.tolist() == [0, 1, 1, 1, 1, 0, 1, 0]


def test_an_unknown_choice_is_refused():
    with pytest.raises(ConfigError, match="unknown features 'degrees'; did you mean 'degree'"):
        input_features(graph_of(), STAR, "degrees")
