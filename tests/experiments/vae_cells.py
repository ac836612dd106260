"""Small cells of the kind ``vae``, trained as the runner does it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from hypgraph.experiments.cell_kind import Context
from hypgraph.experiments.vae_kind import VAEKind
from hypgraph.experiments.vae_settings import VAESettings

EPOCHS = 4
TREES = VAESettings(data="trees", c=1.2, hidden=6, epochs=EPOCHS, batch_size=32, train_points=80, lr=1e-2)
DIGITS = TREES.model_copy(update={"data": "digits"})
SEEDS = (0, 1, 2)
GROUP = 2  # as many seeds side by side, so that there are groups

KIND = VAEKind()


def silent(_text: str) -> None:
    pass


def context(progress: Callable[[str], None] = silent) -> Context:
    return Context("cpu", 1, None, progress)


def train(
    folder: Path,
    seeds: Sequence[int] = SEEDS,
    settings: VAESettings = TREES,
    progress: Callable[[str], None] = silent,
) -> None:
    """As the runner does it: those of the seeds that are not trained."""
    left = [seed for seed in seeds if not KIND.is_trained(folder, seed)]
    KIND.train(settings, left, folder, context=context(progress))


def tensors_of(path: Path) -> dict[str, Tensor]:
    content = torch.load(path, weights_only=True)
    state: dict[str, Tensor] = content["state"]
    return state


def contents(folder: Path) -> dict[str, bytes]:
    """The files; of weights the bytes of all numbers, with their names."""
    return {
        path.name: numbers(path) if path.name.startswith("weights") else path.read_bytes()
        for path in files(folder)
    }


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def numbers(path: Path) -> bytes:
    return b"".join(name.encode() + value.numpy().tobytes() for name, value in sorted(tensors_of(path).items()))
