"""How well distances alone give the graph back: mean average precision and mean rank of the neighbours.

Exact over all nodes at a cost of some nanoseconds a pair, in memory that does not grow with N². From one node only
the order of the others counts, so an increasing function of the distance takes its place, without the root and the
logarithm. Where a node has few neighbours nothing is sorted either: to count what lies below each is cheaper.
"""

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.evaluation.embedding_quality import checked_points
from hypgraph.evaluation.node_pairs import Pairs, as_pairs, blocks
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.exceptions import DataError
from hypgraph.manifolds import Manifold, Polar

__all__ = ["Reconstruction", "reconstruction"]

# Lengths that agree to 12 decimals are ties. Beyond 125 rounding is coarser than that: 18 machine epsilons.
TIE = 5e-13
RELATIVE_TIE = 4e-15
# Up to these radii no square overflows, and those that underflow make no difference.
LARGEST_RADIUS = 300.0
# Numbers in the largest temporary array: some of them fit into the cache of a core.
NUMBERS_A_BLOCK = 1 << 16
# Beyond so many neighbours sorting a row is cheaper than counting for each of them.
COUNTED_NEIGHBOURS = 16

Floats: TypeAlias = NDArray[np.float64]


class Reconstruction(NamedTuple):
    """What :func:`reconstruction` measures; both are 1 where every neighbour is nearer than all others.

    Attributes:
        mean_average_precision: in (0, 1]: of the neighbours of a node, then the mean over nodes that have any.
        mean_rank: mean over edges, from both ends, of 1 + how many of those that are no neighbours are as near.
            At least 1.
    """

    mean_average_precision: float
    mean_rank: float


class _Keys(NamedTuple):
    """An increasing function f of the distance d.

    Attributes:
        rows: f(d) ``[B, N]`` from some nodes to all.
        at_most: from f(d) to f(d + margin): what is no larger is tied or nearer.
    """

    rows: Callable[[slice], Tensor]
    at_most: Callable[[Floats], Floats]


def reconstruction(edge_index: Pairs, points: Polar, manifold: Manifold) -> Reconstruction:
    """Rank all other nodes by their distance from a node, for every node; ties count against the embedding.

    A neighbour at distance D has the precision (neighbours within D) / (nodes within D), the node itself left out
    of both; the mean over its neighbours is the average precision of the node. Within D is what is at most 5e-13
    further away, so that distances that agree to 12 decimals are ties (beyond D = 125 the margin is 4e-15 D, as
    float64 is no finer). Of points that all coincide a node has the precision deg/(N-1), not 1.
    :func:`embedding_quality` takes the mean over the orders of tied nodes instead; without ties the two agree.

    Args:
        edge_index: ``(2, E)``; directions, repetitions and self-loops do not matter.
        points: one a node: radius ``[N]``, direction ``[N, d]``, about the origin of ``manifold``.
        manifold: where they lie.

    Raises:
        DataError: if shapes do not fit, or there is no edge.
        NumericalError: if a point is not finite.

    >>> from hypgraph.manifolds import PoincareBall
    >>> path, east = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([[1.0, 0.0]]).double()
    >>> reconstruction([[0, 1], [1, 2]], Polar(path, east.expand(3, 2)), PoincareBall(2))
    Reconstruction(mean_average_precision=1.0, mean_rank=1.0)
    >>> reconstruction([[0, 1], [2, 2]], Polar(path, east.expand(3, 2)), PoincareBall(2))
    Reconstruction(mean_average_precision=0.6666666666666666, mean_rank=1.5)
    """
    points = _checked(points, manifold)
    count = len(points.radius)
    graph = TrainingGraph.from_edges(as_pairs(edge_index, count, name="edge_index"), count)
    starts, neighbours = graph.adjacency.indptr, graph.adjacency.indices
    if not len(neighbours):
        raise DataError("edge_index: holds no edge that joins two nodes; there is nothing to reconstruct")
    keys = _keys(points, manifold)
    precision = rank = 0.0
    for block in blocks(count, max(1, NUMBERS_A_BLOCK // count)):
        with torch.no_grad():
            rows = keys.rows(block).numpy()
        for node, row in enumerate(rows, start=block.start):
            near = neighbours[starts[node] : starts[node + 1]]
            if len(near):
                row[node] = np.inf  # no candidate of its own
                found, seen = _within(row, near, keys.at_most)
                precision += float(np.mean(found / seen))
                rank += float(np.sum(1 + seen - found))
    return Reconstruction(precision / int(np.count_nonzero(graph.degree)), rank / len(neighbours))


def _within(
    row: Floats, near: NDArray[np.int32], at_most: Callable[[Floats], Floats]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each neighbour, nearest first: how many neighbours, and how many nodes, are as near as it is."""
    keys = np.sort(row[near])
    bounds = at_most(keys)
    found = np.searchsorted(keys, bounds, side="right")
    if len(near) > COUNTED_NEIGHBOURS:
        return found, np.searchsorted(np.sort(row), bounds, side="right")
    return found, np.array([np.count_nonzero(row <= bound) for bound in bounds])


def _keys(points: Polar, manifold: Manifold) -> _Keys:
    """The keys of rows of nodes, each the cheapest that is exact for these points."""
    sqrt_c = math.sqrt(manifold.c_value)
    if sqrt_c == 0.0:
        return _flat_keys(points)
    if sqrt_c * float(points.radius.max()) <= LARGEST_RADIUS:
        return _hyperbolic_keys(points, sqrt_c)

    def rows(nodes: slice) -> Tensor:
        here = Polar(points.radius[nodes, None], points.direction[nodes, None])
        return manifold.dist_polar(here, points)

    return _Keys(rows, lambda distance: distance + _margin(distance))


def _hyperbolic_keys(points: Polar, sqrt_c: float) -> _Keys:
    """S = sinh²(√c d/2) = sinh²(√c(r₁-r₂)/2) + sinh(√c r₁) sinh(√c r₂) (‖u₁-u₂‖/2)², and S at d + margin."""
    radius, direction = sqrt_c * points.radius, points.direction
    half = torch.sinh(radius) / 2

    def rows(nodes: slice) -> Tensor:
        apart = _norms(direction[nodes], direction).square_()
        apart *= half * half[nodes, None]
        return torch.sinh((radius[nodes, None] - radius) / 2).square_().add_(apart)

    def at_most(key: Floats) -> Floats:
        sinh, cosh = np.sqrt(key), np.sqrt(1.0 + key)
        margin = sqrt_c * _margin(2 / sqrt_c * np.arcsinh(sinh))
        bound: Floats = np.square(sinh + cosh * (margin / 2))  # sinh²((d + margin)/2), the margin being small
        return bound

    return _Keys(rows, at_most)


def _flat_keys(points: Polar) -> _Keys:
    x = points.vector()
    return _Keys(lambda nodes: _norms(x[nodes], x), lambda distance: distance + _margin(distance))


def _norms(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i - y_j‖, from differences: inner products would lose what is close together."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _margin(distance: Floats) -> Floats:
    """How much further away still counts as tied."""
    return np.maximum(TIE, RELATIVE_TIE * distance)


def _checked(points: Polar, manifold: Manifold) -> Polar:
    """``points`` in float64 on the CPU, or an error."""
    radius, direction = (part.cpu() for part in checked_points(points))
    if direction.shape[1] != manifold.dim:
        raise DataError(
            f"points: direction has {direction.shape[1]} columns in {manifold}; needs {manifold.dim}, give the "
            "manifold that the points lie on"
        )
    if (radius < 0).any():
        raise DataError("points: a radius is negative; it is a length, turn the direction instead")
    return Polar(radius, direction)
