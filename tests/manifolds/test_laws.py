"""The laws of Riemannian geometry over every manifold, in both precisions.

Points lie up to √c·radius 6 (float64) and 3 (float32); errors are allowed in units of ε e^reach, the precision
that coordinates have there, times the constant of each law.
"""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.manifolds.functional import ball

from .points import F64, directions, embed, length, origin, points, product, tangents


@dataclass(frozen=True)
class Setting:
    manifold: Manifold
    dtype: torch.dtype

    @property
    def reach(self) -> float:
        return 6.0 if self.dtype == F64 else 3.0

    @property
    def tolerance(self) -> float:
        return 16 * torch.finfo(self.dtype).eps * math.exp(self.reach)

    @property
    def unit(self) -> float:
        """The radius of curvature, the natural unit of length."""
        return (float(self.manifold.c) or 1.0) ** -0.5

    def points(self, seed: int) -> Tensor:
        x = points(self.manifold, self.reach, seed, dtype=self.dtype)
        return self.manifold.projx(x) if isinstance(self.manifold, Lorentz) else x

    def tangents(self, x: Tensor, seed: int, size: float = 1.0) -> Tensor:
        return tangents(self.manifold, x, seed, length=size * self.unit).to(self.dtype)

    def same_lengths(self, value: Tensor, expected: Tensor, factor: float = 1.0) -> None:
        torch.testing.assert_close(
            value.double(),
            expected.double(),
            rtol=factor * self.tolerance,
            atol=factor * self.tolerance * self.unit,
        )

    def same_points(self, value: Tensor, expected: Tensor, factor: float = 1.0) -> None:
        assert value.dtype == self.dtype
        apart = self.manifold.dist(value.double(), expected.double())
        assert apart.max() <= factor * self.tolerance * self.unit

    def same_tangents(self, x: Tensor, value: Tensor, expected: Tensor, factor: float = 1.0) -> None:
        assert value.dtype == self.dtype
        error = length(self.manifold, x, value.double() - expected.double())
        scale = self.unit + length(self.manifold, x, expected)
        assert (error / scale).max() <= factor * self.tolerance


SETTINGS = [
    Setting(manifold, dtype)
    for dtype in (torch.float64, torch.float32)
    for dim in (1, 2, 5)
    for manifold in (
        Euclidean(dim),
        *(space(dim, c) for space in (PoincareBall, Lorentz) for c in (0.1, 1.0, 1.4)),
    )
]


@pytest.fixture(params=SETTINGS, ids=lambda s: f"{s.manifold}-{str(s.dtype)[-2:]}")
def setting(request: pytest.FixtureRequest) -> Setting:
    return request.param


@pytest.fixture
def manifold(setting: Setting) -> Manifold:
    return setting.manifold


def test_dist_is_symmetric_positive_and_zero_at_coincident_points(setting: Setting, manifold: Manifold) -> None:
    x, y = setting.points(1), setting.points(2)
    torch.testing.assert_close(
        manifold.dist(x, y), manifold.dist(y, x), rtol=4 * torch.finfo(setting.dtype).eps, atol=0.0
    )
    assert (manifold.dist(x, y) > 0).all()
    assert (manifold.dist(x, x) == 0).all()


def test_dist_obeys_the_triangle_inequality(setting: Setting, manifold: Manifold) -> None:
    x, y, z = (setting.points(seed).unsqueeze(axis) for seed, axis in ((1, 1), (2, 0), (3, 0)))
    z = z.unsqueeze(0)
    x, y = x.unsqueeze(0), y.unsqueeze(0)
    z = z.transpose(0, 2)
    slack = manifold.dist(x, z) + manifold.dist(z, y) - manifold.dist(x, y)
    assert slack.shape == (12, 12, 12)
    assert slack.min() >= -setting.tolerance * setting.unit


def test_dist0_is_the_distance_from_the_origin(setting: Setting, manifold: Manifold) -> None:
    x = setting.points(1)
    setting.same_lengths(manifold.dist0(x), manifold.dist(origin(manifold, setting.dtype), x))


