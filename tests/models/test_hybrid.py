"""The hybrid auto-encoder: its objective in NumPy, what gets gradients, and its start as an auto-encoder."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.config import ModelConfig
from hypgraph.distributions import CenteredDistribution
from hypgraph.exceptions import ConfigError
from hypgraph.models import HYBRID, VGAE, HybridVGAE, ScoredPairs, build_vgae, decoder_name
from hypgraph.nn import EDGE_DECODERS, normalised_adjacency
from tests.distributions.reference import F64, log_density, seeded

Array = NDArray[np.float64]
NODES, FEATURES, C = 30, 5, 0.8
ONE_HOT = normalised_adjacency(torch.empty(2, 0, dtype=torch.long), NODES)


def pairs(count: int, seed: int) -> Tensor:
    """Pairs of different nodes."""
    first = torch.randint(NODES, (count,), generator=seeded(seed))
    return torch.stack([first, (first + torch.randint(1, NODES, (count,), generator=seeded(seed + 1))) % NODES])


POSITIVE, NEGATIVE = pairs(40, 10), pairs(25, 20)


def scored_pairs() -> ScoredPairs:
    features = 3 * torch.randn(7 + 16, FEATURES, generator=seeded(5)) - 4
    return ScoredPairs(pairs(7, 30), pairs(16, 40), features)


def hybrid(*, moved: bool = True, sees_latent: bool = True, **options: object) -> HybridVGAE:
    """With no weight at its start where it is moved; in training mode."""
    config = ModelConfig.model_validate(
        {
            "decoder": HYBRID,
            "dim": 3,
            "hidden": 8,
            "c": C,
            "dropout": 0.0,
            "prior_scale": 1.3,
            "beta": 4.0,
            **options,
        }
    )
    model = build_vgae(config, NODES, num_pair_features=FEATURES, sees_latent=sees_latent, generator=seeded(0))
    assert isinstance(model, HybridVGAE)
    model.pair_head.standardise(scored_pairs().features)
    if moved:
        generator = seeded(1)
        with torch.no_grad():
            for parameter in [*model.pair_head.parameters(), *model.decoder.parameters()]:
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    return model


def encoded(model: VGAE) -> CenteredDistribution:
    return model.encode(ONE_HOT, normalised_adjacency(POSITIVE, NODES), generator=seeded(3))


def arrays(module: torch.nn.Module) -> dict[str, Array]:
    return {name: value.double().numpy() for name, value in module.state_dict().items()}


def ball_logits(model: HybridVGAE, z: Array, edges: Tensor) -> Array:
    """e^t (ρ − Σ w²(g_k(z_i) − g_k(z_j))²), g_k the signed distances to gyroplanes of the ball."""
    weights, k = arrays(model.decoder), C**0.5
    normals = weights["normals"] / np.linalg.norm(weights["normals"], axis=1, keepdims=True)
    factor = 2 / (1 - C * np.sum(z**2, axis=1, keepdims=True))
    inside = factor * k * (z @ normals.T) * np.cosh(k * weights["offsets"])
    distance = np.arcsinh(inside - (factor - 1) * np.sinh(k * weights["offsets"])) / k
    features = weights["weights"] * distance
    square = np.sum((features[edges[0]] - features[edges[1]]) ** 2, axis=1)
    logits: Array = np.exp(weights["log_inverse_temperature"]) * (weights["radius"] - square)
    return logits


def head_logits(model: HybridVGAE, features: Tensor, latent: Array | None) -> Array:
    """ℓ + b + α·φ̂ + W₁ relu(W₀ [φ̂, ℓ/3] + b₀) + b₁."""
    weights = arrays(model.pair_head)
    standard = (features.double().numpy() - weights["mean"]) / weights["std"]
    logit = np.zeros(len(standard)) if latent is None else latent
    inputs = np.concatenate([standard, logit[:, None] / 3], axis=1)
    hidden = np.maximum(inputs @ weights["inner.weight"].T + weights["inner.bias"], 0)
    outer = hidden @ weights["outer.weight"].T + weights["outer.bias"]
    result: Array = logit + weights["bias"] + standard @ weights["alpha"] + outer[:, 0]
    return result


def mean_logistic_loss(positive: Array, negative: Array) -> float:
    return float(np.concatenate([np.logaddexp(0, -positive), np.logaddexp(0, negative)]).mean())


def test_the_objective_is_two_mean_logistic_losses_and_the_kl_of_one_draw() -> None:
    model, scored = hybrid().eval(), scored_pairs()
    posterior = encoded(model)
    found = model.hybrid_objective(posterior, POSITIVE, NEGATIVE, scored, generator=seeded(2))
    z = posterior.rsample_polar(generator=seeded(2)).value.detach().numpy()

    latent = mean_logistic_loss(ball_logits(model, z, POSITIVE), ball_logits(model, z, NEGATIVE))
    number = scored.positive.shape[1]
    edges = head_logits(model, scored.features[:number], ball_logits(model, z, scored.positive))
    others = head_logits(model, scored.features[number:], ball_logits(model, z, scored.negative))
    loc, scale = posterior.loc.detach().numpy(), posterior.scale.detach().numpy()
    log_q = log_density(z, loc, np.broadcast_to(scale, loc.shape), C)
    log_p = log_density(z, np.zeros_like(loc), np.full_like(loc, 1.3), C)
    kl = float(np.mean(log_q - log_p))

    assert found.reconstruction.item() == pytest.approx(latent + mean_logistic_loss(edges, others), rel=1e-6)
    assert found.kl.item() == pytest.approx(kl, rel=1e-6)
    assert found.loss.item() == pytest.approx(found.reconstruction.item() + 4.0 / NODES * kl, rel=1e-6)
    assert found.pulled_in == 0
    assert all(term.dtype == F64 for term in found)


@pytest.mark.parametrize("latent", ["poincare", "lorentz", "euclidean"])
def test_at_its_start_it_is_the_auto_encoder_on_two_sets_of_pairs(latent: str) -> None:
    """The head starts as the latent logit, and leaves the draw alone."""
    model, scored = hybrid(moved=False, latent=latent), scored_pairs()
    posterior = encoded(model)
    found = model.hybrid_objective(posterior, POSITIVE, NEGATIVE, scored, generator=seeded(2))
    first = model.objective(posterior, POSITIVE, NEGATIVE, generator=seeded(2))
    second = model.objective(posterior, scored.positive, scored.negative, generator=seeded(2))
    torch.testing.assert_close(
        found.reconstruction, first.reconstruction + second.reconstruction, rtol=1e-12, atol=0
    )
    torch.testing.assert_close(found.kl, first.kl, rtol=1e-12, atol=0)


def test_gradients_of_the_objective_reach_every_parameter() -> None:
    model = hybrid()
    model.hybrid_objective(encoded(model), POSITIVE, NEGATIVE, scored_pairs(), generator=seeded(2)).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("which", ["latent", "head"])
def test_both_losses_move_the_latents(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing moves the logits of one of the two, the other still has a gradient."""
    model, scored = hybrid(beta=0.0), scored_pairs()
    if which == "latent":
        monkeypatch.setattr(model.pair_head, "forward", lambda features, *_, **__: torch.zeros(len(features)))
        halves = POSITIVE, NEGATIVE
    else:
        nowhere = torch.zeros(2, 1, dtype=torch.long)  # a node and itself: at no distance, wherever it is
        halves = nowhere, nowhere
    posterior = encoded(model)
    model.hybrid_objective(posterior, *halves, scored, generator=seeded(2)).loss.backward()
    gradients = [parameter.grad for parameter in model.encoder.parameters()]
    assert all(gradient is not None and gradient.abs().max() > 1e-6 for gradient in gradients)


