"""Bounds on log p(x) against closed forms in flat space and quadrature on the disk."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import Tensor, nn

from hypgraph.distributions import FAMILIES, CenteredDistribution
from hypgraph.evaluation.marginal_likelihood import Bounds, marginal_likelihood
from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import Euclidean, Polar
from hypgraph.models import VAE, Terms, build_vae
from hypgraph.nn import Normal, PosteriorHead
from tests.distributions import quadrature
from tests.distributions.quadrature import Setting, coordinates, disk_nodes
from tests.distributions.reference import F64, Array, seeded
from tests.nn.memory import LargestTensor


class Affine(nn.Module):
    """x A + a, and as a decoder on the points' flat coordinates."""

    def __init__(self, matrix: Tensor, constant: Tensor) -> None:
        super().__init__()
        self.matrix, self.constant = nn.Parameter(matrix), nn.Parameter(constant)

    def forward(self, x: Tensor | Polar) -> Tensor:
        return (x.vector() if isinstance(x, Polar) else x) @ self.matrix + self.constant


# --- flat space: x | z ~ N(Wz + b, I), z ~ N(0, s²I) ---


class LinearGaussian:
    """A model of D = 5 numbers on d = 2 with N(mean, diag scale²) for a posterior, and its closed forms in NumPy.

    Args:
        columns: of W, lengths; W is orthogonal where ``skew`` is 0.
        skew: how far the true posterior is from one with independent coordinates.
        off: how far the encoder is from the true posterior: in the mean, and as the log of a factor of the scale.
        isotropic: whether the posterior has one scale.
    """

    def __init__(
        self,
        *,
        columns: tuple[float, float] = (1.5, 0.7),
        skew: float = 0.0,
        off: float = 0.0,
        isotropic: bool = False,
        prior_scale: float = 1.3,
    ) -> None:
        basis = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 2)))[0]
        self.w = basis @ np.array([[columns[0], skew], [0.0, columns[1]]])
        self.b = np.linspace(-1, 1, 5)
        self.s = prior_scale
        precision = np.eye(2) / self.s**2 + self.w.T @ self.w
        self.covariance = np.linalg.inv(precision)
        self.gain = self.covariance @ self.w.T  # true posterior mean: gain (x-b)
        self.scale = np.exp(off) / np.sqrt(np.diag(precision))
        if isotropic:
            self.scale = np.full(2, self.scale.mean())
        self.off = np.array([off, -off])
        width = 1 if isotropic else 2
        matrix = np.concatenate([self.gain.T, np.zeros((5, width))], axis=1)
        constant = np.concatenate([self.off - self.gain @ self.b, np.log(self.scale[:width])])
        head = PosteriorHead(Euclidean(2), isotropic=isotropic, gain=1.0, initial_scale=1.0)
        self.model = VAE(
            Affine(torch.from_numpy(matrix), torch.from_numpy(constant)),
            head,
            Affine(torch.from_numpy(self.w.T.copy()), torch.from_numpy(self.b)),  # type: ignore[arg-type]
            Normal(),
            prior_scale=prior_scale,
        )

    def log_p(self, x: Array) -> Array:
        """log N(x; b, I + s²WWᵀ)."""
        covariance = np.eye(5) + self.s**2 * self.w @ self.w.T
        square = np.einsum("ni,ij,nj->n", x - self.b, np.linalg.inv(covariance), x - self.b)
        return -0.5 * (square + np.linalg.slogdet(2 * np.pi * covariance)[1])

    def kl(self, x: Array, mean: Array, covariance: Array) -> Array:
        """KL(q ‖ N(mean, covariance)) of the encoder's q, for each x."""
        step = mean - ((x - self.b) @ self.gain.T + self.off)
        inverse = np.linalg.inv(covariance)
        trace = np.trace(inverse @ np.diag(self.scale**2)) - 2
        log_ratio = np.linalg.slogdet(covariance)[1] - 2 * np.log(self.scale).sum()
        return 0.5 * (trace + log_ratio + np.einsum("ni,ij,nj->n", step, inverse, step))

    def elbo(self, x: Array) -> Array:
        return self.log_p(x) - self.kl(x, (x - self.b) @ self.gain.T, self.covariance)

    def relative_variance(self, x: Array) -> Array:
        """Var[w]/E[w]² of w = p(x,z)/q(z|x) under q, which is E_q[(p(z|x)/q(z|x))²] - 1."""
        p, q = np.linalg.inv(self.covariance), np.diag(self.scale**-2)
        m = (x - self.b) @ self.gain.T
        step = (m - (m + self.off)) * np.ones_like(m)
        both = 2 * p - q
        assert (np.linalg.eigvalsh(both) > 0).all()
        # ∫ N(z; m, p⁻¹)² / N(z; m+off, q⁻¹) dz
        log_det = np.linalg.slogdet(p)[1] - 0.5 * np.linalg.slogdet(q)[1] - 0.5 * np.linalg.slogdet(both)[1]
        exponent = 0.5 * np.einsum("ni,ij,nj->n", step, q @ np.linalg.inv(both) @ (both + q), step)
        return np.exp(log_det + exponent) - 1


