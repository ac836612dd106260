"""Polar coordinates against mpmath at radii that no other coordinates hold."""

import math
from collections.abc import Iterator

import mpmath as mp
import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional.polar import dist_polar, translate_polar

from . import oracle
from .points import CURVATURES, DIMENSIONS, F64, directions

EPS = torch.finfo(F64).eps
RADII = [1e-9, 1e-3, 0.3, 2.0, 8.0, 20.0, 60.0, 150.0, 230.0, 240.0, 300.0]

# Unit vectors whose squares sum to one exactly, in floating point too: (1 - 2/4^k, 2a, 2b, …)/4^k is the mirror
# image of the first axis in the plane across (1, a, b, …) where 1 + a² + b² + … = 4^k.
AXIS = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0], dtype=F64)


def exact_direction(*others: int) -> Tensor:
    square = 1 + sum(entry**2 for entry in others)
    assert square.bit_count() == 1
    return torch.tensor([1.0 - 2 / square, *(-2 * entry / square for entry in others)], dtype=F64)


EXACT = [
    exact_direction(3997, 233, 6849, 2042),  # 2.4e-4 from the axis
    exact_direction(23224897, 106351, 62960651, 385878),  # 3e-8 from the axis
    torch.tensor([3.0, 2.0, 1.0, 1.0, 1.0], dtype=F64) / 4,
    torch.tensor([-1.0, 3.0, 1.0, -2.0, 1.0], dtype=F64) / 4,
]


def polar(angle: float, direction: Tensor, c: float) -> Polar:
    return Polar(torch.tensor(angle / c**0.5, dtype=F64), direction)


def pairs(angle: float, dim: int, c: float) -> Iterator[tuple[str, Polar, Polar]]:
    u, v, w = directions(3, dim, seed=int(10 * angle) + dim)
    x = polar(angle, u, c)
    yield "random", x, polar(angle, v, c)
    yield "random, one nearer", x, polar(0.37 * angle, v, c)
    yield "random, one at a middle radius", x, polar(0.999 * angle, v, c)
    yield "antipodal", x, polar(angle, -u, c)
    yield "same direction", x, polar(0.8 * angle, u, c)
    yield "radii 1e-9 apart", x, polar(angle * (1 - 1e-9), u, c)
    yield "next radius", x, Polar(torch.nextafter(x.radius, torch.zeros_like(x.radius)), u)
    yield "origin", x, Polar(torch.zeros_like(x.radius), torch.zeros_like(u))
    yield "origin with a direction", x, polar(0.0, v, c)
    for gap in (1e-3, 1e-9, 1e-14):
        near = u + gap * w
        yield f"directions {gap} apart", x, polar(angle, near / near.norm(), c)
        yield f"directions {gap} apart, one nearer", x, polar(angle - min(angle, 1.0) / 7, near / near.norm(), c)
        yield f"{gap} from antipodal", x, polar(angle, -near / near.norm(), c)


def check_dist(x: Polar, y: Polar, c: float, kind: str) -> None:
    with mp.workdps(oracle.digits_for(c**0.5 * x.radius.item(), c**0.5 * y.radius.item())):
        truth = oracle.polar_dist(
            x.radius.item(), oracle.exact(x.direction), y.radius.item(), oracle.exact(y.direction), mp.mpf(c)
        )
        for first, second in ((x, y), (y, x)):
            value = dist_polar(first, second, c=c)
            assert oracle.relative_error(value, truth) <= 1e-12, (kind, value.item(), float(truth))


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("angle", RADII)
def test_dist_polar_has_relative_error_below_1e12_up_to_radius_300(c: float, dim: int, angle: float) -> None:
    for kind, x, y in pairs(angle, dim, c):
        check_dist(x, y, c, kind)


@pytest.mark.parametrize("angle", [350.0, 400.0, 750.0, 3000.0])
def test_dist_polar_is_right_up_to_radius_3000(angle: float) -> None:
    for c in (0.1, 1.2):
        for kind, x, y in pairs(angle, 2, c):
            check_dist(x, y, c, kind)


