import time

import networkx as nx
import numpy as np
import pytest

from hypgraph.hierarchy.spanning import Forest, _by_degree, _triangles, ancestor_forest, spanning_forests
from hypgraph.hierarchy.spanning import _adjacency as adjacency_of
from tests.hierarchy.graphs import closure, edges_of, grown, shuffled


def as_graph(edges: np.ndarray, count: int) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(edges.T.tolist())
    return graph


def random_graph(count: int, edges: int, seed: int) -> tuple[np.ndarray, int]:
    """With several components, repeated edges in both directions, and self-loops."""
    draw = np.random.default_rng(seed)
    pairs = draw.integers(count, size=(2, edges))
    return np.concatenate(
        [pairs, pairs[::-1, : edges // 3], np.arange(3) * np.ones((2, 1), dtype=np.int64)], axis=1
    ), count


def is_consistent(forest: Forest) -> None:
    child = np.flatnonzero(forest.parent >= 0)
    assert (forest.depth[child] == forest.depth[forest.parent[child]] + 1).all()
    assert (forest.depth[forest.roots] == 0).all()
    assert sorted(np.concatenate([*forest.levels, []]).tolist()) == list(range(forest.num_nodes))


@pytest.mark.parametrize("seed", range(6))
def test_forests_span_every_component_with_edges_of_the_graph(seed: int) -> None:
    edges, count = random_graph(60, [20, 40, 60, 90, 200, 600][seed], seed)
    graph = as_graph(edges, count)
    forests = spanning_forests(edges, count)
    for name, forest in forests.items():
        is_consistent(forest)
        assert all(graph.has_edge(u, v) for u, v in forest.edge_index.T.tolist())
        if name != "ancestors":
            spanned = as_graph(forest.edge_index, count)
            assert set(map(frozenset, nx.connected_components(spanned))) == set(
                map(frozenset, nx.connected_components(graph))
            )
    graph.remove_edges_from(nx.selfloop_edges(graph))
    assert (set(forests) == {"tree"}) == nx.is_forest(graph)


@pytest.mark.parametrize("seed", range(5))
def test_trees_are_rooted_at_their_centre(seed: int) -> None:
    """The centre of NetworkX: the nodes of least eccentricity."""
    edges, count = shuffled(*grown(80, seed), seed)
    (forest,) = spanning_forests(edges, count).values()
    tree = as_graph(edges, count)
    assert forest.roots[0] in nx.center(tree)
    assert forest.depth.max() == nx.radius(tree)


def test_sizes_are_the_nodes_of_subtrees() -> None:
    edges, count = grown(70, seed=1)
    (forest,) = spanning_forests(edges, count).values()
    down = nx.DiGraph(forest.edge_index.T.tolist())
    assert [len(nx.descendants(down, node)) + 1 for node in range(count)] == forest.size.tolist()


def test_breadth_first_forests_keep_distances_from_their_root() -> None:
    edges, count = edges_of(nx.connected_watts_strogatz_graph(80, 4, 0.2, seed=3))
    forests = spanning_forests(edges, count)
    for name in ("centre", "hub"):
        root = int(forests[name].roots[0])
        steps = nx.single_source_shortest_path_length(as_graph(edges, count), root)
        assert forests[name].depth.tolist() == [steps[node] for node in range(count)]
    degree = np.bincount(edges.ravel())
    assert degree[forests["hub"].roots[0]] == degree.max()


def test_similar_ends_make_the_maximum_spanning_forest_of_cosines() -> None:
    graph = nx.powerlaw_cluster_graph(70, 3, 0.6, seed=2)
    edges, count = edges_of(graph)
    closed = {node: {node, *graph[node]} for node in graph}
    for u, v in graph.edges:
        graph[u][v]["weight"] = len(closed[u] & closed[v]) / np.sqrt(len(closed[u]) * len(closed[v]))
    best = sum(data["weight"] for _, _, data in nx.maximum_spanning_edges(graph, data=True))
    forest = spanning_forests(edges, count)["similar"]
    assert sum(graph[u][v]["weight"] for u, v in forest.edge_index.T.tolist()) == pytest.approx(best)


@pytest.mark.parametrize(
    "graph",
    [
        nx.gnp_random_graph(60, 0.2, seed=0),
        nx.complete_graph(25),
        nx.barabasi_albert_graph(300, 4, seed=1),
        nx.star_graph(50),
        nx.empty_graph(4),
    ],
    ids=["random", "clique", "hubs", "star", "no edge"],
)
def test_triangles_of_each_edge_are_counted(graph: nx.Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    edges, count = edges_of(graph)
    below, above = _by_degree(adjacency_of(edges, count))
    for block in (7, 1_000_000):
        monkeypatch.setattr("hypgraph.hierarchy.spanning.WEDGES_A_BLOCK", block)
        shared = _triangles(below, above, count)
        assert shared is not None
        pairs = zip(below.tolist(), above.tolist(), strict=True)
        assert shared.tolist() == [len(list(nx.common_neighbors(graph, u, v))) for u, v in pairs]


def test_graphs_with_too_many_wedges_have_no_forest_of_similar_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypgraph.hierarchy.spanning.MOST_WEDGES", 100)
    assert "similar" not in spanning_forests(*edges_of(nx.complete_graph(12)))


@pytest.mark.parametrize("direction", [1, -1], ids=["to the ancestor", "from the ancestor"])
def test_of_a_directed_graph_parents_are_edges_of_the_transitive_reduction(direction: int) -> None:
    """A random order: few tops, as every node but these has one or two nodes above."""
    draw = np.random.default_rng(0)
    graph = nx.DiGraph((node, int(draw.integers(node))) for node in range(3, 120) for _ in range(2))
    whole = nx.transitive_closure(graph)
    reduced = nx.transitive_reduction(whole)
    for given in (graph, whole, reduced):
        pairs = np.array(given.edges).T[::direction]
        forest = ancestor_forest(pairs, 120, directed=True)
        is_consistent(forest)
        assert all(reduced.has_edge(child, parent) for parent, child in forest.edge_index.T.tolist())
        assert set(forest.roots) == {node for node in range(120) if graph.out_degree(node) == 0}


@pytest.mark.parametrize("seed", range(4))
def test_a_tree_is_found_again_in_its_undirected_closure(seed: int) -> None:
    """Up to twins: nodes of a path without branches, which have the same neighbours in the closure."""
    edges, count = grown(90, seed)
    pairs, _ = shuffled(*closure(edges, count), seed)
    found = ancestor_forest(pairs, count)
    assert set(map(frozenset, pairs.T.tolist())) == set(map(frozenset, closure_of(found)))


def closure_of(forest: Forest) -> list[tuple[int, int]]:
    pairs = []
    for node in range(forest.num_nodes):
        above = int(forest.parent[node])
        while above >= 0:
            pairs.append((node, above))
            above = int(forest.parent[above])
    return pairs


def test_directed_cycles_are_treated_as_an_undirected_graph() -> None:
    pairs = np.array([[0, 1, 2, 3], [1, 2, 0, 0]])
    directed, undirected = (ancestor_forest(pairs, 4, directed=flag) for flag in (True, False))
    assert directed.parent.tolist() == undirected.parent.tolist()
    is_consistent(directed)


def test_deep_and_wide_graphs_take_no_long() -> None:
    began = time.process_time()
    for graph, count in (
        (nx.star_graph(10_000), 10_001),
        (nx.path_graph(10_000), 10_000),
        (nx.empty_graph(20_000), 20_000),
    ):
        (forest,) = spanning_forests(np.array(list(graph.edges)).reshape(-1, 2).T, count).values()
        is_consistent(forest)
    assert time.process_time() - began < 10


def test_without_nodes_there_is_an_empty_forest() -> None:
    (forest,) = spanning_forests(np.empty((2, 0)), 0).values()
    assert forest.num_nodes == 0
    assert forest.levels == []
