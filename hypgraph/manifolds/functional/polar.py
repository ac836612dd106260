"""Hyperbolic geometry in polar coordinates: a radius and a unit direction about a base point.

Ball coordinates lose a factor e^(√c·r) of precision at radius r; polar coordinates lose nothing at any radius.
Sectional curvature is -c, c > 0; radii and distances are geodesic lengths; directions are unit vectors of an
orthonormal frame at the base point, carried to other points along the geodesics from it.

The exponentials are factored out of every formula, so that radii of thousands neither overflow nor underflow.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from hypgraph.manifolds.functional.elementary import asinh, norm, unit

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
    moderate = asinh(torch.exp(middle.clamp(max=largest)) * root)
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
    square = (norm(x.direction - y.direction) / 2).square()
    return 2 / sqrt_c * _half_distance(sqrt_c * x.radius, sqrt_c * y.radius, square)


class _Translation(torch.autograd.Function):
    """Translation in curvature -1: (a, u, b, w) to distance d and direction n of the point sinh(d) n.

    sinh(d) n = C u + sinh(b) w with C = sinh a cosh b + (u·w)(cosh a - 1) sinh b, which is summed as
    (sinh(a-b) + 2q (cosh a - 1) sinh b) u + sinh(b) (u+w), q = ‖u+w‖²/4: no term exceeds twice the result. The
    gradient, by hand, has a third of the operations that differentiating these would have. It uses ∂C/∂a = cosh d
    and, for G ⊥ n, that C (G·u) + sinh(b) (G·w) = 0. Hyperbolic functions come divided by their e^a or e^b.
    """

    generate_vmap_rule = True

    @staticmethod
    @override
    def forward(a: Tensor, u: Tensor, b: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        total = u + w
        square = (norm(total) / 2).square()
        sinh_b = -torch.expm1(-2 * b) / 2
        along = _sinh_gap(a, b) + square * torch.expm1(-a).square() * sinh_b
        direction = along.unsqueeze(-1) * u + (torch.exp(-a) * sinh_b).unsqueeze(-1) * total
        return 2 * _half_distance(a, b, square), unit(direction)

    @staticmethod
    @override
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs, *output)

    @staticmethod
    @override
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        a, u, b, w, d, n = ctx.saved_tensors
        grad_d, grad_n = grad_outputs
        total = u + w
        double = norm(total).square() / 2
        gap = _sinh_gap(a, b)
        sinh_a, sinh_b = -torch.expm1(-2 * a) / 2, -torch.expm1(-2 * b) / 2
        # sinh d is divided by e^(a+b) as well; its reciprocal is 0 where d is, and with it the gradient.
        sinh_d = -torch.expm1(-2 * d) * torch.exp(d - a - b) / 2
        apart = sinh_d > 0
        over_sinh_d = torch.where(apart, 1 / torch.where(apart, sinh_d, 1.0), 0.0)
        tangent = grad_n - (grad_n * n).sum(-1, keepdim=True) * n
        on_u = (tangent * u).sum(-1) * over_sinh_d
        cosh_minus_1 = torch.expm1(-a).square() / 2
        to_a = (gap + double * (1 + torch.exp(-2 * a)) / 2 * sinh_b) * over_sinh_d * grad_d
        to_a = to_a + (1 + torch.exp(-2 * d)) / 2 * torch.exp(d - a - b) * on_u
        to_b = (double * sinh_a * (1 + torch.exp(-2 * b)) / 2 - gap) * over_sinh_d * grad_d
        moving = b > 0
        turn = torch.where(moving, -on_u * sinh_a / torch.where(moving, sinh_b, 1.0) * torch.exp(-2 * b), 0.0)
        to_b = to_b + turn
        to_product = (sinh_a * over_sinh_d * grad_d + on_u * cosh_minus_1) * sinh_b
        along = (gap + double * cosh_minus_1 * sinh_b + torch.exp(-a) * sinh_b) * over_sinh_d
        across = torch.exp(-a) * sinh_b * over_sinh_d
        shared = to_product.unsqueeze(-1) * total
        return to_a, along.unsqueeze(-1) * tangent + shared, to_b, across.unsqueeze(-1) * tangent + shared


def _sinh_gap(a: Tensor, b: Tensor) -> Tensor:
    """sinh(a-b)/e^(a+b)."""
    return torch.exp(-2 * torch.minimum(a, b)) * torch.expm1(-2 * (a - b).abs()) * torch.sign(b - a) / 2


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
    distance, direction = _Translation.apply(sqrt_c * x.radius, x.direction, sqrt_c * y.radius, y.direction)
    return Polar(distance / sqrt_c, direction)
