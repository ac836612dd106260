"""A stand-in for the embedding of hierarchies, where a test is not about it: points drawn from the generator."""

from typing import Any

import torch

from hypgraph.distributions import WrappedNormal
from hypgraph.hierarchy import HierarchyEmbedding
from hypgraph.manifolds import PoincareBall, Polar

TARGET = "hypgraph.estimators.poincare_embedder.embed_hierarchy"


def draw_points(
    _edge_index: torch.Tensor,
    num_nodes: int,
    *,
    dim: int = 2,
    c: float = 1.0,
    uncertainty: bool = False,
    generator: torch.Generator,
    **_options: Any,
) -> HierarchyEmbedding:
    ball = PoincareBall(dim, c)
    points = Polar.of(torch.randn(num_nodes, dim, dtype=torch.float64, generator=generator))
    posterior = None
    if uncertainty:
        posterior = WrappedNormal(ball.from_polar(points), torch.full((num_nodes, 1), 0.1).double(), ball)
    return HierarchyEmbedding(ball, points, posterior, "drawn", ())
