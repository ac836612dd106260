"""Draws of the wrapped normal: they fit the density, and keep at any radius what coordinates lose."""

import itertools
import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
import torch
from scipy import stats

from hypgraph.distributions import CenteredDistribution, PolarDraw, RiemannianNormal, WrappedNormal
from hypgraph.manifolds import Manifold, PoincareBall, Polar
from hypgraph.random import StackedGenerators
from tests.manifolds import oracle

from .quadrature import radial_cdf
from .reference import F64, disk_nodes, frame_vector, place, seeded, spaces

PLAUSIBLE = 1e-3  # seeds are fixed: a correct sampler passes for good, a wrong one has p-values of 1e-20
NORTH_EAST = torch.tensor([0.6, 0.8], dtype=F64)


def far(radius: float, direction: torch.Tensor = NORTH_EAST) -> Polar:
    return Polar(torch.tensor(radius, dtype=F64), direction)


@pytest.mark.parametrize("dim", [1, 2, 5, 50])
@pytest.mark.parametrize("manifold", spaces(1), ids=lambda m: m.name)
def test_distance_from_the_centre_is_chi_distributed(manifold: Manifold, dim: int) -> None:
    manifold = next(space for space in spaces(dim) if space.name == manifold.name)
    loc = place(manifold, torch.randn(dim, dtype=F64, generator=seeded(1)) / dim**0.5)
    z = WrappedNormal(loc, 0.3, manifold).sample((20_000,), generator=seeded(dim))
    distance = manifold.dist(loc, z).numpy() / 0.3
    assert stats.kstest(distance, stats.chi(dim).cdf).pvalue > PLAUSIBLE


def test_frame_vectors_of_draws_are_independent_normals_of_the_given_scales() -> None:
    manifold, count = PoincareBall(3, 1.2), 20_000
    loc = place(manifold, torch.tensor([0.9, -0.5, 0.4], dtype=F64))
    scale = np.array([0.2, 0.5, 1.0])
    z = WrappedNormal(loc, torch.from_numpy(scale), manifold).sample((count,), generator=seeded(0))
    v = frame_vector(loc.numpy(), z.numpy(), 1.2) / scale
    for k in range(3):
        assert stats.kstest(v[:, k], stats.norm.cdf).pvalue > PLAUSIBLE
    assert np.abs(v.mean(0)).max() < 4 / math.sqrt(count)
    assert np.abs(np.cov(v.T) - np.eye(3)).max() < 5 * math.sqrt(2 / count)


@pytest.mark.parametrize("scale", [(0.4,), (0.7, 0.25)], ids=str)
def test_counts_in_cells_of_the_disk_follow_the_density(scale: tuple[float, ...]) -> None:
    c, count, rings, sectors = 1.2, 50_000, 8, 12
    manifold = PoincareBall(2, c)
    loc = place(manifold, torch.tensor([0.6, -0.5], dtype=F64))
    q = WrappedNormal(loc, torch.tensor(scale, dtype=F64), manifold)
    reach = 0.8 + 6 * max(scale)
    # Cells are about the origin, not about the centre, and end where the density is high.
    edges = np.append(np.linspace(0, 2.0, rings), reach)

    def cell(points: np.ndarray) -> np.ndarray:
        radius = 2 / math.sqrt(c) * np.arctanh(math.sqrt(c) * np.linalg.norm(points, axis=-1))
        ring = np.clip(np.searchsorted(edges, radius) - 1, 0, rings - 1)
        angle = np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)
        return ring * sectors + np.minimum((angle / (2 * np.pi) * sectors).astype(int), sectors - 1)

    expected = np.zeros(rings * sectors)
    for inner, outer in itertools.pairwise(edges):
        node, weight = np.polynomial.legendre.leggauss(40)
        r, dr = inner + (node + 1) * (outer - inner) / 2, weight * (outer - inner) / 2
        theta = 2 * np.pi * (np.arange(960) + 0.5) / 960
        circle = np.stack([np.cos(theta), np.sin(theta)], axis=-1)
        points = ((np.tanh(math.sqrt(c) * r / 2) / math.sqrt(c))[:, None, None] * circle).reshape(-1, 2)
        area = np.repeat(dr * np.sinh(math.sqrt(c) * r) / math.sqrt(c) * (2 * np.pi / 960), 960)
        mass = np.exp(q.log_prob(torch.from_numpy(points)).numpy()) * area
        expected += np.bincount(cell(points), weights=mass, minlength=rings * sectors)
    assert abs(expected.sum() - 1) < 1e-5
    counts = np.bincount(cell(q.sample((count,), generator=seeded(0)).numpy()), minlength=rings * sectors)
    usual = expected * count >= 10
    observed = np.append(counts[usual], counts[~usual].sum())
    wanted = np.append(expected[usual], 1 - expected[usual].sum()) * count
    assert usual.sum() > 30
    assert stats.chisquare(observed, wanted).pvalue > PLAUSIBLE


