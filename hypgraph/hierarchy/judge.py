"""How good a drawing in the plane is, fast enough to compare a hundred of them."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from hypgraph.hierarchy.spanning import Forest
from hypgraph.manifolds.functional.polar import Polar, dist_polar

__all__ = ["ENOUGH", "Judge"]

ENOUGH = 0.9999
"""The mean average precision that counts as perfect."""

# Pairs whose distances are compared. At least as many nodes are looked at, all of them where that is less.
PAIRS = 4_000_000
LEAST_SOURCES = 128
DISTORTION_SOURCES = 64
# A node with more neighbours has its distances sorted, which is faster than to count them for each neighbour.
COUNTED_NEIGHBOURS = 16
# Relative, of sinh²(d/2): what is nearer to a tie than rounding counts as one.
TIE = 1e-12

Nodes = NDArray[np.int64]


class Judge:
    """Compares drawings with the graph, from all nodes of a small one or from some of a large one.

    These are evenly spread over the degrees, and over the levels within a degree: nothing is drawn at random.

    Args:
        edges: ``[2, E]`` of the graph; self-loops and repetitions do not matter.
        forest: one that spans it.
    """

    def __init__(self, edges: Nodes, forest: Forest) -> None:
        count = forest.num_nodes
        edges = edges[:, edges[0] != edges[1]]
        both = np.concatenate([edges, edges[::-1]], axis=1)
        self._adjacency: csr_array = coo_array(
            (np.ones(both.shape[1]), (both[0], both[1])), shape=(count, count)
        ).tocsr()
        degree = np.diff(self._adjacency.indptr)
        self._by_degree: Nodes = np.lexsort((forest.depth, degree))[np.count_nonzero(degree == 0) :]
        self._sources = _spread(self._by_degree, max(LEAST_SOURCES, PAIRS // max(count, 1)))

    def precision(self, points: Polar) -> float:
        """Mean average precision, ties counted against the drawing; 1 where there is no edge."""
        r, u = points.radius.numpy(), points.direction.numpy()
        sinh, precision = np.sinh(r), np.ones(len(self._sources))
        for row, node in enumerate(self._sources):
            square = (u[:, 0] - u[node, 0]) ** 2 + (u[:, 1] - u[node, 1]) ** 2
            key = np.sinh((r - r[node]) / 2) ** 2 + (sinh[node] / 4) * sinh * square  # sinh²(d/2)
            key[node] = np.inf
            start, end = self._adjacency.indptr[node : node + 2]
            near = np.sort(key[self._adjacency.indices[start:end]])
            limit = near * (1 + TIE)
            if len(near) > COUNTED_NEIGHBOURS:
                within = np.searchsorted(np.sort(key), limit, side="right")
            else:
                within = np.array([np.count_nonzero(key <= most) for most in limit])
            precision[row] = np.mean(np.searchsorted(near, limit, side="right") / within)
        return float(precision.mean()) if len(precision) else 1.0

    def distortion(self, points: Polar) -> float:
        """Mean of |s·d/steps − 1| for the factor s that makes it least: 1/s is a weighted median of d/steps."""
        sources, steps = self._steps
        if not len(sources):
            return 0.0
        here = Polar(points.radius[sources, None], points.direction[sources, None])
        distance = dist_polar(here, points, c=1.0).numpy()
        known = np.isfinite(steps) & (steps > 0)
        ratio = np.sort(distance[known] / steps[known])
        below = np.cumsum(ratio)
        median = ratio[np.searchsorted(below, below[-1] / 2)]
        return float(np.mean(np.abs(ratio / median - 1))) if median > 0 else 1.0

    @cached_property
    def _steps(self) -> tuple[Nodes, NDArray[np.float64]]:
        """Some nodes, and the lengths of shortest paths from them."""
        sources = _spread(self._by_degree, DISTORTION_SOURCES)
        return sources, dijkstra(self._adjacency, directed=False, unweighted=True, indices=sources)


def _spread(nodes: Nodes, most: int) -> Nodes:
    """At most so many of the nodes, evenly spread over their order."""
    if len(nodes) <= most:
        return nodes
    return nodes[np.linspace(0, len(nodes) - 1, most).astype(np.int64)]
