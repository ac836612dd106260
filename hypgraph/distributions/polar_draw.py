"""A random draw that keeps what coordinates would round away."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from hypgraph.manifolds import Manifold, Polar

__all__ = ["PolarDraw"]


@dataclass(frozen=True, eq=False)
class PolarDraw:
    """Points drawn about a centre, in polar coordinates about that centre.

    Densities are functions of lengths and directions, so they are evaluated on these and stay exact where
    coordinates have long rounded onto the boundary: bounds use the polar draw, decoders :attr:`point`
    or :attr:`value`.

    Attributes:
        manifold: where the points lie.
        center: the centre about the origin, or None for the origin itself.
        about_center: the points about the centre, in the frame transported there from the origin.
    """

    manifold: Manifold
    center: Polar | None
    about_center: Polar

    @property
    def radius(self) -> Tensor:
        """Distance of each point from the centre, ``[...]``, geodesic length."""
        return self.about_center.radius

    @property
    def direction(self) -> Tensor:
        """Unit direction of each point from the centre, ``[..., d]``."""
        return self.about_center.direction

    @cached_property
    def about_origin(self) -> Polar:
        """The points in polar coordinates about the origin."""
        if self.center is None:
            return self.about_center
        return self.manifold.translate_polar(self.center, self.about_center)

    @cached_property
    def pulled_in(self) -> Tensor:
        """Which points, ``[...]`` bool, lie beyond what coordinates can hold and were moved in :attr:`point`."""
        return self.about_origin.radius > self.manifold.max_radius(self.radius.dtype)

    @cached_property
    def point(self) -> Polar:
        """The points about the origin for whoever needs coordinates, pulled in to ``manifold.max_radius``."""
        radius, direction = self.about_origin
        largest = torch.as_tensor(self.manifold.max_radius(radius.dtype), dtype=radius.dtype, device=radius.device)
        return Polar(torch.minimum(radius, largest), direction)

    @cached_property
    def value(self) -> Tensor:
        """Coordinates ``[..., ambient_dim]`` of :attr:`point`."""
        return self.manifold.from_polar(self.point)
