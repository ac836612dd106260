"""From a latent point to a vector: decoders that differ in how they leave the manifold, and in nothing else."""

from abc import abstractmethod

import torch
from torch import Tensor, nn
from typing_extensions import override

from hypgraph.manifolds import Euclidean, Manifold, PoincareBall, Polar
from hypgraph.nn.gyroplane import Gyroplane
from hypgraph.nn.linear import Linear, affine

__all__ = [
    "VECTOR_DECODERS",
    "GyroplaneVectorDecoder",
    "LinearDecoder",
    "LogMapDecoder",
    "MobiusDecoder",
    "VectorDecoder",
]


class VectorDecoder(nn.Module):
    """A first layer from the manifold to H numbers, ReLU, and a linear layer: (d+1)H + (H+1)D parameters.

    In the Euclidean space all decoders are the same network, a multilayer perceptron. (On the hyperboloid, whose
    points have d+1 coordinates, :class:`LinearDecoder` has H parameters more.)

    Args:
        manifold: the latent space, of dimension d.
        hidden: H.
        out_features: D, numbers in a vector.
        generator: for the initial weights.
        dtype: precision on the manifold; beyond the first layer it is that of the weights, float32.
    """

    def __init__(
        self,
        manifold: Manifold,
        hidden: int,
        out_features: int,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        self.manifold, self.curvature, self.dtype = manifold, manifold.curvature, dtype
        self._make_first(hidden, generator)
        self.out = Linear(hidden, out_features, generator=generator)

    @abstractmethod
    def _make_first(self, hidden: int, generator: torch.Generator | None) -> None:
        """The layer from the manifold."""

    @abstractmethod
    def first(self, z: Polar) -> Tensor:
        """Points to H numbers ``[..., H]``."""

    @override
    def forward(self, z: Tensor | Polar) -> Tensor:
        """Points, in coordinates ``[..., ambient_dim]`` or polar about the origin, to ``[..., D]``."""
        point = z if isinstance(z, Polar) else self.manifold.to_polar(z)
        out: Tensor = self.out(torch.relu(self.first(point).to(self.out.weight.dtype)))
        return out


class GyroplaneVectorDecoder(VectorDecoder):
    """Signed distances to H learnt gyroplanes first; Mathieu et al. 2019, section 3.2."""

    @override
    def _make_first(self, hidden: int, generator: torch.Generator | None) -> None:
        self.gyroplanes = Gyroplane(self.manifold, hidden, generator=generator, dtype=self.dtype)

    @override
    def first(self, z: Polar) -> Tensor:
        values: Tensor = self.gyroplanes(z, dtype=self.out.weight.dtype)
        return values


class LinearDecoder(VectorDecoder):
    """A perceptron on the coordinates, as if they were Euclidean.

    Ball coordinates are doubled: near the origin they are half as long as the way there, and the network would
    start with half the weights of its flat twin.
    """

    @override
    def _make_first(self, hidden: int, generator: torch.Generator | None) -> None:
        self.linear = Linear(self.manifold.ambient_dim, hidden, generator=generator)

    @override
    def first(self, z: Polar) -> Tensor:
        coordinates = self.manifold.from_polar(z)
        if isinstance(self.manifold, PoincareBall):
            coordinates = 2 * coordinates
        values: Tensor = self.linear(coordinates.to(self.linear.weight.dtype))
        return values


class LogMapDecoder(VectorDecoder):
    """A perceptron on log₀ z, the frame vector at the origin: "wrapped"."""

    @override
    def _make_first(self, hidden: int, generator: torch.Generator | None) -> None:
        self.linear = Linear(self.manifold.dim, hidden, generator=generator)

    @override
    def first(self, z: Polar) -> Tensor:
        values: Tensor = self.linear(z.vector().to(self.linear.weight.dtype))
        return values


class MobiusDecoder(VectorDecoder):
    """log₀( (M ⊗ z) ⊕ b ): a Möbius-linear layer to an H-dimensional space of the same curvature, then its log₀.

    M ⊗ z = exp₀(M log₀ z), and b = exp₀ of a learnt frame vector (Ganea et al. 2018, arXiv 1805.09112, sections
    2.4 and 3.2). It is computed in polar coordinates, where exp₀ and log₀ are the identity.
    """

    @override
    def _make_first(self, hidden: int, generator: torch.Generator | None) -> None:
        linear = Linear(self.manifold.dim, hidden, generator=generator)
        self.weight = nn.Parameter(linear.weight.detach().to(self.dtype))
        self.bias = nn.Parameter(linear.bias.detach().to(self.dtype))
        self.wide = self.manifold.with_dim(hidden)

    @override
    def first(self, z: Polar) -> Tensor:
        if isinstance(self.wide, Euclidean):
            return affine(z.vector(), self.weight, self.bias)
        product = z.vector() @ self.weight.mT
        bias = self.bias.unsqueeze(-2) if self.bias.dim() > 1 else self.bias
        return self.wide.translate_polar(Polar.of(product), Polar.of(bias)).vector()


VECTOR_DECODERS: dict[str, type[VectorDecoder]] = {
    "gyroplane": GyroplaneVectorDecoder,
    "linear": LinearDecoder,
    "logmap": LogMapDecoder,
    "mobius": MobiusDecoder,
}
