"""What every latent space offers, whatever its geometry."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from hypgraph.exceptions import ConfigError
from hypgraph.manifolds.functional.polar import Polar

__all__ = ["Conformal", "Manifold"]


class Conformal(NamedTuple):
    """Coordinates in which the metric is a multiple of the Euclidean one.

    Attributes:
        coordinates: ``[..., d]``: ball coordinates, or the Euclidean ones.
        gap: ``[...]``: 1-c‖x‖².
    """

    coordinates: Tensor
    gap: Tensor


class Manifold(ABC):
    """A space of constant curvature -c ≤ 0 and dimension ``dim``, in one choice of coordinates.

    Points and tangent vectors are plain tensors whose last axis has :attr:`ambient_dim` entries; leading axes
    broadcast. Distances and radii are geodesic lengths. Nothing is clamped: a point outside the ball gives
    NaN, and :meth:`projx` is the one function that moves points.

    Besides coordinates there are polar coordinates about the origin (:class:`Polar`), exact at any radius;
    their vectors live in an orthonormal frame, where a vector of length ρ moves ρ.

    Attributes:
        dim: the intrinsic dimension, at least 1.
        curvature: what gives :attr:`c` where it is learnt, else None. A layer that computes on the manifold keeps
            it as a submodule, so that it is trained and saved with the layer.
    """

    name: ClassVar[str]
    curvature: Callable[[], Tensor] | None = None

    def __init__(self, dim: int) -> None:
        if not isinstance(dim, int) or dim < 1:
            raise ConfigError(f"dim must be an integer of at least 1, got {dim}")
        self.dim = dim

    @abstractmethod
    def with_dim(self, dim: int) -> "Manifold":
        """The space of the same curvature and coordinates in another dimension."""

    @property
    @abstractmethod
    def c(self) -> float | Tensor:
        """Minus the sectional curvature, with its gradient where it is learnt; 0 for the Euclidean space."""

    @property
    def c_value(self) -> float:
        """:attr:`c` as a number."""
        return float(self.c.detach() if isinstance(self.c, Tensor) else self.c)

    @property
    def ambient_dim(self) -> int:
        """The number of coordinates of a point."""
        return self.dim

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim}, c={self.c_value:g})"

    @abstractmethod
    def dist(self, x: Tensor, y: Tensor) -> Tensor:
        """Geodesic distance; ``[..., ambient_dim]`` twice to ``[...]``. Gradient 0 at coincident points."""

    @abstractmethod
    def dist0(self, x: Tensor) -> Tensor:
        """Geodesic distance from the origin; ``[..., ambient_dim]`` to ``[...]``."""

    @abstractmethod
    def expmap(self, x: Tensor, u: Tensor) -> Tensor:
        """Where the geodesic ends that starts at ``x`` with velocity ``u``, after unit time."""

    @abstractmethod
    def logmap(self, x: Tensor, y: Tensor) -> Tensor:
        """The tangent vector at ``x`` whose exponential is ``y``."""

    @abstractmethod
    def expmap0(self, u: Tensor) -> Tensor:
        """:meth:`expmap` at the origin."""

    @abstractmethod
    def logmap0(self, x: Tensor) -> Tensor:
        """:meth:`logmap` at the origin."""

    @abstractmethod
    def transp(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """Parallel transport of the tangent vector ``v`` from ``x`` to ``y`` along their geodesic."""

    @abstractmethod
    def transp0(self, y: Tensor, v: Tensor) -> Tensor:
        """:meth:`transp` from the origin."""

    @abstractmethod
    def projx(self, x: Tensor) -> Tensor:
        """``x`` with those points that are not on the manifold (to rounding) moved to the nearest usable one."""

    @abstractmethod
    def contains(self, x: Tensor) -> Tensor:
        """Whether each point is on the manifold, to rounding; ``[..., ambient_dim]`` to ``[...]`` bool."""

    @abstractmethod
    def check_point(self, x: Tensor) -> str | None:
        """Why ``x`` does not hold points of the manifold, in a few words, or None where it does."""

    @abstractmethod
    def to_polar(self, x: Tensor) -> Polar:
        """Polar coordinates about the origin of points ``[..., ambient_dim]``."""

    @abstractmethod
    def from_polar(self, x: Polar) -> Tensor:
        """Coordinates ``[..., ambient_dim]`` of points given about the origin."""

    @abstractmethod
    def dist_polar(self, x: Polar, y: Polar) -> Tensor:
        """Geodesic distance of points given about the origin; relative error of some machine epsilons."""

    @abstractmethod
    def translate_polar(self, x: Polar, y: Polar) -> Polar:
        """x ⊕ y: ``y`` about ``x`` instead of about the origin; ``x.opposite()`` undoes it."""

    @abstractmethod
    def gyration_polar(self, x: Polar, y: Polar, v: Tensor) -> Tensor:
        """gyr[x,y]v of frame vectors ``v [..., d]``: x ⊕ (y ⊕ v) = (x ⊕ y) ⊕ gyr[x,y]v."""

    @abstractmethod
    def max_radius(self, dtype: torch.dtype) -> float | Tensor:
        """The largest distance from the origin that coordinates of ``dtype`` can hold."""

    @abstractmethod
    def logdetexp(self, radius: Tensor) -> Tensor:
        """Log-determinant of the exponential map at tangent vectors of length ``radius``.

        (d-1) log(sinh(√c r)/(√c r)) in curvature -c, 0 in the Euclidean space: how much volume at geodesic
        distance r exceeds that of the flat tangent space.
        """

    @abstractmethod
    def dist_to_gyroplanes(
        self,
        x: Tensor | Polar,
        normals: Tensor,
        offsets: Tensor,
        *,
        factor: Tensor | None = None,
        shift: Tensor | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """Signed geodesic distances of points to K gyroplanes (hyperplanes), as one matrix product.

        Gyroplane k is given by its foot point nearest the origin, at signed distance ``offsets[k]`` in the
        direction ``normals[k]``, to which it is orthogonal. In flat space: ⟨x, â_k⟩ - r_k. In curvature -c:
        (1/√c) asinh( λ_x √c ⟨x, â_k⟩ cosh(√c r_k) - (λ_x - 1) sinh(√c r_k) ), ball coordinates, which is
        Shimizu et al. 2021 (arXiv 2006.08210), equation 6, with r twice theirs.

        Args:
            x: coordinates ``[..., ambient_dim]``, or polar coordinates about the origin, √c·radius below 350
                (44 in float32).
            normals: ``[K, d]``, unit vectors; ``[R, K, d]`` for R sets of points ``[..., R, B, ·]`` with K each.
            offsets: ``[K]``, geodesic lengths of either sign; ``[R, K]``.
            factor: ``[K]`` or ``[R, K]``, by which the distances are multiplied in the same pass.
            shift: likewise, what is then added.
            dtype: of the result; by default that of the points. The product is rounded to it, so for float32
                √c·(radius + |offset|) stays below 87.

        Returns:
            ``[..., K]``, positive on the side that the normal points to.
        """

    @abstractmethod
    def conformal(self, x: Tensor | Polar) -> Conformal:
        """Points, ``[..., ambient_dim]`` or polar about the origin, in conformal coordinates."""

    @abstractmethod
    def conformal_dist(self, square: Tensor, gaps: Tensor) -> Tensor:
        """Geodesic distance from ‖x-y‖² ``[...]`` of conformal coordinates and the product of the two gaps."""
