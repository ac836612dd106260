"""Dropout that draws from a generator of the caller's, unlike torch's."""

import torch
from torch import Tensor

__all__ = ["dropout"]


def dropout(x: Tensor, p: float, *, generator: torch.Generator | None = None) -> Tensor:
    """Each entry set to zero with probability ``p``, the others divided by ``1-p`` (Srivastava et al. 2014).

    >>> dropout(torch.ones(4), 0.5, generator=torch.Generator().manual_seed(0))
    tensor([0., 2., 0., 0.])
    """
    if p == 0:
        return x
    kept = torch.rand(x.shape, generator=generator, device=x.device, dtype=torch.float32).ge_(p)
    return x * kept.to(x.dtype).div_(1 - p)
