"""Dropout of dense tensors."""

import pytest
import torch

from hypgraph.nn.dropout import dropout
from tests.distributions.reference import F64, seeded


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_entries_are_dropped_with_probability_p_and_the_others_scaled(dtype: torch.dtype) -> None:
    x = torch.rand(200, 100, dtype=dtype, generator=seeded(0)) + 1
    y = dropout(x, 0.3, generator=seeded(1))
    assert y.dtype == dtype
    kept = y != 0
    torch.testing.assert_close(y[kept], x[kept] / (1 - round(0.3 * 2**16) / 2**16))
    assert abs(kept.double().mean().item() - 0.7) < 4 * (0.21 / x.numel()) ** 0.5


def test_each_of_the_decisions_from_one_number_has_probability_p_whatever_the_others_are() -> None:
    p, count = 0.3, 200_000
    kept = (dropout(torch.ones(count, 4, dtype=F64), p, generator=seeded(0)) != 0).double()
    assert ((kept.mean(0) - (1 - p)).abs() < 4 * (p * (1 - p) / count) ** 0.5).all()
    assert (torch.corrcoef(kept.mT) - torch.eye(4)).abs().max() < 4 * count**-0.5


@pytest.mark.parametrize("p", [2**-18, 2**-16, 1 - 2**-16, 1 - 2**-18])
def test_the_mean_stays_for_the_smallest_and_the_largest_p(p: float) -> None:
    y = dropout(torch.ones(10_000_001), p, generator=seeded(0))
    scale = y.max().item()
    assert y.unique().numel() <= 2
    assert y.double().mean().item() == pytest.approx(1, abs=4 * (scale / y.numel()) ** 0.5)


def test_no_dropout_returns_the_tensor_and_draws_nothing() -> None:
    generator = seeded(0)
    before = generator.get_state()
    x = torch.ones(3)
    assert dropout(x, 0.0, generator=generator) is x
    assert torch.equal(before, generator.get_state())


def test_draws_come_from_the_generator_alone() -> None:
    x = torch.ones(100)
    before = torch.get_rng_state()
    first, again, other = (dropout(x, 0.5, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_gradient_passes_through_what_was_kept() -> None:
    x = torch.ones(50, dtype=F64, requires_grad=True)
    y = dropout(x, 0.5, generator=seeded(0))
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())
