"""Hyperbolic geometry in polar coordinates: a radius and a unit direction about a base point.

Ball coordinates lose a factor e^(√c·r) of precision at radius r; polar coordinates lose nothing at any radius.
Sectional curvature is -c, c > 0; radii and distances are geodesic lengths; directions are unit vectors of an
orthonormal frame at the base point, carried to other points along the geodesics from it.

The exponentials are factored out of every formula, so that radii of thousands neither overflow nor underflow.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from hypgraph.manifolds.functional.elementary import unit

__all__ = ["Polar", "dist_polar", "translate_polar"]


class Polar(NamedTuple):
    """A point in polar coordinates: it lies ``radius`` away from the base point, in ``direction``.

    The base point itself has radius 0 and, as it has no direction, the zero vector for one; gradients through
    its coordinates are zero there, as for :func:`torch.linalg.vector_norm`.

    Attributes:
        radius: ``[...]``, geodesic length, not negative.
        direction: ``[..., d]``, unit vectors of an orthonormal frame at the base point.
    """

    radius: Tensor
    direction: Tensor

    def opposite(self) -> "Polar":
        """The point as far away in the opposite direction: ⊖x of the gyrovector space."""
        return Polar(self.radius, -self.direction)

    def vector(self) -> Tensor:
        """``radius · direction``, ``[..., d]``: the initial velocity of the geodesic of unit duration."""
        return self.radius.unsqueeze(-1) * self.direction


def _half_distance(a: Tensor, b: Tensor, square: Tensor) -> Tensor:
    """Half the distance of points at radii ``a`` and ``b`` for c = 1, ``square`` = ‖u₁ - u₂‖²/4.

    With S = sinh²((a-b)/2) + sinh a · sinh b · square, half the distance is asinh √S. Here e^(a+b) is taken out
    of S. Where the rest is zero or underflows, the directions are so close that |a-b|/2 is exact.
    """
    near, gap = torch.minimum(a, b), (a - b).abs()
    rest = (torch.exp(-near) * torch.expm1(-gap) / 2).square()
    rest = rest + torch.expm1(-2 * a) * torch.expm1(-2 * b) * square / 4
    proper = rest > torch.finfo(rest.dtype).tiny
    root = torch.where(proper, rest, 1.0).sqrt()
    middle = (a + b) / 2
    largest = math.log(torch.finfo(rest.dtype).max) / 3
    moderate = torch.asinh(torch.exp(middle.clamp(max=largest)) * root)
    half = torch.where(middle < largest, moderate, middle + torch.log(2 * root))
    return torch.where(proper, half, gap / 2)


def dist_polar(x: Polar, y: Polar, *, c: float | Tensor) -> Tensor:
    """Geodesic distance: sinh²(√c d/2) = sinh²(√c(r₁-r₂)/2) + sinh(√c r₁) sinh(√c r₂) (‖u₁-u₂‖/2)².

    Relative error of some machine epsilons at any radius (the hyperbolic law of cosines in half angles).

    Args:
        x: radius ``[...]``, direction ``[..., d]``.
        y: broadcasts with ``x``.
        c: minus the sectional curvature.

    Returns:
        ``[...]``, geodesic lengths; 0 with gradient 0 at coincident points.

    >>> east = torch.tensor([1.0, 0.0], dtype=torch.float64)
    >>> far = torch.tensor(300.0, dtype=torch.float64)
    >>> dist_polar(Polar(far, east), Polar(far, -east), c=1.0).item()
    600.0
    """
    sqrt_c = c**0.5
    square = (x.direction - y.direction).square().sum(-1) / 4
    return 2 / sqrt_c * _half_distance(sqrt_c * x.radius, sqrt_c * y.radius, square)


def translate_polar(x: Polar, y: Polar, *, c: float | Tensor) -> Polar:
    """x ⊕ y: where the geodesic ends that starts at ``x`` with the frame vector of ``y``.

    ``y`` is read in the orthonormal frame at ``x`` that parallel transport carries there from the base point;
    so this is exp_x of the transported vector, and its inverse is ``translate_polar(x.opposite(), z)``.
    With a = √c r_x, b = √c r_y, s = u_x + u_y and q = ‖s‖²/4, the result has the radius of :func:`dist_polar`
    between ``x.opposite()`` and ``y``, and the direction of
    (sinh(a-b) + 2q (cosh a - 1) sinh b) u_x + sinh(b) s, a sum whose terms never exceed twice its length.

    Args:
        x: radius ``[...]``, direction ``[..., d]``.
        y: broadcasts with ``x``.
        c: minus the sectional curvature.

    Returns:
        The end point about the base point of ``x``.
    """
    sqrt_c = c**0.5
    a, b = sqrt_c * x.radius, sqrt_c * y.radius
    total = x.direction + y.direction
    square = total.square().sum(-1) / 4
    # Everything below is divided by e^(a+b).
    sinh_b = -torch.expm1(-2 * b) / 2
    sinh_gap = torch.exp(-2 * torch.minimum(a, b)) * torch.expm1(-2 * (a - b).abs()) * torch.sign(b - a) / 2
    along = sinh_gap + square * torch.expm1(-a).square() * sinh_b
    direction = along.unsqueeze(-1) * x.direction + (torch.exp(-a) * sinh_b).unsqueeze(-1) * total
    return Polar(2 / sqrt_c * _half_distance(a, b, square), unit(direction))
