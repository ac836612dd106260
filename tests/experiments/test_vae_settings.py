"""Settings of the VAE cells: what contradicts itself is refused in one line, in the program with exit code 2."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from hypgraph.exceptions import ConfigError
from hypgraph.experiments.cell_kind import Context
from hypgraph.experiments.experiment import load_experiment
from hypgraph.experiments.vae_data import load_vectors
from hypgraph.experiments.vae_kind import VAEKind, load_vae
from hypgraph.experiments.vae_settings import ClassifyOptions, LikelihoodOptions, VAESettings
from hypgraph.models import VAE
from tests.cli.program import hypgraph

KIND = VAEKind()
FILE = """
kind = "vae"
description = "A test."
seeds = 1
[settings]
data = "digits"
epochs = 1
hidden = 4
[[grid]]
GRID
[[measures]]
measure = "likelihood"
draws = 2
[table]
value = "likelihood.iwae"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYPGRAPH_DATA", raising=False)
    monkeypatch.setenv("HYPGRAPH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def experiment(here: Path, grid: str) -> Path:
    path = here / "mine.toml"
    path.write_text(FILE.replace("GRID", grid))
    return path


def refusal(*arguments: object) -> str:
    """What the program says; it has made nothing."""
    before = sorted(Path().iterdir())
    error = hypgraph("experiment", "run", *arguments, "--device", "cpu").error
    assert sorted(Path().iterdir()) == before
    return error


CONTRADICTIONS = [
    ('latent = "euclidean"\nc = 1.2', ["latent=euclidean c=1.2", "flat space has no curvature", "leave out c"]),
    ('latent = "poincare"', ["latent=poincare", "needs c"]),
    ('latent = "lorentz"', ["latent=lorentz", "needs c"]),
    ('latent = "euclidean"\nfamily = "riemannian"', ["riemannian", "normal distribution", "family = 'wrapped'"]),
]


@pytest.mark.parametrize(("grid", "words"), CONTRADICTIONS)
def test_a_contradiction_is_refused_by_name_of_its_cell(grid: str, words: list[str], here: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load_experiment(experiment(here, grid))
    assert "\n" not in str(raised.value)
    assert refusal("mine.toml") == f"hypgraph: {raised.value}\n"
    for word in ["mine: cell", *words]:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ('c = 1.0\nfamily = "riemannian"\nscales = "diagonal"', ["scales", "diagonal", "one scale"]),
        ('c = 1.0\nfamily = "rown"\nscales = "isotropic"', ["scales", "isotropic", "diagonal"]),
    ],
)
def test_scales_that_a_family_does_not_have_are_refused(grid: str, words: list[str], here: Path) -> None:
    experiment(here, grid)
    error = refusal("mine.toml")
    for word in words:
        assert word in error


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("train_points=1438", ["train_points is 1438", "digits has 1,437"]),
        ("likelihood.points=361", ["points is 361", "digits has 360 test"]),
        ("batchsize=16", ["'batchsize'", "did you mean 'batch_size'"]),
        ("likelihood.drawz=16", ["'drawz'", "did you mean 'draws'"]),
        ("data=minst", ["data should be", "'mnist'", "got minst"]),
        ("decoder=gyro", ["decoder should be", "'gyroplane'", "got gyro"]),
        ("lr=0", ["lr should be greater than 0", "got 0"]),
        ("lr=nan", ["lr should be a finite number", "got nan"]),
        ("epochs=0", ["epochs should be greater than or equal to 1"]),
        ("beta=-1", ["beta should be greater than or equal to 0"]),
        ("dim=2.5", ["dim should be a valid integer"]),
        ("likelihood.subset_seed=-1", ["subset_seed should be greater than or equal to 0"]),
        ("data=mnist", ["mnist", "HYPGRAPH_DATA", "--data-root", "data fetch mnist"]),
        ("data=fashion-mnist", ["fashion-mnist", "HYPGRAPH_DATA", "--data-root"]),
    ],
)
def test_a_setting_that_is_not_allowed_is_one_line(assignment: str, words: list[str], here: Path) -> None:
    experiment(here, "c = 1.0")
    error = refusal("mine.toml", "--set", assignment)
    for word in words:
        assert word in error


