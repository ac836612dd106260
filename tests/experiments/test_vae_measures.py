"""What is measured of the cells of the kind ``vae``."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hypgraph.evaluation.latent_classification import classify_codes
from hypgraph.evaluation.marginal_likelihood import Bounds, marginal_likelihood
from hypgraph.exceptions import NumericalError
from hypgraph.experiments import vae_kind
from hypgraph.experiments.vae_data import load_vectors
from hypgraph.experiments.vae_kind import load_vae
from hypgraph.experiments.vae_settings import ClassifyOptions, LikelihoodOptions, VAESettings
from hypgraph.models import VAE
from tests.experiments.vae_cells import DIGITS, KIND, TREES, context, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[VAESettings, Path]]:
    """Two seeds of some cells."""
    cells: dict[str, VAESettings] = {
        "trees": TREES,
        "digits": DIGITS,
        "riemannian": DIGITS.model_copy(update={"family": "riemannian", "c": 0.7, "dim": 3}),
        "euclidean": DIGITS.model_copy(update={"latent": "euclidean", "c": None}),
    }
    made = {}
    for name, settings in cells.items():
        folder = tmp_path_factory.mktemp("trained") / name
        folder.mkdir()
        train(folder, (0, 1), settings)
        made[name] = settings, folder
    return made


Trained = dict[str, tuple[VAESettings, Path]]


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, int]]:
    """What goes to the bound: vectors, and the number of draws."""
    seen = []
    bound = marginal_likelihood

    def spy(model: VAE, x: Tensor, **options: Any) -> Bounds:
        seen.append((x, options["draws"]))
        return bound(model, x, **options)

    monkeypatch.setattr(vae_kind, "marginal_likelihood", spy)
    return seen


def measure(cell: tuple[VAESettings, Path], options: object, seed: int) -> dict[str, Any]:
    settings, folder = cell
    return KIND.measure(settings, options, seed, folder, context=context())


def test_the_chosen_points_are_the_same_for_every_seed_and_cell(
    trained: Trained, scored: list[tuple[Tensor, int]]
) -> None:
    options = LikelihoodOptions(draws=2, points=100)
    for name in ("digits", "riemannian", "euclidean"):
        for seed in (0, 1):
            assert measure(trained[name], options, seed)["points"] == 100
    points = [x for x, _ in scored]
    assert len(points) == 6
    assert all(x.equal(points[0]) for x in points)
    test = load_vectors(DIGITS, 0, data_root=None).test
    counts = {tuple(row): 0 for row in test.tolist()}
    for row in test.tolist():
        counts[tuple(row)] += 1
    for row in points[0].tolist():  # each at most as often as it is there: drawn without replacement
        counts[tuple(row)] -= 1
    assert min(counts.values()) >= 0
    assert not points[0].equal(test[:100])


def test_another_subset_seed_chooses_others(trained: Trained, scored: list[tuple[Tensor, int]]) -> None:
    for seed in (0, 1):
        measure(trained["digits"], LikelihoodOptions(draws=2, points=50, subset_seed=seed), 0)
    measure(trained["digits"], LikelihoodOptions(draws=2, points=60), 0)
    (first, _), (second, _), (more, _) = scored
    assert not first.equal(second)
    assert more[:50].equal(first)


@pytest.mark.parametrize("name", ["trees", "digits"])
def test_all_test_points_are_scored_where_no_number_is_given(
    name: str, trained: Trained, scored: list[tuple[Tensor, int]]
) -> None:
    for seed in (0, 1):
        figures = measure(trained[name], LikelihoodOptions(draws=3), seed)
        x, draws = scored.pop()
        expected = load_vectors(trained[name][0], seed, data_root=None).test
        assert x.equal(expected)
        assert draws == 3
        assert figures["points"] == len(expected) == {"trees": 191, "digits": 360}[name]


def test_figures_are_means_over_the_points_and_the_bounds_have_their_signs_turned(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(_model: VAE, x: Tensor, **_options: Any) -> Bounds:
        number = torch.arange(len(x), dtype=torch.float64)  # 0 to 359: mean 179.5
        return Bounds(-number, -2 * number - 1, number / 10, torch.full_like(number, 0.36), number / 1000)

    monkeypatch.setattr(vae_kind, "marginal_likelihood", known)
    assert measure(trained["digits"], LikelihoodOptions(draws=3), 0) == {
        "iwae": pytest.approx(179.5),
        "elbo": pytest.approx(360),
        "kl": pytest.approx(17.95),
        "kl_error": pytest.approx(0.6 / math.sqrt(360)),
        "pulled_in": pytest.approx(0.1795),
        "points": 360,
    }


@pytest.mark.parametrize("name", ["trees", "digits", "riemannian", "euclidean"])
def test_the_bounds_are_in_order_and_the_kl_is_not_negative(name: str, trained: Trained) -> None:
    for seed in (0, 1):
        figures = measure(trained[name], LikelihoodOptions(draws=200, points=100), seed)
        assert all(math.isfinite(value) for value in figures.values())
        assert figures["iwae"] <= figures["elbo"]
        assert figures["kl"] >= -4 * figures["kl_error"]
        assert figures["kl_error"] > 0
        assert 0 <= figures["pulled_in"] <= 1


def test_figures_of_a_flat_cell_are_those_of_plain_normal_distributions(trained: Trained) -> None:
    """Posterior, prior and likelihood written out with torch.distributions; draws of another generator."""
    settings, folder = trained["euclidean"]
    data = load_vectors(settings, 0, data_root=None)
    model = load_vae(settings, 0, folder, data=data)
    x = data.test
    hidden = torch.relu(model.encoder[0](x))  # type: ignore[index]
    raw = model.encoder[2](hidden).detach().double()  # type: ignore[index]
    posterior = torch.distributions.Normal(raw[:, :2], raw[:, 2:].exp())
    prior = torch.distributions.Normal(torch.zeros(2, dtype=torch.float64), 1.0)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(5)
        z = posterior.sample((400,))
        logits = model.decoder(z)
        likelihood = -torch.nn.functional.binary_cross_entropy_with_logits(
            logits, x.expand_as(logits), reduction="none"
        )
        ratio = (posterior.log_prob(z) - prior.log_prob(z)).sum(-1)
        weight = likelihood.double().sum(-1) - ratio
    figures = measure(trained["euclidean"], LikelihoodOptions(draws=400), 0)
    error = float(weight.var(0).sum().sqrt()) / 360 / math.sqrt(400)
    assert figures["elbo"] == pytest.approx(-float(weight.mean()), abs=6 * error)
    iwae = torch.logsumexp(weight, 0) - math.log(400)
    assert figures["iwae"] == pytest.approx(-float(iwae.mean()), abs=6 * error)
    exact = torch.distributions.kl_divergence(posterior, prior).sum(-1).mean()
    assert figures["kl"] == pytest.approx(float(exact), abs=4 * figures["kl_error"])


def test_measuring_again_gives_the_same_figures(trained: Trained) -> None:
    options = LikelihoodOptions(draws=7, points=30)
    assert measure(trained["digits"], options, 1) == measure(trained["digits"], options, 1)


def test_figures_that_are_not_finite_are_an_error_that_names_them(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_model: VAE, x: Tensor, **_options: Any) -> Bounds:
        fine = torch.ones(len(x), dtype=torch.float64)
        return Bounds(fine / 0, fine, fine, fine, fine)

    monkeypatch.setattr(vae_kind, "marginal_likelihood", broken)
    with pytest.raises(NumericalError, match=r"seed 1: iwae .*not finite"):
        measure(trained["digits"], LikelihoodOptions(draws=2), 1)


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> tuple[VAESettings, Path]:
    """Digits in a disk, trained for long enough to tell some of them apart."""
    settings = VAESettings(data="digits", c=1.4, hidden=48, epochs=15, lr=1e-2, batch_size=64)
    folder = tmp_path_factory.mktemp("embedding") / "cell"
    folder.mkdir()
    train(folder, (0,), settings)
    return settings, folder


def test_digits_are_told_from_their_codes_far_better_than_by_chance(embedding: tuple[VAESettings, Path]) -> None:
    figures = measure(embedding, ClassifyOptions(trainings=2), 0)
    labels = load_vectors(embedding[0], 0, data_root=None).test_labels
    assert figures["accuracy"] > 0.45  # of guesses 0.1
    assert len(figures["trainings"]) == 2
    assert figures["accuracy"] == pytest.approx(sum(figures["trainings"]) / 2)
    per_class = [figures[f"class_{number}"] for number in range(10)]
    assert all(0 <= value <= 1 for value in per_class)
    shares = (labels.bincount() / len(labels)).tolist()
    weighted = sum(share * value for share, value in zip(shares, per_class, strict=True))
    assert weighted == pytest.approx(figures["accuracy"], abs=1e-6)
    assert set(figures) == {"accuracy", "trainings", *(f"class_{number}" for number in range(10))}


def test_the_classifier_is_as_good_as_the_nearest_training_codes(embedding: tuple[VAESettings, Path]) -> None:
    """The vote of the nearest codes in hyperbolic distance is an estimate of what can be told at all."""
    settings, folder = embedding
    data = load_vectors(settings, 0, data_root=None)
    model = load_vae(settings, 0, folder, data=data)
    with torch.no_grad():
        train_codes, test_codes = (model.encode(part).loc for part in (data.train, data.test))
    distance = model.head.manifold.dist(test_codes.unsqueeze(1), train_codes)
    votes = data.train_labels[distance.topk(15, largest=False).indices].mode(-1).values
    nearest = float((votes == data.test_labels).double().mean())
    figures = measure(embedding, ClassifyOptions(trainings=2), 0)
    assert figures["accuracy"] == pytest.approx(nearest, abs=0.1)


def test_trained_codes_tell_more_than_those_of_fresh_weights(
    embedding: tuple[VAESettings, Path], folder: Path
) -> None:
    fresh = embedding[0].model_copy(update={"lr": 1e-12, "epochs": 1})
    train(folder, (0,), fresh)
    options = ClassifyOptions(trainings=1, epochs=10)
    untrained = measure((fresh, folder), options, 0)["accuracy"]
    assert measure(embedding, options, 0)["accuracy"] > untrained + 0.05


def test_the_options_of_classify_reach_the_classifier(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    classify = classify_codes

    def spy(*arguments: Any, **options: Any) -> Any:
        seen.update(options)
        return classify(*arguments, **options)

    monkeypatch.setattr(vae_kind, "classify_codes", spy)
    for name in ("euclidean", "riemannian", "digits"):
        figures = measure(trained[name], ClassifyOptions(trainings=3, hidden=8, epochs=2), 1)
        assert (seen["trainings"], seen["hidden"], seen["epochs"], seen["seed"]) == (3, 8, 2, 1)
        assert len(figures["trainings"]) == 3
        assert sum(key.startswith("class_") for key in figures) == 10
