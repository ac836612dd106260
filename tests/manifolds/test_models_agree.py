"""Ball and hyperboloid are one space, and both tend to flat space as c → 0."""

import math

import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Euclidean, Lorentz, PoincareBall, Polar

from .points import F64, directions, embed, points, tangents

ONE_SPACE = pytest.mark.parametrize(
    ("ball", "sheet"),
    [(PoincareBall(dim, c), Lorentz(dim, c)) for dim in (1, 2, 5) for c in (0.1, 1.0, 1.4)],
    ids=str,
)
TOLERANCE = 16 * torch.finfo(F64).eps * math.exp(6)


def push(ball: PoincareBall, x: Tensor, v: Tensor) -> Tensor:
    """The tangent vector on the hyperboloid, by the derivative of the conversion."""
    return torch.autograd.functional.jvp(ball.to_lorentz, x, v)[1]


def close(value: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(value, expected, rtol=TOLERANCE, atol=TOLERANCE * (1 + float(expected.abs().max())))


@ONE_SPACE
def test_ball_and_hyperboloid_agree_through_conversion(ball: PoincareBall, sheet: Lorentz) -> None:
    x, y = points(ball, 3.0, 1), points(ball, 3.0, 2)
    v = tangents(ball, x, 3, length=2.0)
    big_x, big_y, big_v = ball.to_lorentz(x), sheet.from_ball(y), push(ball, x, v)
    assert sheet.check_point(big_x) is None
    close(sheet.dist(big_x, big_y), ball.dist(x, y))
    close(sheet.dist0(big_x), ball.dist0(x))
    close(sheet.to_ball(sheet.expmap(big_x, big_v)), ball.expmap(x, v))
    close(sheet.logmap(big_x, big_y), push(ball, x, ball.logmap(x, y)))
    close(sheet.transp(big_x, big_y, big_v), push(ball, y, ball.transp(x, y, v)))
    close(sheet.transp0(big_x, embed(sheet, 2 * v)), push(ball, x, ball.transp0(x, v)))
    close(sheet.expmap0(embed(sheet, 2 * v)), ball.to_lorentz(ball.expmap0(v)))
    close(sheet.logmap0(big_x), embed(sheet, 2 * ball.logmap0(x)))
    close(sheet.to_polar(big_x).radius, ball.to_polar(x).radius)
    close(sheet.to_polar(big_x).direction, ball.to_polar(x).direction)
    close(sheet.logdetexp(ball.dist0(x)), ball.logdetexp(ball.dist0(x)))


@ONE_SPACE
def test_conversion_there_and_back_is_the_identity(ball: PoincareBall, sheet: Lorentz) -> None:
    x = points(ball, 6.0, 4)
    eps = torch.finfo(F64).eps
    torch.testing.assert_close(ball.from_lorentz(ball.to_lorentz(x)), x, rtol=8 * eps, atol=0.0)
    torch.testing.assert_close(sheet.to_ball(sheet.from_ball(x)), x, rtol=8 * eps, atol=0.0)
    big = sheet.from_ball(x)
    close(sheet.from_ball(sheet.to_ball(big)), big)


@pytest.mark.parametrize("c", [1e-4, 1e-8, 1e-12])
def test_small_curvature_tends_to_flat_space(c: float) -> None:
    """The error falls like c; at fixed ball coordinates the metric tends to four times the flat one."""
    dim = 3
    ball, sheet, flat = PoincareBall(dim, c), Lorentz(dim, c), Euclidean(dim)
    u, v, w = (points(flat, 1.0, seed) for seed in (1, 2, 3))
    bound = 40 * c + 1e-14

    def near(value: Tensor, expected: Tensor) -> None:
        assert (value - expected).abs().max() <= bound

    near(ball.dist(u, v), 2 * flat.dist(u, v))
    near(ball.dist0(u), 2 * flat.dist0(u))
    near(ball.mobius_add(u, v), u + v)
    near(ball.expmap(u, v), u + v)
    near(ball.logmap(u, v), v - u)
    near(ball.expmap0(u), u)
    near(ball.logmap0(u), u)
    near(ball.transp(u, v, w), w)
    near(ball.transp0(u, w), w)
    near(ball.lambda_x(u), torch.full((12,), 2.0, dtype=F64))
    near(ball.to_polar(u).vector(), 2 * u)

    x, y = sheet.projx(embed(sheet, u)), sheet.projx(embed(sheet, v))
    tangent = tangents(sheet, x, 4)
    space = tangent[..., 1:]
    near(sheet.dist(x, y), flat.dist(u, v))
    near(sheet.expmap(x, tangent)[..., 1:], u + space)
    near(sheet.logmap(x, y)[..., 1:], v - u)
    near(sheet.transp(x, y, tangent)[..., 1:], space)
    near(sheet.expmap0(embed(sheet, u))[..., 1:], u)
    near(sheet.logmap0(x)[..., 1:], u)
    near(sheet.transp0(x, embed(sheet, w))[..., 1:], w)
    near(sheet.to_polar(x).vector(), u)

    first, second = flat.to_polar(u), flat.to_polar(v)
    near(ball.dist_polar(first, second), flat.dist(u, v))
    near(ball.translate_polar(first, second).vector(), u + v)
    near(ball.logdetexp(first.radius), flat.logdetexp(first.radius))


def test_flat_space_is_flat() -> None:
    flat = Euclidean(3)
    u, v, w = (points(flat, 2.0, seed) for seed in (1, 2, 3))
    assert torch.equal(flat.expmap(u, v), u + v)
    assert torch.equal(flat.logmap(u, v), v - u)
    assert torch.equal(flat.transp(u, v, w), w)
    assert torch.equal(flat.transp0(u, w), w)
    assert torch.equal(flat.projx(u), u)
    torch.testing.assert_close(flat.dist(u, v), torch.stack([torch.dist(a, b) for a, b in zip(u, v, strict=True)]))
    first, second = flat.to_polar(u), flat.to_polar(v)
    torch.testing.assert_close(flat.translate_polar(first, second).vector(), u + v)
    torch.testing.assert_close(flat.dist_polar(first, second), flat.dist(u, v))


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
def test_curvature_only_scales_lengths(c: float) -> None:
    """Points at equal √c·radius are the same figure, 1/√c times as large."""
    x, y = (Polar(torch.tensor(3.0, dtype=F64), row) for row in directions(2, 3, 9))
    for space in (PoincareBall, Lorentz):
        unit, other = space(3, 1.0), space(3, c)
        shrunk = [Polar(p.radius / c**0.5, p.direction) for p in (x, y)]
        a, b = (unit.from_polar(p) for p in (x, y))
        small_a, small_b = (other.from_polar(p) for p in shrunk)
        close(small_a * c**0.5, a)
        close(other.dist(small_a, small_b) * c**0.5, unit.dist(a, b))
        close(other.logmap(small_a, small_b) * c**0.5, unit.logmap(a, b))
        close(other.dist_polar(*shrunk) * c**0.5, unit.dist_polar(x, y))
