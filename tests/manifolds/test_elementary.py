"""sinh(x)/x and its kin against mpmath, value and gradient."""

from collections.abc import Callable

import mpmath as mp
import pytest
import torch
from torch import Tensor

from hypgraph.manifolds.functional.elementary import asinh, log_sinhc, norm, scaled_asinh, sinhc, tanhc, unit

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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scaled_asinh_is_that_of_mpmath(dtype: torch.dtype) -> None:
    eps = torch.finfo(dtype).eps
    x = torch.tensor([-1e9, -3.0, -1e-9, 0.0, 1e-30, 0.5, 7.0, 1e15], dtype=dtype)
    factor, shift = torch.tensor(1.7, dtype=dtype), torch.tensor(-0.4, dtype=dtype)
    values = scaled_asinh(x, factor, shift)
    assert values.dtype == dtype
    for value, at in zip(values, x, strict=True):
        term = mp.mpf(factor.item()) * mp.asinh(mp.mpf(at.item()))
        truth = mp.mpf(shift.item()) + term
        assert abs(mp.mpf(value.item()) - truth) <= 4 * eps * (abs(term) + abs(mp.mpf(shift.item())))


@pytest.mark.parametrize(
    "shapes", [((4, 3), (3,), (3,)), ((2, 4, 3), (2, 1, 3), (2, 1, 3)), ((3,), (), (3,))], ids=str
)
def test_derivatives_of_scaled_asinh_are_those_of_finite_differences(shapes: tuple[tuple[int, ...], ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn(shape, dtype=F64, generator=generator).requires_grad_() for shape in shapes]
    assert torch.autograd.gradcheck(scaled_asinh, inputs)
    assert torch.autograd.gradgradcheck(scaled_asinh, inputs)
    for number in range(3):  # each alone
        alone = [tensor.detach().requires_grad_(k == number) for k, tensor in enumerate(inputs)]
        assert torch.autograd.gradcheck(scaled_asinh, alone)


def test_scaled_asinh_in_float32_is_as_good_as_one_rounded_last_and_gradients_fit_the_arguments() -> None:
    generator = torch.Generator().manual_seed(1)
    x, factor, shift = (torch.randn(shape, dtype=F64, generator=generator) for shape in ((50, 3), (3,), (3,)))
    inputs = [tensor.requires_grad_() for tensor in (x, factor, shift)]
    rounded = scaled_asinh(*inputs, dtype=torch.float32)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, scaled_asinh(*inputs).float(), rtol=5e-7, atol=5e-7)
    weight = torch.randn(50, 3, generator=generator)
    gradients = torch.autograd.grad((rounded * weight).sum(), inputs)
    plain = (shift + factor * torch.asinh(x)) * weight.double()
    for gradient, expected in zip(gradients, torch.autograd.grad(plain.sum(), inputs), strict=True):
        assert gradient.dtype == F64
        torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-6)
    slope = weight.double() * factor / (x * x + 1).sqrt()
    torch.testing.assert_close(gradients[0], slope, rtol=1e-6, atol=1e-300)
    full = torch.autograd.grad((scaled_asinh(*inputs) * weight).sum(), inputs[0])[0]
    torch.testing.assert_close(full, slope, rtol=1e-14, atol=1e-300)


def test_scaled_asinh_overwrites_none_of_its_arguments() -> None:
    x, factor, shift = (torch.linspace(-2, 2, 5, dtype=F64).requires_grad_() for _ in range(3))
    before = x.detach().clone()
    value = scaled_asinh(x, factor, shift)
    grad = torch.ones_like(value)
    first = torch.autograd.grad(value, (x, factor, shift), grad, retain_graph=True)
    again = torch.autograd.grad(value, (x, factor, shift), grad)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(torch.equal(tensor, before) for tensor in (x, factor, shift))
    assert torch.equal(grad, torch.ones_like(grad))


def test_scaled_asinh_goes_through_vmap() -> None:
    x, factor = torch.linspace(-3, 3, 12, dtype=F64).view(4, 3), torch.tensor([1.0, 2.0, -0.5], dtype=F64)

    def layer(row: Tensor) -> Tensor:
        return scaled_asinh(row, factor, torch.ones(3, dtype=F64))

    torch.testing.assert_close(torch.func.vmap(layer)(x), factor * torch.asinh(x) + 1.0)
    slope = torch.func.vmap(torch.func.grad(lambda row: layer(row).sum()))(x)
    torch.testing.assert_close(slope, factor / (x * x + 1).sqrt())


def test_scaled_asinh_holds_where_squares_overflow() -> None:
    for dtype, largest, rtol in ((torch.float32, 37, 3e-7), (F64, 307, 1e-15)):
        x = torch.cat([10.0 ** torch.arange(-largest, largest, dtype=F64), torch.zeros(1, dtype=F64)])
        x = torch.cat([x, -x]).requires_grad_()
        one, zero = torch.ones(1, dtype=F64), torch.zeros(1, dtype=F64)
        value = scaled_asinh(x, one, zero, dtype=dtype)
        truth = torch.tensor([float(mp.asinh(mp.mpf(float(v)))) for v in x.detach()], dtype=F64)
        torch.testing.assert_close(value.double(), truth, rtol=rtol, atol=0)
        (slope,) = torch.autograd.grad(value.double().sum(), x)
        true_slope = [float(1 / mp.sqrt(mp.mpf(float(v)) ** 2 + 1)) for v in x.detach()]
        torch.testing.assert_close(slope, torch.tensor(true_slope, dtype=F64), rtol=2 * rtol, atol=0)
