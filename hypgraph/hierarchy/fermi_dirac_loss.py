"""The loss that orders an embedding from a random start: edges against non-edges, as classes of equal weight."""

import torch
from torch import Tensor

from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.hierarchy.neighbour_rows import NeighbourRows
from hypgraph.hierarchy.pair_forces import PairForces, pair_squares
from hypgraph.manifolds import Polar

__all__ = ["BalancedFermiDirac"]


class BalancedFermiDirac:
    r"""Logistic loss of the Fermi–Dirac decoder (Krioukov et al. 2010), classes balanced; curvature -1.

        loss = Σ_i ( mean over j ~ i of softplus((d_ij - R)/T) + mean over k ≁ i of softplus((R - d_ik)/T) ),

    the gradient by hand. Its forces reach as far as there are points, which untangles what the softmax loss,
    all of whose forces are near ones, would leave where a random start put it.

    Args:
        graph: the neighbours.
        radius: R, at which an edge is as likely as not.
        temperature: T > 0.
    """

    def __init__(self, graph: TrainingGraph, radius: float, temperature: float) -> None:
        self._rows = NeighbourRows(graph)
        self._radius, self._temperature = radius, temperature
        count, degree = graph.num_nodes, self._rows.degree
        self._near, self._far = 1 / degree.clamp(min=1), 1 / (count - 1 - degree).clamp(min=1)

    def __call__(self, points: Polar, nodes: Tensor | None = None) -> tuple[float, Tensor]:
        """The loss, and its gradient ``[N, d]`` in the frames at the points; see ``NeighbourSoftmax.__call__``."""
        rows = self._rows.of(nodes)
        forces = PairForces(points)
        value = 0.0
        for block in rows.blocks:
            far = forces.block(block.nodes, block.absent)
            level = far.half.mul_(-2).add_(self._radius).div_(self._temperature)
            share = self._far[block.nodes, None]
            value += float((torch.nn.functional.softplus(level) * share).sum())
            slope = level.sigmoid_().mul_(-share / self._temperature).div_(far.sinh)
            forces.add_block(block.nodes, slope, far.apart)
        square, apart = pair_squares(points, rows.pairs)
        level = (2 * torch.asinh(square.sqrt()) - self._radius) / self._temperature
        share = self._near[rows.pairs[0]]
        value += float((torch.nn.functional.softplus(level) * share).sum())
        slope = share * level.sigmoid() / self._temperature / (2 * (square * (1 + square)).sqrt())
        forces.add_pairs(rows.pairs, slope, apart)
        return value, forces.gradient()
