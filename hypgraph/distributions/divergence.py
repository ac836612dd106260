"""Kullback-Leibler divergences: closed forms for torch's ``kl_divergence``, and Monte Carlo for the rest."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions.kl import register_kl

from hypgraph.distributions.arguments import check_one_space
from hypgraph.distributions.centered import CenteredDistribution
from hypgraph.distributions.hyperbolic_radius import HyperbolicRadius
from hypgraph.distributions.polar_draw import PolarDraw
from hypgraph.distributions.riemannian_normal import RiemannianNormal
from hypgraph.distributions.rotated_wrapped_normal import RoWN
from hypgraph.distributions.wrapped_normal import WrappedNormal
from hypgraph.manifolds import Euclidean

__all__ = ["MonteCarloKL", "log_ratio", "monte_carlo_kl"]


class MonteCarloKL(NamedTuple):
    """An estimate of KL(q ‖ p), nats.

    Attributes:
        value: ``[...]``, the mean of log q - log p over the draws; differentiable.
        standard_error: ``[...]``, of ``value``; NaN for a single draw.
    """

    value: Tensor
    standard_error: Tensor


def monte_carlo_kl(
    q: CenteredDistribution, p: CenteredDistribution, *, n: int, generator: torch.Generator | None = None
) -> MonteCarloKL:
    """KL(q ‖ p) from ``n`` polar draws of q: unbiased, at any radius, for any two families on one space.

    Args:
        q: where the draws come from; batch shape ``[...]``.
        p: broadcasts with q.
        n: draws for each member of the batch; memory and time grow with it.
        generator: on the device of q's scale.

    Raises:
        ValueError: if q and p live on different spaces, or ``n`` is below 1.

    >>> from hypgraph.distributions import RiemannianNormal
    >>> from hypgraph.manifolds import PoincareBall
    >>> q, p = (RiemannianNormal(None, s, PoincareBall(2, 1.2)) for s in (2.0, 1.7))
    >>> estimate = monte_carlo_kl(q, p, n=100_000, generator=torch.Generator().manual_seed(0))
    >>> exact = torch.distributions.kl_divergence(q, p)
    >>> bool((estimate.value - exact).abs() < 4 * estimate.standard_error)
    True
    """
    check_one_space("q", q.manifold, "p", p.manifold)
    if n < 1:
        raise ValueError(f"n is the number of draws and must be at least 1, got {n}")
    batch_shape = torch.broadcast_shapes(q.batch_shape, p.batch_shape)
    if batch_shape != q.batch_shape:
        q = q.expand(batch_shape)
    draw = q.rsample_polar((n,), generator=generator)
    ratio = log_ratio(q, p, draw)
    error = ratio.detach().std(0) / n**0.5 if n > 1 else torch.full_like(ratio[0].detach(), torch.nan)
    return MonteCarloKL(ratio.mean(0), error)


def log_ratio(q: CenteredDistribution, p: CenteredDistribution, draw: PolarDraw) -> Tensor:
    """log q - log p, ``[...]``, at a polar draw; two wrapped normals measure their volumes in one pass."""
    if not (
        isinstance(q, WrappedNormal) and isinstance(p, WrappedNormal) and q.manifold is p.manifold is draw.manifold
    ):
        return q.log_prob_of(draw) - p.log_prob_of(draw)
    own, other = q._seen_from_center(draw), p._seen_from_center(draw)
    ratio = q._log_normal(own) - p._log_normal(other)
    if isinstance(q.manifold, Euclidean):
        return ratio
    radii = torch.stack(torch.broadcast_tensors(own.radius, other.radius))
    own_volume, other_volume = q.manifold.logdetexp(radii).unbind()
    return ratio - (own_volume - other_volume)


def _check_one_center(q: CenteredDistribution, p: CenteredDistribution) -> None:
    if q.center is p.center:
        return
    radii = [torch.zeros(()) if x.center is None else x.center.radius for x in (q, p)]
    same = (radii[0].double() == 0) & (radii[1].double() == 0)
    if q.center is not None and p.center is not None:
        same = same | ((radii[0] == radii[1]) & (q.center.direction == p.center.direction).all(-1))
    if not bool(same.all()):
        raise NotImplementedError(
            f"the divergence of two {type(q).__name__} with different centres has no closed form; use "
            "hypgraph.distributions.monte_carlo_kl(q, p, n=…)"
        )


def _kl_radius(q: HyperbolicRadius, p: HyperbolicRadius) -> Tensor:
    """log Z_p - log Z_q + E_q[r²] (1/2σ_p² - 1/2σ_q²)."""
    if q.dim != p.dim or not bool(torch.as_tensor(q.c == p.c).all()):
        raise NotImplementedError("the divergence of two HyperbolicRadius needs one dimension and one curvature")
    change = (1 / p.scale.square() - 1 / q.scale.square()) / 2
    return p.log_normalizer - q.log_normalizer + q.mean_square * change


def _kl_riemannian(q: RiemannianNormal, p: RiemannianNormal) -> Tensor:
    """With one centre that of the radii, as the direction is uniform in both."""
    check_one_space("q", q.manifold, "p", p.manifold)
    _check_one_center(q, p)
    kl: Tensor = _kl_radius(q.radius, p.radius)
    return kl.expand(torch.broadcast_shapes(q.batch_shape, p.batch_shape))


def _kl_wrapped(q: WrappedNormal, p: WrappedNormal) -> Tensor:
    """With one centre that of the normals in its tangent space, since both carry the same volume factor.

    Σ log(σ_p/σ_q) + (σ_q²/σ_p² - 1)/2; in flat space plus ‖(μ_q-μ_p)/σ_p‖²/2, at any two centres.
    """
    check_one_space("q", q.manifold, "p", p.manifold)
    flat = isinstance(q.manifold, Euclidean)
    turned = isinstance(q, RoWN) or isinstance(p, RoWN)
    if turned and not (q.isotropic or p.isotropic):
        if type(q) is not type(p):
            raise NotImplementedError(
                "the axes of the two scales differ; use hypgraph.distributions.monte_carlo_kl(q, p, n=…)"
            )
        _check_one_center(q, p)
    elif not flat:
        _check_one_center(q, p)
    ratio = q.scale / p.scale
    kl = q.manifold.dim * ((ratio.square() - 1) / 2 - torch.log(ratio)).mean(-1)
    if flat:
        kl = kl + (p._to_axes(q.loc - p.loc) / p.scale).square().sum(-1) / 2
    return kl.expand(torch.broadcast_shapes(q.batch_shape, p.batch_shape))


register_kl(HyperbolicRadius, HyperbolicRadius)(_kl_radius)
register_kl(RiemannianNormal, RiemannianNormal)(_kl_riemannian)
register_kl(WrappedNormal, WrappedNormal)(_kl_wrapped)
