"""What callers hand to the viewer, as checked arrays."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hypgraph.exceptions import DataError
from hypgraph.manifolds import Polar

__all__ = ["as_array", "as_images", "as_pairs", "as_plane_points", "as_polar", "as_values"]

_UNIT_ERROR = 1e-6  # directions may come in float32


def as_array(name: str, given: Any) -> NDArray[Any]:
    """An array of numbers from an array, a tensor on any device, or nested lists.

    Raises:
        DataError: if ``given`` is none of these.
    """
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu().numpy()
    try:
        array = np.asarray(given)
    except ValueError:
        raise DataError(f"{name} must be an array of numbers, got rows of unequal lengths") from None
    if array.dtype.kind not in "buif":
        raise DataError(f"{name} must be an array of numbers, got {array.dtype}")
    return array


def as_plane_points(name: str, given: Any) -> NDArray[np.float64]:
    """Points ``[N, 2]`` in float64, all of them finite.

    Raises:
        DataError: if ``given`` has another shape, or a number that is not finite.
    """
    array = as_array(name, given)
    if array.ndim != 2 or array.shape[1] != 2:
        raise DataError(
            f"{name} must have shape [N, 2], got {list(array.shape)}; only two dimensions can be drawn"
        )
    _check_finite(name, array)
    return array.astype(np.float64)


def as_polar(name: str, given: Polar) -> Polar:
    """``given`` in float64 on the CPU: radius ``[...]``, direction ``[..., d]``.

    Raises:
        DataError: if a radius is negative or not finite, a direction not of length 1 (or 0, at the origin), or
            the shapes are not those of one set of points.
    """
    radius, direction = (part.detach().cpu().double() for part in given)
    if direction.shape[:-1] != radius.shape:
        raise DataError(f"{name}: radius {list(radius.shape)} and direction {list(direction.shape)} do not fit")
    if not bool((torch.isfinite(radius) & (radius >= 0)).all()):
        raise DataError(f"{name}: a radius is negative or not finite")
    length = torch.linalg.vector_norm(direction, dim=-1)
    if not bool(((length - 1).abs() < _UNIT_ERROR).logical_or((radius == 0) & (length == 0)).all()):
        raise DataError(f"{name}: a direction has not length 1")
    return Polar(radius, direction)


def _check_finite(name: str, array: NDArray[Any]) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        where = [int(k) for k in np.argwhere(~finite)[0]]
        raise DataError(f"{name} must be finite, got {array[tuple(where)]} at {where}")


def as_pairs(edges: Any, count: int) -> NDArray[np.int64]:
    """Pairs ``[E, 2]`` of different points, each once, from ``[2, E]`` in any order and direction.

    Raises:
        DataError: if ``edges`` has another shape, does not hold integers, or names a point that is not there.
    """
    array = as_array("edges", edges)
    if array.ndim != 2 or array.shape[0] != 2:
        raise DataError(f"edges must have shape [2, E], got {list(array.shape)}")
    if array.size == 0:
        return np.zeros((0, 2), dtype=np.int64)
    if array.dtype.kind not in "ui":
        raise DataError(f"edges must hold integers, got {array.dtype}")
    outside = array[(array < 0) | (array >= count)]
    if outside.size:
        raise DataError(f"edges name point {outside[0]}, but there are {count} points, counted from 0")
    pairs = np.sort(array.astype(np.int64).T, axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def as_values(values: Any, count: int) -> NDArray[Any]:
    """One finite number a point, ``[N]``.

    Raises:
        DataError: if there are more or fewer, or one is not finite.
    """
    array = as_array("values", values)
    if array.shape != (count,):
        raise DataError(f"values must have shape [{count}], one a point, got {list(array.shape)}")
    _check_finite("values", array)
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)


def as_images(name: str, given: Any) -> NDArray[np.float64]:
    """Grey images ``[N, H, W]`` in float64.

    Raises:
        DataError: if ``given`` has another shape, no image or pixel, or a number that is not finite.
    """
    array = as_array(name, given)
    if array.ndim != 3 or array.size == 0:
        raise DataError(f"{name} must have shape [N, H, W] with at least one pixel, got {list(array.shape)}")
    _check_finite(name, array)
    return array.astype(np.float64)
