"""Checks of what distributions are given; each error names the argument, its shape and what is allowed."""

import math

import torch
from torch import Tensor

from hypgraph.manifolds import Manifold, Polar
from hypgraph.manifolds.functional.elementary import norm

__all__ = [
    "as_scale",
    "batch_of",
    "check_center",
    "check_curvature",
    "check_dtype",
    "check_one_dtype",
    "check_one_space",
    "check_points",
    "check_positive",
    "check_probability",
    "check_radius",
    "pointwise_scale",
    "tangent_scale",
]

Loc = Tensor | Polar | None


def batch_of(loc: Loc) -> torch.Size:
    """The batch shape of a centre; that of the origin, None, is ``()``."""
    if loc is None:
        return torch.Size()
    return loc.radius.shape if isinstance(loc, Polar) else loc.shape[:-1]


def as_scale(scale: Tensor | float, loc: Loc = None) -> Tensor:
    """``scale`` as a tensor; a number gets precision and device of ``loc``, float64 where there is none."""
    if isinstance(scale, Tensor):
        return scale
    like = loc.radius if isinstance(loc, Polar) else loc
    dtype, device = (torch.float64, None) if like is None else (like.dtype, like.device)
    return torch.tensor(float(scale), dtype=dtype, device=device)


def _fits(shape: torch.Size, batch: torch.Size) -> bool:
    # In numbers, not by torch.broadcast_shapes and its exception, which torch.compile cannot follow
    return all(
        one == other or 1 in (one, other) for one, other in zip(reversed(shape), reversed(batch), strict=False)
    )


def tangent_scale(scale: Tensor, loc: Loc, manifold: Manifold) -> Tensor:
    """``scale`` as ``[..., 1]`` or ``[..., d]``, from that, from a scalar, or from one number for each centre.

    Raises:
        ValueError: if the shape fits neither reading, or both with different results.
    """
    batch, dim = batch_of(loc), manifold.dim
    if scale.dim() == 0:
        return scale.unsqueeze(0)
    per_point = batch != () and _fits(scale.shape, batch) and torch.broadcast_shapes(scale.shape, batch) == batch
    wide = scale.shape[-1] in (1, dim)
    per_axis = wide and _fits(scale.shape[:-1], batch)
    if per_point and per_axis and scale.numel() > 1:
        raise ValueError(
            f"scale of shape {tuple(scale.shape)} can be one number for each of the centres {tuple(batch)} or one "
            f"for each of {dim} directions; give the first a last axis of 1, the second as many axes as loc has"
        )
    if per_point and not per_axis:
        return scale.unsqueeze(-1)
    if not wide:
        raise ValueError(
            f"scale has shape {tuple(scale.shape)}; it must be that of the batch, {tuple(batch)}, or its last "
            f"axis must be 1 or the dim of {manifold}"
        )
    if not per_axis:
        raise ValueError(
            f"scale has shape {tuple(scale.shape)}, whose batch does not fit that of loc, {tuple(batch)}"
        )
    return scale


def pointwise_scale(scale: Tensor, loc: Loc) -> Tensor:
    """``scale``, which must be one number for each centre.

    Raises:
        ValueError: if its shape does not broadcast with the batch of ``loc``, or has a last axis of 1 too many.
    """
    batch = batch_of(loc)
    if batch.numel() > 1 and scale.shape == (*batch, 1):
        raise ValueError(
            f"scale has shape {tuple(scale.shape)} beside centres of shape {tuple(batch)}; it is one number a "
            "point: give scale.squeeze(-1)"
        )
    if not _fits(scale.shape, batch):
        raise ValueError(
            f"scale has shape {tuple(scale.shape)}, which does not fit the batch of loc, {tuple(batch)}; it is "
            "one number a point"
        )
    return scale


