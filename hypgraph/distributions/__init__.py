"""Distributions on latent spaces, with respect to the Riemannian volume.

``POSTERIORS`` holds the families that a node's posterior may have, by the names of configurations.
"""

from hypgraph.distributions.polar_draw import PolarDraw
from hypgraph.distributions.wrapped_normal import WrappedNormal

__all__ = ["POSTERIORS", "PolarDraw", "WrappedNormal"]

POSTERIORS: dict[str, type[WrappedNormal]] = {"wrapped": WrappedNormal}
