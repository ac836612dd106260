"""Points of more than two dimensions in the plane: the formula, what it keeps, and how well it is chosen."""

import math

import mpmath
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA
from torch import Tensor

from hypgraph.exceptions import DataError
from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.manifolds.functional.polar import dist_polar
from hypgraph.viewer.projection import _along_horospheres, _orthonormal, project

F64 = torch.float64


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sphere(count: int, dim: int, seed: int) -> Tensor:
    x = torch.randn(count, dim, dtype=F64, generator=generator(seed))
    return x / x.norm(dim=-1, keepdim=True)


def scattered(count: int, dim: int, reach: float, seed: int, c: float = 1.0) -> Polar:
    radius = reach * torch.rand(count, dtype=F64, generator=generator(seed + 100)) / math.sqrt(c)
    return Polar(radius, sphere(count, dim, seed))


def frame(dim: int, seed: int) -> Tensor:
    return _orthonormal(torch.randn(1, dim, 2, dtype=F64, generator=generator(seed)))[0]


def distances(points: Polar, manifold: Manifold) -> Tensor:
    """``[N, N]``, in the space of that curvature."""
    radius, direction = points
    space = manifold.with_dim(direction.shape[-1])
    return space.dist_polar(Polar(radius[:, None], direction[:, None]), points)


def in_plane(points: Polar, dim: int, seed: int) -> Polar:
    """The same points of a plane in a random plane of the larger space."""
    return Polar(points.radius, points.direction @ frame(dim, seed).T)


def half_space(radius: float, direction: list[float], basis: list[list[float]]) -> list[mpmath.mpf]:
    """Horizontal coordinates and height in the half-space that has ``basis[0]`` at infinity, from the unit ball.

    The inversion of the ball x at p in the sphere of radius √2: y = p + 2 (x - p)/‖x - p‖².
    """
    u = [mpmath.mpf(value) for value in direction]
    rows = [[mpmath.mpf(value) for value in row] for row in basis]
    length = mpmath.tanh(mpmath.mpf(radius) / 2) / mpmath.sqrt(mpmath.fdot(u, u))
    difference = [length * a - b for a, b in zip(u, rows[0], strict=True)]
    square = mpmath.fdot(difference, difference)
    image = [b + 2 * a / square for a, b in zip(difference, rows[0], strict=True)]
    return [-mpmath.fdot(image, rows[0]), *(mpmath.fdot(image, row) for row in rows[1:])]


@pytest.mark.parametrize("reach", [0.5, 5.0, 20.0, 36.0])
def test_a_horizontal_coordinate_of_the_half_space_is_kept_with_the_height_to_50_digits(reach: float) -> None:
    points = scattered(6, 4, reach, seed=3)
    basis = frame(4, seed=5)
    drawn = _along_horospheres(points, basis)
    seen = distances(drawn, PoincareBall(2)).numpy()
    with mpmath.workdps(60):
        # The float64 basis is orthonormal to 1e-16 only; at 60 digits it is made so.
        p, e = ([mpmath.mpf(x) for x in column] for column in basis.T.tolist())
        p = [x / mpmath.norm(p) for x in p]
        e = [x - mpmath.fdot(p, e) * y for x, y in zip(e, p, strict=True)]
        e = [x / mpmath.norm(e) for x in e]
        places = [
            half_space(r, u, [p, e])
            for r, u in zip(points.radius.tolist(), points.direction.tolist(), strict=True)
        ]
        for i, (height_a, across_a) in enumerate(places):
            for j, (height_b, across_b) in enumerate(places):
                square = (height_a - height_b) ** 2 + (across_a - across_b) ** 2
                expected = 2 * mpmath.asinh(mpmath.sqrt(square / (4 * height_a * height_b)))
                assert abs(seen[i, j] - float(expected)) < 1e-12 * (1 + float(expected))


@pytest.mark.parametrize("reach", [0.01, 3.0, 36.0])
@pytest.mark.parametrize("dim", [3, 16])
def test_no_distance_grows_in_any_frame(dim: int, reach: float) -> None:
    points = scattered(80, dim, reach, seed=dim)
    true = distances(points, PoincareBall(dim))
    for seed in range(5):
        seen = distances(_along_horospheres(points, frame(dim, seed)), PoincareBall(2))
        assert (seen <= true * (1 + 1e-9) + 1e-12).all()


@pytest.mark.parametrize(("reach", "c"), [(2.0, 0.3), (12.0, 1.0), (36.0, 1.4)])
def test_points_of_a_plane_keep_all_their_distances(reach: float, c: float) -> None:
    flat = scattered(60, 2, reach, seed=1, c=c)
    manifold = PoincareBall(5, c)
    result = project(in_plane(flat, 5, seed=2), manifold, generator=generator())
    assert result.kept == pytest.approx(1.0, abs=1e-12)
    assert torch.allclose(distances(result.points, manifold), distances(flat, manifold), atol=1e-8)


