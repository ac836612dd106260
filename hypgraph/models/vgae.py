"""The variational graph auto-encoder on any latent space."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hypgraph.distributions import CenteredDistribution, PolarDraw
from hypgraph.distributions.divergence import log_ratio
from hypgraph.manifolds import Polar
from hypgraph.nn.edge_decoders import EdgeDecoder
from hypgraph.nn.gcn import GCNEncoder
from hypgraph.nn.posterior_head import PosteriorHead
from hypgraph.nn.sparse import SparseMatrix

__all__ = ["VGAE", "Objective", "logistic_loss"]


class Objective(NamedTuple):
    """What training minimises, and its terms; all scalars.

    It is an objective, not a bound: the loss is averaged over sampled pairs.

    Attributes:
        loss: reconstruction + β/N · kl.
        reconstruction: mean logistic loss over positive and negative pairs, nats.
        kl: mean over the nodes of a Monte Carlo estimate of KL(posterior ‖ prior), nats.
        pulled_in: share of draws beyond what coordinates hold, which the decoder saw pulled in.
    """

    loss: Tensor
    reconstruction: Tensor
    kl: Tensor
    pulled_in: Tensor


class VGAE(nn.Module):
    """Encoder, posterior head, prior and edge decoder (Kipf and Welling 2016, arXiv 1611.07308).

    Data flows one way, and every step returns what it makes: :meth:`encode` → posterior → draw →
    :meth:`decode` → :meth:`objective`.

    Args:
        encoder: from features and normalised adjacency to the numbers that the head reads.
        head: from these to a posterior for each node.
        decoder: from two latents to the logit of an edge.
        prior: family of the prior, which stands at the origin; by default that of the posteriors.
        prior_scale: its scale, geodesic length.
        beta: weight of the KL term, which enters the loss as β/N. (PyG adds the mean losses of positives and
            negatives where this averages them: its weighting is β = 1/2.)
    """

    def __init__(
        self,
        encoder: GCNEncoder,
        head: PosteriorHead,
        decoder: EdgeDecoder,
        *,
        prior: type[CenteredDistribution] | None = None,
        prior_scale: float = 1.0,
        beta: float = 1.0,
    ) -> None:
        super().__init__()
        self.encoder, self.head, self.decoder = encoder, head, decoder
        self.prior_family = head.family if prior is None else prior
        self.prior_scale, self.beta = prior_scale, beta

    def encode(
        self, features: SparseMatrix, adjacency: SparseMatrix, *, generator: torch.Generator | None = None
    ) -> CenteredDistribution:
        """Posteriors of all N nodes; ``generator`` draws the dropout in training mode."""
        posterior: CenteredDistribution = self.head(self.encoder(features, adjacency, generator=generator))
        return posterior

    def prior(self, posterior: CenteredDistribution) -> CenteredDistribution:
        """The prior that belongs to a posterior: same space, precision and device; at the origin."""
        scale = posterior.scale.new_full((), self.prior_scale)
        return self.prior_family(None, scale, posterior.manifold, validate_args=False)

    def decode(self, z: Tensor | Polar, edge_label_index: Tensor) -> Tensor:
        """Logits ``[E]`` of the pairs ``[2, E]`` of N points, in coordinates or polar about the origin."""
        logits: Tensor = self.decoder(z, edge_label_index)
        return logits

    def objective(
        self,
        posterior: CenteredDistribution,
        positive: Tensor,
        negative: Tensor,
        *,
        generator: torch.Generator | None = None,
    ) -> Objective:
        """The loss of one draw from every posterior.

        Args:
            posterior: from :meth:`encode`, batch shape ``[N]``.
            positive: ``[2, E]``, edges.
            negative: ``[2, E']``, pairs that are not edges.
            generator: for the draw.
        """
        return self.objective_of(posterior, posterior.rsample_polar(generator=generator), positive, negative)

    def objective_of(
        self, posterior: CenteredDistribution, draw: PolarDraw, positive: Tensor, negative: Tensor
    ) -> Objective:
        """:meth:`objective` of the one ``draw`` from every posterior."""
        logits = self.decode(draw.point, torch.cat([positive, negative], dim=1))
        return self._objective(posterior, draw, logistic_loss(logits, positive.shape[1]))

    def _objective(self, posterior: CenteredDistribution, draw: PolarDraw, reconstruction: Tensor) -> Objective:
        kl = log_ratio(posterior, self.prior(posterior), draw).mean()
        loss = reconstruction + self.beta / draw.radius.shape[-1] * kl
        return Objective(loss, reconstruction, kl, draw.pulled_in.to(kl.dtype).mean())


def logistic_loss(logits: Tensor, positives: int) -> Tensor:
    """Mean logistic loss, in nats, of pairs of which so many come first that are edges."""
    labels = torch.zeros_like(logits)
    labels[:positives] = 1
    return nn.functional.binary_cross_entropy_with_logits(logits, labels)
