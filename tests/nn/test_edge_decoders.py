"""Every edge decoder on every manifold: the shared contract, then each formula computed directly."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.nn import (
    EDGE_DECODERS,
    CroftonDecoder,
    DirectedGyroplaneDecoder,
    EdgeDecoder,
    FermiDiracDecoder,
    GyroplaneDecoder,
    InnerProductDecoder,
    MLPDecoder,
    TanhDistanceDecoder,
)
from tests.distributions.reference import F64, Array, frame_vector, mobius_add, place, seeded, spaces

ALL = [(name, manifold) for name in EDGE_DECODERS for manifold in (*spaces(4), *spaces(2, 0.5), *spaces(1))]
every_decoder_and_manifold = pytest.mark.parametrize(("name", "manifold"), ALL, ids=str)


def trained(name: str, manifold: Manifold) -> EdgeDecoder:
    """A decoder whose parameters have left their start."""
    decoder = EDGE_DECODERS[name](manifold, generator=seeded(0))
    generator = seeded(1)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, dtype=parameter.dtype, generator=generator))
    return decoder


def frame_vectors(manifold: Manifold, nodes: int = 9, *, size: float = 1.0) -> Tensor:
    return size * torch.randn(nodes, manifold.dim, dtype=F64, generator=seeded(2))


def pairs(nodes: int = 9, count: int = 30) -> Tensor:
    source = torch.randint(0, nodes, (count,), generator=seeded(3))
    return torch.stack([source, (source + torch.randint(1, nodes, (count,), generator=seeded(4))) % nodes])


def distances(manifold: Manifold, z: Tensor, edges: Tensor) -> Tensor:
    """By the textbook formula of the ball."""
    if isinstance(manifold, Euclidean):
        return (z[edges[0]] - z[edges[1]]).norm(dim=-1)
    x = (manifold.to_ball(z) if isinstance(manifold, Lorentz) else z).numpy()
    vectors = frame_vector(x[edges[0]], x[edges[1]], float(manifold.c))
    return torch.from_numpy(np.linalg.norm(vectors, axis=-1))


def test_every_decoder_is_known_by_its_name() -> None:
    assert {
        "gyroplane": GyroplaneDecoder,
        "crofton": CroftonDecoder,
        "directed-gyroplane": DirectedGyroplaneDecoder,
        "fermi-dirac": FermiDiracDecoder,
        "tanh-distance": TanhDistanceDecoder,
        "inner-product": InnerProductDecoder,
        "mlp": MLPDecoder,
    } == EDGE_DECODERS


@every_decoder_and_manifold
def test_logits_have_one_number_a_pair_and_are_symmetric_unless_directed(name: str, manifold: Manifold) -> None:
    decoder, z = trained(name, manifold), place(manifold, frame_vectors(manifold))
    logits = decoder(z, pairs())
    assert logits.shape == (30,)
    assert logits.dtype == F64
    assert torch.isfinite(logits).all()
    assert logits.unique().numel() > 10
    backwards = decoder(z, pairs().flip(0))
    if name == "directed-gyroplane":
        assert ((backwards - logits).abs() > 1e-3).sum() > 20
    else:
        torch.testing.assert_close(backwards, logits, rtol=1e-14, atol=1e-14)
    assert decoder(z, torch.empty(2, 0, dtype=torch.long)).shape == (0,)


@every_decoder_and_manifold
def test_points_may_be_given_in_polar_coordinates(name: str, manifold: Manifold) -> None:
    decoder, vectors = trained(name, manifold), frame_vectors(manifold).requires_grad_()
    length = vectors.norm(dim=-1)
    polar = Polar(length, vectors / length.unsqueeze(-1))
    ours, theirs = decoder(polar, pairs()), decoder(manifold.from_polar(polar), pairs())
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)
    gradients = (torch.autograd.grad(logits.sum(), vectors, retain_graph=True)[0] for logits in (ours, theirs))
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-9)


@every_decoder_and_manifold
def test_the_order_and_number_of_the_other_nodes_do_not_matter(name: str, manifold: Manifold) -> None:
    decoder, z = trained(name, manifold), place(manifold, frame_vectors(manifold))
    logits = decoder(z, pairs())
    order = torch.randperm(9, generator=seeded(5))
    position = torch.argsort(order)
    torch.testing.assert_close(decoder(z[order], position[pairs()]), logits, rtol=1e-13, atol=1e-13)
    alone = torch.stack([decoder(z[pair], torch.tensor([[0], [1]])).squeeze() for pair in pairs().mT])
    torch.testing.assert_close(alone, logits, rtol=1e-12, atol=1e-12)


@every_decoder_and_manifold
def test_coincident_points_have_finite_logits_and_gradients(name: str, manifold: Manifold) -> None:
    decoder = trained(name, manifold)
    vectors = frame_vectors(manifold, 4)
    vectors[1] = vectors[0]
    z = torch.cat([place(manifold, vectors[:3]), place(manifold, 1e-9 * vectors[3:])])
    origin = manifold.from_polar(manifold.to_polar(z[:1])._replace(radius=torch.zeros(1, dtype=F64)))
    z = torch.cat([z, origin]).requires_grad_()
    edges = torch.tensor([[0, 0, 4, 3, 2], [1, 0, 4, 4, 4]])
    logits = decoder(z, edges)
    assert torch.isfinite(logits).all()
    logits.sum().backward()
    for tensor in (z, *decoder.parameters()):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()


@every_decoder_and_manifold
def test_points_far_out_have_finite_logits_and_gradients(name: str, manifold: Manifold) -> None:
    decoder = trained(name, manifold)
    unit = frame_vectors(manifold) / frame_vectors(manifold).norm(dim=-1, keepdim=True)
    reach = min(float(manifold.max_radius(F64)), 200.0)
    z = place(manifold, reach * unit).requires_grad_()
    polar = Polar(torch.full((9,), reach, dtype=F64, requires_grad=True), unit.clone().requires_grad_())
    for points in (z, polar):
        logits = decoder(points, pairs())
        assert torch.isfinite(logits).all()
        logits.sum().backward()
    for tensor in (z, *polar, *decoder.parameters()):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()


@every_decoder_and_manifold
def test_gradients_are_those_of_finite_differences(name: str, manifold: Manifold) -> None:
    decoder = trained(name, manifold)
    vectors = frame_vectors(manifold, 5).requires_grad_()
    names, parameters = zip(*decoder.named_parameters(), strict=True) if list(decoder.parameters()) else ((), ())
    edges = torch.tensor([[0, 1, 2], [1, 3, 4]])

    def function(v: Tensor, *values: Tensor) -> Tensor:
        given = dict(zip(names, values, strict=True))
        return torch.func.functional_call(decoder, given, (place(manifold, v), edges))

    assert torch.autograd.gradcheck(function, (vectors, *parameters), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", EDGE_DECODERS)
def test_precision_is_that_of_the_latents(name: str, dtype: torch.dtype) -> None:
    manifold = PoincareBall(4)
    decoder = EDGE_DECODERS[name](manifold, generator=seeded(0), dtype=dtype)
    assert all(parameter.dtype == dtype for parameter in decoder.parameters())
    assert decoder(place(manifold, frame_vectors(manifold)).to(dtype), pairs()).dtype == dtype


@pytest.mark.parametrize("name", EDGE_DECODERS)
def test_initial_weights_come_from_the_generator_alone(name: str) -> None:
    before = torch.get_rng_state()
    one, two, other = (EDGE_DECODERS[name](PoincareBall(4), generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    same = [torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True)]
    assert all(same)
    if name in ("gyroplane", "directed-gyroplane", "crofton", "mlp"):
        assert not all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


# --- the formulas ---


@pytest.mark.parametrize("manifold", spaces(4), ids=str)
def test_fermi_dirac_is_a_logistic_function_of_the_squared_distance(manifold: Manifold) -> None:
    z = place(manifold, frame_vectors(manifold))
    decoder = FermiDiracDecoder(manifold)
    square = distances(manifold, z, pairs()).square()
    torch.testing.assert_close(decoder(z, pairs()), 2 - square, rtol=1e-10, atol=1e-10)
    with torch.no_grad():
        decoder.radius.fill_(3.5)
        decoder.log_inverse_temperature.fill_(math.log(0.7))
    probability = 1 / (1 + torch.exp((square - 3.5) * 0.7))
    torch.testing.assert_close(torch.sigmoid(decoder(z, pairs())), probability, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("manifold", spaces(4), ids=str)
def test_tanh_distance_is_the_logit_of_one_minus_tanh(manifold: Manifold) -> None:
    decoder = TanhDistanceDecoder(manifold)
    assert not list(decoder.parameters())
    step = torch.zeros(4, dtype=F64)
    step[1] = 1.0
    lengths = torch.tensor([1e-3, 1e-2, 0.1, 0.5, 1.0, 3.0, 8.0], dtype=F64)
    z = place(manifold, lengths.unsqueeze(-1) * step)
    z = torch.cat([place(manifold, 1e-30 * step.unsqueeze(0)), z])
    edges = torch.stack([torch.zeros(7, dtype=torch.long), torch.arange(1, 8)])
    probability = 1 - torch.tanh(lengths)
    expected = torch.log(probability / torch.tanh(lengths))
    # Smoothing lengthens d by 5e-9/d; the logit falls with slope 2/(1 - e^(-2d)), about 1/d.
    allowed = 5e-9 / lengths * 2 / (1 - torch.exp(-2 * lengths)) + 1e-9
    assert ((decoder(z, edges) - expected).abs() <= allowed).all()
    same = decoder(z, torch.tensor([[3], [3]])).item()
    assert abs(same - math.log(1 / math.tanh(1e-4) - 1)) < 1e-9
    assert abs(same - 9.2) < 0.02


@pytest.mark.parametrize("manifold", spaces(4), ids=str)
def test_tanh_distance_of_random_points_uses_their_distance(manifold: Manifold) -> None:
    z = place(manifold, frame_vectors(manifold))
    d = distances(manifold, z, pairs())
    expected = torch.log((1 - torch.tanh(d)) / torch.tanh(d))
    torch.testing.assert_close(TanhDistanceDecoder(manifold)(z, pairs()), expected, rtol=1e-6, atol=1e-6)


def test_tanh_distance_falls_by_two_a_length_at_large_distances() -> None:
    manifold = Euclidean(1)
    z = torch.tensor([[0.0], [500.0], [1000.0]], dtype=F64)
    near, far = TanhDistanceDecoder(manifold)(z, torch.tensor([[0, 0], [1, 2]])).tolist()
    assert abs(near - (math.log(2) - 1000)) < 1e-9
    assert abs(far - (math.log(2) - 2000)) < 1e-9


@pytest.mark.parametrize("manifold", spaces(4), ids=str)
def test_inner_product_is_that_of_the_frame_vectors_at_the_origin(manifold: Manifold) -> None:
    v = frame_vectors(manifold)
    decoder = InnerProductDecoder(manifold)
    assert not list(decoder.parameters())
    logits = decoder(place(manifold, v), pairs())
    torch.testing.assert_close(logits, (v[pairs()[0]] * v[pairs()[1]]).sum(-1), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("manifold", spaces(4), ids=str)
def test_mlp_is_a_perceptron_on_sum_and_absolute_difference(manifold: Manifold) -> None:
    v = frame_vectors(manifold)
    decoder = trained("mlp", manifold)
    assert isinstance(decoder, MLPDecoder)
    a, b = v.numpy()[pairs().numpy()]
    weight0, bias0, weight1, bias1 = (
        p.detach().numpy() for p in (decoder.weight0, decoder.bias0, decoder.weight1, decoder.bias1)
    )
    layer = np.maximum(np.concatenate([a + b, np.abs(a - b)], axis=1) @ weight0.T + bias0, 0)
    expected = (layer @ weight1.T + bias1)[:, 0]
    np.testing.assert_allclose(
        decoder(place(manifold, v), pairs()).detach().numpy(), expected, rtol=1e-10, atol=1e-10
    )


def test_mlp_starts_with_glorot_weights_and_no_bias() -> None:
    decoder = MLPDecoder(PoincareBall(16), generator=seeded(0), hidden=64)
    assert decoder.weight0.shape == (64, 32)
    assert decoder.weight1.shape == (1, 64)
    for weight, fans in ((decoder.weight0, 96), (decoder.weight1, 65)):
        bound = (6 / fans) ** 0.5
        assert 0.9 * bound < weight.abs().max() <= bound
    assert not decoder.bias0.any()
    assert not decoder.bias1.any()


def signed_distance(z: Array, foot: Array, normal: Array, c: float) -> Array:
    """The paper's formula for one gyroplane and many points of the ball."""
    difference = mobius_add(-foot, z, c)
    along = 2 * math.sqrt(c) * difference @ normal / np.linalg.norm(normal)
    return np.arcsinh(along / (1 - c * (difference**2).sum(-1))) / math.sqrt(c)


