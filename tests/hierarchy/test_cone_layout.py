import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from hypgraph.evaluation.reconstruction import reconstruction
from hypgraph.hierarchy.cone_layout import Cone, cone, cone_layout
from hypgraph.hierarchy.placement import LARGEST_RADIUS
from hypgraph.hierarchy.spanning import Forest, ancestor_forest, spanning_forests
from hypgraph.manifolds import PoincareBall, Polar
from tests.hierarchy.graphs import closure, grown, shuffled


def angles(points: Polar) -> np.ndarray:
    return np.arctan2(points.direction[:, 1].numpy(), points.direction[:, 0].numpy()) % (2 * math.pi)


def test_subtrees_have_disjoint_sectors_with_their_nodes_inside() -> None:
    forest = ancestor_forest(*grown(150, seed=3))
    points = cone(forest, Cone(power=0.6, spread=1.0, step=0.5))
    angle = angles(points)
    below = {node: {node} for node in range(150)}
    for nodes in forest.levels[:0:-1]:
        for node in nodes.tolist():
            below[int(forest.parent[node])] |= below[node]
    for nodes in forest.levels[1:]:
        spans = sorted((min(angle[list(below[n])]), max(angle[list(below[n])])) for n in nodes.tolist())
        assert all(last < first for (_, last), (first, _) in pairwise(spans))


def test_radius_follows_the_width_of_the_sector_and_the_depth() -> None:
    """A root over three nodes, of which one has two children: sectors by the number of nodes."""
    forest = Forest(np.array([-1, 0, 0, 0, 1, 1]), np.array([0, 1, 1, 1, 2, 2]))
    points = cone(forest, Cone(power=1.0, spread=2.0, step=0.25))
    share = np.array([1, 3 / 5, 1 / 5, 1 / 5, 3 / 10, 3 / 10])
    assert points.radius.numpy() == pytest.approx(-2 * np.log(share) + 0.25 * forest.depth)
    assert angles(points)[1:] / (2 * math.pi) == pytest.approx([0.3, 0.7, 0.9, 0.15, 0.45])
    assert points.direction[0].tolist() == [0.0, 0.0]


def test_radii_stay_in_bounds_and_angles_finite_along_a_path() -> None:
    count = 3000
    forest = Forest(np.arange(-1, count - 1), np.arange(count))
    for shape in (Cone(), Cone(0.0, 3.0, 2.0), Cone(1.0, 0.5, -0.3)):
        points = cone(forest, shape)
        assert float(points.radius.min()) >= 0.0
        assert float(points.radius.max()) <= LARGEST_RADIUS
        assert bool(torch.isfinite(points.direction).all())


def test_deep_side_branches_do_not_underflow() -> None:
    """At every second node half of the sector goes to a leaf: widths fall below the smallest float."""
    count = 5001
    parent = np.arange(-2, count - 2)
    parent[:2] = -1, 0
    parent[2::2] = np.arange(0, count - 2, 2)  # the spine
    parent[3::2] = np.arange(2, count - 1, 2)[: len(parent[3::2])]
    depth = np.zeros(count, dtype=np.int64)
    for node in range(1, count):
        depth[node] = depth[parent[node]] + 1
    points = cone(Forest(parent, depth), Cone(power=0.0, spread=1.0, step=0.0))
    assert bool(torch.isfinite(points.radius).all())
    assert float(points.radius.max()) == pytest.approx(LARGEST_RADIUS)


def test_a_closure_is_laid_out_so_that_ancestors_are_near() -> None:
    edges, count = shuffled(*closure(*grown(400, seed=6)))
    points = cone_layout(ancestor_forest(edges, count), edges)
    assert reconstruction(edges, points, PoincareBall(2)).mean_average_precision > 0.95


def test_the_layout_is_judged_by_the_graph_that_is_given() -> None:
    edges, count = closure(*grown(150, seed=1))
    forest, plane = ancestor_forest(edges, count), PoincareBall(2)
    for judged_by in (edges, forest.edge_index):
        first, second = cone_layout(forest, edges), cone_layout(forest)
        better, worse = (first, second) if judged_by is edges else (second, first)
        assert (
            reconstruction(judged_by, better, plane).mean_average_precision
            > reconstruction(judged_by, worse, plane).mean_average_precision
        )


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_isolated_nodes_lie_around_the_origin(count: int) -> None:
    (forest,) = spanning_forests(np.empty((2, 0)), count).values()
    points = cone_layout(forest)
    assert points.radius.shape == (count,)
    if count > 1:
        assert len(np.unique(points.direction.numpy().round(9), axis=0)) == count
