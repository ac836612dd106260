"""The variational auto-encoder of vectors and images on any latent space."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hypgraph.distributions import CenteredDistribution, PolarDraw
from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import Polar
from hypgraph.nn.likelihoods import Likelihood
from hypgraph.nn.posterior_head import PosteriorHead
from hypgraph.nn.vector_decoders import VectorDecoder
from hypgraph.random import Generator

__all__ = ["VAE", "Terms"]


class Terms(NamedTuple):
    """What a bound is made of, for every draw and data point: ``[K, ...]``.

    log p(x, z) - log q(z | x) = log_likelihood - log_ratio; its mean over draws is the ELBO.

    Attributes:
        log_likelihood: log p(x | z), nats.
        log_ratio: log q(z | x) - log p(z), nats; its mean is KL(posterior ‖ prior).
        pulled_in: bool, draws beyond what coordinates hold, which the decoder saw pulled in. The bound stays a
            bound: that is what this decoder does with them.
    """

    log_likelihood: Tensor
    log_ratio: Tensor
    pulled_in: Tensor

    @property
    def log_weight(self) -> Tensor:
        """log p(x, z) - log q(z | x), ``[K, ...]``."""
        return self.log_likelihood - self.log_ratio

    def elbo(self, *, beta: float = 1.0) -> Tensor:
        """The evidence lower bound ``[...]``: the mean over draws. β ≠ 1 gives Higgins et al. 2017's objective."""
        return (self.log_likelihood - beta * self.log_ratio).mean(0)

    def iwae(self) -> Tensor:
        """The importance-weighted bound of K draws ``[...]`` (Burda et al. 2016): log (1/K) Σ p(x,z)/q(z|x)."""
        bound: Tensor = torch.logsumexp(self.log_weight, 0) - math.log(len(self.log_weight))
        return bound


class VAE(nn.Module):
    """Encoder, posterior head, prior, decoder and likelihood (Kingma and Welling 2014; Mathieu et al. 2019).

    Data flows one way: :meth:`encode` → posterior → polar draws → :meth:`decode` → :meth:`terms` of the bound.
    Densities are evaluated on the polar draws, so no projection or rounding near the boundary enters a bound.

    Args:
        encoder: vectors ``[..., D]`` to the numbers that the head reads.
        head: from these to a posterior.
        decoder: a latent point to the D parameters of the likelihood.
        likelihood: log p(x | decoder's output).
        prior: family of the prior, which stands at the origin; by default that of the posteriors.
        prior_scale: its scale, geodesic length.
    """

    def __init__(
        self,
        encoder: nn.Module,
        head: PosteriorHead,
        decoder: VectorDecoder,
        likelihood: Likelihood,
        *,
        prior: type[CenteredDistribution] | None = None,
        prior_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.encoder, self.head, self.decoder, self.likelihood = encoder, head, decoder, likelihood
        self.prior_family = head.family if prior is None else prior
        self.prior_scale = prior_scale
        self._fixed_prior: CenteredDistribution | None = None

    def encode(self, x: Tensor) -> CenteredDistribution:
        """Posteriors of batch shape ``[...]`` for vectors ``[..., D]``."""
        posterior: CenteredDistribution = self.head(self.encoder(x))
        return posterior

    def prior(self, like: Tensor) -> CenteredDistribution:
        """The prior, at the origin, in the precision and on the device of ``like``."""
        known = self._fixed_prior
        if known is None or known.scale.dtype != like.dtype or known.scale.device != like.device:
            scale = torch.tensor(self.prior_scale, dtype=like.dtype, device=like.device)
            known = self.prior_family(None, scale, self.head.manifold, validate_args=False)
            # Its normaliser is a quadrature, worth keeping; not where the curvature may move, and not numbers that
            # gradients could never pass.
            fixed = not isinstance(self.head.manifold.c, Tensor) and not torch.is_inference_mode_enabled()
            self._fixed_prior = known if fixed else None
        return known

    def decode(self, z: Tensor | Polar) -> Tensor:
        """The likelihood's parameters ``[..., D]`` at points, in coordinates or polar about the origin."""
        output: Tensor = self.decoder(z)
        return output

    def terms(
        self, x: Tensor, posterior: CenteredDistribution, *, draws: int = 1, generator: Generator | None = None
    ) -> Terms:
        """The terms of a bound on log p(x), from ``draws`` draws of each posterior.

        Args:
            x: ``[..., D]``.
            posterior: from :meth:`encode`, batch shape ``[...]``.
            draws: K.
            generator: for the draws; stacked ones count their axis in the batch.

        Raises:
            ConfigError: if ``draws`` is below 1.
        """
        if draws < 1:
            raise ConfigError(f"draws is {draws}; a bound needs at least one draw of each posterior")
        draw: PolarDraw = posterior.rsample_polar((draws,) if draws > 1 else (), generator=generator)
        log_ratio = posterior.log_prob_of(draw) - self.prior(draw.radius).log_prob_of(draw)
        log_likelihood = self.likelihood.log_prob(x, self.decode(draw.point)).to(log_ratio.dtype)
        terms = Terms(log_likelihood, log_ratio, draw.pulled_in)
        return terms if draws > 1 else Terms(*(term.unsqueeze(0) for term in terms))

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Means ``[count, D]`` of the likelihood at draws from the prior."""
        like = torch.empty((), dtype=self.head.dtype, device=next(self.parameters()).device)
        draw = self.prior(like).rsample_polar((count,), generator=generator)
        return self.likelihood.mean(self.decode(draw.point))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Means ``[..., D]`` of the likelihood at the centres of the posteriors."""
        return self.likelihood.mean(self.decode(self.encode(x).loc))
