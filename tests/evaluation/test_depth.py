import networkx as nx
import numpy as np
import pytest

from hypgraph.evaluation import hop_depth, radius_by_depth


@pytest.mark.parametrize("seed", range(4))
def test_depth_is_the_hops_from_the_innermost_node_of_the_component(seed: int) -> None:
    graph = nx.gnp_random_graph(60, 0.03, seed=seed)  # in several components, some of one node
    radius = np.random.default_rng(seed).uniform(0, 9, 60)
    depth = hop_depth(np.array(graph.edges).T, radius)
    for component in nx.connected_components(graph):
        root = min(component, key=lambda node: radius[node])
        hops = nx.single_source_shortest_path_length(graph, root)
        assert {node: depth[node] for node in component} == hops


def test_of_nodes_equally_far_in_the_first_is_the_root() -> None:
    assert hop_depth([[0, 1], [1, 2]], [1.0, 1.0, 1.0]).tolist() == [0, 1, 2]


def test_a_graph_without_edges_or_nodes_has_depths_too() -> None:
    assert hop_depth(np.zeros((2, 0), dtype=int), [3.0, 1.0]).tolist() == [0, 0]
    assert hop_depth(np.zeros((2, 0), dtype=int), []).tolist() == []


def test_radii_are_summed_up_by_depth_in_order() -> None:
    rows = radius_by_depth(np.array([2, 0, 2, 5]), [1.0, 0.0, 4.0, 7.0])
    assert [tuple(row) for row in rows] == [(0, 1, 0.0, 0.0, 0.0), (2, 2, 2.5, 1.0, 4.0), (5, 1, 7.0, 7.0, 7.0)]
