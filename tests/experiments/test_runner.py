"""The runner: what is done is not done again, one cell's failure leaves the others, and Ctrl-C loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hypgraph.exceptions import ConfigError, DataError, HypgraphError, RunError
from hypgraph.experiments import job
from hypgraph.experiments.cell_store import CellStore
from hypgraph.experiments.experiment import Experiment, load_experiment
from hypgraph.experiments.job import Event
from hypgraph.experiments.runner import left_of, run_experiment
from tests.experiments.fake_kind import EXPERIMENT, FakeKind, Settings, epochs_trained, processes

ROOT = Path(__file__).resolve().parents[2]
Load = Callable[..., Experiment]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(text: str = EXPERIMENT) -> Experiment:
        path = tmp_path / "test.toml"
        path.write_text(text, encoding="utf-8")
        return load_experiment(path, kinds={"fake": FakeKind})

    return load_text


def with_grid(**grid: object) -> str:
    """The experiment with one block for a grid."""
    start, end = EXPERIMENT.index("[[grid]]"), EXPERIMENT.index("[[measures]]")
    block = "\n".join(f"{key} = {json.dumps(value)}" for key, value in grid.items())
    return f"{EXPERIMENT[:start]}[[grid]]\n{block}\n\n{EXPERIMENT[end:]}"


def records(root: Path) -> dict[str, object]:
    """The figures in every record under ``root``."""
    return {
        str(path.relative_to(root)): json.loads(path.read_text())["figures"] for path in root.rglob("seed-*.json")
    }


def folders(experiment: Experiment, root: Path) -> list[Path]:
    return [CellStore(root).folder(cell) for cell in experiment.cells]


EVERY_EPOCH = {(seed, epoch): 1 for seed in range(3) for epoch in range(1, 5)}


def test_every_seed_of_every_cell_is_trained_and_measured(load: Load, tmp_path: Path) -> None:
    experiment, root = load(), tmp_path / "out"
    outcome = run_experiment(experiment, root)
    assert (outcome.done, outcome.failed, outcome.busy) == (experiment.cells, {}, ())
    assert [epochs_trained(folder) for folder in folders(experiment, root)] == [EVERY_EPOCH] * 6
    assert len(records(root)) == 6 * 3
    cell, (measure,) = experiment.cells[-1], experiment.measures
    record = CellStore(root).read_record(cell, 2, measure)
    assert record is not None
    assert record["figures"] == {"iwae": 50.0 + 5 + 1.2 + 2, "kl": pytest.approx(5.82)}
    assert (record["measure"], record["options"]) == ("likelihood", {"draws": 5})
    assert (record["device"], record["threads"]) == ("cpu", 1)
    assert record["seconds"] >= 0
    settings = json.loads((CellStore(root).folder(cell) / "settings.json").read_text())
    assert settings["kind"] == "fake"
    assert settings["settings"] == cell.values


def test_what_is_done_is_not_done_again(load: Load, tmp_path: Path) -> None:
    run_experiment(load(), tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    events: list[Event] = []
    outcome = run_experiment(load(), tmp_path / "out", on_event=events.append)
    assert events == []
    assert len(outcome.done) == 6
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
    assert not any(left_of(load(), tmp_path / "out").values())


def test_of_more_seeds_only_the_new_ones_are_trained(load: Load, tmp_path: Path) -> None:
    root = tmp_path / "out"
    run_experiment(load().with_changes(seeds=1), root)
    run_experiment(load(), root)
    assert [epochs_trained(folder) for folder in folders(load(), root)] == [EVERY_EPOCH] * 6


def test_a_new_measure_or_other_options_are_measured_without_training(load: Load, tmp_path: Path) -> None:
    root = tmp_path / "out"
    run_experiment(load(), root)
    run_experiment(load(EXPERIMENT.replace("draws = 5", "draws = 6")), root)
    more = '[[measures]]\nmeasure = "accuracy"\n[table]'
    run_experiment(load(EXPERIMENT.replace("[table]", more)), root)
    folder = folders(load(), root)[0]
    assert epochs_trained(folder) == EVERY_EPOCH
    lines = (folder / "measured").read_text().splitlines()
    options = ["Likelihood(draws=5)", "Likelihood(draws=6)", "Accuracy(trainings=1)"]
    assert lines == [f"{seed} cpu {one}" for one in options for seed in range(3)]


def test_two_experiments_share_a_cell(load: Load, tmp_path: Path) -> None:
    root = tmp_path / "out"
    run_experiment(load(with_grid(latent=["euclidean"])), root)  # dim is 2 by default
    run_experiment(load(), root)
    assert len([path for path in root.iterdir() if path.is_dir()]) == 6
    assert epochs_trained(folders(load(), root)[0]) == EVERY_EPOCH


def test_a_setting_that_a_later_version_adds_leaves_results_where_they_are(load: Load, tmp_path: Path) -> None:
    class LaterSettings(Settings):
        momentum: float = 0.0

    class LaterKind(FakeKind):
        settings_model = LaterSettings

    now = load()
    later = load_experiment(tmp_path / "test.toml", kinds={"fake": LaterKind})
    assert folders(later, tmp_path) == folders(now, tmp_path)


def test_results_made_with_another_default_are_refused(load: Load, tmp_path: Path) -> None:
    class LaterSettings(Settings):
        data: str = "digits"

    class LaterKind(FakeKind):
        settings_model = LaterSettings

    run_experiment(load(), tmp_path / "out")
    later = load_experiment(tmp_path / "test.toml", kinds={"fake": LaterKind})
    with pytest.raises(RunError, match="data was trees by default, and it is digits now"):
        run_experiment(later, tmp_path / "out")


def test_the_folder_of_a_cell_is_named_by_its_settings(load: Load, tmp_path: Path) -> None:
    names = [folder.name.rpartition("-")[0] for folder in folders(load(), tmp_path)]
    assert names[:3] == ["euclidean-epochs4", "euclidean-dim5-epochs4", "c0.1-epochs4"]
    awkward = load(with_grid(data=["../My data/" + "x" * 80, "ÄÖ / ?"]))
    for folder in folders(awkward, tmp_path):
        assert folder.parent == tmp_path
        assert len(folder.name) <= 80
        assert not folder.name.startswith(".")
        assert set(folder.name) <= set("abcdefghijklmnopqrstuvwxyzMyABCDEF0123456789._-")
    assert len(set(folders(awkward, tmp_path))) == 2


def test_several_processes_make_the_same_records(load: Load, tmp_path: Path) -> None:
    experiment = load(with_grid(does=["train", "diverge"]))
    events: list[Event] = []
    one = run_experiment(experiment, tmp_path / "one")
    two = run_experiment(experiment, tmp_path / "two", jobs=2, on_event=events.append)
    assert records(tmp_path / "two") == records(tmp_path / "one")
    assert len(records(tmp_path / "two")) == 3 + 1  # of the diverging one, seed 0
    assert two == one
    assert set(two.failed.values()) == {"seed 1, epoch 2: the loss is nan"}
    workers = [processes(folder) for folder in folders(experiment, tmp_path / "two")]
    assert len(set.union(*workers)) == 2
    assert os.getpid() not in set.union(*workers)
    assert {(event.stage, event.cell.name) for event in events} >= {
        (stage, cell.name) for cell in experiment.cells for stage in ("start", "progress")
    }
    assert {event.text for event in events if event.stage == "progress"} >= {"epoch 1 of 4, 1 threads"}
    assert [event.stage for event in events if event.stage in ("done", "failed")].count("failed") == 1


@pytest.mark.parametrize("does", ["diverge", "memory"])
def test_a_cell_that_fails_leaves_the_others_and_its_own_good_seeds(load: Load, tmp_path: Path, does: str) -> None:
    experiment = load(with_grid(does=[does, "train"]))
    events: list[Event] = []
    outcome = run_experiment(experiment, tmp_path / "out", on_event=events.append)
    assert outcome.done == experiment.cells[1:]
    (text,) = outcome.failed.values()
    assert {"diverge": "loss is nan", "memory": "not enough memory"}[does] in text
    assert [event.stage for event in events if event.stage != "progress"] == ["start", "failed", "start", "done"]
    left = left_of(experiment, tmp_path / "out")[experiment.cells[0]]
    assert left.train == {"diverge": (1, 2), "memory": (0, 1, 2)}[does]
    assert [seed for seed, _ in left.measure] == list(left.train)


def test_a_process_that_dies_fails_its_cell(load: Load, tmp_path: Path) -> None:
    experiment = load(with_grid(does=["die", "exit"]))
    outcome = run_experiment(experiment, tmp_path / "out", jobs=2)
    assert outcome.done == ()
    killed, left = (outcome.failed[cell] for cell in experiment.cells)
    assert "SIGKILL" in killed
    assert "exit code 3" in left


def test_a_defect_is_not_hidden(load: Load, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a defect"):
        run_experiment(load(with_grid(does=["crash"])), tmp_path / "out")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_cannot_be_computed_is_refused_before_anything_is_made(load: Load, tmp_path: Path, jobs: int) -> None:
    experiment, root = load(with_grid(does=["train", "no-data"])), tmp_path / "out"
    with pytest.raises(DataError, match="mnist is not here"):
        run_experiment(experiment, root, jobs=jobs)
    assert not root.exists()
    assert run_experiment(experiment, root, data_root=tmp_path).done == experiment.cells


def test_options_that_are_not_allowed_are_refused(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--jobs 0"):
        run_experiment(load(), tmp_path / "out", jobs=0)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="--out"):
        run_experiment(load(), tmp_path / "file" / "out")


def test_ctrl_c_saves_and_the_same_call_goes_on(load: Load, tmp_path: Path) -> None:
    experiment, root = load(with_grid(does=["train", "interrupt"])), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_experiment(experiment, root)
    assert len(epochs_trained(folders(experiment, root)[1])) == 3 * 2  # stopped in its second epoch
    assert run_experiment(experiment, root).done == experiment.cells
    assert [epochs_trained(folder) for folder in folders(experiment, root)] == [EVERY_EPOCH] * 2
    # the two sessions of the second cell are both in its time
    sessions = [CellStore(root).read_time(cell) for cell in experiment.cells]
    assert [[session["seeds"] for session in one] for one in sessions] == [[[0, 1, 2]], [[0, 1, 2]] * 2]
    assert all(session["seconds"] > 0 for one in sessions for session in one)


def test_ctrl_c_reaches_every_process_once_and_they_save(load: Load, tmp_path: Path) -> None:
    slow = load(with_grid(dim=[2, 3], does=["slow"]).replace("epochs = 4", "epochs = 1000"))
    running = set()

    def press(event: Event) -> None:
        if event.stage == "progress":
            running.add(event.cell)
            if len(running) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(slow, tmp_path / "out", jobs=2, on_event=press)
    for folder in folders(slow, tmp_path / "out"):
        done = epochs_trained(folder)
        assert set(done.values()) == {1}
        assert json.loads((folder / "state.json").read_text()) == {"epoch": len(done) // 3}
        (process,) = processes(folder)
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


PROGRAM = """
import sys
from pathlib import Path
from hypgraph.experiments.experiment import load_experiment
from hypgraph.experiments.runner import run_experiment
from tests.experiments.fake_kind import FakeKind

