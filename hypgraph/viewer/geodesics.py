"""Geodesics of the Poincaré ball as rows of points."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional import ball
from hypgraph.manifolds.functional.elementary import log_sinhc
from hypgraph.manifolds.functional.polar import dist_polar
from hypgraph.viewer.arrays import as_array, as_polar

__all__ = ["check_curvature", "euclidean_arcs", "geodesic", "in_ball", "log_weight"]


def geodesic(x: Any, y: Any, *, c: float = 1.0, n: int = 64) -> NDArray[np.float64]:
    """``n`` points from ``x`` to ``y`` along their geodesic, at equal hyperbolic distances.

    On the hyperboloid the point at share t of the length d is (sinh((1-t)√c d) X + sinh(t√c d) Y)/sinh(√c d), a
    sum of positive multiples. It is taken from polar coordinates with the exponentials factored out, so nothing
    cancels or overflows near the boundary, for coincident points, or through the origin.

    Args:
        x: ball coordinates ``[..., d]`` inside the ball of radius 1/√c (an array or a tensor), or :class:`Polar`
            about the origin.
        y: broadcasts with ``x``.
        c: minus the sectional curvature.
        n: how many points, the two ends among them; at least 2.

    Returns:
        ``[..., n, d]``, ball coordinates.

    Raises:
        ConfigError: if ``c`` or ``n`` is not allowed.
        DataError: if a point is not inside the ball, or the shapes do not fit.

    >>> geodesic([0.0, 0.5], [0.0, -0.5], n=3)[:, 1].round(12).tolist()
    [0.5, 0.0, -0.5]
    """
    check_curvature(c)
    if n < 2:
        raise ConfigError(f"n must be at least 2, the two ends, got {n}")
    a, b = _polar("x", x, c), _polar("y", y, c)
    try:
        torch.broadcast_shapes(a.direction.shape, b.direction.shape)
    except RuntimeError:
        raise DataError(
            f"x and y must broadcast, got shapes {list(a.direction.shape)} and {list(b.direction.shape)}"
        ) from None
    length = (math.sqrt(c) * dist_polar(a, b, c=c)).unsqueeze(-1)
    share = torch.linspace(0, 1, n, dtype=torch.float64)
    radius_a, radius_b = (math.sqrt(c) * end.radius.unsqueeze(-1) for end in (a, b))
    log_a, log_b = log_weight(1 - share, length) + radius_a, log_weight(share, length) + radius_b
    largest = torch.maximum(log_a, log_b).clamp(min=0)
    part_a, part_b = torch.exp(log_a - largest), torch.exp(log_b - largest)
    # x = X_s/(√c (1 + √c X_0)); part · e^(largest - r) sinh r = -part expm1(-2r)/2, and likewise for cosh
    space = (-part_a * torch.expm1(-2 * radius_a)).unsqueeze(-1) * a.direction.unsqueeze(-2)
    space = space - (part_b * torch.expm1(-2 * radius_b)).unsqueeze(-1) * b.direction.unsqueeze(-2)
    time = part_a * (1 + torch.exp(-2 * radius_a)) + part_b * (1 + torch.exp(-2 * radius_b))
    points = space / (2 * torch.exp(-largest) + time).unsqueeze(-1) / math.sqrt(c)
    return points.numpy()


def log_weight(share: Tensor, length: Tensor) -> Tensor:
    """log( sinh(share · length)/sinh(length) ), which tends to log share as the length vanishes."""
    return torch.log(share) + log_sinhc(share * length) - log_sinhc(length)


def _polar(name: str, x: Any, c: float) -> Polar:
    """``x`` about the origin in float64."""
    if isinstance(x, Polar):
        return as_polar(name, x)
    points = as_array(name, x).astype(np.float64)
    if points.ndim == 0:
        raise DataError(f"{name} must be points [..., d], got one number")
    tensor = torch.from_numpy(points)
    _check_inside(name, tensor, c)
    return ball.to_polar(tensor, c=c)


def check_curvature(c: float) -> None:
    """Raises ConfigError unless ``c`` is a positive finite number."""
    if not (math.isfinite(c) and c > 0):
        raise ConfigError(
            f"c must be a positive finite number (the curvature is -c), got {c:g}; for flat space take draw_plane"
        )


def in_ball(name: str, x: Tensor, *, c: float) -> NDArray[np.float64]:
    """Points ``[..., d]`` of the ball of curvature -c as points of the unit ball.

    Raises:
        DataError: if one does not lie inside the ball.
    """
    _check_inside(name, x, c)
    return (math.sqrt(c) * x).numpy()


def _check_inside(name: str, x: Tensor, c: float) -> None:
    reason = ball.check_point(x, c=c)
    if reason is not None:
        raise DataError(f"{name}: {reason}; c = {c:g} must be that of the points")


def euclidean_arcs(x: NDArray[np.float64], y: NDArray[np.float64], *, n: int) -> NDArray[np.float64]:
    """``n`` points from ``x`` to ``y`` along their geodesic in the unit disk, at equal *Euclidean* distances.

    Equal hyperbolic distances crowd at the boundary and leave corners in the middle of a drawn line. A geodesic is
    an arc of a circle orthogonal to the boundary; with its chord it makes the angle
    h = atan2(x₁y₂-x₂y₁, 1-⟨x,y⟩). In terms of h the arc needs neither the centre nor the radius of the circle,
    which are infinite for a diameter.

    Args:
        x: ``[E, 2]``, in the closed unit disk.
        y: ``[E, 2]``.
        n: how many points.

    Returns:
        ``[E, n, 2]``.
    """
    chord = y - x
    across = x[:, 0] * chord[:, 1] - x[:, 1] * chord[:, 0]
    # Rounding may make the second argument negative for coincident points of the boundary.
    half = np.arctan2(across, np.maximum(1 - (x * y).sum(-1), 0.0))[:, None]
    share = np.linspace(-1, 1, n)
    along = share * _sinc(half * share) / _sinc(half)  # sin(h s)/sin h
    # (cos(h s) - cos h)/sin h, as a product
    bulge = half * (1 - share**2) / 2 * _sinc(half * (1 + share) / 2) * _sinc(half * (1 - share) / 2) / _sinc(half)
    left = np.stack([-chord[:, 1], chord[:, 0]], axis=-1)
    middle = (x + y) / 2
    points: NDArray[np.float64] = (
        middle[:, None] + (along[..., None] * chord[:, None] + bulge[..., None] * left[:, None]) / 2
    )
    return points


def _sinc(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """sin(x)/x, 1 at 0."""
    ratio: NDArray[np.float64] = np.sinc(angle / np.pi)
    return ratio
