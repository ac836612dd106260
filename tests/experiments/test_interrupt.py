"""Ctrl-C: the run is saved, and the program says how to go on."""

import shlex
import signal

import pytest
import torch

from tests.experiments.runs import figures_of, lines_of

LONG = ["--data", "karate", "--dim", "2", "--epochs", "150", "--patience", "0"]


def start_and_interrupt(programs, folder, *options, path="run", epochs=5, inside=""):
    """A run of which Ctrl-C was pressed when it had ``epochs`` epochs."""
    program = programs.start("train", *LONG, "--out", path, *options, cwd=folder)
    metrics = folder / path / inside / "metrics.jsonl"
    program.wait_until(lambda: metrics.exists() and metrics.read_bytes().count(b"\n") >= epochs)
    program.send(signal.SIGINT)
    return program.wait()


@pytest.fixture
def here(tmp_path):
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def resume_command(ended):
    """The arguments of the command that the interrupted program suggests."""
    assert ended.code == 130
    line = ended.err.strip().splitlines()[-1]
    assert "Traceback" not in ended.err
    program, *arguments = shlex.split(line[line.index("hypgraph train --resume") :])
    assert program == "hypgraph"
    return arguments


@pytest.mark.parametrize("path", ["run", "my runs/it's one"])
def test_ctrl_c_saves_and_the_command_that_it_prints_goes_on(path, programs, here):
    arguments = resume_command(start_and_interrupt(programs, here, path=path))
    lines = lines_of(here / path)
    assert not (here / path / "summary.json").exists()
    content = torch.load(here / path / "checkpoint.pt", weights_only=True)
    assert content["state"]["epoch"] == len(lines) >= 5  # nothing is lost
    assert programs.run(*arguments, cwd=here).code == 0
    assert programs.run("train", *LONG, "--out", "whole", cwd=here).code == 0
    assert figures_of(here / path) == figures_of(here / "whole")


def test_ctrl_c_with_quiet_still_says_how_to_go_on(programs, here):
    ended = start_and_interrupt(programs, here, "-q")
    assert len(ended.err.strip().splitlines()) == 1
    assert resume_command(ended) == ["train", "--resume", "run"]


def test_ctrl_c_in_the_second_of_three_seeds_goes_on_with_all(programs, here):
    ended = start_and_interrupt(programs, here, "--seeds", "3", inside="seed-1")
    arguments = resume_command(ended)
    assert arguments[-1] == "run"
    assert programs.run(*arguments, "-q", cwd=here).code == 0
    assert {len(lines_of(here / "run" / f"seed-{seed}")) for seed in range(3)} == {150}
