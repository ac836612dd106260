"""From the output of an encoder to a posterior distribution for each node."""

import torch
from torch import Tensor, nn

from hypgraph.distributions import CenteredDistribution, WrappedNormal
from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import Manifold, Polar

__all__ = ["PosteriorHead"]


class PosteriorHead(nn.Module):
    """Reads the encoder's numbers for a node as centre and scale of a distribution.

    With the first d numbers m and the rest s (one number, or d): the centre is exp₀ of gain·m, or of
    gain·relu(m), read as a vector of the orthonormal frame at the origin, so its norm is the geodesic length to
    go; the scale is initial_scale·exp(s).
    Lengths, directions and scales are computed in ``dtype`` and the centre stays in polar coordinates, so nothing
    is lost however far out it lies.

    The gain lets weights of ordinary size place nodes at distances of ordinary size from each other: it acts as
    a larger learning rate for the centres alone.

    Args:
        manifold: the latent space, of dimension d.
        family: the distribution, built from centre, scale and manifold.
        gain: geodesic length for an encoder output of 1.
        isotropic: one scale a node for all directions, rather than d; by default as is usual for the family.
        nonnegative: whether the centre's frame vector is rectified to the positive orthant.
        initial_scale: the scale, a geodesic length, where the encoder's output is zero.
        dtype: precision on the manifold, float64 or float32.
    """

    def __init__(
        self,
        manifold: Manifold,
        *,
        family: type[CenteredDistribution] = WrappedNormal,
        isotropic: bool | None = None,
        gain: float = 5.0,
        nonnegative: bool = False,
        initial_scale: float = 0.08,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        kind = family.scale_kinds[0] if isotropic is None else "isotropic" if isotropic else "diagonal"
        if kind not in family.scale_kinds:
            raise ConfigError(
                f"scales (model.scales) are {kind}, but a {family.__name__} has {family.scale_kinds[0]} ones"
            )
        self.manifold, self.family, self.dtype = manifold, family, dtype
        self.curvature = manifold.curvature
        self.isotropic = kind == "isotropic"
        self.gain, self.nonnegative, self.initial_scale = gain, nonnegative, initial_scale

    @property
    def in_features(self) -> int:
        """How many numbers a node the head reads: d+1, or 2d."""
        return self.manifold.dim + (1 if self.isotropic else self.manifold.dim)

    def forward(self, hidden: Tensor) -> CenteredDistribution:
        """Posteriors of batch shape ``[...]`` from ``hidden [..., in_features]``."""
        dim = self.manifold.dim
        mean, log_scale = hidden.split([dim, self.in_features - dim], dim=-1)
        center = Polar.of((self.gain * (torch.relu(mean) if self.nonnegative else mean)).to(self.dtype))
        scale = self.initial_scale * torch.exp(log_scale.to(self.dtype))
        if "diagonal" not in self.family.scale_kinds:
            scale = scale.squeeze(-1)
        return self.family(center, scale, self.manifold, validate_args=False)
