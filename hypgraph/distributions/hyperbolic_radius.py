"""The distance of a Riemannian normal's draws from their centre."""

import math
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.distributions import Distribution, constraints
from typing_extensions import override

from hypgraph.distributions.arguments import (
    as_scale,
    check_curvature,
    check_positive,
    check_probability,
    check_radius,
)
from hypgraph.distributions.standard_radius import StandardRadius, slope_in_s
from hypgraph.manifolds.functional.elementary import log_sinhc
from hypgraph.random import Generator

__all__ = ["HyperbolicRadius"]


class HyperbolicRadius(Distribution):
    r"""The radius of the Riemannian normal: density ∝ exp(-r²/2σ²) (sinh(√c r)/√c)^(d-1) on r ≥ 0.

    One family in √c σ for each d, log-concave; for d = 1 the half-normal. Gradients in σ and c are exact: those of
    draws by implicit reparameterisation, dr/dσ = (1/p(r)) ∫₀ʳ (E[t²] - t²) p(t) dt / σ³ (Figurnov et al. 2018,
    arXiv 1805.08498). Mathieu et al. 2019 (arXiv 1901.06033), appendix B.1.3, have the density.

    The work is done in float64 whatever the precision of ``scale``, and results are rounded to it.

    Args:
        scale: σ > 0, geodesic length, ``[...]``, the batch shape.
        dim: d ≥ 1, dimension of the space.
        c: minus its curvature, c > 0: a number, or a tensor that broadcasts with ``scale``.
        validate_args: check the arguments, and the radii given to methods.

    Raises:
        TypeError: for half precision.
        ValueError: for a scale, dimension or curvature that is not positive.

    >>> q = HyperbolicRadius(torch.tensor([0.5, 2.0], dtype=torch.float64), 3, 1.0)
    >>> r = q.rsample((1000,), generator=torch.Generator().manual_seed(0))
    >>> r.shape, q.mean.numpy().round(3)
    (torch.Size([1000, 2]), array([0.868, 8.002]))
    """

    has_rsample = True
    arg_constraints = {"scale": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative

    def __init__(
        self, scale: Tensor | float, dim: int, c: float | Tensor, *, validate_args: bool | None = None
    ) -> None:
        self.scale, self.dim, self.c = as_scale(scale), dim, c
        if self._validate_args if validate_args is None else validate_args:
            check_positive("scale", self.scale)
            check_curvature(c, self.scale)
            if isinstance(dim, bool) or not isinstance(dim, int) or dim < 1:
                raise ValueError(f"dim must be an integer of at least 1, got {dim}")
        batch_shape = self.scale.shape
        if isinstance(c, Tensor):
            batch_shape = torch.broadcast_shapes(batch_shape, c.shape)
        super().__init__(batch_shape, validate_args=False)
        self._validate_args = Distribution._validate_args if validate_args is None else validate_args

    @override
    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        new: Self = self._get_checked_instance(HyperbolicRadius, _instance)
        batch_shape = torch.Size(batch_shape)
        new.scale, new.dim, new.c = self.scale.expand(batch_shape), self.dim, self.c
        super(HyperbolicRadius, new).__init__(batch_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def _double(self) -> tuple[Tensor, Tensor]:
        """σ and c in float64, with their gradients."""
        return self.scale.double(), torch.as_tensor(self.c, dtype=torch.float64, device=self.scale.device)

    @property
    def _s(self) -> Tensor:
        scale, c = self._double
        return c.sqrt() * scale

    @cached_property
    def _standard(self) -> StandardRadius:
        with torch.no_grad():
            return StandardRadius(self._s, self.dim)

    def _cast(self, x: Tensor) -> Tensor:
        return x.to(self.scale.dtype)

    def _mean(self, g: Tensor) -> Tensor:
        """E[g] from values at the nodes, with gradients."""
        return _weighted(g, self._s, self._standard)

    @property
    def log_normalizer(self) -> Tensor:
        """log ∫₀^∞ exp(-r²/2σ²) (sinh(√c r)/√c)^(d-1) dr, ``[...]``; without the area of the unit sphere.

        Absolute error below 1e-11 + 1e-13 |log Z| for d to 1000. ∂/∂σ = E[r²]/σ³.
        """
        return self._cast(self._log_normalizer)

    @property
    def _log_normalizer(self) -> Tensor:
        if any(x.requires_grad for x in self._double):
            value: Tensor = _LogNormalizer.apply(*self._double, self._standard)
            return value
        return self._fixed_log_normalizer

    @cached_property
    def _fixed_log_normalizer(self) -> Tensor:
        value: Tensor = _LogNormalizer.apply(*self._double, self._standard)
        return value

    @property
    @override
    def mean(self) -> Tensor:
        return self._cast(self.scale * self._mean(self._standard.nodes))

    @property
    @override
    def variance(self) -> Tensor:
        x = self._standard.nodes
        return self._cast(self.scale.square() * self._mean((x - self._mean(x)).square()))

    @property
    def mean_square(self) -> Tensor:
        """E[r²] = σ³ ∂log Z/∂σ, ``[...]``."""
        return self._cast(self.scale.square() * self._mean(self._standard.nodes.square()))

    @override
    def rsample(self, sample_shape: Any = (), *, generator: torch.Generator | None = None) -> Tensor:
        """Exact draws, ``sample_shape + batch_shape``; ``generator`` on the device of ``scale``."""
        return self.rsample_as((*sample_shape, *self.batch_shape), generator=generator)

    def rsample_as(self, shape: tuple[int, ...], *, generator: Generator | None = None) -> Tensor:
        """Independent draws of a ``shape`` that the batch broadcasts to; stacked generators count its axes."""
        x = self._standard.sample(shape, generator=generator)
        radius: Tensor = _Quantile.apply(*self._double, None, x, self._standard)
        return self._cast(radius)

    @override
    def sample(self, sample_shape: Any = (), *, generator: torch.Generator | None = None) -> Tensor:
        with torch.no_grad():
            return self.rsample(sample_shape, generator=generator)

    @override
    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            check_radius("value", value)
        (scale, c), radius = self._double, value.double()
        log_prob = -(radius / scale).square() / 2 - self._log_normalizer
        if self.dim > 1:
            growth = torch.log(radius) + log_sinhc(c.sqrt() * radius)
            log_prob = log_prob + (self.dim - 1) * growth
        return self._cast(torch.where(radius < math.inf, log_prob, torch.where(radius > 0, -math.inf, math.nan)))

    @override
    def cdf(self, value: Tensor) -> Tensor:
        """P(r ≤ value), ``[...]``, with gradients in value, σ and c; the lower tail to full relative precision."""
        if self._validate_args:
            check_radius("value", value)
        probability: Tensor = _Probability.apply(*self._double, value.double(), self._standard)
        return self._cast(probability)

    @override
    def icdf(self, value: Tensor) -> Tensor:
        """The radius below which the probability ``value [...]`` lies, with gradients in value, σ and c."""
        if self._validate_args:
            check_probability("value", value)
        x = self._standard.quantile(value.detach().double())
        radius: Tensor = _Quantile.apply(*self._double, value.double(), x, self._standard)
        return self._cast(radius)


def _weighted(g: Tensor, s: Tensor, standard: StandardRadius) -> Tensor:
    """E[g] from ``g [n, ...]`` at the nodes, differentiable to any order in g and s."""
    level = (standard.dim - 1) * log_sinhc(s * standard.nodes)
    weight = torch.softmax(torch.log(standard.probability) + (level - level.detach()), dim=0)
    return (weight * g).sum(0)


def _ds_dc(scale: Tensor, c: Tensor) -> Tensor:
    return scale / (2 * c.sqrt())


class _LogNormalizer(torch.autograd.Function):
    """d log σ + log ∫ρ(x; √c σ) dx: E[x²]/σ and E[∂f/∂s] ds/dc, its gradient, cost little beside the value."""

    @staticmethod
    @override
    def forward(ctx: Any, scale: Tensor, c: Tensor, standard: StandardRadius) -> Tensor:
        ctx.standard = standard
        ctx.save_for_backward(scale, c)
        return standard.dim * torch.log(scale) + standard.log_mass

    @staticmethod
    @override
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (scale, c), standard, (grad,) = ctx.saved_tensors, ctx.standard, grad_outputs
        twice = torch.is_grad_enabled()
        to_scale = to_c = None
        if ctx.needs_input_grad[0]:
            mean_square = standard.mean_square
            if twice:
                mean_square = _weighted(standard.nodes.square(), c.sqrt() * scale, standard)
            to_scale = (grad * mean_square / scale).sum_to_size(scale.shape)
        if ctx.needs_input_grad[1]:
            s = c.sqrt() * scale
            slope = (
                _weighted(slope_in_s(standard.nodes, s, standard.dim), s, standard)
                if twice
                else standard.slope_of_log_mass
            )
            to_c = (grad * slope * _ds_dc(scale, c)).sum_to_size(c.shape)
        return to_scale, to_c, None


class _Quantile(torch.autograd.Function):
    """The radius r = σ x at a fixed probability u, from the x found already; u is None where it was drawn."""

    @staticmethod
    @override
    def forward(
        ctx: Any, scale: Tensor, c: Tensor, u: Tensor | None, x: Tensor, standard: StandardRadius
    ) -> Tensor:
        ctx.standard = standard
        ctx.save_for_backward(scale, c, u, x)
        return scale * x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (scale, c, u, x), standard = ctx.saved_tensors, ctx.standard
        to_scale = to_c = to_u = None
        if ctx.needs_input_grad[0]:
            to_scale = (grad * standard.growth_in_scale(x)).sum_to_size(scale.shape)
        if ctx.needs_input_grad[1]:
            to_c = (grad * scale * standard.growth_in_s(x) * _ds_dc(scale, c)).sum_to_size(c.shape)
        if ctx.needs_input_grad[2]:
            to_u = (grad * scale * torch.exp(-standard.log_density(x))).sum_to_size(u.shape)
        return to_scale, to_c, to_u, None, None


class _Probability(torch.autograd.Function):
    """P(radius ≤ r); the slope in σ and c is -p(r) times that of the radius at fixed probability."""

    @staticmethod
    @override
    def forward(ctx: Any, scale: Tensor, c: Tensor, value: Tensor, standard: StandardRadius) -> Tensor:
        ctx.standard = standard
        ctx.save_for_backward(scale, c, value)
        return standard.cdf(value / scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (scale, c, value), standard = ctx.saved_tensors, ctx.standard
        x = value / scale
        through = grad * torch.exp(standard.log_density(x)) / scale
        to_scale = to_c = to_value = None
        if ctx.needs_input_grad[0]:
            to_scale = (-through * standard.growth_in_scale(x)).sum_to_size(scale.shape)
        if ctx.needs_input_grad[1]:
            to_c = (-through * scale * standard.growth_in_s(x) * _ds_dc(scale, c)).sum_to_size(c.shape)
        if ctx.needs_input_grad[2]:
            to_value = through.sum_to_size(value.shape)
        return to_scale, to_c, to_value, None
