"""Elementary functions in forms that neither cancel, overflow nor lose their gradient at zero."""

import torch
from torch import Tensor

__all__ = ["log_sinhc", "norm", "sinhc", "tanhc", "unit"]

# log(sinh(x)/x) = Σ 2^(2n-1) B_2n x^2n / (n (2n)!), from the highest power down to x².
_LOG_SINHC_SERIES = (
    -3617 / 2605132530000,
    2 / 127702575,
    -691 / 3831077250,
    1 / 467775,
    -1 / 37800,
    1 / 2835,
    -1 / 180,
    1 / 6,
)
_LOG_SINHC_SWITCH = 0.25


def norm(x: Tensor, *, keepdim: bool = False) -> Tensor:
    """Euclidean norm of the last axis, with gradient 0 at the zero vector."""
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=keepdim)
    return length


def unit(x: Tensor, *, length: Tensor | None = None) -> Tensor:
    """``x / ‖x‖`` along the last axis; the zero vector, which has no direction, stays zero.

    Args:
        x: ``[..., d]``.
        length: ``‖x‖`` of shape ``[...]`` where it is known already.
    """
    length = (norm(x) if length is None else length).unsqueeze(-1)
    return x / torch.where(length > 0, length, 1.0)


def tanhc(x: Tensor) -> Tensor:
    """``tanh(x)/x``, 1 at 0.

    >>> tanhc(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.7616])
    """
    nonzero = x != 0
    safe = torch.where(nonzero, x, 1.0)
    return torch.where(nonzero, torch.tanh(safe) / safe, 1.0)


def sinhc(x: Tensor) -> Tensor:
    """``sinh(x)/x``, 1 at 0.

    >>> sinhc(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.1752])
    """
    nonzero = x != 0
    safe = torch.where(nonzero, x, 1.0)
    return torch.where(nonzero, torch.sinh(safe) / safe, 1.0)


def log_sinhc(x: Tensor) -> Tensor:
    """``log(sinh(x)/x)`` for ``x ≥ 0``: its series below 1/4, ``x + log1p(-exp(-2x)) - log(2x)`` above.

    Value and gradient have absolute error of a few machine epsilons at every x, and no overflow.

    >>> log_sinhc(torch.tensor([0.0, 1.0, 1e4]))
    tensor([0.0000e+00, 1.6144e-01, 9.9901e+03])
    """
    near = x < _LOG_SINHC_SWITCH
    square = torch.where(near, x, 0.0).square()
    series = square * _LOG_SINHC_SERIES[0]
    for coefficient in _LOG_SINHC_SERIES[1:]:
        series = (series + coefficient) * square
    far = torch.where(near, 1.0, x)
    return torch.where(near, series, far + torch.log1p(-torch.exp(-2 * far)) - torch.log(2 * far))