def test_expectations_over_draws_are_integrals_of_the_density() -> None:
    c, count = 1.0, 50_000
    manifold = PoincareBall(2, c)
    q = WrappedNormal(
        place(manifold, torch.tensor([0.5, 0.8], dtype=F64)), torch.tensor([0.3, 0.6], dtype=F64), manifold
    )
    points, area = disk_nodes(c, 6.0)
    mass = np.exp(q.log_prob(torch.from_numpy(points)).numpy()) * area
    z = q.sample((count,), generator=seeded(0)).numpy()
    for power in ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2)):
        drawn = z[:, 0] ** power[0] * z[:, 1] ** power[1]
        integral = float((points[:, 0] ** power[0] * points[:, 1] ** power[1]) @ mass)
        assert abs(drawn.mean() - integral) < 4 * drawn.std() / math.sqrt(count)


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
@pytest.mark.parametrize("width", [1, 3])
def test_density_of_a_draw_is_the_density_at_its_coordinates(manifold: Manifold, width: int) -> None:
    scale = torch.rand(6, width, dtype=F64, generator=seeded(0)) / 2 + 0.2
    q = WrappedNormal(place(manifold, torch.randn(6, 3, dtype=F64, generator=seeded(1))), scale, manifold)
    p = WrappedNormal(place(manifold, torch.randn(6, 3, dtype=F64, generator=seeded(2))), 2 * scale, manifold)
    prior = WrappedNormal(None, 1.7, manifold)
    draw = q.rsample_polar((20,), generator=seeded(3))
    assert not draw.pulled_in.any()
    for distribution in (q, p, prior):
        torch.testing.assert_close(
            distribution.log_prob_of(draw), distribution.log_prob(draw.value), rtol=1e-9, atol=1e-9
        )
    from_prior = prior.rsample_polar((20, 6), generator=seeded(4))
    for distribution in (q, prior):
        torch.testing.assert_close(
            distribution.log_prob_of(from_prior), distribution.log_prob(from_prior.value), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_length_and_direction_of_a_draw_lead_from_the_centre_to_its_coordinates(manifold: Manifold) -> None:
    loc = place(manifold, torch.randn(6, 3, dtype=F64, generator=seeded(1)))
    draw = WrappedNormal(loc, 0.5, manifold).rsample_polar((20,), generator=seeded(2))
    torch.testing.assert_close(draw.radius, manifold.dist(loc, draw.value), rtol=1e-11, atol=0)
    torch.testing.assert_close(manifold.from_polar(draw.point), draw.value, rtol=0, atol=0)
    torch.testing.assert_close(draw.direction.norm(dim=-1), torch.ones(20, 6, dtype=F64), rtol=1e-15, atol=0)
    if isinstance(manifold, PoincareBall):
        v = frame_vector(loc.numpy(), draw.value.numpy(), manifold.c)
        np.testing.assert_allclose((draw.radius.unsqueeze(-1) * draw.direction).numpy(), v, rtol=1e-10, atol=1e-11)


# --- beyond coordinates ---


def exact_log_density(point: Polar, center: Polar | None, scale: list[float], c: float) -> mp.mpf:
    """The textbook density at a point about the origin, by a Lorentz boost in hundreds of digits."""
    curvature = mp.mpf(c)
    position = oracle.polar_to_lorentz(
        oracle.exact(point.radius.reshape(1))[0], oracle.exact(point.direction), curvature
    )
    if center is not None:
        back = [-entry for entry in oracle.exact(center.direction)]
        home = oracle.polar_to_lorentz(oracle.exact(center.radius.reshape(1))[0], back, curvature)
        position = oracle.boost(home, position, curvature)
    rho = oracle.lorentz_radius(position, curvature)
    space = oracle.norm(position[1:])
    frame = [rho * entry / space for entry in position[1:]]
    return frame_log_density(frame, scale, curvature)


def frame_log_density(frame: list[mp.mpf], scale: list[float], c: mp.mpf) -> mp.mpf:
    rho = mp.sqrt(c) * oracle.norm(frame)
    normal = mp.fsum(
        -((v / mp.mpf(s)) ** 2) / 2 - mp.log(mp.mpf(s)) - mp.log(2 * mp.pi) / 2
        for v, s in zip(frame, scale, strict=True)
    )
    return normal - (len(frame) - 1) * mp.log(mp.sinh(rho) / rho)


@pytest.mark.parametrize("radius", [30.0, 300.0, 1500.0])
@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
def test_densities_of_draws_at_any_radius_are_those_of_mpmath(radius: float, c: float) -> None:
    u, v, w = (
        x / x.norm() for x in torch.tensor([[3.0, 1.0, 2.0], [-1.0, 2.0, 0.5], [1.0, -1.0, 1.0]], dtype=F64)
    )
    scale = [0.5, 1.5, 0.8]
    manifold = PoincareBall(3, c)
    center = far(radius, u)
    draw = PolarDraw(manifold, center, Polar(torch.tensor(0.01 * radius, dtype=F64), v))
    sigma = torch.tensor(scale, dtype=F64)
    with mp.workdps(int(2 * radius) + 150):
        frame = [mp.mpf(float(draw.radius)) * entry for entry in oracle.exact(v)]
        own = WrappedNormal(center, sigma, manifold).log_prob_of(draw)
        assert oracle.relative_error(own, frame_log_density(frame, scale, mp.mpf(c))) < 1e-13
        # Another centre: what the draw knows about the origin is exact, and it is what the density is taken at.
        about_origin = draw.about_origin
        start = oracle.polar_to_lorentz(mp.mpf(radius), oracle.exact(u), mp.mpf(c))
        step = oracle.polar_to_lorentz(mp.mpf(float(draw.radius)), oracle.exact(v), mp.mpf(c))
        end = oracle.boost(start, step, mp.mpf(c))
        assert oracle.relative_error(about_origin.radius, oracle.lorentz_radius(end, mp.mpf(c))) < 1e-14
        for other in (None, far(0.4 * radius, w), far(2 * radius, -u)):
            p = WrappedNormal(other, sigma, manifold)
            truth = exact_log_density(about_origin, other, scale, c)
            assert oracle.relative_error(p.log_prob_of(draw), truth) < 1e-12


@pytest.mark.parametrize("angle", [0.5, 2.0, 6.0, 12.0])
def test_density_about_a_nearby_centre_is_good_to_the_rounding_of_directions(angle: float) -> None:
    """Two centres far from the origin see each other through directions about it, rounded to ε e^(√c·radius)."""
    c, scale = 1.2, [0.4, 0.9]
    manifold, curvature = PoincareBall(2, c), mp.mpf(c)
    sideways = NORTH_EAST.flip(0)
    center = far(angle / math.sqrt(c))
    near = manifold.translate_polar(center, Polar(torch.tensor(0.5, dtype=F64), sideways))
    draw = PolarDraw(manifold, center, Polar(torch.tensor(0.7, dtype=F64), torch.tensor([1.0, 0.0], dtype=F64)))
    start, step = (
        oracle.polar_to_lorentz(mp.mpf(float(x.radius)), oracle.exact(x.direction), curvature)
        for x in (center, draw.about_center)
    )
    position = oracle.boost(start, step, curvature)
    home = oracle.polar_to_lorentz(mp.mpf(float(near.radius)), oracle.exact(-near.direction), curvature)
    position = oracle.boost(home, position, curvature)
    rho, length = oracle.lorentz_radius(position, curvature), oracle.norm(position[1:])
    truth = frame_log_density([rho * entry / length for entry in position[1:]], scale, curvature)
    value = WrappedNormal(near, torch.tensor(scale, dtype=F64), manifold).log_prob_of(draw)
    assert abs(value.item() - float(truth)) < 16 * torch.finfo(F64).eps * math.exp(angle)


@pytest.mark.parametrize("manifold", spaces(2)[:2], ids=str)
def test_a_draw_beyond_coordinates_is_pulled_in_for_its_value_only(manifold: Manifold) -> None:
    largest = float(manifold.max_radius(F64))
    radii = torch.tensor([0.5, 0.999, 1.001, 4.0], dtype=F64) * largest
    east = torch.tensor([1.0, 0.0], dtype=F64).expand(4, 2)
    draw = PolarDraw(manifold, None, Polar(radii, east))
    assert draw.pulled_in.tolist() == [False, False, True, True]
    assert manifold.check_point(draw.value) is None
    assert torch.equal(draw.value, manifold.from_polar(Polar(radii.clamp(max=largest), east)))
    assert torch.equal(draw.about_origin.radius, radii)
    assert torch.equal(draw.point.radius, radii.clamp(max=largest))
    assert torch.equal(draw.point.direction, east)
    prior = WrappedNormal(None, 2.0, manifold)
    c = float(manifold.c)
    expected = -((radii / 2) ** 2) / 2 - 2 * math.log(2) - math.log(2 * math.pi)
    expected = expected - (math.sqrt(c) * radii - math.log(2) - torch.log(math.sqrt(c) * radii))
    torch.testing.assert_close(prior.log_prob_of(draw), expected, rtol=1e-14, atol=0)


def test_draws_about_a_far_centre_are_pulled_in_by_their_distance_from_the_origin() -> None:
    manifold = PoincareBall(2, 1.0)
    inward, outward = -NORTH_EAST, NORTH_EAST
    draw = PolarDraw(
        manifold,
        far(30.0),
        Polar(torch.tensor([10.0, 5.0, 10.0], dtype=F64), torch.stack([inward, outward, outward])),
    )
    torch.testing.assert_close(draw.about_origin.radius, torch.tensor([20.0, 35.0, 40.0], dtype=F64))
    assert draw.pulled_in.tolist() == [False, False, True]
    expected = torch.tensor([20.0, 35.0, 36.0], dtype=F64)
    rounding = torch.finfo(F64).eps * expected.exp()  # of ball coordinates at these radii
    assert ((manifold.dist0(draw.value) - expected).abs() <= rounding).all()


def test_wide_posteriors_know_how_many_draws_were_pulled_in() -> None:
    manifold = PoincareBall(2, 1.2)
    draw = WrappedNormal(None, 20.0, manifold).rsample_polar((20_000,), generator=seeded(0))
    beyond = stats.chi(2).sf(36 / math.sqrt(1.2) / 20)
    share = draw.pulled_in.double().mean().item()
    assert abs(share - beyond) < 4 * math.sqrt(beyond * (1 - beyond) / 20_000)
    assert manifold.check_point(draw.value) is None


def test_a_draw_from_single_precision_is_pulled_in_at_its_own_limit() -> None:
    draw = PolarDraw(PoincareBall(2), None, Polar(torch.tensor([14.9, 15.1]), torch.tensor([[1.0, 0], [0, 1]])))
    assert draw.pulled_in.tolist() == [False, True]
    assert PoincareBall(2).check_point(draw.value) is None


def test_gradients_of_a_pulled_in_value_are_finite() -> None:
    radius = torch.tensor([10.0, 50.0], dtype=F64, requires_grad=True)
    PolarDraw(PoincareBall(2), None, Polar(radius, NORTH_EAST.expand(2, 2))).value.sum().backward()
    assert radius.grad is not None
    assert radius.grad[0] > 0
    assert radius.grad[1] == 0


# --- several generators as one ---

SEEDS = (7, 0, 3)


Slices = tuple[CenteredDistribution, Callable[[int], CenteredDistribution]]


def families(dim: int, batch: tuple[int, ...]) -> list[Slices]:
    """Distributions of batch ``[R, *batch]``, and what gives slice ``i`` of them."""
    ball = PoincareBall(dim, 1.2)
    center = Polar.of(torch.randn(len(SEEDS), *batch, dim, dtype=F64, generator=seeded(1)))
    scale = 0.3 + torch.rand(len(SEEDS), *batch, dtype=F64, generator=seeded(2))
    wide = torch.stack([scale] * dim, dim=-1) * torch.linspace(0.5, 1, dim, dtype=F64)

    def both(family: type[CenteredDistribution], width: torch.Tensor) -> Slices:
        whole = family(center, width, ball, validate_args=False)
        return whole, lambda i: family(Polar(center.radius[i], center.direction[i]), width[i], ball)

    return [both(WrappedNormal, scale.unsqueeze(-1)), both(WrappedNormal, wide), both(RiemannianNormal, scale)]


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("batch", [(), (4,), (5, 3), (700,)], ids=str)
@pytest.mark.parametrize("sample", [(), (1,), (6,), (2, 3)], ids=str)
def test_a_slice_of_draws_from_stacked_generators_is_what_each_draws_alone(
    dim: int, batch: tuple[int, ...], sample: tuple[int, ...]
) -> None:
    """Half of the proposals of a Riemannian normal are refused for d = 1, so that many draws go more rounds."""
    for whole, part in families(dim, batch):
        generator = StackedGenerators([seeded(seed) for seed in SEEDS])
        draws = [whole.rsample_polar(sample, generator=generator).about_center for _ in range(2)]
        for number, seed in enumerate(SEEDS):
            alone = seeded(seed)
            for draw in draws:
                single = part(number).rsample_polar(sample, generator=alone).about_center
                axis = len(sample)
                torch.testing.assert_close(draw.radius.select(axis, number), single.radius, rtol=1e-13, atol=1e-15)
                torch.testing.assert_close(
                    draw.direction.select(axis, number), single.direction, rtol=1e-13, atol=1e-15
                )


@pytest.mark.parametrize("dim", [1, 2])
def test_stacked_draws_with_many_refused_proposals_are_those_alone_and_fit_the_law(dim: int) -> None:
    """Above 8192 draws a run two proposals are tried at first: for d = 1 a quarter goes another round."""
    ball, count, seeds = PoincareBall(dim, 1.0), 10_000, (1, 2)
    q = RiemannianNormal(None, torch.tensor(0.8, dtype=F64).expand(2), ball)
    radius = q.rsample_polar((count,), generator=StackedGenerators([seeded(seed) for seed in seeds])).radius
    one = RiemannianNormal(None, torch.tensor(0.8, dtype=F64), ball)
    for number, seed in enumerate(seeds):
        alone = one.rsample_polar((count,), generator=seeded(seed)).radius
        torch.testing.assert_close(radius[:, number], alone, rtol=1e-13, atol=0)
        law = stats.halfnorm(scale=0.8).cdf if dim == 1 else lambda r: radial_cdf(r, 0.8, 2, 1.0)
        assert stats.kstest(alone.numpy(), law).pvalue > PLAUSIBLE


def test_gradients_of_stacked_draws_reach_the_scales_of_their_own_slice_only() -> None:
    scale = torch.full((3, 4), 0.6, dtype=F64, requires_grad=True)
    q = RiemannianNormal(None, scale, PoincareBall(2))
    radius = q.rsample_polar((5,), generator=StackedGenerators([seeded(seed) for seed in SEEDS])).radius
    (gradient,) = torch.autograd.grad(radius[:, 1].sum(), scale)
    assert (gradient[1] > 0).all()
    assert not gradient[[0, 2]].any()
