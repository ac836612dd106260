"""Textbook hyperbolic geometry in mpmath: no rearrangement, only so many digits that cancellation cannot matter.

Vectors are lists of ``mpf``. A tensor enters through :func:`exact`, which keeps its rounded entries as they are,
so that what the tests measure is the error of the code and not of its input.
"""

import mpmath as mp
from torch import Tensor

Vector = list[mp.mpf]

mp.mp.dps = 100


def exact(x: Tensor) -> Vector:
    return [mp.mpf(float(entry)) for entry in x.detach()]


def dot(x: Vector, y: Vector) -> mp.mpf:
    return mp.fsum(a * b for a, b in zip(x, y, strict=True))


def norm(x: Vector) -> mp.mpf:
    return mp.sqrt(dot(x, x))


def scale(factor: mp.mpf, x: Vector) -> Vector:
    return [factor * a for a in x]


def plus(x: Vector, y: Vector) -> Vector:
    return [a + b for a, b in zip(x, y, strict=True)]


def minus(x: Vector, y: Vector) -> Vector:
    return [a - b for a, b in zip(x, y, strict=True)]


def distance_of(x: Tensor, y: Vector) -> float:
    """Euclidean length of ``x - y``, exactly taken."""
    return float(norm(minus(exact(x), y)))


def relative_error(value: Tensor | float, truth: mp.mpf) -> float:
    value = mp.mpf(value.item() if isinstance(value, Tensor) else value)
    if truth == 0:
        return 0.0 if value == 0 else float("inf")
    return float(abs(value - truth) / abs(truth))


# --- the Poincaré ball (Ganea, Bécigneul and Hofmann 2018, section 2) ---


def conformal_factor(x: Vector, c: mp.mpf) -> mp.mpf:
    return 2 / (1 - c * dot(x, x))


def mobius_add(x: Vector, y: Vector, c: mp.mpf) -> Vector:
    xy, xx, yy = dot(x, y), dot(x, x), dot(y, y)
    numerator = plus(scale(1 + 2 * c * xy + c * yy, x), scale(1 - c * xx, y))
    return scale(1 / (1 + 2 * c * xy + c**2 * xx * yy), numerator)


def ball_dist(x: Vector, y: Vector, c: mp.mpf) -> mp.mpf:
    return 2 / mp.sqrt(c) * mp.atanh(mp.sqrt(c) * norm(mobius_add(scale(-1, x), y, c)))


def ball_exp(x: Vector, v: Vector, c: mp.mpf) -> Vector:
    length = norm(v)
    if length == 0:
        return x
    factor = mp.tanh(mp.sqrt(c) * conformal_factor(x, c) * length / 2) / (mp.sqrt(c) * length)
    return mobius_add(x, scale(factor, v), c)


def ball_log(x: Vector, y: Vector, c: mp.mpf) -> Vector:
    difference = mobius_add(scale(-1, x), y, c)
    length = norm(difference)
    if length == 0:
        return difference
    factor = 2 / (mp.sqrt(c) * conformal_factor(x, c)) * mp.atanh(mp.sqrt(c) * length) / length
    return scale(factor, difference)


def gyration(x: Vector, y: Vector, v: Vector, c: mp.mpf) -> Vector:
    """gyr[x,y]v = ⊖(x⊕y)⊕(x⊕(y⊕v)); linear, so that any ``v`` is first shrunk into the ball."""
    shrink = 2 * mp.sqrt(c) * (norm(v) + 1)
    inner = mobius_add(x, mobius_add(y, scale(1 / shrink, v), c), c)
    return scale(shrink, mobius_add(scale(-1, mobius_add(x, y, c)), inner, c))


def ball_transp(x: Vector, y: Vector, v: Vector, c: mp.mpf) -> Vector:
    return scale(conformal_factor(x, c) / conformal_factor(y, c), gyration(y, scale(-1, x), v, c))


# --- the hyperboloid (time first) ---


def inner(x: Vector, y: Vector) -> mp.mpf:
    return dot(x[1:], y[1:]) - x[0] * y[0]


def on_sheet(space: Vector, c: mp.mpf) -> Vector:
    """The point of the sheet above the space coordinates."""
    return [mp.sqrt(1 / c + dot(space, space)), *space]


def tangent(x: Vector, space: Vector) -> Vector:
    """The tangent vector at ``x`` with the given space coordinates."""
    return [dot(x[1:], space) / x[0], *space]


