"""A walk along a tree in the hyperbolic plane, exact at any radius."""

import numpy as np
import torch
from numpy.typing import NDArray

from hypgraph.hierarchy.spanning import Forest
from hypgraph.manifolds.functional.polar import Polar

__all__ = ["LARGEST_RADIUS", "place"]

LARGEST_RADIUS = 36.0
"""How far out a drawing may reach, for c = 1. Rounding a direction moves a point by up to 0.2 there."""

Reals = NDArray[np.float64]


def place(tree: Forest, length: Reals, turn: Reals) -> Polar:
    """Polar coordinates, for c = 1, of a tree with given edges and angles (Sarkar 2011).

    The root lies at the origin. Whoever comes to a node from its parent turns there by ``turn`` of a child, to the
    left where it is positive, and finds that child after ``length``; at the root turns count from the first axis.

    What is carried along is the heading: the angle, at a node, from the ray that leaves the origin to the way on.
    With δ = heading + turn, the sum of two angles at a node at radius r, the triangle (origin, node, child) gives

        sinh²(r'/2) = sinh²((r-ℓ)/2) + sinh r sinh ℓ cos²(δ/2)
        angle at the origin = atan2(sinh ℓ sin δ, sinh(r-ℓ) + 2 cos²(δ/2) cosh r sinh ℓ)
        heading at the child = atan2(sinh r sin δ, sinh(ℓ-r) + 2 cos²(δ/2) cosh ℓ sinh r)

    without a difference of large numbers. So all angles keep their precision, and each edge is right to what the
    coordinates can hold: the direction of a point is rounded, which moves it by up to 1e-16 sinh r. A straight way
    out from the origin keeps its direction bit by bit.

    Args:
        tree: with one root.
        length: ``[N]`` of the edge to the parent, not negative; that of the root does not matter. The sum of the
            edges down to a node must stay below 350.
        turn: ``[N]``, radians.

    Returns:
        radius ``[N]``, direction ``[N, 2]``, float64.

    >>> path = Forest(np.array([-1, 0, 1]), np.array([0, 1, 2]))
    >>> place(path, np.array([0.0, 1.0, 2.0]), np.zeros(3)).radius.tolist()
    [0.0, 1.0, 3.0]
    """
    radius, heading = np.zeros(tree.num_nodes), np.zeros(tree.num_nodes)
    east = np.ones(tree.num_nodes, dtype=np.complex128)
    for nodes in tree.levels[1:]:
        above = tree.parent[nodes]
        r, step = radius[above], length[nodes]
        delta = heading[above] + turn[nodes]
        sinh_r, sinh_step, gap, ahead = np.sinh(r), np.sinh(step), r - step, np.cos(delta / 2) ** 2
        sine, sinh_gap = np.sin(delta), np.sinh(gap)
        square = np.sinh(gap / 2) ** 2 + sinh_r * sinh_step * ahead
        radius[nodes] = np.where(sine == 0.0, np.abs(r + np.cos(delta) * step), 2 * np.arcsinh(np.sqrt(square)))
        around = np.arctan2(sinh_step * sine, sinh_gap + 2 * ahead * np.cosh(r) * sinh_step)
        heading[nodes] = np.arctan2(sinh_r * sine, 2 * ahead * np.cosh(step) * sinh_r - sinh_gap)
        moved = east[above] * np.exp(1j * around)
        east[nodes] = np.where(around == 0.0, moved, moved / np.abs(moved))
    direction = np.stack([east.real, east.imag], axis=-1) * (radius > 0)[:, None]
    return Polar(torch.from_numpy(radius), torch.from_numpy(direction))
