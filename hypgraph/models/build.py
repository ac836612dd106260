"""From names and numbers to a model."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from hypgraph.config import ModelConfig
from hypgraph.distributions import FAMILIES, CenteredDistribution, RiemannianNormal
from hypgraph.exceptions import ConfigError
from hypgraph.lookup import lookup
from hypgraph.manifolds import MANIFOLDS, Euclidean, Manifold
from hypgraph.models.hybrid import HybridVGAE
from hypgraph.models.vae import VAE
from hypgraph.models.vgae import VGAE
from hypgraph.nn import (
    EDGE_DECODERS,
    LIKELIHOODS,
    VECTOR_DECODERS,
    Curvature,
    GCNEncoder,
    Linear,
    PairHead,
    PosteriorHead,
)

__all__ = ["HYBRID", "build_vae", "build_vgae", "decoder_name"]

DTYPES = {"float64": torch.float64, "float32": torch.float32}


def _manifold(latent: str, dim: int, c: float, *, learn_c: bool = False) -> Manifold:
    make = lookup(MANIFOLDS, latent, what="latent")
    if not learn_c:
        return make(dim, c)
    manifold = make(dim, Curvature(c))
    if isinstance(manifold, Euclidean):
        raise ConfigError("learn_c needs a hyperbolic latent, poincare or lorentz; flat space has no curvature")
    return manifold


def _family(role: str, name: str, manifold: Manifold) -> type[CenteredDistribution]:
    family = lookup(FAMILIES, name, what=role)
    if family is RiemannianNormal and isinstance(manifold, Euclidean):
        raise ConfigError(
            f"a riemannian {role} needs a hyperbolic latent, poincare or lorentz; in flat space it is the normal "
            f"distribution: --{role} wrapped"
        )
    return family


HYBRID = "hybrid"
"""The decoder that also sees features of the pair, around a latent one."""


def decoder_name(config: ModelConfig, *, directed: bool) -> str:
    """What the decoder of ``config`` is for such edges: never ``auto``.

    In two dimensions a count of gyroplanes serves better than a metric, whatever the curvature.
    """
    if config.decoder != "auto":
        return config.decoder
    if directed:
        return "directed-gyroplane"
    return "crofton" if config.dim == 2 else "gyroplane"


def build_vgae(
    config: ModelConfig,
    in_features: int,
    *,
    directed: bool = False,
    num_pair_features: int = 0,
    sees_latent: bool = True,
    generator: torch.Generator | None = None,
) -> VGAE:
    """The model that ``config`` describes, with fresh weights.

    Args:
        config: names and numbers; the names are looked up here.
        in_features: the number of features of a node.
        directed: whether its edges have a direction, which decides what the decoder ``auto`` is.
        num_pair_features: the number of features of a pair, for the hybrid decoder.
        sees_latent: whether the head of the hybrid decoder does.
        generator: for the weights, on the CPU.

    Raises:
        ConfigError: for a name that is not known, or parts that do not go together.
    """
    manifold = _manifold(config.latent, config.dim, config.c, learn_c=config.learn_c)
    posterior = _family("posterior", config.posterior, manifold)
    prior = posterior if config.prior == "auto" else _family("prior", config.prior, manifold)
    lookup({"auto": None, **EDGE_DECODERS, HYBRID: None}, config.decoder, what="decoder")
    hybrid = config.decoder == HYBRID
    latent = config.model_copy(update={"decoder": "auto"}) if hybrid else config
    decoder = EDGE_DECODERS[decoder_name(latent, directed=directed)]
    dtype = lookup(DTYPES, config.dtype, what="dtype")
    head = PosteriorHead(
        manifold,
        family=posterior,
        isotropic=None if config.scales == "auto" else config.scales == "isotropic",
        gain=config.gain,
        nonnegative=config.nonnegative,
        initial_scale=config.initial_scale,
        dtype=dtype,
    )
    encoder = GCNEncoder(in_features, config.hidden, head.in_features, dropout=config.dropout, generator=generator)
    parts = (encoder, head, decoder(manifold, generator=generator, dtype=dtype))
    options: dict[str, Any] = {"prior": prior, "prior_scale": config.prior_scale, "beta": config.beta}
    if hybrid:
        pair_head = PairHead(num_pair_features, generator=generator)
        return HybridVGAE(*parts, pair_head=pair_head, sees_latent=sees_latent, **options)
    return VGAE(*parts, **options)


def build_vae(
    num_features: int,
    *,
    latent: str = "poincare",
    dim: int = 2,
    c: float = 1.0,
    learn_c: bool = False,
    posterior: str = "wrapped",
    scales: Literal["auto", "isotropic", "diagonal"] = "auto",
    gain: float = 1.0,
    initial_scale: float = 1.0,
    prior_scale: float = 1.0,
    decoder: str = "gyroplane",
    likelihood: str = "normal",
    hidden: int = 200,
    data_mean: Tensor | None = None,
    dtype: str = "float64",
    generator: torch.Generator | None = None,
) -> VAE:
    """A VAE with one hidden layer each in encoder and decoder; the prior is of the posteriors' family.

    Args:
        num_features: D, numbers in a vector.
        latent: poincare, lorentz or euclidean.
        dim: d, dimension of the latent space.
        c: minus its curvature.
        learn_c: whether c is learnt, from that value.
        posterior: wrapped, riemannian or rown.
        scales: one scale for all directions of a posterior, or one for each; auto is what the family usually has.
        gain: geodesic length for an encoder output of 1.
        initial_scale: of the posteriors, at an encoder output of 0; geodesic length.
        prior_scale: of the prior, geodesic length.
        decoder: gyroplane, linear, logmap or mobius.
        likelihood: normal or bernoulli.
        hidden: H, width of the hidden layers.
        data_mean: ``[D]``: the decoder's last biases start where they give this mean; by default near 0.
        dtype: precision on the manifold.
        generator: for the weights, on the CPU.

    Raises:
        ConfigError: for a name that is not known, or parts that do not go together.

    >>> model = build_vae(50, latent="poincare", posterior="riemannian")
    >>> x = torch.zeros(3, 50)
    >>> model.terms(x, model.encode(x), draws=4).iwae().shape
    torch.Size([3])
    """
    manifold = _manifold(latent, dim, c, learn_c=learn_c)
    head = PosteriorHead(
        manifold,
        family=_family("posterior", posterior, manifold),
        isotropic=None if scales == "auto" else scales == "isotropic",
        gain=gain,
        initial_scale=initial_scale,
        dtype=lookup(DTYPES, dtype, what="dtype"),
    )
    encoder = nn.Sequential(
        Linear(num_features, hidden, generator=generator),
        nn.ReLU(),
        Linear(hidden, head.in_features, generator=generator),
    )
    decode = lookup(VECTOR_DECODERS, decoder, what="decoder")(
        manifold, hidden, num_features, generator=generator, dtype=head.dtype
    )
    model = VAE(
        encoder, head, decode, lookup(LIKELIHOODS, likelihood, what="likelihood")(), prior_scale=prior_scale
    )
    if data_mean is not None:
        decode.out.bias.data = model.likelihood.output_of(data_mean).to(decode.out.bias)
    return model
