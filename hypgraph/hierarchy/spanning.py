"""Rooted spanning forests of graphs: what a drawing is constructed from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree

__all__ = ["Forest", "ancestor_forest", "spanning_forests"]

# Pairs of neighbours looked at to find triangles; beyond (cliques of thousands) no tree resembles the graph.
MOST_WEDGES = 10_000_000
WEDGES_A_BLOCK = 1_000_000

Nodes = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forest:
    """Rooted trees over all nodes.

    Attributes:
        parent: ``[N]``, −1 for a root.
        depth: ``[N]``, steps to the root.
    """

    parent: Nodes
    depth: Nodes

    @property
    def num_nodes(self) -> int:
        """The number of nodes N."""
        return len(self.parent)

    @property
    def edge_index(self) -> Nodes:
        """``[2, N − roots]``: each parent above its child."""
        child = np.flatnonzero(self.parent >= 0)
        return np.stack([self.parent[child], child])

    @property
    def roots(self) -> Nodes:
        """The nodes without a parent, one a tree."""
        return np.flatnonzero(self.parent < 0)

    @cached_property
    def levels(self) -> list[Nodes]:
        """The nodes of each depth, roots first; brothers stand together."""
        order = np.lexsort((self.parent, self.depth))
        return np.split(order, np.cumsum(np.bincount(self.depth))[:-1]) if len(order) else []

    @cached_property
    def size(self) -> Nodes:
        """``[N]``: the nodes of each subtree, its top included."""
        size = np.ones(self.num_nodes, dtype=np.int64)
        for nodes in self.levels[:0:-1]:
            np.add.at(size, self.parent[nodes], size[nodes])
        return size

    @cached_property
    def degree(self) -> Nodes:
        """``[N]``: neighbours in the forest."""
        return np.bincount(self.edge_index.ravel(), minlength=self.num_nodes)


def spanning_forests(edge_index: ArrayLike, num_nodes: int, *, directed: bool = False) -> dict[str, Forest]:
    """The spanning forests that are worth drawing, by name; there is one where the graph has no cycle.

    Rooted in the middle of a longest path, a tree is no deeper than half of its diameter. Of a graph with cycles:

    - ``"centre"``: breadth first from the centre, so that distances from there are those of the graph;
    - ``"hub"``: breadth first from the node with the most neighbours;
    - ``"similar"``: edges whose ends have the same neighbours, by the cosine of their closed neighbourhoods
      (a maximum spanning forest): a tree of communities. Not of graphs as dense as a clique of 1,000 nodes;
    - ``"ancestors"``: for closures and other graphs of "is a", see :func:`ancestor_forest`. It has a root wherever
      a node has no ancestor, so that it need not span a component.

    Args:
        edge_index: ``(2, E)``; repetitions and self-loops do not matter.
        num_nodes: N.
        directed: whether the directions of the edges say who is above whom.

    >>> {name: forest.parent.tolist() for name, forest in spanning_forests([[0, 1, 2], [1, 2, 3]], 5).items()}
    {'tree': [1, -1, 1, 2, -1]}
    """
    pairs = np.asarray(edge_index, dtype=np.int64).reshape(2, -1)
    pairs = pairs[:, pairs[0] != pairs[1]]
    adjacency = _adjacency(pairs, num_nodes)
    centre = _breadth_first(adjacency, _centres(adjacency))
    if adjacency.nnz // 2 == num_nodes - len(centre.roots):
        return {"tree": centre}
    degree = np.diff(adjacency.indptr)
    component = connected_components(adjacency, directed=False)[1]
    forests = {"centre": centre, "hub": _breadth_first(adjacency, _first_of(component, -degree))}
    similar = _most_similar(adjacency)
    if similar is not None:
        forests["similar"] = _rooted(similar)
    forests["ancestors"] = ancestor_forest(pairs, num_nodes, directed=directed)
    return forests


def ancestor_forest(edge_index: ArrayLike, num_nodes: int, *, directed: bool = False) -> Forest:
    """One parent for each node of a graph whose edges join nodes to their ancestors: the deepest one.

    The depth of a node is the number of edges of the longest path from a node without ancestors. An edge from a
    node to its deepest neighbour above belongs to the transitive reduction: a detour would pass one yet deeper. So
    this is a forest of the reduction, at the cost of sorting, whether or not the graph is transitively closed.

    Of a directed graph without directed cycles, the directions count: above is the side where fewer nodes end
    (closures of "is a" end in few tops and in many leaves). Otherwise above is the end with more neighbours, which
    in the closure of a tree is the ancestor: the neighbours of a node, its ancestor apart, are those of the
    ancestor too.

    Args:
        edge_index: ``(2, E)``; repetitions and self-loops do not matter.
        num_nodes: N.
        directed: whether the directions count.

    Returns:
        Rooted at the nodes without ancestors: a component may hold several trees.

    >>> ancestor_forest([[1, 2, 2], [0, 0, 1]], 3, directed=True).parent  # dog, animal
    array([-1,  0,  1])
    >>> ancestor_forest([[1, 2, 2, 3], [0, 0, 1, 0]], 4).parent
    array([-1,  0,  1,  0])
    """
    pairs = np.asarray(edge_index, dtype=np.int64).reshape(2, -1)
    pairs = pairs[:, pairs[0] != pairs[1]]
    below, above = np.unique(pairs, axis=1)
    longest = None
    if directed:
        tops, bottoms = (num_nodes - len(np.unique(side)) for side in (below, above))
        if bottoms < tops:
            below, above = above, below
        longest = _longest_depth(below, above, num_nodes)
    if longest is None:
        adjacency = _adjacency(pairs, num_nodes)
        order = np.lexsort((-np.arange(num_nodes), np.diff(adjacency.indptr)))
        rank = np.argsort(order)
        below, above = order[np.unique(np.sort(rank[pairs], axis=0), axis=1)]
        longest = _longest_depth(below, above, num_nodes)
        if longest is None:
            raise AssertionError("edges along an order of the nodes make no cycle")
    parent = np.full(num_nodes, -1, dtype=np.int64)
    by_depth = np.argsort(longest[above], kind="stable")  # of several entries for one node the last stays
    parent[below[by_depth]] = above[by_depth]
    return Forest(parent, _depth(parent))


def _depth(parent: Nodes) -> Nodes:
    """Steps to the root: the way up is doubled until all have arrived."""
    above = np.append(np.where(parent < 0, len(parent), parent), len(parent))
    depth = np.append(np.where(parent < 0, 0, 1), 0)
    while (above < len(parent)).any():
        depth, above = depth + depth[above], above[above]
    return depth[:-1]


def _longest_depth(below: Nodes, above: Nodes, num_nodes: int) -> Nodes | None:
    """Edges of the longest path down to each node; None where there is a directed cycle (Kahn 1962)."""
    down = csr_array((np.ones(len(below), dtype=np.int64), (above, below)), shape=(num_nodes, num_nodes))
    waiting = np.bincount(below, minlength=num_nodes)
    depth = np.full(num_nodes, -1, dtype=np.int64)
    front, step = np.flatnonzero(waiting == 0), 0
    while len(front):
        depth[front] = step
        reached, times = np.unique(down.indices[_ranges(down.indptr, front)], return_counts=True)
        waiting[reached] -= times
        front, step = reached[waiting[reached] == 0], step + 1
    return None if (depth < 0).any() else depth


def _ranges(indptr: Nodes, rows: Nodes) -> Nodes:
    """Positions of the entries of some rows of a sparse matrix, row after row."""
    count = indptr[rows + 1] - indptr[rows]
    before = np.cumsum(count) - count
    positions: Nodes = np.arange(count.sum()) + np.repeat(indptr[rows] - before, count)
    return positions


def _adjacency(pairs: Nodes, num_nodes: int) -> csr_array:
    both = np.concatenate([pairs, pairs[::-1]], axis=1)
    adjacency = coo_array((np.ones(both.shape[1]), (both[0], both[1])), shape=(num_nodes, num_nodes)).tocsr()
    adjacency.data[:] = 1.0
    return adjacency


def _first_of(component: Nodes, key: Nodes) -> Nodes:
    """The node with the smallest key of each component."""
    order = np.lexsort((np.arange(len(component)), key, component))
    return order[np.unique(component[order], return_index=True)[1]]


def _breadth_first(adjacency: csr_array, roots: Nodes) -> Forest:
    """Shortest paths from one root a component, all at once from one more node that is linked to the roots."""
    count = adjacency.shape[0]
    indptr = np.append(adjacency.indptr, adjacency.nnz + len(roots))
    indices = np.concatenate([adjacency.indices, roots])
    joined = csr_array((np.ones(len(indices)), indices, indptr), shape=(count + 1, count + 1))
    distance, before = dijkstra(joined, unweighted=True, indices=count, return_predecessors=True)
    parent = before[:count].astype(np.int64)
    return Forest(np.where(parent == count, -1, parent), distance[:count].astype(np.int64) - 1)


def _centres(adjacency: csr_array) -> Nodes:
    """The middle of a longest path of each component; of one that two sweeps find, where there are cycles."""
    component = connected_components(adjacency, directed=False)[1].astype(np.int64)
    anywhere = _first_of(component, np.zeros(len(component), dtype=np.int64))
    end = _first_of(component, -_breadth_first(adjacency, anywhere).depth)
    sweep = _breadth_first(adjacency, end)
    middle = _first_of(component, -sweep.depth)
    steps = sweep.depth[middle] // 2
    for step in range(int(steps.max(initial=0))):
        middle = np.where(step < steps, sweep.parent[middle], middle)
    return middle


def _rooted(forest: csr_array) -> Forest:
    """A forest, given as a matrix, hung up at its centres."""
    adjacency = _adjacency(np.stack(forest.nonzero()).astype(np.int64), forest.shape[0])
    return _breadth_first(adjacency, _centres(adjacency))


def _most_similar(adjacency: csr_array) -> csr_array | None:
    """The spanning forest of the largest cosines (|N(u)∩N(v)| + 2) / √((1+|N(u)|)(1+|N(v)|)) of edges."""
    below, above = _by_degree(adjacency)
    shared = _triangles(below, above, adjacency.shape[0])
    if shared is None:
        return None
    closed = np.diff(adjacency.indptr) + 1.0
    cosine = (shared + 2.0) / np.sqrt(closed[below] * closed[above])
    return minimum_spanning_tree(csr_array((2.0 - cosine, (below, above)), shape=adjacency.shape))


def _by_degree(adjacency: csr_array) -> tuple[Nodes, Nodes]:
    """Each edge from its end with fewer neighbours to the other, sorted."""
    u, v = (ends.astype(np.int64) for ends in adjacency.nonzero())
    degree = np.diff(adjacency.indptr)
    up = (degree[u] < degree[v]) | ((degree[u] == degree[v]) & (u < v))
    order = np.lexsort((v[up], u[up]))
    return u[up][order], v[up][order]


def _triangles(below: Nodes, above: Nodes, num_nodes: int) -> Nodes | None:
    """In how many triangles each edge is. Seen from its lowest node, a triangle is a pair of edges upwards.

    From lower to higher degree no node has more than √(2E) edges upwards, hubs included, so that the pairs are
    few (Chiba & Nishizeki 1985). None where they are not.
    """
    shared = np.zeros(len(below), dtype=np.int64)
    out = np.bincount(below, minlength=num_nodes)
    end = np.cumsum(out)[below] if len(below) else out[:0]
    later = end - 1 - np.arange(len(below))  # further edges of the same node: each makes a pair
    if later.sum() > MOST_WEDGES:
        return None
    key = below * num_nodes + above
    block = np.cumsum(later) // WEDGES_A_BLOCK
    for first, last in zip(*_runs(block), strict=True):
        pairs = later[first:last]
        one = np.repeat(np.arange(first, last), pairs)
        two = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
        for u, v in ((above[one], above[two]), (above[two], above[one])):
            third = np.searchsorted(key, u * num_nodes + v).clip(max=len(key) - 1)
            closed = key[third] == u * num_nodes + v
            for edge in (one, two, third):
                shared += np.bincount(edge[closed], minlength=len(shared))
    return shared


def _runs(value: Nodes) -> tuple[Nodes, Nodes]:
    """Where runs of equal values start and end."""
    start = np.flatnonzero(np.diff(value, prepend=-1))
    return start, np.append(start[1:], len(value)) if len(start) else start
