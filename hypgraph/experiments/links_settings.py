"""What the cells of a link-prediction experiment are made of."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hypgraph.config import Closed, Count, NotNegative, Positive, Probability
from hypgraph.exceptions import ConfigError

__all__ = ["LinksOptions", "LinksSettings"]


class LinksSettings(Closed):
    """Graph, latent space, model and training of one cell; what is not given is as in ``hypgraph config show``."""

    data: str
    """A data set of the catalogue, a simulation, or a file."""
    latent: Literal["euclidean", "poincare", "lorentz"] = "poincare"
    """The latent space."""
    c: Positive | None = None
    """Minus the curvature, for a hyperbolic latent only."""
    posterior: Literal["wrapped", "riemannian", "rown"] = "wrapped"
    """Family of posteriors and prior."""
    dim: Count = 16
    """Dimension of the latent space."""
    decoder: str | None = None
    """The edge decoder."""
    prior_scale: Positive | None = None
    """Scale of the prior, geodesic length."""
    gain: Positive | None = None
    """Geodesic length for an encoder output of 1."""
    initial_scale: Positive | None = None
    """Scale of the posteriors at the start, geodesic length."""
    dropout: Probability | None = None
    """Dropout on the input features and the hidden layer."""
    epochs: Count | None = None
    """The most epochs."""
    patience: Annotated[int, Field(ge=0)] | None = None
    """Epochs without a better validation score before training stops."""
    lr: Positive | None = None
    """Learning rate of Adam."""
    weight_decay: NotNegative | None = None
    """L2 penalty on the encoder's weights."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.latent == "euclidean" and self.c is not None:
            raise ConfigError(
                f"latent = 'euclidean' with c = {self.c:g}: flat space has no curvature; leave out c"
            )
        return self


class LinksOptions(Closed):
    """Options of the measure ``links``: there are none; the run's summary has the figures."""
