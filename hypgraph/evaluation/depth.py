"""Depth where a graph names no root: hops from its most central node."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components, dijkstra

from hypgraph.evaluation.node_pairs import Pairs
from hypgraph.evaluation.training_graph import TrainingGraph

__all__ = ["DepthRow", "hop_depth", "radius_by_depth"]


class DepthRow(NamedTuple):
    """The nodes of one depth: how many they are, and the mean and the extremes of their radii."""

    depth: int
    nodes: int
    mean: float
    smallest: float
    largest: float


def hop_depth(edge_index: Pairs, radius: ArrayLike) -> NDArray[np.int64]:
    """Hops of each node ``[N]`` from the node of its component that has the smallest radius.

    In a hierarchy that is drawn well that node is the root, or near it.

    >>> hop_depth([[0, 1, 3], [1, 2, 4]], [2.0, 0.1, 2.0, 3.0, 1.0]).tolist()
    [1, 0, 1, 1, 0]
    """
    lengths = np.asarray(radius, dtype=np.float64)
    if not len(lengths):
        return np.zeros(0, dtype=np.int64)
    adjacency = TrainingGraph.from_edges(edge_index, len(lengths)).adjacency
    _, component = connected_components(adjacency, directed=False)
    order = np.lexsort((lengths, component))
    roots = order[np.diff(component[order], prepend=-1) > 0]
    hops = dijkstra(adjacency, unweighted=True, indices=roots, min_only=True)
    return np.asarray(hops, dtype=np.int64)


def radius_by_depth(depth: NDArray[np.int64], radius: ArrayLike) -> list[DepthRow]:
    """How far out the nodes of each depth lie, from the root on; radii are geodesic lengths.

    >>> radius_by_depth(np.array([0, 1, 1]), [0.0, 1.0, 3.0])[1]
    DepthRow(depth=1, nodes=2, mean=2.0, smallest=1.0, largest=3.0)
    """
    lengths = np.asarray(radius, dtype=np.float64)
    return [
        DepthRow(int(level), len(group), float(group.mean()), float(group.min()), float(group.max()))
        for level in np.unique(depth)
        if len(group := lengths[depth == level])
    ]
