"""An experiment: the cells, measures, comparisons and references that an experiment file spells out."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from hypgraph.config import toml_value
from hypgraph.exceptions import ConfigError
from hypgraph.experiments.cell_kind import CellKind
from hypgraph.experiments.experiment_file import (
    ExperimentFile,
    ReferenceSpec,
    first_problem,
    read_experiment_file,
)
from hypgraph.experiments.kinds import KINDS
from hypgraph.lookup import did_you_mean, lookup

__all__ = ["Cell", "Experiment", "Measure", "load_experiment", "shown"]

SMOKE_SEEDS = 2
_SMOKE_PARTS = ("measures", "table")  # tables of [smoke]; its other keys are settings


@dataclass(frozen=True, eq=False)
class Cell:
    """One point of the grid.

    Attributes:
        kind: the key of its kind.
        settings: all settings, an object of the kind's model.
        stated: the settings that the file states for it, and what the model makes of them.
        name: what tells it from the other cells.
    """

    kind: str
    settings: BaseModel
    stated: Mapping[str, Any]
    name: str

    @property
    def values(self) -> dict[str, Any]:
        """All settings, as plain values."""
        return self.settings.model_dump(mode="json")

    def has(self, wanted: Mapping[str, Any]) -> bool:
        """Whether its settings have all the values ``wanted``."""
        values = self.values
        return all(values[key] == value for key, value in wanted.items())


@dataclass(frozen=True, eq=False)
class Measure:
    """What is computed for each trained seed.

    Attributes:
        name: what the experiment file calls it.
        measure: the kind's name of it.
        options: an object of the kind's model for it.
    """

    name: str
    measure: str
    options: BaseModel


@dataclass(frozen=True, eq=False)
class Experiment:
    """What is to be computed, checked and spelled out.

    Attributes:
        name: of the experiment.
        source: the name or path that :func:`load_experiment` takes.
        file: the file's content, with changes made.
        kind: what its cells do.
        cells: the grid.
        measures: what is computed for each seed.
        seeds: of every cell.
        columns: keys in which the cells differ, as the file states them.
        references: published figures by cell.
        comparisons: cells, and the cell that each is compared with.
        changes: the options of the command line that made it differ from its file.
    """

    name: str
    source: str
    file: ExperimentFile
    kind: CellKind
    cells: tuple[Cell, ...]
    measures: tuple[Measure, ...]
    seeds: tuple[int, ...]
    columns: tuple[str, ...]
    references: Mapping[Cell, ReferenceSpec]
    comparisons: tuple[tuple[Cell, Cell], ...]
    changes: tuple[str, ...] = ()

    def with_changes(
        self, *, seeds: int | None = None, assignments: Sequence[str] = (), smoke: bool = False
    ) -> "Experiment":
        """The experiment with another number of seeds, other settings, or as a trial run.

        Args:
            seeds: how many.
            assignments: ``"key=value"`` changes ``[settings]``, ``"measure.option=value"`` a measure.
            smoke: with the settings of ``[smoke]`` on top of settings and grid, and two seeds at most; cells that
                are equal then are one. It has no references.

        Raises:
            ConfigError: for a key that is unknown or that the grid has values of, or a value that is not allowed.
        """
        file = self.file
        changes = []
        if smoke:
            file = _smoked(file, self.name)
            changes.append("--smoke")
        for assignment in assignments:
            file = _assigned(file, assignment, self.kind)
            changes += ["--set", assignment]
        if seeds is not None:
            if seeds < 1:
                raise ConfigError(f"--seeds {seeds}: a cell needs at least one")
            file = file.model_copy(update={"seeds": seeds})
            changes += ["--seeds", str(seeds)]
        if smoke:
            file = file.model_copy(update={"seeds": min(file.seeds, SMOKE_SEEDS)})
        return _spelled_out(file, self.name, self.source, self.kind, changes=tuple(changes), smoke=smoke)


def load_experiment(
    name_or_path: str | Path, *, kinds: Mapping[str, Callable[[], CellKind]] = KINDS
) -> Experiment:
    """The experiment of a bundled file, by its name, or of any file, by its path.

    Raises:
        ConfigError: one line, for whatever in the file is unknown, not allowed or contradicts itself.
    """
    file = read_experiment_file(name_or_path)
    name = Path(name_or_path).stem
    kind = lookup(kinds, file.kind, what="kind")()
    return _spelled_out(file, name, str(name_or_path), kind)


def shown(value: object) -> str:
    """A setting's value, for people.

    >>> shown(1.0), shown(True), shown(None), shown("poincare")
    ('1', 'yes', '–', 'poincare')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _spelled_out(
    file: ExperimentFile,
    name: str,
    source: str,
    kind: CellKind,
    *,
    changes: tuple[str, ...] = (),
    smoke: bool = False,
) -> Experiment:
    _check_keys(file, name, kind)
    cells, columns = _cells(file, name, kind, merge=smoke)
    measures = _measures(file, name, kind)
    known = [measure.name for measure in measures]
    for key in (file.table.value, *file.table.also):
        measure, _, figure = key.partition(".")
        if measure not in known or not figure:
            raise ConfigError(
                f"{name}: [table] '{key}' should be written measure.figure, of a measure that is taken; "
                f"{did_you_mean(measure, known)}"
            )
        given = kind.figures.get(next(one.measure for one in measures if one.name == measure), ("*",))
        if not any(fnmatchcase(figure, pattern) for pattern in given):
            raise ConfigError(f"{name}: [table] '{key}': no such figure; {did_you_mean(figure, list(given))}")
    return Experiment(
        name=name,
        source=source,
        file=file,
        kind=kind,
        cells=cells,
        measures=measures,
        seeds=tuple(range(file.first_seed, file.first_seed + file.seeds)),
        columns=columns,
        references={} if smoke else _references(file, name, cells, strict=not changes),
        comparisons=_comparisons(file, name, cells, strict=not changes),
        changes=changes,
    )


