"""Many models as one: each computes what it would alone."""

import itertools

import pytest
import torch

from hypgraph.exceptions import ConfigError
from hypgraph.models import VAE, build_vae, stack_models, unstack_model
from hypgraph.nn import VECTOR_DECODERS
from hypgraph.random import StackedGenerators
from tests.distributions.reference import F64, seeded

KINDS = [
    ("euclidean", "wrapped"),
    *itertools.product(("poincare", "lorentz"), ("wrapped", "riemannian", "rown")),
]
SEEDS = (4, 0, 9)


def model_of(seed: int, latent: str = "poincare", posterior: str = "wrapped", **options: object) -> VAE:
    options = {"hidden": 5, "c": 1.2, **options}
    model = build_vae(6, latent=latent, posterior=posterior, generator=seeded(seed), **options)  # type: ignore[arg-type]
    with torch.no_grad():  # biases of gyroplanes start at 0
        for number, parameter in enumerate(model.parameters()):
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=seeded(100 * seed + number)))
    return model.double()


def batches(count: int = 4) -> torch.Tensor:
    return torch.randn(len(SEEDS), count, 6, dtype=F64, generator=seeded(1))


@pytest.mark.parametrize("decoder", VECTOR_DECODERS)
@pytest.mark.parametrize(("latent", "posterior"), KINDS)
@pytest.mark.parametrize("draws", [1, 3])
def test_terms_and_gradients_of_each_slice_are_those_of_the_model_alone(
    latent: str, posterior: str, decoder: str, draws: int
) -> None:
    models = [model_of(seed, latent, posterior, decoder=decoder) for seed in SEEDS]
    stacked, x = stack_models(models), batches()
    generators = StackedGenerators([seeded(seed) for seed in SEEDS])
    terms = stacked.terms(x, stacked.encode(x), draws=draws, generator=generators)
    assert terms.log_weight.shape == (draws, len(SEEDS), 4)
    terms.iwae().sum().backward()
    for number, (seed, model) in enumerate(zip(SEEDS, models, strict=True)):
        alone = model.terms(x[number], model.encode(x[number]), draws=draws, generator=seeded(seed))
        for together, own in zip(terms, alone, strict=True):
            torch.testing.assert_close(together[:, number], own, rtol=1e-10, atol=1e-10)
        alone.iwae().sum().backward()
        gradients = dict(stacked.named_parameters())
        for name, parameter in model.named_parameters():
            together = gradients[name].grad
            assert together is not None
            torch.testing.assert_close(together[number], parameter.grad, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("count", [1, 2, 3, 5])  # 3 are as many as models, 2 as dimensions, 5 as hidden numbers
@pytest.mark.parametrize("decoder", VECTOR_DECODERS)
def test_reconstructions_and_samples_of_each_slice_are_those_of_the_model_alone(decoder: str, count: int) -> None:
    models = [model_of(seed, posterior="riemannian", decoder=decoder) for seed in SEEDS]
    stacked, x = stack_models(models), batches(count)
    reconstructed, sampled = stacked.reconstruct(x), stacked.sample(count, generator=seeded(2))
    for number, model in enumerate(models):
        torch.testing.assert_close(reconstructed[number], model.reconstruct(x[number]), rtol=1e-11, atol=1e-12)
        torch.testing.assert_close(
            sampled[number], model.sample(count, generator=seeded(2)), rtol=1e-11, atol=1e-12
        )


def test_one_batch_can_be_shown_to_all_models() -> None:
    models = [model_of(seed) for seed in SEEDS]
    x = batches()[0]
    reconstructed = stack_models(models).reconstruct(x)
    for number, model in enumerate(models):
        torch.testing.assert_close(reconstructed[number], model.reconstruct(x), rtol=1e-11, atol=1e-12)


def test_a_gradient_of_one_slice_reaches_no_other() -> None:
    stacked, x = stack_models([model_of(seed) for seed in SEEDS]), batches()
    generators = StackedGenerators([seeded(seed) for seed in SEEDS])
    stacked.terms(x, stacked.encode(x), draws=2, generator=generators).elbo()[1].sum().backward()
    for parameter in stacked.parameters():
        assert parameter.grad is not None
        assert parameter.grad[1].any()
        assert not parameter.grad[[0, 2]].any()


def test_models_come_out_of_a_stack_as_they_went_in() -> None:
    models = [model_of(seed) for seed in SEEDS]
    stacked = stack_models(models)
    for number, model in enumerate(models):
        out = unstack_model(stacked, number)
        assert list(out.state_dict()) == list(model.state_dict())
        for name, value in model.state_dict().items():
            assert torch.equal(out.state_dict()[name], value)
        assert all(parameter.requires_grad for parameter in out.parameters())


def test_neither_stack_nor_models_share_memory() -> None:
    models = [model_of(seed) for seed in SEEDS]
    before = models[0].encoder[0].weight.clone()  # type: ignore[index]
    stacked = stack_models(models)
    out = unstack_model(stacked, 0)
    with torch.no_grad():
        for parameter in stacked.parameters():
            parameter.add_(1.0)
    for model in (models[0], out):
        assert torch.equal(model.encoder[0].weight, before)  # type: ignore[index]


def test_a_stack_of_one_is_a_stack() -> None:
    model, x = model_of(0), batches()[:1]
    stacked = stack_models([model])
    torch.testing.assert_close(stacked.reconstruct(x)[0], model.reconstruct(x[0]), rtol=1e-12, atol=1e-12)


def test_the_optimiser_starts_afresh_after_stacking() -> None:
    """Gradients of the models that were stacked have another shape."""
    models, x = [model_of(seed) for seed in SEEDS], batches()
    models[0].terms(x[0], models[0].encode(x[0]), generator=seeded(0)).elbo().sum().backward()
    stacked = stack_models(models)
    assert all(parameter.grad is None for parameter in stacked.parameters())


def test_a_learnt_curvature_is_refused() -> None:
    with pytest.raises(ConfigError, match="one after the other"):
        stack_models([model_of(seed, learn_c=True) for seed in SEEDS])


@pytest.mark.parametrize(
    "other",
    [{"c": 0.3}, {"prior_scale": 2.0}, {"gain": 2.0}, {"initial_scale": 0.3}, {"latent": "lorentz"}],
    ids=str,
)
def test_models_that_differ_in_more_than_their_weights_are_refused(other: dict[str, object]) -> None:
    """Else all would silently be computed with the curvature, the scales and the space of the first."""
    with pytest.raises(ConfigError):
        stack_models([model_of(0), model_of(1, **other)])  # type: ignore[arg-type]


def test_no_models_are_no_stack() -> None:
    with pytest.raises(ConfigError):
        stack_models([])
