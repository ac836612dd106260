import time

import networkx as nx
import numpy as np
import pytest
import torch

from hypgraph.data import load_graph
from hypgraph.evaluation.embedding_quality import embedding_quality
from hypgraph.evaluation.reconstruction import reconstruction
from hypgraph.exceptions import DataError
from hypgraph.hierarchy.judge import Judge
from hypgraph.hierarchy.placement import LARGEST_RADIUS
from hypgraph.hierarchy.sarkar import sarkar
from hypgraph.hierarchy.spanning import spanning_forests
from hypgraph.manifolds import PoincareBall, Polar
from hypgraph.manifolds.functional.polar import dist_polar
from tests.hierarchy.graphs import TREES, Edges, caterpillar, edges_of, grown, random_tree_of_diameter, shuffled

PLANE = PoincareBall(2)


def drawn(edges: Edges, count: int) -> Polar:
    forests = spanning_forests(edges, count)
    return sarkar(next(iter(forests.values())), edges)


def precision(edges: Edges, points: Polar) -> float:
    return reconstruction(edges, points, PLANE).mean_average_precision


def is_proper(points: Polar, count: int) -> None:
    assert points.radius.shape == (count,)
    assert points.direction.shape == (count, 2)
    assert points.radius.dtype == points.direction.dtype == torch.float64
    assert bool((points.radius >= 0).all())
    assert bool((points.radius <= LARGEST_RADIUS).all())
    away = points.radius > 0
    length = torch.linalg.vector_norm(points.direction, dim=1)
    assert torch.allclose(length[away], torch.ones(1).double(), atol=1e-15, rtol=0)
    assert bool((points.direction[~away] == 0).all())


@pytest.mark.parametrize("name", TREES)
def test_neighbours_are_nearest_in_trees_of_many_kinds(name: str) -> None:
    edges, count = shuffled(*TREES[name]())
    points = drawn(edges, count)
    is_proper(points, count)
    assert precision(edges, points) >= 0.98


def test_a_binary_tree_is_drawn_nearly_without_distortion() -> None:
    edges, count = TREES["binary"]()
    points = drawn(edges, count)
    quality = embedding_quality(edges, points, PLANE)
    assert precision(edges, points) >= 0.999
    assert quality.scaled_distortion.mean <= 0.02
    assert float(points.radius.max()) < 25  # no larger than that takes


def test_a_random_recursive_tree_is_given_back() -> None:
    edges, count = grown(500, seed=11)
    assert precision(edges, drawn(edges, count)) >= 0.999


@pytest.mark.slow
def test_a_tree_of_diameter_88_fits_into_the_radius() -> None:
    edges, count = random_tree_of_diameter(88, 1000)
    assert precision(edges, drawn(edges, count)) >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize(("spine", "legs"), [(100, 3), (30, 20)])
def test_caterpillars_fit_into_the_radius(spine: int, legs: int) -> None:
    edges, count = caterpillar(spine, legs)
    assert precision(edges, drawn(edges, count)) >= 0.98


@pytest.mark.parametrize(
    ("name", "forest", "floor"),
    [
        ("phylo", "tree", 0.999),
        pytest.param("disease", "tree", 0.999, marks=pytest.mark.slow),
        pytest.param("csphd", "centre", 0.985, marks=pytest.mark.slow),
        pytest.param("diseasome", "similar", 0.92, marks=pytest.mark.slow),
    ],
)
def test_published_graphs_are_drawn_well_without_refinement(name: str, forest: str, floor: float) -> None:
    try:
        graph = load_graph(name)
    except DataError as error:
        pytest.skip(str(error))
    edges = graph.edge_index.numpy()
    points = sarkar(spanning_forests(edges, graph.num_nodes)[forest], edges)
    assert precision(edges, points) >= floor


def test_components_stay_apart() -> None:
    """Each node is nearer to its own neighbours than to any other component."""
    parts = [nx.balanced_tree(2, 4), nx.star_graph(12), nx.path_graph(7), nx.empty_graph(20)]
    edges, count = edges_of(nx.disjoint_union_all(parts))
    points = drawn(edges, count)
    is_proper(points, count)
    assert precision(edges, points) == 1.0
    component = np.repeat(np.arange(23), [31, 13, 7, *[1] * 20])
    radius, direction = points
    all_distances = dist_polar(Polar(radius[:, None], direction[:, None]), points, c=1.0).numpy()
    between = np.where(component[:, None] == component, np.inf, all_distances).min(axis=1)
    longest = np.zeros(count)
    for end in edges:
        np.maximum.at(longest, end, all_distances[edges[0], edges[1]])
    assert (between > longest).all()
    assert between.min() > 0.5


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_isolated_nodes_are_drawn_at_different_places(count: int) -> None:
    points = drawn(np.empty((2, 0), dtype=np.int64), count)
    is_proper(points, count)
    apart = dist_polar(Polar(points.radius[:, None], points.direction[:, None]), points, c=1.0)
    apart += torch.diag(torch.full((count,), torch.inf).double())
    assert count < 2 or float(apart.min()) > 1.0


def test_a_star_of_10_000_leaves_takes_less_than_two_seconds() -> None:
    count = 10_001
    edges = np.stack([np.zeros(count - 1, dtype=np.int64), np.arange(1, count)])
    began = time.process_time()
    points = drawn(edges, count)
    assert time.process_time() - began < 2.0
    is_proper(points, count)
    some = dist_polar(Polar(points.radius[1:2], points.direction[1:2]), points, c=1.0)
    assert int(some.argsort()[1]) == 0


def test_paths_of_any_length_are_straight_lines() -> None:
    edges, count = edges_of(nx.path_graph(4000))
    points = drawn(edges, count)
    is_proper(points, count)
    assert precision(edges, points) == 1.0
    assert len(points.direction.unique(dim=0)) == 3  # of both halves, and none of the origin


@pytest.mark.slow
def test_20_000_nodes_take_seconds() -> None:
    edges, count = grown(20_000, seed=2)
    began = time.process_time()
    points = drawn(edges, count)
    assert time.process_time() - began < 30
    is_proper(points, count)


def test_distortion_never_outweighs_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    edges, count = caterpillar(50, 3)
    monkeypatch.setattr(Judge, "distortion", Judge.precision)  # as if the worst drawings distorted least
    assert precision(edges, drawn(edges, count)) >= 0.999


def test_the_drawing_is_the_same_every_time() -> None:
    edges, count = TREES["uniformly random"]()
    first, second = drawn(edges, count), drawn(edges, count)
    assert torch.equal(first.radius, second.radius)
    assert torch.equal(first.direction, second.direction)
