"""Likelihoods against SciPy and direct formulas."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch
from scipy import stats

from hypgraph.exceptions import DataError
from hypgraph.nn import LIKELIHOODS, Bernoulli, Normal
from tests.distributions.reference import F64, Array, seeded


def random(*shape: int, seed: int = 0, dtype: torch.dtype = F64) -> torch.Tensor:
    return (3 * torch.randn(*shape, dtype=F64, generator=seeded(seed))).to(dtype)


def log_sigmoid(x: Array) -> Array:
    return -np.logaddexp(0, -x)


def bernoulli(x: Array, output: Array) -> Array:
    """Term by term, so that nothing large is subtracted; in float64."""
    x, output = x.astype(np.float64), output.astype(np.float64)
    value: Array = (x * log_sigmoid(output) + (1 - x) * log_sigmoid(-output)).sum(-1)
    return value


def test_a_normal_likelihood_is_that_of_scipy() -> None:
    x, output = random(5, 4), random(3, 5, 4, seed=1)
    expected = stats.norm.logpdf(x.numpy(), loc=output.numpy()).sum(-1)
    np.testing.assert_allclose(Normal().log_prob(x, output), expected, rtol=1e-13)


@pytest.mark.parametrize("grey", [False, True])
def test_a_bernoulli_likelihood_is_the_direct_formula(grey: bool) -> None:
    x, output = torch.rand(5, 4, dtype=F64, generator=seeded(0)), random(3, 5, 4, seed=1)
    x = x if grey else x.round()
    np.testing.assert_allclose(Bernoulli().log_prob(x, output), bernoulli(x.numpy(), output.numpy()), rtol=1e-12)
    if not grey:
        p = 1 / (1 + np.exp(-output.numpy()))
        np.testing.assert_allclose(
            Bernoulli().log_prob(x, output), stats.bernoulli.logpmf(x.numpy(), p).sum(-1), rtol=1e-9
        )


def test_a_bernoulli_likelihood_of_binary_data_is_a_probability() -> None:
    output = random(4)
    every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=F64)] * 4)
    assert Bernoulli().log_prob(every, output).exp().sum().item() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("size", [20.0, 88.0, 200.0])
def test_large_logits_in_single_precision_neither_overflow_nor_cancel(size: float) -> None:
    """784 pixels: right ones cost nothing, however sure; one wrong one costs its logit."""
    output = size * (2 * (torch.arange(784) % 2).float() - 1)
    right = (output > 0).float()
    wrong = right.clone()
    wrong[5] = 1 - wrong[5]
    for x in (right, wrong):
        exact = mp.fsum(
            mp.log(mp.mpf(1) / (1 + mp.exp(-mp.mpf(o if y else -o))))
            for o, y in zip(output.tolist(), x, strict=True)
        )
        assert Bernoulli().log_prob(x, output).item() == pytest.approx(float(exact), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("size", [2.0, 20.0, 200.0])
def test_single_precision_over_an_image_is_off_by_no_more_than_the_rounding_of_its_terms(size: float) -> None:
    """Two sums are subtracted: a few epsilons of the sum of all logits, for ordinary ones (2) 1e-4 nats."""
    output = ((2 * torch.rand(50, 784, generator=seeded(0)) - 1) * size).requires_grad_()
    x = (output > 0).float().detach()
    x[:, :3] = 0.5
    value = Bernoulli().log_prob(x, output)
    exact = bernoulli(x.numpy(), output.detach().numpy())
    allowed = 2 * torch.finfo(torch.float32).eps * output.detach().abs().sum(-1).numpy()
    assert (np.abs(value.detach().numpy() - exact) < allowed).all()
    value.sum().backward()
    assert output.grad is not None
    p = 1 / (1 + np.exp(-output.detach().double().numpy()))
    np.testing.assert_allclose(output.grad, x.numpy() - p, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_draws_broadcast_with_data_and_gradients_are_exact(likelihood: str) -> None:
    x, output = torch.rand(5, 4, dtype=F64, generator=seeded(0)), random(3, 5, 4, seed=1)
    law = LIKELIHOODS[likelihood]()
    assert law.log_prob(x, output).shape == (3, 5)
    assert law.log_prob(x[0], output[0]).shape == (5,)
    assert torch.autograd.gradcheck(lambda at: law.log_prob(x, at), output.requires_grad_())


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_output_of_a_mean_has_that_mean(likelihood: str) -> None:
    law = LIKELIHOODS[likelihood]()
    mean = torch.tensor([2e-4, 0.1, 0.5, 0.9, 0.9998], dtype=F64)
    torch.testing.assert_close(law.mean(law.output_of(mean)), mean, rtol=1e-12, atol=1e-12)
    output = random(6)
    torch.testing.assert_close(law.output_of(law.mean(output)), output, rtol=1e-9, atol=1e-9)


def test_the_mean_is_where_the_expected_log_likelihood_is_largest() -> None:
    for law, mean in ((Normal(), 1.7), (Bernoulli(), 0.3)):
        output = torch.tensor([float(law.output_of(torch.tensor(mean, dtype=F64)))], dtype=F64, requires_grad=True)
        law.log_prob(torch.tensor([mean], dtype=F64), output).backward()
        assert output.grad is not None
        assert abs(output.grad.item()) < 1e-12
        assert law.mean(output).item() == pytest.approx(mean)


def test_pixels_that_never_change_start_at_finite_outputs() -> None:
    output = Bernoulli().output_of(torch.tensor([0.0, 1.0]))
    assert torch.isfinite(output).all()
    assert output.tolist() == pytest.approx([-math.log(9999), math.log(9999)], rel=1e-3)


@pytest.mark.parametrize(
    "entries", [[-1e-3, 0.5], [0.5, 1.001], [0.0, 255.0], [math.nan, 0.5], [0.5, math.inf]], ids=str
)
def test_data_outside_the_unit_interval_are_refused_with_the_remedy(entries: list[float]) -> None:
    with pytest.raises(
        DataError, match=r"^the data run from .* but a bernoulli likelihood is for values in \[0, 1\]"
    ):
        Bernoulli().check(torch.tensor([entries, [0.5, 0.5]]))


def test_data_that_fit_pass() -> None:
    Bernoulli().check(torch.tensor([0.0, 0.4, 1.0]))
    Normal().check(torch.tensor([-3.0, 255.0]))


def test_only_the_normal_figures_are_densities_of_data() -> None:
    assert Normal.is_density
    assert not Bernoulli.is_density
