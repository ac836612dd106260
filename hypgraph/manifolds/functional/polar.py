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


class _Terms(NamedTuple):
    """What a translation and its gradient share, for c = 1; hyperbolic functions of a, b divided by e^a, e^b.

    None of it carries gradients.
    """

    total: Tensor  # u + w
    double: Tensor  # ‖u+w‖²/2
    decay_a: Tensor  # e^-a
    sinh_a: Tensor
    sinh_b: Tensor
    sinh_gap: Tensor  # sinh(a-b), divided by e^(a+b)
    lift: Tensor  # (cosh a - 1) sinh b
    cosh_d: Tensor  # divided by e^(a+b)
    over_sinh_d: Tensor  # e^(a+b)/sinh d, 0 where d is or the quotient overflows


def _translation(a: Tensor, u: Tensor, b: Tensor, w: Tensor, gap: Tensor) -> tuple[Tensor, Tensor, _Terms]:
    """Distance, direction and terms. The code has few passes over ``[...]`` and fewer over ``[..., d]``.

    With D = e^-b - e^-a, which the exact gap gives without cancellation, sinh(a-b)/e^(a+b) = D (e^-a + e^-b)/2 and
    R = sinh²(d/2)/e^(a+b) = D²/4 + sinh a sinh b q; then sinh(d)/e^(a+b) = 2 √R √(R + e^-(a+b)).
    """
    total = u + w
    double = norm(total).square() / 2
    decay_a, decay_b = torch.exp(-a), torch.exp(-b)
    sinh_a, sinh_b = torch.expm1(-2 * a) * -0.5, torch.expm1(-2 * b) * -0.5
    apart = torch.maximum(decay_a, decay_b) * torch.copysign(torch.expm1(-gap.abs()), gap)
    sinh_gap = apart * (decay_a + decay_b) / 2
    lift = torch.expm1(-a).square() * sinh_b / 2
    rest = torch.addcmul(apart.square() / 4, sinh_a * sinh_b, double, value=0.5)
    proper = rest > torch.finfo(rest.dtype).tiny
    rest = rest.clamp(min=torch.finfo(rest.dtype).tiny)
    both = decay_a * decay_b
    over_sinh_d = (rest.sqrt() * torch.sqrt(rest + both)).reciprocal() * 0.5
    none = torch.zeros_like(gap)
    over_sinh_d = torch.where(proper, over_sinh_d, none)

    # Where R underflows the directions are opposite to the last digit: d = |a-b|, and the result is on their ray.
    level = torch.log(rest) + (a + b)
    near = level.clamp(max=math.log(torch.finfo(rest.dtype).max) / 2 - 1)
    # sinh²(d/2), but where it would overflow: there d = level + log 4, and so is what follows
    square = torch.exp(near)
    distance = torch.log1p((square + torch.sqrt(square * (square + 1))) * 2) + (level - near)
    distance = torch.where(proper, distance, gap.abs())

    across = decay_a * sinh_b * over_sinh_d
    along = torch.where(proper, torch.addcmul(sinh_gap, double, lift) * over_sinh_d, torch.sign(gap))
    direction = torch.addcmul(along.unsqueeze(-1) * u, across.unsqueeze(-1), total)
    # It is a unit vector but for the rounding of u and w, which counts where they cancel; or else zero.
    direction = direction * norm(direction).clamp(min=0.5).reciprocal().unsqueeze(-1)
    terms = _Terms(total, double, decay_a, sinh_a, sinh_b, sinh_gap, lift, both + 2 * rest, over_sinh_d)
    return distance, direction, terms


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
    def forward(a: Tensor, u: Tensor, b: Tensor, w: Tensor, gap: Tensor) -> tuple[Tensor, ...]:
        distance, direction, terms = _translation(a, u, b, w, gap)
        return distance, direction, *terms

    @staticmethod
    @override
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[2:])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs, *output[1:])

    @staticmethod
    @override
    def backward(ctx: Any, *grad_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        a, u, b, w, gap, n, *saved = ctx.saved_tensors
        grad_d, grad_n = grad_outputs[:2]
        if torch.is_grad_enabled():  # for a second derivative, from what has one
            gap = gap + (a - a.detach()) - (b - b.detach())
            _, n, terms = _translation(a, u, b, w, gap)
        else:
            terms = _Terms(*saved)
        grad_d = torch.zeros_like(gap) if grad_d is None else grad_d
        grad_n = torch.zeros_like(n) if grad_n is None else grad_n
        total, double, decay_a, sinh_a, sinh_b, sinh_gap, lift, cosh_d, over_sinh_d = terms
        tangent = torch.addcmul(grad_n, (grad_n * n).sum(-1, keepdim=True), n, value=-1)
        on_u = (tangent * u).sum(-1) * over_sinh_d
        through_d = over_sinh_d * grad_d
        shifted = torch.addcmul(sinh_gap, double, lift)
        to_a = torch.addcmul(sinh_gap, double * (1 - sinh_a), sinh_b) * through_d + cosh_d * on_u
        none = torch.zeros_like(gap)
        turn = on_u * sinh_a * (1 - 2 * sinh_b) / sinh_b.clamp(min=torch.finfo(b.dtype).tiny)
        turn = torch.where(b > 0, turn, none)
        to_b = torch.addcmul(-sinh_gap, double * (1 - sinh_b), sinh_a) * through_d - turn
        line = torch.where(over_sinh_d > 0, none, torch.sign(gap)) * grad_d  # d = |a-b| there
        shared = torch.addcmul(sinh_a * sinh_b * through_d, lift, on_u).unsqueeze(-1) * total
        across = decay_a * sinh_b
        to_u = to_w = None
        if ctx.needs_input_grad[1]:
            to_u = torch.addcmul(shared, ((shifted + across) * over_sinh_d).unsqueeze(-1), tangent)
        if ctx.needs_input_grad[3]:
            to_w = torch.addcmul(shared, (across * over_sinh_d).unsqueeze(-1), tangent)
        return to_a + line, to_u, to_b - line, to_w, None


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
    distance, direction, *_ = _Translation.apply(a, x.direction, b, y.direction, gap)
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
