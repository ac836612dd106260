"""The linear layer, alone or stacked."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

__all__ = ["Linear", "affine"]


class Linear(nn.Module):
    """x Wᵀ + b, as :class:`torch.nn.Linear`, with weights from a generator and from one to many of them at once.

    With parameters ``[R, out, in]`` and ``[R, out]``, as :func:`hypgraph.models.stack_models` makes them, it is R
    layers side by side, each for its own slice of ``[..., R, B, in]``.

    Args:
        in_features: numbers in.
        out_features: numbers out.
        generator: for the initial weights and biases, uniform on ±1/√in as in torch.

    >>> Linear(3, 2)(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(self, in_features: int, out_features: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -(in_features**-0.5), in_features**-0.5, generator=generator)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return affine(x, self.weight, self.bias)


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x Wᵀ + b: ``x [..., in]`` with ``[out, in]``, or R stacked, ``[..., R, B, in]`` with ``[R, out, in]``."""
    if weight.dim() == 2:
        return F.linear(x, weight, bias)
    if x.dim() == 3:
        return torch.baddbmm(bias.unsqueeze(-2), x, weight.mT)
    return x @ weight.mT + bias.unsqueeze(-2)
