"""One seed, several named streams of random numbers.

Each stream is seeded from the seed and its own name alone, so that drawing more from one (more epochs, say)
never changes another (the split). Library code never seeds or reads torch's global generator.
"""

import hashlib
import math

import torch
from torch import Tensor

__all__ = ["standard_normal", "stream"]


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


def standard_normal(
    shape: tuple[int, ...] | torch.Size,
    *,
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Independent standard normal numbers.

    On the CPU by the transform of Box and Muller 1958 over whole arrays: ``torch.randn`` goes number by number in
    float64 and takes twice as long.
    """
    if torch.device(device).type != "cpu":
        return torch.randn(shape, dtype=dtype, device=device, generator=generator)
    count = math.prod(shape)
    uniform = torch.rand((2, (count + 1) // 2), dtype=dtype, generator=generator)
    radius, angle = (-2 * torch.log1p(-uniform[0])).sqrt_(), 2 * math.pi * uniform[1]
    return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)])[:count].view(shape)