def test_logmap_inverts_expmap(setting: Setting, manifold: Manifold) -> None:
    x = setting.points(1)
    for size in (1e-3, 1.0, 2.0):
        u = setting.tangents(x, 2, size)
        setting.same_tangents(x, manifold.logmap(x, manifold.expmap(x, u)), u, factor=math.exp(size))


def test_expmap_inverts_logmap(setting: Setting, manifold: Manifold) -> None:
    x, y = setting.points(1), setting.points(2)
    # At the far end an error ε e^r of the tangent vector, turned by an angle, has grown by sinh of the distance.
    growth = math.exp(setting.reach) if isinstance(manifold, Lorentz) else 1.0
    setting.same_points(manifold.expmap(x, manifold.logmap(x, y)), y, factor=growth)


def test_dist_is_the_riemannian_norm_of_logmap(setting: Setting, manifold: Manifold) -> None:
    x, y = setting.points(1), setting.points(2)
    setting.same_lengths(length(manifold, x, manifold.logmap(x, y)), manifold.dist(x, y))


def test_expmap_moves_the_riemannian_norm(setting: Setting, manifold: Manifold) -> None:
    x = setting.points(1)
    u = setting.tangents(x, 2, 2.0)
    setting.same_lengths(manifold.dist(x, manifold.expmap(x, u)), length(manifold, x, u), factor=8.0)


def test_geodesics_have_constant_speed(setting: Setting, manifold: Manifold) -> None:
    x = setting.points(1)
    u = setting.tangents(x, 2, 2.0)
    middle, end = manifold.expmap(x, 0.25 * u), manifold.expmap(x, u)
    setting.same_lengths(manifold.dist(middle, end), 0.75 * manifold.dist(x, end), factor=8.0)
    setting.same_lengths(manifold.dist(x, middle), 0.25 * manifold.dist(x, end), factor=8.0)


def test_maps_at_the_origin_are_the_maps_there(setting: Setting, manifold: Manifold) -> None:
    base = origin(manifold, setting.dtype)
    x = setting.points(1)
    u = embed(manifold, 0.7 * setting.unit * directions(12, manifold.dim, 3)).to(setting.dtype)
    setting.same_points(manifold.expmap0(u), manifold.expmap(base, u))
    setting.same_tangents(base, manifold.logmap0(x), manifold.logmap(base, x))
    setting.same_tangents(x, manifold.transp0(x, u), manifold.transp(base, x, u))
    setting.same_tangents(base, manifold.logmap0(manifold.expmap0(u)), u)
    setting.same_points(manifold.expmap0(manifold.logmap0(x)), x)


def test_expmap0_moves_twice_the_norm_on_the_ball_and_the_norm_elsewhere(
    setting: Setting, manifold: Manifold
) -> None:
    factor = 2.0 if isinstance(manifold, PoincareBall) else 1.0
    for size in (1e-4, 0.3, 1.4):
        u = embed(manifold, size * setting.unit * directions(5, manifold.dim, 3)).to(setting.dtype)
        moved = manifold.dist0(manifold.expmap0(u))
        torch.testing.assert_close(
            moved, factor * u.norm(dim=-1), rtol=32 * torch.finfo(setting.dtype).eps * math.exp(2 * size), atol=0.0
        )


def test_transport_preserves_norms_and_angles(setting: Setting, manifold: Manifold) -> None:
    x, y = setting.points(1), setting.points(2)
    u, v = setting.tangents(x, 3), setting.tangents(x, 4)
    moved_u, moved_v = manifold.transp(x, y, u), manifold.transp(x, y, v)
    scale = setting.unit**2
    for first, second, moved_first, moved_second in ((u, u, moved_u, moved_u), (u, v, moved_u, moved_v)):
        before, after = product(manifold, x, first, second), product(manifold, y, moved_first, moved_second)
        assert ((before - after).abs() / scale).max() <= setting.tolerance


