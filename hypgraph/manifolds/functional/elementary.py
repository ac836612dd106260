"""Elementary functions in forms that neither cancel, overflow nor lose their gradient at zero."""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

__all__ = ["asinh", "log_sinhc", "norm", "sinhc", "tanhc", "unit"]

# log(sinh(x)/x) = Σ 2^(2n-1) B_2n x^2n / (n (2n)!), from the power 16 down to x².
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
_LOG_SINHC_SLOPE_SERIES = tuple(c * power for c, power in zip(_LOG_SINHC_SERIES, range(16, 0, -2), strict=True))
_LOG_SINHC_SWITCH = 0.25


def norm(x: Tensor, *, keepdim: bool = False) -> Tensor:
    """Euclidean norm of the last axis, with gradient 0 at the zero vector."""
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=keepdim)
    return length


class _Asinh(torch.autograd.Function):
    """log1p is vectorised on the CPU where torch.asinh is not: a third of the time for gyroplane layers."""

    generate_vmap_rule = True

    @staticmethod
    @override
    def forward(x: Tensor) -> Tensor:
        ratio = torch.square(x).add_(1).sqrt_().add_(1).reciprocal_().mul_(x).mul_(x)
        return ratio.add_(x.abs()).log1p_().copysign_(x)

    @staticmethod
    @override
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    @override
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad: Tensor = grad_outputs[0] * (x * x + 1).rsqrt()
        return grad


def asinh(x: Tensor) -> Tensor:
    """Inverse hyperbolic sine log1p(x + x²/(1+√(x²+1))), odd; overflows where x² does.

    >>> asinh(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.8814,  0.0000,  0.8814])
    """
    result: Tensor = _Asinh.apply(x)
    return result


def unit(x: Tensor, *, length: Tensor | None = None) -> Tensor:
    """``x / ‖x‖`` along the last axis; the zero vector, which has no direction, stays zero.

    Args:
        x: ``[..., d]``.
        length: ``‖x‖`` of shape ``[...]`` where it is known already.
    """
    length = norm(x) if length is None else length
    # A product is cheaper than a quotient, above all in the backward pass.
    return x * torch.where(length > 0, length, 1.0).reciprocal().unsqueeze(-1)


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


def _polynomial(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    """Horner's rule, from the highest power down to the constant."""
    value = torch.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


class _LogSinhc(torch.autograd.Function):
    """The gradient by its own formula: half the operations of differentiating the two branches."""

    generate_vmap_rule = True

    @staticmethod
    @override
    def forward(x: Tensor) -> Tensor:
        near = x < _LOG_SINHC_SWITCH
        square = torch.where(near, x, 0.0).square()
        far = torch.where(near, 1.0, x)
        series = square * _polynomial(_LOG_SINHC_SERIES, square)
        return torch.where(near, series, far + torch.log1p(-torch.exp(-2 * far)) - torch.log(2 * far))

    @staticmethod
    @override
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    @override
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        near = x < _LOG_SINHC_SWITCH
        small = torch.where(near, x, 0.0)
        far = torch.where(near, 1.0, x)
        series = small * _polynomial(_LOG_SINHC_SLOPE_SERIES, small.square())
        slope: Tensor = torch.where(near, series, torch.tanh(far).reciprocal() - far.reciprocal())
        return grad_outputs[0] * slope


def log_sinhc(x: Tensor) -> Tensor:
    """``log(sinh(x)/x)`` for ``x ≥ 0``: its series below 1/4, ``x + log1p(-exp(-2x)) - log(2x)`` above.

    Value and gradient, coth x - 1/x, have absolute error of a few machine epsilons at every x; no overflow.

    >>> log_sinhc(torch.tensor([0.0, 1.0, 1e4]))
    tensor([0.0000e+00, 1.6144e-01, 9.9901e+03])
    """
    result: Tensor = _LogSinhc.apply(x)
    return result
