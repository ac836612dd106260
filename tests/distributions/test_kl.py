"""Monte Carlo estimates of the KL divergence from polar draws: right, and never below zero beyond their error."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from hypgraph.distributions import WrappedNormal
from hypgraph.manifolds import Lorentz, Manifold, PoincareBall, Polar

from .reference import F64, disk_nodes, log_density, place, seeded


def estimate(q: WrappedNormal, p: WrappedNormal, count: int, seed: int) -> tuple[float, float]:
    """Mean and standard error of log q - log p over draws from q."""
    draw = q.rsample_polar((count,), generator=seeded(seed))
    ratio = q.log_prob_of(draw) - p.log_prob_of(draw)
    return ratio.mean().item(), ratio.std().item() / math.sqrt(count)


def normal_kl(scale_q: Tensor, scale_p: Tensor) -> float:
    """KL of two centred normals; with one centre the wrapping changes both densities by the same factor."""
    square = (scale_q / scale_p).square()
    return float((square - 1 - square.log()).sum() / 2)


@pytest.mark.parametrize("manifold", [PoincareBall(2, 1.2), Lorentz(2, 1.2)], ids=str)
@pytest.mark.parametrize("mean", [(0.6, -0.4), (-1.0, 0.3)], ids=str)
@pytest.mark.parametrize("scale_q", [(0.4,), (0.3, 0.6)], ids=str)
@pytest.mark.parametrize("scale_p", [(1.0,), (1.3, 0.7)], ids=str)
@pytest.mark.parametrize("other", [None, (0.2, 0.9)], ids=str)
def test_the_estimate_agrees_with_quadrature_on_the_disk(
    manifold: PoincareBall | Lorentz,
    mean: tuple[float, float],
    scale_q: tuple[float, ...],
    scale_p: tuple[float, ...],
    other: tuple[float, float] | None,
) -> None:
    c, ball = 1.2, PoincareBall(2, 1.2)
    points, area = disk_nodes(c, 1.1 + 7 * max(scale_q), radii=160, angles=200)

    def both(vector: tuple[float, float] | None, scale: tuple[float, ...]) -> tuple[WrappedNormal, np.ndarray]:
        sigma = torch.tensor(scale, dtype=F64)
        loc = None if vector is None else place(manifold, torch.tensor(vector, dtype=F64))
        mu = torch.zeros(2, dtype=F64) if vector is None else place(ball, torch.tensor(vector, dtype=F64))
        density = log_density(points, mu.numpy(), sigma.expand(2).numpy(), c)
        return WrappedNormal(loc, sigma, manifold), density

    (q, log_q), (p, log_p) = both(mean, scale_q), both(other, scale_p)
    exact = float((np.exp(log_q) * (log_q - log_p)) @ area)
    value, error = estimate(q, p, 20_000, seed=5)
    assert exact > 0.3
    assert error < 0.02
    assert abs(value - exact) < 4 * error


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
@pytest.mark.parametrize("radius", [0.0, 3.0, 25.0, 400.0])
@pytest.mark.parametrize("scale", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("dim", [1, 2, 10, 50])
def test_with_one_centre_it_is_the_kl_of_the_normals(c: float, radius: float, scale: float, dim: int) -> None:
    center = Polar(torch.tensor(radius, dtype=F64), torch.ones(dim, dtype=F64) / dim**0.5)
    scale_q = scale * torch.linspace(0.5, 1.0, dim, dtype=F64)
    scale_p = torch.linspace(1.7, 1.1, dim, dtype=F64)
    q, p = (WrappedNormal(center, s, PoincareBall(dim, c)) for s in (scale_q, scale_p))
    value, error = estimate(q, p, 4_000, seed=dim)
    assert abs(value - normal_kl(scale_q, scale_p)) < 4 * error


def law_of_cosines(rho: np.ndarray, radius: float, cosine: np.ndarray, c: float) -> np.ndarray:
    a, b = math.sqrt(c) * rho, math.sqrt(c) * radius
    return np.arccosh(np.cosh(a) * np.cosh(b) - np.sinh(a) * np.sinh(b) * cosine) / math.sqrt(c)


@pytest.mark.parametrize("c", [0.1, 1.0, 1.2, 1.4])
@pytest.mark.parametrize(("scale_q", "scale_p"), [(0.5, 1.0), (5.0, 1.7), (3.0, 5.0), (5.0, 5.0)])
@pytest.mark.parametrize("radius", [1.0, 6.0])
def test_wide_posteriors_agree_with_quadrature_about_their_centre(
    c: float, scale_q: float, scale_p: float, radius: float
) -> None:
    """Here coordinates fail: with scale 5 a good part of the draws rounds onto the boundary of the disk."""
    node, weight = np.polynomial.legendre.leggauss(300)
    rho, d_rho = (node + 1) * 4.5 * scale_q, weight * 4.5 * scale_q
    theta = (np.arange(2000) + 0.5) * np.pi / 2000  # at least a little off the line through both centres
    distance = law_of_cosines(rho[:, None], radius, np.cos(theta), c)

    def log_ratio_to_plane(r: np.ndarray) -> np.ndarray:
        x = math.sqrt(c) * r
        return x + np.log1p(-np.exp(-2 * x)) - np.log(2 * x)

    mass = np.exp(-((rho / scale_q) ** 2) / 2) * rho / scale_q**2 * d_rho
    log_q = -((rho / scale_q) ** 2) / 2 - 2 * math.log(scale_q) - log_ratio_to_plane(rho)
    log_p = -((distance / scale_p) ** 2) / 2 - 2 * math.log(scale_p) - log_ratio_to_plane(distance)
    exact = float(mass @ (log_q - log_p.mean(-1)))
    manifold = PoincareBall(2, c)
    q = WrappedNormal(
        Polar(torch.tensor(radius, dtype=F64), torch.tensor([0.6, 0.8], dtype=F64)), scale_q, manifold
    )
    value, error = estimate(q, WrappedNormal(None, scale_p, manifold), 40_000, seed=7)
    assert abs(value - exact) < 4 * error
    assert exact > 0


def settings() -> Iterator[tuple[Manifold, float, float]]:
    for c in (0.1, 1.0, 1.4):
        for scale in (0.1, 1.0, 5.0):
            for dim in (1, 2, 5, 20, 50):
                yield PoincareBall(dim, c), scale, dim


@pytest.mark.parametrize(("manifold", "scale", "dim"), list(settings()), ids=str)
def test_it_is_not_negative_beyond_its_error(manifold: Manifold, scale: float, dim: int) -> None:
    generator = seeded(dim)
    direction = torch.randn(3, dim, dtype=F64, generator=generator)
    center = Polar(torch.tensor([0.1, 2.0, 8.0], dtype=F64), direction / direction.norm(dim=-1, keepdim=True))
    q = WrappedNormal(center, scale * (torch.rand(3, dim, dtype=F64, generator=generator) + 0.5), manifold)
    other = Polar(torch.tensor([0.5, 2.5, 6.0], dtype=F64), center.direction.roll(1, 0))
    for p in (
        WrappedNormal(None, scale, manifold),
        WrappedNormal(None, 1.7, manifold),
        WrappedNormal(other, scale, manifold),
    ):
        draw = q.rsample_polar((2_000,), generator=generator)
        ratio = q.log_prob_of(draw) - p.log_prob_of(draw)
        assert torch.isfinite(ratio).all()
        assert (ratio.mean(0) > -4 * ratio.std(0) / math.sqrt(2_000)).all()
