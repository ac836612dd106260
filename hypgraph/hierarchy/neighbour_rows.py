"""The neighbours of some nodes, as losses of all their distances need them."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.hierarchy.pair_forces import NUMBERS_A_BLOCK

__all__ = ["NeighbourRows", "RowBlock", "Rows"]


class RowBlock(NamedTuple):
    """Some of the nodes, so few that their distances from all nodes stay in a core's cache.

    Attributes:
        nodes: ``[B]``.
        pairs: which of :attr:`Rows.pairs` are theirs.
        owner: for each of these pairs, the place of its first node in ``nodes``.
        absent: the places in ``[B, N]``, numbered row by row, of their neighbours and of themselves.
    """

    nodes: Tensor
    pairs: slice
    owner: Tensor
    absent: Tensor


class Rows(NamedTuple):
    """Some nodes and their neighbours.

    Attributes:
        pairs: ``[2, P]``: each of the nodes with each of its neighbours, node by node.
        blocks: the nodes, a few at a time.
    """

    pairs: Tensor
    blocks: list[RowBlock]


class NeighbourRows:
    """The rows of a graph's adjacency matrix, by choice.

    Args:
        graph: the neighbours.

    Attributes:
        degree: ``[N]``, float64.
    """

    def __init__(self, graph: TrainingGraph) -> None:
        self._count = graph.num_nodes
        self._starts = graph.adjacency.indptr.astype(np.int64)
        self._neighbours = graph.adjacency.indices.astype(np.int64)
        self._all: Rows | None = None
        self.degree = torch.from_numpy(graph.degree).double()

    def of(self, nodes: Tensor | None) -> Rows:
        """The rows of distinct ``nodes``, or of all, which are made once."""
        if nodes is not None:
            return self._rows(nodes.numpy())
        if self._all is None:
            self._all = self._rows(np.arange(self._count))
        return self._all

    def _rows(self, nodes: NDArray[np.int64]) -> Rows:
        size = max(1, NUMBERS_A_BLOCK // self._count)
        blocks, pairs, done = [], [], 0
        for begin in range(0, len(nodes), size):
            part = nodes[begin : begin + size]
            near = [self._neighbours[self._starts[i] : self._starts[i + 1]] for i in part]
            owner, targets = np.repeat(np.arange(len(part)), [len(found) for found in near]), np.concatenate(near)
            pairs.append(np.stack([part[owner], targets]))
            own = np.arange(len(part)) * self._count + part
            absent = np.concatenate([owner * self._count + targets, own])
            theirs = slice(done, done + len(targets))
            nodes_of, owner_of, absent_of = (torch.from_numpy(array) for array in (part, owner, absent))
            blocks.append(RowBlock(nodes_of, theirs, owner_of, absent_of))
            done += len(targets)
        return Rows(torch.from_numpy(np.concatenate(pairs, axis=1)), blocks)
