"""sinh(x)/x and its kin against mpmath, value and gradient."""

from collections.abc import Callable

import mpmath as mp
import pytest
import torch
from torch import Tensor

from hypgraph.manifolds.functional.elementary import asinh, log_sinhc, norm, sinhc, tanhc, unit

from . import oracle
from .points import F64

EPS = torch.finfo(F64).eps
GRID = sorted(
    [*(10.0**k for k in range(-12, 4)), 0.03, 0.2, 0.2499999, 0.25, 0.2500001, 0.3, 2.0, 5.0, 30.0, 400.0]
)
WITHIN_SINH = [x for x in GRID if x < 700]

EXACT: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[mp.mpf], mp.mpf], Callable[[mp.mpf], mp.mpf]]] = {
    "tanhc": (tanhc, lambda x: mp.tanh(x) / x, lambda x: mp.sech(x) ** 2 / x - mp.tanh(x) / x**2),
    "sinhc": (sinhc, lambda x: mp.sinh(x) / x, lambda x: mp.cosh(x) / x - mp.sinh(x) / x**2),
    "log_sinhc": (log_sinhc, lambda x: mp.log(mp.sinh(x) / x), lambda x: mp.coth(x) - 1 / x),
}


def value_and_slope(function: Callable[[Tensor], Tensor], x: float) -> tuple[float, float]:
    at = torch.tensor(x, dtype=F64, requires_grad=True)
    value = function(at)
    (slope,) = torch.autograd.grad(value, at)
    return value.item(), slope.item()


@pytest.mark.parametrize("x", WITHIN_SINH)
@pytest.mark.parametrize("name", ["tanhc", "sinhc"])
def test_ratio_functions_and_their_slopes_are_exact(name: str, x: float) -> None:
    function, exact, exact_slope = EXACT[name]
    for signed in (x, -x):
        value, slope = value_and_slope(function, signed)
        truth = exact(mp.mpf(signed))
        assert oracle.relative_error(value, truth) <= 4 * EPS
        # What counts is the slope times the length x that it is the slope in: d(f(‖u‖)u) = f du + f'·‖u‖ û.
        wrong = abs(mp.mpf(slope) - exact_slope(mp.mpf(signed))) * x
        assert wrong <= 8 * EPS * (abs(truth) + abs(exact_slope(mp.mpf(signed))) * x)


@pytest.mark.parametrize("x", GRID)
def test_log_sinhc_and_its_slope_are_exact_to_a_few_epsilons(x: float) -> None:
    function, exact, exact_slope = EXACT["log_sinhc"]
    value, slope = value_and_slope(function, x)
    truth, true_slope = exact(mp.mpf(x)), exact_slope(mp.mpf(x))
    assert abs(mp.mpf(value) - truth) <= 4 * EPS * max(truth, 1)
    assert abs(mp.mpf(slope) - true_slope) <= 8 * EPS
    if x < 0.125:  # where it is a series the slope keeps its digits
        assert oracle.relative_error(slope, true_slope) <= 8 * EPS


def test_log_sinhc_does_not_overflow_at_any_radius() -> None:
    x = torch.tensor([1e3, 1e5, 1e150], dtype=F64, requires_grad=True)
    value = log_sinhc(x)
    torch.testing.assert_close(value, x.detach() - torch.log(2 * x.detach()), rtol=1e-15, atol=0.0)
    value.sum().backward()
    torch.testing.assert_close(x.grad, 1 - 1 / x.detach(), rtol=1e-15, atol=0.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_elementary_functions_at_zero_have_their_limits_and_a_zero_gradient(dtype: torch.dtype) -> None:
    for function, limit in ((tanhc, 1.0), (sinhc, 1.0), (log_sinhc, 0.0)):
        zero = torch.zeros((), dtype=dtype, requires_grad=True)
        value = function(zero)
        value.backward()
        assert (value.item(), zero.grad.item()) == (limit, 0.0)
        assert value.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_asinh_is_exact_odd_and_has_its_slope(dtype: torch.dtype) -> None:
    eps, largest = torch.finfo(dtype).eps, torch.finfo(dtype).max ** 0.5
    for x in (0.0, 1e-30, 1e-9, 1e-3, 0.5, 1.0, 7.0, 1e4, 1e9, 0.5 * largest):
        for signed in (x, -x):
            at = torch.tensor(signed, dtype=dtype, requires_grad=True)
            value = asinh(at)
            (slope,) = torch.autograd.grad(value, at)
            exact = mp.mpf(at.item())
            assert oracle.relative_error(value, mp.asinh(exact)) <= 4 * eps
            assert oracle.relative_error(slope, 1 / mp.sqrt(1 + exact**2)) <= 4 * eps
            assert value.dtype == dtype
    at = torch.linspace(-3, 3, 7, dtype=F64, requires_grad=True)
    assert torch.autograd.gradgradcheck(asinh, at)
    torch.testing.assert_close(torch.func.vmap(asinh)(at), torch.asinh(at))


@pytest.mark.parametrize("name", EXACT)
def test_elementary_functions_in_float32_keep_its_digits(name: str) -> None:
    function, exact, _ = EXACT[name]
    for x in (1e-6, 1e-3, 0.1, 0.24, 0.26, 1.0, 8.0, 80.0):
        x32 = torch.tensor(x, dtype=torch.float32)
        truth = exact(mp.mpf(x32.item()))
        allowed = 4 * torch.finfo(torch.float32).eps * (max(truth, 1) if name == "log_sinhc" else truth)
        assert abs(mp.mpf(function(x32).item()) - truth) <= allowed


def test_norm_and_unit_of_the_zero_vector() -> None:
    x = torch.zeros(2, 3, requires_grad=True)
    norm(x).sum().backward()
    assert not x.grad.any()
    assert not unit(torch.zeros(3)).any()
    assert norm(torch.ones(2, 4), keepdim=True).tolist() == [[2.0], [2.0]]


def test_unit_is_the_direction_and_takes_a_known_length() -> None:
    x = torch.tensor([[3.0, 4.0], [0.0, -2.0], [0.0, 0.0]], dtype=F64)
    expected = torch.tensor([[0.6, 0.8], [0.0, -1.0], [0.0, 0.0]], dtype=F64)
    torch.testing.assert_close(unit(x), expected, rtol=EPS, atol=0.0)
    torch.testing.assert_close(unit(x, length=norm(x)), expected, rtol=EPS, atol=0.0)
    torch.testing.assert_close(unit(x, length=torch.full((3,), 2.0, dtype=F64)), x / 2, rtol=0.0, atol=0.0)
