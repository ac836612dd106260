"""From the encoder's numbers to posteriors: lengths, precision, the orthant, and nodes at the origin."""

import pytest
import torch

from hypgraph.distributions import WrappedNormal
from hypgraph.manifolds import Euclidean, Manifold, PoincareBall, Polar
from hypgraph.nn import PosteriorHead
from tests.distributions.reference import F64, seeded, spaces


def hidden(head: PosteriorHead, nodes: int = 6) -> torch.Tensor:
    return torch.randn(nodes, head.in_features, generator=seeded(0)) / 10


@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_norms_are_geodesic_lengths_and_what_follows_is_the_log_scale(manifold: Manifold, isotropic: bool) -> None:
    head = PosteriorHead(manifold, isotropic=isotropic, gain=7.0, initial_scale=0.2)
    assert head.in_features == (4 if isotropic else 6)
    x = hidden(head)
    q = head(x)
    vector = (7 * x[:, :3]).double()
    assert q.batch_shape == (6,)
    assert q.event_shape == (manifold.ambient_dim,)
    assert isinstance(q.center, Polar)
    torch.testing.assert_close(q.center.radius, vector.norm(dim=-1), rtol=1e-15, atol=0)
    torch.testing.assert_close(q.center.vector(), vector, rtol=1e-14, atol=1e-15)
    torch.testing.assert_close(manifold.dist0(q.loc), vector.norm(dim=-1), rtol=1e-12, atol=0)
    torch.testing.assert_close(q.scale, 0.2 * torch.exp(x[:, 3:].double()), rtol=1e-15, atol=0)
    assert q.scale.shape == (6, 1 if isotropic else 3)


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_latents_are_double_precision_unless_asked_otherwise(manifold: Manifold) -> None:
    for dtype, head in (
        (F64, PosteriorHead(manifold)),
        (torch.float32, PosteriorHead(manifold, dtype=torch.float32)),
    ):
        assert hidden(head).dtype == torch.float32
        q = head(hidden(head))
        draw = q.rsample_polar(generator=seeded(0))
        assert {q.loc.dtype, q.scale.dtype, draw.value.dtype, q.log_prob_of(draw).dtype} == {dtype}


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_centres_may_be_rectified_to_the_positive_orthant(manifold: Manifold) -> None:
    x = hidden(PosteriorHead(manifold))
    centers = PosteriorHead(manifold, gain=10.0, nonnegative=True)(x).center
    torch.testing.assert_close(centers.vector(), (10 * x[:, :3].clamp(min=0)).double(), rtol=1e-14, atol=1e-15)
    assert (PosteriorHead(manifold)(x).center.vector() < 0).any()


@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize("nonnegative", [True, False])
@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_nodes_without_a_direction_stand_at_the_origin_with_finite_gradients(
    manifold: Manifold, nonnegative: bool, isotropic: bool
) -> None:
    head = PosteriorHead(manifold, isotropic=isotropic, nonnegative=nonnegative, initial_scale=0.3)
    x = hidden(head)
    x[1] = 0
    x[2, :3] = -0.1
    x.requires_grad_()
    q = head(x)
    assert manifold.dist0(q.loc)[1] == 0
    assert (manifold.dist0(q.loc)[2] == 0) == nonnegative
    torch.testing.assert_close(q.scale[1], torch.full_like(q.scale[1], 0.3), rtol=1e-7, atol=0)
    draw = q.rsample_polar(generator=seeded(0))
    torch.testing.assert_close(draw.about_origin.radius[1], draw.radius[1], rtol=1e-15, atol=0)
    kl = q.log_prob_of(draw) - WrappedNormal(None, 1.0, manifold).log_prob_of(draw)
    (kl.sum() + draw.value.sum()).backward()
    assert torch.isfinite(x.grad).all()
    assert x.grad[1, 3:].abs().min() > 0
    assert x.grad[0].abs().max() > 0


def test_far_centres_are_kept_where_coordinates_would_round_them_away() -> None:
    x = torch.tensor([[30.0, 40.0, 0.0]])
    q = PosteriorHead(PoincareBall(2), gain=10.0)(x)
    assert q.center.radius.item() == 500
    torch.testing.assert_close(q.center.direction, torch.tensor([[0.6, 0.8]], dtype=F64), rtol=1e-15, atol=0)


def test_the_family_is_built_from_centre_scale_and_manifold() -> None:
    class Wider(WrappedNormal):
        pass

    manifold = Euclidean(3)
    head = PosteriorHead(manifold, family=Wider)
    q = head(hidden(head))
    assert type(q) is Wider
    assert q.manifold is manifold


@pytest.mark.parametrize("manifold", spaces(2), ids=str)
def test_gradients_are_those_of_finite_differences(manifold: Manifold) -> None:
    x = (torch.randn(3, 4, dtype=F64, generator=seeded(1)) / 5).requires_grad_()
    head = PosteriorHead(manifold, isotropic=False, gain=4.0)
    assert torch.autograd.gradcheck(lambda h: (head(h).loc, head(h).scale), (x,), rtol=1e-6, atol=1e-8)
