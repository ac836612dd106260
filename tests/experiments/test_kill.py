"""A run that is killed at any moment and resumed ends as if nothing had happened."""

import itertools
import random
import shutil
import signal
import time

import pytest

from tests.experiments.runs import figures_of, lines_of, names_in, summary_of

FILES_OF_A_RUN = {
    "config.json",
    "metrics.jsonl",
    "summary.json",
    "environment.json",
    "checkpoint.pt",
    "split.npz",
    "embeddings.npz",
}
QUICK = ["--data", "karate", "--dim", "2", "--patience", "0"]
SHORT = [*QUICK, "--epochs", "7", "--set", "training.checkpoint_every=3"]
LONG = [*QUICK, "--epochs", "90", "--set", "training.checkpoint_every=8"]


@pytest.fixture
def here(tmp_path):
    """A working directory in which nothing but runs lies."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def uninterrupted(options, programs, folder):
    assert programs.run("train", *options, "--out", "run", "-q", cwd=folder).code == 0
    return figures_of(folder / "run")


@pytest.fixture(scope="module")
def short(programs, tmp_path_factory):
    return uninterrupted(SHORT, programs, tmp_path_factory.mktemp("short"))


@pytest.fixture(scope="module")
def long(programs, tmp_path_factory):
    return uninterrupted(LONG, programs, tmp_path_factory.mktemp("long"))


def test_killed_before_any_operation_on_files_a_run_ends_the_same(programs, here, short):
    """Every open, rename, removal and half-written checkpoint from the first to the last, one death each."""
    for operation in itertools.count(1):
        ended = programs.run("train", *SHORT, "--out", "run", "-q", cwd=here, die_at=operation)
        if ended.code == 0:
            break
        assert ended.code == -signal.SIGKILL, ended
        if not (here / "run").exists():  # the folder itself is whole or absent
            again = programs.run("train", *SHORT, "--out", "run", "-q", cwd=here)
        else:
            again = programs.run("train", "--resume", "run", "-q", cwd=here)
        assert (again.code, again.err) == (0, ""), (operation, again)
        assert figures_of(here / "run") == short, operation
        assert names_in(here / "run") >= FILES_OF_A_RUN
        shutil.rmtree(here)
        here.mkdir()
    assert operation > 25  # the deaths did happen
    assert figures_of(here / "run") == short


def test_a_resumed_run_leaves_no_temporary_files(programs, here):
    """A checkpoint of which a half was written when the run died is swept away by the one that goes on."""
    for operation in range(14, 30, 3):
        path = f"run{operation}"
        assert programs.run("train", *SHORT, "--out", path, cwd=here, die_at=operation).code == -signal.SIGKILL
        assert programs.run("train", "--resume", path, cwd=here).code == 0
        assert names_in(here / path) == FILES_OF_A_RUN


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_a_random_moment_a_run_ends_the_same(seed, programs, here, long):
    moment = random.Random(seed).uniform(0, 0.5)
    program = programs.start("train", *LONG, "--out", "run", cwd=here)
    program.wait_until(lambda: (here / "run").exists())
    time.sleep(moment)
    program.send(signal.SIGKILL)
    assert program.wait().code in (-signal.SIGKILL, 0)
    assert programs.run("train", "--resume", "run", cwd=here).code == 0
    assert figures_of(here / "run") == long


def test_killed_again_and_again_a_run_ends_the_same(programs, here, long):
    metrics = here / "run" / "metrics.jsonl"
    program = programs.start("train", *LONG, "--out", "run", cwd=here)
    for epoch in (1, 7, 8, 9, 30, 31, 71, 89):
        program.wait_until(lambda: metrics.exists() and metrics.read_bytes().count(b"\n") >= epoch)  # noqa: B023
        program.send(signal.SIGKILL)
        assert program.wait().code == -signal.SIGKILL
        program = programs.start("train", "--resume", "run", cwd=here)
    assert program.wait().code == 0
    assert figures_of(here / "run") == long


def test_killed_between_two_checkpoints_it_repeats_the_epochs_since_the_last(programs, here, long):
    program = programs.start("train", *LONG, "--out", "run", cwd=here)
    metrics = here / "run" / "metrics.jsonl"
    program.wait_until(lambda: metrics.exists() and metrics.read_bytes().count(b"\n") >= 20)
    program.send(signal.SIGKILL)
    program.wait()
    known = metrics.read_bytes()
    metrics.write_bytes(known + b'{"epoch": 9999, "loss"')  # as if death had come within a line
    assert programs.run("train", "--resume", "run", "-q", cwd=here).code == 0
    assert metrics.read_bytes().startswith(known)
    assert [line["epoch"] for line in lines_of(here / "run")] == list(range(1, 91))
    assert figures_of(here / "run") == long


@pytest.mark.parametrize("kept", [{"config.json"}, {"config.json", "split.npz", "metrics.jsonl"}], ids=len)
def test_a_run_without_a_checkpoint_starts_at_epoch_0(kept, programs, here, short):
    assert programs.run("train", *SHORT, "--out", "run", "-q", cwd=here).code == 0
    for name in names_in(here / "run") - kept:
        (here / "run" / name).unlink()
    resumed = programs.run("train", "--resume", "run", cwd=here)
    assert resumed.code == 0
    assert "epoch 1/7" in resumed.err
    assert figures_of(here / "run") == short


def test_a_finished_run_prints_its_result_and_ends_well(programs, here):
    first = programs.run("train", *SHORT, "--out", "run", cwd=here)
    again = programs.run("train", "--resume", "run", cwd=here)
    assert (again.code, again.out, again.err) == (0, first.out, "")


SEEDS = [*SHORT, "--seeds", "3", "--seed", "4"]


@pytest.fixture(scope="module")
def three_seeds(programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    assert programs.run("train", *SEEDS, "--out", "runs", cwd=folder).code == 0
    return folder / "runs"


@pytest.mark.parametrize("operation", [2, 20, 45, 75, 90])
def test_several_seeds_go_on_in_the_middle(operation, programs, here, three_seeds):
    assert programs.run("train", *SEEDS, "--out", "runs", cwd=here, die_at=operation).code == -signal.SIGKILL
    if (here / "runs").exists():
        ended = programs.run("train", "--resume", "runs", cwd=here)
    else:
        ended = programs.run("train", *SEEDS, "--out", "runs", cwd=here)
    assert ended.code == 0
    whole, resumed = summary_of(three_seeds), summary_of(here / "runs")
    assert {**whole, "seconds": 0} == {**resumed, "seconds": 0}
    for seed in (4, 5, 6):
        name = f"seed-{seed}"
        assert figures_of(here / "runs" / name) == figures_of(three_seeds / name)
