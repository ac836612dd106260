"""One seed, several named streams of random numbers.

Each stream is seeded from the seed and its own name alone, so that drawing more from one (more epochs, say)
never changes another (the split). Library code never seeds or reads torch's global generator.
"""

import hashlib

import torch

__all__ = ["stream"]


def stream(seed: int, name: str, *, device: str | torch.device = "cpu") -> torch.Generator:
    """A generator for the stream ``name`` of ``seed``.

    Args:
        seed: any integer.
        name: what the numbers are for: ``"split"``, ``"init"``, ``"train"``, ``"eval"``.
        device: where the numbers are drawn. Different devices give different numbers.

    >>> torch.rand(1, generator=stream(0, "split")).equal(torch.rand(1, generator=stream(0, "split")))
    True
    >>> torch.rand(1, generator=stream(0, "split")).equal(torch.rand(1, generator=stream(0, "init")))
    False
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator(device=device).manual_seed(int.from_bytes(digest[:8], "little") >> 1)
