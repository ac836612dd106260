"""Signed distances to gyroplanes against the formula of Ganea et al. 2018 and against what a distance is."""

import math

import mpmath as mp
import pytest
import torch

from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar

from . import oracle
from .points import CURVATURES, F64, directions, origin, points

EPS = torch.finfo(F64).eps
each_manifold = pytest.mark.parametrize(
    "manifold", [space for d in (1, 3) for space in (PoincareBall(d, 1.2), Lorentz(d, 1.2), Euclidean(d))], ids=str
)


def textbook(z: oracle.Vector, normal: oracle.Vector, offset: float, c: mp.mpf) -> mp.mpf:
    """Ball coordinates: the gyroplane through p = tanh(√c r/2)/√c â that is orthogonal to â."""
    sqrt_c = mp.sqrt(c)
    p = oracle.scale(mp.tanh(sqrt_c * mp.mpf(offset) / 2) / sqrt_c, normal)
    w = oracle.mobius_add(oracle.scale(mp.mpf(-1), p), z, c)
    return (
        mp.asinh(2 * sqrt_c * oracle.dot(w, normal) / ((1 - c * oracle.dot(w, w)) * oracle.norm(normal))) / sqrt_c
    )


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_signed_distances_are_the_textbook_ones(c: float, dim: int) -> None:
    normals = directions(4, dim, 1)
    offsets = torch.tensor([0.0, 1e-3, -0.7, 2.0], dtype=F64) / c**0.5
    exact_c = mp.mpf(c)
    for angle in (0.0, 1e-9, 1e-3, 0.5, 3.0, 8.0, 12.0):
        z = math.tanh(angle / 2) / c**0.5 * directions(1, dim, 2)[0]
        ball = PoincareBall(dim, c).dist_to_gyroplanes(z, normals, offsets)
        sheet = Lorentz(dim, c).dist_to_gyroplanes(PoincareBall(dim, c).to_lorentz(z), normals, offsets)
        for k in range(4):
            unit = oracle.exact(normals[k])
            unit = oracle.scale(1 / oracle.norm(unit), unit)
            truth = textbook(oracle.exact(z), unit, offsets[k].item(), exact_c)
            # The argument of asinh is a difference of terms up to e^(√c(r+|offset|)); asinh divides by its cosh.
            terms = math.exp(abs(offsets[k].item()) * c**0.5) * math.sinh(angle) + abs(
                math.sinh(offsets[k].item() * c**0.5)
            ) * math.cosh(angle)
            bound = 8 * EPS * (abs(truth) + terms / mp.cosh(mp.sqrt(exact_c) * truth) / mp.sqrt(exact_c))
            for value in (ball[k], sheet[k]):
                assert abs(mp.mpf(value.item()) - truth) <= bound


@each_manifold
def test_the_distance_along_the_normal_geodesic_is_the_difference_of_offsets(manifold: Manifold) -> None:
    normal = directions(1, manifold.dim, 3)
    offset = torch.tensor([0.6], dtype=F64)
    along = torch.linspace(-2, 3, 11, dtype=F64)
    x = manifold.from_polar(Polar(along.abs(), along.sign().unsqueeze(-1) * normal))
    torch.testing.assert_close(
        manifold.dist_to_gyroplanes(x, normal, offset)[:, 0], along - 0.6, rtol=0, atol=1e-13
    )
    at_origin = manifold.dist_to_gyroplanes(origin(manifold), normal, offset)
    torch.testing.assert_close(at_origin, -offset, rtol=1e-14, atol=0.0)


@each_manifold
def test_no_point_of_the_gyroplane_is_nearer_than_the_distance_says(manifold: Manifold) -> None:
    """Points of the plane come from translating by its foot the vectors orthogonal to the normal."""
    if manifold.dim == 1:
        pytest.skip("a gyroplane of the line is a point")
    normal = directions(1, manifold.dim, 4)
    foot = Polar(torch.tensor(0.9, dtype=F64), normal[0])
    across = directions(4000, manifold.dim, 5)
    across = across - (across * normal).sum(-1, keepdim=True) * normal
    across = across / across.norm(dim=-1, keepdim=True)
    radius = torch.linspace(0, 4, 4000, dtype=F64)
    plane = manifold.translate_polar(
        Polar(foot.radius.expand(4000), normal.expand(4000, -1)), Polar(radius, across)
    )
    offset = torch.tensor([0.9], dtype=F64)
    on_it = manifold.dist_to_gyroplanes(manifold.from_polar(plane), normal, offset)
    assert on_it.abs().max() < 1e-12
    for x in points(manifold, 2.0, 6):
        distance = manifold.dist_to_gyroplanes(x, normal, offset).abs()
        nearest = manifold.dist_polar(manifold.to_polar(x), plane).min()
        assert distance <= nearest + 1e-12
        assert nearest <= distance + 0.2


