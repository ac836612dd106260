"""A start for three dimensions and more that knows nothing but the edges."""

import math

import torch

from hypgraph.hierarchy.fermi_dirac_loss import BalancedFermiDirac
from hypgraph.hierarchy.polar_adam import PolarAdam
from hypgraph.hierarchy.refinement import Refinement, proper
from hypgraph.manifolds import Polar

__all__ = ["random_start"]

# Where points start: this standard deviation an axis about the origin, near enough that none is cut off.
SPREAD = 0.3
# Of the decoder. A small radius pulls neighbours close together, which leaves room around them.
RADIUS, TEMPERATURE = 1.0, 0.5
STEPS, LENGTH = 300, 0.3


def random_start(refinement: Refinement) -> tuple[Polar, float]:
    """Random points near the origin, ordered by the Fermi–Dirac loss with balanced classes, and their quality."""
    noise = torch.randn(refinement.count, refinement.dim, generator=refinement.generator, dtype=torch.float64)
    optimizer = PolarAdam(proper(Polar.of(SPREAD * noise)))
    loss, batches = BalancedFermiDirac(refinement.graph, RADIUS, TEMPERATURE), refinement.batches()
    for step in range(STEPS):
        _, gradient = loss(optimizer.points, next(batches))
        optimizer.step(gradient, LENGTH * (1 + math.cos(math.pi * step / STEPS)) / 2)
    return optimizer.points, refinement.quality(optimizer.points)
