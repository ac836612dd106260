"""Dropout that draws from a generator of the caller's, unlike torch's."""

import torch
from torch import Tensor

__all__ = ["dropout"]


def dropout(x: Tensor, p: float, *, generator: torch.Generator | None = None) -> Tensor:
    """Each entry set to zero with probability ``p``, the others divided by ``1-p`` (Srivastava et al. 2014).

    >>> dropout(torch.ones(4), 0.5, generator=torch.Generator().manual_seed(0))
    tensor([0., 0., 2., 0.])
    """
    if p == 0:
        return x
    # Four decisions from 64 random bits: p to the nearest 2⁻¹⁶, by whose exact value the others are divided.
    dropped = min(round(p * 2**16), 2**16 - 1)
    bits = torch.empty((x.numel() + 3) // 4, dtype=torch.int64, device=x.device)
    bits.random_(-(2**63), None, generator=generator)
    kept = bits.view(torch.int16)[: x.numel()].view(x.shape) >= dropped - 2**15
    return x * kept.to(x.dtype).mul_(2**16 / (2**16 - dropped))
