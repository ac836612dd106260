"""Runs the program in processes of its own, quickly, so that tests can interrupt and kill it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds


class Ended(NamedTuple):
    """How a program ended, and what it had said; the code is -9 after SIGKILL."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Program:
    """A program that runs."""

    server: "ForkServer"
    pid: int
    out: Path
    err: Path

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> Ended:
        code = self.server.ask({"wait": self.pid})
        return Ended(code, self.out.read_text(), self.err.read_text())

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Returns when ``condition`` holds; fails when it does not within seconds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.err.read_text()
            time.sleep(0.002)


class ForkServer:
    """See ``fork_server.py``. On one thread, as runs are compared byte by byte."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("fork_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )
        self.started = 0

    def ask(self, request: dict) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(json.loads(self.process.stdout.readline()))

    def start(self, *arguments: object, cwd: Path, die_at: int | None = None) -> Program:
        """``hypgraph ARGUMENTS`` in the folder ``cwd``, killed at an operation on its files where asked."""
        self.started += 1
        out, err = (cwd.parent / f"{name}-{self.started}.txt" for name in ("out", "err"))
        request = {"argv": [str(a) for a in arguments], "cwd": str(cwd), "out": str(out), "err": str(err)}
        return Program(self, self.ask({**request, "die_at": die_at}), out, err)

    def run(self, *arguments: object, cwd: Path, die_at: int | None = None) -> Ended:
        return self.start(*arguments, cwd=cwd, die_at=die_at).wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.communicate(timeout=PATIENCE)
