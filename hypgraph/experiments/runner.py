"""Runs the cells of an experiment that are not done yet, one after the other or several at a time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from hypgraph.exceptions import ConfigError, RunError
from hypgraph.experiments.cell_store import CellStore, Left
from hypgraph.experiments.environment import environment
from hypgraph.experiments.experiment import Cell, Experiment
from hypgraph.experiments.job import Event, Job, Stage
from hypgraph.training import resolve_device

__all__ = ["Outcome", "left_of", "run_experiment"]


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
