"""The hyperboloid against mpmath.

The space coordinates name the point. They are as large as sinh(√c r)/√c, so that their rounding alone moves a
point by ε e^(√c r)/√c: the unit in which errors are allowed here.
"""

import math
from collections.abc import Iterator

import mpmath as mp
import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional import ball, lorentz

from . import oracle
from .points import CURVATURES, F64, directions

EPS = torch.finfo(F64).eps
ANGLES = [1e-3, 0.3, 2.0, 5.0, 9.0, 12.0, 16.0]


def at(angle: float, direction: Tensor, c: float) -> Tensor:
    """The sheet's point, its time coordinate rounded from the exact one above the rounded space coordinates."""
    space = oracle.exact(math.sinh(angle) / c**0.5 * direction)
    return torch.tensor([float(entry) for entry in oracle.on_sheet(space, mp.mpf(c))], dtype=F64)


def exact_point(x: Tensor, c: float) -> oracle.Vector:
    return oracle.on_sheet(oracle.exact(x)[1:], mp.mpf(c))


def tangent_at(x: Tensor, direction: Tensor, size: float, c: float) -> Tensor:
    """A tangent vector at ``x`` of geodesic length ``size``/√c: the direction at the origin, boosted."""
    exact_c = mp.mpf(c)
    boosted = oracle.boost(
        exact_point(x, c), [mp.mpf(0), *oracle.scale(mp.mpf(size / c**0.5), oracle.exact(direction))], exact_c
    )
    return torch.tensor([float(entry) for entry in boosted], dtype=F64)


def exact_tangent(x: Tensor, v: Tensor, c: float) -> oracle.Vector:
    return oracle.tangent(exact_point(x, c), oracle.exact(v)[1:])


def tangent_error(x: Tensor, value: Tensor, truth: oracle.Vector, c: float) -> float:
    """√c times the Lorentz norm at ``x`` of what is wrong; the time coordinate, cosh times longer, beside it."""
    base, wrong = exact_point(x, c), oracle.minus(oracle.exact(value), truth)
    in_space = oracle.lorentz_norm(oracle.tangent(base, wrong[1:]))
    return float(mp.sqrt(mp.mpf(c)) * max(in_space, abs(wrong[0]) / (mp.sqrt(mp.mpf(c)) * base[0])))


def pairs(angle: float, dim: int, c: float) -> Iterator[tuple[str, Tensor, Tensor]]:
    u, v, w = directions(3, dim, seed=int(100 * angle) + dim)
    x = at(angle, u, c)
    yield "random", x, at(0.9 * angle, v, c)
    yield "opposite", x, at(angle, -u, c)
    yield "origin", x, at(0.0, u, c)
    for gap in (1e-2, 1e-5):
        near = u + gap * w
        yield f"{gap} apart", x, at(angle * (1 - gap), near / near.norm(), c)


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", [1, 2, 5])
@pytest.mark.parametrize("angle", ANGLES)
def test_maps_are_the_textbook_ones_to_the_rounding_of_the_coordinates(c: float, dim: int, angle: float) -> None:
    limit = 8 * EPS * math.exp(angle)
    exact_c, sqrt_c = mp.mpf(c), mp.sqrt(mp.mpf(c))
    direction = directions(1, dim, seed=99)[0]
    for kind, x, y in pairs(angle, dim, c):
        big_x, big_y = exact_point(x, c), exact_point(y, c)
        truth = oracle.lorentz_dist(big_x, big_y, exact_c)
        far = 1 + float(sqrt_c * truth)
        assert abs(mp.mpf(lorentz.dist(x, y, c=c).item()) - truth) * sqrt_c <= limit * far, kind
        if kind in ("random", "opposite", "origin") and dim > 1:
            assert oracle.relative_error(lorentz.dist(x, y, c=c), truth) <= 1e-13, kind

        log = lorentz.logmap(x, y, c=c)
        assert tangent_error(x, log, oracle.lorentz_log(big_x, big_y, exact_c), c) <= limit * far, kind

        v = tangent_at(x, direction, 1.0, c)
        moved = oracle.lorentz_transp(big_x, big_y, exact_tangent(x, v, c), exact_c)
        assert tangent_error(y, lorentz.transp(x, y, v, c=c), moved, c) <= limit, kind


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", [1, 2, 5])
@pytest.mark.parametrize("angle", ANGLES)
def test_expmap_is_the_textbook_map_to_the_rounding_of_its_result(c: float, dim: int, angle: float) -> None:
    u, v = directions(2, dim, seed=41)
    x, exact_c = at(angle, u, c), mp.mpf(c)
    for size in (1e-6, 1e-2, 1.0, 4.0):
        tangent = tangent_at(x, v, size, c)
        truth = oracle.lorentz_exp(exact_point(x, c), exact_tangent(x, tangent, c), exact_c)
        value = lorentz.expmap(x, tangent, c=c)
        off = oracle.lorentz_dist(exact_point(value, c), truth, exact_c) * mp.sqrt(exact_c)
        assert off <= 8 * EPS * math.exp(angle + size), size
        assert lorentz.check_point(value, c=c) is None


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_maps_at_the_origin_are_the_textbook_ones(c: float, dim: int) -> None:
    u, w = directions(2, dim, seed=42)
    exact_c, sqrt_c = mp.mpf(c), mp.sqrt(mp.mpf(c))
    origin = oracle.on_sheet([mp.mpf(0)] * dim, exact_c)
    for angle in (1e-9, 1e-3, 1.0, 12.0, 100.0):
        x = at(angle, u, c)
        radius = mp.asinh(sqrt_c * oracle.norm(oracle.exact(x)[1:])) / sqrt_c
        assert oracle.relative_error(lorentz.dist0(x, c=c), radius) <= 1e-14
        log = lorentz.logmap0(x, c=c)
        direction = oracle.scale(1 / oracle.norm(oracle.exact(x)[1:]), oracle.exact(x)[1:])
        assert oracle.distance_of(log, [mp.mpf(0), *oracle.scale(radius, direction)]) <= 8 * EPS * radius
        back = lorentz.expmap0(log, c=c)
        assert oracle.distance_of(back, exact_point(x, c)) <= 8 * EPS * (1 + angle) * oracle.norm(
            exact_point(x, c)
        )
        tangent = torch.cat([torch.zeros(1, dtype=F64), w])
        moved = oracle.boost(exact_point(x, c), oracle.exact(tangent), exact_c)
        value = lorentz.transp0(x, tangent, c=c)
        assert oracle.distance_of(value, moved) <= 8 * EPS * math.exp(min(angle, 300.0))
        if angle < 10:
            transported = oracle.lorentz_transp(origin, exact_point(x, c), oracle.exact(tangent), exact_c)
            assert oracle.norm(oracle.minus(transported, moved)) < 1e-60


