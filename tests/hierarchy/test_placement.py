import math

import mpmath as mp
import networkx as nx
import numpy as np
import pytest
import torch

from hypgraph.hierarchy.branches import Shape, turns
from hypgraph.hierarchy.placement import place
from hypgraph.hierarchy.spanning import Forest, spanning_forests
from hypgraph.manifolds.functional.polar import Polar, dist_polar, translate_polar
from tests.hierarchy.graphs import edges_of, grown

DIGITS = 60
# Directions are unit vectors in float64: rounding them moves a point by so much of sinh(radius).
ROUNDING = 4e-16


def add(x: mp.mpc, y: mp.mpc) -> mp.mpc:
    """x ⊕ y in the unit disk."""
    return (x + y) / (1 + mp.conj(x) * y)


def in_disk(points: Polar, node: int) -> mp.mpc:
    """Exactly what the coordinates say."""
    direction = mp.mpc(*points.direction[node].tolist())
    if direction == 0:
        return mp.mpc(0)
    return mp.tanh(mp.mpf(points.radius[node].item()) / 2) * direction / abs(direction)


def a_tree(count: int, seed: int) -> Forest:
    return spanning_forests(*grown(count, seed))["tree"]


def with_edges(tree: Forest, seed: int, longest: float) -> tuple[np.ndarray, np.ndarray]:
    """Random lengths and, to every side, random turns."""
    draw = np.random.default_rng(seed)
    length = draw.uniform(0.3, longest, tree.num_nodes)
    return length, draw.uniform(-math.pi, math.pi, tree.num_nodes)


@pytest.mark.parametrize("seed", range(3))
def test_positions_are_those_of_möbius_arithmetic_with_60_digits(seed: int) -> None:
    tree = a_tree(40, seed)
    length, turn = with_edges(tree, seed, longest=2.5)
    points = place(tree, length, turn)
    with mp.workdps(DIGITS):
        z = {int(tree.roots[0]): mp.mpc(0)}
        heading = {int(tree.roots[0]): mp.mpf(0)}
        for node in np.concatenate(tree.levels[1:]).tolist():
            above = int(tree.parent[node])
            way = mp.expj(heading[above] + mp.mpf(turn[node]))
            z[node] = add(z[above], mp.tanh(mp.mpf(length[node]) / 2) * way)
            heading[node] = mp.arg(-add(-z[node], z[above]))  # away from where one came from
        for node, position in z.items():
            apart = 2 * mp.atanh(abs(add(-position, in_disk(points, node))))
            assert apart < 1e-13 * math.cosh(float(points.radius[node]))


@pytest.mark.parametrize("longest", [1.5, 6.0])
def test_parents_and_children_are_as_far_apart_as_asked(longest: float) -> None:
    tree = a_tree(60, 5)
    length, _ = with_edges(tree, 5, longest)
    points = place(tree, length, turns(tree, Shape()))
    with mp.workdps(DIGITS):
        for node in np.flatnonzero(tree.parent >= 0).tolist():
            z, above = in_disk(points, node), in_disk(points, int(tree.parent[node]))
            distance = 2 * mp.atanh(abs(add(-z, above)))
            slack = 1e-12 + ROUNDING * math.sinh(float(points.radius[node]))
            assert abs(distance - mp.mpf(length[node])) < slack
    assert (points.radius.max() > 15) == (longest == 6.0)


def test_straight_ways_out_are_exact_at_radius_36() -> None:
    count = 91
    tree = Forest(np.arange(-1, count - 1), np.arange(count))
    turn = np.zeros(count)
    turn[1] = 0.7  # from here on straight
    points = place(tree, np.full(count, 0.4), turn)
    assert torch.equal(points.direction[1:], points.direction[1].expand(count - 1, 2))
    assert torch.allclose(points.radius, 0.4 * torch.arange(count, dtype=torch.float64), rtol=1e-14)


def test_a_way_straight_back_ends_at_the_start() -> None:
    tree = Forest(np.array([-1, 0, 1]), np.array([0, 1, 2]))
    points = place(tree, np.array([0.0, 2.0, 2.0]), np.array([0.0, 0.3, math.pi]))
    assert points.radius[2] < 1e-7


def test_angles_at_every_node_are_the_turns_asked_for() -> None:
    """Seen through the frames that translate_polar uses, at radii beyond 30."""
    tree = spanning_forests(*edges_of(nx.balanced_tree(3, 6)))["tree"]
    points = place(tree, np.full(tree.num_nodes, 5.2), turn := turns(tree, Shape(power=0.2)))
    assert points.radius.max() > 30
    node = np.flatnonzero(tree.depth >= 2)
    above, beyond = tree.parent[node], tree.parent[tree.parent[node]]
    parent = Polar(points.radius[above], points.direction[above])
    child = Polar(points.radius[node], points.direction[node])
    before = Polar(points.radius[beyond], points.direction[beyond])
    way = torch.view_as_complex(translate_polar(parent.opposite(), child, c=1.0).direction)
    on = -torch.view_as_complex(translate_polar(parent.opposite(), before, c=1.0).direction)
    error = (way / on * torch.polar(torch.ones(len(node)).double(), -torch.from_numpy(turn[node]))).angle().abs()
    # A point that is moved by δ is seen at another angle by δ / sinh(distance).
    moved = ROUNDING * torch.sinh(child.radius) / math.sinh(5.2)
    assert bool((error < 1e-12 + 3 * moved).all())
    inner = child.radius < 22
    assert int(inner.sum()) > 100
    assert float(error[inner].max()) < 1e-8


def test_a_right_angled_hexagon_closes() -> None:
    """Turning by 90° after sides of the regular right-angled hexagon, one is back after six."""
    side = 2 * math.acosh(math.cos(math.pi / 6) / math.sin(math.pi / 4))  # half an angle of 45° at the corner
    tree = Forest(np.arange(-1, 7), np.arange(8))
    turn = np.full(8, math.pi / 2)
    points = place(tree, np.full(8, side), turn)
    start, again = (Polar(points.radius[[k]], points.direction[[k]]) for k in (1, 7))
    assert float(dist_polar(start, again, c=1.0)) < 1e-7
    assert float(points.radius[6]) < 1e-7
