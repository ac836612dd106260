"""The loss that refines an embedding: each neighbour against all that are no neighbours."""

import torch
from torch import Tensor

from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.hierarchy.neighbour_rows import NeighbourRows
from hypgraph.hierarchy.pair_forces import PairForces, pair_squares
from hypgraph.manifolds import Polar

__all__ = ["NeighbourSoftmax"]


class NeighbourSoftmax:
    r"""Softmax of each neighbour against all non-neighbours, with its Riemannian gradient; curvature -1.

    With an inverse temperature β and the degree n_i,

        loss = - Σ_i 1/n_i Σ_{j ~ i} log( e^(-β d_ij) / (e^(-β d_ij) + Σ_{k ≁ i, k ≠ i} e^(-β d_ik)) ).

    Neighbours do not compete with one another: all that is asked is that they are nearer than the others. The mean
    over neighbours, then the sum over nodes, is how mean average precision counts as well.

    Args:
        graph: the neighbours.
    """

    def __init__(self, graph: TrainingGraph) -> None:
        self._rows = NeighbourRows(graph)
        self._weight = 1 / self._rows.degree.clamp(min=1)

    def __call__(self, points: Polar, beta: float, nodes: Tensor | None = None) -> tuple[float, Tensor]:
        """The loss, and its gradient ``[N, d]`` in the frames at the points (those carried from the origin).

        Args:
            points: radius ``[N]``, direction ``[N, d]``.
            beta: the inverse temperature.
            nodes: take the sum over these i only, not over all.
        """
        rows = self._rows.of(nodes)
        square, apart = pair_squares(points, rows.pairs)
        half = torch.asinh(square.sqrt())
        attraction = torch.exp(-2 * beta * half)
        others = torch.empty_like(half)
        forces = PairForces(points)
        for block in rows.blocks:
            far = forces.block(block.nodes, block.absent)
            weight = torch.mul(far.half, -2 * beta, out=far.half).exp_()
            total = weight.sum(1)
            others[block.pairs] = total[block.owner]
            pressure = torch.zeros_like(total)
            pressure.index_add_(0, block.owner, 1 / (attraction[block.pairs] + total[block.owner]))
            pressure *= -beta * self._weight[block.nodes]
            forces.add_block(block.nodes, weight.div_(far.sinh).mul_(pressure[:, None]), far.apart)
        share = self._weight[rows.pairs[0]]
        ratio = others / attraction
        slope = beta * share * ratio / (1 + ratio) / (2 * (square * (1 + square)).sqrt())
        forces.add_pairs(rows.pairs, slope, apart)
        return float((share * torch.log1p(ratio)).sum()), forces.gradient()