@each_manifold
def test_turning_the_normal_and_the_offset_turns_the_sign(manifold: Manifold) -> None:
    x, normals = points(manifold, 3.0, 7), directions(5, manifold.dim, 8)
    offsets = torch.linspace(-1, 1, 5, dtype=F64)
    values = manifold.dist_to_gyroplanes(x, normals, offsets)
    torch.testing.assert_close(manifold.dist_to_gyroplanes(x, -normals, -offsets), -values, rtol=1e-14, atol=1e-15)
    batched = manifold.dist_to_gyroplanes(x.reshape(3, 4, -1), normals, offsets)
    torch.testing.assert_close(batched, values.reshape(3, 4, 5), rtol=1e-14, atol=1e-14)
    assert manifold.dist_to_gyroplanes(x[:0], normals, offsets).shape == (0, 5)
    # One row per gyroplane, each as if alone.
    for k in range(5):
        alone = manifold.dist_to_gyroplanes(x, normals[k : k + 1], offsets[k : k + 1])
        torch.testing.assert_close(alone[:, 0], values[:, k], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
def test_gradients_of_gyroplane_distances_agree_with_finite_differences(
    space: type[PoincareBall | Lorentz],
) -> None:
    fixed = space(3, 1.2)
    x, normals = points(fixed, 2.0, 9, count=2), directions(2, 3, 10)
    inputs = [x, normals, torch.tensor([0.4, -0.3], dtype=F64), torch.tensor(1.2, dtype=F64)]

    def distances(*at: torch.Tensor) -> torch.Tensor:
        *rest, c = at
        return space(3, c).dist_to_gyroplanes(*rest)

    assert torch.autograd.gradcheck(distances, [tensor.requires_grad_() for tensor in inputs])


@each_manifold
def test_polar_points_have_the_distances_of_their_coordinates(manifold: Manifold) -> None:
    x, normals = points(manifold, 3.0, 11), directions(5, manifold.dim, 12)
    offsets = torch.linspace(-1, 1, 5, dtype=F64)
    torch.testing.assert_close(
        manifold.dist_to_gyroplanes(manifold.to_polar(x), normals, offsets),
        manifold.dist_to_gyroplanes(x, normals, offsets),
        rtol=1e-12,
        atol=1e-12,
    )


@pytest.mark.parametrize("angle", [20.0, 60.0, 150.0, 300.0])
def test_polar_points_keep_their_distances_where_coordinates_end(angle: float) -> None:
    for c in CURVATURES:
        radius, u = torch.tensor(angle / c**0.5, dtype=F64), directions(1, 3, 13)[0]
        normals, offsets = directions(4, 3, 14), torch.tensor([0.0, 0.5, -2.0, 10.0], dtype=F64) / c**0.5
        values = PoincareBall(3, c).dist_to_gyroplanes(Polar(radius, u), normals, offsets)
        sqrt_c = mp.sqrt(mp.mpf(c))
        far = sqrt_c * mp.mpf(radius.item())
        for value, normal, offset in zip(values, normals, offsets, strict=True):
            shift = sqrt_c * mp.mpf(offset.item())
            along = oracle.dot(oracle.exact(u), oracle.exact(normal))
            truth = mp.asinh(mp.sinh(far) * along * mp.cosh(shift) - mp.cosh(far) * mp.sinh(shift)) / sqrt_c
            assert oracle.relative_error(value, truth) <= 1e-12


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_the_distance_to_a_gyroplane_through_any_point_is_the_textbook_one(c: float, dim: int) -> None:
    ball, exact_c, angles = PoincareBall(dim, c), mp.mpf(c), (0.0, 1e-6, 0.5, 3.0, 8.0)
    for i, angle_x in enumerate(angles):
        for k, angle_p in enumerate(angles):
            x = math.tanh(angle_x / 2) / c**0.5 * directions(1, dim, 10 + i)[0]
            p = math.tanh(angle_p / 2) / c**0.5 * directions(1, dim, 20 + k)[0]
            a = 0.3 * directions(1, dim, 30 + i + k)[0]
            z, point, normal = (oracle.exact(v) for v in (x, p, a))
            w = oracle.mobius_add(oracle.scale(mp.mpf(-1), point), z, exact_c)
            ratio = oracle.dot(w, normal) / ((1 - exact_c * oracle.dot(w, w)) * oracle.norm(normal))
            truth = mp.asinh(2 * mp.sqrt(exact_c) * ratio) / mp.sqrt(exact_c)
            # the terms of the sum, divided by the derivative of sinh
            terms = math.exp(angle_x + angle_p) / mp.cosh(mp.sqrt(exact_c) * truth)
            value = ball.dist_to_gyroplane(x, p, a).item()
            assert abs(mp.mpf(value) - truth) <= 8 * EPS * (abs(truth) + terms / mp.sqrt(exact_c))


def test_a_gyroplane_through_its_foot_point_is_that_of_the_matrix_product() -> None:
    ball = PoincareBall(3, 1.3)
    z = ball.from_polar(Polar(torch.linspace(0.1, 4, 7, dtype=F64), directions(7, 3, 1)))
    normals, offsets = directions(5, 3, 2), torch.linspace(-2, 2, 5, dtype=F64)
    feet = ball.from_polar(Polar(offsets.abs(), offsets.sign().unsqueeze(-1) * normals))
    one_by_one = ball.dist_to_gyroplane(z.unsqueeze(1), feet, normals)
    torch.testing.assert_close(ball.dist_to_gyroplanes(z, normals, offsets), one_by_one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("polar", [False, True])
@pytest.mark.parametrize("lead", [(), (4,)], ids=str)
@each_manifold
def test_stacked_gyroplanes_are_the_separate_ones(manifold: Manifold, lead: tuple[int, ...], polar: bool) -> None:
    runs, count, planes = 3, 2, 5
    size = math.prod(lead) * runs * count
    x = points(manifold, 2.0, 15, count=size).view(*lead, runs, count, -1)
    normals = directions(runs * planes, manifold.dim, 16).view(runs, planes, -1)
    offsets = torch.linspace(-1, 1.3, runs * planes, dtype=F64).view(runs, planes)
    factor, shift = 0.5 + offsets.square(), offsets.flip(0) - 0.2

    def of(at: torch.Tensor) -> torch.Tensor | Polar:
        return manifold.to_polar(at) if polar else at

    together = manifold.dist_to_gyroplanes(of(x), normals, offsets)
    scaled = manifold.dist_to_gyroplanes(of(x), normals, offsets, factor=factor, shift=shift)
    assert together.shape == scaled.shape == (*lead, runs, count, planes)
    for run in range(runs):
        alone = manifold.dist_to_gyroplanes(of(x[..., run, :, :]), normals[run], offsets[run])
        torch.testing.assert_close(together[..., run, :, :], alone, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(
            scaled[..., run, :, :], factor[run] * alone + shift[run], rtol=1e-12, atol=1e-13
        )


@each_manifold
def test_distances_are_multiplied_shifted_and_rounded_as_asked(manifold: Manifold) -> None:
    x, normals = points(manifold, 3.0, 17), directions(5, manifold.dim, 18)
    offsets, factor = torch.linspace(-1, 1, 5, dtype=F64), torch.tensor([0.0, 1.0, -2.0, 0.3, 7.0], dtype=F64)
    shift = torch.linspace(3, -1, 5, dtype=F64)
    plain = manifold.dist_to_gyroplanes(x, normals, offsets)
    for given, expected in (
        ({"factor": factor}, factor * plain),
        ({"shift": shift}, plain + shift),
        ({"factor": factor, "shift": shift}, factor * plain + shift),
    ):
        value = manifold.dist_to_gyroplanes(x, normals, offsets, **given)
        torch.testing.assert_close(value, expected, rtol=1e-13, atol=1e-13)
        rounded = manifold.dist_to_gyroplanes(x, normals, offsets, **given, dtype=torch.float32)
        assert rounded.dtype == torch.float32
        torch.testing.assert_close(rounded, value.float(), rtol=5e-7, atol=5e-7 * float(value.abs().max()))
    single = [tensor.float() for tensor in (x, normals, offsets)]
    assert manifold.dist_to_gyroplanes(*single).dtype == torch.float32
    assert manifold.dist_to_gyroplanes(*single, dtype=F64).dtype == F64


@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
@pytest.mark.parametrize("lead", [(), (2,)], ids=str)
def test_gradients_of_scaled_distances_agree_with_finite_differences(
    space: type[PoincareBall | Lorentz], lead: tuple[int, ...]
) -> None:
    x = points(space(3, 1.2), 2.0, 19, count=4).view(*lead, -1, space(3).ambient_dim)
    normals = directions(2 * math.prod(lead), 3, 20).view(*lead, 2, 3)
    vectors = [torch.randn(*lead, 2, dtype=F64, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    inputs = [x, normals, *vectors, torch.tensor(1.2, dtype=F64)]

    def distances(*at: torch.Tensor) -> torch.Tensor:
        x, normals, offsets, factor, shift, c = at
        return space(3, c).dist_to_gyroplanes(x, normals, offsets, factor=factor, shift=shift)

    assert torch.autograd.gradcheck(distances, [tensor.requires_grad_() for tensor in inputs])
