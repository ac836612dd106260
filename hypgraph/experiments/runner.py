"""Runs the cells of an experiment that are not done yet, one after the other or several at a time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from hypgraph.exceptions import ConfigError, HypgraphError, RunError
from hypgraph.experiments.cell_store import CellStore, Left
from hypgraph.experiments.environment import environment
from hypgraph.experiments.experiment import Cell, Experiment
from hypgraph.experiments.kinds import Context
from hypgraph.files import write_json
from hypgraph.training import limited_threads, resolve_device

__all__ = ["Event", "Outcome", "left_of", "run_experiment"]

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
class Outcome:
    """What became of the cells.

    Attributes:
        done: those that are complete, with those that were before.
        failed: why each of these failed.
        busy: those that another process holds.
    """

    done: tuple[Cell, ...]
    failed: Mapping[Cell, str]
    busy: tuple[Cell, ...]


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


def left_of(experiment: Experiment, root: Path) -> dict[Cell, Left]:
    """What each cell of the experiment still needs."""
    store = CellStore(root)
    return {
        cell: store.left(cell, experiment.kind, experiment.seeds, experiment.measures) for cell in experiment.cells
    }


def run_experiment(
    experiment: Experiment,
    root: Path,
    *,
    jobs: int = 1,
    device: str = "auto",
    data_root: Path | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Outcome:
    """Trains and measures all seeds of all cells; what is done is not done again.

    A cell that fails does not stop the others. Ctrl-C does, once the cells in progress have saved their state, and
    the same call goes on from there.

    Args:
        experiment: what to compute.
        root: where the folders of the cells lie.
        jobs: how many cells at a time. More than one: each in a process of its own, with torch's number of threads
            shared between them.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        data_root: folder for data outside the project.
        on_event: is told of each cell that starts, goes on, ends, fails, or is held by another process.

    Raises:
        HypgraphError: before anything is made, if an option is not allowed or a cell cannot be computed.
        KeyboardInterrupt: on Ctrl-C.
    """
    if jobs < 1:
        raise ConfigError(f"--jobs {jobs}: at least one cell must run at a time")
    where = resolve_device(device).type
    left = left_of(experiment, root)
    todo = [cell for cell in experiment.cells if left[cell]]
    options = [measure.options for measure in experiment.measures]
    for cell in todo:
        experiment.kind.check(cell.settings, options, data_root=data_root)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"--out {root}: cannot be made ({error.strerror})") from None
    workers = min(jobs, max(len(todo), 1))
    threads = max(1, torch.get_num_threads() // workers)
    origin = _origin(where, threads)
    waiting = [Job(experiment, cell, root.absolute(), where, threads, data_root, origin) for cell in todo]
    if workers > 1:
        from hypgraph.experiments.processes import run_jobs

        stages = run_jobs(waiting, workers, on_event or _ignore)
    else:
        stages = _one_by_one(waiting, on_event or _ignore)
    return Outcome(
        done=tuple(cell for cell in experiment.cells if stages.get(cell, ("done", ""))[0] == "done"),
        failed={cell: text for cell, (stage, text) in stages.items() if stage == "failed"},
        busy=tuple(cell for cell, (stage, _) in stages.items() if stage == "busy"),
    )


def _one_by_one(jobs: list[Job], on_event: Callable[[Event], None]) -> dict[Cell, tuple[Stage, str]]:
    stages = {}
    for job in jobs:
        tell = partial(_tell, on_event, job.cell, time.perf_counter())
        tell("start", "")
        stages[job.cell] = job.run(partial(tell, "progress"))
        tell(*stages[job.cell])
    return stages


def _tell(on_event: Callable[[Event], None], cell: Cell, start: float, stage: Stage, text: str) -> None:
    on_event(Event(stage, cell, text, time.perf_counter() - start))


def _ignore(_event: Event) -> None:
    pass


def _origin(device: str, threads: int) -> dict[str, Any]:
    """On what figures are made, for their records."""
    found = environment()
    return {
        "device": found["cuda"] if device == "cuda" else device,
        "threads": threads,
        "version": found["hypgraph"],
        "commit": found["git_commit"],
    }
