"""Sparse matrices as dense ones."""

import torch
from torch import Tensor

from hypgraph.nn import SparseMatrix


def transpose_of(sparse: SparseMatrix) -> Tensor:
    """What the gradient of a product is multiplied by."""
    return torch.cat([block.matrix.to_dense() for block in sparse.transposed], dim=1)
