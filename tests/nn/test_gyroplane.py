"""Gyroplane layers against the paper's formula in mpmath, their flat limit, and the memory they take."""

import math
from typing import Any

import mpmath as mp
import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.nn import Gyroplane
from hypgraph.nn.gyroplane import tight_frame
from tests.distributions.reference import F64, place, seeded, spaces
from tests.manifolds import oracle
from tests.nn.memory import LargestTensor


def layer_of(manifold: Manifold, count: int, *, dtype: torch.dtype = F64) -> Gyroplane:
    """A layer with offsets of either sign."""
    layer = Gyroplane(manifold, count, generator=seeded(0), dtype=dtype)
    with torch.no_grad():
        layer.bias.copy_(torch.linspace(-0.6, 0.9, count, dtype=dtype) / manifold.dim**0.5)
    return layer


def paper_distance(z: oracle.Vector, normal: oracle.Vector, offset: mp.mpf, c: mp.mpf) -> mp.mpf:
    """(1/√c) asinh(2√c⟨-p⊕z,a⟩ / ((1-c‖-p⊕z‖²)‖a‖)), p at geodesic distance ``offset`` along ``normal``."""
    foot = oracle.scale(mp.tanh(mp.sqrt(c) * offset / 2) / (mp.sqrt(c) * oracle.norm(normal)), normal)
    difference = oracle.mobius_add(oracle.scale(mp.mpf(-1), foot), z, c)
    numerator = 2 * mp.sqrt(c) * oracle.dot(difference, normal)
    denominator = (1 - c * oracle.dot(difference, difference)) * oracle.norm(normal)
    return mp.asinh(numerator / denominator) / mp.sqrt(c)


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_the_layer_is_the_full_formula_of_the_paper(c: float, dim: int) -> None:
    ball, sheet, count = PoincareBall(dim, c), Lorentz(dim, c), 6
    layer = layer_of(ball, count)
    z = place(ball, 1.5 * torch.randn(8, dim, dtype=F64, generator=seeded(1)))
    output = layer(z)
    on_sheet = Gyroplane(sheet, count)
    on_sheet.load_state_dict(layer.state_dict())
    torch.testing.assert_close(on_sheet(ball.to_lorentz(z)), output, rtol=1e-11, atol=1e-11)
    curvature = mp.mpf(c)
    for k in range(count):
        weight, bias = oracle.exact(layer.weight[k]), mp.mpf(layer.bias[k].item())
        length = oracle.norm(weight)
        for i in range(len(z)):
            distance = paper_distance(oracle.exact(z[i]), weight, -bias / length, curvature)
            truth = length * distance
            assert abs(output[i, k].item() - truth) <= 1e-11 * (1 + abs(truth))


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_distances_are_signed_lengths_to_the_foot_point_and_zero_on_the_gyroplane(manifold: Manifold) -> None:
    normals = tight_frame(4, 3, generator=seeded(0))
    offsets = torch.tensor([-2.0, -0.3, 0.0, 1.5], dtype=F64)
    for k, shift in ((0, 0.7), (1, -1.2), (2, 0.4), (3, 2.0)):
        along = place(manifold, (offsets[k] + shift) * normals[k])
        distances = manifold.dist_to_gyroplanes(along, normals, offsets)
        assert abs(distances[k].item() - shift) < 1e-13
        from_polar = manifold.dist_to_gyroplanes(manifold.to_polar(along), normals, offsets)
        torch.testing.assert_close(from_polar, distances, rtol=1e-12, atol=1e-12)
    feet = place(manifold, (offsets[[0, 1, 3]].unsqueeze(-1) * normals[[0, 1, 3]]))
    on_planes = manifold.dist_to_gyroplanes(feet, normals[[0, 1, 3]], offsets[[0, 1, 3]]).diagonal()
    assert on_planes.abs().max() < 1e-14


@pytest.mark.parametrize("shape", [(), (7,), (2, 7), (0,)], ids=str)
@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_leading_axes_are_kept(manifold: Manifold, shape: tuple[int, ...]) -> None:
    z = place(manifold, torch.randn(*shape, 3, dtype=F64, generator=seeded(0)))
    assert layer_of(manifold, 4)(z).shape == (*shape, 4)


