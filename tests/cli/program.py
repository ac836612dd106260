"""Runs the program in this process: quick, and with the test's monkeypatches in force."""

import contextlib
import io
import sys
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from hypgraph.cli import main


class Outcome(NamedTuple):
    """What the program said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line on standard error of a program that refused, and nothing else was said."""
        assert self.code == 2, self
        assert self.out == "", self
        assert len(self.err.splitlines()) == 1, self
        assert self.err.startswith("hypgraph: "), self
        assert "Traceback" not in self.err
        return self.err


def hypgraph(*arguments: object) -> Outcome:
    """``hypgraph ARGUMENTS``; an exception that the program lets through is passed on."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["hypgraph", *map(str, arguments)]
    with (
        patch.object(sys, "argv", argv),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code
    assert isinstance(code, int)
    return Outcome(code, out.getvalue(), err.getvalue())


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every path under ``folder``, with the content of the files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }
