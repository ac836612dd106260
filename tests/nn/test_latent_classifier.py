"""The classifier of codes against its formula in NumPy, and the same network in every space."""

from typing import Any

import numpy as np
import pytest
import torch

from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall
from hypgraph.models import stack_models
from hypgraph.nn.latent_classifier import LatentClassifier
from tests.distributions.reference import F64, Array, mobius_add, place, seeded, spaces


def classifier_of(manifold: Manifold, classes: int = 4, hidden: int = 6, seed: int = 0) -> LatentClassifier:
    """With gyroplanes off the origin."""
    classifier = LatentClassifier(manifold, classes, hidden=hidden, generator=seeded(seed))
    with torch.no_grad():
        classifier.gyroplanes.bias.copy_(torch.linspace(-0.6, 0.9, hidden, dtype=F64))
    return classifier


def gyroplane_distances(z: Array, normal: Array, offset: Array, c: float) -> Array:
    """Signed distances as in Ganea et al. 2018; the foot point lies ``offset`` along the unit ``normal``."""
    foot = np.tanh(np.sqrt(c) * offset / 2)[:, None] / np.sqrt(c) * normal
    w = mobius_add(-foot, z[:, None], c)
    inner, square = (w * normal).sum(-1), (w * w).sum(-1)
    distances: Array = np.arcsinh(2 * np.sqrt(c) * inner / (1 - c * square)) / np.sqrt(c)
    return distances


def test_logits_are_a_linear_function_of_rectified_distances_to_gyroplanes() -> None:
    ball = PoincareBall(2, 1.4)
    classifier = classifier_of(ball)
    z = place(ball, 1.5 * torch.randn(50, 2, dtype=F64, generator=seeded(1)))
    parameters = {name: value.detach().double().numpy() for name, value in classifier.named_parameters()}
    weight, bias = parameters["gyroplanes.weight"], parameters["gyroplanes.bias"]
    length = np.linalg.norm(weight, axis=-1)
    hidden = length * gyroplane_distances(z.numpy(), weight / length[:, None], -bias / length, 1.4)
    assert 0.2 < (hidden > 0).mean() < 0.8
    truth = np.maximum(hidden, 0) @ parameters["logits.weight"].T + parameters["logits.bias"]
    np.testing.assert_allclose(classifier(z).detach().numpy(), truth, rtol=0, atol=2e-6)


def test_in_flat_space_it_is_a_perceptron_of_one_hidden_layer() -> None:
    classifier = classifier_of(Euclidean(3))
    perceptron = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.ReLU(), torch.nn.Linear(6, 4)).double()
    perceptron.load_state_dict(dict(zip(perceptron.state_dict(), classifier.state_dict().values(), strict=True)))
    x = torch.randn(9, 3, dtype=F64, generator=seeded(1))
    torch.testing.assert_close(classifier(x).double(), perceptron(x), rtol=0, atol=2e-6)


@pytest.mark.parametrize("manifold", spaces(2), ids=str)
def test_it_has_as_many_parameters_in_every_space(manifold: Manifold) -> None:
    classifier = LatentClassifier(manifold, 10, hidden=32)
    assert sum(parameter.numel() for parameter in classifier.parameters()) == (2 + 1 + 10) * 32 + 10


@pytest.mark.parametrize("manifold", spaces(2), ids=str)
@pytest.mark.parametrize("shape", [(), (7,), (2, 7), (0,)], ids=str)
def test_coordinates_and_polar_coordinates_give_the_same_logits_with_leading_axes(
    manifold: Manifold, shape: tuple[int, ...]
) -> None:
    classifier = classifier_of(manifold)
    z = place(manifold, torch.randn(*shape, 2, dtype=F64, generator=seeded(1)))
    logits = classifier(z)
    assert logits.shape == (*shape, 4)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(classifier(manifold.to_polar(z)), logits, rtol=0, atol=1e-6)


def test_the_ball_and_the_hyperboloid_are_one_space() -> None:
    ball, sheet = PoincareBall(2, 0.7), Lorentz(2, 0.7)
    z = place(ball, torch.randn(8, 2, dtype=F64, generator=seeded(1)))
    torch.testing.assert_close(classifier_of(sheet)(ball.to_lorentz(z)), classifier_of(ball)(z), rtol=0, atol=1e-6)


@pytest.mark.parametrize("manifold", spaces(2), ids=str)
def test_every_parameter_learns(manifold: Manifold) -> None:
    classifier = classifier_of(manifold)
    z = place(manifold, torch.randn(40, 2, dtype=F64, generator=seeded(1)))
    loss = torch.nn.functional.cross_entropy(classifier(z), torch.arange(40) % 4)
    for gradient in torch.autograd.grad(loss, list(classifier.parameters())):
        assert torch.isfinite(gradient).all()
        assert gradient.count_nonzero() == gradient.numel()


def test_initial_weights_come_from_the_generator_and_are_those_of_linear_layers() -> None:
    before = torch.get_rng_state()
    one, two, other = (LatentClassifier(PoincareBall(2), 9, hidden=400, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    for name, value in one.named_parameters():
        assert torch.equal(value, two.get_parameter(name))
        assert name == "gyroplanes.bias" or not torch.equal(value, other.get_parameter(name))
    assert 0.049 < one.logits.weight.abs().max() <= 0.05
    assert one.gyroplanes.weight.dtype == F64
    assert one.logits.weight.dtype == torch.float32


@pytest.mark.parametrize("manifold", spaces(2), ids=str)
def test_stacked_classifiers_compute_what_each_does_alone(manifold: Manifold) -> None:
    classifiers = [classifier_of(manifold, seed=seed) for seed in range(3)]
    z = place(manifold, torch.randn(3, 11, 2, dtype=F64, generator=seeded(1)))
    alone = torch.stack([classifier(points) for classifier, points in zip(classifiers, z, strict=True)])
    torch.testing.assert_close(stack_models(classifiers)(z), alone, rtol=0, atol=1e-6)
    torch.testing.assert_close(stack_models(classifiers)(manifold.to_polar(z)), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("options", [{"num_classes": 0}, {"num_classes": 3, "hidden": 0}], ids=str)
def test_no_classes_and_no_hidden_units_are_refused_in_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"(num_classes|hidden): 0 is too few; .*at least 1") as refused:
        LatentClassifier(PoincareBall(2), **options)
    assert "\n" not in str(refused.value)
