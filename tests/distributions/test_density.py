"""The density of the wrapped normal: its integral, the textbook formula, and the two models of one space."""

import math

import numpy as np
import pytest
import torch

from hypgraph.distributions import WrappedNormal
from hypgraph.manifolds import Lorentz, PoincareBall, Polar

from .reference import F64, disk_nodes, log_density, place, seeded


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
@pytest.mark.parametrize("mean", [(0.0, 0.0), (0.7, -0.4), (-1.3, 0.9)], ids=str)
@pytest.mark.parametrize("scale", [(0.5,), (0.3, 0.6), (0.9, 0.4)], ids=str)
def test_the_density_integrates_to_one_over_the_disk(
    c: float, mean: tuple[float, float], scale: tuple[float, ...]
) -> None:
    vector = torch.tensor(mean, dtype=F64)
    loc = PoincareBall(2, c).expmap0(vector / 2)
    q = WrappedNormal(loc, torch.tensor(scale, dtype=F64), PoincareBall(2, c))
    points, area = disk_nodes(c, float(vector.norm()) + 7 * max(scale))
    density = torch.exp(q.log_prob(torch.from_numpy(points))).numpy()
    assert abs(float(density @ area) - 1) <= 1e-8


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
@pytest.mark.parametrize("dim", [1, 2, 5])
@pytest.mark.parametrize("isotropic", [True, False])
def test_the_density_is_the_textbook_formula_in_ball_coordinates(c: float, dim: int, isotropic: bool) -> None:
    manifold = PoincareBall(dim, c)
    loc = place(manifold, torch.randn(6, dim, dtype=F64, generator=seeded(1)))
    scale = torch.rand(6, 1 if isotropic else dim, dtype=F64, generator=seeded(2)) + 0.2
    points = place(manifold, torch.randn(9, 6, dim, dtype=F64, generator=seeded(3)))
    expected = log_density(points.numpy(), loc.numpy(), scale.expand(6, dim).numpy(), c)
    value = WrappedNormal(loc, scale, manifold).log_prob(points).numpy()
    np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_the_hyperboloid_has_the_density_of_the_ball_at_converted_points(c: float, dim: int) -> None:
    ball, sheet = PoincareBall(dim, c), Lorentz(dim, c)
    loc = place(ball, torch.randn(6, dim, dtype=F64, generator=seeded(1)))
    scale = torch.rand(6, dim, dtype=F64, generator=seeded(2)) + 0.2
    points = place(ball, torch.randn(9, 6, dim, dtype=F64, generator=seeded(3)))
    on_ball = WrappedNormal(loc, scale, ball).log_prob(points)
    on_sheet = WrappedNormal(ball.to_lorentz(loc), scale, sheet).log_prob(ball.to_lorentz(points))
    torch.testing.assert_close(on_sheet, on_ball, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
def test_the_two_models_draw_the_same_points_from_the_same_noise(c: float) -> None:
    ball, sheet = PoincareBall(3, c), Lorentz(3, c)
    loc = place(ball, torch.randn(6, 3, dtype=F64, generator=seeded(1)))
    on_ball = WrappedNormal(loc, 0.7, ball).rsample((5,), generator=seeded(2))
    on_sheet = WrappedNormal(ball.to_lorentz(loc), 0.7, sheet).rsample((5,), generator=seeded(2))
    torch.testing.assert_close(sheet.to_ball(on_sheet), on_ball, rtol=1e-12, atol=1e-13)


def test_density_at_the_centre_is_that_of_the_normal() -> None:
    manifold = PoincareBall(3, 1.4)
    loc = place(manifold, torch.tensor([0.5, -0.2, 0.9], dtype=F64))
    scale = torch.tensor([0.2, 0.5, 2.0], dtype=F64)
    expected = -math.log(0.2 * 0.5 * 2.0) - 1.5 * math.log(2 * math.pi)
    assert abs(WrappedNormal(loc, scale, manifold).log_prob(loc).item() - expected) < 1e-12
    at_origin = WrappedNormal(None, scale, manifold).log_prob(torch.zeros(3, dtype=F64))
    assert abs(at_origin.item() - expected) < 1e-14


def test_little_curvature_gives_the_normal_of_twice_the_coordinates() -> None:
    manifold = PoincareBall(4, 1e-9)
    loc, scale = (
        torch.randn(4, dtype=F64, generator=seeded(1)),
        torch.rand(4, dtype=F64, generator=seeded(2)) + 0.2,
    )
    points = torch.randn(8, 4, dtype=F64, generator=seeded(3))
    flat = torch.distributions.Normal(2 * loc, scale).log_prob(2 * points).sum(-1)
    torch.testing.assert_close(WrappedNormal(loc, scale, manifold).log_prob(points), flat, rtol=1e-6, atol=1e-6)


def test_single_precision_agrees_with_double() -> None:
    manifold = PoincareBall(3, 1.0)
    vector = torch.randn(6, 3, dtype=F64, generator=seeded(1))
    center = Polar(vector.norm(dim=-1), vector / vector.norm(dim=-1, keepdim=True))
    points = place(manifold, torch.randn(6, 3, dtype=F64, generator=seeded(2)))
    double = WrappedNormal(center, 0.6, manifold).log_prob(points)
    single = WrappedNormal(Polar(center.radius.float(), center.direction.float()), 0.6, manifold)
    torch.testing.assert_close(single.log_prob(points.float()).double(), double, rtol=1e-4, atol=1e-4)
