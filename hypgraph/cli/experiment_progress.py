"""How an experiment goes: a line for each cell that ends, and in a terminal one for each that runs."""

import sys
import time
from collections.abc import Callable
from typing import Self

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from hypgraph.experiments.experiment import Cell, Experiment
from hypgraph.experiments.experiment_table import time_text
from hypgraph.experiments.job import Event

__all__ = ["ExperimentProgress"]

REDRAW_SECONDS = 0.1
# Where there is no terminal, a cell that takes long says so this often.
PLAIN_SECONDS = 60.0


class ExperimentProgress:
    """Listens to the runner.

    Args:
        experiment: what runs.
        figure: the main figure of a cell, for people.
        quiet: show nothing but failures.
    """

    def __init__(self, experiment: Experiment, figure: Callable[[Cell], str], *, quiet: bool) -> None:
        self.total, self.ended = len(experiment.cells), 0
        self.figure, self.quiet = figure, quiet
        self.running: dict[Cell, Event] = {}
        self.said: dict[Cell, float] = {}
        console = Console(file=sys.stderr)
        self.live = Live(console=console, transient=True, auto_refresh=False)
        self.terminal = console.is_terminal and not quiet
        self.drawn = 0.0

    def __enter__(self) -> Self:
        if self.terminal:
            self.live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.live.stop()

    def already_done(self, cells: int) -> None:
        """So many cells need nothing."""
        self.ended = cells
        if cells:
            self._say(f"{cells} of {self.total} cells are done already")

    def on_event(self, event: Event) -> None:
        """Something happened to a cell."""
        if event.stage in ("start", "progress"):
            self.running[event.cell] = event
            self._tell_progress(event)
            return
        self.running.pop(event.cell, None)
        if self.terminal:
            self._draw()
        if event.stage == "busy":
            self._say(f"{event.cell.name}: left to another process, which is at it")
            return
        self.ended += 1
        count = f"{time_text(event.seconds)} ({self.ended} of {self.total} cells)"
        if event.stage == "done":
            self._say(f"{event.cell.name}: {self.figure(event.cell)}, {count}")
        else:
            self._say(f"{event.cell.name}: failed, {count}: {event.text}")

    def _tell_progress(self, event: Event) -> None:
        now = time.perf_counter()
        if self.terminal:
            if now - self.drawn >= REDRAW_SECONDS:
                self.drawn = now
                self._draw()
        elif event.stage == "start":
            self.said[event.cell] = now
        elif now - self.said[event.cell] >= PLAIN_SECONDS:
            self.said[event.cell] = now
            self._say(_line(event))

    def _draw(self) -> None:
        lines = "\n".join(_line(one) for one in self.running.values())
        self.live.update(Text(lines, overflow="ellipsis", no_wrap=True), refresh=True)

    def _say(self, line: str) -> None:
        if self.quiet:
            return
        if self.terminal:
            self.live.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            typer.echo(line, err=True)


def _line(event: Event) -> str:
    return f"{event.cell.name}: {event.text or 'starts'} ({time_text(event.seconds)})"