@pytest.mark.parametrize("c", CURVATURES)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_conversions_are_the_textbook_ones(c: float, dim: int) -> None:
    exact_c = mp.mpf(c)
    u = directions(1, dim, seed=43)[0]
    for angle in (0.0, 1e-9, 1e-3, 1.0, 5.0, 12.0):
        x = math.tanh(angle / 2) / c**0.5 * u
        truth = oracle.ball_to_lorentz(oracle.exact(x), exact_c)
        value = lorentz.from_ball(x, c=c)
        assert max(abs(a - b) for a, b in zip(oracle.exact(value), truth, strict=True)) <= 4 * EPS * truth[0]
        assert oracle.distance_of(value[1:], truth[1:]) <= 4 * EPS * oracle.norm(truth[1:])
        back = lorentz.to_ball(value, c=c)
        expected = oracle.lorentz_to_ball(exact_point(value, c), exact_c)
        assert oracle.distance_of(back, expected) <= 4 * EPS * oracle.norm(expected)

        polar = Polar(torch.tensor(angle / c**0.5, dtype=F64), u)
        from_polar = lorentz.from_polar(polar, c=c)
        radius = mp.mpf(polar.radius.item())
        assert oracle.relative_error(
            from_polar[0], mp.cosh(mp.sqrt(exact_c) * radius) / mp.sqrt(exact_c)
        ) <= 4 * EPS * (1 + angle)
        space = oracle.scale(mp.sinh(mp.sqrt(exact_c) * radius) / mp.sqrt(exact_c), oracle.exact(u))
        assert oracle.distance_of(from_polar[1:], space) <= 4 * EPS * (1 + angle) * oracle.norm(space)
        if angle > 0:
            again = lorentz.to_polar(from_polar, c=c)
            torch.testing.assert_close(again.radius, polar.radius, rtol=1e-14, atol=0.0)
            torch.testing.assert_close(again.direction, u, rtol=0.0, atol=1e-15)


def test_inner_is_the_lorentz_product() -> None:
    u, v = torch.tensor([2.0, 3.0, 5.0]), torch.tensor([7.0, 11.0, 13.0])
    assert lorentz.inner(u, v).item() == -14 + 33 + 65
    assert lorentz.inner(u.expand(4, 3), v).shape == (4,)


@pytest.mark.parametrize("c", CURVATURES)
def test_round_trips_between_all_coordinates_stay_within_the_rounding_of_the_ball(c: float) -> None:
    for angle in (0.1, 3.0, 9.0, 12.0, 20.0, 30.0):
        polar = Polar(torch.full((8,), angle / c**0.5, dtype=F64), directions(8, 3, seed=44))
        x = ball.from_polar(polar, c=c)
        through = lorentz.to_polar(lorentz.from_ball(x, c=c), c=c)
        bound = 4 * EPS * angle + EPS * math.exp(angle)
        assert ((through.radius - polar.radius).abs() * c**0.5).max() <= bound
        assert (through.direction - polar.direction).abs().max() <= 4 * EPS
        y = lorentz.to_ball(lorentz.from_polar(polar, c=c), c=c)
        assert (x - y).abs().max() <= 4 * EPS / c**0.5
        assert ((ball.to_polar(y, c=c).radius - polar.radius).abs() * c**0.5).max() <= 2 * bound