def signed_distances(decoder: GyroplaneDecoder | CroftonDecoder, z: Tensor) -> Array:
    """To each gyroplane of the decoder, ``[K, N]``, by the paper's formula."""
    manifold = decoder.manifold
    assert isinstance(manifold, PoincareBall | Lorentz)
    c = float(manifold.c)
    x = (manifold.to_ball(z) if isinstance(manifold, Lorentz) else z).numpy()
    rows = []
    for normal, offset in zip(decoder.normals.detach().numpy(), decoder.offsets.detach().numpy(), strict=True):
        foot = math.tanh(math.sqrt(c) * offset / 2) / math.sqrt(c) * normal / np.linalg.norm(normal)
        rows.append(signed_distance(x, foot, normal, c))
    return np.stack(rows)


curved = pytest.mark.parametrize("manifold", [PoincareBall(4, 1.2), Lorentz(4, 1.2)], ids=str)


@curved
@pytest.mark.parametrize("name", ["gyroplane", "directed-gyroplane"])
def test_gyroplane_compares_signed_distances_to_each_gyroplane(
    name: str, manifold: PoincareBall | Lorentz
) -> None:
    z = place(manifold, frame_vectors(manifold))
    decoder = trained(name, manifold)
    assert isinstance(decoder, GyroplaneDecoder)
    g = signed_distances(decoder, z)
    crossed = g[:, pairs()[1]] - g[:, pairs()[0]]
    if isinstance(decoder, DirectedGyroplaneDecoder):
        crossed = crossed - decoder.shifts.detach().numpy()[:, None]
    total = (decoder.weights.detach().numpy()[:, None] ** 2 * crossed**2).sum(axis=0)
    radius, temperature = decoder.radius.item(), decoder.log_inverse_temperature.item()
    expected = math.exp(temperature) * (radius - total)
    np.testing.assert_allclose(decoder(z, pairs()).detach().numpy(), expected, rtol=1e-10, atol=1e-10)