def lorentz_dist(x: Vector, y: Vector, c: mp.mpf) -> mp.mpf:
    return mp.acosh(-c * inner(x, y)) / mp.sqrt(c)


def lorentz_norm(v: Vector) -> mp.mpf:
    return mp.sqrt(inner(v, v))


def lorentz_exp(x: Vector, v: Vector, c: mp.mpf) -> Vector:
    angle = mp.sqrt(c) * lorentz_norm(v)
    if angle == 0:
        return x
    return plus(scale(mp.cosh(angle), x), scale(mp.sinh(angle) / angle, v))


def lorentz_log(x: Vector, y: Vector, c: mp.mpf) -> Vector:
    alpha = -c * inner(x, y)
    if alpha == 1:
        return scale(0, x)
    return scale(mp.acosh(alpha) / mp.sqrt(alpha**2 - 1), minus(y, scale(alpha, x)))


def lorentz_transp(x: Vector, y: Vector, v: Vector, c: mp.mpf) -> Vector:
    return plus(v, scale(c * inner(y, v) / (1 - c * inner(x, y)), plus(x, y)))


def ball_to_lorentz(x: Vector, c: mp.mpf) -> Vector:
    square = c * dot(x, x)
    return [(1 + square) / ((1 - square) * mp.sqrt(c)), *scale(2 / (1 - square), x)]


def lorentz_to_ball(x: Vector, c: mp.mpf) -> Vector:
    return scale(1 / (1 + mp.sqrt(c) * x[0]), x[1:])


def ball_tangent_to_lorentz(x: Vector, v: Vector, c: mp.mpf) -> Vector:
    """Push-forward of the tangent vector ``v`` at the ball's ``x``: the derivative of :func:`ball_to_lorentz`."""
    factor = conformal_factor(x, c)
    slope = c * factor**2 * dot(x, v)
    return [slope / mp.sqrt(c), *plus(scale(slope, x), scale(factor, v))]


# --- polar coordinates ---


def polar_dist(a: float, u: Vector, b: float, v: Vector, c: mp.mpf) -> mp.mpf:
    """The hyperbolic law of cosines, the angle read from the chord: cos θ = 1 - ‖u-v‖²/2.

    A rounded direction is not quite a unit vector, so that ⟨u,v⟩ would be another angle. ``dps`` must exceed the
    digits of e^(√c(a+b)) and those of the distance twice: see :func:`digits_for`.
    """
    cosine = 1 - dot(minus(u, v), minus(u, v)) / 2
    s, t = mp.sqrt(c) * mp.mpf(a), mp.sqrt(c) * mp.mpf(b)
    return without_noise(mp.acosh(abs(mp.cosh(s) * mp.cosh(t) - mp.sinh(s) * mp.sinh(t) * cosine)) / mp.sqrt(c))


def digits_for(*angles: float, smallest: int = 40) -> int:
    """Decimal digits with which distances of 10^-``smallest`` survive the subtraction of e^(√c(a+b))."""
    return 2 * smallest + 40 + int(sum(angles) / 2.302)


def without_noise(length: mp.mpf) -> mp.mpf:
    """Zero where all that is left is what ``dps`` digits leave of a zero: no test's lengths are that small."""
    return mp.mpf(0) if abs(length) < mp.mpf(10) ** -40 else abs(length)


def polar_to_lorentz(radius: mp.mpf, direction: Vector, c: mp.mpf) -> Vector:
    """Space coordinates along ``direction``, normalised first."""
    angle = mp.sqrt(c) * radius
    length = norm(direction)
    unit = scale(1 / length if length else mp.mpf(0), direction)
    return [mp.cosh(angle) / mp.sqrt(c), *scale(mp.sinh(angle) / mp.sqrt(c), unit)]


def boost(x: Vector, y: Vector, c: mp.mpf) -> Vector:
    """The Lorentz boost that takes the origin to ``x``, applied to ``y``: translation along the geodesic."""
    sqrt_c = mp.sqrt(c)
    time, space = sqrt_c * x[0], scale(sqrt_c, x[1:])
    along = dot(space, y[1:])
    return [time * y[0] + along, *plus(y[1:], scale(y[0] + along / (1 + time), space))]


def lorentz_radius(x: Vector, c: mp.mpf) -> mp.mpf:
    return without_noise(mp.asinh(mp.sqrt(c) * norm(x[1:])) / mp.sqrt(c))
