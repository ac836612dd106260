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

__all__ = ["Polar", "dist_polar", "gyration_polar", "translate_polar"]


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

    @classmethod
    def of(cls, vector: Tensor) -> "Polar":
        """The point whose :meth:`vector` is ``vector [..., d]``."""
        length = norm(vector)
        return cls(length, unit(vector, length=length))

    def opposite(self) -> "Polar":
        """The point as far away in the opposite direction: ⊖x of the gyrovector space."""
        return Polar(self.radius, -self.direction)

    def vector(self) -> Tensor:
        """``radius · direction``, ``[..., d]``: the initial velocity of the geodesic of unit duration."""
        return self.radius.unsqueeze(-1) * self.direction


class _Scaled(NamedTuple):
    """Hyperbolic functions of two radii a and b, for c = 1, divided by e^a, e^b or e^(a+b)."""

    sinh_a: Tensor
    sinh_b: Tensor
    sinh_gap: Tensor  # sinh(a-b)
    square_gap: Tensor  # sinh²((a-b)/2)


def _scaled(a: Tensor, b: Tensor, gap: Tensor) -> _Scaled:
    """``gap`` = a-b is an argument because the rounding of a and b may be as large."""
    decay, shrink = torch.exp(-2 * torch.minimum(a, b)), torch.expm1(-gap.abs())
    part = decay * shrink
    return _Scaled(
        sinh_a=torch.expm1(-2 * a) * -0.5,
        sinh_b=torch.expm1(-2 * b) * -0.5,
        sinh_gap=part * (shrink + 2) * (torch.sign(gap) / -2),
        square_gap=part * shrink / 4,
    )


def _half_distance(a: Tensor, b: Tensor, gap: Tensor, scaled: _Scaled, square: Tensor) -> Tensor:
    """Half the distance of points at radii ``a`` and ``b`` for c = 1, ``square`` = ‖u₁ - u₂‖²/4.

    With S = sinh²((a-b)/2) + sinh a · sinh b · square, half the distance is asinh √S. ``scaled`` gives S/e^(a+b);
    where that is zero or underflows, the directions are so close that |a-b|/2 is exact. At any radius √S may be
    large or small: its logarithm decides which form of asinh serves.
    """
    rest = scaled.square_gap + scaled.sinh_a * scaled.sinh_b * square
    proper = rest > torch.finfo(rest.dtype).tiny
    level = (a + b + torch.log(torch.where(proper, rest, 1.0))) / 2
    largest = math.log(torch.finfo(rest.dtype).max) / 3
    half = torch.where(level < largest, asinh(torch.exp(level.clamp(max=largest))), level + math.log(2))
    return torch.where(proper, half, gap.abs() / 2)


