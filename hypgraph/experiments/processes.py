"""Cells of an experiment in processes of their own, several at a time."""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from hypgraph.experiments.experiment import Cell
from hypgraph.experiments.job import Event, Job, Stage
from hypgraph.training.memory import keep_freed_memory

__all__ = ["run_jobs"]

PROGRESS_SECONDS = 0.1


@dataclass
class _Running:
    """A process, and what it said last."""

    cell: Cell
    process: SpawnProcess
    start: float
    stage: Stage = "start"
    text: str = ""

    def event(self) -> Event:
        return Event(self.stage, self.cell, self.text, time.perf_counter() - self.start)


def run_jobs(
    jobs: Sequence[Job], workers: int, on_event: Callable[[Event], None]
) -> dict[Cell, tuple[Stage, str]]:
    """Runs each job in a new process, ``workers`` at a time; what became of the cells.

    A process that dies fails its cell. On Ctrl-C each process gets one SIGINT, and KeyboardInterrupt is raised
    when all have ended; a second Ctrl-C is passed on too.
    """
    waiting, running = deque(jobs), dict[Connection, _Running]()
    stages: dict[Cell, tuple[Stage, str]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                # The child begins with Ctrl-C held back too, until the terminal does not tell it any more.
                with _interrupts_held_back():
                    pipe, started = _start(waiting.popleft())
                    running[pipe] = started
                on_event(started.event())
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                one = running[ready]
                try:
                    one.stage, one.text = ready.recv()
                except (EOFError, OSError):
                    del running[ready]
                    _bury(one, ready)
                    stages[one.cell] = one.stage, one.text
                    on_event(one.event())
                else:
                    if one.stage == "progress":
                        on_event(one.event())
    except KeyboardInterrupt:
        _interrupt([one.process for one in running.values()])
        raise
    finally:
        for one in running.values():
            one.process.kill()
            one.process.join()
    return stages


def _start(job: Job) -> tuple[Connection, _Running]:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_work, args=(job, theirs))
    process.start()
    theirs.close()
    return ours, _Running(job.cell, process, time.perf_counter())


def _bury(one: _Running, pipe: Connection) -> None:
    """Waits for a process that has closed its pipe; where it has not said what became of the cell, that failed."""
    pipe.close()
    one.process.join()
    if one.stage in ("done", "failed", "busy"):
        return
    code = one.process.exitcode or 0
    if code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
        how += "; perhaps for want of memory, try fewer --jobs" if -code == signal.SIGKILL else ""
    else:
        how = f"ended with exit code {code}"
    one.stage, one.text = "failed", f"its process {how}"


def _interrupt(processes: Sequence[SpawnProcess]) -> None:
    """Tells processes to save and end, and waits for them; on Ctrl-C tells them again."""
    while alive := [process for process in processes if process.is_alive()]:
        # the group is their own: what the terminal sends to ours does not reach them
        with suppress(KeyboardInterrupt):
            for process in alive:
                if process.pid is not None:
                    os.kill(process.pid, signal.SIGINT)
            for process in alive:
                process.join()


def _work(job: Job, pipe: Connection) -> None:
    """What a process does: the job, telling the pipe how far it is and what became of it."""
    os.setsid()
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        threading.Thread(target=_end_with_parent, daemon=True).start()
        told = 0.0

        def progress(text: str) -> None:
            nonlocal told
            if time.perf_counter() - told > PROGRESS_SECONDS:
                told = time.perf_counter()
                try:
                    pipe.send(("progress", text))
                except BrokenPipeError:  # the parent is gone
                    raise KeyboardInterrupt from None

        pipe.send(job.run(progress))
    except (KeyboardInterrupt, BrokenPipeError):
        # The parent waits for our end and nothing else, or is gone.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_with_parent() -> None:
    """Interrupts this process when the one that started it is no more, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
