import ctypes
import math
import sys

import mpmath as mp
import numpy as np
import pytest
import torch

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.neighbors import Neighbors, approximate

from .points import brute_force, clustered_polar, exact_distance, random_polar

COUNT, K = 2000, 10


def needs_packages(manifold: Manifold) -> None:
    pytest.importorskip("usearch")
    if manifold.c_value:
        pytest.importorskip("numba")


def recall(found: torch.Tensor, distances: np.ndarray) -> float:
    """Share of the rows found that are no further than the k-th nearest."""
    kth = np.partition(distances, K - 1, axis=1)[:, K - 1 : K]
    return float(np.mean(np.take_along_axis(distances, found.numpy(), axis=1) <= kth * (1 + 1e-12)))


@pytest.mark.parametrize("manifold", [PoincareBall(2), Lorentz(5, c=0.5), Euclidean(2), Euclidean(5)], ids=str)
@pytest.mark.parametrize("largest", [5.0, 36.0, 400.0])
def test_finds_nearly_all_of_the_nearest_and_their_true_distances(manifold: Manifold, largest: float) -> None:
    needs_packages(manifold)
    points = random_polar(COUNT, manifold.dim, largest / math.sqrt(manifold.c_value or 1.0), seed=1)
    x = random_polar(200, manifold.dim, largest / math.sqrt(manifold.c_value or 1.0), seed=2)
    distances = brute_force(manifold, x, points)
    distance, index = Neighbors(points, manifold, method="approximate").query(x, K)
    assert distance.shape == index.shape == (200, K)
    assert recall(index, distances) >= 0.995
    np.testing.assert_allclose(distance.numpy(), np.take_along_axis(distances, index.numpy(), 1), rtol=1e-12)
    assert (distance.diff(dim=1) >= 0).all()


@pytest.mark.parametrize("manifold", [PoincareBall(2), Euclidean(2)], ids=str)
def test_a_node_is_not_its_own_neighbour(manifold: Manifold) -> None:
    needs_packages(manifold)
    points = random_polar(COUNT, 2, 20.0, seed=3)
    distances = brute_force(manifold, points, points)
    np.fill_diagonal(distances, np.inf)
    neighbors = Neighbors(points, manifold, method="approximate")
    _, index = neighbors.query_nodes(range(COUNT), K)
    assert 0.99 <= neighbors.recall <= 1.0
    assert recall(index, distances) >= 0.995
    assert not (index == torch.arange(COUNT)[:, None]).any()
    alone = neighbors.query_nodes([5], K)[1]  # a single row comes in another form from the package
    assert alone.tolist() == index[5:6].tolist()
    assert neighbors.query_nodes([], K)[1].shape == (0, K)


def test_clustered_and_coinciding_points_have_k_neighbours() -> None:
    manifold = PoincareBall(2)
    needs_packages(manifold)
    for points in (
        clustered_polar(400, 2, 36.0, seed=4),
        Polar(torch.ones(400), torch.tensor([[1.0, 0.0]] * 400)),
    ):
        exact = Neighbors(points, manifold).query_nodes(range(400), 5)[0]
        distance, index = Neighbors(points, manifold, method="approximate").query_nodes(range(400), 5)
        assert all(len(set(row)) == 5 for row in index.tolist())
        assert (distance <= exact * (1 + 1e-12)).double().mean() >= 0.9


def test_a_graph_that_finds_few_says_so() -> None:
    """Leaves around a hub are nearer to it than to each other, so that no walk leads from one to the next."""
    manifold, count = PoincareBall(2), 3000
    needs_packages(manifold)
    angle = 2 * math.pi / count * torch.arange(count, dtype=torch.float64)
    direction = torch.cat([torch.zeros(1, 2), torch.stack([angle.cos(), angle.sin()], dim=1)])
    star = Polar(torch.cat([torch.zeros(1), torch.full((count,), 18.0)]).double(), direction)
    with pytest.warns(
        UserWarning, match=r"^the approximate search finds \d+ % of the nearest .*'exact'"
    ) as caught:
        neighbors = Neighbors(star, manifold, method="approximate")
    assert caught[0].filename == __file__
    farthest = Neighbors(star, manifold).query_nodes(range(1, count), K)[0][:, -1:]
    found = neighbors.query_nodes(range(1, count), K)[0]
    assert neighbors.recall == pytest.approx(float((found <= farthest * (1 + 1e-12)).double().mean()), abs=0.15)
    assert neighbors.recall < 0.9


def test_one_point_is_found() -> None:
    manifold = Euclidean(2)
    needs_packages(manifold)
    neighbors = Neighbors(torch.tensor([[3.0, 4.0]]), manifold, method="approximate")
    distance, index = neighbors.query(torch.zeros(2, 2), 1)
    assert (distance.tolist(), index.tolist(), neighbors.recall) == ([[5.0], [5.0]], [[0], [0]], 1.0)


def test_all_points_are_found_when_all_are_asked_for() -> None:
    manifold = Euclidean(3)
    needs_packages(manifold)
    points = random_polar(300, 3, 1e30, seed=5)  # float32 could not square it
    expected = Neighbors(points, manifold).query(points, 300)
    found = Neighbors(points, manifold, method="approximate").query(points, 300)
    assert torch.equal(found[1], expected[1])
    torch.testing.assert_close(found[0], expected[0], rtol=1e-14, atol=0)


def test_what_a_walk_does_not_reach_is_searched_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    manifold = Euclidean(2)
    needs_packages(manifold)
    points = random_polar(100, 2, 3.0, seed=6)
    neighbors = Neighbors(points, manifold, method="approximate")
    walk = approximate.ApproximateIndex._walk

    def cut(self: approximate.ApproximateIndex, x: Polar, k: int) -> tuple[np.ndarray, np.ndarray]:
        row, column = walk(self, x, k)
        kept = (row != 3) | (column % 20 == 0)
        return row[kept], column[kept]

    monkeypatch.setattr(approximate.ApproximateIndex, "_walk", cut)
    expected = Neighbors(points, manifold).query_nodes(range(2, 7), K)
    assert torch.equal(neighbors.query_nodes(range(2, 7), K)[1], expected[1])


def test_the_same_points_give_the_same_graph() -> None:
    manifold = PoincareBall(5)
    needs_packages(manifold)
    points, x = random_polar(COUNT, 5, 36.0, seed=7), random_polar(300, 5, 36.0, seed=8)
    first, second = (Neighbors(points, manifold, method="approximate").query(x, K) for _ in range(2))
    assert torch.equal(first[1], second[1])


@pytest.mark.parametrize("largest", [1e-5, 1.0, 36.0, 400.0])
def test_the_metric_of_the_walk_is_the_geodesic_distance(largest: float) -> None:
    points, manifold = clustered_polar(30, 3, largest, seed=9), PoincareBall(3)
    vectors = torch.cat([points.radius[:, None], points.direction], dim=1).numpy().copy()
    metric = approximate.geodesic_of(3)
    with mp.workdps(400):
        for a, b in np.random.default_rng(0).integers(0, 30, (40, 2)):
            expected = float(exact_distance(points, manifold, a, b))
            # Below e^-300 parts are dropped.
            assert metric(vectors[a], vectors[b]) == pytest.approx(expected, rel=1e-9, abs=1e-150)


def test_what_is_compiled_is_the_metric() -> None:
    pytest.importorskip("numba")
    vectors = np.array([[3.0, 1.0, 0.0], [5.0, 0.0, 1.0]])
    array = ctypes.POINTER(ctypes.c_double)
    compiled = ctypes.CFUNCTYPE(ctypes.c_float, array, array)(approximate._compiled(2).address)
    found = compiled(*(vector.ctypes.data_as(array) for vector in vectors))
    assert found == pytest.approx(approximate.geodesic_of(2)(*vectors), rel=1e-6)
    assert approximate._compiled(2) is approximate._compiled(2)


@pytest.mark.parametrize("package", ["usearch", "numba"])
def test_a_package_that_is_missing_is_named_with_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if package == "numba":
        pytest.importorskip("usearch")
    approximate._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "usearch.index", raising=False)
    points = random_polar(5, 2, 1.0, seed=10)
    with pytest.raises(
        ConfigError, match=rf"^method 'approximate' needs {package}, .* 'hypgraph\[neighbors\]'"
    ) as raised:
        Neighbors(points, PoincareBall(2), method="approximate")
    assert "\n" not in str(raised.value)
    Neighbors(points, PoincareBall(2))  # the exact search needs neither


def test_bad_input_is_named_before_the_walk() -> None:
    manifold = Euclidean(2)
    needs_packages(manifold)
    neighbors = Neighbors(torch.zeros(4, 2), manifold, method="approximate")
    assert repr(neighbors) == "Neighbors(4 points of Euclidean(dim=2, c=0), approximate)"
    with pytest.raises(ConfigError, match=r"^k: 4 is no number from 1 to 3"):
        neighbors.query_nodes([0], 4)
    with pytest.raises(DataError, match=r"^x: has shape"):
        neighbors.query(torch.zeros(4, 3), 1)
