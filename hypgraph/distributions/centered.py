"""What distributions about a centre share: everything but the law of the length and direction from it."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from typing_extensions import override

from hypgraph.distributions.arguments import (
    Loc,
    as_scale,
    batch_of,
    check_center,
    check_one_dtype,
    check_one_space,
    check_points,
    check_positive,
)
from hypgraph.distributions.polar_draw import PolarDraw
from hypgraph.manifolds import Manifold, Polar
from hypgraph.random import Generator, shifted

__all__ = ["CenteredDistribution", "OnManifold"]


class OnManifold(constraints.Constraint):
    """Points of a manifold in coordinates, to rounding; ``check`` takes ``[..., ambient_dim]`` to ``[...]``."""

    event_dim = 1

    def __init__(self, manifold: Manifold) -> None:
        self.manifold = manifold
        super().__init__()

    @override
    def check(self, value: Tensor) -> Tensor:
        return self.manifold.contains(value)

    def __repr__(self) -> str:
        return f"OnManifold({self.manifold})"


class CenteredDistribution(Distribution):
    """A density about ``loc``, given by the geodesic length and the direction from there.

    Subclasses draw and evaluate in polar coordinates about the centre, in the orthonormal frame carried there from
    the origin; here these meet coordinates, other centres and torch's contract. Densities are with respect to the
    Riemannian volume.

    Shapes: batch ``[...]``, event ``[ambient_dim]``; samples are ``sample_shape + batch + event``.

    Args:
        loc: the centre: coordinates ``[..., ambient_dim]``, or :class:`Polar` about the origin where radius and
            direction are known (exact at any radius), or None for the origin.
        scale: > 0, geodesic length; the subclass says of which shapes. A tensor decides the precision where
            ``loc`` is None.
        manifold: the space.
        validate_args: check ``loc``, ``scale`` and the points given to ``log_prob``; on a GPU it waits for them.

    Raises:
        TypeError: for half precision, which cannot hold points near the boundary.
        ValueError: for a scale that is not positive, a point off the manifold, or shapes that do not fit.

    Attributes:
        manifold: the space.
        center: the centre in polar coordinates about the origin, None for the origin.
        scale: as the subclass keeps it.
    """

    has_rsample = True
    name: ClassVar[str]
    """What configurations call the family."""
    scale_kinds: ClassVar[tuple[str, ...]]
    """What a posterior may have, the usual first: ``"isotropic"``, one scale, or ``"diagonal"``, one an axis."""

    def __init__(
        self,
        loc: Loc,
        scale: Tensor | float,
        manifold: Manifold,
        *,
        validate_args: bool | None = None,
    ) -> None:
        validate = Distribution._validate_args if validate_args is None else validate_args
        self.manifold = manifold
        if validate:
            check_center(loc, manifold)
        self.scale = as_scale(scale, loc)
        if validate:
            check_positive("scale", self.scale)
            check_one_dtype(loc, self.scale)
        self.scale, scale_batch = self._read_scale(self.scale, loc)
        self._loc = loc if isinstance(loc, Tensor) else None
        self.center = manifold.to_polar(loc) if isinstance(loc, Tensor) else loc
        batch_shape = torch.broadcast_shapes(batch_of(loc), scale_batch)
        super().__init__(batch_shape, torch.Size([manifold.ambient_dim]), validate_args=False)
        self._validate_args = validate

    @abstractmethod
    def _read_scale(self, scale: Tensor, loc: Loc) -> tuple[Tensor, torch.Size]:
        """The scale in the shape that the subclass keeps, and the batch shape that it has by itself."""

    @abstractmethod
    def _expanded_scale(self, batch_shape: torch.Size) -> Tensor:
        """The scale for a larger batch."""

    @abstractmethod
    def _draw(self, shape: tuple[int, ...], generator: Generator | None) -> Polar:
        """Draws about the centre, ``shape`` including the batch."""

    @abstractmethod
    def _log_density(self, point: Polar) -> Tensor:
        """Log-density ``[...]`` at points about the centre."""

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        """What ``loc`` and ``scale`` must satisfy."""
        return {"loc": OnManifold(self.manifold), "scale": constraints.positive}

    @property
    @override
    def support(self) -> constraints.Constraint:
        return OnManifold(self.manifold)

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
    def mode(self) -> Tensor:
        """The centre; :attr:`loc`."""
        return self.loc

    @override
    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        new: Self = self._get_checked_instance(type(self), _instance)
        batch_shape = torch.Size(batch_shape)
        new.manifold, new._loc = self.manifold, None
        new.scale = self._expanded_scale(batch_shape)
        new.center = self.center and Polar(
            self.center.radius.expand(batch_shape), self.center.direction.expand(*batch_shape, self.manifold.dim)
        )
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def __repr__(self) -> str:
        center = "origin" if self.center is None else f"{tuple(self.center.radius.shape)}"
        return f"{type(self).__name__}(loc: {center}, scale: {tuple(self.scale.shape)}, {self.manifold})"

    def rsample_polar(
        self, sample_shape: tuple[int, ...] | torch.Size = (), *, generator: Generator | None = None
    ) -> PolarDraw:
        """Draws that keep their length and direction about the centre; gradients reach ``loc``, ``scale`` and c.

        Args:
            sample_shape: how many draws; they are ``sample_shape + batch_shape``.
            generator: on the device of ``scale``; stacked ones count their axis in the batch.
        """
        shape = (*sample_shape, *self.batch_shape)
        return PolarDraw(self.manifold, self.center, self._draw(shape, shifted(generator, len(sample_shape))))

    @override
    def rsample(self, sample_shape: Any = (), *, generator: Generator | None = None) -> Tensor:
        return self.rsample_polar(sample_shape, generator=generator).value

    @override
    def sample(self, sample_shape: Any = (), *, generator: Generator | None = None) -> Tensor:
        with torch.no_grad():
            return self.rsample(sample_shape, generator=generator)

    def log_prob_of(self, draw: PolarDraw) -> Tensor:
        """Log-density ``[...]`` at a polar draw, of this distribution or of another on the same space.

        No coordinate, which might be rounded or pulled in, is mapped back: the value is exact at any radius,
        between any two centres.
        """
        if self._validate_args:
            check_one_space("draw", draw.manifold, "this distribution", self.manifold)
        return self._log_density(self._seen_from_center(draw))

    @override
    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density ``[...]`` at points ``[..., ambient_dim]`` in coordinates."""
        if self._validate_args:
            check_points("value", value, self.manifold)
        point = self.manifold.to_polar(value)
        if self.center is not None:
            point = self.manifold.translate_polar(self.center.opposite(), point)
        return self._log_density(point)

    def _seen_from_center(self, draw: PolarDraw) -> Polar:
        if draw.center is self.center:
            return draw.about_center
        if self.center is None:
            return draw.about_origin
        back = self.center.opposite()
        if draw.center is None:
            return self.manifold.translate_polar(back, draw.about_center)
        # ⊖p ⊕ (q ⊕ v) = (⊖p ⊕ q) ⊕ gyr[⊖p,q]v: by way of the origin, a rounding at q would count e^(√c r) times.
        turned = self.manifold.gyration_polar(back, draw.center, draw.direction)
        between = self.manifold.translate_polar(back, draw.center)
        return self.manifold.translate_polar(between, Polar(draw.radius, turned))
