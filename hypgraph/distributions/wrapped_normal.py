"""The wrapped normal distribution on a space of constant curvature."""

import math
from typing import Any, Self

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from typing_extensions import override

from hypgraph.distributions.arguments import check_center_and_scale, check_points
from hypgraph.distributions.polar_draw import PolarDraw
from hypgraph.manifolds import Manifold, Polar
from hypgraph.manifolds.functional.elementary import norm, unit
from hypgraph.random import standard_normal

__all__ = ["WrappedNormal"]


class WrappedNormal(Distribution):
    r"""A normal vector in the tangent space at ``loc``, followed along its geodesic for its length.

    v ~ N(0, diag σ²) in the orthonormal frame at the origin, carried to μ by parallel transport, z = exp_μ(v):

        log p(z) = log N(v; 0, diag σ²) - (d-1) log( sinh(√c ρ)/(√c ρ) ),   ρ = ‖v‖ = d(μ,z),

    with respect to the Riemannian volume. In flat space it is the normal distribution. Source: Nagano et al.
    2019 (arXiv 1902.02992), algorithm 2; Mathieu et al. 2019 (arXiv 1901.06033), equation 5.

    Shapes: batch ``[...]``, event ``[ambient_dim]``; samples are ``sample_shape + batch + event``.

    Args:
        loc: the centre μ: coordinates ``[..., ambient_dim]``, or :class:`Polar` about the origin where radius and
            direction are known (exact at any radius), or None for the origin.
        scale: σ > 0 in geodesic length: ``[..., d]``, or ``[..., 1]`` or a scalar for one number in every
            direction. It decides the precision where ``loc`` is None.
        manifold: the space.
        validate_args: check ``loc``, ``scale`` and the points given to ``log_prob``; on a GPU it waits for them.

    Raises:
        TypeError: for half precision, which cannot hold points near the boundary.
        ValueError: for a scale that is not positive, a point off the manifold, or shapes that do not fit.

    >>> from hypgraph.manifolds import PoincareBall
    >>> q = WrappedNormal(None, 0.5, PoincareBall(2))
    >>> z = q.rsample((1000,), generator=torch.Generator().manual_seed(0))
    >>> z.shape, q.log_prob(z).shape
    (torch.Size([1000, 2]), torch.Size([1000]))
    """

    arg_constraints: dict[str, Any] = {}  # checked by ourselves, with messages that name the remedy  # noqa: RUF012
    has_rsample = True

    def __init__(
        self,
        loc: Tensor | Polar | None,
        scale: Tensor | float,
        manifold: Manifold,
        *,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(scale, Tensor):
            like = loc.radius if isinstance(loc, Polar) else loc
            dtype, device = (torch.float64, None) if like is None else (like.dtype, like.device)
            scale = torch.tensor(float(scale), dtype=dtype, device=device)
        if scale.dim() == 0:
            scale = scale.unsqueeze(0)
        self.manifold, self.scale = manifold, scale
        if self._validate_args if validate_args is None else validate_args:
            check_center_and_scale(loc, scale, manifold)
        self._loc = loc if isinstance(loc, Tensor) else None
        self.center = manifold.to_polar(loc) if isinstance(loc, Tensor) else loc
        batch_shape = scale.shape[:-1]
        if self.center is not None:
            batch_shape = torch.broadcast_shapes(self.center.radius.shape, batch_shape)
        super().__init__(batch_shape, torch.Size([manifold.ambient_dim]), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The centre in coordinates, ``[..., ambient_dim]``; beyond ``manifold.max_radius`` it is pulled in."""
        if self._loc is not None:
            loc = self._loc
        elif self.center is None:
            zeros = self.scale.new_zeros(self.manifold.dim)
            loc = self.manifold.from_polar(Polar(zeros[..., 0], zeros))
        else:
            loc = PolarDraw(self.manifold, None, self.center).value
        return loc.expand(*self.batch_shape, self.manifold.ambient_dim)

    @property
    @override
    def support(self) -> constraints.Constraint:
        return constraints.independent(constraints.real, 1)

    @override
    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        new = self._get_checked_instance(WrappedNormal, _instance)
        batch_shape = torch.Size(batch_shape)
        new.manifold, new._loc = self.manifold, None
        new.scale = self.scale.expand(*batch_shape, self.scale.shape[-1])
        new.center = self.center and Polar(
            self.center.radius.expand(batch_shape), self.center.direction.expand(*batch_shape, self.manifold.dim)
        )
        super(WrappedNormal, new).__init__(batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        expanded: Self = new
        return expanded

    def rsample_polar(
        self, sample_shape: tuple[int, ...] | torch.Size = (), *, generator: torch.Generator | None = None
    ) -> PolarDraw:
        """Draws that keep their length and direction about the centre; gradients reach ``loc`` and ``scale``.

        Args:
            sample_shape: how many draws; they are ``sample_shape + batch_shape``.
            generator: on the device of ``scale``.
        """
        shape = (*sample_shape, *self.batch_shape, self.manifold.dim)
        noise = standard_normal(shape, dtype=self.scale.dtype, device=self.scale.device, generator=generator)
        if self.scale.shape[-1] == 1:  # the direction is the noise's own: no gradient need pass through it
            length = norm(noise)
            draw = Polar(self.scale.squeeze(-1) * length, unit(noise, length=length))
        else:
            vector = self.scale * noise
            length = norm(vector)
            draw = Polar(length, unit(vector, length=length))
        return PolarDraw(self.manifold, self.center, draw)

    @override
    def rsample(self, sample_shape: Any = (), *, generator: torch.Generator | None = None) -> Tensor:
        return self.rsample_polar(sample_shape, generator=generator).value

    @override
    def sample(self, sample_shape: Any = (), *, generator: torch.Generator | None = None) -> Tensor:
        with torch.no_grad():
            return self.rsample(sample_shape, generator=generator)

    def log_prob_of(self, draw: PolarDraw) -> Tensor:
        """Log-density ``[...]`` at a polar draw, of this distribution or of another on the same space.

        No coordinate, which might be rounded or pulled in, is mapped back: the value is exact at any radius where
        the draw is this distribution's own, or one of the two centres is the origin. Between two other centres
        the rounding ε of a direction at radius r counts ε e^(√c r).
        """
        if draw.center is self.center:
            return self._log_density(draw.about_center)
        return self._log_density(self._about_center(draw.about_origin))

    @override
    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density ``[...]`` at points ``[..., ambient_dim]`` in coordinates."""
        if self._validate_args:
            check_points("value", value, self.manifold)
        return self._log_density(self._about_center(self.manifold.to_polar(value)))

    def _about_center(self, about_origin: Polar) -> Polar:
        if self.center is None:
            return about_origin
        return self.manifold.translate_polar(self.center.opposite(), about_origin)

    def _log_density(self, point: Polar) -> Tensor:
        dim = self.manifold.dim
        if self.scale.shape[-1] == 1:
            scale = self.scale.squeeze(-1)
            square, log_scale = (point.radius / scale).square(), dim * torch.log(scale)
        else:
            square = (point.vector() / self.scale).square().sum(-1)
            log_scale = torch.log(self.scale).sum(-1)
        normal = -0.5 * square - log_scale - 0.5 * dim * math.log(2 * math.pi)
        return normal - self.manifold.logdetexp(point.radius)