def vectors(count: int, seed: int = 1) -> Tensor:
    return 1.5 * torch.randn(count, 5, dtype=F64, generator=seeded(seed))


def test_the_relative_variance_of_flat_weights_is_that_of_a_quadrature() -> None:
    toy, x = LinearGaussian(skew=0.3, off=0.2), vectors(2).numpy()
    line = np.linspace(-8, 8, 801)
    z = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    for i in range(2):
        m = toy.gain @ (x[i] - toy.b)
        inverse = np.linalg.inv(toy.covariance)
        log_p = -0.5 * np.einsum("ni,ij,nj->n", z - m, inverse, z - m) - 0.5 * math.log(
            np.linalg.det(2 * np.pi * toy.covariance)
        )
        log_q = -0.5 * (((z - m - toy.off) / toy.scale) ** 2).sum(-1) - np.log(2 * np.pi * toy.scale.prod())
        exact = np.exp(2 * log_p - log_q).sum() * (line[1] - line[0]) ** 2 - 1
        assert math.isclose(exact, toy.relative_variance(x[i : i + 1])[0], rel_tol=1e-6)


@pytest.mark.parametrize("isotropic", [False, True])
@pytest.mark.parametrize(("skew", "off"), [(0.0, 0.0), (0.4, 0.0), (0.3, 0.25)])
def test_bounds_of_a_linear_gaussian_model_are_its_closed_forms(skew: float, off: float, isotropic: bool) -> None:
    columns = (1.0, 1.0) if isotropic else (1.5, 0.7)
    toy, x, draws = LinearGaussian(columns=columns, skew=skew, off=off, isotropic=isotropic), vectors(6), 5000
    bounds = marginal_likelihood(toy.model, x, draws=draws, generator=seeded(0))
    log_p, spread = toy.log_p(x.numpy()), toy.relative_variance(x.numpy())
    error = np.sqrt(spread / draws) + 1e-9
    assert (np.abs(bounds.iwae.numpy() - log_p) < 4 * error).all()
    prior = toy.kl(x.numpy(), np.zeros(2), toy.s**2 * np.eye(2))
    error_of_kl = bounds.kl_variance.sqrt().numpy()
    assert (np.abs(bounds.kl.numpy() - prior) < 4 * error_of_kl).all()
    assert abs(bounds.mean_kl[0] - prior.mean()) < 4 * bounds.mean_kl[1]
    # The variance of log w is at most about that of w/E[w] here; the average over the points is sharper.
    gap = toy.elbo(x.numpy()) - bounds.elbo.numpy()
    assert (np.abs(gap) < 6 * error).all()
    assert abs(gap.mean()) < 4 * np.sqrt(spread.sum() / draws) / len(x) + 1e-9
    assert not bounds.pulled_in.any()


@pytest.mark.parametrize("prior_scale", [0.5, 1.0, 3.0])
def test_with_the_true_posterior_every_single_draw_gives_log_p_exactly(prior_scale: float) -> None:
    toy, x = LinearGaussian(prior_scale=prior_scale), vectors(9)
    log_p = torch.from_numpy(toy.log_p(x.numpy())).expand(40, -1)
    terms = toy.model.terms(x, toy.model.encode(x), draws=40, generator=seeded(0))
    torch.testing.assert_close(terms.log_weight, log_p, rtol=1e-12, atol=1e-12)
    assert terms.log_ratio.std(0).min() > 0.1


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("draws", [1, 3, 10, 64])
@pytest.mark.parametrize("rows", [1, 4, 25, 4096])
def test_every_point_is_scored_with_all_its_draws_whatever_the_blocks(count: int, draws: int, rows: int) -> None:
    """With the true posterior all weights are p(x), so that a point or draw lost or doubled would show."""
    toy, x = LinearGaussian(), vectors(count)
    bounds = marginal_likelihood(toy.model, x, draws=draws, rows=rows, generator=seeded(0))
    log_p = torch.from_numpy(toy.log_p(x.numpy()))
    for bound in (bounds.iwae, bounds.elbo):
        assert bound.dtype == F64
        torch.testing.assert_close(bound, log_p, rtol=1e-11, atol=1e-11)
    assert all(len(each) == count for each in bounds)


