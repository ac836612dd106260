"""Checks of what distributions are given; each error names the argument, its shape and what is allowed."""

import torch
from torch import Tensor

from hypgraph.manifolds import Manifold, Polar
from hypgraph.manifolds.functional.elementary import norm

__all__ = ["check_center_and_scale", "check_points"]


def check_dtype(name: str, x: Tensor) -> None:
    """Raises a TypeError for half precision, which cannot hold points near the boundary, and for integers."""
    if x.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"{name} has dtype {x.dtype}; convert it to torch.float64 (or float32); its shape is {tuple(x.shape)}"
        )


def check_scale(scale: Tensor, manifold: Manifold) -> None:
    """Raises a ValueError unless ``scale [..., 1 or d]`` is positive and finite."""
    check_dtype("scale", scale)
    if scale.shape[-1] not in (1, manifold.dim):
        raise ValueError(f"scale has shape {tuple(scale.shape)}; its last axis must be 1 or the dim of {manifold}")
    wrong = scale[~((scale > 0) & torch.isfinite(scale))]
    if wrong.numel():
        raise ValueError(
            f"scale of shape {tuple(scale.shape)} must be positive and finite, but an entry is {float(wrong[0]):g}"
        )


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


def check_polar(loc: Polar, manifold: Manifold) -> None:
    """Raises a ValueError unless ``loc`` has radii ``[...]`` and unit directions ``[..., d]``."""
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


def check_center_and_scale(loc: Tensor | Polar | None, scale: Tensor, manifold: Manifold) -> None:
    """Checks ``loc`` (None is the origin), then ``scale``, then that their batch shapes broadcast."""
    batch = torch.Size()
    if isinstance(loc, Polar):
        check_polar(loc, manifold)
        batch = loc.radius.shape
    elif loc is not None:
        check_points("loc", loc, manifold)
        batch = loc.shape[:-1]
    check_scale(scale, manifold)
    try:
        torch.broadcast_shapes(batch, scale.shape[:-1])
    except RuntimeError:
        raise ValueError(
            f"scale has shape {tuple(scale.shape)}, whose batch does not fit that of loc, {tuple(batch)}"
        ) from None
