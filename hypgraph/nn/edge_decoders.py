"""Edge decoders: from the latents of two nodes to the logit of an edge between them.

Each sees the two latents and nothing else, and all but the one for directed edges are symmetric in them. What
depends on one node alone is computed once a node, then gathered for each pair.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn
from typing_extensions import override

from hypgraph.manifolds import Manifold, Polar
from hypgraph.nn.gyroplane import tight_frame
from hypgraph.nn.node_pairs import pair_absolute_norm, pair_square_dist, pair_square_norm
from hypgraph.random import uniform

__all__ = [
    "EDGE_DECODERS",
    "CroftonDecoder",
    "DirectedGyroplaneDecoder",
    "EdgeDecoder",
    "FermiDiracDecoder",
    "GyroplaneDecoder",
    "InnerProductDecoder",
    "MLPDecoder",
    "TanhDistanceDecoder",
]


class EdgeDecoder(nn.Module, ABC):
    """A function of two latents."""

    def __init__(self, manifold: Manifold) -> None:
        super().__init__()
        self.manifold, self.curvature = manifold, manifold.curvature

    @abstractmethod
    def forward(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        """Logits of pairs of points.

        Args:
            z: N points: coordinates ``[N, ambient_dim]``, or polar coordinates about the origin.
            edge_label_index: ``[2, E]``, the pairs, source first where edges have a direction.

        Returns:
            ``[E]``.
        """


def _frame_vectors(manifold: Manifold, z: Tensor | Polar, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """log₀ of the two points of each pair in the orthonormal frame at the origin, ``[E, d]`` each."""
    vectors = (z if isinstance(z, Polar) else manifold.to_polar(z)).vector()
    return vectors.index_select(0, pairs[0]), vectors.index_select(0, pairs[1])


def _dist_to_gyroplanes(manifold: Manifold, z: Tensor | Polar, normals: Tensor, offsets: Tensor) -> Tensor:
    """Signed distances ``[N, K]``; the normals need not have length 1."""
    return manifold.dist_to_gyroplanes(
        z, normals / torch.linalg.vector_norm(normals, dim=-1, keepdim=True), offsets
    )


class _MetricDecoder(EdgeDecoder):
    """Logit e^t (ρ - m) of a squared distance m, with learnt radius ρ and inverse temperature e^t."""

    def __init__(self, manifold: Manifold, dtype: torch.dtype) -> None:
        super().__init__(manifold)
        self.radius = nn.Parameter(torch.tensor(2.0, dtype=dtype))
        self.log_inverse_temperature = nn.Parameter(torch.tensor(0.0, dtype=dtype))

    def _logit(self, square: Tensor) -> Tensor:
        return torch.exp(self.log_inverse_temperature) * (self.radius - square)


class GyroplaneDecoder(_MetricDecoder):
    """A learnt gyroplane metric: logit = e^t (ρ - Σₖ wₖ² (gₖ(z_i) - gₖ(z_j))²).

    gₖ is the signed geodesic distance to gyroplane k. At the start the normals are a tight frame, the offsets 0
    and wₖ² = d/K, so the sum is a squared distance (in flat space ‖z_i - z_j‖², if d divides K) and the decoder
    that of Fermi and Dirac; from there training moves, turns and weights the gyroplanes.

    Args:
        manifold: the latent space, of dimension d.
        generator: for the initial normals.
        dtype: precision, that of the latents.
        count: K, the number of gyroplanes; by default the least multiple of d from 16, so that the frame is tight.
    """

    def __init__(
        self,
        manifold: Manifold,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
        count: int | None = None,
    ) -> None:
        super().__init__(manifold, dtype)
        count = manifold.dim * math.ceil(16 / manifold.dim) if count is None else count
        self.normals = nn.Parameter(tight_frame(count, manifold.dim, generator=generator, dtype=dtype))
        self.offsets = nn.Parameter(torch.zeros(count, dtype=dtype))
        self.weights = nn.Parameter(torch.full((count,), (manifold.dim / count) ** 0.5, dtype=dtype))

    def _weighted_distances(self, z: Tensor | Polar) -> Tensor:
        """wₖ gₖ(z), ``[N, K]``."""
        return self.weights * _dist_to_gyroplanes(self.manifold, z, self.normals, self.offsets)

    @override
    def forward(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        return self._logit(pair_square_norm(self._weighted_distances(z), edge_label_index))


class DirectedGyroplaneDecoder(GyroplaneDecoder):
    """A gyroplane metric in which an edge leads across, from i to j.

        logit = e^t (ρ - Σₖ wₖ² (gₖ(z_j) - gₖ(z_i) - δₖ)²)

    δₖ is how far along gyroplane k's normal the target of an edge lies from its source, a geodesic length. With
    the potential u(z) = 2 e^t Σₖ wₖ² δₖ gₖ(z) the logit is a symmetric one plus u(z_j) - u(z_i), and the logits of
    the two directions of a pair differ by twice that: the potential orders the nodes, as levels do in a hierarchy.
    δ starts at 0, where this is the :class:`GyroplaneDecoder`, from the same draws.
    """

    def __init__(
        self,
        manifold: Manifold,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
        count: int | None = None,
    ) -> None:
        super().__init__(manifold, generator=generator, dtype=dtype, count=count)
        self.shifts = nn.Parameter(torch.zeros_like(self.offsets))

    @override
    def forward(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        distances, shifts = self._weighted_distances(z), self.weights * self.shifts
        # (a - s)² = a² - 2as + s²: the mixed term is a difference of two numbers, one a node
        potential = 2 * (distances @ shifts)
        source, target = edge_label_index
        crossed = potential.index_select(0, target) - potential.index_select(0, source)
        return self._logit(pair_square_norm(distances, edge_label_index) - crossed + shifts.square().sum())


class CroftonDecoder(_MetricDecoder):
    """A soft weighted count of the gyroplanes that separate two points.

        logit = e^t (ρ - Σₖ |wₖ| |tanh(e^T gₖ(z_i)) - tanh(e^T gₖ(z_j))|)

    A gyroplane far from both points adds 0 if they are on one side of it and 2|wₖ| if not. By Crofton's formula
    the invariant measure of the hyperplanes that separate two points is, up to a factor, their distance (Santaló
    1976, chapter 17). In flat space that measure is uniform in direction and offset; in curved space the offsets
    would have density cosh(√c r)^(d-1), here they are left to training. Either way the sum is a metric.

    At the start the normals are a tight frame, the offsets uniform on ±3, wₖ = 8/K, T = 0.

    Args:
        manifold: the latent space.
        generator: for the initial normals and offsets.
        dtype: precision, that of the latents.
        count: K, the number of gyroplanes.
    """

    def __init__(
        self,
        manifold: Manifold,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
        count: int = 64,
    ) -> None:
        super().__init__(manifold, dtype)
        self.normals = nn.Parameter(tight_frame(count, manifold.dim, generator=generator, dtype=dtype))
        offsets = uniform((count,), dtype=dtype, generator=generator)
        self.offsets = nn.Parameter(6 * offsets - 3)
        self.weights = nn.Parameter(torch.full((count,), 8 / count, dtype=dtype))
        self.log_sharpness = nn.Parameter(torch.tensor(0.0, dtype=dtype))

    @override
    def forward(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        distances = _dist_to_gyroplanes(self.manifold, z, self.normals, self.offsets)
        sides = self.weights * torch.tanh(torch.exp(self.log_sharpness) * distances)
        return self._logit(pair_absolute_norm(sides, edge_label_index))


class FermiDiracDecoder(_MetricDecoder):
    """Logit e^t (ρ - d(z_i,z_j)²) (Krioukov et al. 2010; Nickel and Kiela 2017), ρ and t learnt."""

    def __init__(
        self, manifold: Manifold, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> None:
        del generator  # nothing is drawn
        super().__init__(manifold, dtype)

    @override
    def forward(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        return self._logit(pair_square_dist(self.manifold, self.manifold.conformal(z), edge_label_index))


class _FixedDecoder(EdgeDecoder):
    """A decoder without parameters; it takes the arguments of the others."""

    def __init__(
        self, manifold: Manifold, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> None:
        del generator, dtype  # there are no parameters
        super().__init__(manifold)


class TanhDistanceDecoder(_FixedDecoder):
    """Probability 1 - tanh d(z_i,z_j) (Mathieu et al. 2019), hence logit log 2 - log(e^{2d} - 1); no parameters.

    The probability of coincident points is 1 and their logit infinite; d is smoothed to √(d² + 10⁻⁸), which caps
    the logit at 9.2.
    """

    smoothing = 1e-8

    @override
    def forward(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        square = pair_square_dist(self.manifold, self.manifold.conformal(z), edge_label_index)
        double = 2 * (square + self.smoothing).sqrt()
        # log 2 - log(e^{2d} - 1), with e^{2d} taken out so that large distances do not overflow
        return math.log(2) - double - torch.log(-torch.expm1(-double))


class InnerProductDecoder(_FixedDecoder):
    """Logit ⟨v_i, v_j⟩ of the frame vectors at the origin, v = log₀(z) with ‖v‖ a geodesic length; no parameters.

    In flat space this is the decoder of Kipf and Welling 2016.
    """

    @override
    def forward(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        source, target = _frame_vectors(self.manifold, z, edge_label_index)
        return (source * target).sum(-1)


class MLPDecoder(EdgeDecoder):
    """A perceptron of one hidden layer on v_i + v_j and |v_i - v_j|, v the frame vectors log₀(z) at the origin."""

    def __init__(
        self,
        manifold: Manifold,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
        hidden: int = 32,
    ) -> None:
        super().__init__(manifold)
        self.weight0 = nn.Parameter(torch.empty(hidden, 2 * manifold.dim, dtype=dtype))
        self.bias0 = nn.Parameter(torch.zeros(hidden, dtype=dtype))
        self.weight1 = nn.Parameter(torch.empty(1, hidden, dtype=dtype))
        self.bias1 = nn.Parameter(torch.zeros(1, dtype=dtype))
        for weight in (self.weight0, self.weight1):
            nn.init.xavier_uniform_(weight, generator=generator)

    @override
    def forward(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        source, target = _frame_vectors(self.manifold, z, edge_label_index)
        pair = torch.cat([source + target, (source - target).abs()], dim=-1)
        hidden = torch.relu(nn.functional.linear(pair, self.weight0, self.bias0))
        return nn.functional.linear(hidden, self.weight1, self.bias1).squeeze(-1)


EDGE_DECODERS: dict[str, Callable[..., EdgeDecoder]] = {
    "gyroplane": GyroplaneDecoder,
    "crofton": CroftonDecoder,
    "directed-gyroplane": DirectedGyroplaneDecoder,
    "fermi-dirac": FermiDiracDecoder,
    "tanh-distance": TanhDistanceDecoder,
    "inner-product": InnerProductDecoder,
    "mlp": MLPDecoder,
}
