"""Trees and closures of many kinds, as ``[2, E]`` edges and a number of nodes."""

from collections.abc import Callable

import networkx as nx
import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.int64]
Sized = tuple[Edges, int]


def edges_of(graph: nx.Graph) -> Sized:
    graph = nx.convert_node_labels_to_integers(graph)
    return np.array(list(graph.edges), dtype=np.int64).reshape(-1, 2).T, graph.number_of_nodes()


def grown(count: int, seed: int) -> Sized:
    """A random recursive tree: each node hangs on one of those before it."""
    draw = np.random.default_rng(seed)
    parent = (draw.random(count - 1) * np.arange(1, count)).astype(np.int64)
    return np.stack([parent, np.arange(1, count)]), count


def shuffled(edges: Edges, count: int, seed: int = 0) -> Sized:
    """The same graph with other numbers for its nodes, its edges in another order and direction."""
    draw = np.random.default_rng(seed)
    edges = draw.permutation(count)[edges][:, draw.permutation(edges.shape[1])]
    return np.where(draw.random(edges.shape[1]) < 0.5, edges, edges[::-1]), count


def caterpillar(spine: int, legs: int) -> Sized:
    graph = nx.path_graph(spine)
    graph.add_edges_from((node, spine + legs * node + leg) for node in range(spine) for leg in range(legs))
    return edges_of(graph)


def broom(handle: int, bristles: int, *, at_both_ends: bool = False) -> Sized:
    graph = nx.path_graph(handle)
    graph.add_edges_from((handle - 1, handle + leaf) for leaf in range(bristles))
    if at_both_ends:
        graph.add_edges_from((0, handle + bristles + leaf) for leaf in range(bristles))
    return edges_of(graph)


def spider(legs: int, length: int) -> Sized:
    graph = nx.Graph()
    for leg in range(legs):
        nx.add_path(graph, [0, *range(1 + leg * length, 1 + (leg + 1) * length)])
    return edges_of(graph)


def star_of_stars(stars: int, leaves: int) -> Sized:
    graph = nx.star_graph(stars)
    graph.add_edges_from(
        (star, 1 + stars * (1 + leaf) + star) for leaf in range(leaves) for star in range(1, stars + 1)
    )
    return edges_of(graph)


def random_tree_of_diameter(diameter: int, count: int) -> Sized:
    """The first uniformly random labelled tree of this diameter."""
    for seed in range(1000):
        tree = nx.random_labeled_tree(count, seed=seed)
        if nx.diameter(tree) == diameter:
            return edges_of(tree)
    raise AssertionError(f"no tree of diameter {diameter} among 1,000")


def closure(edges: Edges, count: int, root: int = 0) -> Sized:
    """Every node of a tree joined to all its ancestors, from the lower to the higher."""
    tree = nx.Graph()
    tree.add_nodes_from(range(count))
    tree.add_edges_from(edges.T.tolist())
    above = dict(nx.bfs_predecessors(tree, root))
    pairs = []
    for node in range(count):
        up = node
        while up in above:
            up = above[up]
            pairs.append((node, up))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T, count


TREES: dict[str, Callable[[], Sized]] = {
    "binary": lambda: edges_of(nx.balanced_tree(2, 8)),
    "ternary": lambda: edges_of(nx.balanced_tree(3, 5)),
    "ten-ary": lambda: edges_of(nx.balanced_tree(10, 2)),
    "random recursive": lambda: grown(500, seed=0),
    "preferential attachment": lambda: edges_of(nx.barabasi_albert_graph(500, 1, seed=1)),
    "uniformly random": lambda: edges_of(nx.random_labeled_tree(400, seed=3)),
    "path": lambda: edges_of(nx.path_graph(500)),
    "star": lambda: edges_of(nx.star_graph(400)),
    "star of stars": lambda: star_of_stars(20, 20),
    "caterpillar": lambda: caterpillar(40, 1),
    "caterpillar with two legs": lambda: caterpillar(50, 2),
    "broom": lambda: broom(30, 60),
    "broom with two ends": lambda: broom(40, 100, at_both_ends=True),
    "spider of three long legs": lambda: spider(3, 100),
    "spider of twenty legs": lambda: spider(20, 20),
    "binomial": lambda: edges_of(nx.binomial_tree(9)),
    "full and uneven": lambda: edges_of(nx.full_rary_tree(4, 400)),
}