@pytest.mark.parametrize("manifold", [PoincareBall(4, 1e-8), Lorentz(4, 1e-8), Euclidean(4)], ids=str)
def test_without_curvature_it_is_the_linear_layer_of_its_flat_twin(manifold: Manifold) -> None:
    layer, twin = layer_of(manifold, 5), layer_of(Euclidean(4), 5)
    vector = torch.randn(9, 4, dtype=F64, generator=seeded(1))
    linear = torch.nn.functional.linear(vector, twin.weight, twin.bias)
    tolerance = 1e-14 if isinstance(manifold, Euclidean) else 1e-6
    torch.testing.assert_close(layer(Polar.of(vector)), linear, rtol=tolerance, atol=tolerance)
    linear.square().sum().backward()
    layer(Polar.of(vector)).square().sum().backward()
    for own, other in zip(layer.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_a_weight_of_zero_gives_its_bias_and_in_curved_space_no_gradient(manifold: Manifold) -> None:
    layer = layer_of(manifold, 4)
    with torch.no_grad():
        layer.weight[2] = 0
    z = place(manifold, torch.randn(6, 3, dtype=F64, generator=seeded(1))).requires_grad_()
    output = layer(z)
    assert torch.equal(output[:, 2], layer.bias[2].expand(6))
    output.sum().backward()
    assert torch.isfinite(layer.weight.grad).all()
    if manifold.c_value:
        assert not layer.weight.grad[2].any()
    else:  # a linear layer like any other
        torch.testing.assert_close(layer.weight.grad[2], z.detach().sum(0))
    assert layer.weight.grad[[0, 1, 3]].abs().min() > 0
    torch.testing.assert_close(layer.bias.grad[2].item(), 6.0)
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_small_weights_tend_to_the_bias_without_overflow(manifold: Manifold, dtype: torch.dtype) -> None:
    """The offset -2b/‖w‖ is then thousands of lengths away, where its hyperbolic sine overflows."""
    for size in (1e-1, 1e-2, 1e-3, 1e-6):
        layer = Gyroplane(manifold, 2, generator=seeded(0), dtype=dtype)
        with torch.no_grad():
            layer.weight.mul_(size / layer.weight.norm(dim=-1, keepdim=True))
            layer.bias.copy_(torch.tensor([1.0, -1.0]))
        output = layer(place(manifold, torch.tensor([[0.3, -0.2, 0.1], [0.0, 1.0, 0.5]], dtype=dtype)))
        assert (output - layer.bias).abs().max() < 2 * size
        gradients = torch.autograd.grad(output.sum(), list(layer.parameters()))
        assert all(torch.isfinite(gradient).all() for gradient in gradients)
        torch.testing.assert_close(gradients[1], torch.full((2,), 2.0, dtype=dtype), rtol=0.1, atol=0)


@pytest.mark.parametrize("manifold", spaces(2), ids=str)
def test_gradients_are_those_of_finite_differences(manifold: Manifold) -> None:
    layer = layer_of(manifold, 3)
    vector = torch.randn(4, 2, dtype=F64, generator=seeded(1), requires_grad=True)

    def function(v: Tensor, weight: Tensor, bias: Tensor) -> Any:
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (place(manifold, v),))

    assert torch.autograd.gradcheck(function, (vector, layer.weight, layer.bias), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("manifold", [PoincareBall(40), Lorentz(40), Euclidean(40)], ids=str)
def test_no_tensor_of_points_times_gyroplanes_times_dimensions_is_built(manifold: Manifold) -> None:
    points, count = 64, 48
    layer = layer_of(manifold, count)
    z = place(manifold, torch.randn(points, 40, dtype=F64, generator=seeded(1)) / 6).requires_grad_()
    with LargestTensor() as largest:
        layer(z).sum().backward()
    assert points * count <= largest.elements <= 4 * points * max(count, 40)


def test_initial_weights_have_the_bound_of_a_linear_layer_and_come_from_the_generator() -> None:
    before = torch.get_rng_state()
    one, two, other = (Gyroplane(PoincareBall(16), 500, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.weight, two.weight)
    assert not torch.equal(one.weight, other.weight)
    assert 0.24 < one.weight.abs().max() <= 0.25
    assert abs(one.weight.mean()) < 0.01
    assert one.weight.dtype == F64
    assert not one.bias.any()


@pytest.mark.parametrize(("count", "dim"), [(32, 16), (32, 2), (7, 2), (6, 3), (5, 1), (32, 32)])
def test_a_tight_frame_spreads_unit_vectors_evenly(count: int, dim: int) -> None:
    frame = tight_frame(count, dim, generator=seeded(0))
    assert frame.shape == (count, dim)
    torch.testing.assert_close(frame.norm(dim=-1), torch.ones(count, dtype=F64), rtol=1e-14, atol=0)
    torch.testing.assert_close(frame.mT @ frame, count / dim * torch.eye(dim, dtype=F64), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("count", "dim"), [(32, 5), (3, 4), (1, 3)])
def test_a_frame_of_an_odd_count_is_as_even_as_it_can_be(count: int, dim: int) -> None:
    frame = tight_frame(count, dim, generator=seeded(0))
    assert frame.shape == (count, dim)
    eigenvalues = torch.linalg.eigvalsh(frame.mT @ frame)
    assert eigenvalues.min() > count // dim - 1e-12
    assert eigenvalues.max() < math.ceil(count / dim) + 1e-12


def test_directions_in_the_plane_differ_by_equal_angles_as_lines() -> None:
    frame = tight_frame(8, 2)
    angles = torch.atan2(frame[:, 1], frame[:, 0]) % math.pi
    torch.testing.assert_close(
        angles.sort().values, torch.arange(8, dtype=F64) * math.pi / 8, rtol=1e-12, atol=1e-12
    )


def test_a_frame_comes_from_the_generator_in_the_precision_asked_for() -> None:
    before = torch.get_rng_state()
    one, two, other = (tight_frame(8, 3, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    for dim in (2, 3):
        assert tight_frame(4, dim, generator=seeded(0), dtype=torch.float32).dtype == torch.float32
