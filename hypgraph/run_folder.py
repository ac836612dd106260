"""The folder that a run leaves, by the names of its files."""

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypgraph.config import HierarchyConfig, RunConfig, load_config, load_hierarchy_config
from hypgraph.exceptions import RunError
from hypgraph.files import whole_file, whole_folder, write_json

__all__ = ["RunFolder", "check_new"]


@dataclass(frozen=True)
class RunFolder:
    """A run on disk. A folder is a run if and only if it holds ``config.json``.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """The resolved configuration; ``--config`` takes it back."""
        return self.path / "config.json"

    @property
    def metrics_file(self) -> Path:
        """One line of JSON an epoch, without times, so that the same seed gives the same bytes."""
        return self.path / "metrics.jsonl"

    @property
    def summary_file(self) -> Path:
        """Final metrics, baselines, time and device; its presence says that the run is finished."""
        return self.path / "summary.json"

    @property
    def environment_file(self) -> Path:
        """Versions, threads and git commit."""
        return self.path / "environment.json"

    @property
    def checkpoint_file(self) -> Path:
        """State of the training; loads with ``torch.load(weights_only=True)``."""
        return self.path / "checkpoint.pt"

    @property
    def split_file(self) -> Path:
        """The split of the edges."""
        return self.path / "split.npz"

    @property
    def embeddings_file(self) -> Path:
        """Posterior of every node: ``node_id, loc, scale, c, manifold``; loads without pickle."""
        return self.path / "embeddings.npz"

    @classmethod
    def create(cls, path: Path, config: RunConfig | HierarchyConfig) -> "RunFolder":
        """A new run folder with its configuration.

        Raises:
            RunError: if ``path`` exists and is not an empty folder, or cannot be made.
        """
        with cls.filled(path, config):
            return cls(path)

    @classmethod
    @contextmanager
    def filled(cls, path: Path, config: RunConfig | HierarchyConfig) -> Iterator["RunFolder"]:
        """A folder with its configuration, to be filled in the block; it lies at ``path`` when that succeeds.

        Raises:
            RunError: as :meth:`create`.
        """
        check_new(path)
        try:
            with whole_folder(path) as temporary:
                folder = cls(temporary)
                write_json(folder.config_file, config.model_dump(mode="json"))
                yield folder
        except OSError as error:
            raise RunError(f"--out {path}: cannot be made ({error.strerror}); choose another path") from None

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run folder.

        Raises:
            RunError: if ``path`` is no folder or not a run.
        """
        if not path.is_dir():
            raise RunError(f"{path}: no such run folder; train and embed print the path of the one they make")
        folder = cls(path)
        if not folder.config_file.is_file():
            raise RunError(
                f"{path} is not a run folder: it has no {folder.config_file.name}; train and embed print the path "
                "of the one they make"
            )
        if (path / "study.db").is_file():
            command = f"hypgraph train --config {shlex.quote(str(path / 'best.toml'))}"
            raise RunError(f"{path} is a study of hypgraph tune, not a run; train what it chose: {command}")
        return folder

    def config(self) -> RunConfig:
        """The run's configuration.

        Raises:
            RunError: if it is a drawing of ``hypgraph embed``.
        """
        if self.is_drawing:
            raise RunError(f"{self.path} is a drawing made by hypgraph embed; name a run of hypgraph train")
        return load_config(self.config_file)

    def check_one_seed(self) -> None:
        """Refuses a folder that holds the runs of several seeds.

        Raises:
            RunError: naming one of them.
        """
        training = self.config().training
        if training.seeds > 1:
            one = self.path / f"seed-{training.seed}"
            raise RunError(f"{self.path} holds {training.seeds} runs; name one of them, for example {one}")

    def drawing_config(self) -> HierarchyConfig:
        """The configuration of a drawing."""
        return load_hierarchy_config(self.config_file)

    @property
    def is_drawing(self) -> bool:
        """Whether ``hypgraph embed`` has made it: it has points, but neither model nor split."""
        try:
            return "embedding" in json.loads(self.config_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False  # whoever reads the file says what is wrong with it

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return self.summary_file.is_file()

    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``.

        Raises:
            RunError: if the run is not finished or the file is damaged.
        """
        if not self.finished and self.is_drawing:
            raise RunError(f"{self.path}: {self.summary_file.name} is missing; draw it again with hypgraph embed")
        resume = f"hypgraph train --resume {shlex.quote(str(self.path))}"
        if not self.finished:
            raise RunError(f"{self.path}: the run is not finished; go on with: {resume}")
        try:
            summary: dict[str, Any] = json.loads(self.summary_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            remedy = "draw it again with hypgraph embed" if self.is_drawing else f"remove it, then: {resume}"
            raise RunError(f"{self.summary_file}: damaged ({error}); {remedy}") from None
        return summary

    def sweep(self) -> None:
        """Removes what a process that was killed had half written."""
        for stale in self.path.glob(".*.tmp"):
            stale.unlink()
        for stale in self.path.glob(".seed-*"):
            shutil.rmtree(stale)

    def keep_metrics(self, epochs: int) -> None:
        """Drops the lines of ``metrics.jsonl`` past the first ``epochs``, or the file if none is left.

        Raises:
            RunError: if fewer lines are there.
        """
        lines = self.metrics_file.read_bytes().splitlines(keepends=True) if self.metrics_file.exists() else []
        kept = [line for line in lines[:epochs] if line.endswith(b"\n")]
        if len(kept) < epochs:
            raise RunError(
                f"{self.metrics_file}: has {len(kept)} whole lines, but the checkpoint is at epoch {epochs}"
            )
        with whole_file(self.metrics_file) as temporary:
            temporary.write_bytes(b"".join(kept))


def check_new(path: Path) -> None:
    """Refuses a path for a new run at which something stands already, other than an empty folder.

    Raises:
        RunError: naming what stands there and what to do.
    """
    if not os.path.exists(path):  # unlike Path.exists, False for a name that the system refuses
        return
    if not path.is_dir():
        raise RunError(f"--out {path}: exists and is not a folder; choose another path")
    if RunFolder(path).is_drawing:
        raise RunError(f"--out {path}: holds a drawing already; choose another path")
    if (path / "config.json").is_file():
        raise RunError(f"--out {path}: holds a run already; go on with --resume {path}, or choose another path")
    if any(path.iterdir()):
        raise RunError(f"--out {path}: exists and is not a run folder; choose another path")
