"""The VAE: what its terms are made of, and that nothing it remembers goes stale."""

import copy
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp

from hypgraph.distributions import FAMILIES, RiemannianNormal, WrappedNormal
from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import MANIFOLDS, Lorentz, Manifold, PoincareBall
from hypgraph.models import VAE, Terms, build_vae
from hypgraph.nn import LIKELIHOODS, VECTOR_DECODERS, LinearDecoder, Normal, PosteriorHead
from tests.distributions.quadrature import log_partition
from tests.distributions.reference import F64, seeded

KINDS = [
    ("euclidean", "wrapped"),
    *itertools.product(("poincare", "lorentz"), ("wrapped", "riemannian", "rown")),
]
each_kind = pytest.mark.parametrize(("latent", "posterior"), KINDS)


def images(count: int, features: int = 6) -> torch.Tensor:
    return torch.rand(count, features, generator=seeded(8))


def random_terms(draws: int = 7, count: int = 3) -> Terms:
    one, two = 5 * torch.randn(2, draws, count, dtype=F64, generator=seeded(0))
    return Terms(one, two, torch.zeros(draws, count, dtype=torch.bool))


# --- bounds from terms ---


def test_the_elbo_is_the_mean_and_beta_weighs_the_ratio() -> None:
    terms = random_terms()
    likelihood, ratio = (term.numpy() for term in terms[:2])
    np.testing.assert_allclose(terms.log_weight, likelihood - ratio, rtol=1e-15)
    for beta in (0.0, 0.5, 1.0, 4.0):
        np.testing.assert_allclose(terms.elbo(beta=beta), likelihood.mean(0) - beta * ratio.mean(0), rtol=1e-13)
    torch.testing.assert_close(terms.elbo(), terms.elbo(beta=1.0))


@pytest.mark.parametrize("draws", [1, 3, 5000])
def test_iwae_is_the_log_of_the_mean_weight_to_the_last_digits(draws: int) -> None:
    terms = random_terms(draws)
    exact = logsumexp(terms.log_weight.numpy(), axis=0) - math.log(draws)
    np.testing.assert_allclose(terms.iwae(), exact, rtol=0, atol=1e-13)


def test_iwae_of_weights_beyond_the_range_of_floating_point() -> None:
    terms = random_terms()
    for lift in (-5000.0, 5000.0):
        lifted = terms._replace(log_likelihood=terms.log_likelihood + lift)
        torch.testing.assert_close(lifted.iwae() - lift, terms.iwae(), rtol=0, atol=1e-5)


def test_equal_weights_give_that_weight_in_every_bound() -> None:
    terms = Terms(torch.full((100, 2), 3.0, dtype=F64), torch.full((100, 2), 1.0, dtype=F64), torch.zeros(100, 2))
    for bound in (terms.elbo(), terms.iwae()):
        torch.testing.assert_close(bound, torch.full((2,), 2.0, dtype=F64), rtol=0, atol=1e-14)


# --- terms ---


@each_kind
@pytest.mark.parametrize("draws", [1, 4])
def test_terms_are_the_densities_at_the_coordinates_of_the_draws(latent: str, posterior: str, draws: int) -> None:
    """The same draws again, their densities at coordinates, and the likelihood by SciPy."""
    model = build_vae(
        6, latent=latent, posterior=posterior, c=1.2, prior_scale=1.3, hidden=5, generator=seeded(0)
    ).double()
    x = images(3).double()
    q = model.encode(x)
    with torch.no_grad():
        terms = model.terms(x, q, draws=draws, generator=seeded(4))
        z = q.rsample_polar((draws,), generator=seeded(4)).value
    manifold = model.head.manifold
    p = FAMILIES[posterior](None, torch.tensor(1.3, dtype=F64), manifold)
    torch.testing.assert_close(terms.log_ratio, (q.log_prob(z) - p.log_prob(z)).detach(), rtol=1e-8, atol=1e-8)
    expected = stats.norm.logpdf(x.numpy(), loc=model.decode(z).detach().numpy()).sum(-1)
    np.testing.assert_allclose(terms.log_likelihood, expected, rtol=1e-9, atol=1e-9)
    assert all(term.shape == (draws, 3) for term in terms)
    assert terms.pulled_in.dtype == torch.bool