def test_a_plane_that_misses_the_origin_is_kept_as_well() -> None:
    manifold = PoincareBall(4)
    flat = in_plane(scattered(40, 2, 6.0, seed=1), 4, seed=2)
    away = manifold.translate_polar(Polar(torch.tensor([3.0], dtype=F64), sphere(1, 4, seed=9)), flat)
    result = project(away, manifold, generator=generator())
    assert result.kept == pytest.approx(1.0, abs=1e-9)
    assert torch.allclose(distances(result.points, manifold), distances(flat, manifold), atol=1e-6)


def grid_best(points: Polar) -> float:
    """The most that any of 15,000 frames in three dimensions keeps, in the half-space, by numpy."""
    count = 1000
    k = np.arange(count) + 0.5  # Fibonacci's points of the sphere
    z, turn = 1 - 2 * k / count, math.pi * (1 + math.sqrt(5)) * k
    p = np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], -1)
    first = np.cross(p, np.where(np.abs(p[:, :1]) < 0.9, [[1.0, 0, 0]], [[0.0, 1, 0]]))
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    second = np.cross(p, first)
    x = np.sinh(points.radius.numpy())[:, None] * points.direction.numpy()
    time = np.cosh(points.radius.numpy())
    height = 1 / (time - p @ x.T)  # [frames, N]
    i, j = np.triu_indices(len(time), 1)
    true = np.arccosh(np.maximum(time[i] * time[j] - (x[i] * x[j]).sum(-1), 1)).sum()
    best = 0.0
    for angle in np.arange(15) * math.pi / 15:
        place = ((math.cos(angle) * first + math.sin(angle) * second) @ x.T) * height
        square = (place[:, i] - place[:, j]) ** 2 + (height[:, i] - height[:, j]) ** 2
        seen = 2 * np.arcsinh(np.sqrt(square / (4 * height[:, i] * height[:, j])))
        best = max(best, float((seen.sum(-1) / true).max()))
    return best


@pytest.mark.parametrize(("reach", "seed"), [(3.0, 0), (8.0, 1)])
def test_no_frame_of_a_fine_grid_keeps_more_by_more_than_a_thousandth(reach: float, seed: int) -> None:
    points = scattered(30, 3, reach, seed)
    result = project(points, PoincareBall(3), generator=generator())
    assert grid_best(points) < result.kept + 1e-3


def test_the_share_is_that_of_the_sums_of_all_distances() -> None:
    points, manifold = scattered(50, 6, 4.0, seed=2, c=0.7), PoincareBall(6, 0.7)
    result = project(points, manifold, generator=generator())
    expected = distances(result.points, manifold).sum() / distances(points, manifold).sum()
    assert result.kept == pytest.approx(float(expected), rel=1e-12)
    assert 0.3 < result.kept < 1
    assert result.description == (
        f"projected from 6 dimensions along horospheres; {100 * result.kept:.1f} % of the distances kept"
    )


def test_the_share_of_many_points_is_measured_on_drawn_pairs() -> None:
    points, manifold = scattered(800, 3, 4.0, seed=2), PoincareBall(3)
    result = project(points, manifold, generator=generator())
    expected = distances(result.points, manifold).sum() / distances(points, manifold).sum()
    assert result.kept == pytest.approx(float(expected), abs=2e-3)


def test_depth_survives_where_the_nearest_points_of_a_plane_would_lose_it() -> None:
    points, manifold = scattered(300, 5, 8.0, seed=4), PoincareBall(5)
    result = project(points, manifold, generator=generator())
    assert result.kept > 0.75
    best = 0.0
    for seed in range(100):  # tanh r' = tanh r cos φ, directly from geometry
        shadow = points.direction @ frame(5, seed)
        cosine = shadow.norm(dim=-1)
        nearest = Polar(torch.atanh(torch.tanh(points.radius) * cosine), shadow / cosine.unsqueeze(-1))
        best = max(best, float(distances(nearest, manifold).sum() / distances(points, manifold).sum()))
    assert best < 0.3


def test_the_medoid_is_at_the_centre_and_the_others_on_all_sides() -> None:
    points, manifold = scattered(200, 8, 6.0, seed=5), PoincareBall(8)
    drawn = project(points, manifold, generator=generator()).points
    sums = distances(drawn, manifold).sum(0)
    assert drawn.radius[sums.argmin()] < 1e-12
    assert drawn.direction.mean(0).norm() < 0.25


