"""Checkpoints: written whole or not at all, read without pickle's power to run code."""

import pickle
from pathlib import Path
from typing import Any

import torch

from hypgraph import __version__
from hypgraph.exceptions import RunError
from hypgraph.files import whole_file

__all__ = ["load_checkpoint", "save_checkpoint"]

# Raised whenever an older program could not continue from a newer file, or the other way round.
FORMAT = 1


def save_checkpoint(path: Path, state: dict[str, Any], *, fingerprint: str) -> None:
    """Writes ``state`` with the format's version and the fingerprint of the data it was trained on."""
    content = {"format": FORMAT, "version": __version__, "fingerprint": fingerprint, "state": state}
    # Given a path, torch writes its name into the file; given an open file, the same state gives the same bytes.
    with whole_file(path) as temporary, temporary.open("wb") as file:
        torch.save(content, file)


TRAIN_AGAIN = "train again, or, if the run is not finished, delete the file and resume from epoch 0"


def load_checkpoint(
    path: Path, *, fingerprint: str, device: torch.device, remedy: str = TRAIN_AGAIN
) -> dict[str, Any]:
    """The state that :func:`save_checkpoint` wrote.

    Args:
        path: the file.
        fingerprint: of the data it should be of.
        device: where its tensors go.
        remedy: what errors advise.

    Raises:
        RunError: if the file is missing, damaged, of another format, or of other data.
    """
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        written, version, data = content["format"], content["version"], content["fingerprint"]
        state: dict[str, Any] = content["state"]
    except FileNotFoundError:
        raise RunError(f"{path}: no such checkpoint; the run stopped before its first one") from None
    except (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, pickle.UnpicklingError):
        raise RunError(f"{path}: the checkpoint is damaged; {remedy}") from None
    if written != FORMAT:
        raise RunError(
            f"{path}: the checkpoint is of format {written}, written by hypgraph {version}, and this is hypgraph "
            f"{__version__} with format {FORMAT}; install that version, or {remedy}"
        )
    if data != fingerprint:
        raise RunError(f"{path}: the data have changed since the checkpoint was written; {remedy}")
    return state
