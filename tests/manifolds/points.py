"""Points, directions and tangent vectors that the tests share; every draw names its seed."""

import torch
from torch import Tensor

from hypgraph.manifolds import Lorentz, Manifold, PoincareBall, Polar

CURVATURES = (0.01, 0.1, 1.0, 1.2, 1.4, 10.0)
DIMENSIONS = (1, 2, 5, 16)
F64 = torch.float64


def directions(count: int, dim: int, seed: int) -> Tensor:
    """Unit vectors ``[count, dim]`` in float64, uniform on the sphere."""
    x = torch.randn(count, dim, dtype=F64, generator=torch.Generator().manual_seed(seed))
    return x / x.norm(dim=-1, keepdim=True)


def polar_points(angle: float | list[float], dim: int, c: float, seed: int, *, count: int = 8) -> Polar:
    """Points at √c·radius = ``angle`` (or each of them in turn) in random directions."""
    angles = (
        torch.tensor(angle, dtype=F64).expand(count)
        if isinstance(angle, float)
        else torch.tensor(angle, dtype=F64)
    )
    return Polar(angles / c**0.5, directions(len(angles), dim, seed))


def points(manifold: Manifold, reach: float, seed: int, *, count: int = 12, dtype: torch.dtype = F64) -> Tensor:
    """Points of ``manifold`` at √c·radius uniform in [0, ``reach``] (radius where the space is flat)."""
    generator = torch.Generator().manual_seed(seed)
    radius = reach * torch.rand(count, dtype=F64, generator=generator) / (float(manifold.c) or 1.0) ** 0.5
    return manifold.from_polar(Polar(radius, directions(count, manifold.dim, seed + 1))).to(dtype)


def embed(manifold: Manifold, vector: Tensor) -> Tensor:
    """The tangent vector at the origin with ``dim`` entries, as ambient coordinates."""
    if isinstance(manifold, Lorentz):
        return torch.cat([torch.zeros_like(vector[..., :1]), vector], dim=-1)
    return vector


def origin(manifold: Manifold, dtype: torch.dtype = F64) -> Tensor:
    x = torch.zeros(manifold.ambient_dim, dtype=dtype)
    if isinstance(manifold, Lorentz):
        x[0] = float(manifold.c) ** -0.5
    return x


def tangents(manifold: Manifold, x: Tensor, seed: int, *, length: float = 1.0) -> Tensor:
    """Tangent vectors at ``x`` of Riemannian length up to ``length``, by the plain formulas of the metric."""
    generator = torch.Generator().manual_seed(seed)
    shape = (*x.shape[:-1], manifold.dim)
    vector = torch.randn(shape, dtype=F64, generator=generator)
    size = torch.rand(shape[:-1], dtype=F64, generator=generator).unsqueeze(-1)
    vector = length * size * vector / vector.norm(dim=-1, keepdim=True)
    x, c = x.double(), float(manifold.c)
    if isinstance(manifold, PoincareBall):
        return vector * (1 - c * x.square().sum(-1, keepdim=True)) / 2
    if isinstance(manifold, Lorentz):
        space, time = x[..., 1:], (1 / c + x[..., 1:].square().sum(-1, keepdim=True)).sqrt()
        along = (space * vector).sum(-1, keepdim=True)
        lifted = vector + along * space * c / (1 + c**0.5 * time)
        return torch.cat([(space * lifted).sum(-1, keepdim=True) / time, lifted], dim=-1)
    return vector


def product(manifold: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Riemannian inner product at ``x``, by the plain formulas of the metric, in float64."""
    x, u, v, c = x.double(), u.double(), v.double(), float(manifold.c)
    if isinstance(manifold, PoincareBall):
        return (u * v).sum(-1) * (2 / (1 - c * x.square().sum(-1))).square()
    if isinstance(manifold, Lorentz):
        time = (1 / c + x[..., 1:].square().sum(-1)).sqrt()
        return (u[..., 1:] * v[..., 1:]).sum(-1) - (x[..., 1:] * u[..., 1:]).sum(-1) * (
            x[..., 1:] * v[..., 1:]
        ).sum(-1) / time.square()
    return (u * v).sum(-1)


def length(manifold: Manifold, x: Tensor, u: Tensor) -> Tensor:
    return product(manifold, x, u, u).clamp(min=0).sqrt()
