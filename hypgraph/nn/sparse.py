"""A constant sparse matrix that multiplies dense ones, with a gradient for the dense ones only."""

import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from typing_extensions import override

from hypgraph.nn.dropout import dropout

__all__ = ["SparseMatrix"]


# The rows of a gradient that stay in the cache while a block of the transpose reads them in any order; and the
# entries a column from which reading them costs more than adding the blocks up.
ROWS_A_BLOCK, ENTRIES_A_COLUMN = 4096, 32


class _TransposedBlock(NamedTuple):
    """The transpose of some rows of a matrix."""

    rows: slice
    entries: slice  # the values of these rows
    matrix: Tensor  # CSR, [columns, rows of the block]
    order: Tensor  # where its values stand among those of the rows


class _Product(torch.autograd.Function):
    @staticmethod
    @override
    def forward(ctx: Any, matrix: Tensor, transposed: tuple[_TransposedBlock, ...], dense: Tensor) -> Tensor:
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[None, None, Tensor]:
        first, *others = ctx.transposed
        total = first.matrix @ grad[first.rows]
        for block in others:
            total.addmm_(block.matrix, grad[block.rows])
        return None, None, total


def _tensor(pointers: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> Tensor:
    with warnings.catch_warnings():
        # torch says once a process that CSR tensors are in beta; the two products used here are tested.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta", category=UserWarning)
        return torch.sparse_csr_tensor(pointers, columns, values, size=size, check_invariants=False)


def _narrow(indices: NDArray[np.integer], largest: int) -> Tensor:
    """In 32 bits if they can hold ``largest``: indices are half of what a product reads."""
    return torch.as_tensor(indices).to(torch.int32 if largest <= torch.iinfo(torch.int32).max else torch.int64)


def _from_csr(csr: scipy.sparse.csr_array, values: Tensor) -> Tensor:
    """The pattern of ``csr`` with other values."""
    pointers, columns = (_narrow(part, max(*csr.shape, csr.nnz)) for part in (csr.indptr, csr.indices))
    rows, width = csr.shape
    return _tensor(pointers, columns, values, (rows, width))


def _replaced(matrix: Tensor, values: Tensor) -> Tensor:
    rows, columns = matrix.shape
    return _tensor(matrix.crow_indices(), matrix.col_indices(), values, (rows, columns))


def _transposed_block(csr: scipy.sparse.csr_array, rows: slice, values: Tensor) -> _TransposedBlock:
    part = csr[rows]
    numbered = scipy.sparse.csr_array((np.arange(part.nnz), part.indices, part.indptr), shape=part.shape)
    transposed = numbered.T.tocsr()
    order = _narrow(transposed.data, part.nnz)
    entries = slice(int(csr.indptr[rows.start]), int(csr.indptr[rows.stop]))
    return _TransposedBlock(rows, entries, _from_csr(transposed, values[entries][order]), order)


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A constant ``[rows, columns]`` matrix in compressed rows, kept beside its transpose.

    The transpose makes the gradient of a product as cheap as the product. :meth:`dropout` keeps the pattern and
    redraws the values, without rebuilding either.

    Attributes:
        matrix: CSR tensor.
        transposed: its rows, transposed; in several blocks where there are many rows and many entries a column.
    """

    matrix: Tensor
    transposed: tuple[_TransposedBlock, ...]

    @classmethod
    def from_scipy(cls, array: scipy.sparse.sparray, *, dtype: torch.dtype = torch.float32) -> Self:
        """From any SciPy sparse array; explicit zeros stay."""
        csr = scipy.sparse.csr_array(array)
        rows, columns = csr.shape
        many = csr.nnz * ROWS_A_BLOCK >= ENTRIES_A_COLUMN * columns * rows
        size = ROWS_A_BLOCK if many else max(rows, 1)
        values = torch.as_tensor(csr.data, dtype=dtype)
        blocks = (
            _transposed_block(csr, slice(start, min(start + size, rows)), values)
            for start in range(0, max(rows, 1), size)
        )
        return cls(_from_csr(csr, values), tuple(blocks))

    @property
    def shape(self) -> torch.Size:
        """``[rows, columns]``."""
        return self.matrix.shape

    def to(self, device: torch.device | str) -> "SparseMatrix":
        """The same matrix on another device."""
        blocks = (
            block._replace(matrix=block.matrix.to(device), order=block.order.to(device))
            for block in self.transposed
        )
        return SparseMatrix(self.matrix.to(device), tuple(blocks))

    def __matmul__(self, dense: Tensor) -> Tensor:
        product: Tensor = _Product.apply(self.matrix, self.transposed, dense)
        return product

    def dropout(self, p: float, *, generator: torch.Generator | None = None) -> "SparseMatrix":
        """Each stored value set to zero with probability ``p``, the others divided by ``1-p``."""
        values = dropout(self.matrix.values(), p, generator=generator)
        blocks = (
            block._replace(matrix=_replaced(block.matrix, values[block.entries].index_select(0, block.order)))
            for block in self.transposed
        )
        return SparseMatrix(_replaced(self.matrix, values), tuple(blocks))
