"""What a run is made of: closed models, TOML files, and values from the command line on top.

The order is defaults < file < flags < ``--set section.key=value``. A run folder keeps the resolved configuration
as ``config.json``, which is accepted wherever a TOML file is.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hypgraph.exceptions import ConfigError
from hypgraph.lookup import did_you_mean

__all__ = [
    "DRAWING_SECTIONS",
    "SECTIONS",
    "Closed",
    "Config",
    "DataConfig",
    "EmbeddingConfig",
    "GraphConfig",
    "HierarchyConfig",
    "ModelConfig",
    "RunConfig",
    "TrainingConfig",
    "load_config",
    "load_hierarchy_config",
    "toml_value",
]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class Closed(BaseModel):
    """Unknown keys are errors; the words under a field are its description."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class GraphConfig(Closed):
    """Which graph."""

    name: str = "cora"
    """A data set of the catalogue, a simulation such as tree:depth=8, pyg:Class/Name, or a file."""
    root: Path | None = None
    """Folder for data outside the project; the environment variable HYPGRAPH_DATA where it is not given."""
    source_col: str | None = None
    """Column of a file with the source of each edge: its name, or its position from 1 in a file without header."""
    target_col: str | None = None
    """Column of a file with the target of each edge."""
    directed: bool = False
    """Whether an edge of a file leads from its source to its target only."""
    features: Literal["none", "degree", "learned"] | Path | None = None
    """A table of node features and labels, matched by id. Or a word for what the encoder sees: none, a learnt
    vector of each node; degree, the data's features and the degree; learned, features and a learnt vector."""


class DataConfig(GraphConfig):
    """Which graph, and how its edges are split."""

    split: Path | None = None
    """A saved split (split.npz of a run) instead of one drawn from the seed."""
    negatives: Literal["random", "heart"] = "random"
    """Evaluation negatives: random non-edges, as many as edges; or hard ones for each edge, after HeaRT."""
    negatives_each: Count = 100
    """How many hard negatives an edge gets."""
    val_fraction: Fraction = 0.05
    """Share of the edges held out for validation."""
    test_fraction: Fraction = 0.10
    """Share of the edges held out for the test."""


class ModelConfig(Closed):
    """The latent space, the encoder, the posterior and the decoder."""

    latent: str = "poincare"
    """Latent space: poincare, lorentz or euclidean."""
    dim: Count = 16
    """Intrinsic dimension of the latent space."""
    c: Positive = 1.0
    """Minus the curvature of a hyperbolic latent space."""
    learn_c: bool = False
    """Whether c is learnt, from the value given."""
    posterior: str = "wrapped"
    """Family of the posteriors: wrapped, riemannian or rown."""
    prior: str = "auto"
    """Family of the prior: wrapped, riemannian, rown, or auto, that of the posteriors."""
    decoder: str = "auto"
    """Edge decoder: gyroplane, crofton, directed-gyroplane, fermi-dirac, tanh-distance, inner-product or mlp; auto
    is gyroplane, in two dimensions crofton, for directed edges directed-gyroplane; hybrid also sees features of
    the pair and the graph."""
    hidden: Count = 64
    """Width of the encoder's hidden layer."""
    dropout: Probability = 0.6
    """Dropout on the input features and the hidden layer."""
    normalisation: Literal["row", "symmetric"] = "symmetric"
    """Normalisation of the adjacency matrix."""
    gain: Positive = 5.0
    """Geodesic length for an encoder output of 1."""
    nonnegative: bool = False
    """Whether the encoder's output for a centre is rectified first."""
    scales: Literal["auto", "isotropic", "diagonal"] = "auto"
    """One scale for all directions of a posterior, or one for each; auto: diagonal for rown, else isotropic."""
    initial_scale: Positive = 0.08
    """Scale of the posteriors at the start, geodesic length."""
    prior_scale: Positive = 1.0
    """Scale of the prior, geodesic length."""
    beta: NotNegative = 1.0
    """Weight of the KL term, before the division by the number of nodes."""
    dtype: Literal["float64", "float32"] = "float64"
    """Precision on the manifold; weights and features are float32."""


class TrainingConfig(Closed):
    """The optimiser, when to stop, and the seeds."""

    epochs: Count = 1000
    """The most epochs."""
    patience: Annotated[int, Field(ge=0)] = 200
    """Epochs without a better validation score before training stops; 0 never stops early."""
    lr: Positive = 0.01
    """Learning rate of Adam."""
    weight_decay: NotNegative = 3e-3
    """L2 penalty on the encoder's weights; the decoder has none."""
    averaging: Probability = 0.97
    """Decay of the moving average of the weights that is evaluated; 0 evaluates the weights themselves."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the streams for split, initial weights and training."""
    seeds: Count = 1
    """How many runs, with seeds counting up from seed."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; auto takes a GPU where there is one."""
    threads: Annotated[int, Field(ge=0)] = 0
    """Processor threads; 0 takes one for a graph below 10,000 nodes, and torch's own number else."""
    compile: bool = False
    """Whether the dense part of a step is compiled first, which takes up to a minute and needs a C++ compiler."""
    capture: bool = False
    """Whether a GPU replays each step as one CUDA graph."""
    checkpoint_every: Count = 25
    """Epochs between two checkpoints."""


SECTIONS: dict[str, type[BaseModel]] = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}


FLAT_DEFAULTS: dict[str, dict[str, Any]] = {
    "model": {"normalisation": "row", "nonnegative": True, "dropout": 0.7, "initial_scale": 0.05},
    "training": {"weight_decay": 5e-4, "lr": 0.0075},
}
"""Defaults of a Euclidean latent space where they differ. Each space has those that validate best on Cora and
CiteSeer: with the other's it would be a straw man."""


