"""Graphs from NetworkX."""

import networkx as nx
import numpy as np
import pytest

from hypgraph.data import from_networkx
from hypgraph.exceptions import DataError


def test_edges_and_order_of_the_nodes_are_kept():
    oracle = nx.relabel_nodes(nx.gnm_random_graph(30, 80, seed=0), lambda i: f"node {i}")
    graph = from_networkx(oracle, name="random")
    assert graph.node_id.tolist() == list(oracle)
    ends = graph.node_id[graph.edge_index.numpy().T].tolist()
    assert {frozenset(edge) for edge in ends} == {frozenset(edge) for edge in oracle.edges}
    assert graph.name == "random"


def test_directions_multiplicities_and_self_loops_are_given_up_and_counted():
    graph = from_networkx(nx.MultiDiGraph([(5, 3), (3, 5), (3, 5), (3, 3), (9, 5)]))
    assert graph.node_id.tolist() == [5, 3, 9]
    assert graph.node_id.dtype == np.int64
    assert graph.edge_index.tolist() == [[0, 0], [1, 2]]
    assert (graph.self_loops_dropped, graph.duplicates_dropped) == (1, 2)


def test_nodes_of_other_types_become_strings():
    assert from_networkx(nx.grid_2d_graph(1, 2)).node_id.tolist() == ["(0, 0)", "(0, 1)"]
    assert from_networkx(nx.Graph([(1, 2**70)])).node_id.dtype.kind == "U"
    with pytest.raises(DataError, match="more than once"):
        from_networkx(nx.Graph([(1, "1")]))


def test_labels_come_from_an_attribute_and_minus_one_stands_for_none():
    oracle = nx.path_graph(4)
    nx.set_node_attributes(oracle, {0: "b", 1: "a", 3: "b"}, "kind")
    graph = from_networkx(oracle, label="kind")
    assert graph.labels.tolist() == [1, 0, -1, 1]
    assert graph.label_names == ("a", "b")
    with pytest.raises(DataError, match="no node has the attribute 'colour'"):
        from_networkx(oracle, label="colour")


def test_an_empty_graph_passes():
    assert from_networkx(nx.Graph()).num_nodes == 0
    assert from_networkx(nx.empty_graph(3)).num_nodes == 3
