r"""The radius of a Riemannian normal in units of its scale: one family of densities on x > 0, and its numerics.

With x = r/σ and s = √c σ the density is proportional to

    ρ(x) = exp f(x),    f(x) = -x²/2 + (d-1) log( sinh(s x)/s ),

log-concave with f'' ≤ -1. All integrals are Gauss-Legendre sums, taken where ρ is not negligible. Differences of f
are computed as such, since f itself is as large as (d-1)² s²/2:

    f(x+y) - f(x) = L + ((d-1)s - x) y - y²/2,    L = (d-1) log( expm1(-2s(x+y)) / expm1(-2s x) ).

For the same reason the (d-1) log sinh of a point x+y stays below its tangent at x by κy - L ≥ 0, with
κ = 2(d-1)s / expm1(2s x): an exact rejection sampler accepts with probability exp(L - κy).
"""

import math
from collections.abc import Callable
from functools import cache, cached_property, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hypgraph.manifolds.functional.elementary import langevin
from hypgraph.random import (
    Generator,
    StackedGenerators,
    each_generator,
    shifted,
    standard_normal,
    uniform,
)

__all__ = ["StandardRadius", "slope_in_s"]

_REACH, _NODES = 8.0, 44  # f'' ≤ -1: less than 1e-14 of the mass lies further from the mode
_TAIL_DEPTH, _TAIL_NODES = 38.0, 24
_QUANTILE_STEPS = 60
_BLOCK = 1024
_TINY = 1e-150
_PROPOSALS, _SMALL = 6, 8192  # for how many draws or fewer a second round is dearer than more proposals


