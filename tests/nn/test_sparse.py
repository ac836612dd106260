"""Sparse matrices: products, gradients and dropout against dense ones."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hypgraph.nn import SparseMatrix
from tests.distributions.reference import F64, seeded
from tests.nn.dense import transpose_of


def random_matrix(rows: int, columns: int, density: float, seed: int) -> scipy.sparse.csr_array:
    return scipy.sparse.random_array(
        (rows, columns), density=density, format="csr", rng=np.random.default_rng(seed), data_sampler=None
    )


@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    width=st.integers(1, 5),
    density=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=60, deadline=None)
def test_products_and_gradients_are_those_of_the_dense_matrix(
    rows: int, columns: int, width: int, density: float, seed: int
) -> None:
    array = random_matrix(rows, columns, density, seed)
    sparse = SparseMatrix.from_scipy(array, dtype=F64)
    full = torch.from_numpy(array.toarray())
    assert sparse.shape == (rows, columns)
    dense = torch.randn(columns, width, dtype=F64, generator=seeded(seed), requires_grad=True)
    cotangent = torch.randn(rows, width, dtype=F64, generator=seeded(seed + 1))
    torch.testing.assert_close(sparse @ dense, full @ dense, rtol=1e-13, atol=1e-13)
    (gradient,) = torch.autograd.grad(sparse @ dense, dense, cotangent)
    torch.testing.assert_close(gradient, full.mT @ cotangent, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(transpose_of(sparse), full.mT, rtol=0, atol=0)


@pytest.mark.parametrize(("rows", "blocks"), [(14, 3), (15, 3), (16, 4), (4, 1)])
def test_a_transpose_in_blocks_gives_the_same_gradients(
    rows: int, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hypgraph.nn.sparse.ROWS_A_BLOCK", 5)
    monkeypatch.setattr("hypgraph.nn.sparse.ENTRIES_A_COLUMN", 1)
    sparse = SparseMatrix.from_scipy(random_matrix(rows, 6, 0.5, rows), dtype=F64)
    assert len(sparse.transposed) == blocks
    dense = torch.randn(6, 3, dtype=F64, generator=seeded(0), requires_grad=True)
    cotangent = torch.randn(rows, 3, dtype=F64, generator=seeded(1))
    for matrix in (sparse, sparse.to("cpu"), sparse.dropout(0.5, generator=seeded(2))):
        (gradient,) = torch.autograd.grad(matrix @ dense, dense, cotangent)
        torch.testing.assert_close(gradient, matrix.matrix.to_dense().mT @ cotangent, rtol=1e-13, atol=1e-13)


def test_a_transpose_with_few_entries_a_column_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypgraph.nn.sparse.ROWS_A_BLOCK", 5)
    sparse = SparseMatrix.from_scipy(scipy.sparse.eye_array(20))
    assert len(sparse.transposed) == 1


def test_the_product_passes_gradcheck() -> None:
    sparse = SparseMatrix.from_scipy(random_matrix(5, 4, 0.5, 0), dtype=F64)
    dense = torch.randn(4, 3, dtype=F64, generator=seeded(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: sparse @ x, (dense,))


@pytest.mark.parametrize("format", ["coo", "csc", "csr", "lil", "dok"])
def test_any_scipy_array_will_do_and_values_are_float32(format: str) -> None:
    array = random_matrix(6, 5, 0.4, 1)
    sparse = SparseMatrix.from_scipy(array.asformat(format))
    assert sparse.matrix.dtype == transpose_of(sparse).dtype == torch.float32
    np.testing.assert_array_equal(sparse.matrix.to_dense().numpy(), array.toarray().astype(np.float32))


def test_explicit_zeros_stay_in_the_pattern() -> None:
    array = scipy.sparse.csr_array(([0.0, 2.0], ([0, 1], [1, 0])), shape=(2, 2))
    sparse = SparseMatrix.from_scipy(array, dtype=F64)
    assert sparse.matrix.values().tolist() == [0.0, 2.0]
    assert [block.matrix.values().tolist() for block in sparse.transposed] == [[2.0, 0.0]]


def test_dropout_keeps_the_pattern_and_scales_what_it_keeps() -> None:
    array = random_matrix(60, 50, 0.3, 2)
    sparse = SparseMatrix.from_scipy(array, dtype=F64)
    dropped = sparse.dropout(0.4, generator=seeded(0))
    assert torch.equal(dropped.matrix.crow_indices(), sparse.matrix.crow_indices())
    assert torch.equal(dropped.matrix.col_indices(), sparse.matrix.col_indices())
    ratio = dropped.matrix.values() / sparse.matrix.values()
    kept = ratio != 0
    torch.testing.assert_close(
        ratio[kept], torch.full_like(ratio[kept], 1 / (1 - round(0.4 * 2**16) / 2**16)), rtol=1e-14, atol=0
    )
    count = ratio.numel()
    assert abs(kept.double().mean().item() - 0.6) < 4 * (0.24 / count) ** 0.5
    np.testing.assert_array_equal(sparse.matrix.to_dense().numpy(), array.toarray(), "the original is unchanged")


def test_dropout_is_unbiased_for_every_value() -> None:
    sparse = SparseMatrix.from_scipy(random_matrix(8, 7, 0.5, 3), dtype=F64)
    generator, draws = seeded(0), 2000
    mean = sum(sparse.dropout(0.3, generator=generator).matrix.values() for _ in range(draws)) / draws
    values = sparse.matrix.values()
    error = values * (0.3 / 0.7 / draws) ** 0.5
    assert ((mean - values).abs() < 5 * error).all()


def test_dropout_uses_one_mask_for_the_matrix_and_its_transpose() -> None:
    sparse = SparseMatrix.from_scipy(random_matrix(9, 7, 0.5, 4), dtype=F64)
    twice = sparse.dropout(0.5, generator=seeded(0)).dropout(0.2, generator=seeded(1))
    full = twice.matrix.to_dense()
    assert torch.equal(transpose_of(twice), full.mT)
    dense = torch.randn(7, 3, dtype=F64, generator=seeded(2), requires_grad=True)
    (gradient,) = torch.autograd.grad((twice @ dense).sum(), dense)
    torch.testing.assert_close(gradient, full.mT @ torch.ones(9, 3, dtype=F64), rtol=1e-13, atol=1e-13)


def test_dropout_draws_from_the_generator_alone() -> None:
    sparse = SparseMatrix.from_scipy(random_matrix(9, 7, 0.5, 4))
    before = torch.get_rng_state()
    first, again, other = (sparse.dropout(0.5, generator=seeded(s)).matrix.values() for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_moving_to_a_device_keeps_all_parts() -> None:
    sparse = SparseMatrix.from_scipy(random_matrix(9, 7, 0.5, 4)).to("cpu")
    dense = torch.eye(7)
    assert torch.equal(sparse @ dense, sparse.matrix.to_dense())
    dropped = sparse.dropout(0.5, generator=seeded(0))
    assert torch.equal(transpose_of(dropped), dropped.matrix.to_dense().mT)


def test_the_first_sparse_matrix_of_a_process_does_not_warn() -> None:
    code = (
        "import scipy.sparse, torch; from hypgraph.nn import SparseMatrix;"
        "x = torch.ones(3, 2, requires_grad=True);"
        "(SparseMatrix.from_scipy(scipy.sparse.eye_array(3)).dropout(0.5) @ x).sum().backward()"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
