"""Whole drawings: floors of quality, any graph, determinism."""

import os

import networkx as nx
import numpy as np
import pytest
import torch

from hypgraph.data import load_graph
from hypgraph.data.wordnet import load_wordnet
from hypgraph.evaluation.reconstruction import reconstruction
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.hierarchy import HierarchyEmbedding, embed, embed_hierarchy
from hypgraph.hierarchy.embed import Progress
from hypgraph.hierarchy.refinement import Refinement, Schedule
from hypgraph.manifolds import Polar

from .graphs import Edges, Sized, edges_of, grown, random_tree_of_diameter, shuffled

DATA = os.environ.get("HYPGRAPH_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="HYPGRAPH_DATA names no folder with the data sets")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the steps, where it does not matter how good the drawing gets."""
    monkeypatch.setattr(embed, "MOST_STEPS", 150)


def drawn(
    edges: Edges, count: int, dim: int = 2, *, c: float = 1.0, on_progress: Progress | None = None
) -> HierarchyEmbedding:
    generator = torch.Generator().manual_seed(0)
    return embed_hierarchy(edges, count, dim=dim, c=c, generator=generator, on_progress=on_progress)


def check(drawing: HierarchyEmbedding, edges: Edges, count: int, dim: int = 2) -> None:
    """What holds for every drawing."""
    radius, direction = drawing.points
    assert radius.shape == (count,)
    assert direction.shape == (count, dim)
    assert radius.dtype == direction.dtype == torch.float64
    assert radius.min() >= 0
    assert radius.max() * float(drawing.manifold.c_value) ** 0.5 <= 36.0 * (1 + 1e-15)
    assert torch.allclose(direction.norm(dim=1), torch.ones(count, dtype=torch.float64), rtol=1e-12)
    best = max(drawing.candidates, key=lambda candidate: candidate.mean_average_precision)
    assert drawing.method == best.name
    truth = reconstruction(edges, drawing.points, drawing.manifold).mean_average_precision
    assert drawing.mean_average_precision == best.mean_average_precision == pytest.approx(truth, abs=1e-9)


ANY_GRAPH: dict[str, Sized] = {
    "one edge": edges_of(nx.path_graph(2)),
    "a star": edges_of(nx.star_graph(30)),
    "a triangle": edges_of(nx.complete_graph(3)),
    "a complete graph": edges_of(nx.complete_graph(12)),
    "a cycle": edges_of(nx.cycle_graph(12)),
    "two components": edges_of(nx.disjoint_union(nx.balanced_tree(2, 3), nx.cycle_graph(5))),
    "isolated nodes": (np.array([[2, 3, 3], [3, 5, 2]]), 9),
    "a bipartite graph": edges_of(nx.complete_bipartite_graph(4, 5)),
    "cliques in a chain": edges_of(nx.ring_of_cliques(4, 4)),
}


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", ANY_GRAPH)
def test_any_graph_is_drawn_within_the_largest_radius(name: str) -> None:
    edges, count = ANY_GRAPH[name]
    drawing = drawn(edges, count)
    check(drawing, edges, count)
    assert drawing.mean_average_precision > 0.55


@pytest.mark.parametrize("dim", [3, 5])
def test_more_dimensions(dim: int) -> None:
    edges, count = edges_of(nx.grid_2d_graph(4, 4))
    drawing = drawn(edges, count, dim)
    check(drawing, edges, count, dim)
    assert drawing.mean_average_precision > 0.95
    assert any(candidate.name.startswith("random") for candidate in drawing.candidates)


def test_a_tree_is_kept_as_it_was_constructed() -> None:
    edges, count = edges_of(nx.balanced_tree(2, 6))
    drawing = drawn(edges, count)
    assert drawing.mean_average_precision >= 0.999
    assert "refined" not in drawing.method


def test_a_graph_with_cycles_is_improved_and_every_candidate_is_told() -> None:
    graph, lines = load_graph("karate"), list[str]()
    drawing = drawn(graph.edge_index.numpy(), 34, on_progress=lines.append)
    check(drawing, graph.edge_index.numpy(), 34)
    assert drawing.mean_average_precision >= 0.9
    unrefined = [x.mean_average_precision for x in drawing.candidates if "refined" not in x.name]
    assert drawing.mean_average_precision > max(unrefined) + 0.05
    assert len(lines) == len(drawing.candidates)
    for line, candidate in zip(lines, drawing.candidates, strict=True):
        assert line.startswith(f"{candidate.name}: mAP {candidate.mean_average_precision:.4f}")
        assert "\n" not in line
        assert candidate.seconds > 0


@pytest.mark.usefixtures("short")
def test_the_same_generator_draws_the_same_picture() -> None:
    edges, count = edges_of(nx.ring_of_cliques(3, 4))
    first, second = drawn(edges, count, 3), drawn(edges, count, 3)
    assert torch.equal(first.points.radius, second.points.radius)
    assert torch.equal(first.points.direction, second.points.direction)
    assert first.method == second.method


@pytest.mark.usefixtures("short")
def test_directions_repetitions_and_loops_do_not_matter() -> None:
    edges, count = edges_of(nx.ring_of_cliques(3, 4))
    loops = np.array([[1, 4], [1, 4]])
    again = np.concatenate([edges[::-1], edges[:, :5], loops], axis=1)
    assert torch.equal(drawn(edges, count).points.radius, drawn(again, count).points.radius)


@pytest.mark.usefixtures("short")
def test_curvature_is_the_unit_of_length() -> None:
    edges, count = edges_of(nx.ring_of_cliques(3, 4))
    one, other = drawn(edges, count), drawn(edges, count, c=0.25)
    check(other, edges, count)
    assert torch.equal(other.points.radius, 2 * one.points.radius)
    assert torch.equal(other.points.direction, one.points.direction)
    assert other.manifold.c == 0.25


@pytest.mark.usefixtures("short")
def test_ctrl_c_ends_it_at_once() -> None:
    def interrupt(line: str) -> None:
        if "refined" in line:
            raise KeyboardInterrupt

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyboardInterrupt):
            drawn(*edges_of(nx.grid_2d_graph(5, 5)), on_progress=interrupt)
        assert torch.get_num_threads() == 2  # which the drawing had set to one
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("edges", "count"), [(np.empty((2, 0), dtype=np.int64), 1), (np.array([[0], [0]]), 2), (np.empty((2, 0)), 0)]
)
def test_a_graph_without_edges_is_an_error(edges: Edges, count: int) -> None:
    with pytest.raises(DataError, match="at least one edge"):
        drawn(edges, count)


