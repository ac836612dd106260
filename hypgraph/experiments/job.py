"""The work on one cell, in this process or another, and what is told of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hypgraph.exceptions import HypgraphError
from hypgraph.experiments.cell_kind import Context
from hypgraph.experiments.cell_store import CellStore, Left
from hypgraph.experiments.experiment import Cell, Experiment
from hypgraph.files import write_json
from hypgraph.training import limited_threads

__all__ = ["Event", "Job", "Stage"]

# A clock that was stopped with its process loses this much at most.
CLOCK_SECONDS = 10.0

Stage = Literal["start", "progress", "done", "failed", "busy"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a cell.

    Attributes:
        stage: ``"busy"`` means that another process holds the cell.
        cell: which.
        text: how far it is, or why it failed.
        seconds: since it was started.
    """

    stage: Stage
    cell: Cell
    text: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Job:
    """All that is needed to bring one cell to its end, in this process or another."""

    experiment: Experiment
    cell: Cell
    root: Path
    device: str
    threads: int
    data_root: Path | None
    origin: Mapping[str, Any]

    def run(self, progress: Callable[[str], None]) -> tuple[Stage, str]:
        """Trains and measures what is left; what of :class:`Event` became of it, and why.

        An error that this package raises on purpose, a file that cannot be written or a lack of memory fails the
        cell; anything else is a defect, and is passed on.
        """
        try:
            with limited_threads(self.threads, num_nodes=0), CellStore(self.root).locked(self.cell) as held:
                if not held:
                    return "busy", ""
                self._run(progress)
        except (HypgraphError, OSError) as error:
            return "failed", " ".join(str(error).split())
        except (MemoryError, RuntimeError) as error:
            # torch has no class of its own for memory that the processor cannot give
            if isinstance(error, MemoryError) or "memory" in str(error):
                return "failed", "not enough memory; try fewer --jobs"
            raise
        return "done", ""

    def _run(self, progress: Callable[[str], None]) -> None:
        experiment, cell, store = self.experiment, self.cell, CellStore(self.root)
        left = store.left(cell, experiment.kind, experiment.seeds, experiment.measures)
        folder = store.prepare(cell)
        failure = None
        if left.train:
            clock = _Clock(self, left, progress)
            with clock:
                context = Context(self.device, self.threads, self.data_root, clock.tick)
                try:
                    experiment.kind.train(cell.settings, left.train, folder, context=context)
                except HypgraphError as error:
                    failure = error
        context = Context(self.device, self.threads, self.data_root, progress)
        for seed, measure in left.measure:
            if failure is not None and not experiment.kind.is_trained(folder, seed):
                continue
            progress(f"seed {seed}: {measure.name}")
            start = time.perf_counter()
            figures = experiment.kind.measure(cell.settings, measure.options, seed, folder, context=context)
            seconds = time.perf_counter() - start
            store.write_record(cell, seed, measure, {"figures": figures, "seconds": seconds, **self.origin})
        if failure is not None:
            raise failure


class _Clock:
    """Adds a session to the record of a cell's training time, also if training is interrupted or killed."""

    def __init__(self, job: Job, left: Left, progress: Callable[[str], None]) -> None:
        store = CellStore(job.root)
        self.path, self.before = store.time_file(job.cell), store.read_time(job.cell)
        self.session = {"seeds": list(left.train), **job.origin}
        self.progress = progress

    def __enter__(self) -> None:
        self.start = self.written = time.perf_counter()

    def __exit__(self, *_error: object) -> None:
        self._write()

    def tick(self, text: str) -> None:
        """Passes progress on, and keeps the time from time to time."""
        self.progress(text)
        if time.perf_counter() - self.written > CLOCK_SECONDS:
            self._write()

    def _write(self) -> None:
        self.written = time.perf_counter()
        session = {**self.session, "seconds": self.written - self.start}
        write_json(self.path, {"sessions": [*self.before, session]})