def _check_keys(file: ExperimentFile, name: str, kind: CellKind) -> None:
    """Every key of settings, wherever it is used, is one of the kind's."""
    table, comparison = file.table, file.comparison
    places: list[tuple[str, Iterable[str]]] = [
        ("[settings]", file.settings),
        *((f"[[grid]] block {number}", block) for number, block in enumerate(file.grid, start=1)),
        ("[smoke]", [key for key in file.smoke if key not in _SMOKE_PARTS]),
        ("[table] across", [table.across] if table.across is not None else []),
        ("[comparison] against", comparison.against if comparison else []),
        ("[comparison] same", comparison.same if comparison else []),
        *((f"[[reference]] number {number}", item.cell) for number, item in enumerate(file.reference, start=1)),
    ]
    for part in _SMOKE_PARTS:
        if not isinstance(file.smoke.get(part, {}), dict):
            raise ConfigError(f"{name}: [smoke] {part} should be a table of options: [smoke.{part}]")
    known = list(kind.settings_model.model_fields)
    for place, keys in places:
        for key in keys:
            if key not in known:
                raise ConfigError(f"{name}: {place}: unknown key '{key}'; {did_you_mean(key, known)}")


def _cells(
    file: ExperimentFile, name: str, kind: CellKind, *, merge: bool
) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    """The grid, and the keys in which it varies."""
    if not file.grid:
        raise ConfigError(f"{name}: the grid is empty; it needs a [[grid]] block")
    settings: list[BaseModel] = []
    stated: list[dict[str, Any]] = []
    for point in _points(file, name):
        made = _validated(kind.settings_model, {**file.settings, **point}, f"{name}: cell {_named(point)}")
        if made not in settings:
            settings.append(made)
            values = made.model_dump(mode="json")
            stated.append({key: values[key] for key in {**file.settings, **point} if values[key] is not None})
        elif not merge:
            raise ConfigError(f"{name}: two grid cells are the same: {_named(point)}")
    keys = dict.fromkeys(itertools.chain.from_iterable(file.grid))
    columns = tuple(key for key in keys if any(one.get(key) != stated[0].get(key) for one in stated))
    names = [_named({key: one[key] for key in columns if key in one}) for one in stated]
    parts = zip(settings, stated, names, strict=True)
    return tuple(Cell(file.kind, made, one, label or name) for made, one, label in parts), columns


def _points(file: ExperimentFile, name: str) -> Iterable[dict[str, Any]]:
    for number, block in enumerate(file.grid, start=1):
        lists = {key: value if isinstance(value, list) else [value] for key, value in block.items()}
        empty = [key for key, values in lists.items() if not values]
        if empty or not lists:
            what = f"{empty[0]} is an empty list" if empty else "is empty"
            raise ConfigError(f"{name}: [[grid]] block {number}: {what}; give the values that cells are to have")
        for values in itertools.product(*lists.values()):
            yield dict(zip(lists, values, strict=True))


