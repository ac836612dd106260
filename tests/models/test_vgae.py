"""The graph auto-encoder: each term of its objective computed again, and what its scores rest on."""

import math

import networkx as nx
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor

from hypgraph.config import ModelConfig
from hypgraph.distributions import WrappedNormal
from hypgraph.manifolds import Lorentz, Manifold, PoincareBall, Polar
from hypgraph.models import VGAE, build_vgae
from hypgraph.nn import SparseMatrix, normalised_adjacency
from tests.distributions.reference import F64, place, seeded, spaces

LATENTS = ["poincare", "lorentz", "euclidean"]
NODES = 60


def graph() -> tuple[SparseMatrix, SparseMatrix, Tensor, Tensor]:
    """Features, adjacency, edges and as many other pairs of a graph of three dense groups."""
    blocks = nx.stochastic_block_model([20, 20, 20], (0.02 + 0.33 * torch.eye(3)).tolist(), seed=0)
    edges = torch.tensor(sorted(blocks.edges())).mT
    others = torch.tensor(sorted(nx.complement(blocks).edges())).mT
    chosen = torch.randperm(others.shape[1], generator=seeded(0))[: edges.shape[1]]
    features = SparseMatrix.from_scipy(nx.to_scipy_sparse_array(nx.empty_graph(NODES)).tocsr())
    one_hot = normalised_adjacency(torch.empty(2, 0, dtype=torch.long), NODES)
    assert features.shape == one_hot.shape
    return one_hot, normalised_adjacency(edges, NODES), edges, others[:, chosen]


def model(latent: str, **options: object) -> VGAE:
    config = ModelConfig.model_validate(
        {"latent": latent, "dim": 4, "hidden": 16, "gain": 10.0, "dropout": 0.5, "initial_scale": 0.135, **options}
    )
    return build_vgae(config, NODES, generator=seeded(0))


