"""What the cells of a VAE experiment are made of."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hypgraph.config import Closed, Count, NotNegative, Positive
from hypgraph.exceptions import ConfigError

__all__ = ["ClassifyOptions", "LikelihoodOptions", "VAESettings"]


class VAESettings(Closed):
    """Data, latent space, network and training of one cell."""

    data: Literal["trees", "mnist", "fashion-mnist", "digits"] = "digits"
    """The paper's branching diffusion, drawn anew for each seed; or a set of images."""
    latent: Literal["euclidean", "poincare", "lorentz"] = "poincare"
    """The latent space."""
    c: Positive | None = None
    """Minus the curvature; for a hyperbolic latent only, and needed there."""
    family: Literal["wrapped", "riemannian", "rown"] = "wrapped"
    """Family of posterior and prior."""
    dim: Count = 2
    """Dimension of the latent space."""
    decoder: Literal["gyroplane", "linear", "logmap", "mobius"] = "gyroplane"
    """How the decoder leaves the manifold."""
    hidden: Count = 200
    """Width of the hidden layers."""
    scales: Literal["auto", "isotropic", "diagonal"] = "auto"
    """One scale for all directions of a posterior, or one for each; auto: one for riemannian, else each."""
    prior_scale: Positive = 1.0
    """Scale of the prior, geodesic length."""
    initial_scale: Positive = 1.0
    """Scale of the posteriors at the start, geodesic length."""
    gain: Positive = 1.0
    """Geodesic length for an encoder output of 1."""
    epochs: Count = 80
    """Passes over the training data."""
    batch_size: Count = 128
    """Vectors in a step."""
    lr: Positive = 5e-4
    """Learning rate of Adam with amsgrad."""
    beta: NotNegative = 1.0
    """Weight of the KL term; 1 trains the ELBO."""
    draws: Count = 1
    """Draws of each posterior in a training step."""
    train_points: Count | None = None
    """Train on the first so many vectors only."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        flat = self.latent == "euclidean"
        if flat and self.c is not None:
            raise ConfigError(
                f"latent = 'euclidean' with c = {self.c:g}: flat space has no curvature; leave out c"
            )
        if not flat and self.c is None:
            raise ConfigError(f"latent = '{self.latent}' needs c, minus its curvature")
        if flat and self.family == "riemannian":
            raise ConfigError(
                "latent = 'euclidean' with family = 'riemannian': in flat space that is the normal distribution; "
                "use family = 'wrapped'"
            )
        if self.family == "riemannian" and self.scales == "diagonal":
            raise ConfigError(
                "family = 'riemannian' with scales = 'diagonal': a Riemannian normal has one scale for all "
                "directions; leave out scales"
            )
        return self


class LikelihoodOptions(Closed):
    """Options of the measure ``likelihood``: bounds on log p(x) of test data."""

    draws: Count = 5000
    """K of the importance-weighted bound."""
    points: Count | None = None
    """So many test points, drawn once and for all seeds alike; all of them where it is not given."""
    subset_seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the choice of points."""


class ClassifyOptions(Closed):
    """Options of the measure ``classify``: accuracy of a small classifier on the posteriors' centres."""

    trainings: Count = 5
    """Classifiers trained on each embedding."""
    hidden: Count = 64
    """Gyroplanes in the classifier's first layer; in flat space, linear units."""
    epochs: Count = 30
    """Passes over the training codes."""
