"""Where to train."""

import torch

from hypgraph.exceptions import DeviceError

__all__ = ["resolve_device"]


def resolve_device(name: str) -> torch.device:
    """The device for ``"auto"``, ``"cpu"`` or ``"cuda"``; auto takes a GPU where there is one.

    Raises:
        DeviceError: for ``"cuda"`` where torch sees no GPU.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        why = "this torch is built without CUDA" if not torch.backends.cuda.is_built() else "torch sees no GPU"
        raise DeviceError(f"--device cuda: {why}; use --device cpu or auto")
    return torch.device(name)