@pytest.mark.parametrize("angle", [1.0, 200.0, 237.0, 300.0, 345.0, 360.0, 700.0, 3000.0])
def test_points_on_one_ray_are_as_far_apart_as_their_radii(angle: float) -> None:
    u = directions(1, 3, seed=1)[0]
    for c in (0.3, 1.0, 1.4):
        for gap in (0.0, 1e-12, 1e-6, 1e-3, 1.0, 100.0):
            x, y = polar(angle, u, c), polar(angle + gap, u, c)
            torch.testing.assert_close(dist_polar(x, y, c=c), (x.radius - y.radius).abs(), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("angle", [1.0, 30.0, 100.0, 200.0, 240.0, 300.0])
def test_dist_polar_follows_directions_that_differ_less_than_a_rounding_of_one(angle: float) -> None:
    """At an axis, where the small entry keeps its digits: the distance passes through all sizes."""
    for exponent in range(-35, 1):
        x = polar(angle, torch.tensor([1.0, 0.0], dtype=F64), 1.0)
        y = polar(angle, torch.tensor([1.0, 10.0**exponent], dtype=F64), 1.0)
        check_dist(x, y, 1.0, f"1e{exponent}")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_radii_of_thousands_are_exact_to_the_law_of_large_triangles(dtype: torch.dtype) -> None:
    """Far out, d = r₁ + r₂ + 2 log sin(θ/2)."""
    theta = torch.tensor([3.1, 2.0, 1.0, 0.1, 1e-3], dtype=dtype)
    x = Polar(torch.tensor(3000.0, dtype=dtype), torch.tensor([1.0, 0.0], dtype=dtype))
    y = Polar(torch.tensor(2500.0, dtype=dtype), torch.stack([torch.cos(theta), torch.sin(theta)], dim=-1))
    chord = (x.direction - y.direction).double().norm(dim=-1)
    value = dist_polar(x, y, c=1.0)
    torch.testing.assert_close(
        value.double(), 5500.0 + 2 * torch.log(chord / 2), rtol=4 * torch.finfo(dtype).eps, atol=0
    )


@pytest.mark.parametrize("c", [0.01, 1.0, 10.0])
def test_dist_polar_in_float32_keeps_its_digits(c: float) -> None:
    single = torch.finfo(torch.float32).eps
    for angle in (1e-3, 0.3, 2.0, 8.0, 20.0, 30.0, 60.0, 100.0):
        for kind, x, y in pairs(angle, 3, c):
            x, y = Polar(x.radius.float(), x.direction.float()), Polar(y.radius.float(), y.direction.float())
            with mp.workdps(oracle.digits_for(angle, angle)):
                truth = oracle.polar_dist(
                    x.radius.item(),
                    oracle.exact(x.direction),
                    y.radius.item(),
                    oracle.exact(y.direction),
                    mp.mpf(c),
                )
            # √c·r is rounded, and its exponential with it.
            assert oracle.relative_error(dist_polar(x, y, c=c), truth) <= single * (8 + angle), (kind, angle)


def check_translation(x: Polar, y: Polar, c: float, kind: str, *, tolerance: float = 1e-12) -> None:
    with mp.workdps(oracle.digits_for(c**0.5 * x.radius.item(), c**0.5 * y.radius.item())):
        exact_c = mp.mpf(c)
        end = oracle.boost(
            oracle.polar_to_lorentz(mp.mpf(x.radius.item()), oracle.exact(x.direction), exact_c),
            oracle.polar_to_lorentz(mp.mpf(y.radius.item()), oracle.exact(y.direction), exact_c),
            exact_c,
        )
        z = translate_polar(x, y, c=c)
        assert oracle.relative_error(z.radius, oracle.lorentz_radius(end, exact_c)) <= tolerance, (kind, z)
        size = oracle.without_noise(oracle.norm(end[1:]))
        if size > 0:
            assert oracle.distance_of(z.direction, oracle.scale(1 / size, end[1:])) <= tolerance, (kind, z)


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", DIMENSIONS)
def test_translate_polar_is_the_lorentz_boost_up_to_radius_300(c: float, dim: int) -> None:
    u, v = directions(2, dim, seed=20 + dim)
    if dim == 1:
        u, v = u.abs(), u.abs()
    for a in (0.0, 1e-6, 0.4, 3.0, 30.0, 300.0):
        for b in (0.0, 1e-6, 0.5, 3.1, 29.0, 299.0):
            check_translation(polar(a, u, c), polar(b, v, c), c, f"{a} ⊕ {b}")
            check_translation(polar(a, u, c), polar(b, -u, c), c, f"{a} ⊕ ⊖{b}", tolerance=1e-12)


@pytest.mark.parametrize("c", CURVATURES)
def test_translate_polar_keeps_its_digits_where_the_two_nearly_cancel(c: float) -> None:
    for a in (1e-3, 1.0, 7.0, 18.0, 60.0, 150.0, 300.0):
        for b in (a, 0.9 * a, a * (1 - 1e-9)):
            for direction in EXACT:
                check_translation(polar(a, AXIS, c), polar(b, -direction, c), c, f"{a} ⊕ {b} {direction}")
                check_translation(polar(a, direction, c), polar(b, -AXIS, c), c, f"{a} ⊕ {b} {direction}")
                check_translation(polar(a, direction, c), polar(b, direction, c), c, "one direction")


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", DIMENSIONS)
def test_opposite_undoes_translation(c: float, dim: int) -> None:
    u, v = directions(2, dim, seed=30 + dim)
    for a in (0.0, 1e-3, 1.0, 5.0, 12.0):
        for b in (1e-3, 1.0, 5.0, 12.0):
            x, y = polar(a, u, c), polar(b, v, c)
            z = translate_polar(x.opposite(), translate_polar(x, y, c=c), c=c)
            # The middle point's direction is rounded, which moves it by ε sinh(√c r)/√c.
            moved = dist_polar(z, y, c=c) * c**0.5
            assert moved <= 16 * EPS * (1 + a + b) + 8 * EPS * math.exp(c**0.5 * translate_polar(x, y, c=c).radius)


@pytest.mark.parametrize("c", [0.3, 1.0, 1.4])
def test_opposite_undoes_translation_along_one_line_up_to_radius_300(c: float) -> None:
    for sign in (1.0, -1.0):
        for a in (20.0, 200.0, 260.0, 300.0):
            for b in (1e-3, 1.0, 100.0, 290.0):
                x, y = polar(a, AXIS, c), polar(b, sign * AXIS, c)
                z = translate_polar(x.opposite(), translate_polar(x, y, c=c), c=c)
                torch.testing.assert_close(z.radius, y.radius, rtol=1e-13 * (1 + a / b), atol=0.0)
                torch.testing.assert_close(z.direction, y.direction, rtol=0.0, atol=1e-13)


def test_opposite_and_vector() -> None:
    x = Polar(torch.tensor([2.0, 3.0]), torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
    assert x.opposite().vector().tolist() == [[-2.0, 0.0], [0.0, 3.0]]
    assert x.vector().tolist() == [[2.0, 0.0], [0.0, -3.0]]


def test_translating_to_the_base_point_and_from_it_is_finite() -> None:
    x, nowhere = polar(2.0, AXIS, 1.0), Polar(torch.tensor(0.0, dtype=F64), torch.zeros(5, dtype=F64))
    back = translate_polar(x, x.opposite(), c=1.0)
    assert back.radius == 0
    assert back.vector().abs().max() == 0
    for first, second in ((x, nowhere), (nowhere, x)):
        z = translate_polar(first, second, c=1.0)
        torch.testing.assert_close(z.radius, x.radius, rtol=1e-15, atol=0.0)
        torch.testing.assert_close(z.direction, AXIS, rtol=0.0, atol=1e-15)