def check_dtype(name: str, x: Tensor) -> None:
    """Raises a TypeError for half precision, which cannot hold points near the boundary, and for integers."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} must be a tensor, got {x!r}; give torch.tensor({x!r}, dtype=torch.float64)")
    if x.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"{name} has dtype {x.dtype}; convert it to torch.float64 (or float32); its shape is {tuple(x.shape)}"
        )


def check_positive(name: str, x: Tensor) -> None:
    """Raises a ValueError unless ``x`` is positive and finite."""
    check_dtype(name, x)
    wrong = x[~((x > 0) & torch.isfinite(x))]
    if wrong.numel():
        raise ValueError(
            f"{name} of shape {tuple(x.shape)} must be positive and finite, but an entry is {float(wrong[0]):g}"
        )


def check_curvature(c: float | Tensor, scale: Tensor) -> None:
    """Raises a ValueError unless ``c`` is positive and finite, and broadcasts with ``scale``."""
    if isinstance(c, Tensor):
        check_positive("c", c)
        if not _fits(c.shape, scale.shape):
            raise ValueError(
                f"c has shape {tuple(c.shape)}, which does not fit that of scale, {tuple(scale.shape)}"
            )
    elif not (math.isfinite(c) and c > 0):
        raise ValueError(f"c must be positive and finite (the curvature is -c), got {c}")


def check_radius(name: str, x: Tensor) -> None:
    """Raises a ValueError unless ``x`` holds radii: numbers that are not negative."""
    check_dtype(name, x)
    if not bool((x >= 0).all()):
        raise ValueError(f"{name} of shape {tuple(x.shape)} must hold radii, numbers of at least 0")


def check_probability(name: str, x: Tensor) -> None:
    """Raises a ValueError unless ``x`` holds probabilities."""
    check_dtype(name, x)
    if not bool(((x >= 0) & (x <= 1)).all()):
        raise ValueError(f"{name} of shape {tuple(x.shape)} must hold probabilities, numbers in [0, 1]")


def check_points(name: str, x: Tensor, manifold: Manifold) -> None:
    """Raises a ValueError unless ``x [..., ambient_dim]`` holds points of ``manifold``."""
    check_dtype(name, x)
    if x.dim() == 0 or x.shape[-1] != manifold.ambient_dim:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}; its last axis must have the {manifold.ambient_dim} "
            f"coordinates of a point of {manifold}"
        )
    reason = manifold.check_point(x)
    if reason is not None:
        raise ValueError(f"{name} of shape {tuple(x.shape)} is not on {manifold}: {reason}")


def check_one_dtype(loc: Loc, scale: Tensor) -> None:
    """Raises a TypeError if the centre has another precision than ``scale``."""
    like = loc.radius if isinstance(loc, Polar) else loc
    if like is not None and like.dtype != scale.dtype:
        raise TypeError(f"scale has dtype {scale.dtype} beside a loc of {like.dtype}; convert one of them")


def check_one_space(one: str, space: Manifold, other: str, other_space: Manifold) -> None:
    """Raises a ValueError unless the two spaces have one dimension and curvature."""
    if space is not other_space and (space.dim, space.c_value) != (other_space.dim, other_space.c_value):
        raise ValueError(f"{one} lives on {space} and {other} on {other_space}; they must be one space")


def check_center(loc: Loc, manifold: Manifold) -> None:
    """Raises a ValueError unless ``loc`` is points of ``manifold``, or radii ``[...]`` and unit vectors."""
    if loc is not None and not isinstance(loc, Tensor | Polar):
        raise TypeError(f"loc must be a tensor of points, a Polar or None, got {type(loc).__name__}")
    if isinstance(loc, Tensor):
        check_points("loc", loc, manifold)
    if not isinstance(loc, Polar):
        return
    for tensor in loc:
        check_dtype("loc", tensor)
    radius, direction = loc
    if direction.shape[:-1] != radius.shape:
        raise ValueError(
            f"loc.direction has shape {tuple(direction.shape)}; before its last axis it must have the shape of "
            f"loc.radius, {tuple(radius.shape)}"
        )
    if direction.shape[-1] != manifold.dim:
        raise ValueError(
            f"loc.direction has shape {tuple(direction.shape)}; its last axis must be the dim of {manifold}"
        )
    if not bool((torch.isfinite(radius) & (radius >= 0)).all()):
        raise ValueError(f"loc.radius of shape {tuple(radius.shape)} must be finite and not negative")
    length = norm(direction)
    if not bool((((length - 1).abs() < 1e-4) | ((length == 0) & (radius == 0))).all()):
        raise ValueError(
            f"loc.direction of shape {tuple(direction.shape)} must hold unit vectors, or zero where loc.radius "
            "is 0"
        )
