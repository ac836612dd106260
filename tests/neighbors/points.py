"""Points for the tests of this folder, and their distances by other ways."""

from collections.abc import Iterator
from typing import Any

import mpmath as mp
import numpy as np
import torch

from hypgraph.manifolds import Manifold, Polar


def random_polar(count: int, dim: int, largest: float, *, seed: int) -> Polar:
    """Uniform radii and directions."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(count, dim))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return Polar(torch.from_numpy(rng.uniform(0, largest, count)), torch.from_numpy(direction))


def clustered_polar(count: int, dim: int, largest: float, *, seed: int) -> Polar:
    """Most near the largest radius in few directions, more or less the same; some coincide, one is the origin."""
    rng = np.random.default_rng(seed)
    points = random_polar(count, dim, largest, seed=seed + 1)
    centres = points.direction.numpy()[rng.integers(0, min(3, count), count)]
    spread = 10.0 ** -rng.uniform(0, 17, (count, 1))
    direction = centres + spread * rng.normal(size=(count, dim))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    near = rng.uniform(size=count) < 0.7
    radius = np.where(near, largest * (1 - 10.0 ** -rng.uniform(0.3, 9, count)), points.radius.numpy())
    copied = rng.uniform(size=count) < 0.15
    source = np.where(copied, rng.integers(0, count, count), np.arange(count))
    radius, direction = radius[source], direction[source]
    radius[-1], direction[-1] = 0.0, 0.0
    return Polar(torch.from_numpy(radius), torch.from_numpy(direction))


def some(points: Polar, rows: slice) -> Polar:
    return Polar(points.radius[rows], points.direction[rows])


def brute_force(manifold: Manifold, x: Polar, points: Polar) -> np.ndarray:
    """All distances, ``[Q, N]``."""
    distance: np.ndarray = manifold.dist_polar(Polar(x.radius[:, None], x.direction[:, None]), points).numpy()
    return distance.copy()


def exact_distance(points: Polar, manifold: Manifold, a: int, b: int) -> Any:
    """In mpmath, by the law of cosines; 1 - cos of the angle from the chord of the directions."""
    r, s = (mp.mpf(points.radius[i].item()) for i in (a, b))
    u, w = ([mp.mpf(x) for x in points.direction[i].tolist()] for i in (a, b))
    if manifold.c_value == 0:
        return mp.sqrt(sum((r * x - s * y) ** 2 for x, y in zip(u, w, strict=True)))
    k = mp.sqrt(mp.mpf(manifold.c_value))
    versine = sum((x - y) ** 2 for x, y in zip(u, w, strict=True)) / 2
    return mp.acosh(mp.cosh(k * (r - s)) + mp.sinh(k * r) * mp.sinh(k * s) * versine) / k


def one_by_one(count: int) -> Iterator[list[int]]:
    for i in range(0, count, 7):
        yield [i]
