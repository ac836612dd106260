"""Models: they compose encoder, head, prior and decoder, and return values."""

from hypgraph.models.build import HYBRID, build_vae, build_vgae, decoder_name
from hypgraph.models.hybrid import HybridVGAE, ScoredPairs
from hypgraph.models.stack import stack_models, unstack_model
from hypgraph.models.vae import VAE, Terms
from hypgraph.models.vgae import VGAE, Objective

__all__ = [
    "HYBRID",
    "VAE",
    "VGAE",
    "HybridVGAE",
    "Objective",
    "ScoredPairs",
    "Terms",
    "build_vae",
    "build_vgae",
    "decoder_name",
    "stack_models",
    "unstack_model",
]