@each_kind
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("decoder", VECTOR_DECODERS)
def test_every_part_goes_with_every_other_and_all_weights_learn(
    latent: str, posterior: str, likelihood: str, decoder: str
) -> None:
    model = build_vae(
        6,
        latent=latent,
        posterior=posterior,
        likelihood=likelihood,
        decoder=decoder,
        hidden=5,
        generator=seeded(0),
    )
    x = images(4)
    terms = model.terms(x, model.encode(x), draws=3, generator=seeded(1))
    assert terms.log_weight.dtype == F64
    (-terms.iwae().mean()).backward()
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()
        assert parameter.grad.any()


@pytest.mark.parametrize(("latent", "posterior"), [kind for kind in KINDS if kind[1] != "riemannian"])
def test_gradients_of_the_bound_are_those_of_finite_differences(latent: str, posterior: str) -> None:
    """Draws of a Riemannian normal do not move as their gradients say where a proposal gets accepted."""
    model = build_vae(4, latent=latent, posterior=posterior, c=0.9, hidden=5, generator=seeded(0)).double()
    x = images(3, 4).double()
    names = [name for name, _ in model.named_parameters()]

    def bound(*values: torch.Tensor) -> torch.Tensor:
        state = dict(zip(names, values, strict=True))
        q = torch.func.functional_call(model.encoder, _part(state, "encoder"), (x,))
        draw = model.head(q).rsample_polar((2,), generator=seeded(2))
        ratio = model.head(q).log_prob_of(draw) - model.prior(draw.radius).log_prob_of(draw)
        output = torch.func.functional_call(model.decoder, _part(state, "decoder"), (draw.point,))
        return Terms(model.likelihood.log_prob(x, output), ratio, draw.pulled_in).iwae()

    values = [parameter.detach().clone().requires_grad_() for parameter in model.parameters()]
    assert torch.autograd.gradcheck(bound, values, rtol=1e-5, atol=1e-7, fast_mode=True)
    (expected,) = torch.autograd.grad(bound(*values).sum(), values[:1])
    model.terms(x, model.encode(x), draws=2, generator=seeded(2)).iwae().sum().backward()
    torch.testing.assert_close(next(model.parameters()).grad, expected)


def _part(state: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}


@each_kind
def test_a_single_vector_and_leading_axes_are_batches(latent: str, posterior: str) -> None:
    model = build_vae(6, latent=latent, posterior=posterior, hidden=5, generator=seeded(0))
    x = images(6)
    for shape in ((), (6,), (2, 3)):
        at = x[0] if shape == () else x.view(*shape, 6)
        assert model.encode(at).batch_shape == shape
        assert model.terms(at, model.encode(at), draws=2, generator=seeded(0)).iwae().shape == shape
        assert model.reconstruct(at).shape == (*shape, 6)


