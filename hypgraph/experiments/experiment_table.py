"""The table of an experiment: our figures with their intervals, the published ones beside them, the protocol."""

import csv
import io
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypgraph.exceptions import ConfigError
from hypgraph.experiments.experiment import Cell, Experiment, shown
from hypgraph.experiments.experiment_file import ReferenceSpec
from hypgraph.experiments.experiment_results import CellResults, Figure, compared, figure_names, read_results

__all__ = ["Table", "command_line", "figure_text", "render", "time_text"]

DASH = "–"
CSV_COLUMNS = (
    *("measure", "figure", "mean", "half_width", "n"),
    *("reference", "reference_half_width", "trust", "device", "seconds"),
)
TRUST = {
    "verified": "read in the source",
    "quoted": "as another source quotes it",
    "unverified": "unverified",
}


@dataclass(frozen=True)
class Table:
    """An experiment and its results, to be written as Markdown or CSV.

    Attributes:
        experiment: what was computed.
        results: by cell.
        command: what makes them.
    """

    experiment: Experiment
    results: Mapping[Cell, CellResults]
    command: str

    def markdown(self) -> str:
        """Protocol, figures, comparison, notes and sources."""
        across = self.experiment.file.table.across
        parts = [
            f"# {self.experiment.name}",
            self.experiment.file.description,
            *self._protocol(),
            *([self._long(self._names())] if across is None else self._pivot(across)),
            *self._comparison(),
            *self._notes(),
        ]
        return "\n\n".join(parts) + "\n"

    def csv(self) -> str:
        """A line for each cell and figure; a cell that has not been run has one without a figure."""
        table, main = self.experiment.file.table, self._names()[0]
        text = io.StringIO()
        writer = csv.DictWriter(text, [*self.experiment.columns, *CSV_COLUMNS], restval="", lineterminator="\n")
        writer.writeheader()
        for cell, result in self.results.items():
            settings = {key: cell.stated.get(key, "") for key in self.experiment.columns}
            made = {"device": ", ".join(sorted(result.devices)), "seconds": _plain(result.seconds)}
            for name in dict.fromkeys([main, *result.figures]):
                measure, _, figure = name.partition(".")
                row = {**settings, "measure": measure, "figure": figure, **made}
                row |= _csv_figure(result.figure(name), table.scale)
                reference = self.experiment.references.get(cell)
                if reference is not None and name == main:
                    row |= {"reference": _plain(reference.value), "trust": reference.trust}
                    row |= {"reference_half_width": _plain(reference.half_width)}
                writer.writerow(row)
        return text.getvalue()

    def _protocol(self) -> list[str]:
        experiment = self.experiment
        first, *others = [cell.values for cell in experiment.cells]
        common = {
            key: value
            for key, value in first.items()
            if key not in experiment.columns and all(other[key] == value for other in others)
        }
        measures = [
            f"{measure.name} ({options})" if options else measure.name
            for measure in experiment.measures
            for options in [_listed(measure.options.model_dump(mode="json", exclude={"measure"}))]
        ]
        seeds = experiment.seeds
        runs = (
            f"{len(seeds)} runs, seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"1 run, seed {seeds[0]}"
        )
        anew = experiment.file.seeds_draw_data if experiment.kind.shares is None else "split"
        of = {
            None: "",
            "split": " Each seed splits the same data anew: the intervals speak of splits of these data.",
            True: " Each seed draws data of its own: the intervals speak of data drawn in this way.",
            False: " Every seed has the same data: the intervals speak of training on these data alone.",
        }[anew]
        if any(experiment.kind.shares_of(cell.settings) != experiment.kind.shares for cell in experiment.cells):
            of += (
                " Data with a split of their own have it for every seed: there the intervals speak of training "
                "alone, and the test is the paired t-test."
            )
        lines = [
            f"Every cell: {_listed(common)}.",
            f"Measured: {'; '.join(measures)}.",
            f"A cell has {runs}. Figures are means ± 95 % Student intervals over its runs.{of}",
        ]
        if experiment.changes:
            changes = shlex.join(experiment.changes)
            lines.append(f"**Not the experiment as its file has it: `{changes}`.**")
        return lines

    def _names(self) -> list[str]:
        """The main figure and then the others."""
        table = self.experiment.file.table
        main = figure_names(table.value, self.results)[:1]
        return main + [name for wanted in table.also for name in figure_names(wanted, self.results)]

    def _long(self, names: Sequence[str]) -> str:
        """A row for each cell, a column for each figure; references beside the main one."""
        experiment = self.experiment
        main = self._names()[0]
        beside = bool(experiment.references) and main in names
        head = [*experiment.columns]
        for name in names:
            head += [self._label(name)] + (["published"] if beside and name == main else [])
        rows = []
        for cell, result in self.results.items():
            row = _settings(cell, experiment.columns)
            runs = max(len(result.figure(name).values) for name in names)
            for name in names:
                figure = result.figure(name)
                fewer = f" (n = {len(figure.values)})" if 0 < len(figure.values) < runs else ""
                row.append(self._figure(figure) + fewer)
                if beside and name == main:
                    row.append(self._reference(experiment.references.get(cell)))
            rows.append([*row, str(runs), ", ".join(sorted(result.devices)) or DASH, time_text(result.seconds)])
        return _markdown([*head, "n", "device", "time a run"], rows, texts=len(experiment.columns))

    def _pivot(self, across: str) -> list[str]:
        """The main figure, ours and the published one, with the values of a key as columns; then all else."""
        experiment = self.experiment
        main, *others = self._names()
        values = list(dict.fromkeys(cell.values[across] for cell in experiment.cells))
        keys = [key for key in experiment.columns if key != across]
        rows: dict[tuple[str, ...], dict[Any, str]] = {}
        for cell, result in self.results.items():
            figure = result.figure(main)
            text = self._figure(figure)
            if 0 < len(figure.values) < len(experiment.seeds):
                text += f" (n = {len(figure.values)})"
            if cell in experiment.references:
                text += f" / {self._reference(experiment.references[cell])}"
            rows.setdefault(tuple(_settings(cell, keys)), {})[cell.values[across]] = text
        head = [*keys, *(f"{across} {shown(value)}" for value in values)]
        table = _markdown(
            head, [[*row, *(by.get(value, "") for value in values)] for row, by in rows.items()], texts=len(keys)
        )
        what = self._label(main) + (": ours / published" if experiment.references else "")
        return [f"{what}.", table, "Each cell:", self._long(others or [main])]

    def _comparison(self) -> list[str]:
        experiment, spec = self.experiment, self.experiment.file.comparison
        if spec is None or not experiment.comparisons:
            return []
        main = self._names()[0]
        rows = []
        for cell, other in experiment.comparisons:
            figures = [self.results[one].figure(main) for one in (cell, other)]
            difference = compared(
                *figures, scale=experiment.file.table.scale, shares=experiment.kind.shares_of(cell.settings)
            )
            row = _settings(cell, experiment.columns)
            bad = sorted({seed for figure in figures for seed in figure.not_finite})
            if difference is None:
                rows.append([*row, _not_finite(bad) if bad else DASH, DASH, "0"])
            else:
                interval = self._interval(difference.mean, difference.half_width, sign="+")
                rows.append([*row, interval, difference.p_text(), str(difference.n)])
        test = "paired t-test" if experiment.kind.shares is None else "corrected resampled t-test"
        same = f" and the same {', '.join(spec.same)}" if spec.same else ""
        return [
            f"## {spec.label}",
            f"{self._label(main)}: each cell minus the one with {_listed(spec.against)}{same}, paired by seed; "
            f"95 % interval and p of the {test}, not corrected for the number of rows.",
            _markdown([*experiment.columns, spec.label, "p", "n"], rows, texts=len(experiment.columns)),
        ]

    def _notes(self) -> list[str]:
        file = self.experiment.file
        parts = [file.table.note] if file.table.note else []
        if file.leaves_open:
            parts.append("What the paper leaves open, and what was chosen:")
            parts.append("\n".join(f"- {line}" for line in file.leaves_open))
        sources = dict.fromkeys((one.source, TRUST[one.trust]) for one in self.experiment.references.values())
        if sources:
            parts.append(
                "Published figures: " + "; ".join(f"{source} ({trust})" for source, trust in sources) + "."
            )
        versions = {version for result in self.results.values() for version in result.versions}
        made = sorted(
            f"hypgraph {version}" + (f" ({commit[:7]})" if commit else "") for version, commit in versions
        )
        parts.append(f"Made by `{self.command}`" + (f" with {', '.join(made)}." if made else "."))
        return parts

    def _label(self, name: str) -> str:
        table = self.experiment.file.table
        return table.label or name if name == self._names()[0] else name

    def _figure(self, figure: Figure) -> str:
        return figure_text(figure, self.experiment)

    def _interval(self, mean: float, half_width: float, sign: str = "") -> str:
        return _interval(mean, half_width, self.experiment.file.table.digits, sign)

    def _reference(self, reference: ReferenceSpec | None) -> str:
        if reference is None:
            return DASH
        digits = self.experiment.file.table.digits
        if reference.value is None:
            text = "failed"
        else:
            text = _published(reference.value, digits)
            text += f" ± {_published(reference.half_width, digits)}" if reference.half_width is not None else ""
        return f"{text} (unverified)" if reference.trust == "unverified" else text