@cache
def _gauss_legendre(count: int, axes: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Nodes in (0, 1) and weights of sum 1, ``[count, 1, …, 1]`` with so many further axes."""
    node, weight = np.polynomial.legendre.leggauss(count)
    rule = torch.from_numpy(np.stack([(node + 1) / 2, weight / 2])).view(2, count, *(1,) * axes).to(device)
    return rule[0], rule[1]


def slope_in_s(x: Tensor, s: Tensor, dim: int) -> Tensor:
    """h = ∂f/∂s = (d-1)(x coth(s x) - 1/s)."""
    return langevin(s * x) * ((dim - 1) * x)


class _Tangent:
    """f as seen from the point x."""

    def __init__(self, x: Tensor, s: Tensor, dim: int) -> None:
        self.x, self.s, self.dim = x, s, dim
        self._double = -2 * s
        self._loss = torch.expm1(self._double * x)
        self._inverse_loss = self._loss.reciprocal()

    @cached_property
    def kappa(self) -> Tensor:
        return (self._inverse_loss + 1).mul_(self._double).mul_(self.dim - 1)

    @cached_property
    def slope(self) -> Tensor:
        """f'(x)."""
        return self.kappa + ((self.dim - 1) * self.s - self.x)

    @property
    def height(self) -> Tensor:
        """f(x)."""
        return (self.dim - 1) * (self.s * self.x + torch.log(self._loss / self._double)) - self.x.square() / 2

    def _log_ratio(self, end: Tensor) -> Tensor:
        """L of the module's formula at x+y = ``end``, which is overwritten; NaN where that is negative."""
        # In place: at thousands of points, fresh memory for each step would cost more than the arithmetic.
        if self.dim == 1:
            return end.clamp_(max=0).sqrt_()  # 0, or NaN
        return end.mul_(self._double).expm1_().mul_(self._inverse_loss).log_().mul_(self.dim - 1)

    def rise(self, y: Tensor, end: Tensor | None = None) -> Tensor:
        """f(x+y) - f(x); ``end`` is x+y where it is known better than from y."""
        push = (self.dim - 1) * self.s - self.x
        ratio = self._log_ratio(self.x + y if end is None else end.clone())
        return ratio.add_((y * -0.5).add_(push).mul_(y))

    def log_acceptance(self, y: Tensor) -> Tensor:
        """How far (d-1) log sinh at x+y stays below its tangent at x; NaN where x+y < 0."""
        return self._log_ratio(self.x + y).sub_(self.kappa * y)


def _near_mode(s: Tensor, dim: int) -> Tensor:
    """Within 0.5 % of the mode, the root of x tanh(s x) = (d-1) s; 0.01 for d = 1, whose mode is 0.

    x² = δ(δ s² + φ), δ = d-1, has φ → 1 for small m = δ s² and φ → 0 for large; in between φ is fitted. Nothing
    depends on its being exact: every sum and every tangent is right about any point.
    """
    growth = (dim - 1) * s.square()
    blend = torch.exp(-growth * (2 / 3 + 0.17 * growth))
    mode = ((dim - 1) * (growth + blend)).sqrt_()
    return mode if dim > 1 else mode.fill_(0.01)


class _Rule(NamedTuple):
    """A rule for expectations: E[g(x)] = Σᵢ probability_i · g(center + offset_i)."""

    at: _Tangent  # the centre, a point near the mode, [...]
    offset: Tensor  # [n, ...]
    probability: Tensor  # [n, ...], of sum 1
    log_mass: Tensor  # log ∫ρ/ρ(center), [...]


def _rule(s: Tensor, near_mode: Tensor, dim: int) -> _Rule:
    at = _Tangent(near_mode, s, dim)
    node, weight = _gauss_legendre(_NODES, s.dim(), s.device)
    start = at.x.clamp(max=_REACH).neg_()
    width = _REACH - start
    offset = torch.addcmul(start, width, node)
    mass = at.rise(offset).exp_().mul_(weight)
    total = mass.sum(0)
    return _Rule(at, offset, mass.mul_(1 / total), torch.log(total * width))


class _Center(NamedTuple):
    """What is kept of the rule; all ``[...]``."""

    point: Tensor
    height: Tensor  # f(point)
    log_mass: Tensor  # log ∫ρ/ρ(point)
    mean: Tensor  # E[y], y = x - point
    mean_square: Tensor  # E[y²]


def _center(dim: int, s: Tensor, near_mode: Tensor) -> _Center:
    at, offset, probability, log_mass = _rule(s, near_mode, dim)
    first = probability.mul_(offset)
    return _Center(at.x, at.height, log_mass, first.sum(0), offset.mul_(first).sum(0))


class _Tail(NamedTuple):
    """A rule for the side of x where the nearer end of the half line lies."""

    lower: Tensor  # whether that end is 0, [...] bool
    offset: Tensor  # [n, ...]
    weight: Tensor  # [n, ...]: ∫ g ρ over the tail, divided by ρ(x), is Σ weight · g

    def signed(self, g: Tensor) -> Tensor:
        """(1/ρ(x)) ∫₀ˣ -g ρ for a ``g [n, ...]`` of mean 0, over whichever tail."""
        total = g.mul_(self.weight).sum(0)
        return torch.where(self.lower, -total, total)


def _tail(x: Tensor, s: Tensor, dim: int) -> _Tail:
    at = _Tangent(x, s, dim)
    lower = at.slope > 0 if dim > 1 else x < 0.7
    steep = at.slope.abs()
    # ρ falls at least as fast as a normal density of that slope, so its logarithm is at the depth within:
    reach = 2 * _TAIL_DEPTH / (steep + torch.hypot(steep, torch.full_like(steep, (2 * _TAIL_DEPTH) ** 0.5)))
    reach = torch.where(lower, -torch.minimum(reach, x), reach)
    node, weight = _gauss_legendre(_TAIL_NODES, reach.dim(), reach.device)
    offset = reach * node
    return _Tail(lower, offset, at.rise(offset).exp_().mul_(weight).mul_(reach.abs()))


def _growth_in_scale(
    dim: int, x: Tensor, s: Tensor, point: Tensor, mean: Tensor, mean_square: Tensor
) -> tuple[Tensor]:
    lower, offset, weight = _tail(x, s, dim)
    # y² - E[y²] in offsets from the centre, where nothing large cancels
    y = offset.add_(x - point)
    excess = (y + 2 * point).mul_(y).sub_(2 * point * mean + mean_square)
    return (_Tail(lower, offset, weight).signed(excess),)


def _growth_in_s(dim: int, x: Tensor, s: Tensor, slope_of_log_mass: Tensor) -> tuple[Tensor]:
    tail = _tail(x, s, dim)
    return (tail.signed(slope_in_s(x + tail.offset, s, dim).sub_(slope_of_log_mass)),)


def _slope_of_log_mass(dim: int, s: Tensor, near_mode: Tensor) -> tuple[Tensor]:
    at, offset, probability, _ = _rule(s, near_mode, dim)
    return (slope_in_s(at.x + offset, s, dim).mul_(probability).sum(0),)


def _in_blocks(function: Callable[..., tuple[Tensor, ...]], *arguments: Tensor) -> tuple[Tensor, ...]:
    """``function(*arguments)``, with few of the points at a time on the CPU; the first argument has them all.

    The nodes of a block stay in the cache, and memory does not grow with their number.
    """
    shape = arguments[0].shape
    if shape.numel() <= 2 * _BLOCK or arguments[0].device.type != "cpu":
        return function(*arguments)
    blocks = zip(*(x.expand(shape).reshape(-1).split(_BLOCK) for x in arguments), strict=True)
    results = zip(*(function(*block) for block in blocks), strict=True)
    return tuple(torch.cat(parts).view(shape) for parts in results)


class StandardRadius:
    """The density ρ of the module on x > 0; no result carries gradients.

    Args:
        s: √c σ > 0, ``[...]``, float64.
        dim: d, at least 1; for d = 1 the half-normal, whatever s.
    """

    def __init__(self, s: Tensor, dim: int) -> None:
        self.s, self.dim = s.detach(), dim

    @cached_property
    def _center(self) -> _Center:
        return _Center(*_in_blocks(partial(_center, self.dim), self.s, self._near_mode))

    @cached_property
    def _near_mode(self) -> Tensor:
        return _near_mode(self.s, self.dim)

    @cached_property
    def _rule(self) -> _Rule:
        return _rule(self.s, self._near_mode, self.dim)

    @property
    def nodes(self) -> Tensor:
        """Where expectations want their function, ``[n, ...]``: E[g(x)] = Σ probability · g(nodes)."""
        return self._rule.at.x + self._rule.offset

    @property
    def probability(self) -> Tensor:
        """The weights of :attr:`nodes`, ``[n, ...]``, of sum 1."""
        return self._rule.probability

    @property
    def log_mass(self) -> Tensor:
        """log ∫ρ, ``[...]``; absolute error below 1e-12 + 1e-14 |log ∫ρ| for d to 1000."""
        return self._center.height + self._center.log_mass

    @property
    def mean_square(self) -> Tensor:
        """E[x²], ``[...]``."""
        point, _, _, mean, mean_square = self._center
        return point * (point + 2 * mean) + mean_square

    @cached_property
    def slope_of_log_mass(self) -> Tensor:
        """∂/∂s log ∫ρ = E[h], ``[...]``, h of :func:`slope_in_s`."""
        return _in_blocks(partial(_slope_of_log_mass, self.dim), self.s, self._near_mode)[0]

    def log_density(self, x: Tensor) -> Tensor:
        """log( ρ(x)/∫ρ )."""
        at = _Tangent(self._center.point, self.s, self.dim)
        return at.rise(x - at.x, x.expand(torch.broadcast_shapes(x.shape, at.x.shape))) - self._center.log_mass

    def _log_tail(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Whether the nearer tail is the lower one, the log of its probability, and its mass divided by ρ(x)."""
        lower, _, weight = _tail(x, self.s, self.dim)
        mass = weight.sum(0)
        return lower, self.log_density(x) + torch.log(mass), mass

    def cdf(self, x: Tensor) -> Tensor:
        """The probability below x; the lower tail keeps its relative precision."""
        lower, log_tail, _ = self._log_tail(x)
        value = torch.where(lower, log_tail.exp(), -torch.expm1(log_tail))
        value = torch.where(x > 0, value, torch.where(x <= 0, 0.0, math.nan))
        return torch.where(x < math.inf, value, torch.where(x == math.inf, 1.0, math.nan))

    def quantile(self, u: Tensor) -> Tensor:
        """The x below which the probability u lies.

        Newton's method on the logarithm of one tail, concave in x, so that no step passes the root but the first;
        steps towards 0 are taken in log x, which cannot pass 0. (It waits for the device once a step.)
        """
        x = self._near_mode.expand(torch.broadcast_shapes(u.shape, self.s.shape))
        left = u < self.cdf(x)
        log_target = torch.where(left, u, 1 - u).log()
        for _ in range(_QUANTILE_STEPS):
            lower, log_tail, mass = self._log_tail(x)
            own = lower == left  # else x is across the mode, and the tail wanted is what the other leaves
            log_side = torch.where(own, log_tail, torch.log1p(-log_tail.exp()))
            gap = log_side - log_target
            slope = torch.where(own, mass, mass * torch.exp(log_side - log_tail))
            step = torch.where(left, -gap, gap) * slope
            moved = torch.where(left & (gap > 0), x * torch.exp(step / x), x + step)
            close = (moved - x).abs() <= 1e-9 * x  # the error after the step is the square of that
            x = moved
            if bool((close | ~torch.isfinite(x)).all()):
                break
        x = torch.where(u > 0, x, torch.where(u == 0, 0.0, math.nan))
        return torch.where(u < 1, x, torch.where(u == 1, math.inf, math.nan))

    def growth_in_scale(self, x: Tensor) -> Tensor:
        """dr/dσ at fixed probability for r = σ x: (1/ρ(x)) ∫₀ˣ (E[y²] - y²) ρ(y) dy > 0."""
        point, _, _, mean, mean_square = self._center
        x = self._positive(x)
        return _in_blocks(partial(_growth_in_scale, self.dim), x, self.s, point, mean, mean_square)[0]

    def growth_in_s(self, x: Tensor) -> Tensor:
        """dx/ds at fixed probability: (1/ρ(x)) ∫₀ˣ (E[h] - h(y)) ρ(y) dy ≥ 0."""
        return _in_blocks(partial(_growth_in_s, self.dim), self._positive(x), self.s, self.slope_of_log_mass)[0]

    def _positive(self, x: Tensor) -> Tensor:
        """x in the shape of the result, a tiny radius instead of 0, where slopes are limits."""
        return x.clamp(min=_TINY).expand(torch.broadcast_shapes(x.shape, self.s.shape))

    def sample(self, shape: tuple[int, ...] | torch.Size, *, generator: Generator | None = None) -> Tensor:
        """Exact draws of ``shape``, to which s expands.

        With (d-1) log sinh(s x) replaced by its tangent near the mode, ρ is a normal density of variance 1: the
        proposal, accepted with the probability of the module's formula; at least 0.65 are, for d ≥ 2, and one in
        two for d = 1. All draws get several proposals at once, and the few left over are drawn again (the device
        is waited for once a round). Where s is not a number, neither is the draw.
        """
        s = self.s.expand(shape)
        at = _Tangent(self._near_mode.expand(shape), s, self.dim)
        runs = len(generator) if isinstance(generator, StackedGenerators) else 1
        proposals = _PROPOSALS if s.numel() <= runs * _SMALL else 2
        size, source = (proposals, *shape), shifted(generator, 1)
        y = standard_normal(size, dtype=s.dtype, device=s.device, generator=source) + at.slope
        u = uniform(size, dtype=s.dtype, device=s.device, generator=source)
        accepted = u < at.log_acceptance(y).exp_()  # left of 0 that is NaN, and the comparison false
        first = accepted.to(torch.uint8).argmax(0, keepdim=True)
        x = at.x + y.gather(0, first).squeeze(0)
        pending = ~accepted.any(0)
        if bool(pending.any()):
            pending &= torch.isfinite(at.slope)
            for single, (own_x, own_s, left_over) in each_generator(generator, x, s, pending):
                rest = StandardRadius(own_s[left_over], self.dim)
                if rest.s.numel():
                    own_x[left_over] = rest.sample(rest.s.shape, generator=single)
        return x
