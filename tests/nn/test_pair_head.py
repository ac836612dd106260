"""The hybrid's head against its formula in NumPy, and its start as the latent logit."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.nn.pair_head import PairHead
from tests.distributions.reference import F64, seeded

P, F = 40, 5


def pair_features(count: int = P, seed: int = 0) -> Tensor:
    """Columns of different means and spreads; the third is constant."""
    spread = torch.tensor([1.0, 4.0, 0.0, 0.01, 30.0])
    return torch.randn(count, F, generator=seeded(seed)) * spread + torch.tensor([0.0, -13.8, 0.7, 0.0, 100.0])


def latent_logits(dtype: torch.dtype = F64) -> Tensor:
    return 3 * torch.randn(P, dtype=dtype, generator=seeded(7))


def trained_head(**options: Any) -> PairHead:
    """With no parameter at its start, in evaluation mode."""
    head = PairHead(F, generator=seeded(0), **options)
    head.standardise(pair_features())
    generator = seeded(1)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return head.eval()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_at_its_start_it_is_the_latent_logit_to_the_last_bit(dtype: torch.dtype, training: bool) -> None:
    head = PairHead(F, generator=seeded(0)).train(training)
    head.standardise(pair_features())
    latent = latent_logits(dtype)
    logits = head(pair_features(), latent, generator=seeded(2))
    assert logits.dtype == dtype
    assert torch.equal(logits, latent)


def test_at_its_start_without_a_latent_every_logit_is_zero() -> None:
    logits = PairHead(F, generator=seeded(0))(pair_features(), None, generator=seeded(2))
    assert logits.dtype == torch.float32
    assert torch.equal(logits, torch.zeros(P))


@pytest.mark.parametrize("with_latent", [True, False])
def test_it_is_its_formula(with_latent: bool) -> None:
    head = trained_head(hidden=9)
    weights = {name: value.detach().double().numpy() for name, value in head.named_parameters()}
    features = pair_features(seed=3).double().numpy()
    learnt = pair_features().double().numpy()
    deviation = learnt.std(0)
    deviation[2] = 1.0
    standard = (features - learnt.mean(0)) / deviation
    latent = latent_logits() if with_latent else None
    value = np.zeros(P) if latent is None else latent.numpy()
    joined = np.concatenate([standard, value[:, None] / 3], axis=1)
    hidden = np.maximum(joined @ weights["inner.weight"].T + weights["inner.bias"], 0)
    assert 0.2 < (hidden > 0).mean() < 0.8
    perceptron = (hidden @ weights["outer.weight"].T + weights["outer.bias"])[:, 0]
    expected = value + weights["bias"] + standard @ weights["alpha"] + perceptron
    logits = head(torch.from_numpy(features).float(), latent)
    np.testing.assert_allclose(logits.detach().numpy(), expected, rtol=1e-5, atol=2e-5)


def test_a_latent_in_float64_keeps_digits_that_float32_does_not_hold() -> None:
    head = trained_head()
    with torch.no_grad():
        head.inner.weight[:, -1] = 0  # the latent then enters by addition alone
    latent = latent_logits()
    finer = latent + 1e-12
    difference = head(pair_features(), finer) - head(pair_features(), latent)
    torch.testing.assert_close(difference, torch.full((P,), 1e-12, dtype=F64), rtol=0, atol=3e-15)


def test_standardised_columns_have_mean_zero_and_deviation_one() -> None:
    head = PairHead(F, generator=seeded(0))
    features = pair_features()
    head.standardise(features)
    standard = ((features - head.mean) / head.std).double()
    torch.testing.assert_close(standard.mean(0), torch.zeros(F, dtype=F64), rtol=0, atol=1e-5)
    deviation = standard.std(0, correction=0)
    others = [0, 1, 3, 4]
    torch.testing.assert_close(deviation[others], torch.ones(4, dtype=F64), rtol=0, atol=1e-5)
    assert head.std[2] == 1.0


def test_a_column_that_only_rounding_varies_is_constant() -> None:
    head = PairHead(1)
    features = torch.full((6, 1), -13.815511)
    features[0] = torch.nextafter(features[0], torch.zeros(1))
    head.standardise(features)
    assert head.std.item() == 1.0


def test_standardising_again_replaces_and_other_pairs_do_not_move_it() -> None:
    head, other = PairHead(F, generator=seeded(0)), PairHead(F, generator=seeded(0))
    head.standardise(pair_features(seed=5))
    head.standardise(pair_features())
    other.standardise(pair_features())
    head(pair_features(seed=9), latent_logits())
    assert torch.equal(head.mean, other.mean)
    assert torch.equal(head.std, other.std)


def test_logits_do_not_depend_on_the_units_of_the_features() -> None:
    scale, shift = torch.tensor([2.0, 0.1, 1.0, 50.0, 3.0]), torch.tensor([1.0, -2.0, 5.0, 0.0, 7.0])
    head = trained_head()
    logits = head(pair_features(), latent_logits())
    head.standardise(pair_features() * scale + shift)
    torch.testing.assert_close(head(pair_features() * scale + shift, latent_logits()), logits, rtol=0, atol=1e-4)


@pytest.mark.parametrize("with_latent", [True, False])
def test_gradients_are_those_of_finite_differences(with_latent: bool) -> None:
    head = trained_head(hidden=4).double()
    features = pair_features(6).double().requires_grad_()
    latent = latent_logits()[:6].requires_grad_() if with_latent else None
    inputs = (features, latent) if with_latent else (features,)
    assert torch.autograd.gradcheck(lambda f, *z: head(f, *(z or (None,))), inputs, eps=1e-7, atol=1e-5)
    parameters = tuple(parameter.detach().clone().requires_grad_() for parameter in head.parameters())
    names = [name for name, _ in head.named_parameters()]

    def of_parameters(*values: Tensor) -> Tensor:
        state = dict(zip(names, values, strict=True))
        out: Tensor = torch.func.functional_call(head, state, (features.detach(), latent))
        return out

    assert torch.autograd.gradcheck(of_parameters, parameters)


def test_from_its_start_the_output_learns_first_then_every_parameter() -> None:
    head = PairHead(F, generator=seeded(0))
    head.standardise(pair_features())
    target = (torch.arange(P) % 2).double()
    optimiser = torch.optim.SGD(head.parameters(), lr=0.5)
    for step in range(2):
        optimiser.zero_grad()
        logits = head(pair_features(), latent_logits(), generator=seeded(step))
        torch.nn.functional.binary_cross_entropy_with_logits(logits, target).backward()
        for name, parameter in head.named_parameters():
            assert parameter.grad is not None
            assert torch.isfinite(parameter.grad).all()
            assert (parameter.grad.count_nonzero() > 0) == (step == 1 or not name.startswith("inner"))
        optimiser.step()


def test_dropout_acts_in_training_mode_only_and_draws_from_its_generator_alone() -> None:
    head = trained_head(dropout=0.5)
    inputs = pair_features(), latent_logits()
    before = torch.get_rng_state()
    calm = head(*inputs, generator=seeded(3))
    assert torch.equal(calm, head(*inputs, generator=seeded(4)))
    head.train()
    first, again, other = (head(*inputs, generator=seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, calm)


def test_dropout_leaves_the_mean_and_the_linear_part_alone() -> None:
    head = trained_head(dropout=0.4).train()
    inputs = pair_features(), latent_logits()
    generator = seeded(3)
    drawn = torch.stack([head(*inputs, generator=generator) for _ in range(4000)])
    calm = head.eval()(*inputs)
    error = (drawn.mean(0) - calm) / (drawn.std(0) / 4000**0.5)
    assert error.abs().max() < 4.5
    with torch.no_grad():
        head.outer.weight.zero_()
    assert torch.equal(head.train()(*inputs, generator=generator), head.eval()(*inputs))


def test_no_dropout_draws_nothing() -> None:
    head = trained_head(dropout=0.0).train()
    generator = seeded(3)
    before = generator.get_state()
    assert torch.equal(
        head(pair_features(), latent_logits(), generator=generator), head.eval()(pair_features(), latent_logits())
    )
    assert torch.equal(before, generator.get_state())


def test_the_state_carries_weights_and_standardisation() -> None:
    head, other = trained_head(), PairHead(F, generator=seeded(5)).eval()
    assert {"mean", "std", "alpha", "bias"} <= set(head.state_dict())
    other.load_state_dict(head.state_dict())
    inputs = pair_features(seed=3), latent_logits()
    assert torch.equal(other(*inputs), head(*inputs))
    assert not any(name in dict(head.named_parameters()) for name in ("mean", "std"))


def test_initial_weights_are_glorots_and_come_from_the_generator() -> None:
    before = torch.get_rng_state()
    one, two, other = (PairHead(9, hidden=400, generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.inner.weight, two.inner.weight)
    assert not torch.equal(one.inner.weight, other.inner.weight)
    bound = (6 / (10 + 400)) ** 0.5
    assert 0.99 * bound < one.inner.weight.abs().max() <= bound
    for name, parameter in one.named_parameters():
        assert parameter.dtype == torch.float32
        assert name == "inner.weight" or parameter.count_nonzero() == 0


@pytest.mark.parametrize("latent", [torch.empty(0, dtype=F64), None], ids=["latent", "no latent"])
def test_no_pairs_have_no_logits(latent: Tensor | None) -> None:
    assert trained_head()(torch.empty(0, F), latent).shape == (0,)


@pytest.mark.parametrize(
    "options",
    [{"num_features": 0}, {"num_features": 3, "hidden": 0}, {"num_features": 3, "dropout": 1.0}],
    ids=str,
)
def test_settings_out_of_range_are_refused_in_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^(num_features|hidden|dropout): .*; give") as refused:
        PairHead(**options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.zeros(0, F), "have shape"),
        (torch.zeros(3, F + 1), "have shape"),
        (torch.zeros(F), "have shape"),
        (torch.full((3, F), float("nan")), "NaN"),
    ],
    ids=["no pairs", "columns", "axes", "nan"],
)
def test_features_that_cannot_be_standardised_are_refused_in_one_line(features: Tensor, message: str) -> None:
    with pytest.raises(DataError, match=f"^features: .*{message}") as refused:
        PairHead(F).standardise(features)
    assert "\n" not in str(refused.value)