def test_points_and_train_points_may_be_all_there_are() -> None:
    settings = VAESettings(c=1.0, train_points=1437, hidden=4)
    KIND.check(settings, [LikelihoodOptions(points=360), ClassifyOptions()], data_root=None)


def test_unknown_keys_are_refused_by_the_models_too() -> None:
    for model in (VAESettings, LikelihoodOptions, ClassifyOptions):
        with pytest.raises(ValidationError, match="no_such_key"):
            model.model_validate({"no_such_key": 1, "c": 1.0})


def test_settings_cannot_be_changed_once_made() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        VAESettings(c=1.0).c = 2.0  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    for model in (VAESettings, LikelihoodOptions, ClassifyOptions):
        assert all(field.description for field in model.model_fields.values())


@pytest.mark.parametrize("latent", ["poincare", "lorentz"])
@pytest.mark.parametrize("family", ["wrapped", "riemannian", "rown"])
@pytest.mark.parametrize("decoder", ["gyroplane", "linear", "logmap", "mobius"])
def test_every_family_and_decoder_can_be_built_on_every_hyperbolic_latent(
    latent: str, family: str, decoder: str
) -> None:
    settings = VAESettings.model_validate({"latent": latent, "family": family, "decoder": decoder, "c": 0.7})
    KIND.check(settings, [LikelihoodOptions()], data_root=None)


def trained(settings: VAESettings, here: Path) -> VAE:
    """By the kind, from seed 7."""
    KIND.train(settings, (7,), here, context=Context("cpu", 1, None, lambda _text: None))
    return load_vae(settings, 7, here, data=load_vectors(settings, 7, data_root=None))


def test_settings_reach_the_model(here: Path) -> None:
    settings = VAESettings(
        c=0.3,
        latent="lorentz",
        dim=3,
        hidden=5,
        prior_scale=1.7,
        initial_scale=0.25,
        gain=2.0,
        decoder="logmap",
        epochs=1,
        train_points=40,
        lr=1e-12,
    )
    model = trained(settings, here)
    data = load_vectors(settings, 7, data_root=None)
    assert not model.training
    assert type(model.head.manifold).__name__ == "Lorentz"
    assert (model.head.manifold.dim, model.head.manifold.c_value) == (3, 0.3)
    assert float(model.prior(torch.zeros(1, dtype=torch.float64)).scale) == pytest.approx(1.7)
    assert type(model.decoder).__name__ == "LogMapDecoder"
    assert model.decoder.out.weight.shape == (64, 5)
    first, last = model.encoder[0], model.encoder[-1]  # type: ignore[index]
    raw = last(first(data.test).relu())
    posterior = model.encode(data.test)
    # exp₀ of gain times the first three numbers, read as a geodesic length, and scales of exp of the others
    length = 2.0 * raw[:, :3].double().norm(dim=-1)
    torch.testing.assert_close(posterior.center.radius, length, rtol=1e-5, atol=1e-6)  # type: ignore[union-attr]
    torch.testing.assert_close(posterior.scale, 0.25 * raw[:, 3:].double().exp(), rtol=1e-5, atol=1e-6)
    # a Bernoulli decoder starts at the mean image
    mean = data.train.double().mean(0)
    inside = (mean > 0.01) & (mean < 0.99)
    assert int(inside.sum()) > 40
    start = torch.log(mean / (1 - mean))[inside]
    torch.testing.assert_close(model.decoder.out.bias.double()[inside], start, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("family", "scales", "shape"),
    [
        ("wrapped", "auto", 3),
        ("riemannian", "auto", 1),
        ("wrapped", "isotropic", 1),
        ("wrapped", "diagonal", 3),
        ("rown", "auto", 3),
    ],
)
def test_posteriors_have_the_scales_of_the_setting(family: str, scales: str, shape: int, here: Path) -> None:
    values = {"family": family, "scales": scales, "dim": 3, "c": 1.2, "epochs": 1, "train_points": 40}
    settings = VAESettings.model_validate(values)
    model = trained(settings, here)
    posterior = model.encode(torch.rand(5, 64))
    names = {"wrapped": "WrappedNormal", "riemannian": "RiemannianNormal", "rown": "RoWN"}
    assert type(posterior).__name__ == names[family]
    assert model.prior_family is type(posterior)
    assert len(model.state_dict()["encoder.2.bias"]) == 3 + shape
