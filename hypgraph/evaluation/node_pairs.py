"""Pairs of nodes, and inner products of the rows of a matrix that belong to them.

Scoring pairs needs the rows of their end points only. They are gathered in blocks, so that memory depends on
the block and not on the number of pairs, and no dense N×N matrix exists at any time.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from hypgraph.exceptions import DataError

__all__ = ["Pairs", "as_pairs", "blocks", "row_products"]

Pairs: TypeAlias = torch.Tensor | ArrayLike

PAIRS_A_BLOCK = 2048


def as_pairs(pairs: Pairs, num_nodes: int, *, name: str = "pairs") -> NDArray[np.int64]:
    """``pairs`` as an int64 array of shape ``(2, P)`` on the CPU, checked.

    Args:
        pairs: node numbers, one pair a column; an ``edge_index``.
        num_nodes: numbers must lie in ``0 .. num_nodes − 1``.
        name: what the caller calls the argument, for the message.

    Raises:
        DataError: if the shape, the type or a number is not allowed.

    >>> as_pairs([[0, 1], [1, 2]], 3)
    array([[0, 1],
           [1, 2]])
    """
    array = pairs.detach().cpu().numpy() if isinstance(pairs, torch.Tensor) else np.asarray(pairs)
    if array.ndim != 2 or len(array) != 2:
        raise DataError(f"{name}: has shape {array.shape}, needs (2, P); give one pair a column")
    if array.size == 0:
        return np.empty((2, 0), dtype=np.int64)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{name}: has type {array.dtype}, needs integers; give node numbers, not ids")
    if array.min() < 0 or array.max() >= num_nodes:
        raise DataError(
            f"{name}: holds nodes {array.min()} to {array.max()}, the graph has 0 to {num_nodes - 1}; "
            "give pairs of the graph that was split"
        )
    return array.astype(np.int64)


def blocks(length: int, size: int = PAIRS_A_BLOCK) -> Iterator[slice]:
    """Slices that cover ``range(length)`` in order, ``size`` at a time.

    >>> list(blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    for start in range(0, length, size):
        yield slice(start, start + size)


def row_products(matrix: csr_array, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """⟨M_u, M_v⟩ of the rows u and v of each pair.

    Args:
        matrix: M, shape ``(N, F)``.
        pairs: row numbers, shape ``(2, P)``.

    Returns:
        The inner products, shape ``(P,)``.

    >>> row_products(csr_array([[1.0, 2.0], [3.0, 0.0]]), np.array([[0, 1], [1, 1]]))
    array([3., 9.])
    """
    products = np.zeros(pairs.shape[1])
    for block in blocks(pairs.shape[1]):
        u, v = pairs[:, block]
        products[block] = matrix[u].multiply(matrix[v]).sum(axis=1)
    return products
