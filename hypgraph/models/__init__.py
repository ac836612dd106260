"""Models: they compose encoder, head, prior and decoder, and return values."""

from hypgraph.models.build import build_vgae
from hypgraph.models.vgae import VGAE, Objective

__all__ = ["VGAE", "Objective", "build_vgae"]