class RunConfig(Closed):
    """A whole run: the sections of a configuration file.

    What is not given depends on the latent space alone.

    >>> RunConfig().model.latent
    'poincare'
    >>> [RunConfig.model_validate({"model": {"latent": x}}).model.normalisation for x in ("poincare", "euclidean")]
    ['symmetric', 'row']
    """

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _with_flat_defaults(self) -> Self:
        if self.model.latent != "euclidean":
            return self
        for section, defaults in FLAT_DEFAULTS.items():
            part = getattr(self, section)
            changed = part.model_copy(
                update={key: value for key, value in defaults.items() if key not in part.model_fields_set}
            )
            # As defaults are: not among what was given, which a search holds fixed
            changed.__pydantic_fields_set__.intersection_update(part.model_fields_set)
            self.__dict__[section] = changed
        return self

    def in_flat_space(self) -> "RunConfig":
        """The same with a Euclidean latent space, whose defaults hold for what was not given."""
        values = self.model_dump(exclude_unset=True)
        flat = {"latent": "euclidean", "posterior": "wrapped", "prior": "auto", "learn_c": False}
        values["model"] = {**values.get("model", {}), **flat}
        return RunConfig.model_validate(values)


class EmbeddingConfig(Closed):
    """How a hierarchy is drawn."""

    dim: Annotated[int, Field(ge=2)] = 2
    """Dimension of the Poincaré ball."""
    c: Annotated[float, Field(ge=1e-6, le=1e6)] = 1.0
    """Minus the curvature: the unit of length, since the drawing is the same at any c but for its scale."""
    uncertainty: bool = False
    """Whether each node gets a posterior around its point."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of all draws."""


class HierarchyConfig(Closed):
    """What ``hypgraph embed`` draws: the sections of the ``config.json`` that it leaves."""

    data: GraphConfig = GraphConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()


DRAWING_SECTIONS: dict[str, type[BaseModel]] = {"data": GraphConfig, "embedding": EmbeddingConfig}

Config = TypeVar("Config", RunConfig, HierarchyConfig)


def load_config(
    path: Path | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    assignments: Sequence[str] = (),
) -> RunConfig:
    """The resolved configuration.

    Args:
        path: a TOML file, or the ``config.json`` of a run.
        overrides: values by dotted key, ``{"model.dim": 2}``, from flags; None means not given.
        assignments: ``"section.key=value"``, the value in TOML; a bare word is a string.

    Raises:
        ConfigError: for a file that is missing or malformed, an unknown key, or a value that is not allowed.

    >>> load_config(overrides={"model.dim": 2}, assignments=["training.lr=0.1"]).training.lr
    0.1
    """
    values = _values(path, overrides)
    if "embedding" in values and path is not None:
        raise ConfigError(f"{path} is of a drawing: hypgraph embed --config {path} takes it")
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: write it as section.key=value, for example training.lr=0.02")
        _assign(values, key.strip(), toml_value(text.strip()))
    return _validated(RunConfig, values)


def load_hierarchy_config(
    path: Path | None = None, *, overrides: Mapping[str, Any] | None = None
) -> HierarchyConfig:
    """The resolved configuration of a drawing, as :func:`load_config`.

    >>> load_hierarchy_config(overrides={"embedding.dim": 5}).embedding.dim
    5
    """
    values = _values(path, overrides)
    if path is not None and not values.keys() <= HierarchyConfig.model_fields.keys():
        raise ConfigError(f"{path} is not of a drawing; hypgraph embed takes the config.json that it left")
    return _validated(HierarchyConfig, values)


def _values(path: Path | None, overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of a file with those of flags on top, not yet checked."""
    values = {} if path is None else _read(path)
    if "kind" in values:
        raise ConfigError(f"{path} is an experiment file: run it with hypgraph experiment run {path}")
    for key, value in (overrides or {}).items():
        if value is not None:
            _assign(values, key, value)
    return values


def _validated(config: type[Config], values: Mapping[str, Any]) -> Config:
    try:
        return config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_first_problem(error)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder; the configuration of a run is the config.json in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    except ValueError as error:
        kinds = "" if path.suffix in (".json", ".toml") else "; read as TOML, which is what such a file must hold"
        raise ConfigError(f"{path}: malformed: {error}{kinds}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must hold the sections {', '.join(SECTIONS)}")
    return values


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    section, _, name = key.partition(".")
    if not name:
        meant = [f"{section}.{key}" for section, model in SECTIONS.items() if key in model.model_fields]
        hint = f"did you mean {' or '.join(meant)}?" if meant else f"sections: {', '.join(SECTIONS)}"
        raise ConfigError(f"--set {key}: keys are written section.key; {hint}")
    table = values.setdefault(section, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{section} should be a table of keys and values, got {table}")
    table[name] = value


def toml_value(text: str) -> Any:
    """The value of ``key=text`` on the command line: TOML, or else a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text


def _first_problem(error: ValidationError) -> str:
    """One line that names the key, what was given and what is allowed."""
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        fields = (DRAWING_SECTIONS | SECTIONS).get(str(problem["loc"][0]), RunConfig).model_fields
        return f"unknown configuration key '{key}'; {did_you_mean(str(problem['loc'][-1]), list(fields))}"
    message = problem["msg"].removeprefix("Input ")
    return f"{key} {message}, got {problem['input']}"
