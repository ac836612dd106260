"""Layers of gyroplanes, the hyperplanes of hyperbolic space."""

import math

import torch
from torch import Tensor, nn

from hypgraph.manifolds import Euclidean, Manifold, Polar
from hypgraph.nn.linear import affine

__all__ = ["Gyroplane", "tight_frame"]

# √c · offset: sinh of the sum with the largest radius of points, 36 in float64, does not overflow.
_FAR = {torch.float64: 200.0, torch.float32: 48.0}


def tight_frame(
    count: int, dim: int, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
) -> Tensor:
    """``[count, dim]`` unit vectors that spread evenly: Σₖaₖaₖᵀ = (count/dim)·I where ``dim`` divides ``count``.

    In two dimensions the angles kπ/count (a hyperplane and its opposite are one); else rows of random orthogonal
    matrices (QR of a normal matrix), the last of them cut short.

    >>> a = tight_frame(4, 2)
    >>> (a.mT @ a).round(decimals=12)
    tensor([[2., 0.],
            [0., 2.]], dtype=torch.float64)
    """
    if dim == 2:
        angles = torch.arange(count, dtype=dtype) * (math.pi / count)
        return torch.stack([torch.cos(angles), torch.sin(angles)], dim=-1)
    blocks = math.ceil(count / dim)
    normal = torch.randn(blocks, dim, dim, generator=generator, dtype=dtype)
    orthogonal: Tensor = torch.linalg.qr(normal).Q
    return orthogonal.reshape(-1, dim)[:count]


class Gyroplane(nn.Module):
    """Signed distances to learnt gyroplanes, scaled so that flat space gives a linear layer.

    Output k is ‖w_k‖ d_k(x), with d_k the signed geodesic distance to the gyroplane of normal w_k and offset
    r_k = -b_k/‖w_k‖ (:meth:`hypgraph.manifolds.Manifold.dist_to_gyroplanes`). For the point at the geodesic vector
    v from the origin it tends to ⟨v, w_k⟩ + b_k as c → 0, and in the Euclidean space it is that exactly: the flat
    twin of a network has the same outputs and gradients at the same weights. (Near the origin ball coordinates x
    are half of v: the usual ½‖w_k‖ d_k tends to ⟨x, w_k⟩ + b_k, and a curved network starts at half the weights of
    its twin.) In curved space a weight of zero has no normal: its output is b_k, the limit along every direction,
    with zero gradient for the weight.

    The weights start as those of :class:`torch.nn.Linear` do, uniform on ±1/√d, and the biases at 0: gyroplanes
    through the origin in random directions. With offsets of 0 the output is at most ‖w_k‖ r for a point at radius
    r, ‖w_k‖ near 1/√3, so it starts in the range of a linear layer's, and none starts beyond the data.

    Sources: Ganea et al. 2018 (arXiv 1805.09112), section 3.1; Shimizu et al. 2021 (arXiv 2006.08210), 3.2.

    Args:
        manifold: the space of the inputs, of dimension d.
        out_features: K.
        generator: for the initial weights.
        dtype: precision, that of the points.

    >>> from hypgraph.manifolds import PoincareBall
    >>> layer = Gyroplane(PoincareBall(2, c=1.0), 3)
    >>> layer(torch.zeros(5, 2, dtype=torch.float64)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        manifold: Manifold,
        out_features: int,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        self.manifold, self.curvature = manifold, manifold.curvature
        self.weight = nn.Parameter(torch.empty(out_features, manifold.dim, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(out_features, dtype=dtype))
        # The bound of torch.nn.Linear, whose limit this layer is.
        nn.init.uniform_(self.weight, -1 / manifold.dim**0.5, 1 / manifold.dim**0.5, generator=generator)

    def forward(self, x: Tensor | Polar, *, dtype: torch.dtype | None = None) -> Tensor:
        """Points, in coordinates ``[..., ambient_dim]`` or polar about the origin, to ``[..., K]`` in ``dtype``.

        Of R stacked layers (:func:`hypgraph.models.stack_models`), ``[..., R, B, ·]`` to ``[..., R, B, K]``.
        """
        if isinstance(self.manifold, Euclidean):  # normals and offsets would only be multiplied out again
            x = x.vector() if isinstance(x, Polar) else x
            return affine(x, self.weight, self.bias).to(dtype or x.dtype)
        sqrt_c = self.manifold.c**0.5
        length = torch.linalg.vector_norm(self.weight, dim=-1)
        known = length > 0
        safe = torch.where(known, length, 1.0)
        offset = -self.bias / safe
        # Small weights put a gyroplane where the hyperbolic sine of its offset overflows. From a gyroplane that is
        # far beyond the points all distances grow with the offset alone, by as much as it does.
        limit = _FAR[dtype or offset.dtype] / sqrt_c
        near = offset.clamp(-limit, limit)
        factor = torch.where(known, safe, 0.0)
        shift = torch.where(known, factor * (near - offset), self.bias)
        return self.manifold.dist_to_gyroplanes(
            x, self.weight / safe.unsqueeze(-1), near, factor=factor, shift=shift, dtype=dtype
        )
