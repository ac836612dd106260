"""Graph convolutions over a constant graph with sparse features."""

import numpy as np
import scipy.sparse
import torch
from torch import Tensor, nn

from hypgraph.data.graph import sorted_distinct
from hypgraph.exceptions import ConfigError
from hypgraph.nn.dropout import dropout
from hypgraph.nn.sparse import SparseMatrix

__all__ = ["GCNEncoder", "normalised_adjacency"]


def normalised_adjacency(edge_index: Tensor, num_nodes: int, *, normalisation: str = "row") -> SparseMatrix:
    """Adjacency matrix with self-loops, normalised; float32.

    ``"row"``: D̃⁻¹(A+I), the mean over a node and its neighbours. ``"symmetric"``: D̃^-½(A+I)D̃^-½ (Kipf and
    Welling 2017, arXiv 1609.02907, equation 2).

    Args:
        edge_index: ``[2, E]``, pairs without self-loops; both directions of a pair are one edge.
        num_nodes: N; nodes without an edge keep their self-loop.
        normalisation: ``"row"`` or ``"symmetric"``.

    Returns:
        ``[N, N]``.
    """
    low, high = np.sort(edge_index.cpu().numpy(), axis=0)
    keys = sorted_distinct(low * num_nodes + high)
    source, target = keys // max(num_nodes, 1), keys % max(num_nodes, 1)
    nodes = np.arange(num_nodes)
    rows, columns = np.concatenate([source, target, nodes]), np.concatenate([target, source, nodes])
    degree = np.bincount(rows, minlength=num_nodes).astype(np.float64)
    if normalisation == "row":
        values = 1 / degree[rows]
    elif normalisation == "symmetric":
        values = 1 / np.sqrt(degree[rows] * degree[columns])
    else:
        raise ConfigError(f"unknown normalisation '{normalisation}'; known: row, symmetric")
    return SparseMatrix.from_scipy(scipy.sparse.csr_array((values, (rows, columns)), shape=(num_nodes, num_nodes)))


class GCNEncoder(nn.Module):
    """Two graph convolutions, Â relu(Â X W₀ + b₀) W₁ + b₁, with dropout before each.

    The layers of Kipf and Welling 2016 (arXiv 1611.07308). A variational head reads its columns as several
    parameters of a posterior, which is the same as one last layer for each.

    Args:
        in_features: F.
        hidden: width of the first layer.
        out_features: width of the second.
        dropout: probability, on the input features and on the hidden layer, in training mode.
        generator: for the initial weights (Glorot and Bengio 2010, uniform).
    """

    def __init__(
        self,
        in_features: int,
        hidden: int,
        out_features: int,
        *,
        dropout: float = 0.6,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.weight0 = nn.Parameter(torch.empty(in_features, hidden))
        self.bias0 = nn.Parameter(torch.zeros(hidden))
        self.weight1 = nn.Parameter(torch.empty(hidden, out_features))
        self.bias1 = nn.Parameter(torch.zeros(out_features))
        for weight in (self.weight0, self.weight1):
            nn.init.xavier_uniform_(weight, generator=generator)

    def forward(
        self, features: SparseMatrix, adjacency: SparseMatrix, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """From features ``[N, F]`` and normalised adjacency ``[N, N]`` to ``[N, out_features]``."""
        p = self.dropout if self.training else 0.0
        if p:
            features = features.dropout(p, generator=generator)
        hidden = (adjacency @ (features @ self.weight0)).add_(self.bias0).relu_()
        return (adjacency @ (dropout(hidden, p, generator=generator) @ self.weight1)).add_(self.bias1)
