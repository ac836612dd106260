import math
import runpy
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

import hypgraph
from hypgraph.exceptions import ConfigError, DataError, NumericalError
from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.neighbors import Neighbors, bounds, exact

from .points import brute_force, clustered_polar, exact_distance, one_by_one, random_polar, some

MANIFOLDS: list[Manifold] = [
    PoincareBall(1, c=1.0),
    PoincareBall(2, c=1.0),
    Lorentz(5, c=0.5),
    PoincareBall(16, c=2.0),
    Euclidean(2),
    Euclidean(16),
]


def assert_nearest(found: tuple[torch.Tensor, torch.Tensor], all_distances: np.ndarray, k: int) -> None:
    """Every one of the k nearest, in order; equal up to what float64 tells apart."""
    distance, index = (part.numpy() for part in found)
    assert distance.shape == index.shape == (len(all_distances), k)
    assert (index.dtype, distance.dtype) == (np.int64, np.float64)
    expected = np.sort(all_distances, axis=1)[:, :k]
    np.testing.assert_allclose(distance, expected, rtol=1e-13, atol=0)
    np.testing.assert_allclose(np.take_along_axis(all_distances, index, axis=1), expected, rtol=1e-13, atol=0)
    assert all(len(set(row)) == k for row in index.tolist())
    tied = np.diff(distance, axis=1) == 0
    assert (np.diff(index, axis=1)[tied] > 0).all()


@pytest.mark.parametrize("manifold", MANIFOLDS, ids=str)
@pytest.mark.parametrize("largest", [1.0, 5.0, 12.0, 20.0, 36.0, 400.0])
@pytest.mark.parametrize("make", [random_polar, clustered_polar])
def test_finds_every_one_of_the_nearest(manifold: Manifold, largest: float, make: Any) -> None:
    points = make(400, manifold.dim, largest / math.sqrt(manifold.c_value or 1.0), seed=1)
    distances = brute_force(manifold, points, points)
    neighbors = Neighbors(points, manifold)
    assert_nearest(neighbors.query(points, 10), distances, 10)
    np.fill_diagonal(distances, np.inf)
    found = neighbors.query_nodes(range(400), 10)
    assert_nearest(found, distances, 10)
    assert not (found[1] == torch.arange(400)[:, None]).any()


@settings(max_examples=40, deadline=None)
@given(
    manifold=st.sampled_from(MANIFOLDS),
    count=st.integers(2, 90),
    k=st.integers(1, 89),
    exponents=st.tuples(st.floats(-8, 2.5), st.floats(-8, 3.0)),
    seed=st.integers(0, 2**16),
)
def test_any_number_of_points_at_any_radius(
    manifold: Manifold, count: int, k: int, exponents: tuple[float, float], seed: int
) -> None:
    points, x = (
        clustered_polar(n, manifold.dim, 10.0**exponent, seed=seed + n)
        for n, exponent in zip((count, 7), exponents, strict=True)
    )
    k = min(k, count)
    assert_nearest(Neighbors(points, manifold).query(x, k), brute_force(manifold, x, points), k)