def test_moving_and_turning_all_points_changes_nothing_that_matters() -> None:
    points, manifold = scattered(60, 3, 5.0, seed=6), PoincareBall(3)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, dtype=F64, generator=generator(7)))
    there = Polar(torch.tensor([2.0], dtype=F64), sphere(1, 3, seed=8))
    moved = manifold.translate_polar(there, Polar(points.radius, points.direction @ turn.T))
    before, after = (project(x, manifold, generator=generator()).kept for x in (points, moved))
    assert before == pytest.approx(after, abs=2e-3)


@pytest.mark.parametrize("manifold", [PoincareBall(4, 0.5), Lorentz(4, 0.5)], ids=["poincare", "lorentz"])
def test_coordinates_and_polar_points_give_one_picture(manifold: Manifold) -> None:
    points = scattered(40, 4, 3.0, seed=7, c=0.5)
    by_polar = project(points, manifold, generator=generator())
    by_coordinates = project(manifold.from_polar(points), manifold, generator=generator())
    assert by_polar.kept == pytest.approx(by_coordinates.kept, abs=1e-6)


def test_two_dimensions_pass_untouched() -> None:
    points = scattered(10, 2, 36.0, seed=1)
    result = project(points, PoincareBall(2), generator=generator())
    assert torch.equal(result.points.radius, points.radius)
    assert torch.equal(result.points.direction, points.direction)
    assert (result.kept, result.description) == (1.0, "")


@pytest.mark.parametrize("manifold", [PoincareBall(1), Euclidean(1)], ids=["poincare", "euclidean"])
def test_one_dimension_becomes_a_line_through_the_centre(manifold: Manifold) -> None:
    points = Polar(torch.tensor([1.0, 2.0], dtype=F64), torch.tensor([[1.0], [-1.0]], dtype=F64))
    result = project(points, manifold, generator=generator())
    assert result.points.vector().tolist() == [[1.0, 0.0], [-2.0, 0.0]]
    assert (result.kept, result.description) == (1.0, "")


def test_flat_space_is_drawn_along_its_principal_axes() -> None:
    x: NDArray[np.float64] = np.random.default_rng(0).normal(size=(80, 5)) * [1, 4, 2, 1, 3] + 7
    result = project(torch.from_numpy(x), Euclidean(5), generator=generator())
    expected = PCA(2).fit_transform(x)
    drawn = result.points.vector()
    assert np.allclose(pdist(drawn), pdist(expected), atol=1e-9)
    assert torch.allclose(drawn.mean(0), torch.zeros(2, dtype=F64), atol=1e-12)
    assert result.kept == pytest.approx(pdist(expected).sum() / pdist(x).sum(), rel=1e-9)
    assert "principal axes" in result.description


def test_the_same_generator_gives_the_same_picture() -> None:
    points, manifold = scattered(60, 5, 5.0, seed=3), PoincareBall(5)
    first, second = (project(points, manifold, generator=generator(4)) for _ in range(2))
    assert torch.equal(first.points.vector(), second.points.vector())


@pytest.mark.parametrize("manifold", [PoincareBall(3), Euclidean(3)], ids=["poincare", "euclidean"])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_points_keep_their_distances(count: int, manifold: Manifold) -> None:
    points = scattered(count, 3, 5.0, seed=1)
    result = project(points, manifold, generator=generator())
    assert result.points.direction.shape == (count, 2)
    assert result.kept == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("radius", [0.0, 3.0])
def test_points_that_all_coincide_are_drawn_at_the_centre(radius: float) -> None:
    one = Polar(torch.full((5,), radius, dtype=F64), sphere(1, 4, seed=1).expand(5, 4) * (radius > 0))
    result = project(one, PoincareBall(4), generator=generator())
    assert result.kept == 1.0
    assert result.points.radius.max() < 1e-12


def test_what_cannot_be_projected_is_refused() -> None:
    one = Polar(torch.tensor([301.0], dtype=F64), torch.tensor([[1.0, 0.0, 0.0]], dtype=F64))
    with pytest.raises(DataError, match=r"points.direction must have shape \[N, 4\], got \[1, 3\]"):
        project(one, PoincareBall(4), generator=generator())
    with pytest.raises(DataError, match=r"points must have shape \[N, 4\], got \[1, 3\]"):
        project(torch.zeros(1, 3), Lorentz(3), generator=generator())
    with pytest.raises(DataError, match="points: "):
        project(torch.full((1, 3), 0.9), PoincareBall(3), generator=generator())
    far = Polar(torch.tensor([1.0, 1e160], dtype=F64), sphere(2, 3, seed=1))
    with pytest.raises(DataError, match=r"a radius of 1e\+160 is too large to project, 1e\+150 is the most"):
        project(far, Euclidean(3), generator=generator())