if __name__ == "__main__":
    run_experiment(load_experiment(sys.argv[1], kinds={"fake": FakeKind}), Path("out"), jobs=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_and_save_when_the_one_that_started_them_is_ended(
    load: Load, tmp_path: Path, how: signal.Signals
) -> None:
    slow = load(with_grid(dim=[2, 3], does=["silent"]).replace("epochs = 4", "epochs = 100000"))
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = subprocess.Popen(
        [sys.executable, "program.py", slow.source],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    logs = [folder / "log" for folder in folders(slow, tmp_path / "out")]
    _wait_until(lambda: all(log.exists() and log.read_text() for log in logs))
    for log in logs:
        (process,) = processes(log.parent)
        assert os.getsid(process) == process  # the terminal's Ctrl-C does not reach it, only ours does, once
    if how == signal.SIGINT:
        os.killpg(program.pid, how)  # as a terminal does
    else:
        program.send_signal(how)
    assert program.wait() == -how
    for log in logs:
        _wait_until(log.with_name("state.json").exists)
        (process,) = processes(log.parent)
        _wait_until(lambda process=process: not _alive(process))


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_cell_that_another_process_holds_is_left_to_it(load: Load, tmp_path: Path) -> None:
    experiment, root = load(), tmp_path / "out"
    held = folders(experiment, root)[1]
    events: list[Event] = []
    with CellStore(root).locked(experiment.cells[1]) as mine:
        assert mine
        outcome = run_experiment(experiment, root, on_event=events.append)
    assert outcome.busy == experiment.cells[1:2]
    assert outcome.done == (experiment.cells[0], *experiment.cells[2:])
    assert [event.cell for event in events if event.stage == "busy"] == [experiment.cells[1]]
    assert [path.name for path in held.iterdir()] == [".lock"]
    assert run_experiment(experiment, root).done == experiment.cells


def test_what_a_killed_process_left_half_written_is_swept_away(load: Load, tmp_path: Path) -> None:
    experiment, root = load(), tmp_path / "out"
    folder = folders(experiment, root)[0]
    folder.mkdir(parents=True)
    (folder / ".settings.json.77.tmp").write_text("{")
    run_experiment(experiment, root)
    assert list(root.rglob("*.tmp")) == []


def test_the_time_of_a_training_that_is_killed_is_kept(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "CLOCK_SECONDS", 0.0)
    experiment, root = load(with_grid(dim=[2])), tmp_path / "out"
    seen = []

    def look(event: Event) -> None:
        if event.stage == "progress" and event.text.startswith("epoch"):
            seen.append([session["seconds"] for session in CellStore(root).read_time(event.cell)])

    run_experiment(experiment, root, on_event=look)
    assert [len(seconds) for seconds in seen] == [0, 1, 1, 1]  # written after each time that it is told
    assert seen[1] < seen[2] < seen[3]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"figures": 3}'])
def test_a_damaged_record_is_named(load: Load, tmp_path: Path, content: str) -> None:
    experiment, store = load(), CellStore(tmp_path)
    run_experiment(experiment, tmp_path)
    path = store.record_file(experiment.cells[0], 1, experiment.measures[0])
    path.write_text(content)
    with pytest.raises(HypgraphError, match=f"{path.name}: damaged"):
        store.read_record(experiment.cells[0], 1, experiment.measures[0])
