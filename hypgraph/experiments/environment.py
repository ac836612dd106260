"""On what a run was made."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from hypgraph import __version__

__all__ = ["environment"]

PACKAGES = ("torch", "numpy", "scipy", "pydantic", "geoopt", "torch-geometric", "networkx", "scikit-learn")


def environment() -> dict[str, Any]:
    """Versions, threads, device and the git commit of this source tree, for ``environment.json``."""
    return {
        "hypgraph": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.machine(),
        "packages": {name: _version(name) for name in PACKAGES},
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "git_commit": _git_commit(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """The commit of the checkout that this file is part of; None for an installed copy or without git."""
    source = Path(__file__).resolve()
    root = source.parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