@pytest.mark.parametrize("farthest", [20.0, 30.0, 36.0, 60.0, 150.0, 1000.0])
@pytest.mark.parametrize("on_a_sphere", [True, False])
def test_no_distance_grows_however_far_out_the_points_lie(farthest: float, on_a_sphere: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    share = torch.ones(80) if on_a_sphere else torch.rand(80, generator=generator)
    direction = torch.randn(80, 3, generator=generator, dtype=torch.float64)
    points = Polar(farthest * share.double(), direction / direction.norm(dim=1, keepdim=True))
    drawn = project(points, PoincareBall(3), generator=generator)
    before, after = (
        dist_polar(Polar(x.radius[:, None], x.direction[:, None]), x, c=1.0) for x in (points, drawn.points)
    )
    assert float((after - before).max()) < 1e-6
    assert 0 < drawn.kept <= 1 + 1e-12
    assert ("shrunk" in drawn.description) == (farthest > 36)


def test_the_medoid_is_in_the_middle_where_float64_can_hold_the_points_about_it() -> None:
    generator = torch.Generator().manual_seed(2)
    direction = torch.nn.functional.normalize(torch.randn(50, 4, generator=generator, dtype=torch.float64), dim=1)
    for farthest, about in ((3.0, "the medoid"), (36.0, "the origin")):
        points = Polar(torch.full((50,), farthest, dtype=torch.float64), direction)
        assert project(points, PoincareBall(4), generator=generator).about == about


@pytest.mark.parametrize("farthest", [30.0, 36.0])
@pytest.mark.parametrize("seed", range(5))
def test_points_of_two_rays_and_one_opposite_keep_no_more_than_all(farthest: float, seed: int) -> None:
    direction = sphere(2, 3, seed).repeat(20, 1)
    direction[-1] = -direction[0]
    points = Polar(torch.linspace(0.9 * farthest, farthest, 40, dtype=F64), direction)
    result = project(points, PoincareBall(3), generator=generator(seed))
    longer = distances(result.points, PoincareBall(2)) - distances(points, PoincareBall(3))
    assert float(longer.max()) < 1e-12
    assert result.kept <= 1


@pytest.mark.parametrize("dim", [3, 16])
def test_points_of_one_ray_come_no_further_apart_at_any_radius(dim: int) -> None:
    radius = torch.linspace(0, 36, 40, dtype=F64)
    for seed in range(20):
        ray = Polar(radius, sphere(1, dim, seed).expand(40, dim))
        drawn = _along_horospheres(ray, frame(dim, seed))
        longer = distances(drawn, PoincareBall(2)) - (radius[:, None] - radius).abs()
        assert float(longer.max()) < 1e-12


@pytest.mark.parametrize("sign", [1, -1])
def test_points_of_the_axis_stay_where_they_are_and_none_moves_outwards(sign: int) -> None:
    columns = frame(3, seed=4)
    axis = Polar(torch.linspace(0, 36, 400, dtype=F64), (sign * columns[:, 0]).expand(400, 3))
    radius, direction = _along_horospheres(axis, columns)
    assert (radius <= axis.radius).all()
    assert torch.allclose(radius, axis.radius, rtol=1e-12)
    assert torch.allclose(direction[1:], torch.tensor([[1.0 * sign, 0.0]], dtype=F64), atol=1e-15)


@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-3])
def test_points_towards_the_ideal_point_keep_their_height_to_the_last_bits(apart: float) -> None:
    # cosh r - sinh r ⟨u,p⟩ and ⟨u,e⟩ cancel there; at radius 25 that would be seen in the fifth decimal.
    columns = frame(4, seed=1)
    direction = columns[:, 0] + apart * (columns[:, 1] + sphere(1, 4, seed=2)[0])
    direction = direction / direction.norm()
    radius = torch.linspace(1, 25, 25, dtype=F64)
    drawn = _along_horospheres(Polar(radius, direction.expand(25, 4)), columns)
    with mpmath.workdps(60):
        u, p, e = ([mpmath.mpf(x) for x in row] for row in (direction.tolist(), *columns.T.tolist()))
        u, p = ([x / mpmath.norm(row) for x in row] for row in (u, p))
        e = [x - mpmath.fdot(p, e) * y for x, y in zip(e, p, strict=True)]
        for r, seen in zip(radius.tolist(), drawn.radius.tolist(), strict=True):
            gap = mpmath.cosh(r) - mpmath.sinh(r) * mpmath.fdot(u, p)
            across = mpmath.sinh(r) * mpmath.fdot(u, e) / mpmath.norm(e)
            expected = mpmath.acosh(((1 + across**2) / gap + gap) / 2)
            assert abs(seen - float(expected)) < 1e-7 if apart else abs(seen - r) < 1e-9