def test_terms_come_from_the_generator_alone() -> None:
    model, x = build_vae(6, posterior="riemannian", hidden=5, generator=seeded(0)), images(4)
    before = torch.get_rng_state()
    one, again, other = (model.terms(x, model.encode(x), draws=3, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.log_weight, again.log_weight)
    assert not torch.equal(one.log_weight, other.log_weight)


@pytest.mark.parametrize("posterior", FAMILIES)
@pytest.mark.parametrize("latent", ["poincare", "lorentz"])
def test_terms_are_finite_however_far_out_the_posterior(latent: str, posterior: str) -> None:
    model = build_vae(6, latent=latent, posterior=posterior, gain=400.0, hidden=5, generator=seeded(0))
    x = 5 * images(4)
    q = model.encode(x)
    assert q.center is not None
    assert q.center.radius.max() > 100
    terms = model.terms(x, q, draws=5, generator=seeded(1))
    assert terms.pulled_in.any()
    terms.elbo().sum().backward()
    for tensor in (*terms[:2], *(parameter.grad for parameter in model.parameters())):
        assert tensor is not None
        assert torch.isfinite(tensor).all()
    assert torch.isfinite(model.reconstruct(x)).all()


# --- samples and reconstructions ---


@each_kind
def test_samples_are_means_at_draws_from_the_prior(latent: str, posterior: str) -> None:
    model = build_vae(
        6,
        latent=latent,
        posterior=posterior,
        likelihood="bernoulli",
        prior_scale=0.7,
        hidden=5,
        generator=seeded(0),
    )
    samples = model.sample(9, generator=seeded(3))
    z = FAMILIES[posterior](None, torch.tensor(0.7, dtype=F64), model.head.manifold).sample(
        (9,), generator=seeded(3)
    )
    torch.testing.assert_close(samples, torch.sigmoid(model.decode(z)), rtol=1e-5, atol=1e-6)
    assert 0 < samples.min() < samples.max() < 1


def test_reconstructions_are_means_at_the_centres() -> None:
    model = build_vae(6, likelihood="bernoulli", hidden=5, generator=seeded(0))
    x = images(4)
    hidden = torch.relu(x @ model.encoder[0].weight.mT + model.encoder[0].bias)  # type: ignore[index]
    numbers = hidden @ model.encoder[2].weight.mT + model.encoder[2].bias  # type: ignore[index]
    center = model.head.manifold.expmap0(numbers[:, :2].double() / 2)  # exp₀ of the ball moves twice the norm
    torch.testing.assert_close(model.reconstruct(x), torch.sigmoid(model.decode(center)), rtol=1e-5, atol=1e-6)


# --- the prior ---


def test_the_prior_is_at_the_origin_of_the_family_and_scale_asked_for() -> None:
    head = PosteriorHead(PoincareBall(2), family=RiemannianNormal)
    parts = (torch.nn.Identity(), head, LinearDecoder(PoincareBall(2), 4, 3), Normal())
    like = torch.zeros((), dtype=F64)
    assert type(VAE(*parts).prior(like)) is RiemannianNormal
    prior = VAE(*parts, prior=WrappedNormal, prior_scale=1.7).prior(like)
    assert type(prior) is WrappedNormal
    assert (prior.center, prior.scale.item(), prior.batch_shape) == (None, 1.7, ())


def test_the_prior_follows_the_precision_of_the_latents() -> None:
    model = build_vae(6, posterior="riemannian", hidden=5, prior_scale=1.3, generator=seeded(0))
    for dtype in (F64, torch.float32, F64):
        like = torch.zeros((), dtype=dtype)
        prior = model.prior(like)
        assert prior.scale.dtype == dtype
        exact = -log_partition(1.3, 2, 1.0)
        value = prior.log_prob(torch.zeros(2, dtype=dtype))
        assert value.dtype == dtype
        assert value.item() == pytest.approx(exact, rel=1e-12 if dtype == F64 else 1e-6)
    meta = model.prior(torch.zeros((), dtype=F64, device="meta"))
    assert meta.scale.device.type == "meta"
    assert model.prior(torch.zeros((), dtype=F64)).scale.device.type == "cpu"


def prior_density(c: float, posterior: str, scale: float) -> float:
    if posterior == "riemannian":
        return -log_partition(scale, 2, c)
    return -math.log(2 * math.pi) - 2 * math.log(scale)


@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
@pytest.mark.parametrize("posterior", ["wrapped", "riemannian"])
def test_the_prior_follows_a_curvature_that_is_learnt(
    space: Callable[[int, float], Manifold], posterior: str
) -> None:
    model = build_vae(
        6,
        latent="poincare" if space is PoincareBall else "lorentz",
        posterior=posterior,
        c=0.7,
        learn_c=True,
        hidden=5,
        prior_scale=1.3,
        generator=seeded(0),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    x, seen = images(8), []
    for step in range(3):
        c = model.head.manifold.c_value
        seen.append(c)
        like = torch.zeros((), dtype=F64)
        prior = model.prior(like)
        fixed = space(2, c)
        z = fixed.expmap0(_frame(fixed))
        expected = FAMILIES[posterior](None, torch.tensor(1.3, dtype=F64), fixed).log_prob(z)
        torch.testing.assert_close(prior.log_prob(z).detach(), expected, rtol=1e-12, atol=1e-12)
        origin = fixed.expmap0(0 * _frame(fixed))
        assert prior.log_prob(origin).item() == pytest.approx(prior_density(c, posterior, 1.3), rel=1e-10)
        optimizer.zero_grad()
        (-model.terms(x, model.encode(x), draws=4, generator=seeded(step)).elbo().mean()).backward()
        optimizer.step()
    assert len({round(c, 6) for c in seen}) == 3


def _frame(manifold: Manifold) -> torch.Tensor:
    vector = torch.tensor([0.4, -0.9], dtype=F64)
    return torch.cat([torch.zeros(1, dtype=F64), vector]) if isinstance(manifold, Lorentz) else vector


def test_the_prior_follows_a_curvature_given_as_a_tensor() -> None:
    c = torch.tensor(1.0, dtype=F64)
    ball = PoincareBall(2, c)
    head = PosteriorHead(ball, family=RiemannianNormal)
    model = VAE(torch.nn.Identity(), head, LinearDecoder(ball, 4, 3), Normal(), prior_scale=1.3)
    for value in (1.0, 0.3, 2.0):
        c.fill_(value)
        density = model.prior(torch.zeros((), dtype=F64)).log_prob(torch.zeros(2, dtype=F64))
        assert density.item() == pytest.approx(-log_partition(1.3, 2, value), rel=1e-10)


@pytest.mark.parametrize("posterior", FAMILIES)
def test_a_model_that_was_used_for_inference_can_still_be_trained(posterior: str) -> None:
    model, x = build_vae(6, posterior=posterior, hidden=5, generator=seeded(0)), images(3)
    with torch.inference_mode():
        model.terms(x, model.encode(x), generator=seeded(0))
    model.terms(x, model.encode(x), generator=seeded(0)).elbo().sum().backward()


def test_what_a_model_remembers_is_no_part_of_its_state_or_of_its_copies() -> None:
    model, x = build_vae(6, posterior="riemannian", hidden=5, generator=seeded(0)), images(3)
    names = set(model.state_dict())
    before = model.terms(x, model.encode(x), generator=seeded(1)).log_weight
    assert set(model.state_dict()) == names
    twin = copy.deepcopy(model)
    assert torch.equal(twin.terms(x, twin.encode(x), generator=seeded(1)).log_weight, before)


# --- building ---


@pytest.mark.parametrize("latent", MANIFOLDS)
def test_every_number_arrives_where_it_is_used(latent: str) -> None:
    model = build_vae(
        6, latent=latent, dim=3, c=0.8, gain=2.0, initial_scale=0.4, prior_scale=1.7, hidden=9, generator=seeded(0)
    )
    assert model.head.manifold.dim == 3
    assert model.head.manifold.c == (0 if latent == "euclidean" else 0.8)
    assert (model.head.gain, model.head.initial_scale, model.prior_scale) == (2.0, 0.4, 1.7)
    assert model.encoder[0].weight.shape == (9, 6)  # type: ignore[index]
    assert model.decoder.out.weight.shape == (6, 9)
    assert model.decoder.manifold is model.head.manifold


@pytest.mark.parametrize(("likelihood", "mean"), [("normal", [-2.0, 0.3, 7.0]), ("bernoulli", [0.01, 0.3, 0.95])])
def test_the_decoder_starts_at_the_mean_of_the_data(likelihood: str, mean: list[float]) -> None:
    model = build_vae(3, likelihood=likelihood, hidden=5, data_mean=torch.tensor(mean), generator=seeded(0))
    with torch.no_grad():
        model.decoder.out.weight.zero_()
    torch.testing.assert_close(model.sample(2, generator=seeded(0)), torch.tensor([mean, mean]))
    assert model.decoder.out.bias.requires_grad


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decoder": "gyroplan"}, "unknown decoder 'gyroplan'; did you mean 'gyroplane'"),
        ({"likelihood": "gauss"}, "unknown likelihood 'gauss'"),
        ({"latent": "poincar"}, "unknown latent 'poincar'; did you mean 'poincare'"),
        ({"latent": "euclidean", "posterior": "riemannian"}, "a riemannian posterior needs a hyperbolic latent"),
        ({"latent": "euclidean", "learn_c": True}, "learn_c needs a hyperbolic latent"),
        ({"posterior": "riemannian", "scales": "diagonal"}, "scales .* are diagonal"),
    ],
    ids=str,
)
def test_parts_that_are_unknown_or_do_not_go_together_are_refused(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_vae(6, **options)  # type: ignore[arg-type]