@pytest.mark.parametrize("decoder", ["gyroplane", "fermi-dirac", "tanh-distance", "inner-product", "mlp"])
@pytest.mark.parametrize("latent", LATENTS)
def test_every_term_of_the_objective_is_the_one_it_is_named_for(latent: str, decoder: str) -> None:
    features, adjacency, positive, negative = graph()
    negative = negative[:, : positive.shape[1] // 2]  # the mean is over pairs, whatever the numbers of the two
    vgae = model(latent, decoder=decoder, beta=0.7, prior_scale=1.7)
    posterior = vgae.encode(features, adjacency, generator=seeded(1))
    objective = vgae.objective(posterior, positive, negative, generator=seeded(2))
    assert all(term.dim() == 0 and term.dtype == F64 for term in objective)

    draw = posterior.rsample_polar(generator=seeded(2))
    probability = torch.sigmoid(vgae.decoder(draw.value, torch.cat([positive, negative], dim=1))).detach().numpy()
    labels = [1] * positive.shape[1] + [0] * negative.shape[1]
    assert abs(objective.reconstruction.item() - log_loss(labels, probability)) < 1e-9

    prior = WrappedNormal(None, 1.7, posterior.manifold)
    kl = posterior.log_prob(draw.value) - prior.log_prob(draw.value)
    torch.testing.assert_close(objective.kl, kl.mean(), rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(
        objective.loss, objective.reconstruction + 0.7 / NODES * objective.kl, rtol=1e-14, atol=0
    )
    assert objective.pulled_in == 0


@pytest.mark.parametrize("latent", LATENTS)
def test_points_are_decoded_from_either_coordinates(latent: str) -> None:
    features, adjacency, positive, _ = graph()
    vgae = model(latent).eval()
    posterior = vgae.encode(features, adjacency)
    assert posterior.center is not None
    torch.testing.assert_close(
        vgae.decode(posterior.center, positive), vgae.decode(posterior.loc, positive), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("latent", LATENTS)
def test_gradients_reach_every_parameter(latent: str) -> None:
    features, adjacency, positive, negative = graph()
    vgae = model(latent, nonnegative=False)
    posterior = vgae.encode(features, adjacency, generator=seeded(1))
    vgae.objective(posterior, positive, negative, generator=seeded(2)).loss.backward()
    for name, parameter in vgae.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_the_kl_of_flat_space_is_the_closed_form_on_average() -> None:
    vgae, nodes, draws = model("euclidean", prior_scale=1.3), 50, 300
    manifold = vgae.head.manifold
    loc = torch.randn(nodes, 4, dtype=F64, generator=seeded(0))
    scale = torch.rand(nodes, 4, dtype=F64, generator=seeded(1)) + 0.2
    posterior = WrappedNormal(loc, scale, manifold)
    pair, generator = torch.tensor([[0], [1]]), seeded(2)
    with torch.no_grad():
        kl = torch.stack([vgae.objective(posterior, pair, pair, generator=generator).kl for _ in range(draws)])
    closed = torch.distributions.kl_divergence(
        torch.distributions.Normal(loc, scale), torch.distributions.Normal(torch.zeros_like(loc), 1.3)
    )
    error = kl.std().item() / math.sqrt(draws)
    assert error < 0.02 * closed.sum(-1).mean()
    assert abs(kl.mean().item() - closed.sum(-1).mean().item()) < 4 * error


def test_ball_and_hyperboloid_are_one_model() -> None:
    features, adjacency, positive, negative = graph()
    losses, gradients = [], []
    for latent in ("poincare", "lorentz"):
        vgae = model(latent)
        posterior = vgae.encode(features, adjacency, generator=seeded(1))
        objective = vgae.objective(posterior, positive, negative, generator=seeded(2))
        losses.append(torch.stack(list(objective)))
        gradients.append(torch.autograd.grad(objective.loss, vgae.encoder.weight0)[0])
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_prior_is_centred_at_the_origin_of_the_same_space(manifold: Manifold, dtype: torch.dtype) -> None:
    vgae = model("poincare", prior_scale=0.8)
    prior = vgae.prior(
        WrappedNormal(place(manifold, torch.randn(5, 3, dtype=dtype, generator=seeded(0))), 0.1, manifold)
    )
    assert prior.manifold is manifold
    assert prior.batch_shape == ()
    assert manifold.dist0(prior.loc) == 0
    assert prior.scale.dtype == dtype
    torch.testing.assert_close(prior.scale, torch.full((1,), 0.8, dtype=dtype))


@pytest.mark.parametrize("manifold", [PoincareBall(4), Lorentz(4)], ids=str)
def test_the_share_of_draws_beyond_coordinates_is_reported_and_the_kl_stays_right(
    manifold: PoincareBall | Lorentz,
) -> None:
    vgae = model(manifold.name)
    direction = torch.zeros(4, 4, dtype=F64)
    direction[:, 0] = 1
    radius = torch.tensor([1.0, 2.0, 3.0, 400.0], dtype=F64)
    posterior = WrappedNormal(Polar(radius, direction), 0.1, manifold)
    pair = torch.tensor([[0, 1], [1, 3]])
    objective = vgae.objective(posterior, pair, pair, generator=seeded(0))
    assert objective.pulled_in == 0.25
    # log p falls as r²/2 + 3 r, log q is about 2·log(1/0.1²); only the far node matters.
    assert abs(objective.kl.item() / ((400**2 / 2 + 3 * 400) / 4) - 1) < 0.01
    assert torch.isfinite(objective.loss)


def test_draws_come_from_the_generator_alone() -> None:
    features, adjacency, positive, negative = graph()
    before = torch.get_rng_state()
    vgae = model("poincare")
    losses = []
    for seed in (1, 1, 2):
        posterior = vgae.encode(features, adjacency, generator=seeded(5))
        losses.append(vgae.objective(posterior, positive, negative, generator=seeded(seed)).loss.item())
    assert torch.equal(before, torch.get_rng_state())
    assert losses[0] == losses[1] != losses[2]


def test_dropout_is_drawn_in_training_mode_only() -> None:
    features, adjacency, _, _ = graph()
    vgae = model("poincare")
    one, other = (vgae.encode(features, adjacency, generator=seeded(s)).loc for s in (0, 1))
    assert not torch.equal(one, other)
    vgae.eval()
    one, other = (vgae.encode(features, adjacency, generator=seeded(s)).loc for s in (0, 1))
    assert torch.equal(one, other)


@pytest.mark.parametrize("latent", LATENTS)
def test_scores_of_held_out_edges_rest_on_which_node_a_latent_belongs_to(latent: str) -> None:
    features, _, edges, others = graph()
    order = torch.randperm(edges.shape[1], generator=seeded(1))
    held_out, training = edges[:, order[:40]], edges[:, order[40:]]
    adjacency = normalised_adjacency(training, NODES)
    vgae, generator = model(latent, dropout=0.2), seeded(3)
    optimiser = torch.optim.Adam(vgae.parameters(), lr=0.01)
    for _ in range(80):
        optimiser.zero_grad()
        negative = torch.randint(0, NODES, training.shape, generator=generator)
        posterior = vgae.encode(features, adjacency, generator=generator)
        vgae.objective(posterior, training, negative, generator=generator).loss.backward()
        optimiser.step()
    vgae.eval()

    def auc(z: Tensor) -> float:
        with torch.no_grad():
            scores = vgae.decode(z, torch.cat([held_out, others[:, :40]], dim=1))
        return float(roc_auc_score([1] * 40 + [0] * 40, scores.numpy()))

    z = vgae.encode(features, adjacency).loc.detach()
    shuffled = [auc(z[torch.randperm(NODES, generator=generator)]) for _ in range(20)]
    assert auc(z) > 0.75
    assert abs(sum(shuffled) / 20 - 0.5) < 0.06