def test_transport_to_the_same_point_and_there_and_back_changes_nothing(
    setting: Setting, manifold: Manifold
) -> None:
    x, y = setting.points(1), setting.points(2)
    u = setting.tangents(x, 3)
    setting.same_tangents(x, manifold.transp(x, x, u), u)
    setting.same_tangents(x, manifold.transp(y, x, manifold.transp(x, y, u)), u)


def test_transport_carries_a_geodesics_velocity_along(setting: Setting, manifold: Manifold) -> None:
    x, y = setting.points(1), setting.points(2)
    setting.same_tangents(y, manifold.transp(x, y, manifold.logmap(x, y)), -manifold.logmap(y, x), factor=2.0)


def test_polar_coordinates_go_there_and_back(setting: Setting, manifold: Manifold) -> None:
    x = setting.points(1)
    polar = manifold.to_polar(x)
    assert polar.direction.shape == (12, manifold.dim)
    setting.same_points(manifold.from_polar(polar), x)
    setting.same_lengths(polar.radius, manifold.dist0(x))
    again = manifold.to_polar(manifold.from_polar(polar))
    setting.same_lengths(again.radius, polar.radius)
    torch.testing.assert_close(
        again.direction, polar.direction, rtol=0.0, atol=16 * torch.finfo(setting.dtype).eps
    )


def test_dist_polar_is_dist(setting: Setting, manifold: Manifold) -> None:
    x, y = setting.points(1), setting.points(2)
    setting.same_lengths(manifold.dist_polar(manifold.to_polar(x), manifold.to_polar(y)), manifold.dist(x, y))


def test_conformal_coordinates_give_the_distances(setting: Setting, manifold: Manifold) -> None:
    x, y = setting.points(1), setting.points(2)
    first, second = manifold.conformal(x), manifold.conformal(y)
    assert first.coordinates.shape == (12, manifold.dim)
    assert first.gap.shape == (12,)
    assert first.coordinates.dtype == first.gap.dtype == setting.dtype
    gap = 1 - float(manifold.c) * first.coordinates.double().square().sum(-1)
    torch.testing.assert_close(first.gap.double(), gap, rtol=setting.tolerance, atol=0.0)
    square = (first.coordinates - second.coordinates).square().sum(-1)
    setting.same_lengths(manifold.conformal_dist(square, first.gap * second.gap), manifold.dist(x, y))
    assert not manifold.conformal_dist(torch.zeros_like(square), first.gap.square()).any()
    expected = manifold.to_ball(x) if isinstance(manifold, Lorentz) else x
    eps = torch.finfo(setting.dtype).eps
    torch.testing.assert_close(first.coordinates, expected, rtol=8 * eps, atol=0.0)
    from_polar = manifold.conformal(manifold.to_polar(x))
    torch.testing.assert_close(from_polar.coordinates, expected, rtol=setting.tolerance, atol=16 * eps)
    torch.testing.assert_close(from_polar.gap.double(), gap, rtol=setting.tolerance, atol=0.0)


def test_translate_polar_is_transport_from_the_origin_and_the_exponential_map(
    setting: Setting, manifold: Manifold
) -> None:
    x = setting.points(1)
    step = Polar(
        setting.unit * torch.linspace(0, 2, 12, dtype=setting.dtype),
        directions(12, manifold.dim, 5).to(setting.dtype),
    )
    frame = embed(manifold, step.vector())
    frame = frame / 2 if isinstance(manifold, PoincareBall) else frame  # λ₀ = 2
    expected = manifold.expmap(x, manifold.transp0(x, frame))
    end = manifold.translate_polar(manifold.to_polar(x), step)
    assert end.radius.dtype == end.direction.dtype == setting.dtype
    setting.same_points(manifold.from_polar(end), expected, factor=8.0)


def test_opposite_undoes_translate_polar(setting: Setting, manifold: Manifold) -> None:
    x, y = manifold.to_polar(setting.points(1)), manifold.to_polar(setting.points(2))
    z = manifold.translate_polar(x.opposite(), manifold.translate_polar(x, y))
    setting.same_lengths(manifold.dist_polar(z, y), torch.zeros(12), factor=math.exp(setting.reach))


