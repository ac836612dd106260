"""What the cells of a link-prediction experiment are made of."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from hypgraph.config import Closed, Count, NotNegative, Positive, Probability, load_config
from hypgraph.exceptions import ConfigError
from hypgraph.experiments.experiment_file import bundled_configs

__all__ = ["HardOptions", "LinksOptions", "LinksSettings"]


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
    tuned: bool = False
    """Whether what is not given comes from the package's configuration DATA-LATENT-dDIM.toml, or DATA-LATENT.toml,
    where there is one; lorentz takes that of poincare, whose model it is in other coordinates."""
    features: Literal["none", "degree", "learned"] | None = None
    """What the encoder sees of a node, where it is not the data's own features."""
    prior: Literal["wrapped", "riemannian", "rown"] | None = None
    """Family of the prior, where it is not that of the posteriors."""
    decoder: str | None = None
    """The edge decoder."""
    prior_scale: Positive | None = None
    """Scale of the prior, geodesic length."""
    gain: Positive | None = None
    """Geodesic length for an encoder output of 1."""
    initial_scale: Positive | None = None
    """Scale of the posteriors at the start, geodesic length."""
    nonnegative: bool | None = None
    """Whether the encoder's output for a centre is rectified first."""
    beta: NotNegative | None = None
    """Weight of the KL term."""
    hidden: Count | None = None
    """Width of the encoder's hidden layer."""
    normalisation: Literal["row", "symmetric"] | None = None
    """Normalisation of the adjacency matrix."""
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

    @model_validator(mode="before")
    @classmethod
    def _with_tuned(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("tuned") is not True:
            return values
        latent, dim = (values.get(key, cls.model_fields[key].default) for key in ("latent", "dim"))
        name = f"{values.get('data')}-{'poincare' if latent == 'lorentz' else latent}"
        paths = [bundled_configs() / f"{stem}.toml" for stem in (f"{name}-d{dim}", name)]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            return values
        config = load_config(path)
        chosen = {**config.model.model_dump(exclude_unset=True), **config.training.model_dump(exclude_unset=True)}
        of_the_cell = ("latent", "dim", "posterior", "prior", "decoder")
        return {**{key: value for key, value in chosen.items() if key not in of_the_cell}, **values}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.latent == "euclidean" and self.c is not None:
            raise ConfigError(
                f"latent = 'euclidean' with c = {self.c:g}: flat space has no curvature; leave out c"
            )
        return self


class HardOptions(Closed):
    """Options of the measure ``hard``: each test edge ranked among hard negatives of its own, after HeaRT.

    Where the ends of an edge have fewer candidates than that there are no figures.
    """

    each: Count = 100
    """How many negatives an edge has."""


class LinksOptions(Closed):
    """Options of the measure ``links``: there are none; the run's summary has the figures."""
