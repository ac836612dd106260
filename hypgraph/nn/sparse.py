"""A constant sparse matrix that multiplies dense ones, with a gradient for the dense ones only."""

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from typing_extensions import override

from hypgraph.nn.dropout import dropout

__all__ = ["SparseMatrix"]


class _Product(torch.autograd.Function):
    @staticmethod
    @override
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, dense: Tensor) -> Tensor:
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[None, None, Tensor]:
        return None, None, ctx.transposed @ grad


def _csr(pointers: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> Tensor:
    with warnings.catch_warnings():
        # torch says once a process that CSR tensors are in beta; the two products used here are tested.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta", category=UserWarning)
        return torch.sparse_csr_tensor(pointers, columns, values, size=size, check_invariants=False)


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A constant ``[rows, columns]`` matrix in compressed rows, kept beside its transpose.

    The transpose makes the gradient of a product as cheap as the product. :meth:`dropout` keeps the pattern and
    redraws the values, without rebuilding either.

    Attributes:
        matrix: CSR tensor.
        transposed: CSR tensor of the transpose.
        order: where the values of ``transposed`` stand in ``matrix.values()``.
    """

    matrix: Tensor
    transposed: Tensor
    order: Tensor

    @classmethod
    def from_scipy(cls, array: scipy.sparse.sparray, *, dtype: torch.dtype = torch.float32) -> Self:
        """From any SciPy sparse array; explicit zeros stay."""
        csr = scipy.sparse.csr_array(array)
        numbered = scipy.sparse.csr_array((np.arange(csr.nnz), csr.indices, csr.indptr), shape=csr.shape)
        transposed = numbered.T.tocsr()
        values, order = torch.as_tensor(csr.data, dtype=dtype), torch.as_tensor(transposed.data)
        rows, columns = csr.shape
        indices = [
            torch.as_tensor(a).long() for a in (csr.indptr, csr.indices, transposed.indptr, transposed.indices)
        ]
        return cls(
            _csr(indices[0], indices[1], values, (rows, columns)),
            _csr(indices[2], indices[3], values[order], (columns, rows)),
            order,
        )

    @property
    def shape(self) -> torch.Size:
        """``[rows, columns]``."""
        return self.matrix.shape

    def to(self, device: torch.device | str) -> "SparseMatrix":
        """The same matrix on another device."""
        return SparseMatrix(self.matrix.to(device), self.transposed.to(device), self.order.to(device))

    def __matmul__(self, dense: Tensor) -> Tensor:
        product: Tensor = _Product.apply(self.matrix, self.transposed, dense)
        return product

    def dropout(self, p: float, *, generator: torch.Generator | None = None) -> "SparseMatrix":
        """Each stored value set to zero with probability ``p``, the others divided by ``1-p``."""
        values = dropout(self.matrix.values(), p, generator=generator)
        return SparseMatrix(
            _replaced(self.matrix, values),
            _replaced(self.transposed, values.index_select(0, self.order)),
            self.order,
        )


def _replaced(matrix: Tensor, values: Tensor) -> Tensor:
    rows, columns = matrix.shape
    return _csr(matrix.crow_indices(), matrix.col_indices(), values, (rows, columns))
