"""How a tree branches in the plane: the angles between its edges, and the lengths that these ask for."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hypgraph.hierarchy.spanning import Forest

__all__ = ["Shape", "edge_lengths", "nearest_angles", "turns"]

Nodes = NDArray[np.int64]
Reals = NDArray[np.float64]


class Shape(NamedTuple):
    """What decides about a drawing of a tree, beside the tree.

    Attributes:
        order: where the largest subtree goes. ``"spiral"``: to the middle of its brothers, always on the same
            side of the middle where they are even; ``"zigzag"``: there on alternating sides; ``"straight"``:
            opposite to the parent.
        power: the sector of a subtree of n nodes is in proportion to n^power; 0 makes equal angles.
        cap: of more than so many nodes it is no larger than of these.
        margin: how much longer an edge is than its angles demand.
        decay: of two neighbouring edges the shorter has at least this part of the longer.
        pendant: the margin and the least length of edges to leaves, in parts of those of other edges.
        shortest: the least length of an edge.
        compression: where the radius runs out, edges on the way to nodes too far out by a factor f shrink by
            f^compression at a time; 0 shrinks all edges alike.
    """

    order: str = "spiral"
    power: float = 0.0
    margin: float = 1.0
    decay: float = 0.7
    pendant: float = 1.0
    shortest: float = 1.0
    compression: float = 0.5
    cap: float = math.inf


def turns(tree: Forest, shape: Shape, *, joined: bool = False) -> Reals:
    """The angle by which the way from the root turns into each edge, ``[N]``: see :func:`place`.

    Around a node, its children and its parent have sectors that fill the circle, in proportion to a power of the
    number of nodes that lie in that direction; each edge runs along the middle of its sector.

    Args:
        tree: with one root.
        shape: order and power count.
        joined: whether the root only joins the components of a graph: then these have sectors in proportion to
            their nodes, so that isolated nodes leave the room to the others.
    """
    weight = np.minimum(tree.size, shape.cap) ** shape.power
    behind = np.minimum(tree.num_nodes - tree.size, shape.cap) ** shape.power
    if joined:
        weight = np.where(tree.depth == 1, tree.size, weight)
    turn = np.zeros(tree.num_nodes)
    largest_first = np.lexsort((-tree.size, tree.parent))
    place_of = np.empty_like(largest_first)
    place_of[largest_first] = np.arange(tree.num_nodes)
    for nodes in tree.levels[1:]:
        brothers = nodes[np.argsort(place_of[nodes])]
        start, count = _groups(tree.parent[brothers])
        rank = np.arange(len(brothers)) - np.repeat(start, count)
        side = np.where(rank % 2 == 0, rank, -rank)
        above = tree.parent[brothers]
        if shape.order == "zigzag":
            side = np.where(turn[above] > 0, -side, side)
        brothers = brothers[np.lexsort((side, above))]
        share, parent = weight[brothers], tree.parent[brothers[start]]
        rest = np.where(tree.parent[parent] < 0, 0.0, behind[parent])
        before = np.cumsum(share) - share
        whole = np.add.reduceat(share, start) + rest
        middle = before - np.repeat(before[start], count) + share / 2 + np.repeat(rest / 2, count)
        turn[brothers] = 2 * np.pi * (middle / np.repeat(whole, count) - 0.5)  # exactly 0 for an only child
        if shape.order == "straight":
            largest = nodes[np.argsort(place_of[nodes])][start]
            inner = tree.parent[parent] >= 0
            bent = np.repeat(np.where(inner, turn[largest], 0.0), count)
            turn[brothers] = _straightened(turn[brothers], bent)
    return turn


def _straightened(turn: Reals, bent: Reals) -> Reals:
    """``turn`` with the angles on either side of ``bent`` stretched or shrunk such that it becomes 0."""
    left = (turn - bent) * np.pi / (np.pi + bent)
    right = (turn - bent) * np.pi / (np.pi - bent)
    return np.where(turn <= bent, left, right)


def _groups(sorted_values: Nodes) -> tuple[Nodes, Nodes]:
    """Where each run of equal values starts, and how long it is."""
    start = np.flatnonzero(np.diff(sorted_values, prepend=-2))
    return start, np.diff(start, append=len(sorted_values))


def nearest_angles(tree: Forest, turn: Reals) -> tuple[Reals, Reals]:
    """Between the edge of each node to its parent and the next edge: ``[N]`` at the parent, ``[N]`` at the node.

    At most π, also where there is no other edge.
    """
    child = np.flatnonzero(tree.parent >= 0)
    node = np.concatenate([tree.parent[child], child])
    angle = np.concatenate([turn[child], np.full(len(child), np.pi)])
    order = np.lexsort((angle, node))
    node, angle = node[order], angle[order]
    start, count = _groups(node)
    after, before = np.roll(angle, -1), np.roll(angle, 1)
    after[start + count - 1] = angle[start] + 2 * np.pi
    before[start] = angle[start + count - 1] - 2 * np.pi
    nearest = np.empty(len(order))
    nearest[order] = np.minimum(np.minimum(after - angle, angle - before), np.pi)
    at_parent, at_node = np.full((2, tree.num_nodes), np.pi)
    at_parent[child], at_node[child] = np.split(nearest, 2)
    return at_parent, at_node


def edge_lengths(tree: Forest, angles: tuple[Reals, Reals], shape: Shape) -> Reals:
    """The length of the edge to the parent, ``[N]``; 0 for the root.

    Of two edges of length ℓ at an angle φ, the ends are about 2ℓ + 2 ln sin(φ/2) apart, and ought to be further
    apart than ℓ: so φ asks for ℓ = −2 ln sin(φ/2), a hub of degree k for −2 ln sin(π/k). An edge follows the
    narrower of the angles at its ends. Long edges have long neighbours: else the nodes two steps away would be
    nearer than those at the end of the long one.

    Args:
        tree: with one root.
        angles: those of :func:`nearest_angles`.
        shape: margin, decay, pendant and shortest count.
    """
    child = tree.parent >= 0
    length, least = np.zeros((2, tree.num_nodes))
    for angle, degree in zip(angles, (tree.degree[tree.parent], tree.degree), strict=True):
        sine = np.sin(angle / 2)
        length = np.maximum(length, np.where(degree > 2, shape.margin - 2 * np.log(sine), 0.0))
        least = np.maximum(least, 2 * np.arccosh(np.maximum(0.5 / sine, 1.0)))
    length = np.where(child, np.maximum(length, shape.shortest), 0.0)
    if shape.decay:
        longest = length.copy()  # of the edges at a node, those further away shortened by the decay
        for nodes in tree.levels[:0:-1]:
            np.maximum.at(longest, tree.parent[nodes], np.maximum(length[nodes], shape.decay * longest[nodes]))
        for nodes in tree.levels[1:]:
            longest[nodes] = np.maximum(longest[nodes], shape.decay * longest[tree.parent[nodes]])
        length = np.maximum(length, shape.decay * np.maximum(longest, longest[tree.parent]))
    length = np.where(tree.degree == 1, np.maximum(shape.pendant * length, least), length)
    return np.where(child, length, 0.0)