@pytest.mark.parametrize("c", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("dim", [1, 2, 4])
def test_logdetexp_is_the_log_determinant_of_the_exponential_map(c: float, dim: int) -> None:
    for space in (PoincareBall(dim, c), Lorentz(dim, c)):
        for radius in (1e-3, 0.5, 3.0):
            vector = radius * directions(1, dim, 6)[0]

            def exponential(v: Tensor, space: Manifold = space) -> Tensor:
                frame = embed(space, v)
                return space.expmap0(frame / 2 if isinstance(space, PoincareBall) else frame)

            jacobian = torch.autograd.functional.jacobian(exponential, vector).mT  # rows: images of the frame
            end = exponential(vector)
            gram = product(space, end, jacobian.unsqueeze(0), jacobian.unsqueeze(1))
            torch.testing.assert_close(
                space.logdetexp(torch.tensor(radius, dtype=F64)), torch.logdet(gram) / 2, rtol=1e-9, atol=1e-12
            )
    assert Euclidean(dim).logdetexp(torch.tensor([0.5, 3.0])).tolist() == [0.0, 0.0]


# --- Möbius operations on the ball ---

BALLS = [s for s in SETTINGS if isinstance(s.manifold, PoincareBall)]
each_ball = pytest.mark.parametrize("setting", BALLS, ids=lambda s: f"{s.manifold}-{str(s.dtype)[-2:]}")


@each_ball
def test_mobius_add_has_a_neutral_element_and_left_cancellation(setting: Setting, manifold: PoincareBall) -> None:
    x, y = setting.points(1), setting.points(2)
    zero = torch.zeros_like(x)
    torch.testing.assert_close(manifold.mobius_add(zero, y), y, rtol=4 * torch.finfo(setting.dtype).eps, atol=0.0)
    setting.same_points(manifold.mobius_add(x, zero), x)
    setting.same_points(manifold.mobius_add(-x, x), zero)
    # x ⊕ y may lie twice as far out.
    sum_ = manifold.mobius_add(x, y)
    setting.same_points(manifold.mobius_add(-x, sum_), y, factor=2 * math.exp(setting.reach))


@each_ball
def test_mobius_add_is_translation(setting: Setting, manifold: PoincareBall) -> None:
    x, y = setting.points(1), setting.points(2)
    translated = manifold.translate_polar(manifold.to_polar(x), manifold.to_polar(y))
    setting.same_points(manifold.from_polar(translated), manifold.mobius_add(x, y), factor=math.exp(setting.reach))
    setting.same_lengths(manifold.dist0(manifold.mobius_add(-x, y)), manifold.dist(x, y))


@each_ball
def test_gyration_is_an_isometry_that_repairs_commutativity(setting: Setting, manifold: PoincareBall) -> None:
    x, y, c = setting.points(1), setting.points(2), manifold.c
    u = directions(12, manifold.dim, 7).to(setting.dtype)
    v = 5 * directions(12, manifold.dim, 8).to(setting.dtype)
    turned_u, turned_v = ball.gyration(x, y, u, c=c), ball.gyration(x, y, v, c=c)
    torch.testing.assert_close(turned_v.norm(dim=-1), v.norm(dim=-1), rtol=setting.tolerance, atol=0.0)
    torch.testing.assert_close(
        (turned_u * turned_v).sum(-1), (u * v).sum(-1), rtol=setting.tolerance, atol=5 * setting.tolerance
    )
    commuted = ball.gyration(x, y, manifold.mobius_add(y, x), c=c)
    torch.testing.assert_close(
        commuted, manifold.mobius_add(x, y), rtol=0.0, atol=setting.tolerance * setting.unit
    )


@each_ball
def test_lambda_x_is_the_conformal_factor(setting: Setting, manifold: PoincareBall) -> None:
    x = setting.points(1)
    expected = 2 / (1 - float(manifold.c) * x.double().square().sum(-1))
    torch.testing.assert_close(manifold.lambda_x(x).double(), expected, rtol=setting.tolerance, atol=0.0)