def test_the_head_alone_is_scored_on_features_alone() -> None:
    model, scored = hybrid(sees_latent=False).eval(), scored_pairs()
    found = model.head_objective(scored)
    number = scored.positive.shape[1]
    logits = head_logits(model, scored.features, None)
    assert found.loss.item() == pytest.approx(mean_logistic_loss(logits[:number], logits[number:]), rel=1e-5)
    assert found.reconstruction == found.loss
    assert found.kl == found.pulled_in == 0
    found.loss.backward()
    for name, parameter in model.named_parameters():
        if name.startswith("pair_head."):
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name
        else:
            assert parameter.grad is None, name


@pytest.mark.parametrize("sees_latent", [True, False])
def test_the_dropout_of_the_head_is_drawn_from_the_generator_in_training_mode_only(
    sees_latent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, scored = hybrid(sees_latent=sees_latent), scored_pairs()

    def loss(seed: int) -> Tensor:
        generator = seeded(seed)
        if not sees_latent:
            return model.head_objective(scored, generator=generator).loss
        posterior = encoded(model)
        draw = posterior.rsample_polar(generator=seeded(2))
        monkeypatch.setattr(posterior, "rsample_polar", lambda **_: draw)
        return model.hybrid_objective(posterior, POSITIVE, NEGATIVE, scored, generator=generator).loss

    before = torch.get_rng_state()
    assert torch.equal(loss(0), loss(0))
    assert not torch.equal(loss(0), loss(1))
    model.eval()
    assert torch.equal(loss(0), loss(1))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("directed", "inner"), [(False, "gyroplane"), (True, "directed-gyroplane")])
def test_around_the_default_decoder_it_has_the_weights_of_the_auto_encoder(directed: bool, inner: str) -> None:
    config = ModelConfig(decoder=HYBRID, dim=3)
    model = build_vgae(config, NODES, directed=directed, num_pair_features=4, generator=seeded(0))
    plain = build_vgae(
        ModelConfig(decoder="auto", dim=3), NODES, directed=directed, generator=seeded(0)
    ).state_dict()
    assert isinstance(model, HybridVGAE)
    assert type(model.decoder) is EDGE_DECODERS[inner]
    assert decoder_name(config, directed=directed) == "hybrid"
    state = model.state_dict()
    assert {name for name in state if not name.startswith("pair_head.")} == set(plain)
    assert all(torch.equal(state[name], plain[name]) for name in plain)
    assert state["pair_head.alpha"].shape == (4,)
    assert model.sees_latent


def test_a_name_that_is_nearly_hybrid_is_told() -> None:
    with pytest.raises(ConfigError, match="hybrid") as refused:
        build_vgae(ModelConfig(decoder="hybird"), NODES)
    assert "\n" not in str(refused.value)
