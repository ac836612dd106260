from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest
import torch

from hypgraph.evaluation.embedding_quality import embedding_quality
from hypgraph.evaluation.reconstruction import reconstruction
from hypgraph.hierarchy.judge import ENOUGH, Judge
from hypgraph.hierarchy.shape_search import search
from hypgraph.hierarchy.spanning import spanning_forests
from hypgraph.manifolds import PoincareBall, Polar
from tests.hierarchy.graphs import edges_of, grown

PLANE = PoincareBall(2)


def scattered(count: int, radius: float, seed: int) -> Polar:
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.rand(count, dtype=torch.float64, generator=generator)
    far = radius * torch.rand(count, dtype=torch.float64, generator=generator)
    return Polar(far, torch.stack([angle.cos(), angle.sin()], dim=1))


@pytest.mark.parametrize("radius", [0.5, 6.0, 36.0])
def test_precision_of_all_nodes_is_that_of_the_reconstruction(radius: float) -> None:
    edges, count = edges_of(nx.barabasi_albert_graph(150, 3, seed=0))  # also a hub of more than 16
    forest = spanning_forests(edges, count)["centre"]
    points = scattered(count, radius, seed=1)
    expected = reconstruction(edges, points, PLANE).mean_average_precision
    assert Judge(edges, forest).precision(points) == pytest.approx(expected, abs=1e-12)


def test_ties_count_against_the_drawing() -> None:
    edges, count = edges_of(nx.path_graph(11))
    same = Polar(torch.zeros(count).double(), torch.zeros(count, 2).double())
    expected = (2 * 1 / 10 + 9 * 2 / 10) / 11
    assert Judge(edges, spanning_forests(edges, count)["tree"]).precision(same) == pytest.approx(expected)


def test_distortion_is_that_of_the_embedding_quality() -> None:
    edges, count = grown(60, seed=2)
    points = scattered(count, 8.0, seed=3)
    expected = embedding_quality(edges, points, PLANE).scaled_distortion.mean
    assert Judge(edges, spanning_forests(edges, count)["tree"]).distortion(points) == pytest.approx(
        expected, rel=1e-6
    )


def test_precision_of_a_large_graph_is_estimated_from_some_of_its_nodes() -> None:
    edges, count = grown(6000, seed=5)
    points = scattered(count, 10.0, seed=6)
    close = points.radius[edges[1]].clone()
    points.radius[edges[0]] = close  # some structure
    judge = Judge(edges, spanning_forests(edges, count)["tree"])
    assert len(judge._sources) < 1000
    expected = reconstruction(edges, points, PLANE).mean_average_precision
    assert judge.precision(points) == pytest.approx(expected, abs=5e-3)


def test_a_graph_without_edges_is_drawn_perfectly() -> None:
    judge = Judge(np.empty((2, 0), dtype=np.int64), spanning_forests(np.empty((2, 0)), 3)["tree"])
    points = scattered(3, 1.0, seed=0)
    assert judge.precision(points) == 1.0
    assert judge.distortion(points) == 0.0


class Two(NamedTuple):
    first: int
    second: int


class Bowl(Judge):
    """Instead of a drawing its radii are judged: best at 3 and 7."""

    def __init__(self) -> None:
        self.calls = 0

    def precision(self, points: Polar) -> float:
        self.calls += 1
        a, b = points.radius.tolist()
        return 1.0 - 0.01 * (abs(a - 3) + abs(b - 7)) - 1e-3


def at(shape: Two) -> Polar:
    return Polar(torch.tensor(shape).double(), torch.zeros(2, 2))


def test_the_search_walks_to_the_best_shape_and_stops_there() -> None:
    values = {"first": range(10), "second": range(10)}
    tried = search(at, judge := Bowl(), shapes=[Two(9, 9), Two(0, 0), Two(9, 6)], values=values, most=100)
    assert max(tried, key=lambda one: one.precision).shape == Two(3, 7)
    assert len(tried) == len({one.shape for one in tried}) == judge.calls < 40


def test_the_search_makes_no_more_drawings_than_allowed() -> None:
    values = {"first": range(10), "second": range(10)}
    assert len(search(at, Bowl(), shapes=[Two(9, 9), Two(0, 0)], values=values, most=1)) == 1
    assert len(search(at, Bowl(), shapes=[Two(9, 9), Two(0, 0)], values=values, most=5)) == 5


def test_the_search_ends_with_the_first_perfect_drawing() -> None:
    class Perfect(Bowl):
        def precision(self, points: Polar) -> float:
            return ENOUGH if points.radius[0] == 1 else 0.5

    shapes = [Two(0, 0), Two(1, 0), Two(2, 0)]
    tried = search(at, Perfect(), shapes=shapes, values={"first": range(3), "second": range(3)}, most=100)
    assert [one.shape for one in tried] == shapes[:2]
