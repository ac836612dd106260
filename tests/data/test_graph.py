"""The canonical form of a graph, and what is rejected."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from hypgraph.data import Graph
from hypgraph.exceptions import DataError


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=40))
def test_canonical_edges_are_the_sorted_set_of_unordered_pairs(pairs):
    graph = Graph.from_pairs("g", np.array(pairs, dtype=np.int64).reshape(-1, 2).T, node_id=range(9))
    expected = sorted({(min(p), max(p)) for p in pairs if p[0] != p[1]})
    assert graph.edge_index.T.tolist() == [list(p) for p in expected]
    assert graph.self_loops_dropped == sum(u == v for u, v in pairs)
    assert graph.num_edges + graph.self_loops_dropped + graph.duplicates_dropped == len(pairs)
    assert graph.num_nodes == 9
    assert graph.edge_index.dtype == torch.int64


def test_pairs_may_be_a_tensor():
    graph = Graph.from_pairs("g", torch.tensor([[2], [0]], dtype=torch.int32), node_id=["a", "b", "c"])
    assert graph.edge_index.tolist() == [[0], [2]]


@pytest.mark.parametrize("form", [np.asarray, sp.coo_matrix, sp.csc_array, sp.csr_array])
def test_features_of_any_form_become_a_sparse_float32_matrix(form):
    dense = np.array([[0.0, 1.5, 0.0], [2.0, 0.0, -1.0]])
    graph = Graph.from_pairs("g", [[0], [1]], node_id=[7, 9], features=form(dense))
    assert isinstance(graph.features, sp.csr_array)
    assert graph.features.dtype == np.float32
    assert graph.features.nnz == 3
    np.testing.assert_array_equal(graph.features.toarray(), dense.astype(np.float32))


def test_a_zero_that_is_stored_is_no_entry():
    stored = sp.csr_array((np.array([1.0, 0.0, 2.0]), ([0, 0, 1], [0, 1, 1])), shape=(2, 3))
    graph = Graph.from_pairs("g", [[0], [1]], node_id=[7, 9], features=stored)
    assert graph.features.nnz == 2
    assert stored.nnz == 3  # the caller's own is left alone


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_features_that_are_not_finite_are_rejected_and_the_row_named(bad, form):
    features = np.array([[0.0, 1.0], [0.0, 0.0], [bad, bad]])
    with pytest.raises(DataError, match=r"graph 'g': 2 features are NaN or infinite, the first in row 2"):
        Graph.from_pairs("g", [[0], [1]], node_id=range(3), features=form(features))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs": [[0, 1, 2]]}, r"shape \[2, M\], got \[1, 3\]"),
        ({"pairs": [[0.5], [1.0]]}, "pairs must be integers"),
        ({"pairs": [[0], [3]]}, "nodes 0 to 3, but there are 3"),
        ({"pairs": [[-1], [2]]}, "nodes -1 to 2"),
        ({"node_id": ["a", "b", "a"]}, "an id more than once"),
        ({"node_id": [1.0, 2.0, 3.0]}, "all strings or all integers"),
        ({"node_id": np.array(["a", 1, None], dtype=object)}, "all strings or all integers"),
        ({"node_id": np.eye(3, dtype=int)}, "one axis"),
        ({"features": np.ones((2, 4))}, "2 rows, but there are 3 nodes"),
        ({"features": [["x"], ["y"], ["z"]]}, "not a matrix of numbers"),
        ({"features": np.ones(3)}, "two axes"),
        ({"labels": [0, 1]}, r"labels must be int64 \[3\]"),
        ({"labels": [0.5, 1.0, 2.0]}, "labels must be integers"),
        ({"labels": [0, 1, -2]}, "label -2"),
        ({"labels": [0, 1, 2], "label_names": ["x", "y"]}, "label 2, but only 2 label_names"),
    ],
)
def test_parts_that_do_not_fit_are_one_line_errors(change, message):
    arguments = {"pairs": [[0], [1]], "node_id": ["a", "b", "c"], **change}
    with pytest.raises(DataError, match=message) as caught:
        Graph.from_pairs("g", arguments.pop("pairs"), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "edge_index",
    [
        torch.tensor([[1], [0]]),
        torch.tensor([[0, 0], [1, 1]]),
        torch.tensor([[0, 0], [2, 1]]),
        torch.tensor([[1], [1]]),
        torch.tensor([[0], [3]]),
        torch.tensor([[0.0], [1.0]]),
    ],
)
def test_a_graph_made_by_hand_must_be_in_canonical_form(edge_index):
    with pytest.raises(DataError, match="edge_index must"):
        Graph("g", edge_index, np.arange(3))


def test_a_graph_without_nodes_is_a_graph():
    graph = Graph.from_pairs("none", np.zeros((2, 0), dtype=int), node_id=[])
    assert (graph.num_nodes, graph.num_edges) == (0, 0)
