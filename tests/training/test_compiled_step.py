"""The compiled step: the same training to rounding, and a line of warning where it cannot be had."""

import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest
import torch

from hypgraph.random import stream
from hypgraph.training.compiled_step import CompilationWarning, CompiledObjective
from hypgraph.training.trainer import EpochRecord
from tests.training.karate import epochs, karate_trainer

needs_a_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
SMALL = ("model.dim=3", "model.hidden=8")


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced and differentiated as for compilation, then run by torch itself: a compiler is not needed."""
    real = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda function, **options: real(function, backend="aot_eager", **options)
    )


def compare(*options: str, tolerance: float) -> None:
    plain, compiled = karate_trainer(*options), karate_trainer(*options, "training.compile=true")
    expected = [EpochRecord(*record) for record in epochs(plain, 20)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # falling back would agree too
        records = [EpochRecord(*record) for record in epochs(compiled, 20)]
    for left, right in zip(records, expected, strict=True):
        assert left[:5] == pytest.approx(right[:5], rel=tolerance)
    assert torch.equal(compiled.generator.get_state(), plain.generator.get_state())


@pytest.mark.slow
@needs_a_compiler
def test_a_compiled_step_trains_as_an_eager_one() -> None:
    compare(*SMALL, tolerance=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        ("model.decoder=fermi-dirac", "model.learn_c=true"),
        ("model.decoder=crofton", "model.latent=lorentz"),
        ("model.decoder=directed-gyroplane", "model.latent=euclidean", "model.scales=diagonal"),
        ("model.posterior=rown", "model.prior=wrapped", "model.dtype=float32"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("traced")
def test_what_the_compiler_sees_trains_alike(options: tuple[str, ...]) -> None:
    compare(*SMALL, *options, tolerance=1e-4)


@pytest.mark.usefixtures("traced")
def test_two_runs_with_one_seed_agree_bit_by_bit() -> None:
    first, second = (epochs(karate_trainer(*SMALL, "training.compile=true"), 3) for _ in range(2))
    assert first == second


@pytest.mark.usefixtures("traced")
def test_many_models_in_one_process_compile() -> None:
    """The compiler keeps a limited number of versions of a function: each seed must not need one of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(12):
            epochs(karate_trainer(*SMALL, "training.compile=true", seed=seed), 1)


def test_a_failed_compilation_is_a_line_and_the_training_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_function: object, **_options: object) -> Callable[..., None]:
        def call(*_arguments: object) -> None:
            raise RuntimeError("\n\nno compiler here\nand a long story")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    trainer = karate_trainer(*SMALL, "training.compile=true")
    with pytest.warns(CompilationWarning, match="not compiled: no compiler here$") as caught:
        records = epochs(trainer, 3)
    assert len(caught) == 1
    assert records == epochs(karate_trainer(*SMALL), 3)


def test_distributions_check_their_arguments_as_before() -> None:
    """Torch turns that off for the whole process when it compiles for the first time."""
    program = (
        "import torch\n"
        "real = torch.compile\n"
        "torch.compile = lambda function, **options: real(function, backend='aot_eager', **options)\n"
        "from tests.training.karate import karate_trainer\n"
        "karate_trainer('model.dim=3', 'training.compile=true').step()\n"
        "print(torch.distributions.Distribution._validate_args)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_draws_by_rejection_are_not_compiled_and_it_says_so() -> None:
    with pytest.warns(CompilationWarning, match="riemannian posteriors are not compiled"):
        trainer = karate_trainer(*SMALL, "model.posterior=riemannian", "training.compile=true")
    assert len(epochs(trainer, 2)) == 2


@pytest.mark.usefixtures("traced")
def test_the_trial_moves_nothing() -> None:
    trainer = karate_trainer(*SMALL)
    compiled = CompiledObjective(trainer.model)
    for generator in (stream(3, "train"), stream(3, "train")):  # the second call has no trial
        objective = compiled(trainer.task, generator=generator)
        posterior_draws = stream(3, "train")
        task = trainer.task
        negative = task.negatives.sample(task.positive.shape[1], generator=posterior_draws)
        posterior = trainer.model.encode(task.features, task.adjacency, generator=posterior_draws)
        expected = trainer.model.objective(posterior, task.positive, negative, generator=posterior_draws)
        assert objective.loss.item() == pytest.approx(expected.loss.item(), rel=1e-6)
        assert all(parameter.grad is None for parameter in trainer.model.parameters())
