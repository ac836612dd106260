import math

import networkx as nx
import numpy as np
import pytest

from hypgraph.hierarchy.branches import Shape, edge_lengths, nearest_angles, turns
from hypgraph.hierarchy.spanning import Forest, spanning_forests
from tests.hierarchy.graphs import edges_of, grown

TREE = spanning_forests(*grown(200, seed=4))["tree"]
ORDERS = ("spiral", "zigzag", "straight")


def angles_around(tree: Forest, turn: np.ndarray, node: int) -> list[float]:
    """Of all edges at a node in ascending order; that to the parent is at −π."""
    around = [float(turn[child]) for child in np.flatnonzero(tree.parent == node)]
    return sorted([*around, -math.pi] if tree.parent[node] >= 0 else around)


def gaps(around: list[float]) -> list[float]:
    return [b - a for a, b in zip(around, [*around[1:], around[0] + 2 * math.pi], strict=True)]


@pytest.mark.parametrize("order", ["spiral", "zigzag"])
def test_without_weights_all_angles_at_a_node_are_equal(order: str) -> None:
    turn = turns(TREE, Shape(order, power=0.0))
    for node in range(TREE.num_nodes):
        around = angles_around(TREE, turn, node)
        assert gaps(around) == pytest.approx([2 * math.pi / len(around)] * len(around))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_edges_at_a_node_never_cross_or_coincide(order: str, power: float) -> None:
    turn = turns(TREE, Shape(order, power))
    assert (np.abs(turn) <= math.pi).all()
    for node in range(TREE.num_nodes):
        assert min(gaps(angles_around(TREE, turn, node))) > 1e-3


def test_sectors_follow_a_power_of_the_nodes_that_lie_beyond() -> None:
    """A node in the middle of 100, with one neighbour towards 64 nodes and two towards 16 and 19."""
    graph = nx.path_graph(65)  # 0..63 lead to 64
    nx.add_path(graph, [64, *range(65, 81)])
    nx.add_path(graph, [64, *range(81, 100)])
    edges, count = edges_of(graph)
    tree = Forest(*_rooted_at_zero(edges, count))
    turn = turns(tree, Shape(power=0.5))
    share = 2 * math.pi / (8 + 4 + math.sqrt(19))
    # Each edge is in the middle of its sector: halves of neighbouring sectors make the angle between two edges.
    assert turn[81] - turn[65] == pytest.approx(share * (4 + math.sqrt(19)) / 2)
    assert math.pi - turn[81] == pytest.approx(share * (8 + math.sqrt(19)) / 2)
    assert turn[65] + math.pi == pytest.approx(share * (8 + 4) / 2)


def _rooted_at_zero(edges: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    graph = nx.Graph(edges.T.tolist())
    parent, depth = np.full(count, -1), np.zeros(count, dtype=np.int64)
    for node, above in nx.bfs_predecessors(graph, 0):
        parent[node], depth[node] = above, depth[above] + 1
    return parent, depth


def test_no_sector_grows_beyond_the_cap() -> None:
    tree = Forest(*_rooted_at_zero(*edges_of(nx.path_graph(200))))
    branching = Forest(np.append(tree.parent, [100, 100]), np.append(tree.depth, [101, 101]))
    turn = turns(branching, Shape(power=1.0, cap=3.0))
    share = 2 * math.pi / (3 + 3 + 1 + 1)
    assert gaps(angles_around(branching, turn, 100)) == pytest.approx([2 * share, 2 * share, 2 * share, 2 * share])


def test_components_have_sectors_in_proportion_to_their_nodes() -> None:
    """A root that joins a path of seven nodes and three single ones."""
    tree = Forest(np.array([-1, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0]), np.array([0, 1, 2, 3, 4, 5, 6, 7, 1, 1, 1]))
    turn = turns(tree, Shape(power=0.1), joined=True)
    share = 2 * math.pi / 10
    around = gaps(angles_around(tree, turn, 0))
    assert sorted(around) == pytest.approx([share, share, 4 * share, 4 * share])


def test_the_straight_order_continues_into_the_largest_subtree() -> None:
    turn = turns(TREE, Shape("straight", power=0.2))
    for node in np.flatnonzero(TREE.parent >= 0):
        children = np.flatnonzero(TREE.parent == node)
        if len(children):
            largest = children[TREE.size[children] == TREE.size[children].max()]
            assert (turn[largest] == 0.0).sum() == 1


def test_zigzag_alternates_where_spiral_turns_to_one_side() -> None:
    """Along the spine of a caterpillar with one leg a node, which has equal angles of 120°."""
    graph = nx.path_graph(12)
    graph.add_edges_from((node, 12 + node) for node in range(11))
    edges, count = edges_of(graph)
    tree = Forest(*_rooted_at_zero(edges, count))
    spiral, zigzag = (np.sign(turns(tree, Shape(order))[2:11]) for order in ("spiral", "zigzag"))
    assert (spiral == spiral[0]).all()
    assert (zigzag[1:] == -zigzag[:-1]).all()


def test_nearest_angles_are_those_to_the_next_edge_on_either_side() -> None:
    turn = turns(TREE, Shape("zigzag", 0.4))
    at_parent, at_node = nearest_angles(TREE, turn)
    for node in np.flatnonzero(TREE.parent >= 0):
        for above, edge, value in ((TREE.parent[node], turn[node], at_parent), (node, -math.pi, at_node)):
            around = angles_around(TREE, turn, int(above))
            others = [angle for angle in around if angle != edge]
            apart = [min(abs(edge - angle), 2 * math.pi - abs(edge - angle)) for angle in others]
            assert value[node] == pytest.approx(min(apart, default=math.pi))


@pytest.mark.parametrize("degree", [3, 7, 40, 10_000])
def test_leaves_of_a_hub_are_further_from_each_other_than_from_the_hub(degree: int) -> None:
    """By the law of cosines; without a margin as near to that as the asymptotic formula is."""
    tree = Forest(np.array([-1] + [0] * degree), np.array([0] + [1] * degree))
    shape = Shape(margin=0.0, shortest=0.0)
    length = edge_lengths(tree, nearest_angles(tree, turns(tree, shape)), shape)[1:]
    assert np.ptp(length) < 1e-9
    apart = 2 * math.asinh(math.sinh(length[0]) * math.sin(math.pi / degree))
    assert apart > length[0]
    if degree > 30:
        assert apart < length[0] + 0.02


def test_neighbouring_lengths_differ_by_no_more_than_the_decay() -> None:
    shape = Shape(decay=0.6, shortest=0.1)
    length = edge_lengths(TREE, nearest_angles(TREE, turns(TREE, shape)), shape)
    for node in range(TREE.num_nodes):
        at = length[np.flatnonzero(TREE.parent == node)].tolist()
        at += [length[node]] if TREE.parent[node] >= 0 else []
        assert min(at) >= 0.6 * max(at) - 1e-12


def test_pendant_edges_shrink_as_far_as_the_angle_allows() -> None:
    tree = Forest(np.array([-1] + [0] * 4 + [1] * 50), np.array([0] + [1] * 4 + [2] * 50))
    full, half = (
        edge_lengths(tree, nearest_angles(tree, turns(tree, shape)), shape)
        for shape in (Shape(), Shape(pendant=0.5))
    )
    assert half[2:5] == pytest.approx(full[2:5] / 2)  # far apart: leaves of a node with four neighbours
    assert half[1] == full[1]  # not pendant
    needed = 2 * math.acosh(0.5 / math.sin(math.pi / 51))
    assert half[5:] == pytest.approx(needed)
    assert needed > full[5] / 2
