"""A step that a CUDA graph can hold: nothing of it waits for the device or has a shape that depends on numbers."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hypgraph.exceptions import ConfigError, DeviceError
from hypgraph.nn import node_pairs
from hypgraph.nn.node_pairs import pair_square_norm
from hypgraph.random import stream
from hypgraph.training.captured_step import check_static
from tests.training.karate import epochs, karate_trainer

needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

# Operations that read a number back, or whose result is as long as the numbers say.
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "unique_dim", "_unique2", "unique_consecutive"}
WAITING |= {"bincount", "is_nonzero", "equal", "_coalesce", "repeat_interleave"}


class Recorded(TorchDispatchMode):
    """Names of the operations that would wait, and the shapes of all results."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[str] = []
        self.shapes: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.__name__.split(".")[0]
        indexed = name in ("index", "index_put_") and any(
            isinstance(part, torch.Tensor) and part.dtype == torch.bool for part in args[1] if part is not None
        )
        if name in WAITING or indexed:
            self.waiting.append(name)
        if isinstance(result, torch.Tensor):
            self.shapes.append(tuple(result.shape))
        return result


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradient of pairs that a GPU takes; the CPU's own goes through SciPy."""
    monkeypatch.setattr(
        node_pairs,
        "_square_norms_gradient",
        lambda nodes, pairs, grad: node_pairs._scattered_gradient(nodes, pairs, 2 * grad),
    )


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("model.latent=lorentz", "model.learn_c=true", "model.decoder=crofton"),
        ("model.latent=euclidean", "model.decoder=mlp"),
        ("model.posterior=rown", "model.decoder=fermi-dirac"),
        ("model.decoder=directed-gyroplane", "model.dtype=float32"),
    ],
    ids=lambda options: " ".join(options) or "default",
)
@pytest.mark.usefixtures("as_on_a_gpu")
def test_a_step_neither_waits_nor_changes_its_shapes(options: tuple[str, ...]) -> None:
    trainer = karate_trainer(*options)
    trainer.model.train()
    runs = []
    for _ in range(3):
        with Recorded() as recorded:
            trainer._gradients()
        assert recorded.waiting == []
        runs.append(recorded.shapes)
    assert runs[0] == runs[1] == runs[2]
    assert len(runs[0]) > 100


def test_the_recorder_sees_what_would_wait() -> None:
    """Draws by rejection do."""
    trainer = karate_trainer("model.posterior=riemannian")
    with Recorded() as recorded:
        trainer._gradients()
    assert recorded.waiting


@pytest.mark.usefixtures("as_on_a_gpu")
def test_the_gradient_of_a_gpu_trains_as_that_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    scattered = epochs(karate_trainer(), 5)
    monkeypatch.undo()
    for left, right in zip(scattered, epochs(karate_trainer(), 5), strict=True):
        assert left == pytest.approx(right, rel=1e-6)


@pytest.mark.usefixtures("as_on_a_gpu")
def test_the_scattered_gradient_is_that_of_the_sum() -> None:
    generator = stream(0, "pairs")
    nodes = torch.randn(7, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    pairs = torch.randint(7, (2, 40), generator=generator)
    weights = torch.randn(40, dtype=torch.float64, generator=generator)
    (scattered,) = torch.autograd.grad((weights * pair_square_norm(nodes, pairs)).sum(), nodes)
    (direct,) = torch.autograd.grad((weights * (nodes[pairs[0]] - nodes[pairs[1]]).square().sum(-1)).sum(), nodes)
    torch.testing.assert_close(scattered, direct, rtol=1e-12, atol=1e-12)


def test_capture_without_a_gpu_is_one_line() -> None:
    with pytest.raises(DeviceError, match="needs a GPU, and training is on the cpu") as caught:
        karate_trainer("training.capture=true")
    assert len(str(caught.value).splitlines()) == 1


def test_draws_by_rejection_cannot_be_captured() -> None:
    check_static(karate_trainer().model)
    with pytest.raises(ConfigError, match="riemannian posteriors are drawn by rejection"):
        check_static(karate_trainer("model.posterior=riemannian").model)


@needs_a_gpu
@pytest.mark.parametrize("latent", ["poincare", "euclidean"])
def test_a_captured_step_trains_as_an_eager_one(latent: str) -> None:
    from hypgraph.config import load_config
    from hypgraph.experiments.link_prediction import LinkPrediction

    def losses(*options: str) -> list[float]:
        config = load_config(
            assignments=["data.name=karate", "training.device=cuda", f"model.latent={latent}", *options]
        )
        trainer = LinkPrediction.prepare(config).trainer
        return [trainer.step()["loss"] for _ in range(20)]

    assert losses("training.capture=true") == pytest.approx(losses(), rel=1e-4)
