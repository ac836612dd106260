"""A random draw that keeps what coordinates would round away."""

from torch import Tensor

from hypgraph.manifolds import Manifold, Polar

__all__ = ["PolarDraw"]


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

    # Not functools.cached_property: in Python 3.11 it takes a lock, which torch.compile cannot follow.
    def __init__(self, manifold: Manifold, center: Polar | None, about_center: Polar) -> None:
        self.manifold, self.center, self.about_center = manifold, center, about_center
        self._about_origin: Polar | None = about_center if center is None else None
        self._value: Tensor | None = None

    @property
    def radius(self) -> Tensor:
        """Distance of each point from the centre, ``[...]``, geodesic length."""
        return self.about_center.radius

    @property
    def direction(self) -> Tensor:
        """Unit direction of each point from the centre, ``[..., d]``."""
        return self.about_center.direction

    @property
    def about_origin(self) -> Polar:
        """The points in polar coordinates about the origin."""
        if self._about_origin is None:
            assert self.center is not None
            self._about_origin = self.manifold.translate_polar(self.center, self.about_center)
        return self._about_origin

    @property
    def pulled_in(self) -> Tensor:
        """Which points, ``[...]`` bool, lie beyond what coordinates can hold and were moved in :attr:`point`."""
        return self.about_origin.radius > self.manifold.max_radius(self.radius.dtype)

    @property
    def point(self) -> Polar:
        """The points about the origin for whoever needs coordinates, pulled in to ``manifold.max_radius``."""
        radius, direction = self.about_origin
        return Polar(radius.clamp(max=self.manifold.max_radius(radius.dtype)), direction)

    @property
    def value(self) -> Tensor:
        """Coordinates ``[..., ambient_dim]`` of :attr:`point`."""
        if self._value is None:
            self._value = self.manifold.from_polar(self.point)
        return self._value
