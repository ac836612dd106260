"""Graphs to and from PyTorch Geometric."""

import numpy as np
import pytest
import torch

from hypgraph.data import Graph, from_pyg, load_graph, to_pyg
from hypgraph.exceptions import DataError


@pytest.fixture(scope="module")
def data_class():
    from torch_geometric.data import Data

    return Data


def small(node_id):
    features = np.array([[0.0, 1.5], [0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    pairs = [[0, 2, 3], [2, 3, 1]]
    return Graph.from_pairs(
        "small", pairs, node_id=node_id, features=features, labels=[1, 0, -1, 1], label_names=["x", "y"]
    )


@pytest.mark.parametrize("node_id", [["d", "c", "b", "a"], [40, 30, 20, 10]])
def test_edges_features_labels_and_ids_survive_the_way_there_and_back(node_id):
    graph = small(node_id)
    again = from_pyg(to_pyg(graph))
    assert again.edge_index.equal(graph.edge_index)
    assert (again.features != graph.features).nnz == 0
    np.testing.assert_array_equal(again.labels, graph.labels)
    np.testing.assert_array_equal(again.node_id, graph.node_id)
    assert again.node_id.dtype == graph.node_id.dtype
    assert (again.name, again.label_names) == ("small", ("x", "y"))
    assert (again.self_loops_dropped, again.duplicates_dropped) == (0, 0)


def test_the_result_is_what_pyg_calls_a_valid_undirected_graph():
    data = to_pyg(load_graph("cora"))
    assert data.validate()
    assert data.is_undirected()
    assert data.is_coalesced()
    assert data.num_nodes == 2708
    assert data.num_edges == 2 * 5278
    assert data.x.shape == (2708, 1433)
    assert data.x.sum() == 49_216


def test_a_graph_without_features_or_labels_passes():
    graph = Graph.from_pairs("bare", [[0], [1]], node_id=["a", "b", "c"])
    data = to_pyg(graph)
    assert data.x is None
    assert data.y is None
    again = from_pyg(data)
    assert again.features is None
    assert again.labels is None
    assert again.num_nodes == 3


def test_a_directed_graph_with_loops_and_a_column_of_labels_is_read(data_class):
    data = data_class(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 1, 0]]), y=torch.tensor([[0], [1], [0]]))
    graph = from_pyg(data, name="given")
    assert graph.name == "given"
    assert graph.node_id.tolist() == [0, 1, 2]
    assert graph.edge_index.tolist() == [[0, 0], [1, 2]]
    assert (graph.self_loops_dropped, graph.duplicates_dropped) == (1, 1)
    assert graph.labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize("layout", [torch.strided, torch.sparse_coo])
def test_dense_and_sparse_features_are_read(data_class, layout):
    x = torch.tensor([[0.0, 2.0], [1.0, 0.0]])
    graph = from_pyg(
        data_class(edge_index=torch.tensor([[0], [1]]), x=x.to_sparse() if layout != torch.strided else x)
    )
    np.testing.assert_array_equal(graph.features.toarray(), x.numpy())


def test_only_the_edges_are_needed(data_class):
    assert from_pyg(data_class(edge_index=torch.tensor([[0], [4]]))).num_nodes == 5
    with pytest.raises(DataError, match="no edge_index"):
        from_pyg(data_class(x=torch.ones(2, 2)))
    with pytest.raises(DataError, match="labels must be"):
        from_pyg(data_class(edge_index=torch.tensor([[0], [1]]), y=torch.tensor([0.5, 1.5])))
