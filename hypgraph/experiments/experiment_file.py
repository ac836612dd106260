"""Named experiments: a TOML file that says which cells to compute, what to measure, and the published figures.

An experiment file is told from the configuration of a run by its key ``kind``; docs of the keys are on the models.
"""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hypgraph.config import Closed
from hypgraph.exceptions import ConfigError
from hypgraph.lookup import did_you_mean, lookup

__all__ = [
    "ComparisonSpec",
    "ExperimentFile",
    "MeasureSpec",
    "ReferenceSpec",
    "TableSpec",
    "bundled_configs",
    "experiment_names",
    "first_problem",
    "read_experiment_file",
]

Finite = Annotated[float, Field(allow_inf_nan=False)]


class MeasureSpec(BaseModel):
    """``[[measures]]``: what is computed for each trained seed. All other keys are options of the measure."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    measure: str
    """One of the kind's measures."""
    name: str = ""
    """What the rest of the file calls it, where one measure is taken twice; else the measure's own name."""

    @property
    def options(self) -> dict[str, Any]:
        """The other keys."""
        return dict(self.model_extra or {})


class TableSpec(Closed):
    """``[table]``: how results are shown."""

    value: str
    """``measure.figure`` of the main column."""
    also: tuple[str, ...] = ()
    """Further figures, in columns of their own."""
    across: str | None = None
    """A key whose values become columns."""
    scale: Finite = 1.0
    """What figures of the main column are multiplied by: 100 for %."""
    digits: Annotated[int, Field(ge=0, le=12)] = 1
    """Digits behind the point in the main column."""
    label: str = ""
    """What the main column shows, with its unit."""
    note: str = ""
    """A sentence under the table."""


class ComparisonSpec(Closed):
    """``[comparison]``: differences of each cell to another one, paired by seed."""

    against: Annotated[dict[str, Any], Field(min_length=1)]
    """Settings of the cells that others are compared with."""
    same: tuple[str, ...] = ()
    """Keys in which the two agree."""
    label: str = "difference"
    """Heading of the difference."""


class ReferenceSpec(Closed):
    """``[[reference]]``: a published figure, in the unit of the main column."""

    cell: dict[str, Any]
    """Settings of the cells that it belongs to."""
    value: Finite | None = None
    """The figure."""
    half_width: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """The ± that it was published with."""
    failed: bool = False
    """In place of a value: whether the published code failed here."""
    trust: Literal["verified", "quoted", "unverified"]
    """Read in a primary source; in a source that quotes it; or from memory."""
    source: str
    """Where it stands."""


class ExperimentFile(Closed):
    """The content of an experiment file."""

    kind: str
    """What a cell computes."""
    description: str
    """One line."""
    seeds: Annotated[int, Field(ge=1)]
    """How many runs a cell has."""
    first_seed: Annotated[int, Field(ge=0)] = 0
    """Their seeds count up from this one."""
    seeds_draw_data: bool | None = None
    """Whether each seed draws data of its own, or all have the same; what the intervals speak of."""
    leaves_open: tuple[str, ...] = ()
    """What the paper does not say, and what was chosen."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Of every cell."""
    grid: tuple[dict[str, Any], ...]
    """The cells: the product of each block's lists, all blocks together."""
    measures: tuple[MeasureSpec, ...]
    """What is computed for each trained seed."""
    smoke: dict[str, Any] = Field(default_factory=dict)
    """Settings of a trial run, on top of all others; ``[smoke.measures.NAME]`` has options of measures,
    ``[smoke.table]`` those of its table."""
    table: TableSpec
    """How results are shown."""
    comparison: ComparisonSpec | None = None
    """Which cells are compared."""
    reference: tuple[ReferenceSpec, ...] = ()
    """Published figures."""


def experiment_names() -> dict[str, str]:
    """The experiments that come with the package, and what they are."""
    found = {}
    for path in sorted(bundled_configs().glob("*.toml")):
        values = _read(path)
        if "kind" in values:
            found[path.stem] = str(values.get("description", ""))
    return found


def read_experiment_file(name_or_path: str | Path) -> ExperimentFile:
    """An experiment file: one that comes with the package, by its name, or one of the user's, by its path.

    Raises:
        ConfigError: if it is unknown, missing, malformed, or no experiment file.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        path = Path(name_or_path)
    else:
        lookup(experiment_names(), text, what="experiment")
        path = bundled_configs() / f"{text}.toml"
    values = _read(path)
    if "kind" not in values:
        raise ConfigError(
            f"{path} is no experiment file: it has no kind; a run configuration goes to hypgraph train --config"
        )
    try:
        file = ExperimentFile.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error, ExperimentFile)}") from None
    for key, value in file.settings.items():
        if isinstance(value, list):
            raise ConfigError(f"{path}: [settings] {key} is a list; lists of values belong in a [[grid]] block")
    for number, reference in enumerate(file.reference, start=1):
        if (reference.value is None) != reference.failed:
            raise ConfigError(f"{path}: [[reference]] number {number} needs either a value or failed = true")
    return file


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """What pydantic found first with ``model``, in one line: the key, what was given, what is allowed."""
    problems = error.errors()
    # A key that is misspelt is missing too; the spelling says more.
    problem = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    path = problem["loc"]
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
    if problem["type"] == "extra_forbidden":
        return f"unknown key '{key}'; {did_you_mean(str(path[-1]), _keys_at(model, path[:-1]))}"
    if problem["type"] == "missing":
        return f"'{key}' is missing"
    if problem["type"] == "value_error":  # of a validator: its own words
        message = str(problem["ctx"]["error"])
        return f"{key}: {message}" if key else message
    return f"{key} {problem['msg'].removeprefix('Input ')}, got {problem['input']}"


def _keys_at(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The keys of the model that lies at ``path`` in ``model``."""
    for part in path:
        if isinstance(part, str):
            model = next(_models_in(model.model_fields[part].annotation))
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def bundled_configs() -> Path:
    """The folder of the configurations and experiments that come with the package."""
    inside = Path(__file__).resolve().parents[1] / "_bundled" / "configs"
    # An editable install has the package in the checkout, and the configurations beside it.
    return inside if inside.is_dir() else inside.parents[2] / "configs"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such experiment file; 'hypgraph experiment list' names those that come"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    except ValueError as error:
        raise ConfigError(f"{path}: malformed: {error}") from None
