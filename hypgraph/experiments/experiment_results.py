"""What the records of an experiment's cells say: figures over seeds, paired differences, time and devices."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypgraph.evaluation.intervals import MeanInterval, mean_interval
from hypgraph.evaluation.paired import PairedDifference, paired_difference
from hypgraph.exceptions import ConfigError
from hypgraph.experiments.cell_store import CellStore
from hypgraph.experiments.experiment import Cell, Experiment
from hypgraph.lookup import did_you_mean

__all__ = ["CellResults", "Figure", "compared", "figure_names", "read_cell", "read_results"]


@dataclass(frozen=True)
class Figure:
    """One figure of one cell.

    Attributes:
        values: by seed.
    """

    values: Mapping[int, float]

    @property
    def not_finite(self) -> tuple[int, ...]:
        """Seeds whose figure is no number; a mean without them would mislead."""
        return tuple(seed for seed, value in self.values.items() if not math.isfinite(value))

    def interval(self, scale: float = 1.0) -> MeanInterval | None:
        """Mean over seeds and 95 % Student interval; None without a seed, or where one is not finite."""
        if not self.values or self.not_finite:
            return None
        return mean_interval(scale * value for value in self.values.values())


@dataclass
class CellResults:
    """What is known of one cell.

    Attributes:
        cell: which.
        figures: by ``measure.figure``; the elements of a list are ``measure.figure.0`` and so on.
        devices: what figures were made on.
        versions: version and git commit of the package that made them.
        seconds: of training and measuring, divided by the number of runs; None before the first record.
    """

    cell: Cell
    figures: dict[str, Figure] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    versions: set[tuple[str, str | None]] = field(default_factory=set)
    seconds: float | None = None

    def figure(self, name: str) -> Figure:
        """A figure; without values where no seed has it."""
        return self.figures.get(name, Figure({}))


def read_results(experiment: Experiment, root: Path) -> dict[Cell, CellResults]:
    """The results of every cell, in the order of the grid; see :func:`read_cell`."""
    return {cell: read_cell(experiment, root, cell) for cell in experiment.cells}


def figure_names(wanted: str, results: Mapping[Cell, CellResults]) -> list[str]:
    """The figures that ``wanted`` names: itself, or the elements of the list that it is.

    Raises:
        ConfigError: if cells have been measured and have no such figure.
    """
    measure = wanted.partition(".")[0]
    known = list(dict.fromkeys(name for result in results.values() for name in result.figures))
    if wanted in known or not any(name.startswith(f"{measure}.") for name in known):
        return [wanted]
    elements = [name for name in known if name.startswith(f"{wanted}.")]
    if not elements:
        raise ConfigError(f"[table]: no figure '{wanted}' was measured; {did_you_mean(wanted, known)}")
    return elements


def compared(
    a: Figure, b: Figure, *, scale: float = 1.0, shares: tuple[float, float] | None = None
) -> PairedDifference | None:
    """a − b, paired by the seeds that both have.

    The ordinary paired t-test: seeds that draw their data anew are independent, and where all have the same data,
    it speaks of these alone. With the ``shares`` of training and test in splits of one data set, the corrected
    resampled one. None without a common seed, or where a figure is not finite.
    """
    seeds = [seed for seed in a.values if seed in b.values]
    pairs = [(scale * a.values[seed], scale * b.values[seed]) for seed in seeds]
    if not pairs or not all(math.isfinite(value) for pair in pairs for value in pair):
        return None
    first, second = zip(*pairs, strict=True)
    train, test = shares or (1.0, 0.0)
    return paired_difference(first, second, test_fraction=test, train_fraction=train)


def read_cell(experiment: Experiment, root: Path, cell: Cell) -> CellResults:
    """The results of one cell, whose folder lies in ``root``.

    Raises:
        RunError: if a record is damaged or was made with other settings.
    """
    store = CellStore(root)
    store.check(cell)
    result = CellResults(cell)
    values: dict[str, dict[int, float]] = {}
    seconds: list[list[float]] = []
    for measure in experiment.measures:
        taken = []
        for seed in experiment.seeds:
            record = store.read_record(cell, seed, measure)
            if record is None:
                continue
            taken.append(float(record.get("seconds", math.nan)))
            result.devices.add(str(record.get("device")))
            result.versions.add((str(record.get("version")), record.get("commit")))
            for name, value in _numbers(record["figures"]).items():
                values.setdefault(f"{measure.name}.{name}", {})[seed] = value
        if taken:
            seconds.append(taken)
    result.figures = {name: Figure(by_seed) for name, by_seed in values.items()}
    if seconds:
        sessions = store.read_time(cell)
        result.devices |= {str(session["device"]) for session in sessions}
        result.seconds = _each(sessions) + sum(sum(taken) / len(taken) for taken in seconds)
    return result


def _each(sessions: Sequence[Mapping[str, Any]]) -> float:
    """Seconds of training for each seed that was trained."""
    seeds = {seed for session in sessions for seed in session["seeds"]}
    return sum(float(session["seconds"]) for session in sessions) / max(len(seeds), 1)


def _numbers(figures: Mapping[str, Any]) -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, value in figures.items():
        if isinstance(value, list):
            flat |= _numbers({f"{name}.{index}": element for index, element in enumerate(value)})
        elif isinstance(value, int | float):
            flat[name] = float(value)
    return flat