def _measures(file: ExperimentFile, name: str, kind: CellKind) -> tuple[Measure, ...]:
    if not file.measures:
        raise ConfigError(
            f"{name}: nothing is measured; add [[measures]], one of: {', '.join(kind.measure_models)}"
        )
    made: dict[str, Measure] = {}
    for spec in file.measures:
        model = lookup(kind.measure_models, spec.measure, what="measure")
        label = spec.name or spec.measure
        if label in made or "." in label:
            raise ConfigError(f"{name}: [[measures]] '{label}': give each a name of its own, without a point")
        options = _validated(model, spec.options, f"{name}: [[measures]] {label}")
        made[label] = Measure(label, spec.measure, options)
    for label in file.smoke.get("measures", {}):
        lookup(made, label, what="measure in [smoke.measures]")
    return tuple(made.values())


def _references(
    file: ExperimentFile, name: str, cells: Sequence[Cell], *, strict: bool
) -> dict[Cell, ReferenceSpec]:
    found: dict[Cell, ReferenceSpec] = {}
    for number, reference in enumerate(file.reference, start=1):
        matching = [cell for cell in cells if cell.has(reference.cell)]
        where = f"{name}: [[reference]] number {number} ({_named(reference.cell)})"
        if strict and not matching:
            raise ConfigError(f"{where} matches no cell of the grid")
        for cell in matching:
            if cell in found:
                raise ConfigError(f"{where}: the cell {cell.name} has a reference already")
            found[cell] = reference
    return found


def _comparisons(
    file: ExperimentFile, name: str, cells: Sequence[Cell], *, strict: bool
) -> tuple[tuple[Cell, Cell], ...]:
    """Without ``strict``, cells that have none or several to be compared with are left out."""
    if file.comparison is None:
        return ()
    against, same = file.comparison.against, file.comparison.same
    others = [cell for cell in cells if cell.has(against)]
    pairs = []
    for cell in cells:
        if cell in others:
            continue
        values = cell.values
        matching = [other for other in others if other.has({key: values[key] for key in same})]
        if len(matching) == 1:
            pairs.append((cell, matching[0]))
        elif strict:
            raise ConfigError(
                f"{name}: [comparison]: {len(matching)} cells have {_named(against)} and share "
                f"{', '.join(same) or 'nothing'} with the cell {cell.name}; there should be one"
            )
    if strict and not pairs:
        raise ConfigError(f"{name}: [comparison] compares nothing: every cell has {_named(against)}")
    return tuple(pairs)


def _smoked(file: ExperimentFile, name: str) -> ExperimentFile:
    smoke = {key: value for key, value in file.smoke.items() if key not in _SMOKE_PARTS}
    for key, value in smoke.items():
        if isinstance(value, list):
            raise ConfigError(f"{name}: [smoke] {key} is a list; it should be the one value of a trial run")
    in_grid = set().union(*file.grid)
    options = file.smoke.get("measures", {})
    table = {**file.table.model_dump(), **file.smoke.get("table", {})}
    return file.model_copy(
        update={
            "settings": {
                **file.settings,
                **{key: value for key, value in smoke.items() if key in file.settings or key not in in_grid},
            },
            "grid": tuple({key: smoke.get(key, value) for key, value in block.items()} for block in file.grid),
            "measures": tuple(
                spec.model_copy(update=options.get(spec.name or spec.measure, {})) for spec in file.measures
            ),
            "table": _validated(type(file.table), table, f"{name}: [smoke.table]"),
        }
    )


def _assigned(file: ExperimentFile, assignment: str, kind: CellKind) -> ExperimentFile:
    key, equals, text = (part.strip() for part in assignment.partition("="))
    if not equals:
        raise ConfigError(f"--set {assignment}: write it as key=value, for example epochs=10")
    value = toml_value(text)
    if isinstance(value, list):
        raise ConfigError(f"--set {assignment}: a list of values belongs in the grid of an experiment file")
    measure, point, option = key.partition(".")
    if point:
        specs = {spec.name or spec.measure: spec for spec in file.measures}
        changed = lookup(specs, measure, what="measure").model_copy(update={option: value})
        return file.model_copy(update={"measures": tuple({**specs, measure: changed}.values())})
    lookup(kind.settings_model.model_fields, key, what="setting")
    if any(key in block for block in file.grid):
        raise ConfigError(f"--set {assignment}: the grid has values of {key}; change them in an experiment file")
    return file.model_copy(update={"settings": {**file.settings, key: value}})


def _validated(model: type[BaseModel], values: Mapping[str, Any], where: str) -> BaseModel:
    try:
        return model.model_validate(values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    except ValidationError as error:
        raise ConfigError(f"{where}: {first_problem(error, model)}") from None


def _named(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={shown(value)}" for key, value in values.items())
