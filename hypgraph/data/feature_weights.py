"""How node features are weighted before anything looks at them."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["inverse_document_frequency", "is_binary", "normalise_rows", "scale_columns", "scale_rows", "tf_idf"]


def is_binary(features: csr_array) -> bool:
    """Whether every stored value is 1."""
    return bool(np.all(features.data == 1.0))


def inverse_document_frequency(features: csr_array) -> NDArray[np.float64]:
    """log(N/df) of each column of ``[N, F]``, df the number of rows that have it; ``[F]``.

    0 where no row has it: whatever is fitted to these rows knows nothing of such a column in others.

    >>> inverse_document_frequency(csr_array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])).round(4)
    array([0.    , 0.6931, 0.    ])
    """
    document_frequency = np.bincount(features.indices, minlength=features.shape[1])
    frequency: NDArray[np.float64] = np.log(features.shape[0] / np.maximum(document_frequency, 1))
    return np.where(document_frequency > 0, frequency, 0.0)


def tf_idf(features: csr_array) -> csr_array:
    """Binary features ``[N, F]`` weighted by inverse document frequency, x · log(N/df): rare words count more.

    >>> tf_idf(csr_array([[1.0, 1.0], [1.0, 0.0]])).toarray().round(4)
    array([[0.    , 0.6931],
           [0.    , 0.    ]])
    """
    return scale_columns(features, inverse_document_frequency(features))


def scale_columns(matrix: csr_array, scale: NDArray[np.float64]) -> csr_array:
    """Column j multiplied by ``scale[j]``."""
    return _with_data(matrix, matrix.data * scale[matrix.indices])


def normalise_rows(matrix: csr_array) -> csr_array:
    """Rows scaled to Euclidean length 1; rows of zeros stay."""
    squared = np.bincount(
        _row_of_entry(matrix), weights=np.square(matrix.data, dtype=np.float64), minlength=matrix.shape[0]
    )
    return scale_rows(matrix, 1.0 / np.sqrt(np.where(squared > 0.0, squared, 1.0)))


def scale_rows(matrix: csr_array, scale: NDArray[np.float64]) -> csr_array:
    """Row i multiplied by ``scale[i]``."""
    return _with_data(matrix, matrix.data * scale[_row_of_entry(matrix)])


def _row_of_entry(matrix: csr_array) -> NDArray[np.int64]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _with_data(matrix: csr_array, data: NDArray[np.float64]) -> csr_array:
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
