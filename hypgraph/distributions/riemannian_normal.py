"""The Riemannian normal distribution on hyperbolic space."""

import math
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from hypgraph.distributions.arguments import Loc, pointwise_scale
from hypgraph.distributions.centered import CenteredDistribution
from hypgraph.distributions.hyperbolic_radius import HyperbolicRadius
from hypgraph.manifolds import Manifold, Polar
from hypgraph.manifolds.functional.elementary import unit
from hypgraph.manifolds.hyperbolic import Hyperbolic
from hypgraph.random import Generator, standard_normal

__all__ = ["RiemannianNormal"]


class RiemannianNormal(CenteredDistribution):
    r"""The density that depends on the distance to ``loc`` alone, as the normal one does in flat space.

        p(z) = exp(-d(μ,z)²/2σ²) / Z,    Z = |S^(d-1)| ∫₀^∞ exp(-r²/2σ²) (sinh(√c r)/√c)^(d-1) dr,

    with respect to the Riemannian volume; the maximum entropy distribution for a given E[d(μ,z)²]. The direction
    is uniform, the distance has the law of :class:`HyperbolicRadius`; σ is a geodesic length, yet for √c σ ≥ 1 the
    mean distance is near (d-1) √c σ², far more than σ, since volume grows as e^((d-1)√c r). Source: Pennec 2006;
    Mathieu et al. 2019 (arXiv 1901.06033), equation 4.

    ``scale`` is one number for each centre, of the batch's shape (a scalar broadcasts). See
    :class:`CenteredDistribution` for the other arguments, shapes and errors.

    Raises:
        TypeError: for a space without curvature, where this is the isotropic wrapped normal.

    >>> from hypgraph.manifolds import PoincareBall
    >>> q = RiemannianNormal(None, 0.5, PoincareBall(2))
    >>> draw = q.rsample_polar((1000,), generator=torch.Generator().manual_seed(0))
    >>> draw.value.shape, q.log_prob_of(draw).shape
    (torch.Size([1000, 2]), torch.Size([1000]))
    """

    name: ClassVar[str] = "riemannian"
    scale_kinds: ClassVar[tuple[str, ...]] = ("isotropic",)

    def __init__(
        self, loc: Loc, scale: Tensor | float, manifold: Manifold, *, validate_args: bool | None = None
    ) -> None:
        if not isinstance(manifold, Hyperbolic):
            raise TypeError(
                f"manifold is {manifold}; the Riemannian normal needs PoincareBall or Lorentz: in flat space it "
                "is WrappedNormal with one scale a point"
            )
        super().__init__(loc, scale, manifold, validate_args=validate_args)

    @override
    def _read_scale(self, scale: Tensor, loc: Loc) -> tuple[Tensor, torch.Size]:
        scale = pointwise_scale(scale, loc)
        return scale, scale.shape

    @override
    def _expanded_scale(self, batch_shape: torch.Size) -> Tensor:
        return self.scale.expand(batch_shape)

    @property
    def radius(self) -> HyperbolicRadius:
        """The law of the distance from the centre; its batch shape is that of ``scale``."""
        if not isinstance(self.manifold.c, Tensor):
            return self._radius
        # Numbers are kept from one call to the next, the gradient of a c that is learnt is not.
        radius = HyperbolicRadius(self.scale, self.manifold.dim, self.manifold.c, validate_args=False)
        radius._standard = self._radius._standard
        return radius

    @cached_property
    def _radius(self) -> HyperbolicRadius:
        return HyperbolicRadius(self.scale, self.manifold.dim, self.manifold.c, validate_args=False)

    @property
    def log_normalizer(self) -> Tensor:
        """log Z, ``[...]``: that of the radius and the area of the unit sphere, 2 π^(d/2)/Γ(d/2)."""
        half = self.manifold.dim / 2
        return self.radius.log_normalizer + (math.log(2) + half * math.log(math.pi) - math.lgamma(half))

    @override
    def _draw(self, shape: tuple[int, ...], generator: Generator | None) -> Polar:
        like, size = self.scale, (*shape, self.manifold.dim)
        noise = standard_normal(size, dtype=like.dtype, device=like.device, generator=generator)
        return Polar(self.radius.rsample_as(shape, generator=generator), unit(noise))

    @override
    def _log_density(self, point: Polar) -> Tensor:
        return -(point.radius / self.scale).square() / 2 - self.log_normalizer

    @override
    def entropy(self) -> Tensor:
        """log Z + E[r²]/2σ², ``[...]``."""
        entropy = self.log_normalizer + self.radius.mean_square / (2 * self.scale.square())
        return entropy.expand(self.batch_shape)