@curved
def test_crofton_counts_softly_the_gyroplanes_between_two_points(manifold: PoincareBall | Lorentz) -> None:
    z = place(manifold, frame_vectors(manifold))
    decoder = trained("crofton", manifold)
    assert isinstance(decoder, CroftonDecoder)
    sides = np.tanh(math.exp(decoder.log_sharpness.item()) * signed_distances(decoder, z))
    weights = np.abs(decoder.weights.detach().numpy())[:, None]
    total = (weights * np.abs(sides[:, pairs()[0]] - sides[:, pairs()[1]])).sum(axis=0)
    radius, temperature = decoder.radius.item(), decoder.log_inverse_temperature.item()
    expected = math.exp(temperature) * (radius - total)
    np.testing.assert_allclose(decoder(z, pairs()).detach().numpy(), expected, rtol=1e-10, atol=1e-10)


def test_crofton_with_sharp_sides_counts_the_gyroplanes_between_two_points() -> None:
    decoder = CroftonDecoder(PoincareBall(2), generator=seeded(0))
    z = place(decoder.manifold, frame_vectors(decoder.manifold))
    with torch.no_grad():
        decoder.log_sharpness.fill_(12.0)
    between = (
        np.sign(signed_distances(decoder, z))[:, pairs()[0]]
        != np.sign(signed_distances(decoder, z))[:, pairs()[1]]
    )
    assert between.sum(axis=0).max() > 5
    expected = 2 - 2 * (8 / 64) * between.sum(axis=0)
    np.testing.assert_allclose(decoder(z, pairs()).detach().numpy(), expected, atol=1e-3)


