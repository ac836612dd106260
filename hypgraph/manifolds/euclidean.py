"""Flat space, with the contract of the curved ones."""

import math

import torch
from torch import Tensor
from typing_extensions import override

from hypgraph.manifolds.base import Conformal, Manifold
from hypgraph.manifolds.functional.elementary import norm
from hypgraph.manifolds.functional.polar import Polar

__all__ = ["Euclidean"]


class Euclidean(Manifold):
    """Euclidean space of ``dim`` dimensions.

    >>> Euclidean(2).dist(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0]))
    tensor(5.)
    """

    name = "euclidean"

    @override
    def with_dim(self, dim: int) -> "Euclidean":
        return Euclidean(dim)

    @property
    @override
    def c(self) -> float:
        return 0.0

    @override
    def dist(self, x: Tensor, y: Tensor) -> Tensor:
        return norm(x - y)

    @override
    def dist0(self, x: Tensor) -> Tensor:
        return norm(x)

    @override
    def expmap(self, x: Tensor, u: Tensor) -> Tensor:
        return x + u

    @override
    def logmap(self, x: Tensor, y: Tensor) -> Tensor:
        return y - x

    @override
    def expmap0(self, u: Tensor) -> Tensor:
        return u

    @override
    def logmap0(self, x: Tensor) -> Tensor:
        return x

    @override
    def transp(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return v

    @override
    def transp0(self, y: Tensor, v: Tensor) -> Tensor:
        return v

    @override
    def projx(self, x: Tensor) -> Tensor:
        return x

    @override
    def contains(self, x: Tensor) -> Tensor:
        return torch.isfinite(x).all(-1)

    @override
    def check_point(self, x: Tensor) -> str | None:
        return None if bool(self.contains(x).all()) else "a coordinate is not finite"

    @override
    def to_polar(self, x: Tensor) -> Polar:
        return Polar.of(x)

    @override
    def from_polar(self, x: Polar) -> Tensor:
        return x.vector()

    @override
    def dist_polar(self, x: Polar, y: Polar) -> Tensor:
        return norm(x.vector() - y.vector())

    @override
    def translate_polar(self, x: Polar, y: Polar) -> Polar:
        return self.to_polar(x.vector() + y.vector())

    @override
    def gyration_polar(self, x: Polar, y: Polar, v: Tensor) -> Tensor:
        return v

    @override
    def max_radius(self, dtype: torch.dtype) -> float:
        return math.sqrt(torch.finfo(dtype).max)

    @override
    def logdetexp(self, radius: Tensor) -> Tensor:
        return torch.zeros_like(radius)

    @override
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
        weight, bias = normals, -offsets
        if factor is not None:
            weight, bias = factor.unsqueeze(-1) * weight, factor * bias
        bias = bias if shift is None else bias + shift
        if isinstance(x, Polar):
            x = x.vector()
        if weight.dim() == 2:
            return torch.nn.functional.linear(x, weight, bias).to(dtype)
        return (x @ weight.mT + bias.unsqueeze(-2)).to(dtype)

    @override
    def conformal(self, x: Tensor | Polar) -> Conformal:
        if isinstance(x, Polar):
            x = x.vector()
        return Conformal(x, torch.ones_like(x[..., 0]))

    @override
    def conformal_dist(self, square: Tensor, gaps: Tensor) -> Tensor:
        return square.sqrt()
