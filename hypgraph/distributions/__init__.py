"""Distributions on latent spaces, with respect to the Riemannian volume."""

from hypgraph.distributions.polar_draw import PolarDraw
from hypgraph.distributions.wrapped_normal import WrappedNormal

__all__ = ["PolarDraw", "WrappedNormal"]
