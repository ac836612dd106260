"""Everything constant that training on one split of one graph needs, on its device."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hypgraph.data import EdgeSplit, Graph, NonEdgeSampler
from hypgraph.nn import SparseMatrix, normalised_adjacency
from hypgraph.training.input_features import input_features

__all__ = ["LinkTask"]


@dataclass(frozen=True, eq=False)
class LinkTask:
    """Link prediction on one split: what the encoder sees, what the loss scores, what is held out.

    Attributes:
        features: ``[N, F]``, sparse.
        adjacency: normalised, of the training edges only.
        positive: training edges ``[2, E]``.
        negatives: draws pairs that are not training edges.
        val: validation edges and non-edges, ``[2, ·]`` each.
        test: test edges and non-edges.
        hits_at: K where validation goes by Hits@K, the metric that belongs to the data; else None, by AUC + AP.
    """

    features: SparseMatrix
    adjacency: SparseMatrix
    positive: Tensor
    negatives: NonEdgeSampler
    val: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    hits_at: int | None = None

    @classmethod
    def build(
        cls,
        graph: Graph,
        split: EdgeSplit,
        *,
        normalisation: str,
        device: torch.device,
        inputs: str = "own",
        hits_at: int | None = None,
    ) -> "LinkTask":
        """From a graph and its split; message passing gets the training edges and no other.

        Args:
            graph: nodes and features.
            split: of its edges.
            normalisation: of the adjacency.
            device: where all of it goes.
            inputs: what the encoder sees; see :func:`~hypgraph.training.input_features.input_features`.
            hits_at: K where Hits@K is what validation goes by.
        """
        adjacency = normalised_adjacency(split.train_edge_index, graph.num_nodes, normalisation=normalisation)
        return cls(
            features=SparseMatrix.from_scipy(input_features(graph, split.train_edge_index, inputs)).to(device),
            adjacency=adjacency.to(device),
            positive=split.train_edge_index.to(device),
            negatives=split.training_negatives(device=device),
            val=(split.val_edge_index.to(device), split.val_neg_edge_index.to(device)),
            test=(split.test_edge_index.to(device), split.test_neg_edge_index.to(device)),
            hits_at=hits_at,
        )