def test_crofton_with_many_sharp_gyroplanes_is_linear_in_flat_distance() -> None:
    """A line of uniform angle and offset, up to ±3, separates points d apart with probability (2/π) d/6."""
    manifold = Euclidean(2)
    decoder = CroftonDecoder(manifold, generator=seeded(0), count=8192)
    with torch.no_grad():
        decoder.log_sharpness.fill_(12.0)
    z = 0.8 * frame_vectors(manifold)
    assert z.norm(dim=-1).max() < 3
    everything = torch.combinations(torch.arange(9)).mT
    expected = 2 - 2 * 8 * (2 / math.pi) * distances(manifold, z, everything) / 6
    torch.testing.assert_close(decoder(z, everything).detach(), expected, rtol=0, atol=0.15)


@pytest.mark.parametrize("manifold", spaces(4), ids=str)
def test_directed_gyroplane_starts_as_the_undirected_one(manifold: Manifold) -> None:
    z = place(manifold, frame_vectors(manifold))
    one, other = (make(manifold, generator=seeded(0)) for make in (DirectedGyroplaneDecoder, GyroplaneDecoder))
    torch.testing.assert_close(one(z, pairs()), other(z, pairs()), rtol=1e-14, atol=1e-14)


def test_directed_gyroplane_learns_which_way_edges_lead() -> None:
    """A path, from left to right: its own direction scores high, the opposite one low."""
    manifold = PoincareBall(2)
    z = place(manifold, torch.tensor([[x, 0.0] for x in (-2.0, -1.0, 0.1, 1.0, 2.0)], dtype=F64))
    path = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])
    decoder = DirectedGyroplaneDecoder(manifold, generator=seeded(0))
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        logits = torch.cat([decoder(z, path), -decoder(z, path.flip(0))])
        torch.nn.functional.softplus(-logits).mean().backward()
        optimizer.step()
    assert (decoder(z, path) > 1).all()
    assert (decoder(z, path.flip(0)) < -1).all()


