import math
import runpy
import sys
from pathlib import Path
from typing import Any

import mpmath as mp
import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from hypgraph.evaluation import Reconstruction, embedding_quality, reconstruction
from hypgraph.exceptions import DataError, NumericalError
from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar

from .graphs import edges_of, random_graphs

# The package exports a function of the module's name.
module = sys.modules[reconstruction.__module__]


def random_polar(count: int, dim: int, largest: float, seed: int) -> Polar:
    """Half of the points near the largest radius, some of those in almost the same direction."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(count, dim))
    direction[: count // 4] = direction[0] + direction[: count // 4] * 10.0 ** -rng.uniform(1, 14, (count // 4, 1))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    radius = largest * np.where(np.arange(count) % 2, rng.uniform(0, 1, count), rng.uniform(0.95, 1, count))
    return Polar(torch.from_numpy(radius), torch.from_numpy(direction))


def exact_distance(points: Polar, manifold: Manifold, a: int, b: int) -> Any:
    """At 60 digits, by the law of cosines; 1 - cos of the angle from the chord of the directions."""
    r, s = (mp.mpf(points.radius[i].item()) for i in (a, b))
    u, w = ([mp.mpf(x) for x in points.direction[i].tolist()] for i in (a, b))
    if manifold.c_value == 0:
        return mp.sqrt(sum((r * x - s * y) ** 2 for x, y in zip(u, w, strict=True)))
    k = mp.sqrt(mp.mpf(manifold.c_value))
    versine = sum((x - y) ** 2 for x, y in zip(u, w, strict=True)) / 2
    return mp.acosh(mp.cosh(k * (r - s)) + mp.sinh(k * r) * mp.sinh(k * s) * versine) / k


def by_definition(graph: nx.Graph, distance: Any) -> tuple[float, float]:
    """Node by node and neighbour by neighbour; ``distance(a, b)`` as exact as it comes."""
    precisions, ranks = [], []
    for a in graph:
        lengths = {b: distance(a, b) for b in graph if b != a}
        mine = []
        for b in graph[a]:
            bound = lengths[b] + max(5e-13, 4e-15 * lengths[b])
            within = [w for w in lengths if lengths[w] <= bound]
            found = sum(graph.has_edge(a, w) for w in within)
            mine.append(found / len(within))
            ranks.append(1 + len(within) - found)
        if mine:
            precisions.append(sum(mine) / len(mine))
    return sum(precisions) / len(precisions), sum(ranks) / len(ranks)


def ray(radius: list[float], dim: int = 2) -> Polar:
    direction = torch.zeros(len(radius), dim, dtype=torch.float64)
    direction[:, 0] = 1.0
    return Polar(torch.tensor(radius, dtype=torch.float64), direction)


def polygon(count: int, radius: float) -> Polar:
    angle = 0.1 + 2 * math.pi / count * torch.arange(count, dtype=torch.float64)
    return Polar(torch.full_like(angle, radius), torch.stack([angle.cos(), angle.sin()], dim=1))


SPACES = [
    (PoincareBall(1, c=1.0), 5.0),
    (PoincareBall(2, c=1.0), 36.0),
    (PoincareBall(2, c=1.0), 300.0),  # the largest radius with squares
    (PoincareBall(2, c=1.0), 1000.0),
    (Lorentz(5, c=0.3), 36.0),
    (PoincareBall(5, c=4.0), 150.0),
    (PoincareBall(2, c=1.0), 1e-7),
    (Euclidean(1), 1.0),
    (Euclidean(2), 1e9),
    (Euclidean(5), 1e150),
]


@pytest.mark.parametrize(("manifold", "largest"), SPACES, ids=lambda value: str(value))
def test_agrees_with_the_definition_at_sixty_digits(manifold: Manifold, largest: float) -> None:
    count = 40
    graph = nx.gnp_random_graph(count - 3, 0.08, seed=1)
    graph.add_edges_from((5, other) for other in range(6, 30))  # a hub, whose row is sorted
    graph.add_nodes_from(range(count - 3, count))
    points = random_polar(count, manifold.dim, largest, seed=2)
    with mp.workdps(60 + int(largest / 2) if largest < 1e4 else 60):
        expected = by_definition(graph, lambda a, b: exact_distance(points, manifold, a, b))
    result = reconstruction(edges_of(graph), points, manifold)
    assert result == pytest.approx(expected, abs=1e-13)


@settings(max_examples=40, deadline=None)
@given(graph=random_graphs(), seed=st.integers(0, 2**16), largest=st.sampled_from([0.0, 1.0, 12.0, 36.0, 400.0]))
def test_any_graph_agrees_with_the_definition(graph: nx.Graph, seed: int, largest: float) -> None:
    if not graph.number_of_edges():
        return
    manifold, points = PoincareBall(2, c=0.7), random_polar(len(graph), 2, largest, seed)
    with mp.workdps(400):
        expected = by_definition(graph, lambda a, b: exact_distance(points, manifold, a, b))
    assert reconstruction(edges_of(graph), points, manifold) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("manifold", [PoincareBall(2, c=2.0), Lorentz(2, c=0.5), Euclidean(2)], ids=str)
@pytest.mark.parametrize("radius", [1e-6, 0.4, 12.0, 50.0, 400.0])
def test_a_non_neighbour_as_far_away_as_the_neighbour_counts_as_nearer(manifold: Manifold, radius: float) -> None:
    """Every second side of a polygon is an edge; of its own two sides a corner cannot tell which."""
    sides = np.array([[2 * i, 2 * i + 1] for i in range(25)]).T
    assert reconstruction(sides, polygon(50, radius), manifold) == (0.5, 2.0)


@pytest.mark.parametrize("radius", [1e-6, 1.0, 36.0, 400.0])
def test_tied_neighbours_have_one_precision(radius: float) -> None:
    """A wheel without its rim: the spokes are tied with each other, and the rim is further away."""
    count, spokes = 30, np.stack([np.zeros(30, dtype=int), np.arange(1, 31)])
    corners = polygon(count, radius)
    points = Polar(torch.cat([torch.zeros(1), corners.radius]), torch.cat([torch.zeros(1, 2), corners.direction]))
    result = reconstruction(spokes, points, PoincareBall(2))
    if radius == 1e-6:
        # As near as the centre, or nearer, a corner has the five up to 60 degrees to either side.
        assert result == pytest.approx(((1 + count / 11) / (count + 1), (1 + 11) / 2), abs=1e-14)
    else:
        wheel = nx.Graph(spokes.T.tolist())
        with mp.workdps(500 if radius > 100 else 60):
            expected = by_definition(wheel, lambda a, b: exact_distance(points, PoincareBall(2), a, b))
        assert result == pytest.approx(expected, abs=1e-13)


def test_points_that_coincide_have_the_share_of_neighbours_for_a_precision() -> None:
    edges, points = np.array([[0, 0, 0, 1], [1, 2, 3, 2]]), ray([3.0] * 6)
    precision, rank = np.mean([3 / 5, 2 / 5, 2 / 5, 1 / 5]), np.mean([3.0] * 3 + [4.0] * 4 + [5.0])
    for manifold in (PoincareBall(2), Euclidean(2)):
        assert reconstruction(edges, points, manifold) == pytest.approx((precision, rank), abs=1e-14)


@pytest.mark.parametrize("manifold", [PoincareBall(2, c=1.0), PoincareBall(2, c=9.0), Euclidean(2)], ids=str)
@pytest.mark.parametrize("distance", [1e-9, 1e-3, 1.0, 30.0, 95.0])
def test_distances_that_agree_to_twelve_decimals_are_ties_and_no_others(
    manifold: Manifold, distance: float
) -> None:
    for more, tied in [(-1e-9, True), (0.0, True), (4.6e-13, True), (5.4e-13, False), (1e-11, False)]:
        points = ray([0.0, distance, distance + more])
        result = reconstruction([[0], [1]], points, manifold)
        # Node 0 ranks 2 before 1 where it is tied or nearer; node 1 has the other two at d and |more|.
        expected = (1 + tied + 1 + (abs(more) <= distance + 5e-13)) / 2
        assert result.mean_rank == expected, (more, tied)


@pytest.mark.parametrize("neighbours", [1, 16, 17, 40])
def test_few_neighbours_and_many_have_the_same_ties(neighbours: int) -> None:
    """They are counted in one way, or in another."""
    for more, tied in [(4.6e-13, True), (5.4e-13, False)]:
        points = ray([0.0] + [1.0] * neighbours + [1.0 + more] * 50)
        spokes = np.array([[0] * neighbours, range(1, neighbours + 1)])
        rank = reconstruction(spokes, points, PoincareBall(2)).mean_rank
        others = neighbours - 1 + 50  # all of them are nearer to the outer end than its neighbour
        assert rank == ((1 + 50 * tied) + (1 + others)) / 2


@pytest.mark.parametrize("distance", [200.0, 299.0, 500.0])
def test_beyond_125_the_margin_of_ties_grows_with_the_distance(distance: float) -> None:
    for more, tied in [(3.6e-15, True), (4.4e-15, False)]:
        step = more * distance
        points = ray([0.0, distance, distance + step])
        assert (distance + step - distance) / distance == pytest.approx(more, abs=3e-16)
        assert reconstruction([[0], [1]], points, PoincareBall(2)).mean_rank == (3 + tied) / 2


@pytest.mark.parametrize("manifold", [PoincareBall(2, c=0.5), Lorentz(5, c=2.0), Euclidean(5)], ids=str)
def test_without_ties_it_is_the_figure_of_embedding_quality(manifold: Manifold) -> None:
    graph = nx.barabasi_albert_graph(300, 3, seed=1)
    points = random_polar(300, manifold.dim, 12.0, seed=3)
    other = embedding_quality(edges_of(graph), points, manifold)
    expected = (other.mean_average_precision.mean, other.mean_rank.mean)
    assert reconstruction(edges_of(graph), points, manifold) == pytest.approx(expected, rel=1e-12)


def test_neighbours_nearer_than_all_others_give_one_and_one() -> None:
    edges, line = np.array([range(9), range(1, 10)]), ray([float(i) for i in range(10)])
    assert reconstruction(edges, line, PoincareBall(2)) == Reconstruction(1.0, 1.0)


def test_isolated_nodes_are_candidates_but_have_no_precision() -> None:
    points = ray([0.0, 1.0, 0.5, 9.0])  # node 2 lies between the two ends of the edge
    assert reconstruction([[0], [1]], points, PoincareBall(2)) == (0.5, 2.0)
    assert reconstruction([[0], [1]], ray([0.0, 1.0, 8.0, 9.0]), PoincareBall(2)) == (1.0, 1.0)


def test_directions_repetitions_and_self_loops_do_not_matter() -> None:
    points, manifold = random_polar(12, 2, 5.0, seed=4), PoincareBall(2)
    edges = edges_of(nx.gnp_random_graph(12, 0.3, seed=5))
    more = np.concatenate([edges[::-1], edges, [[3], [3]], edges[:, :4]], axis=1)
    assert reconstruction(torch.from_numpy(more), points, manifold) == reconstruction(edges, points, manifold)


def test_the_size_of_the_blocks_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    points, edges = random_polar(50, 2, 20.0, seed=6), edges_of(nx.gnp_random_graph(50, 0.1, seed=7))
    whole = reconstruction(edges, points, PoincareBall(2))
    for numbers in (1, 350, 1000):
        monkeypatch.setattr(module, "NUMBERS_A_BLOCK", numbers)
        assert reconstruction(edges, points, PoincareBall(2)) == pytest.approx(whole, rel=1e-13)


@pytest.mark.parametrize(
    ("manifold", "largest"), [(PoincareBall(2), 36.0), (PoincareBall(2), 400.0), (Euclidean(2), 1.0)]
)
def test_no_tensor_grows_with_the_square_of_the_nodes(manifold: Manifold, largest: float) -> None:
    class Largest(TorchDispatchMode):
        numbers = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                self.numbers = max(self.numbers, out.numel())
            return out

    count = 3000
    edges = np.array([range(count - 1), range(1, count)])
    with Largest() as mode:
        reconstruction(edges, random_polar(count, 2, largest, seed=8), manifold)
    assert count <= mode.numbers <= 2 * module.NUMBERS_A_BLOCK < count**2 / 50


def test_the_points_of_the_caller_are_left_alone() -> None:
    points = random_polar(10, 2, 3.0, seed=9)
    points.direction.requires_grad_()
    before = [part.detach().clone() for part in points]
    single = Polar(points.radius.float(), points.direction.float())
    assert reconstruction([[0], [1]], points, Euclidean(2)) == reconstruction([[0], [1]], single, Euclidean(2))
    assert all(torch.equal(a, b) for a, b in zip(before, points, strict=True))


def test_bad_input_is_named() -> None:
    points, manifold = ray([0.0, 1.0, 2.0]), PoincareBall(2)
    for edges in ([[], []], [[1], [1]]):
        with pytest.raises(DataError, match=r"^edge_index: holds no edge that joins two nodes"):
            reconstruction(edges, points, manifold)
    with pytest.raises(DataError, match=r"^edge_index: holds nodes 0 to 3, the graph has 0 to 2"):
        reconstruction([[0], [3]], points, manifold)
    with pytest.raises(DataError, match=r"^points: radius \(3,\) and direction \(2, 2\) do not fit"):
        reconstruction([[0], [1]], Polar(points.radius, points.direction[:2]), manifold)
    with pytest.raises(
        DataError, match=r"^points: direction has 2 columns in PoincareBall\(dim=3, c=1\); needs 3"
    ):
        reconstruction([[0], [1]], points, PoincareBall(3))
    with pytest.raises(DataError, match=r"^points: a radius is negative"):
        reconstruction([[0], [1]], ray([0.0, -1.0]), manifold)
    for bad in (math.nan, math.inf):
        with pytest.raises(NumericalError, match=r"^points: 1 of 3 are not finite"):
            reconstruction([[0], [1]], ray([0.0, bad, 1.0]), manifold)


def test_the_benchmark_prints_a_row_for_each_size_and_space(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "reconstruction.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--nodes", "60", "100", "--turns", "1"])
    runpy.run_path(str(script), run_name="__main__")
    rows = [line.split("|")[1:3] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    names = [(count, space) for count in ("60", "100") for space in ("poincare", "euclidean")]
    assert [tuple(cell.strip() for cell in row) for row in rows] == names
