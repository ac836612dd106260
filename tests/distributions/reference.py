"""What the tests of distributions compare with: the textbook density in NumPy, and settings they share.

The density goes by the ball's own maps (Ganea et al. 2018) and none of the package's functions: the frame vector
of z at μ is λ_μ log_μ(z), which needs no polar coordinates. It loses digits as e^(√c·radius); the tests stay near.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import roots_legendre
from torch import Tensor

from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar

Array = NDArray[np.float64]
F64 = torch.float64


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spaces(dim: int, c: float = 1.2) -> list[Manifold]:
    return [PoincareBall(dim, c), Lorentz(dim, c), Euclidean(dim)]


def place(manifold: Manifold, vector: Tensor) -> Tensor:
    """Coordinates of the point that the frame vector at the origin leads to."""
    length = torch.linalg.vector_norm(vector, dim=-1)
    return manifold.from_polar(Polar(length, vector / length.unsqueeze(-1)))


def mobius_add(x: Array, y: Array, c: float) -> Array:
    xy, xx, yy = ((a * b).sum(-1, keepdims=True) for a, b in ((x, y), (x, x), (y, y)))
    return ((1 + 2 * c * xy + c * yy) * x + (1 - c * xx) * y) / (1 + 2 * c * xy + c**2 * xx * yy)


def frame_vector(mu: Array, z: Array, c: float) -> Array:
    """λ_μ log_μ(z) with λ_μ log_μ(z) = (2/√c) artanh(√c‖w‖) w/‖w‖, w = ⊖μ ⊕ z."""
    w = mobius_add(-mu, z, c)
    length = np.sqrt(c) * np.linalg.norm(w, axis=-1, keepdims=True)
    return 2 * np.arctanh(length) * w / length


def log_density(z: Array, mu: Array, sigma: Array, c: float) -> Array:
    """Log-density of the wrapped normal at ball coordinates, with respect to the Riemannian volume."""
    v = frame_vector(mu, z, c)
    rho = np.sqrt(c) * np.linalg.norm(v, axis=-1)
    normal = -((v / sigma) ** 2) / 2 - np.log(sigma) - np.log(2 * np.pi) / 2
    return normal.sum(-1) - (z.shape[-1] - 1) * np.log(np.sinh(rho) / rho)


def disk_nodes(c: float, reach: float, *, radii: int = 240, angles: int = 240) -> tuple[Array, Array]:
    """Points ``[n, 2]`` and weights ``[n]`` for integrals over the Riemannian area to radius ``reach``.

    Gauss-Legendre in the radius with the area element sinh(√c r)/√c dr dθ, the trapezoidal rule in the angle.
    """
    node, weight = roots_legendre(radii)
    r, dr = (node + 1) * reach / 2, weight * reach / 2
    theta = 2 * np.pi * np.arange(angles) / angles
    norm = np.tanh(np.sqrt(c) * r / 2) / np.sqrt(c)
    circle = np.stack([np.cos(theta), np.sin(theta)], axis=-1)
    area = dr * np.sinh(np.sqrt(c) * r) / np.sqrt(c) * (2 * np.pi / angles)
    return (norm[:, None, None] * circle).reshape(-1, 2), np.repeat(area, angles)
