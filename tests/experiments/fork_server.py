"""A warm process that forks a child for every run of the program that it is asked for; see ``programs.py``.

Importing torch takes seconds and the tests that kill a run need dozens of processes. Requests and replies are
lines of JSON on standard input and output:

    {"argv": [...], "cwd": "...", "out": "...", "err": "...", "die_at": 7}  ->  process id
    {"wait": process id}                                                    ->  exit code, -9 for SIGKILL
"""

import gc
import io
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import BinaryIO

HANGS_AFTER = 60  # seconds
FILE_OPERATIONS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"})


def serve() -> None:
    """Answers requests until standard input is closed; a child returns from here into its own life."""
    replies = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _pid, status = os.waitpid(request["wait"], 0)
            reply = os.waitstatus_to_exitcode(status)
        elif pid := os.fork():
            reply = pid
        else:
            live(**request)
        print(json.dumps(reply), file=replies, flush=True)


def live(*, argv: list[str], cwd: str, out: str, err: str, die_at: int | None) -> None:
    """The life of a child: ``hypgraph ARGV``, as from a terminal but for its output."""
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), descriptor)
    os.chdir(cwd)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(HANGS_AFTER)
    if die_at is not None:
        kill_at(die_at, cwd)
    try:
        code = run(argv)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking a fork of a large process apart costs more than all of its work


def run(argv: list[str]) -> int:
    from hypgraph.cli import main

    sys.argv = ["hypgraph", *argv]
    try:
        main()
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0


def kill_at(operation: int, cwd: str) -> None:
    """SIGKILL before the n-th operation (from 1) on files under ``cwd``, among them half-written checkpoints."""
    import torch

    left = operation

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, args: tuple) -> None:
        named = event in FILE_OPERATIONS and isinstance(args[0], str | os.PathLike)
        if named and str(Path(args[0]).absolute()).startswith(cwd):
            count()

    save = torch.save

    def save_half_first(content: object, file: BinaryIO) -> None:
        whole = io.BytesIO()
        save(content, whole)
        file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
        file.flush()
        count()
        file.seek(0)
        save(content, file)

    torch.save = save_half_first
    sys.addaudithook(hook)


def warm_up() -> None:
    """Loads everything that a run loads."""
    sys.stdout = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        assert run(["train", "--data", "karate", "--epochs", "2", "--out", f"{folder}/run", "--quiet"]) == 0
    sys.stdout = sys.__stdout__
    gc.freeze()  # the children leave these objects, and the memory that they share, alone


if __name__ == "__main__":
    warm_up()
    serve()
