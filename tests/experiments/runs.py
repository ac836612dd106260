"""What a run has left, for comparing one with another."""

import json
from pathlib import Path
from typing import Any

import numpy as np


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The epochs of ``metrics.jsonl``."""
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def summary_of(path: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    return summary


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def figures_of(path: Path) -> dict[str, Any]:
    """Everything that two runs of the same configuration have in common: all but times."""
    summary = summary_of(path)
    del summary["seconds"]
    arrays = {
        f"{file}/{name}": (array.dtype.str, array.tobytes())
        for file in ("split.npz", "embeddings.npz")
        for name, array in arrays_of(path / file).items()
    }
    return {"metrics.jsonl": (path / "metrics.jsonl").read_bytes(), "summary.json": summary, **arrays}


def names_in(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()}
