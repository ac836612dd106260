"""The Poincaré ball against mpmath on the same rounded coordinates."""

import math
from collections.abc import Iterator

import mpmath as mp
import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional import ball

from . import oracle
from .points import CURVATURES, DIMENSIONS, F64, directions

EPS = torch.finfo(F64).eps
each_space = [pytest.mark.parametrize("c", CURVATURES), pytest.mark.parametrize("dim", DIMENSIONS)]


def across_spaces(test):  # type: ignore[no-untyped-def]
    for mark in each_space:
        test = mark(test)
    return test


def at(angle: float, direction: Tensor, c: float) -> Tensor:
    return math.tanh(angle / 2) / c**0.5 * direction


def pairs(angle: float, dim: int, c: float) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Pairs of points, the farther at √c·radius ``angle``."""
    u, v, w = directions(3, dim, seed=int(1000 * angle) + dim)
    x = at(angle, u, c)
    yield "random", x, at(angle, v, c)
    yield "random, one nearer", x, at(angle * 0.37, v, c)
    yield "opposite", x, -x
    yield "same direction", x, at(angle * 0.8, u, c)
    yield "origin", x, torch.zeros_like(x)
    room = 1 - math.tanh(angle / 2)
    for nearness in (1e-2, 1e-7):
        yield f"{nearness} apart", x, x - nearness * room * x.norm() * (u + 0.5 * w)
    yield "next number", x, torch.nextafter(x, torch.zeros_like(x))


@across_spaces
@pytest.mark.parametrize("angle", [1e-9, 1e-3, 0.3, 2.0, 5.0, 8.5, 12.0])
def test_dist_has_relative_error_below_1e12_up_to_radius_12(c: float, dim: int, angle: float) -> None:
    for kind, x, y in pairs(angle, dim, c):
        truth = oracle.ball_dist(oracle.exact(x), oracle.exact(y), mp.mpf(c))
        assert oracle.relative_error(ball.dist(x, y, c=c), truth) <= 1e-12, kind
        assert oracle.relative_error(ball.dist(y, x, c=c), truth) <= 1e-12, kind


@across_spaces
@pytest.mark.parametrize("angle", [16.0, 22.0, 28.0, 34.0])
def test_dist_is_within_the_conditioning_limit_up_to_radius_34(c: float, dim: int, angle: float) -> None:
    for kind, x, y in pairs(angle, dim, c):
        truth = oracle.ball_dist(oracle.exact(x), oracle.exact(y), mp.mpf(c))
        bound = 4 * EPS * truth + EPS * math.exp(angle) / c**0.5
        assert abs(mp.mpf(ball.dist(x, y, c=c).item()) - truth) <= bound, kind


@across_spaces
def test_dist_in_float32_keeps_its_digits_where_the_coordinates_do(c: float, dim: int) -> None:
    for angle in (1e-3, 0.3, 2.0, 5.0, 8.0, 10.0):
        for kind, x, y in pairs(angle, dim, c):
            x, y = x.float(), y.float()
            truth = oracle.ball_dist(oracle.exact(x), oracle.exact(y), mp.mpf(c))
            # c itself is rounded to float32, which moves √c·r by 3e-8 of it.
            bound = 1e-6 * truth + 1.2e-7 * math.exp(angle) / c**0.5 * (truth > 0)
            assert abs(mp.mpf(ball.dist(x, y, c=c).item()) - truth) <= bound, (kind, angle)


@across_spaces
def test_boundary_gap_and_conformal_factor_keep_their_digits_at_the_boundary(c: float, dim: int) -> None:
    for angle in (0.1, 1.0, 5.0, 12.0, 20.0, 30.0):
        x = at(angle, directions(1, dim, seed=3)[0], c)
        truth = 1 - mp.mpf(c) * oracle.dot(oracle.exact(x), oracle.exact(x))
        allowed = 2 * EPS + EPS**1.5 * math.exp(angle)
        assert oracle.relative_error(ball.boundary_gap(x, c=c), truth) <= allowed
        assert oracle.relative_error(ball.lambda_x(x, c=c), 2 / truth) <= 2 * EPS + allowed


@across_spaces
def test_dist0_and_logmap0_invert_the_radius(c: float, dim: int) -> None:
    for angle in (1e-300, 1e-9, 1e-3, 1.0, 6.0, 12.0):
        x = at(angle, directions(1, dim, seed=4)[0], c)
        exact = oracle.exact(x)
        truth = 2 * mp.atanh(mp.sqrt(mp.mpf(c)) * oracle.norm(exact)) / mp.sqrt(mp.mpf(c))
        if angle > 1e-150:  # below, the squares of the coordinates underflow
            assert oracle.relative_error(ball.dist0(x, c=c), truth) <= 1e-12
        log = ball.logmap0(x, c=c)
        expected = oracle.scale(truth / 2 / oracle.norm(exact), exact)
        assert oracle.distance_of(log, expected) <= 1e-12 * truth
        back = ball.expmap0(log, c=c)
        assert oracle.distance_of(back, exact) <= 4 * EPS * (1 + angle) * oracle.norm(exact)


@across_spaces
def test_expmap0_is_the_textbook_map(c: float, dim: int) -> None:
    for size in (1e-12, 0.1, 1.0, 5.0):
        u = size / c**0.5 * directions(1, dim, seed=5)[0]
        truth = oracle.ball_exp([mp.mpf(0)] * dim, oracle.exact(u), mp.mpf(c))
        assert oracle.distance_of(ball.expmap0(u, c=c), truth) <= 4 * EPS * oracle.norm(truth)


@across_spaces
@pytest.mark.parametrize("angle", [1e-3, 0.3, 2.0, 5.0, 8.0])
def test_mobius_add_is_the_textbook_formula(c: float, dim: int, angle: float) -> None:
    for kind, x, y in pairs(angle, dim, c):
        for sign in (1.0, -1.0):
            truth = oracle.mobius_add(oracle.scale(mp.mpf(sign), oracle.exact(x)), oracle.exact(y), mp.mpf(c))
            value = ball.mobius_add(sign * x, y, c=c)
            assert oracle.distance_of(value, truth) <= 1e-14 * oracle.norm(truth), kind


@across_spaces
@pytest.mark.parametrize("angle", [1e-3, 0.3, 2.0, 5.0, 8.0, 12.0])
def test_logmap_is_the_textbook_map(c: float, dim: int, angle: float) -> None:
    for kind, x, y in pairs(angle, dim, c):
        truth = oracle.ball_log(oracle.exact(x), oracle.exact(y), mp.mpf(c))
        assert oracle.distance_of(ball.logmap(x, y, c=c), truth) <= 1e-12 * oracle.norm(truth), kind


@across_spaces
@pytest.mark.parametrize("angle", [1e-3, 0.3, 2.0, 5.0, 8.0, 12.0])
def test_expmap_is_the_textbook_map_to_the_rounding_of_its_result(c: float, dim: int, angle: float) -> None:
    u, v = directions(2, dim, seed=6)
    x = at(angle, u, c)
    for size in (1e-9, 1e-2, 1.0, 4.0):
        tangent = v * size / c**0.5 * (1 - c * x.square().sum()) / 2
        truth = oracle.ball_exp(oracle.exact(x), oracle.exact(tangent), mp.mpf(c))
        # Absolute in coordinates: the result cannot be stored better than to ε/√c.
        assert oracle.distance_of(ball.expmap(x, tangent, c=c), truth) <= 4 * EPS * oracle.norm(truth)


@across_spaces
@pytest.mark.parametrize("angle", [1e-3, 0.3, 2.0, 5.0, 8.0, 12.0, 16.0])
def test_transp_is_the_textbook_transport_at_any_radius(c: float, dim: int, angle: float) -> None:
    v = directions(1, dim, seed=7)[0]
    for kind, x, y in pairs(angle, dim, c):
        truth = oracle.ball_transp(oracle.exact(x), oracle.exact(y), oracle.exact(v), mp.mpf(c))
        assert oracle.distance_of(ball.transp(x, y, v, c=c), truth) <= 1e-13 * oracle.norm(truth), kind


@across_spaces
@pytest.mark.parametrize("angle", [1e-3, 0.3, 2.0, 5.0, 8.0])
def test_gyration_is_its_definition_by_mobius_additions(c: float, dim: int, angle: float) -> None:
    v = 3.0 * directions(1, dim, seed=8)[0]  # a vector, not a point of the ball
    for kind, x, y in pairs(angle, dim, c):
        for first in (x, -x):
            truth = oracle.gyration(oracle.exact(first), oracle.exact(y), oracle.exact(v), mp.mpf(c))
            assert oracle.distance_of(ball.gyration(first, y, v, c=c), truth) <= 1e-13, kind


@across_spaces
def test_transp0_scales_by_the_boundary_gap(c: float, dim: int) -> None:
    v, u = directions(2, dim, seed=9)
    for angle in (0.0, 1e-3, 2.0, 12.0):
        y = at(angle, u, c)
        truth = oracle.ball_transp([mp.mpf(0)] * dim, oracle.exact(y), oracle.exact(v), mp.mpf(c))
        assert oracle.distance_of(ball.transp0(y, v, c=c), truth) <= 4 * EPS * oracle.norm(truth)


@across_spaces
def test_polar_coordinates_are_the_textbook_ones(c: float, dim: int) -> None:
    u = directions(1, dim, seed=10)[0]
    for angle in (1e-9, 1e-3, 1.0, 5.0, 12.0):
        x = ball.from_polar(Polar(torch.tensor(angle / c**0.5, dtype=F64), u), c=c)
        radius = mp.mpf(angle / c**0.5)
        truth = oracle.scale(mp.tanh(mp.sqrt(mp.mpf(c)) * radius / 2) / mp.sqrt(mp.mpf(c)), oracle.exact(u))
        assert oracle.distance_of(x, truth) <= 4 * EPS * oracle.norm(truth)
        polar = ball.to_polar(x, c=c)
        truth_radius = oracle.ball_dist([mp.mpf(0)] * dim, oracle.exact(x), mp.mpf(c))
        assert oracle.relative_error(polar.radius, truth_radius) <= 1e-12
        assert (polar.direction - u).norm() <= 4 * EPS