@pytest.mark.parametrize("dim", [1, 2, 4, 16])
def test_gyroplane_starts_as_fermi_dirac_in_flat_space(dim: int) -> None:
    z = torch.randn(9, dim, dtype=F64, generator=seeded(2))
    gyroplane = GyroplaneDecoder(Euclidean(dim), generator=seeded(0))
    torch.testing.assert_close(
        gyroplane(z, pairs()), FermiDiracDecoder(Euclidean(dim))(z, pairs()), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("count", [8, 64])
def test_gyroplane_starts_the_same_with_any_number_of_gyroplanes(count: int) -> None:
    z = torch.randn(9, 4, dtype=F64, generator=seeded(2))
    decoder = GyroplaneDecoder(Euclidean(4), generator=seeded(0), count=count)
    assert decoder.normals.shape == (count, 4)
    assert decoder.offsets.shape == decoder.weights.shape == (count,)
    square = (z[pairs()[0]] - z[pairs()[1]]).square().sum(-1)
    torch.testing.assert_close(decoder(z, pairs()), 2 - square, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("manifold", spaces(4), ids=str)
def test_gyroplane_has_a_metric_of_its_own_at_the_start(manifold: Manifold) -> None:
    """In curved space too the points of a pair score highest where they coincide, and less the farther apart."""
    decoder = GyroplaneDecoder(manifold, generator=seeded(0))
    step = torch.tensor([0.5, -0.5, 0.1, 0.7], dtype=F64)
    z = place(manifold, torch.linspace(0.5, 4, 8, dtype=F64).unsqueeze(-1) * step)
    logits = decoder(z, torch.stack([torch.zeros(8, dtype=torch.long), torch.arange(8)]))
    assert abs(logits[0].item() - 2) < 1e-14
    assert (logits.diff() < 0).all()


@pytest.mark.parametrize("manifold", spaces(4), ids=str)
def test_the_length_of_a_normal_does_not_matter(manifold: Manifold) -> None:
    z = place(manifold, frame_vectors(manifold))
    decoder = trained("gyroplane", manifold)
    assert isinstance(decoder, GyroplaneDecoder)
    logits = decoder(z, pairs()).detach()
    with torch.no_grad():
        decoder.normals.mul_(torch.linspace(0.1, 5, len(decoder.normals), dtype=F64).unsqueeze(-1))
    torch.testing.assert_close(decoder(z, pairs()).detach(), logits, rtol=1e-12, atol=1e-12)