def render(experiment: Experiment, root: Path, *, command: str | None = None) -> Table:
    """The table of what lies under ``root``; cells that have not been run have a dash.

    Args:
        experiment: what was computed.
        root: where the folders of the cells lie.
        command: what makes the results, if it takes more options than :func:`command_line` knows of.

    Raises:
        RunError: if a record is damaged or was made with other settings.
        ConfigError: if the table is of a figure that was not measured.
    """
    results, spec = read_results(experiment, root), experiment.file.table
    if len(names := figure_names(spec.value, results)) > 1:
        raise ConfigError(f"[table] value: '{spec.value}' is a list; choose one of {', '.join(names)}")
    for wanted in spec.also:
        figure_names(wanted, results)
    return Table(experiment, results, command or command_line(experiment, "run"))


def command_line(experiment: Experiment, verb: str, *options: str) -> str:
    """``hypgraph experiment VERB`` for the experiment, with what was changed in it, and ``options``."""
    return shlex.join(["hypgraph", "experiment", verb, experiment.source, *experiment.changes, *options])


def figure_text(figure: Figure, experiment: Experiment) -> str:
    """``mean ± half-width`` in the unit of the table; the mean alone for one seed, a dash for none."""
    if figure.not_finite:
        return _not_finite(figure.not_finite)
    interval = figure.interval(experiment.file.table.scale)
    return DASH if interval is None else _interval(*interval, experiment.file.table.digits)