def test_bad_arguments_are_errors() -> None:
    with pytest.raises(ConfigError, match="dim must be at least 2, got 1"):
        drawn(np.array([[0], [1]]), 2, 1)
    with pytest.raises(ConfigError, match="c must be a positive"):
        drawn(np.array([[0], [1]]), 2, c=0.0)
    with pytest.raises(DataError, match="holds nodes 0 to 5"):
        drawn(np.array([[0], [5]]), 2)


def test_the_work_is_bounded_by_the_number_of_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []

    class Counted(Schedule):
        def __new__(cls, count: int, length: float, beta: tuple[float, float]) -> "Counted":
            steps.append(count)
            return super().__new__(cls, 1, length, beta)

    monkeypatch.setattr(embed, "Schedule", Counted)
    drawn(*edges_of(nx.grid_2d_graph(5, 5)))
    assert steps[-1] == embed.ROUNDS[-1].share * embed.MOST_STEPS
    assert sum(steps) <= embed.MOST_STEPS


@pytest.mark.usefixtures("short")
def test_a_run_that_gained_nothing_is_followed_by_one_with_shorter_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[float] = []

    def no_gain(_: Refinement, start: Polar, schedule: Schedule, *, quality: float) -> tuple[Polar, float]:
        lengths.append(schedule.length)
        return start, quality or 0.1

    monkeypatch.setattr(Refinement, "run", no_gain)
    drawn(*edges_of(nx.grid_2d_graph(5, 5)))
    first, again, further = embed.ROUNDS
    assert lengths[0] == first.length
    assert lengths[-2] == pytest.approx(again.length / 5)
    assert lengths[-1] == pytest.approx(further.length / 25)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tree", "floor"),
    [
        (edges_of(nx.balanced_tree(2, 8)), 0.999),
        (grown(500, seed=0), 0.999),
        (random_tree_of_diameter(88, 500), 0.97),
    ],
    ids=["binary", "random recursive", "of diameter 88"],
)
def test_floors_of_trees(tree: Sized, floor: float) -> None:
    edges, count = shuffled(*tree)
    drawing = drawn(edges, count)
    check(drawing, edges, count)
    assert drawing.mean_average_precision >= floor


@pytest.mark.slow
@needs_data
@pytest.mark.parametrize(
    ("name", "dim", "floor"),
    [
        ("phylo", 2, 0.99),
        ("disease", 2, 0.995),
        ("csphd", 2, 0.97),
        ("diseasome", 2, 0.89),
        ("diseasome", 5, 0.96),
        ("wordnet-mammals", 2, 0.95),
    ],
)
def test_floors_of_data_sets(name: str, dim: int, floor: float) -> None:
    graph = load_graph(name)
    edges = graph.edge_index.numpy()
    drawing = drawn(edges, graph.num_nodes, dim)
    check(drawing, edges, graph.num_nodes, dim)
    assert drawing.mean_average_precision >= floor


@pytest.mark.slow
@needs_data
def test_the_floor_of_the_reduction_of_a_closure() -> None:
    graph = load_wordnet("wordnet-mammals", directed=True)
    closure = nx.DiGraph(graph.edge_index.T.tolist())
    edges = np.array(nx.transitive_reduction(closure).edges, dtype=np.int64).T
    assert drawn(edges, graph.num_nodes).mean_average_precision >= 0.99
