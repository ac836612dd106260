"""What an untrained link predictor may look at: the training edges and the features of the nodes."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from hypgraph.evaluation.node_pairs import Pairs, as_pairs
from hypgraph.exceptions import DataError

__all__ = ["Features", "TrainingGraph"]

Features: TypeAlias = csr_array | torch.Tensor | ArrayLike


@dataclass(frozen=True)
class TrainingGraph:
    """An undirected graph as the matrices that the baselines share.

    Attributes:
        adjacency: A, symmetric, zeros and ones in float64, empty diagonal, shape ``(N, N)``.
        features: X in float64, shape ``(N, F)``, or None.

    >>> graph = TrainingGraph.from_edges([[0, 1], [1, 2]], num_nodes=4)
    >>> graph.degree
    array([1, 2, 1, 0])
    """

    adjacency: csr_array
    features: csr_array | None = None

    @classmethod
    def from_edges(cls, edge_index: Pairs, num_nodes: int, features: Features | None = None) -> "TrainingGraph":
        """Build the matrices from training edges.

        Args:
            edge_index: training edges, shape ``(2, E)``. Either order of a pair means the same edge,
                repetitions count once, self-loops are dropped.
            num_nodes: N; nodes without an edge are isolated.
            features: X, dense or sparse, shape ``(N, F)``.

        Raises:
            DataError: if an edge names a node that is not there, or the features are not N finite rows.
        """
        u, v = as_pairs(edge_index, num_nodes, name="train_edge_index")
        u, v = u[u != v], v[u != v]
        adjacency = csr_array(
            (np.ones(2 * len(u)), (np.concatenate([u, v]), np.concatenate([v, u]))),
            shape=(num_nodes, num_nodes),
        )
        adjacency.sum_duplicates()
        adjacency.data[:] = 1.0
        return cls(adjacency, None if features is None else _as_csr(features, num_nodes))

    @property
    def num_nodes(self) -> int:
        """N, isolated nodes included."""
        return int(self.adjacency.shape[0])

    @property
    def degree(self) -> NDArray[np.int64]:
        """Number of neighbours of each node, shape ``(N,)``."""
        degree: NDArray[np.int64] = np.diff(self.adjacency.indptr).astype(np.int64)
        return degree


def _as_csr(features: Features, num_nodes: int) -> csr_array:
    """``features`` as a float64 CSR array that stores no zeros; the caller's array is not changed."""
    if isinstance(features, torch.Tensor):
        features = features.detach().cpu().to_dense().numpy()
    matrix = csr_array(features, dtype=np.float64, copy=True)
    if matrix.ndim != 2 or matrix.shape[0] != num_nodes:
        raise DataError(
            f"features: have shape {matrix.shape}, the graph has {num_nodes} nodes; give one row a node"
        )
    if not np.isfinite(matrix.data).all():
        raise DataError("features: hold NaN or infinity, needs finite numbers; clean or drop those columns")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix
