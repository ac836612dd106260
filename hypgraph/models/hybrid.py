"""The graph auto-encoder whose edges are also scored by features of the pair."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from hypgraph.distributions import CenteredDistribution
from hypgraph.models.vgae import VGAE, Objective, logistic_loss
from hypgraph.nn.pair_head import PairHead

__all__ = ["HybridVGAE", "ScoredPairs"]


class ScoredPairs(NamedTuple):
    """Edges and non-edges that the head learns from, none of them in the graph that features and encoder see.

    Attributes:
        positive: ``[2, E]``, edges.
        negative: ``[2, E']``, pairs that are not edges.
        features: ``[E + E', F]``, of these pairs in this order.
    """

    positive: Tensor
    negative: Tensor
    features: Tensor


class HybridVGAE(VGAE):
    """A :class:`VGAE` with a head that reads the latent logit and features of the pair.

    It is for predicting edges as well as can be; its figures are not those of an embedding alone. Its latents are
    trained to score edges by themselves too, so that they stay an embedding.

    Args:
        *parts: of the auto-encoder.
        pair_head: from pair features and latent logit to the logit of an edge.
        sees_latent: whether the head is given the latent logit. Without it nothing but the head is trained, which
            shows what the features do alone.
        **options: of the auto-encoder.
    """

    def __init__(self, *parts: Any, pair_head: PairHead, sees_latent: bool = True, **options: Any) -> None:
        super().__init__(*parts, **options)
        self.pair_head, self.sees_latent = pair_head, sees_latent

    def hybrid_objective(
        self,
        posterior: CenteredDistribution,
        positive: Tensor,
        negative: Tensor,
        scored: ScoredPairs,
        *,
        generator: torch.Generator | None = None,
    ) -> Objective:
        """The logistic losses of latent logits and of head added, and the KL term, of one draw.

        Args:
            posterior: of an encoder that has not seen the edges of ``scored``.
            positive: ``[2, E]``, edges that the latent logit is to score high.
            negative: ``[2, E']``, pairs that it is to score low.
            scored: what the head learns from.
            generator: for the draw, and the head's dropout.
        """
        draw = posterior.rsample_polar(generator=generator)
        parts = [positive, negative, scored.positive, scored.negative]
        logits = self.decode(draw.point, torch.cat(parts, dim=1))
        latent, held_out = logits.split([positive.shape[1] + negative.shape[1], len(scored.features)])
        head = logistic_loss(
            self.pair_head(scored.features, held_out, generator=generator), scored.positive.shape[1]
        )
        return self._objective(posterior, draw, logistic_loss(latent, positive.shape[1]) + head)

    def head_objective(self, scored: ScoredPairs, *, generator: torch.Generator | None = None) -> Objective:
        """The logistic loss of the head on the features alone."""
        logits = self.pair_head(scored.features, None, generator=generator)
        loss, none = logistic_loss(logits, scored.positive.shape[1]), logits.new_zeros(())
        return Objective(loss, loss, none, none)