@pytest.mark.parametrize(("count", "draws", "rows"), [(7, 10, 25), (3, 100, 16), (5, 1, 2), (4, 8, 8), (2, 3, 1)])
def test_a_block_decodes_no_more_than_the_rows_allowed_and_draws_add_up(
    count: int, draws: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy, x, blocks = LinearGaussian(), vectors(count), []
    whole = toy.model.terms

    def spy(part: Tensor, posterior: CenteredDistribution, *, draws: int = 1, **options: object) -> Terms:
        blocks.append((part, draws))
        return whole(part, posterior, draws=draws, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(toy.model, "terms", spy)
    marginal_likelihood(toy.model, x, draws=draws, rows=rows, generator=seeded(0))
    assert all(len(part) * number <= rows for part, number in blocks)
    scored = torch.cat([part.repeat(number, 1) for part, number in blocks])
    for row in x:
        assert int((scored == row).all(-1).sum()) == draws
    assert len(scored) == count * draws


@pytest.mark.parametrize("rows", [1, 7, 500])
def test_the_estimates_follow_the_same_law_whatever_the_blocks(rows: int) -> None:
    """Many repetitions, each in blocks, have the mean of the one formula over all its draws."""
    toy, draws, repeats = LinearGaussian(skew=0.4, off=0.3), 8, 1500 if rows > 1 else 150
    x = vectors(1).expand(repeats, -1)
    bounds = marginal_likelihood(toy.model, x, draws=draws, rows=rows, generator=seeded(rows))
    direct = toy.model.terms(vectors(1), toy.model.encode(vectors(1)), draws=draws * 20_000, generator=seeded(9))
    weight = direct.log_weight.detach().numpy().reshape(draws, -1)
    expected = logsumexp(weight, axis=0) - math.log(draws)
    error = math.hypot(bounds.iwae.std().item() / repeats**0.5, expected.std() / 20_000**0.5)
    assert abs(bounds.iwae.mean().item() - expected.mean()) < 4 * error
    assert abs(bounds.elbo.mean().item() - weight.mean()) < 4 * bounds.elbo.std().item() / repeats**0.5
    assert abs(bounds.iwae.std().item() / expected.std() - 1) < 4 / (2 * repeats) ** 0.5


@pytest.mark.parametrize("rows", [5, 4096])
def test_the_standard_error_of_the_kl_is_that_of_repeated_estimates(rows: int) -> None:
    toy, x, draws, repeats = LinearGaussian(skew=0.4, off=0.3), vectors(3), 12, 800
    many = marginal_likelihood(toy.model, x.repeat(repeats, 1), draws=draws, rows=rows, generator=seeded(0))
    kl, variance = many.kl.view(repeats, 3), many.kl_variance.view(repeats, 3)
    exact = torch.from_numpy(toy.kl(x.numpy(), np.zeros(2), toy.s**2 * np.eye(2)))
    assert ((kl.mean(0) - exact).abs() < 4 * kl.std(0) / repeats**0.5).all()
    # s² is unbiased; a quotient of s² of 800 and a mean of 800: a relative error of √(2/800).
    torch.testing.assert_close(variance.mean(0), kl.var(0), rtol=4 * (2 / repeats) ** 0.5, atol=0)
    one = Bounds(*(each.view(repeats, 3)[0] for each in many))
    assert one.mean_kl[0] == pytest.approx(kl[0].mean().item())
    assert one.mean_kl[1] == pytest.approx(math.sqrt(variance[0].sum().item()) / 3)


@pytest.mark.parametrize("rows", [1, 5, 11, 4096])
def test_estimates_in_blocks_are_those_of_all_draws_at_once(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    toy, x, draws = LinearGaussian(skew=0.4, off=0.3), vectors(1), 12
    whole, blocks = toy.model.terms, []

    def spy(*arguments: object, **options: object) -> Terms:
        blocks.append(whole(*arguments, **options))  # type: ignore[arg-type]
        return blocks[-1]

    monkeypatch.setattr(toy.model, "terms", spy)
    bounds = marginal_likelihood(toy.model, x, draws=draws, rows=rows, generator=seeded(0))
    weight, ratio = (np.concatenate([part(block).numpy() for block in blocks]) for part in (_weight, _ratio))
    np.testing.assert_allclose(bounds.iwae, logsumexp(weight, axis=0) - math.log(draws), rtol=1e-13)
    np.testing.assert_allclose(bounds.elbo, weight.mean(0), rtol=1e-13)
    np.testing.assert_allclose(bounds.kl, ratio.mean(0), rtol=1e-13)
    np.testing.assert_allclose(bounds.kl_variance, ratio.var(0, ddof=1) / draws, rtol=1e-11)


def _weight(terms: Terms) -> Tensor:
    return terms.log_weight


def _ratio(terms: Terms) -> Tensor:
    return terms.log_ratio


def test_the_error_of_a_kl_far_from_zero_does_not_cancel() -> None:
    """A log-ratio of 10⁹ ± 1 would leave no digit of a mean of squares."""
    toy, x = LinearGaussian(skew=0.4, off=0.3), vectors(2)
    plain = marginal_likelihood(toy.model, x, draws=200, rows=30, generator=seeded(0))
    whole = toy.model.terms

    def lifted(*arguments: object, **options: object) -> Terms:
        terms = whole(*arguments, **options)  # type: ignore[arg-type]
        return terms._replace(log_ratio=terms.log_ratio + 1e9)

    toy.model.terms = lifted  # type: ignore[method-assign, assignment]
    far = marginal_likelihood(toy.model, x, draws=200, rows=30, generator=seeded(0))
    torch.testing.assert_close(far.kl_variance, plain.kl_variance, rtol=1e-5, atol=0)
    torch.testing.assert_close(far.kl - 1e9, plain.kl, rtol=0, atol=1e-5)


def test_one_draw_has_no_standard_error() -> None:
    toy, x = LinearGaussian(), vectors(4)
    bounds = marginal_likelihood(toy.model, x, draws=1, generator=seeded(0))
    assert torch.equal(bounds.iwae, bounds.elbo)
    assert math.isnan(bounds.mean_kl[1])


# --- the disk, by quadrature ---

SETTINGS = {
    "wrapped": Setting("wrapped", (0.5, -0.4), (0.85, 0.7)),
    "riemannian": Setting("riemannian", (0.5, -0.4), (0.9,)),
}
PRIOR_SCALE = 0.9  # narrow enough for weights of finite variance


class OnDisk:
    """A VAE whose posterior is one ``Setting`` for every x, and the integrals over the disk that it stands for."""

    def __init__(
        self, latent: str, family: str, c: float, decoder: str = "gyroplane", q: Setting | None = None
    ) -> None:
        q = q or SETTINGS[family]
        self.model = build_vae(
            4,
            latent=latent,
            c=c,
            posterior=family,
            scales="isotropic" if len(q.sigma) == 1 else "diagonal",
            prior_scale=PRIOR_SCALE,
            decoder=decoder,
            hidden=6,
            generator=seeded(3),
        ).double()
        numbers = torch.tensor([*q.vector, *np.log(q.sigma)], dtype=F64)
        self.model.encoder = Affine(torch.zeros(4, len(numbers), dtype=F64), numbers)
        with torch.no_grad():  # so that x says something about z
            self.model.decoder.out.weight.mul_(2.0)
        self.x = torch.tensor([[0.8, -0.5, 0.3, 0.0], [-0.4, 0.2, 0.6, 1.0], [0.0] * 4], dtype=F64)
        points, area = disk_nodes(c, 11.0, radii=180, angles=160)
        self.area = np.log(area)
        prior = Setting(family, (0.0, 0.0), (PRIOR_SCALE,))
        self.log_q, self.log_prior = q.log_density(points, c), prior.log_density(points, c)
        output = self.model.decode(coordinates(points, self.model.head.manifold)).detach().numpy()
        difference = self.x.numpy()[:, None] - output
        self.log_likelihood = -0.5 * (difference**2).sum(-1) - 2 * math.log(2 * math.pi)
        for log_density in (self.log_q, self.log_prior):
            assert abs(np.exp(log_density + self.area).sum() - 1) < 1e-7

    @property
    def log_joint(self) -> Array:
        return self.log_likelihood + self.log_prior

    @property
    def log_p(self) -> Array:
        value: Array = logsumexp(self.log_joint + self.area, axis=-1)
        return value

    def mean(self, g: Array) -> Array:
        """E_q[g]."""
        value: Array = (np.exp(self.log_q + self.area) * g).sum(-1)
        return value

    @property
    def elbo(self) -> Array:
        return self.mean(self.log_joint - self.log_q)

    @property
    def kl(self) -> float:
        return float(self.mean(self.log_q - self.log_prior))

    @property
    def variance_of_log_ratio(self) -> float:
        return float(self.mean((self.log_q - self.log_prior - self.kl) ** 2))

    @property
    def relative_variance(self) -> Array:
        """Var[w]/E[w]² of w = p(x,z)/q(z|x) under q."""
        square: Array = logsumexp(2 * self.log_joint - self.log_q + self.area, axis=-1)
        value = np.exp(square - 2 * self.log_p) - 1
        assert (value < 5).all()
        return value


each_disk = pytest.mark.parametrize(
    ("latent", "family", "c"),
    [(latent, family, c) for latent in ("poincare", "lorentz") for family in SETTINGS for c in (0.7, 1.4)],
)


@each_disk
def test_bounds_on_the_disk_are_the_integrals(latent: str, family: str, c: float) -> None:
    disk, draws = OnDisk(latent, family, c), 5000
    bounds = marginal_likelihood(disk.model, disk.x, draws=draws, generator=seeded(0))
    error = np.sqrt(disk.relative_variance / draws)
    assert (np.abs(bounds.iwae.numpy() - disk.log_p) < 4 * error).all()
    spread = np.sqrt(disk.mean((disk.log_joint - disk.log_q - disk.elbo[:, None]) ** 2))
    assert (np.abs(bounds.elbo.numpy() - disk.elbo) < 4 * spread / math.sqrt(draws)).all()
    assert (disk.elbo < disk.log_p - 0.01).all()
    assert (bounds.iwae > bounds.elbo).all()
    kl, standard_error = bounds.mean_kl
    assert disk.kl > 0
    assert abs(kl - disk.kl) < 4 * standard_error
    assert standard_error == pytest.approx(math.sqrt(disk.variance_of_log_ratio / draws / 3), rel=0.1)


@each_disk
def test_importance_weights_on_the_disk_have_the_mean_p(latent: str, family: str, c: float) -> None:
    disk, draws = OnDisk(latent, family, c), 40_000
    with torch.no_grad():
        terms = disk.model.terms(disk.x, disk.model.encode(disk.x), draws=draws, generator=seeded(5))
    mean = np.exp(terms.log_weight.numpy() - disk.log_p).mean(0)
    assert (np.abs(mean - 1) < 4 * np.sqrt(disk.relative_variance / draws)).all()


@pytest.mark.parametrize("family", SETTINGS)
def test_the_expected_bound_rises_with_the_number_of_draws_and_stays_below_log_p(family: str) -> None:
    disk = OnDisk("poincare", family, 1.4)
    with torch.no_grad():
        terms = disk.model.terms(disk.x, disk.model.encode(disk.x), draws=60_000, generator=seeded(7))
    means, errors = [], []
    for draws in (1, 2, 10, 100):
        bound = Terms(*(term.view(draws, -1, 3) for term in terms)).iwae().numpy()
        means.append(bound.mean(0))
        errors.append(bound.std(0) / math.sqrt(len(bound)))
    assert (np.abs(means[0] - disk.elbo) < 4 * errors[0]).all()
    for fewer, more in ((0, 1), (1, 2)):
        assert (means[more] - means[fewer] > 4 * np.hypot(errors[more], errors[fewer])).all()
    assert (disk.log_p - means[2] > 4 * errors[2]).all()
    assert (means[3] < disk.log_p + 4 * errors[3]).all()


@pytest.mark.parametrize("family", SETTINGS)
def test_the_expected_gradient_of_the_elbo_is_that_of_the_integral(family: str) -> None:
    disk, draws, step = OnDisk("poincare", family, 1.4), 20_000, 1e-4
    q, numbers = SETTINGS[family], disk.model.encoder.constant
    rows = numbers.expand(draws, 3, -1).detach().clone().requires_grad_()
    terms = disk.model.terms(disk.x, disk.model.head(rows), generator=seeded(2))
    (gradient,) = torch.autograd.grad(terms.elbo().sum(), rows)
    for k in range(len(numbers)):

        def elbo(move: float, at: int = k) -> Array:
            moved = [*q.vector, *np.log(q.sigma)]
            moved[at] += move
            near = Setting(family, (moved[0], moved[1]), tuple(np.exp(moved[2:])))
            return OnDisk("poincare", family, 1.4, q=near).elbo

        exact = (elbo(step) - elbo(-step)) / (2 * step)
        error = gradient[..., k].std(0).numpy() / math.sqrt(draws)
        assert (np.abs(gradient[..., k].mean(0).numpy() - exact) < 4 * error + 1e-6).all()


@pytest.mark.parametrize("decoder", ["linear", "logmap", "mobius"])
def test_bounds_hold_for_every_decoder(decoder: str) -> None:
    disk, draws = OnDisk("poincare", "riemannian", 0.7, decoder), 5000
    bounds = marginal_likelihood(disk.model, disk.x, draws=draws, generator=seeded(0))
    assert (np.abs(bounds.iwae.numpy() - disk.log_p) < 4 * np.sqrt(disk.relative_variance / draws)).all()


def test_a_posterior_wider_than_coordinates_has_its_kl_and_says_what_was_pulled_in() -> None:
    """Densities at projected coordinates give -9.5 here (float32) or 4.6 (float64)."""
    sigma, prior, c, draws = 5.0, 1.7, 1.2, 3000
    model = build_vae(
        4, c=c, posterior="riemannian", prior_scale=prior, initial_scale=sigma, hidden=5, generator=seeded(0)
    )
    model.encoder = Affine(torch.zeros(4, 3), torch.zeros(3))
    bounds = marginal_likelihood(model, torch.zeros(2, 4), draws=draws, generator=seeded(1))
    change = (prior**-2 - sigma**-2) / 2
    exact = (
        quadrature.log_partition(prior, 2, c)
        - quadrature.log_partition(sigma, 2, c)
        + change * quadrature.radial_mean(np.square, sigma, 2, c)
    )
    assert 100 < exact < 110
    kl, error = bounds.mean_kl
    assert abs(kl - exact) < 4 * error
    limit = 36 / math.sqrt(c)
    share = 1 - quadrature.radial_cdf(np.array([limit]), sigma, 2, c)[0]
    assert abs(float(bounds.pulled_in.mean()) - share) < 4 * math.sqrt(share * (1 - share) / (2 * draws))
    assert torch.isfinite(bounds.iwae).all()


# --- memory and arguments ---


@pytest.mark.parametrize("posterior", FAMILIES)
def test_memory_does_not_grow_with_the_number_of_draws_or_points(posterior: str) -> None:
    model, rows, hidden = build_vae(5, posterior=posterior, hidden=24, generator=seeded(0)), 64, 24

    def largest(count: int, draws: int) -> int:
        with LargestTensor() as seen:
            marginal_likelihood(model, torch.zeros(count, 5), draws=draws, rows=rows, generator=seeded(0))
        return seen.elements

    assert rows * hidden <= largest(3, 130) <= 2 * rows * hidden
    assert largest(3, 1300) == largest(3, 130)
    assert largest(60, 10) <= 2 * rows * hidden


def test_bounds_come_from_the_generator_alone_and_leave_no_graph() -> None:
    model, x = build_vae(5, posterior="riemannian", hidden=6, generator=seeded(0)), torch.ones(3, 5)
    before = torch.get_rng_state()
    one, again, other = (marginal_likelihood(model, x, draws=20, generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not torch.equal(one.iwae, other.iwae)
    assert not any(each.requires_grad for each in one)


@pytest.mark.parametrize("options", [{"draws": 0}, {"draws": -3}, {"rows": 0}], ids=str)
def test_numbers_below_one_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="must be at least 1"):
        marginal_likelihood(build_vae(5, hidden=4), torch.zeros(2, 5), **options)


def test_no_points_give_no_figures_rather_than_an_error() -> None:
    bounds = marginal_likelihood(build_vae(5, hidden=4), torch.zeros(0, 5), draws=3)
    assert all(each.shape == (0,) for each in bounds)