@pytest.mark.parametrize("spread", [1e-6, 1e-9, 1e-13, 3e-16])
def test_close_together_far_out_the_order_is_that_of_fifty_digits(spread: float) -> None:
    """Directions that products cannot tell apart, and distances down to a millionth of the radius."""
    rng, count, manifold = np.random.default_rng(3), 60, PoincareBall(2, c=1.0)
    angle = 0.3 + spread * rng.normal(size=count)
    direction = torch.from_numpy(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    points = Polar(torch.from_numpy(36 - 3 * rng.uniform(0, 1, count) ** 4), direction)
    with mp.workdps(50):
        all_pairs = [[exact_distance(points, manifold, a, b) for b in range(count)] for a in range(count)]
    distance, index = Neighbors(points, manifold).query_nodes(range(count), 8)
    for a, row in enumerate(all_pairs):
        order = sorted((b for b in range(count) if b != a), key=lambda b: row[b])[:8]
        np.testing.assert_allclose(distance[a], [float(row[b]) for b in order], rtol=1e-13)
        np.testing.assert_allclose(
            [float(row[b]) for b in index[a].tolist()], [float(row[b]) for b in order], rtol=1e-13
        )


@pytest.mark.parametrize("manifold", [PoincareBall(2), Lorentz(3, c=2.0), Euclidean(2)], ids=str)
@pytest.mark.parametrize("radius", [0.0, 2.0, 30.0, 500.0])
def test_points_that_coincide_come_by_row(manifold: Manifold, radius: float) -> None:
    one = random_polar(1, manifold.dim, 1.0, seed=4)
    points = Polar(torch.full((300,), radius).double(), one.direction.expand(300, -1))
    distance, index = Neighbors(points, manifold).query_nodes([0, 2, 299], 4)
    assert index.tolist() == [[1, 2, 3, 4], [0, 1, 3, 4], [0, 1, 2, 3]]
    assert not distance.any()


def test_ties_come_by_row_whatever_the_bounds_say() -> None:
    """A star: from its centre all leaves are equally far."""
    angle = 2 * math.pi / 500 * torch.arange(500, dtype=torch.float64)
    leaves = Polar(torch.full_like(angle, 36.0), torch.stack([angle.cos(), angle.sin()], dim=1))
    centre = Polar(torch.zeros(1).double(), torch.zeros(1, 2).double())
    distance, index = Neighbors(leaves, PoincareBall(2)).query(centre, 5)
    assert index.tolist() == [[0, 1, 2, 3, 4]]
    torch.testing.assert_close(distance, torch.full((1, 5), 36.0).double(), rtol=1e-15, atol=0)
    distance, _ = Neighbors(leaves, Euclidean(2)).query(centre, 5)  # where cos² + sin² rounds is what is nearest
    torch.testing.assert_close(distance, torch.full((1, 5), 36.0).double(), rtol=1e-15, atol=0)


@pytest.mark.parametrize("manifold", [PoincareBall(3, c=0.5), Lorentz(3, c=0.5), Euclidean(3)], ids=str)
def test_coordinates_and_polar_coordinates_give_the_same(manifold: Manifold) -> None:
    points, x = random_polar(200, 3, 4.0, seed=5), random_polar(20, 3, 4.0, seed=6)
    z, y = manifold.from_polar(points), manifold.from_polar(x)
    distance, index = Neighbors(points, manifold).query(x, 5)
    for points_as, x_as in [(z, y), (z.numpy(), y.tolist()), (z.requires_grad_(), x)]:
        other, rows = Neighbors(points_as, manifold).query(x_as, 5)
        assert torch.equal(rows, index)
        torch.testing.assert_close(other, distance, rtol=1e-9, atol=1e-12)
        assert not other.requires_grad
    single = Neighbors(Polar(points.radius.float(), points.direction.float()), manifold)
    torch.testing.assert_close(single.query(x, 5)[0], distance, rtol=1e-4, atol=1e-5)
    assert single.query(x, 5)[0].dtype == torch.float64


def test_directions_that_are_not_quite_unit_vectors_are_scaled_and_others_stay() -> None:
    manifold, points = PoincareBall(4), random_polar(100, 4, 30.0, seed=7)
    assert torch.equal(Neighbors(points, manifold).points.direction, points.direction)
    longer = Polar(points.radius, points.direction * (1 + 1e-5 * torch.rand(100, 1).double()))
    expected = Neighbors(points, manifold).query_nodes(range(100), 3)
    found = Neighbors(longer, manifold).query_nodes(range(100), 3)
    assert torch.equal(found[1], expected[1])
    torch.testing.assert_close(found[0], expected[0], rtol=1e-9, atol=0)


def test_all_points_and_no_queries() -> None:
    points, manifold = random_polar(30, 2, 3.0, seed=8), PoincareBall(2)
    neighbors = Neighbors(points, manifold)
    _, index = neighbors.query(points, 30)
    assert torch.equal(index.sort().values, torch.arange(30).expand(30, 30))
    _, index = neighbors.query_nodes([4], 29)
    assert sorted(index[0].tolist()) == [i for i in range(30) if i != 4]
    for found in (neighbors.query_nodes([], 2), neighbors.query(some(points, slice(0, 0)), 2)):
        assert [part.shape for part in found] == [(0, 2), (0, 2)]
    assert Neighbors(some(points, slice(0, 1)), manifold).query(points, 1)[1].tolist() == [[0]] * 30


@pytest.mark.parametrize("manifold", [PoincareBall(2), Euclidean(2)], ids=str)
def test_the_size_of_the_blocks_makes_no_difference(manifold: Manifold, monkeypatch: pytest.MonkeyPatch) -> None:
    neighbors = Neighbors(clustered_polar(150, 2, 30.0, seed=9), manifold)
    distance, index = neighbors.query_nodes(range(149, -1, -1), 6)
    for numbers in (1, 700):
        monkeypatch.setattr(exact, "NUMBERS_A_BLOCK", numbers)
        other = neighbors.query_nodes(range(149, -1, -1), 6)
        assert torch.equal(other[1], index)
        assert torch.equal(other[0], distance)


@pytest.mark.parametrize("spread", [1.0, 1e-12])
def test_memory_does_not_grow_with_the_pairs(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    class Largest(TorchDispatchMode):
        numbers = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                self.numbers = max(self.numbers, out.numel())
            return out

    count = 3000
    monkeypatch.setattr(exact, "NUMBERS_A_BLOCK", 1 << 17)
    angle = spread * torch.randn(count, generator=torch.Generator().manual_seed(0)).double()
    points = Polar(torch.linspace(30, 36, count).double(), torch.stack([angle.cos(), angle.sin()], dim=1))
    neighbors = Neighbors(points, PoincareBall(2))
    with Largest():  # what is imported on the way is not counted
        neighbors.query_nodes([0], 3)
    tracemalloc.start()
    with Largest() as mode:
        neighbors.query_nodes(range(count), 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert mode.numbers <= 2**17
    assert peak < 2**23  # bytes; an array of all pairs has 72 million


def floor_at_sixty_digits(
    bound: Any, points: Polar, x: Polar, manifold: Manifold
) -> tuple[np.ndarray, np.ndarray]:
    """What the bound is a lower bound of, and the error that it may have, from every x to every point."""
    k = mp.sqrt(mp.mpf(manifold.c_value))
    both = Polar(torch.cat([x.radius, points.radius]), torch.cat([x.direction, points.direction]))
    values, errors = np.empty((2, len(x.radius), len(points.radius)), dtype=object)
    for i in range(len(x.radius)):
        for j in range(len(points.radius)):
            d = exact_distance(both, manifold, i, len(x.radius) + j)
            a, b = (mp.mpf(part[n].item()) for part, n in ((x.radius, i), (points.radius, j)))
            if isinstance(bound, bounds._LorentzProducts):
                values[i, j], errors[i, j] = mp.cosh(k * d) / mp.cosh(k * a), mp.exp(k * b)
            else:
                values[i, j], errors[i, j] = d**2, 2 * (a**2 + b**2)
    return values, errors


@pytest.mark.parametrize("manifold", MANIFOLDS, ids=str)
@pytest.mark.parametrize("largest", [1e-3, 3.0, 36.0, 250.0])
def test_products_are_below_what_they_bound_and_not_far(manifold: Manifold, largest: float) -> None:
    points = clustered_polar(30, manifold.dim, largest / math.sqrt(manifold.c_value or 1.0), seed=10)
    x = some(points, slice(0, 8))
    bound: Any = bounds.bounds_of(points, x, manifold)[0]
    with mp.workdps(300 if largest > 36 else 80):
        values, errors = floor_at_sixty_digits(bound, points, x, manifold)
        lower = bound.lower(x).numpy()
        slack = (values - lower) / errors  # in units that the margin is a multiple of
        # A rounding of the radius by √c is no error: it counts relative to the value.
        slack += 1e-13 * values / errors
    terms = manifold.dim + (1 if manifold.c_value else 2)
    assert slack.min() >= 0
    assert slack.max() <= 2 * (2 * terms + 12) * bounds.EPSILON + 1e-13


@pytest.mark.parametrize("manifold", MANIFOLDS, ids=str)
@pytest.mark.parametrize("largest", [1e-6, 3.0, 36.0, 290.0, 900.0])
def test_no_bound_excludes_a_point_at_the_distance(manifold: Manifold, largest: float) -> None:
    points = clustered_polar(80, manifold.dim, largest / math.sqrt(manifold.c_value or 1.0), seed=11)
    distances = torch.from_numpy(brute_force(manifold, points, points))
    kinds = bounds.bounds_of(points, points, manifold)
    for bound in kinds:
        lower = bound.lower(points)
        for column in range(80):
            assert (lower[:, column] <= bound.at(points, distances[:, column])).all(), type(bound).__name__
    sharpest = kinds[-1]
    a_little_less = torch.stack([sharpest.at(points, 0.999 * column) for column in distances.T], dim=1)
    assert (sharpest.lower(points) > a_little_less)[distances > 0].all()


@pytest.mark.parametrize("largest", [2.0, 250.0])
def test_queries_far_beyond_the_points_are_exact(largest: float) -> None:
    points, manifold = clustered_polar(100, 2, largest, seed=12), PoincareBall(2)
    for radius in (40.0, 310.0, 5000.0):
        far = Polar(torch.full((20,), radius).double(), points.direction[:20])
        assert_nearest(Neighbors(points, manifold).query(far, 3), brute_force(manifold, far, points), 3)


def test_one_query_is_a_row_of_many() -> None:
    neighbors = Neighbors(clustered_polar(120, 3, 20.0, seed=14), Lorentz(3))
    distance, index = neighbors.query_nodes(range(120), 4)
    for i in one_by_one(120):
        single = neighbors.query_nodes(i, 4)
        assert torch.equal(single[1], index[i])
        torch.testing.assert_close(single[0], distance[i], rtol=1e-14, atol=0)


def test_the_package_offers_it_by_its_first_name() -> None:
    assert hypgraph.Neighbors is Neighbors
    assert repr(Neighbors(random_polar(3, 2, 1.0, seed=0), PoincareBall(2))) == (
        "Neighbors(3 points of PoincareBall(dim=2, c=1), exact)"
    )
    assert len(Neighbors(torch.zeros(7, 2), Euclidean(2))) == 7


def test_bad_input_is_named() -> None:
    manifold, points = PoincareBall(2), random_polar(5, 2, 1.0, seed=15)
    neighbors = Neighbors(points, manifold)
    for k in (0, -1, 6, 2.5, True):
        with pytest.raises(ConfigError, match=rf"^k: {k} is no number from 1 to 5, and there are 5 points"):
            neighbors.query(points, k)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^k: 5 is no number from 1 to 4, and there are 4 other points"):
        neighbors.query_nodes([0], 5)
    for rows, problem in [
        ([5], "holds 5 to 5"),
        ([-1, 2], "holds -1 to 2"),
        ([0.0], "type float64"),
        ([[0]], r"shape \(1, 1\)"),
    ]:
        with pytest.raises(DataError, match=rf"^rows: .*{problem}"):
            neighbors.query_nodes(rows, 2)
    with pytest.raises(ConfigError, match=r"^unknown method 'exakt'; did you mean 'exact'"):
        Neighbors(points, manifold, method="exakt")
    with pytest.raises(DataError, match=r"^z: holds no point"):
        Neighbors(torch.zeros(0, 2), manifold)
    with pytest.raises(DataError, match=r"^z: has shape \(4, 3\), PoincareBall\(dim=2, c=1\) needs \(N, 2\)"):
        Neighbors(torch.zeros(4, 3), manifold)
    with pytest.raises(DataError, match=r"^x: has shape \(2,\), Lorentz\(dim=2, c=1\) needs \(N, 3\)"):
        Neighbors(points, Lorentz(2)).query(torch.zeros(2), 1)
    with pytest.raises(
        DataError, match=r"^x: radius \(5,\) and direction \(5, 2\) do not fit PoincareBall\(dim=3, c=1\)"
    ):
        Neighbors(torch.zeros(4, 3), PoincareBall(3)).query(points, 1)
    with pytest.raises(DataError, match=r"^z: does not lie on PoincareBall\(dim=2, c=1\)"):
        Neighbors([[0.9, 0.9]], manifold)
    with pytest.raises(DataError, match=r"^z: a radius is negative"):
        Neighbors(Polar(-points.radius, points.direction), manifold)
    with pytest.raises(DataError, match=r"^z: the direction of row 1 is no unit vector"):
        Neighbors(Polar(points.radius, points.direction * torch.tensor([[1.0, 2.0, 1.5, 1.0, 1.0]]).T), manifold)
    for bad in (math.nan, math.inf):
        with pytest.raises(NumericalError, match=r"^z: 1 of 2 points are not finite"):
            Neighbors([[0.1, bad], [0.0, 0.0]], manifold)
        with pytest.raises(NumericalError, match=r"^x: 5 of 5 points are not finite"):
            neighbors.query(Polar(points.radius + bad, points.direction), 1)


def test_the_benchmark_finds_every_one_of_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "neighbors.py"
    options = ["--points", "200", "--dims", "2", "--rows", "20", "--turns", "1", "--no-approximate"]
    monkeypatch.setattr(sys, "argv", [str(script), *options])
    runpy.run_path(str(script), run_name="__main__")
    rows = [line.split("|")[2:] for line in capsys.readouterr().out.splitlines() if line.startswith("| 2 |")]
    assert [row[1].strip() for row in rows] == ["exact", "all distances"] * 2
    assert [row[4].strip() for row in rows] == ["1.0000"] * 4
