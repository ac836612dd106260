"""Sarkar's construction: a tree drawn in the hyperbolic plane so that neighbours are nearest, without descent.

In exact arithmetic long edges draw any tree as well as one likes (Sarkar 2011). In float64 the radius is limited,
so that the edges of a deep tree, or of one with hubs, cannot all be long. Which angles and lengths do best depends
on the tree: some shapes that do well on trees of different kinds are tried, and the best one is varied.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hypgraph.hierarchy.branches import Shape, edge_lengths, nearest_angles, turns
from hypgraph.hierarchy.judge import ENOUGH, Judge
from hypgraph.hierarchy.placement import LARGEST_RADIUS, place
from hypgraph.hierarchy.shape_search import Tried, search
from hypgraph.hierarchy.spanning import Forest
from hypgraph.manifolds.functional.polar import Polar

__all__ = ["sarkar"]

# Up to here hyperbolic functions of the sum of two radii are finite.
LARGEST_WALK = 300.0
# Edges of one length in a binary tree are long enough from here.
SHORTEST_UNIFORM = 1.25
# Shapes tried on small trees; fewer on large or deep ones, whose placing takes longer.
MOST_SHAPES = 120
# How often edges far out are shrunk before all are.
MOST_COMPRESSIONS = 8

# Found by a random search over 400 shapes on 33 trees: each adds most to those before it. The last three are for
# trees with a long trunk.
SHAPES = (
    Shape("zigzag", 0.12, 1.0, 0.7, 1.0, 0.5, 0.5),
    Shape("spiral", 0.06, 0.75, 0.7, 1.0, 0.5, 0.5),
    Shape("straight", 0.5, 0.12, 0.0, 1.0, 0.5, 0.5),
    Shape("zigzag", 0.0, 0.0, 0.0, 0.3, 1.0, 0.0),
    Shape("spiral", 0.3, 0.5, 0.0, 1.0, 0.3, 0.5),
    Shape("spiral", 0.06, 0.25, 0.8, 0.7, 0.7, 0.5),
    Shape("spiral", 0.03, 0.25, 0.0, 0.4, 0.5, 0.5),
    Shape("zigzag", 0.3, 0.25, 0.0, 1.0, 0.5, 0.5),
    Shape("spiral", 0.0, 0.25, 0.5, 0.5, 0.3, 0.5),
    Shape("spiral", 0.6, 0.12, 0.0, 1.0, 0.5, 0.5, cap=20.0),
    Shape("spiral", 0.4, 0.25, 0.0, 1.0, 0.3, 0.5, cap=10.0),
    Shape("zigzag", 0.3, 0.25, 0.5, 0.7, 0.5, 0.5, cap=40.0),
)
VALUES: Mapping[str, Sequence[Any]] = {
    "power": (0.0, 0.03, 0.06, 0.09, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75),
    "cap": (3.0, 5.0, 10.0, 20.0, 40.0, 100.0, 300.0, math.inf),
    "margin": (0.0, 0.12, 0.25, 0.5, 0.75, 1.0, 1.5),
    "shortest": (0.3, 0.5, 0.7, 1.0, 1.4),
    "pendant": (0.3, 0.4, 0.5, 0.7, 0.85, 1.0),
    "decay": (0.0, 0.5, 0.6, 0.7, 0.8),
    "order": ("spiral", "zigzag", "straight"),
    "compression": (0.0, 0.5, 1.0),
}

Reals = NDArray[np.float64]


def sarkar(forest: Forest, edge_index: ArrayLike | None = None) -> Polar:
    """Coordinates of all nodes in the plane of curvature −1, at radii up to 36.

    Everything is chosen from the forest itself: first edges of one length, as long as there is room, which distort
    least; then, unless these give every neighbour back, edges that follow the angles between them. The best mean
    average precision wins, ties counted against it; of drawings that do equally well, small distortion and radius.
    The root lies at the origin; the roots of several trees lie around it, in sectors in proportion to their nodes.

    Args:
        forest: a spanning forest.
        edge_index: ``(2, E)``, the graph that it spans, by whose edges drawings are judged; by default its own.

    Returns:
        radius ``[N]``, direction ``[N, 2]``; the same every time.
    """
    edges = forest.edge_index if edge_index is None else np.asarray(edge_index, dtype=np.int64).reshape(2, -1)
    judge = Judge(edges, forest)
    several = len(forest.roots) > 1
    tree = _joined(forest) if several else forest

    def of_nodes(points: Polar) -> Polar:
        return Polar(points.radius[: forest.num_nodes], points.direction[: forest.num_nodes])

    def draw(shape: Shape) -> Polar:
        turn = turns(tree, shape, joined=several)
        length = edge_lengths(tree, nearest_angles(tree, turn), shape)
        return of_nodes(_within_reach(tree, length, turn, shape.compression))

    def draw_uniform(length: float) -> Polar:
        equal = turns(tree, Shape(power=0.0), joined=several)
        return of_nodes(place(tree, np.full(tree.num_nodes, length), equal))

    def cost(drawing: Tried) -> float:
        """Distortion, and a little for the radius: coordinates in the ball lose digits with it."""
        return judge.distortion(drawing.points) + 1e-3 * float(drawing.points.radius.max())

    drawings = []
    for length in _uniform_lengths(tree):
        points = draw_uniform(length)
        drawings.append(Tried(length, points, judge.precision(points)))
    if all(drawing.precision < ENOUGH for drawing in drawings):
        most = int(np.clip(MOST_SHAPES / (1 + tree.num_nodes / 10_000 + len(tree.levels) / 200), 3, MOST_SHAPES))
        drawings += search(draw, judge, shapes=SHAPES, values=VALUES, most=most)
    best = min(ENOUGH, max(drawing.precision for drawing in drawings))
    equal = [drawing for drawing in drawings if drawing.precision >= best]
    return (equal[0] if len(equal) == 1 else min(equal, key=cost)).points


def _uniform_lengths(tree: Forest) -> list[float]:
    """From the shortest one with which the largest hub keeps its neighbours apart, as far as there is room."""
    if len(tree.levels) < 2:
        return [1.0]
    least = max(SHORTEST_UNIFORM, 1.0 - 2 * math.log(math.sin(math.pi / max(int(tree.degree.max()), 2))))
    room = LARGEST_RADIUS / (len(tree.levels) - 1)
    return [least + more for more in (0.0, 0.75, 1.5, 3.0) if least + more <= room]


def _within_reach(tree: Forest, length: Reals, turn: Reals, compression: float) -> Polar:
    """The tree with edges shrunk until no radius exceeds the largest: see :class:`Shape`."""
    walk = np.zeros(tree.num_nodes)
    for nodes in tree.levels[1:]:
        walk[nodes] = walk[tree.parent[nodes]] + length[nodes]
    length = length * min(1.0, LARGEST_WALK / max(walk.max(initial=0.0), 1.0))
    aim = 0.995 * LARGEST_RADIUS
    points, compressions = place(tree, length, turn), 0
    while (radius := points.radius.numpy()).max(initial=0.0) > LARGEST_RADIUS:
        if compression and compressions < MOST_COMPRESSIONS:
            reach = radius.copy()  # of the subtree
            for nodes in tree.levels[:0:-1]:
                np.maximum.at(reach, tree.parent[nodes], reach[nodes])
            length = length * np.minimum(1.0, aim / np.maximum(reach, aim)) ** compression
        else:
            length = length * (aim / radius.max())
        points, compressions = place(tree, length, turn), compressions + 1
    return points


def _joined(forest: Forest) -> Forest:
    """One tree, whose root, numbered N, has the roots of the forest for children."""
    parent = np.where(forest.parent < 0, forest.num_nodes, forest.parent)
    return Forest(np.append(parent, -1), np.append(forest.depth + 1, 0))
