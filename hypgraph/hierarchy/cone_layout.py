"""Radial cone layout: each subtree has a sector of the disk, and lies the further out the narrower that is.

A start for graphs that are no trees, and nearly the whole way for closures of "is a", in which all ancestors of a
node are its neighbours: those should be near, so that a tree's own edges must not be long.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from hypgraph.hierarchy.judge import Judge
from hypgraph.hierarchy.placement import LARGEST_RADIUS
from hypgraph.hierarchy.shape_search import search
from hypgraph.hierarchy.spanning import Forest
from hypgraph.manifolds.functional.polar import Polar

__all__ = ["Cone", "cone", "cone_layout"]

Reals = NDArray[np.float64]


class Cone(NamedTuple):
    """The shape of a layout.

    Attributes:
        power: brothers share the sector of their parent in proportion to (nodes of the subtree)^power.
        spread: the radius grows by so much where the sector shrinks by a factor e; with 1 all sectors are about as
            wide in length as in the middle of the disk, with 2 brothers are as far apart as they are far out.
        step: the radius grows by so much a level.
    """

    power: float = 0.7
    spread: float = 1.75
    step: float = 0.1


# The first does well on closures, the others on sparser and denser graphs.
CONES = (Cone(), Cone(0.5, 2.0, -0.1), Cone(0.5, 1.0, 0.1), Cone(0.7, 0.5, 0.3), Cone(0.5, 0.0, 1.0))
VALUES: Mapping[str, Sequence[Any]] = {
    "spread": (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0),
    "step": (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0),
    "power": (0.0, 0.3, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2),
}
MOST_CONES = 40


def cone_layout(forest: Forest, edge_index: ArrayLike | None = None) -> Polar:
    """The best of some :func:`cone` layouts, by mean average precision with ties counted against it.

    Args:
        forest: for a closure that of :func:`~hypgraph.hierarchy.spanning.ancestor_forest`.
        edge_index: ``(2, E)``, the graph by whose edges layouts are judged; by default those of the forest.

    Returns:
        Polar coordinates for c = 1: radius ``[N]`` up to 36, direction ``[N, 2]``; the same every time.
    """
    edges = forest.edge_index if edge_index is None else np.asarray(edge_index, dtype=np.int64).reshape(2, -1)
    judge = Judge(edges, forest)
    tried = search(lambda shape: cone(forest, shape), judge, shapes=CONES, values=VALUES, most=MOST_CONES)
    return max(tried, key=lambda one: one.precision).points


def cone(forest: Forest, shape: Cone) -> Polar:
    """One layout: a sector of width w at depth k has its node in the middle, at radius spread·ln(2π/w) + step·k.

    A single root lies at the origin. Radii are never negative, and all shrink alike where one would exceed 36.

    >>> star = Forest(np.array([-1, 0, 0]), np.array([0, 1, 1]))
    >>> layout = cone(star, Cone(power=1.0, spread=0.0, step=2.0))
    >>> layout.radius.tolist(), layout.direction[1:, 1].tolist()
    ([0.0, 2.0, 2.0], [1.0, -1.0])
    """
    weight = forest.size.astype(np.float64) ** shape.power
    start, width = np.zeros(forest.num_nodes), np.full(forest.num_nodes, 2 * np.pi)
    narrowing = np.zeros(forest.num_nodes)  # ln(2π/w): w itself would underflow along a path with side branches
    for nodes in forest.levels:
        above = forest.parent[nodes]
        first = np.flatnonzero(np.diff(above, prepend=-2))
        count = np.diff(first, append=len(nodes))
        total = np.repeat(np.add.reduceat(weight[nodes], first), count)
        before = np.cumsum(weight[nodes]) - weight[nodes]
        before -= np.repeat(before[first], count)
        inner = above >= 0
        whole, left = np.where(inner, width[above], 2 * np.pi), np.where(inner, start[above], 0.0)
        width[nodes], start[nodes] = whole * weight[nodes] / total, left + whole * before / total
        narrowing[nodes] = np.where(inner, narrowing[above], 0.0) + np.log(total / weight[nodes])
    radius = np.maximum(shape.spread * narrowing + shape.step * forest.depth, 0.0)
    radius *= min(1.0, LARGEST_RADIUS / max(float(radius.max(initial=0.0)), 1.0))
    angle = start + width / 2
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * (radius > 0)[:, None]
    return Polar(torch.from_numpy(radius), torch.from_numpy(direction))
