"""A kind of cell that trains in no time, and does as its settings say: for tests of the runner."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict, model_validator
from typing_extensions import override

from hypgraph.exceptions import ConfigError, DataError, NumericalError
from hypgraph.experiments.cell_kind import CellKind, Context
from hypgraph.training import deferred_interrupt
from hypgraph.viewer import draw_plane


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = "trees"
    latent: Literal["euclidean", "poincare"] = "poincare"
    c: float | None = None
    dim: int = 2
    epochs: int = 3
    does: str = "train"

    @model_validator(mode="after")
    def _agree(self) -> "Settings":
        if self.latent == "euclidean" and self.c is not None:
            raise ConfigError("c belongs to the latent space poincare")
        return self


class Likelihood(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    draws: int = 10


class Accuracy(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    trainings: int = 1


class FakeKind(CellKind):
    """Each epoch of each seed adds a line to ``log``: process, seed, epoch.

    ``does`` is what goes on in training: ``train``; ``slow``, and ``silent`` too; ``diverge`` on seed 1;
    ``interrupt`` in the first session, as by Ctrl-C; ``die`` by SIGKILL; ``exit`` with code 3; ``crash`` by a
    defect; ``memory``; ``blank`` has no pictures. Or it is ``no-data`` before, or ``nan`` in seed 1's figures.
    """

    settings_model = Settings
    measure_models = {"likelihood": Likelihood, "accuracy": Accuracy}  # noqa: RUF012

    def check(self, settings: Settings, measures: Sequence[BaseModel], *, data_root: Path | None) -> None:
        if settings.does == "no-data" and data_root is None:
            raise DataError("mnist is not here; set HYPGRAPH_DATA or --data-root")
        assert all(isinstance(measure, Likelihood | Accuracy) for measure in measures)

    def train(self, settings: Settings, seeds: Sequence[int], folder: Path, *, context: Context) -> None:
        state = folder / "state.json"
        epoch = json.loads(state.read_text())["epoch"] if state.exists() else 0
        resumed = epoch > 0
        try:
            with deferred_interrupt() as request:
                while epoch < settings.epochs:
                    epoch += 1
                    _trouble(settings.does)
                    with (folder / "log").open("a") as log:
                        log.writelines(f"{os.getpid()} {seed} {epoch}\n" for seed in seeds)
                    if settings.does != "silent":
                        context.progress(f"epoch {epoch} of {settings.epochs}, {context.threads} threads")
                    time.sleep(0.05 if settings.does in ("slow", "silent") else 0.0)
                    request.honour()
                    if settings.does == "interrupt" and epoch == 2 and not resumed:
                        raise KeyboardInterrupt
        except KeyboardInterrupt:
            state.write_text(json.dumps({"epoch": epoch}))
            raise
        state.unlink(missing_ok=True)
        for seed in seeds:
            if settings.does == "diverge" and seed == 1:
                raise NumericalError("seed 1, epoch 2: the loss is nan")
            (folder / f"trained-{seed}").touch()

    def is_trained(self, folder: Path, seed: int) -> bool:
        return (folder / f"trained-{seed}").exists()

    @override
    def draw(self, settings: Settings, seed: int, folder: Path, *, data_root: Path | None) -> dict[str, Figure]:
        if settings.does == "blank":
            return {}
        return {"dots": draw_plane([[0.0, 0.0], [1.0, float(seed)]])}

    def measure(
        self, settings: Settings, options: BaseModel, seed: int, folder: Path, *, context: Context
    ) -> dict[str, Any]:
        assert self.is_trained(folder, seed)
        with (folder / "measured").open("a") as log:
            log.write(f"{seed} {context.device} {options!r}\n")
        if isinstance(options, Accuracy):
            return {"mean": 0.5 + 0.1 * seed, "by_class": [0.25 * seed, 0.75]}
        assert isinstance(options, Likelihood)
        value = 50.0 + settings.dim + (settings.c or 0.0) + seed**2 / 2
        return {"iwae": float("nan") if settings.does == "nan" and seed == 1 else value, "kl": value / 10}


def _trouble(does: str) -> None:
    if does == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if does == "exit":
        os._exit(3)
    if does == "crash":
        raise TypeError("a defect")
    if does == "memory":
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")


def epochs_trained(folder: Path) -> Counter[tuple[int, int]]:
    """How often each epoch of each seed was trained in a cell's folder: pairs (seed, epoch)."""
    log = folder / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter((int(seed), int(epoch)) for _, seed, epoch in map(str.split, lines))


def processes(folder: Path) -> set[int]:
    """Which processes trained it."""
    return {int(line.split()[0]) for line in (folder / "log").read_text().splitlines()}


EXPERIMENT = """
kind = "fake"
description = "A test."
seeds = 3

[settings]
epochs = 4

[[grid]]
latent = "euclidean"
dim = [2, 5]

[[grid]]
latent = "poincare"
c = [0.1, 1.2]
dim = [2, 5]

[[measures]]
measure = "likelihood"
draws = 5

[table]
value = "likelihood.iwae"

[smoke]
epochs = 1
"""
