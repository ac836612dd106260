"""Points as the search needs them: polar, float64, on the CPU, checked."""

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from hypgraph.exceptions import DataError, NumericalError
from hypgraph.manifolds import Manifold, Polar

__all__ = ["Points", "as_polar", "pair_distances", "select", "unit_error"]

Points: TypeAlias = Polar | Tensor | ArrayLike

# Directions that are this far from length 1 are no directions.
LOOSEST_UNIT = 1e-3
# Numbers in the largest temporary array of directions.
NUMBERS_A_BLOCK = 1 << 18


def as_polar(points: Points, manifold: Manifold, *, name: str) -> Polar:
    """``points`` about the origin of ``manifold``: radius ``[N]``, direction ``[N, d]``.

    Directions that are unit vectors to rounding stay as they are, as far out the last digit counts; others are
    scaled.

    Args:
        points: coordinates ``[N, ambient_dim]``, or polar coordinates about the origin.
        manifold: where they lie.
        name: what the caller calls the argument, for the message.

    Raises:
        DataError: if the shape or the dimension does not fit, or they are no points of the manifold.
        NumericalError: if one is not finite.
    """
    if isinstance(points, Polar):
        return _checked_polar(points, manifold, name)
    x = points.detach() if isinstance(points, Tensor) else torch.as_tensor(np.asarray(points))
    if x.dim() != 2 or x.shape[1] != manifold.ambient_dim:
        raise DataError(
            f"{name}: has shape {tuple(x.shape)}, {manifold} needs (N, {manifold.ambient_dim}); "
            "give one point a row"
        )
    x = x.cpu() if x.is_floating_point() else x.cpu().double()
    _check_finite(torch.isfinite(x).all(dim=1), name)
    if problem := manifold.check_point(x):
        raise DataError(f"{name}: does not lie on {manifold}: {problem}; give coordinates of this manifold")
    with torch.no_grad():
        return _scaled(manifold.to_polar(x.double()))


def _checked_polar(points: Polar, manifold: Manifold, name: str) -> Polar:
    radius, direction = (part.detach().cpu().double() for part in points)
    if radius.dim() != 1 or direction.shape != (len(radius), manifold.dim):
        raise DataError(
            f"{name}: radius {tuple(radius.shape)} and direction {tuple(direction.shape)} do not fit {manifold}; "
            f"need (N,) and (N, {manifold.dim})"
        )
    _check_finite(torch.isfinite(radius) & torch.isfinite(direction).all(dim=1), name)
    if (radius < 0).any():
        raise DataError(f"{name}: a radius is negative; it is a length, turn the direction instead")
    off = torch.where(radius > 0, unit_error(direction), 0.0)
    if len(off) and float(off.max()) > LOOSEST_UNIT:
        raise DataError(
            f"{name}: the direction of row {int(off.argmax())} is no unit vector; divide each by its length"
        )
    return _scaled(Polar(radius, direction))


def _check_finite(finite: Tensor, name: str) -> None:
    if undefined := int((~finite).sum()):
        raise NumericalError(
            f"{name}: {undefined} of {len(finite)} points are not finite; look for a model that diverged "
            "(a lower learning rate often helps)"
        )


def _scaled(points: Polar) -> Polar:
    """Directions of length 1 to rounding; the origin has the zero vector."""
    radius, direction = points
    off = unit_error(direction) > (direction.shape[1] + 4) * torch.finfo(torch.float64).eps
    length = torch.where(off, torch.linalg.vector_norm(direction, dim=1), 1.0).unsqueeze(1)
    return Polar(radius, torch.where((radius > 0).unsqueeze(1), direction / length, 0.0))


def unit_error(direction: Tensor) -> Tensor:
    """How far ‖u‖² is from 1, ``[N, d]`` to ``[N]``."""
    return (direction.square().sum(dim=1) - 1.0).abs()


def select(points: Polar, rows: slice | Tensor) -> Polar:
    """Some of the points."""
    return Polar(points.radius[rows], points.direction[rows])


def pair_distances(manifold: Manifold, x: Polar, row: Tensor, points: Polar, column: Tensor) -> Tensor:
    """Geodesic distances ``[P]`` of the points ``x[row]`` and ``points[column]``, to the last digits."""
    size = max(1, NUMBERS_A_BLOCK // points.direction.shape[1])
    with torch.no_grad():
        parts = [
            manifold.dist_polar(select(x, some), select(points, others))
            for some, others in zip(row.split(size), column.split(size), strict=True)
        ]
    return torch.cat(parts)