def dist_polar(x: Polar, y: Polar, *, c: float | Tensor) -> Tensor:
    """Geodesic distance: sinh²(√c d/2) = sinh²(√c(r₁-r₂)/2) + sinh(√c r₁) sinh(√c r₂) (‖u₁-u₂‖/2)².

    The hyperbolic law of cosines in half angles; relative error below 1e-12 (float64) at any radius, also of
    points that lie close together far out.

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
    a, b, gap = sqrt_c * x.radius, sqrt_c * y.radius, sqrt_c * (x.radius - y.radius)
    return 2 / sqrt_c * _half_distance(a, b, gap, _scaled(a, b, gap), square)


class _Translation(torch.autograd.Function):
    """Translation in curvature -1: (a, u, b, w, a-b) to distance d and direction n of the point sinh(d) n.

    sinh(d) n = C u + sinh(b) w with C = sinh a cosh b + (u·w)(cosh a - 1) sinh b, which is summed as
    (sinh(a-b) + 2q (cosh a - 1) sinh b) u + sinh(b) (u+w), q = ‖u+w‖²/4: no term exceeds twice the result. The
    gradient, by hand, has a third of the operations that differentiating these would have. It uses ∂C/∂a = cosh d
    and, for G ⊥ n, that C (G·u) + sinh(b) (G·w) = 0. Hyperbolic functions come divided by their e^a or e^b.
    """

    generate_vmap_rule = True

    @staticmethod
    @override
    def forward(a: Tensor, u: Tensor, b: Tensor, w: Tensor, gap: Tensor) -> tuple[Tensor, Tensor]:
        total = u + w
        square = (norm(total) / 2).square()
        scaled = _scaled(a, b, gap)
        along = scaled.sinh_gap + square * torch.expm1(-a).square() * scaled.sinh_b
        across = torch.exp(-a) * scaled.sinh_b
        direction = torch.addcmul(along.unsqueeze(-1) * u, across.unsqueeze(-1), total)
        # Near the base point the sum is as small as e^-(a+b): its square would underflow.
        largest = direction.abs().amax(-1, keepdim=True)
        apart = largest > 0  # else on one ray, so far out that the sum underflows: the result lies on it too
        direction = torch.where(
            apart, direction / torch.where(apart, largest, 1.0), torch.sign(gap).unsqueeze(-1) * u
        )
        return 2 * _half_distance(a, b, gap, scaled, square), unit(direction)

    @staticmethod
    @override
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs, *output)

    @staticmethod
    @override
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        a, u, b, w, difference, d, n = ctx.saved_tensors
        grad_d, grad_n = grad_outputs
        total = u + w
        double = norm(total).square() / 2
        sinh_a, sinh_b, gap, _ = _scaled(a, b, difference)
        loss_a, loss_d = torch.expm1(-a), torch.expm1(-2 * d)  # e^-a - 1, e^-2d - 1
        cosh_a, cosh_b, cosh_d = 1 - sinh_a, 1 - sinh_b, 1 + loss_d / 2
        excess = torch.exp(d - a - b)
        # sinh d is divided by e^(a+b) as well; its reciprocal is 0 where d is (or underflows), as is the gradient.
        sinh_d = loss_d * excess / -2
        apart = sinh_d > torch.finfo(d.dtype).tiny
        over_sinh_d = torch.where(apart, 1 / torch.where(apart, sinh_d, 1.0), 0.0)
        tangent = torch.addcmul(grad_n, (grad_n * n).sum(-1, keepdim=True), n, value=-1)
        on_u = (tangent * u).sum(-1) * over_sinh_d
        across = (1 + loss_a) * sinh_b
        lift = loss_a.square() / 2 * sinh_b  # (cosh a - 1) sinh b
        along = (gap + double * lift + across) * over_sinh_d
        through_d = over_sinh_d * grad_d
        line = torch.where(apart, 0.0, torch.sign(difference)) * grad_d  # d = |a-b| there
        to_a = line + (gap + double * cosh_a * sinh_b) * through_d + cosh_d * excess * on_u
        moving = b > 0
        turn = torch.where(moving, on_u * sinh_a * (1 - 2 * sinh_b) / torch.where(moving, sinh_b, 1.0), 0.0)
        to_b = -line + (double * cosh_b * sinh_a - gap) * through_d - turn
        shared = (sinh_a * sinh_b * through_d + lift * on_u).unsqueeze(-1) * total
        to_u = torch.addcmul(shared, along.unsqueeze(-1), tangent) if ctx.needs_input_grad[1] else None
        over = (across * over_sinh_d).unsqueeze(-1)
        to_w = torch.addcmul(shared, over, tangent) if ctx.needs_input_grad[3] else None
        return to_a, to_u, to_b, to_w, None


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
    gap = (sqrt_c * (x.radius - y.radius)).detach()
    a, b = sqrt_c * x.radius, sqrt_c * y.radius
    distance, direction = _Translation.apply(a, x.direction, b, y.direction, gap)
    return Polar(distance / sqrt_c, direction)


def gyration_polar(x: Polar, y: Polar, v: Tensor, *, c: float | Tensor) -> Tensor:
    """gyr[x,y]v, the rotation by which x ⊕ (y ⊕ v) = (x ⊕ y) ⊕ gyr[x,y]v differs from associativity.

    It turns the plane of the two directions, from u_y towards u_x, by twice the argument of
    w = 1 + tanh(√c r_x/2) tanh(√c r_y/2) e^{iφ}, φ the angle between them: in the complex disk
    gyr[x,y] = (1+xȳ)/(1+x̄y) (Ungar 2008, section 3.4). With s = u_x + u_y its parts are sums of positive terms,

        1-τ = 2 (e^-a + e^-b) / ((1+e^-a)(1+e^-b)),   Re w = 1-τ + τ‖s‖²/2,   Im w = τ ‖s - (‖s‖²/2) u_y‖,

    so the angle keeps its precision at any radius, where w itself is nearly zero.

    Args:
        x: radius ``[...]``, direction ``[..., d]``.
        y: broadcasts with ``x``.
        v: ``[..., d]``, frame vectors; broadcasts with both.
        c: minus the sectional curvature.

    Returns:
        ``[..., d]``, of the lengths of ``v``.
    """
    sqrt_c = c**0.5
    decay_x, decay_y = torch.exp(-sqrt_c * x.radius), torch.exp(-sqrt_c * y.radius)
    rest = 2 * (decay_x + decay_y) / ((1 + decay_x) * (1 + decay_y))
    total = x.direction + y.direction
    closeness = total.square().sum(-1) / 2  # 1 + cos φ
    real = (rest + (1 - rest) * closeness).unsqueeze(-1)
    across_y = total
    for _ in range(2):  # what rounding leaves along u_y after the first time would stretch v
        across_y = across_y - (across_y * y.direction).sum(-1, keepdim=True) * y.direction
    imaginary = (1 - rest).unsqueeze(-1) * across_y
    size = torch.maximum(real, imaginary.abs().amax(-1, keepdim=True)).detach()
    size = torch.where(size > 0, size, 1.0)
    real, imaginary = real / size, imaginary / size
    square = imaginary.square().sum(-1, keepdim=True)
    along, across = (v * y.direction).sum(-1, keepdim=True), (v * imaginary).sum(-1, keepdim=True)
    turn = (square * along + real * across) * y.direction + (across - real * along) * imaginary
    whole = real.square() + square
    return v - 2 / torch.where(whole > 0, whole, 1.0) * turn