def time_text(seconds: float | None) -> str:
    """A duration, in the unit that suits it.

    >>> time_text(7.3), time_text(90.0), time_text(5400.0)
    ('7.3 s', '1.5 min', '1.5 h')
    """
    if seconds is None:
        return DASH
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _interval(mean: float, half_width: float, digits: int, sign: str = "") -> str:
    mean = round(mean, digits) + 0.0  # not -0.0
    text = f"{mean:{sign}.{digits}f}"
    return text if half_width != half_width else f"{text} ± {half_width:.{digits}f}"


def _not_finite(seeds: Sequence[int]) -> str:
    return f"not finite (seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))})"


def _published(value: float, digits: int) -> str:
    """With as many digits as ours, or more if it was published with more."""
    text = f"{value:.{digits}f}"
    return text if float(text) == value else str(value)


def _settings(cell: Cell, columns: Iterable[str]) -> list[str]:
    return [shown(cell.stated.get(key)) for key in columns]


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {shown(value)}" for key, value in values.items() if value is not None)


def _csv_figure(figure: Figure, scale: float) -> dict[str, str]:
    interval = figure.interval(scale)
    mean, half_width = map(_plain, interval) if interval else [""] * 2
    return {"mean": "nan" if figure.not_finite else mean, "half_width": half_width, "n": str(len(figure.values))}


def _plain(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.10g}"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int) -> str:
    """A table whose first ``texts`` columns are left-aligned, the others right-aligned."""
    lines = [head, ["---"] * texts + ["---:"] * (len(head) - texts), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
