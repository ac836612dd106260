"""Lower bounds of an increasing function of the distance, from some points to all, as cheap as they come.

A bound gives ``lower(x)`` ``[B, N]`` and ``at(x, d)`` ``[B]`` such that a point no further than d, as float64
measures it, has a lower bound of no more than ``at(x, d)``: what is above is excluded for certain.

Roundings. Let ε be 2⁻⁵². A product of K terms, however it is summed, is off by K ε/2 · Σ|x_i y_i| at most, but
for terms of second order (Higham 2002, section 3.1), and entries that are rounded themselves add less than 3
ε/2 a term. So (2K + 12) ε Σ|x_i y_i| covers the error more than twice over, and with it what directions lack to
length 1.
"""

import math
from typing import Protocol

import torch
from torch import Tensor

from hypgraph.manifolds import Manifold, Polar

__all__ = ["Bound", "bounds_of"]

EPSILON = torch.finfo(torch.float64).eps
# More than the relative error of measured distances up to LARGEST_RADIUS, and of the functions of them.
SLACK = 1e-11
# Where products lose digits to underflow they are smaller than this.
TINY = 1e-290
# Up to these, √c times a radius and lengths in flat space, nothing here overflows.
LARGEST_RADIUS = 300.0
LARGEST_FLAT_RADIUS = 1e150


class Bound(Protocol):
    """See the head of this module."""

    def lower(self, x: Polar) -> Tensor:
        """``[B, N]``, from the points ``x [B]`` to all."""

    def at(self, x: Polar, distance: Tensor) -> Tensor:
        """``[B]``, at a distance of each of ``x``."""


def bounds_of(points: Polar, x: Polar, manifold: Manifold) -> list[Bound]:
    """Cheap ones first; the last one is as sharp as distances are.

    Args:
        points: to which the bounds are.
        x: all that they will be asked from.
        manifold: where both lie.
    """
    sqrt_c = math.sqrt(manifold.c_value)
    largest = max(float(part.radius.max()) for part in (points, x))
    if sqrt_c == 0.0:
        products: list[Bound] = [_FlatProducts(points)] if largest <= LARGEST_FLAT_RADIUS else []
        return [*products, _FlatDistances(points)]
    if sqrt_c * largest <= LARGEST_RADIUS:
        return [_LorentzProducts(points, sqrt_c), _HalfAngles(points, sqrt_c)]
    return [_Distances(points, manifold)]


class _LorentzProducts:
    """cosh(√c d)/cosh a = cosh b - sinh b · tanh a · ⟨u, w⟩ of points at (a, u) and (b, w), a and b times √c.

    A product on the hyperboloid, the row divided by cosh a, which does not change its order. The sizes of its
    terms sum up to e^b at most; so e^b (2K + 12) ε is taken from each column beforehand, and the product is the
    bound. It does not tell directions apart at angles of some √ε, nor points on them that are nearer than a + b
    - 30 or so.
    """

    def __init__(self, points: Polar, sqrt_c: float) -> None:
        self.sqrt_c = sqrt_c
        radius, direction = sqrt_c * points.radius, points.direction
        error = (2 * (direction.shape[1] + 1) + 12) * EPSILON * torch.exp(radius)
        time, space = torch.cosh(radius) - error, torch.sinh(radius) * -direction.T
        self.columns = torch.cat([time.unsqueeze(0), space])

    def lower(self, x: Polar) -> Tensor:
        space = torch.tanh(self.sqrt_c * x.radius).unsqueeze(1) * x.direction
        return torch.cat([torch.ones_like(x.radius).unsqueeze(1), space], dim=1) @ self.columns

    def at(self, x: Polar, distance: Tensor) -> Tensor:
        a, d = self.sqrt_c * x.radius, self.sqrt_c * distance
        return torch.exp(d - a) * (1 + torch.exp(-2 * d)) / (1 + torch.exp(-2 * a)) * (1 + SLACK)


class _HalfAngles:
    """sinh²(√c d/2) = sinh²((a-b)/2) + sinh a sinh b (‖u-w‖/2)², a sum of squares that nothing cancels in."""

    def __init__(self, points: Polar, sqrt_c: float) -> None:
        self.points, self.sqrt_c = points, sqrt_c
        self.half_sinh = torch.sinh(sqrt_c * points.radius) / 2

    def lower(self, x: Polar) -> Tensor:
        half_sinh = torch.sinh(self.sqrt_c * x.radius) / 2
        apart = _lengths(x.direction, self.points.direction).square_()
        apart *= half_sinh.unsqueeze(1) * self.half_sinh
        gap = self.sqrt_c / 2 * (x.radius.unsqueeze(1) - self.points.radius)
        return gap.sinh_().square_().add_(apart)

    def at(self, x: Polar, distance: Tensor) -> Tensor:  # noqa: ARG002
        return torch.sinh(self.sqrt_c / 2 * distance).square() * (1 + SLACK) + TINY


class _FlatProducts:
    """‖x-y‖² = ‖x‖² + ‖y‖² - 2⟨x, y⟩, terms that sum up to 2‖x‖² + 2‖y‖² at most."""

    def __init__(self, points: Polar) -> None:
        y = points.vector()
        self.less = 1 - 2 * (2 * (y.shape[1] + 2) + 12) * EPSILON
        self.columns = torch.cat(
            [-2 * y.T, self.less * y.square().sum(dim=1).unsqueeze(0), torch.ones(1, len(y)).double()]
        )

    def lower(self, x: Polar) -> Tensor:
        vector = x.vector()
        square = self.less * vector.square().sum(dim=1, keepdim=True)
        return torch.cat([vector, torch.ones_like(square), square], dim=1) @ self.columns

    def at(self, x: Polar, distance: Tensor) -> Tensor:  # noqa: ARG002
        return distance.square() * (1 + SLACK) + TINY


class _FlatDistances:
    """‖x-y‖ from differences."""

    def __init__(self, points: Polar) -> None:
        self.vectors = points.vector()

    def lower(self, x: Polar) -> Tensor:
        return _lengths(x.vector(), self.vectors)

    def at(self, x: Polar, distance: Tensor) -> Tensor:  # noqa: ARG002
        return distance * (1 + SLACK) + TINY


class _Distances:
    """The distances, at any radius and at many times the cost."""

    def __init__(self, points: Polar, manifold: Manifold) -> None:
        self.points, self.manifold = points, manifold

    def lower(self, x: Polar) -> Tensor:
        return self.manifold.dist_polar(Polar(x.radius.unsqueeze(1), x.direction.unsqueeze(1)), self.points)

    def at(self, x: Polar, distance: Tensor) -> Tensor:  # noqa: ARG002
        return distance * (1 + SLACK)


def _lengths(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i - y_j‖ from differences: inner products would lose what is close together."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
