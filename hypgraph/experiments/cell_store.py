"""Where the results of cells lie: one folder a cell, shared by all experiments that have the cell."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hypgraph.exceptions import RunError
from hypgraph.experiments.cell_kind import CellKind
from hypgraph.experiments.experiment import Cell, Measure, shown
from hypgraph.files import write_json

__all__ = ["CellStore", "Left"]

SLUG_LENGTH = 70


@dataclass(frozen=True)
class Left:
    """What of a cell is not computed yet.

    Attributes:
        train: seeds that are not trained.
        measure: pairs of a seed and a measure of which there is no record.
    """

    train: tuple[int, ...]
    measure: tuple[tuple[int, Measure], ...]

    def __bool__(self) -> bool:
        return bool(self.train or self.measure)


@dataclass(frozen=True)
class CellStore:
    """The folder of all cells.

    A cell's folder is named by the settings that differ from the model's defaults, and by a digest of them. So a
    setting that a later version adds, with what was done before as its default, leaves results where they are;
    and where a default changes, the resolved settings that the folder keeps tell (:meth:`check`).

    Attributes:
        root: where the folders of the cells lie.
    """

    root: Path

    def folder(self, cell: Cell) -> Path:
        """``root/<slug>-<digest>``."""
        digest = _digest(cell.kind, cell.settings)
        return self.root / "-".join(filter(None, (_slug(cell.settings), digest)))

    def record_file(self, cell: Cell, seed: int, measure: Measure) -> Path:
        """Figures of one seed."""
        digest = _digest(measure.measure, measure.options)
        return self.folder(cell) / f"seed-{seed:03d}.{measure.measure}-{digest}.json"

    def time_file(self, cell: Cell) -> Path:
        """How long training took."""
        return self.folder(cell) / "training-time.json"

    def left(self, cell: Cell, kind: CellKind, seeds: Sequence[int], measures: Sequence[Measure]) -> Left:
        """What is still to be computed.

        Raises:
            RunError: if the folder was made with other settings.
        """
        self.check(cell)
        folder = self.folder(cell)
        return Left(
            tuple(seed for seed in seeds if not kind.is_trained(folder, seed)),
            tuple(
                (seed, measure)
                for seed in seeds
                for measure in measures
                if not self.record_file(cell, seed, measure).is_file()
            ),
        )

    def check(self, cell: Cell) -> None:
        """Refuses a folder whose settings were others.

        Raises:
            RunError: naming the setting whose default has changed since.
        """
        path = self.folder(cell) / "settings.json"
        if path.is_file():
            _same(_read(path).get("settings", {}), cell.values, path)

    def prepare(self, cell: Cell) -> Path:
        """The cell's folder, with its settings in it and without what a killed process had half written."""
        folder = self.folder(cell)
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob(".*.tmp"):
            stale.unlink(missing_ok=True)
        if not (folder / "settings.json").is_file():
            write_json(folder / "settings.json", {"kind": cell.kind, "settings": cell.values})
        return folder

    def write_record(self, cell: Cell, seed: int, measure: Measure, record: Mapping[str, Any]) -> None:
        """Keeps the figures of one seed, and on what they were made."""
        options = measure.options.model_dump(mode="json")
        path = self.record_file(cell, seed, measure)
        write_json(path, {"measure": measure.measure, "options": options, **record})

    def read_record(self, cell: Cell, seed: int, measure: Measure) -> dict[str, Any] | None:
        """What :meth:`write_record` has kept, or None.

        Raises:
            RunError: if the file is damaged, or was made with other options.
        """
        path = self.record_file(cell, seed, measure)
        if not path.is_file():
            return None
        record = _read(path)
        _same(record.get("options", {}), measure.options.model_dump(mode="json"), path)
        if not isinstance(record.get("figures"), dict):
            raise RunError(f"{path}: damaged (it has no figures); remove it and run the experiment again")
        return record

    def read_time(self, cell: Cell) -> list[dict[str, Any]]:
        """The sessions of training: ``seeds``, ``seconds``, ``device`` and ``threads`` of each."""
        path = self.time_file(cell)
        sessions: list[dict[str, Any]] = _read(path).get("sessions", []) if path.is_file() else []
        return sessions

    @contextmanager
    def locked(self, cell: Cell) -> Iterator[bool]:
        """Holds the cell against other processes; yields False if one of them holds it."""
        import fcntl

        folder = self.folder(cell)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def _digest(what: str, model: BaseModel) -> str:
    values = [what, model.model_dump(mode="json", exclude_defaults=True)]
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _slug(settings: BaseModel) -> str:
    """The settings that are not the defaults: words as they are, numbers behind their key."""
    words: list[str] = []
    for key, value in settings.model_dump(mode="json", exclude_defaults=True).items():
        word = value if isinstance(value, str) else f"{key}{shown(value)}"
        words.append(re.sub(r"[^\w.]+", "_", word, flags=re.ASCII).lstrip("."))
    while len("-".join(words)) > SLUG_LENGTH:
        words.pop()
    return "-".join(words)


def _same(stored: Mapping[str, Any], current: Mapping[str, Any], path: Path) -> None:
    for key, value in current.items():
        if key in stored and stored[key] != value:
            raise RunError(
                f"{path}: was made where {key} was {shown(stored[key])} by default, and it is {shown(value)} now; "
                f"choose another --out, or remove '{path.parent}'"
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: damaged ({error}); remove it and run the experiment again") from None
    if not isinstance(values, dict):
        raise RunError(f"{path}: damaged; remove it and run the experiment again")
    return values
