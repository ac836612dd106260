"""Decoders of vectors: each leaves the manifold as its paper says, and they differ in nothing else."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import MANIFOLDS, Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.manifolds.functional import ball as ball_maps
from hypgraph.nn import VECTOR_DECODERS, Curvature, VectorDecoder
from tests.distributions.reference import F64, place, seeded, spaces
from tests.manifolds import oracle

HIDDEN, FEATURES = 7, 5
each_decoder = pytest.mark.parametrize("name", VECTOR_DECODERS)


def decoder_of(name: str, manifold: Manifold, *, dtype: torch.dtype = F64) -> VectorDecoder:
    """In float64 throughout, with biases of either sign."""
    decoder = VECTOR_DECODERS[name](manifold, HIDDEN, FEATURES, generator=seeded(0), dtype=dtype).to(dtype)
    if name == "gyroplane":
        with torch.no_grad():
            decoder.gyroplanes.bias.copy_(torch.linspace(-0.6, 0.9, HIDDEN))
    return decoder


def some_points(manifold: Manifold, *, count: int = 8, reach: float = 1.5, seed: int = 1) -> Tensor:
    return place(manifold, reach * torch.randn(count, manifold.dim, dtype=F64, generator=seeded(seed)))


def rest(decoder: VectorDecoder, first: Tensor) -> Tensor:
    """ReLU and the linear layer."""
    return first.clamp(min=0) @ decoder.out.weight.mT + decoder.out.bias


def close(value: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-10)


# --- the first layers ---


@pytest.mark.parametrize("c", [0.3, 1.4])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_gyroplane_outputs_are_the_distances_to_one_gyroplane_after_the_other(dim: int, c: float) -> None:
    ball = PoincareBall(dim, c)
    decoder, z = decoder_of("gyroplane", ball), some_points(ball)
    columns = []
    for weight, bias in zip(decoder.gyroplanes.weight, decoder.gyroplanes.bias, strict=True):
        length = weight.norm()
        radius = -bias / length
        foot = torch.tanh(c**0.5 * radius / 2) / c**0.5 * weight / length
        columns.append(length * ball.dist_to_gyroplane(z, foot, weight))
    close(decoder(z), rest(decoder, torch.stack(columns, dim=-1)))


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_a_linear_decoder_reads_the_coordinates(manifold: Manifold) -> None:
    decoder, z = decoder_of("linear", manifold), some_points(manifold)
    lengths = 2 * z if isinstance(manifold, PoincareBall) else z  # near the origin
    close(decoder(z), rest(decoder, lengths @ decoder.linear.weight.mT + decoder.linear.bias))


@pytest.mark.parametrize("c", [0.3, 1.4])
def test_a_logmap_decoder_reads_the_frame_vector_of_the_textbook(c: float) -> None:
    ball = PoincareBall(3, c)
    decoder, z = decoder_of("logmap", ball), some_points(ball)
    length = z.norm(dim=-1, keepdim=True)
    frame = 2 / c**0.5 * torch.atanh(c**0.5 * length) * z / length  # 2 log₀ z, since λ₀ = 2
    close(decoder(z), rest(decoder, frame @ decoder.linear.weight.mT + decoder.linear.bias))


def mobius_matvec(m: oracle.Vector, x: oracle.Vector, c: mp.mpf) -> mp.mpf:
    """(1/√c) tanh(‖Mx‖/‖x‖ artanh(√c‖x‖)) Mx/‖Mx‖ with ``m`` = Mx (Ganea et al. 2018, equation 27)."""
    ratio = oracle.norm(m) / oracle.norm(x)
    size = mp.tanh(ratio * mp.atanh(mp.sqrt(c) * oracle.norm(x))) / mp.sqrt(c)
    return oracle.scale(size / oracle.norm(m), m)


@pytest.mark.parametrize("c", [0.3, 1.4])
@pytest.mark.parametrize("dim", [1, 2, 5])
@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
def test_a_mobius_decoder_is_the_layer_of_ganea_and_its_logarithm(
    space: type[PoincareBall | Lorentz], dim: int, c: float
) -> None:
    decoder, ball, exact_c = decoder_of("mobius", space(dim, c)), PoincareBall(dim, c), mp.mpf(c)
    z = some_points(ball, count=4)
    bias = oracle.exact(decoder.bias)
    half = oracle.norm(bias) / 2  # the frame vector b has ball coordinates b/2 in the tangent space
    b = oracle.scale(mp.tanh(mp.sqrt(exact_c) * half) / (mp.sqrt(exact_c) * 2 * half), bias)
    rows = []
    for point in z:
        x = oracle.exact(point)
        product = mobius_matvec([oracle.dot(oracle.exact(row), x) for row in decoder.weight], x, exact_c)
        y = oracle.mobius_add(product, b, exact_c)
        length = oracle.norm(y)
        frame = oracle.scale(2 * mp.atanh(mp.sqrt(exact_c) * length) / (mp.sqrt(exact_c) * length), y)
        rows.append([float(entry) for entry in frame])
    at = ball.to_lorentz(z) if space is Lorentz else z
    close(decoder(at), rest(decoder, torch.tensor(rows, dtype=F64)))


def test_the_order_of_a_mobius_sum_counts() -> None:
    ball = PoincareBall(2, 1.4)
    decoder, z = decoder_of("mobius", ball), some_points(ball)
    wide = PoincareBall(HIDDEN, 1.4)
    product = wide.expmap0(ball.logmap0(z) @ decoder.weight.mT)
    bias = wide.expmap0(decoder.bias / 2)
    right = 2 * wide.logmap0(ball_maps.mobius_add(product, bias, c=1.4))
    wrong = 2 * wide.logmap0(ball_maps.mobius_add(bias, product, c=1.4))
    close(decoder.first(ball.to_polar(z)), right)
    assert (right - wrong).abs().max() > 0.05


# --- all alike ---


@pytest.mark.parametrize("latent", MANIFOLDS)
@pytest.mark.parametrize("dim", [1, 2, 10])
def test_decoders_have_the_same_number_of_parameters(latent: str, dim: int) -> None:
    manifold = MANIFOLDS[latent](dim, 1.2)
    counts = {
        name: sum(parameter.numel() for parameter in decoder_of(name, manifold).parameters())
        for name in VECTOR_DECODERS
    }
    more = HIDDEN if latent == "lorentz" else 0  # there coordinates are d+1 numbers
    expected = (dim + 1) * HIDDEN + (HIDDEN + 1) * FEATURES
    assert counts == {name: expected + (more if name == "linear" else 0) for name in VECTOR_DECODERS}


@each_decoder
def test_in_flat_space_every_decoder_is_the_same_perceptron(name: str) -> None:
    decoder = decoder_of(name, Euclidean(3))
    layer = {"gyroplane": "gyroplanes", "linear": "linear", "logmap": "linear"}.get(name)
    part = decoder if layer is None else getattr(decoder, layer)
    z = some_points(Euclidean(3))
    expected = np.maximum(z.numpy() @ part.weight.detach().numpy().T + part.bias.detach().numpy(), 0)
    expected = expected @ decoder.out.weight.detach().numpy().T + decoder.out.bias.detach().numpy()
    np.testing.assert_allclose(decoder(z).detach(), expected, rtol=1e-12, atol=1e-12)


@each_decoder
@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_coordinates_and_polar_coordinates_give_the_same(name: str, manifold: Manifold) -> None:
    decoder, z = decoder_of(name, manifold), some_points(manifold)
    close(decoder(manifold.to_polar(z)), decoder(z))


@pytest.mark.parametrize("name", ["gyroplane", "logmap", "mobius"])
def test_both_models_of_hyperbolic_space_give_the_same(name: str) -> None:
    ball, sheet = PoincareBall(2, 0.8), Lorentz(2, 0.8)
    on_ball, on_sheet = decoder_of(name, ball), decoder_of(name, sheet)
    on_sheet.load_state_dict(on_ball.state_dict())
    z = some_points(ball)
    close(on_sheet(ball.to_lorentz(z)), on_ball(z))


@each_decoder
def test_a_vanishing_curvature_tends_to_flat_space(name: str) -> None:
    """At the same weights and the same way from the origin."""
    flat, curved = decoder_of(name, Euclidean(2)), decoder_of(name, PoincareBall(2, 1e-7))
    curved.load_state_dict(flat.state_dict())
    v = torch.randn(8, 2, dtype=F64, generator=seeded(3))
    torch.testing.assert_close(curved(Polar.of(v)), flat(v), rtol=1e-5, atol=1e-5)


@each_decoder
@pytest.mark.parametrize("manifold", spaces(2), ids=str)
@pytest.mark.parametrize("batch", [(), (0,), (3,), (2, 3), (2, 1, 3)], ids=str)
def test_leading_axes_are_batches(name: str, manifold: Manifold, batch: tuple[int, ...]) -> None:
    decoder = decoder_of(name, manifold)
    z = some_points(manifold, count=math.prod(batch)).view(*batch, manifold.ambient_dim)
    out = decoder(z)
    assert out.shape == (*batch, FEATURES)
    close(out.reshape(-1, FEATURES), decoder(z.reshape(-1, manifold.ambient_dim)))


# --- gradients, precision, far points ---


@each_decoder
@pytest.mark.parametrize("manifold", spaces(2), ids=str)
def test_gradients_are_those_of_finite_differences(name: str, manifold: Manifold) -> None:
    decoder = decoder_of(name, manifold)
    vector = torch.randn(4, 2, dtype=F64, generator=seeded(4), requires_grad=True)
    names = [key for key, _ in decoder.named_parameters()]

    def function(v: Tensor, *values: Tensor) -> Tensor:
        state = dict(zip(names, values, strict=True))
        output: Tensor = torch.func.functional_call(decoder, state, (Polar.of(v),))
        return output

    values = [parameter.detach().clone().requires_grad_() for parameter in decoder.parameters()]
    assert torch.autograd.gradcheck(function, (vector, *values), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
@each_decoder
def test_gradients_reach_a_learnt_curvature(name: str, space: type[PoincareBall | Lorentz]) -> None:
    curvature = Curvature(0.9)
    decoder = decoder_of(name, space(2, curvature))
    point = Polar.of(torch.randn(4, 2, dtype=F64, generator=seeded(4)))
    decoder(point).sum().backward()
    if name == "logmap":  # frame vectors know of no curvature
        assert curvature.log_ratio.grad is None
        return

    def value(log_ratio: float) -> float:
        fixed = decoder_of(name, space(2, 0.9 * math.exp(log_ratio)))
        return fixed(point).sum().item()

    slope = (value(1e-5) - value(-1e-5)) / 2e-5
    assert curvature.log_ratio.grad is not None
    assert curvature.log_ratio.grad.item() == pytest.approx(slope, rel=1e-6, abs=1e-8)
    assert abs(slope) > 1e-3


@each_decoder
@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
@pytest.mark.parametrize("c", [0.1, 1.4])
def test_far_points_have_finite_outputs_and_gradients(
    name: str, dtype: torch.dtype, space: type[PoincareBall | Lorentz], c: float
) -> None:
    """As far as draws are pulled in: √c r = 36, in float32 15."""
    manifold = space(2, c)
    decoder = VECTOR_DECODERS[name](manifold, HIDDEN, FEATURES, generator=seeded(0), dtype=dtype)
    angles = torch.tensor([0.0, 1e-9, 15.0] if dtype == torch.float32 else [0.0, 1e-9, 15.0, 30.0, 36.0])
    direction = torch.tensor([[0.6, 0.8], [-1.0, 0.0]], dtype=dtype)
    radius = (angles.to(dtype) / c**0.5).unsqueeze(-1).expand(-1, 2).clone().requires_grad_()
    out = decoder(Polar(radius, direction.expand(len(angles), 2, 2)))
    assert out.dtype == torch.float32
    assert torch.isfinite(out).all()
    gradients = torch.autograd.grad(out.sum(), [radius, *decoder.parameters()], allow_unused=True)
    assert all(torch.isfinite(gradient).all() for gradient in gradients if gradient is not None)


@each_decoder
def test_weights_come_from_the_generator_alone(name: str) -> None:
    before = torch.get_rng_state()
    one, two, other = (
        VECTOR_DECODERS[name](PoincareBall(2), HIDDEN, FEATURES, generator=seeded(s)).state_dict()
        for s in (0, 0, 1)
    )
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(one["out.weight"], other["out.weight"])


@each_decoder
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_only_what_lives_on_the_manifold_is_in_its_precision(name: str, dtype: torch.dtype) -> None:
    manifold = PoincareBall(2)
    decoder = VECTOR_DECODERS[name](manifold, HIDDEN, FEATURES, generator=seeded(0), dtype=dtype)
    of_manifold = {"gyroplanes.weight", "gyroplanes.bias", "weight", "bias"}
    for key, parameter in decoder.named_parameters():
        assert parameter.dtype == (dtype if key in of_manifold else torch.float32)
    assert decoder(some_points(manifold).to(dtype)).dtype == torch.float32


@pytest.mark.parametrize("manifold", [PoincareBall(2, 0.7), Lorentz(2, 0.7), Euclidean(2)], ids=str)
def test_the_space_of_another_dimension_has_the_same_curvature_and_coordinates(manifold: Manifold) -> None:
    wide = manifold.with_dim(9)
    assert type(wide) is type(manifold)
    assert (wide.dim, wide.c) == (9, manifold.c)
    assert manifold.dim == 2
    if not isinstance(manifold, Euclidean):
        curvature = Curvature(0.4)
        learnt = type(manifold)(2, curvature).with_dim(3)
        assert learnt.curvature is curvature
        with torch.no_grad():
            curvature.log_ratio.fill_(1.0)
        assert learnt.c_value == pytest.approx(0.4 * math.e)


def test_a_point_of_a_vector_has_that_vector() -> None:
    vector = torch.tensor([[3.0, 4.0], [0.0, -2.0], [0.0, 0.0], [1e-100, 0.0]], dtype=F64, requires_grad=True)
    point = Polar.of(vector)
    torch.testing.assert_close(point.radius, torch.tensor([5.0, 2.0, 0.0, 1e-100], dtype=F64))
    torch.testing.assert_close(point.vector(), vector, rtol=1e-15, atol=0)
    (slope,) = torch.autograd.grad(point.vector().sum(), vector)
    torch.testing.assert_close(slope[:2], torch.ones(2, 2, dtype=F64))
    assert not slope[2].any()
