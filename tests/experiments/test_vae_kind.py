"""The kind ``vae``: interrupted and killed trainings, groups of seeds, and what is measured."""

import io
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from torch import Tensor

from hypgraph.exceptions import NumericalError, RunError
from hypgraph.experiments import vae_kind
from hypgraph.experiments.cell_store import CellStore
from hypgraph.experiments.experiment import load_experiment
from hypgraph.experiments.runner import run_experiment
from hypgraph.experiments.vae_data import load_vectors
from hypgraph.experiments.vae_kind import load_vae
from hypgraph.experiments.vae_settings import VAESettings
from hypgraph.models import VAE
from hypgraph.training import save_checkpoint
from hypgraph.training.vae_trainer import VAETrainer
from tests.experiments.vae_cells import (
    DIGITS,
    EPOCHS,
    GROUP,
    KIND,
    SEEDS,
    TREES,
    contents,
    context,
    silent,
    tensors_of,
    train,
)


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vae_kind, "_side_by_side", lambda _settings, _device: GROUP)


@pytest.fixture(autouse=True)
def ctrl_c_as_in_a_terminal() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("uninterrupted") / "cell"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vae_kind, "_side_by_side", lambda _settings, _device: GROUP)
        train(folder)
    return contents(folder)


class Listener:
    """Counts the epochs that training tells of, and does something after the one with number ``at``."""

    def __init__(self, at: int = 0, action: Callable[[], None] = lambda: None) -> None:
        self.at, self.action = at, action
        self.heard: list[str] = []

    def __call__(self, text: str) -> None:
        self.heard.append(text)
        if len(self.heard) == self.at:
            self.action()

    @property
    def epochs(self) -> list[str]:
        return [text.split(",")[0] for text in self.heard]


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupt_at_once() -> None:
    raise KeyboardInterrupt


def told(who: str, *epochs: int) -> list[str]:
    return [f"{who}: epoch {epoch}/{EPOCHS}" for epoch in epochs]


def test_a_trained_cell_has_weights_and_records_of_every_seed_and_nothing_else(
    uninterrupted: dict[str, bytes],
) -> None:
    names = [
        f"{what}-{seed:03d}.{end}" for what, end in (("weights", "pt"), ("metrics", "jsonl")) for seed in SEEDS
    ]
    assert sorted(uninterrupted) == sorted(names)
    assert len({uninterrupted[name] for name in names}) == len(names)
    for seed in SEEDS:
        lines = [json.loads(line) for line in uninterrupted[f"metrics-{seed:03d}.jsonl"].splitlines()]
        assert [line["epoch"] for line in lines] == list(range(1, EPOCHS + 1))
        for line in lines:
            assert line["loss"] == pytest.approx(line["reconstruction"] + line["kl"], rel=1e-6)
        assert lines[-1]["loss"] < lines[0]["loss"]


def test_the_same_training_gives_the_same_bytes(folder: Path, uninterrupted: dict[str, bytes]) -> None:
    train(folder)
    assert contents(folder) == uninterrupted


@pytest.mark.parametrize("settings", [TREES, DIGITS], ids=["trees", "digits"])
def test_seeds_side_by_side_are_those_alone_but_for_rounding(settings: VAESettings, tmp_path: Path) -> None:
    """Each with its own data, weights, order and draws."""
    together = tmp_path / "together" / "cell"
    together.mkdir(parents=True)
    train(together, (3, 5), settings)
    for seed in (3, 5):
        alone = tmp_path / f"alone-{seed}" / "cell"
        alone.mkdir(parents=True)
        train(alone, (seed,), settings)
        expected, found = (tensors_of(place / f"weights-{seed:03d}.pt") for place in (alone, together))
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    three, five = (tensors_of(together / f"weights-{seed:03d}.pt") for seed in (3, 5))
    assert all(not three[name].equal(five[name]) for name in three if "weight" in name)


def test_each_seed_has_its_own_first_weights_and_stream_of_draws(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Spy(VAETrainer):
        def __init__(self, model: VAE, data: Tensor, **options: Any) -> None:
            made.append(([parameter.detach().clone() for parameter in model.parameters()], options["generator"]))
            super().__init__(model, data, **options)

    monkeypatch.setattr(vae_kind, "VAETrainer", Spy)
    train(folder, (3, 5), DIGITS)
    ((parameters, generator),) = made
    matrices = [each for each in parameters if each.dim() == 3 and each.shape[-1] > 1]
    assert len(matrices) >= 4
    assert not any(three.equal(five) for three, five in matrices)
    assert len({each.initial_seed() for each in generator.generators}) == 2


@pytest.mark.parametrize("option", [{"lr": 2e-2}, {"beta": 0.0}, {"draws": 3}, {"batch_size": 16}], ids=str)
def test_settings_of_the_training_change_the_weights(
    option: dict[str, Any], folder: Path, uninterrupted: dict[str, bytes]
) -> None:
    train(folder, (2,), TREES.model_copy(update=option))  # the group of one that seed 2 is there too
    assert contents(folder)["weights-002.pt"] != uninterrupted["weights-002.pt"]


def test_a_training_that_diverges_names_what_is_not_finite(folder: Path) -> None:
    with pytest.raises(NumericalError, match=r"^seed [01]: \w+ is -?(nan|inf) at epoch \d; try a lower lr$"):
        train(folder, (0, 1), TREES.model_copy(update={"lr": 1e4, "epochs": 20}))
    assert contents(folder) == {}


@pytest.mark.parametrize("at", [1, 3, 4, 5, 7])
@pytest.mark.parametrize("save_seconds", [-1.0, 60.0], ids=["saved-each-epoch", "not-saved"])
def test_interrupted_at_once_a_training_goes_on_to_the_same_bytes(
    at: int,
    save_seconds: float,
    folder: Path,
    uninterrupted: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vae_kind, "SAVE_SECONDS", save_seconds)
    with pytest.raises(KeyboardInterrupt):
        train(folder, progress=Listener(at, interrupt_at_once))
    train(folder)
    assert contents(folder) == uninterrupted


@pytest.mark.parametrize("at", [1, 2, 3])
def test_ctrl_c_ends_the_epoch_and_saves_it(at: int, folder: Path, uninterrupted: dict[str, bytes]) -> None:
    first, second = Listener(at, press_ctrl_c), Listener()
    with pytest.raises(KeyboardInterrupt):
        train(folder, progress=first)
    assert list(contents(folder)) == ["training-0-1.pt"]
    train(folder, progress=second)
    assert first.epochs == told("2 seeds", *range(1, at + 1))
    assert second.epochs == told("2 seeds", *range(at + 1, EPOCHS + 1)) + told("seed 2", *range(1, EPOCHS + 1))
    assert contents(folder) == uninterrupted


def test_ctrl_c_again_and_again(folder: Path, uninterrupted: dict[str, bytes]) -> None:
    listeners = []
    for _ in range(2 * EPOCHS - 2):  # in the last epoch of a group it ends the group
        listeners.append(Listener(1, press_ctrl_c))
        try:
            train(folder, progress=listeners[-1])
        except KeyboardInterrupt:
            continue
    train(folder)
    assert contents(folder) == uninterrupted


def test_ctrl_c_in_the_last_epoch_of_a_group_saves_its_weights_and_does_not_go_on(
    folder: Path, uninterrupted: dict[str, bytes]
) -> None:
    listener = Listener(EPOCHS, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        train(folder, progress=listener)
    assert listener.epochs == told("2 seeds", *range(1, EPOCHS + 1))
    assert [KIND.is_trained(folder, seed) for seed in SEEDS] == [True, True, False]
    assert not list(folder.glob("training-*.pt"))
    train(folder)
    assert contents(folder) == uninterrupted


def test_ctrl_c_in_the_very_last_epoch_is_not_swallowed(folder: Path, uninterrupted: dict[str, bytes]) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(folder, progress=Listener(2 * EPOCHS, press_ctrl_c))
    assert contents(folder) == uninterrupted


def test_after_a_training_ctrl_c_is_as_before(folder: Path) -> None:
    train(folder, (0,))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_training_in_another_thread_cannot_hold_ctrl_c_back_and_is_the_same(
    folder: Path, uninterrupted: dict[str, bytes]
) -> None:
    thread = threading.Thread(target=train, args=(folder,))
    thread.start()
    thread.join()
    assert contents(folder) == uninterrupted


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "torch._dynamo"])  # which an optimiser imports
SAVES = 2 * (EPOCHS - 1) + len(SEEDS)  # checkpoints of two groups, weights of every seed


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def train_and_die(folder: Path, moment: str, number: int) -> None:
    """Trains with a checkpoint after each epoch; killed after an epoch, or within or after one of the saves."""
    torch.set_num_threads(1)
    vae_kind.SAVE_SECONDS = -1.0
    vae_kind._side_by_side = lambda _settings, _device: GROUP  # type: ignore[assignment]
    write, save = torch.save, save_checkpoint
    saves = 0

    def write_half(content: object, target: Path | BinaryIO) -> None:
        nonlocal saves
        saves += 1
        buffer = io.BytesIO()
        write(content, buffer)
        whole = buffer.getvalue()
        with target.open("wb") if isinstance(target, Path) else nullcontext(target) as file:
            file.write(whole[: len(whole) // 2] if saves == number else whole)
            file.flush()
        if saves == number:
            die()

    def save_whole(path: Path, state: dict[str, Any], *, fingerprint: str) -> None:
        nonlocal saves
        saves += 1
        save(path, state, fingerprint=fingerprint)
        if saves == number:
            die()

    if moment == "within":
        torch.save = write_half  # type: ignore[assignment]
    elif moment == "after":
        vae_kind.save_checkpoint = save_whole  # type: ignore[attr-defined]
    train(folder, progress=Listener(number, die) if moment == "epoch" else silent)


QUICK = [
    ("epoch", 2),
    ("within", 2),
    ("after", EPOCHS - 1),
    ("within", EPOCHS),
    ("after", EPOCHS),
    ("after", EPOCHS + 1),
]
EVERY = [("epoch", number) for number in range(1, 2 * EPOCHS + 1)]
EVERY += [(moment, number) for moment in ("within", "after") for number in range(1, SAVES + 1)]
MOMENTS = [moment if moment in QUICK else pytest.param(*moment, marks=pytest.mark.slow) for moment in EVERY]


@pytest.mark.parametrize(("moment", "number"), MOMENTS)
def test_killed_at_any_moment_a_training_goes_on_to_the_same_bytes(
    moment: str, number: int, folder: Path, uninterrupted: dict[str, bytes]
) -> None:
    process = PROCESSES.Process(target=train_and_die, args=(folder, moment, number))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    for left in folder.glob(".*.tmp"):  # as the runner does it, see CellStore.prepare
        left.unlink()
    train(folder)
    assert contents(folder) == uninterrupted


def groups(folder: Path, seeds: Sequence[int], *stopped: str) -> list[tuple[int, ...]]:
    for name in stopped:
        (folder / name).write_bytes(b"")
    return list(vae_kind._groups(TREES, seeds, folder, "cpu"))


def test_new_seeds_are_grouped_as_they_come(folder: Path) -> None:
    assert groups(folder, [3, 4, 7, 8, 9]) == [(3, 4), (7, 8), (9,)]
    assert groups(folder, []) == []


def test_stopped_groups_come_first_whatever_their_size(folder: Path) -> None:
    stopped = ["training-2-3-4.pt", "training-10.pt"]
    assert sorted(groups(folder, [0, 1, 2, 3, 4, 5, 10], *stopped)[:2]) == [(2, 3, 4), (10,)]
    assert groups(folder, [0, 1, 2, 3, 4, 5, 10])[2:] == [(0, 1), (5,)]
    assert sorted(contents(folder)) == sorted(stopped)


def test_what_is_left_of_a_group_that_has_been_trained_is_cleaned(folder: Path) -> None:
    train(folder, (0, 1))
    before = contents(folder)
    assert groups(folder, [2, 3], "training-0-1.pt") == [(2, 3)]
    assert contents(folder) == before


def test_every_seed_is_in_one_group(folder: Path) -> None:
    names = ["training-0-1-2.pt", "training-1-2.pt", "training-3.pt", "training-8-9.pt"]
    trained = [seed for group in groups(folder, range(6), *names) for seed in group]
    assert sorted(set(trained) & set(range(6))) == list(range(6))
    assert len(trained) == len(set(trained))


def test_a_stopped_group_goes_on_beside_finished_and_new_seeds(folder: Path) -> None:
    train(folder, (4,))
    with pytest.raises(KeyboardInterrupt):
        train(folder, (0, 1), progress=Listener(2, press_ctrl_c))
    listener = Listener()
    train(folder, range(6), progress=listener)
    assert listener.epochs == (
        told("2 seeds", 3, 4) + told("2 seeds", *range(1, EPOCHS + 1)) + told("seed 5", *range(1, EPOCHS + 1))
    )
    assert all(KIND.is_trained(folder, seed) for seed in range(6))
    assert not list(folder.glob("training-*.pt"))


def test_small_networks_train_on_one_thread_and_leave_the_number_as_it_was(folder: Path) -> None:
    seen = []
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        wide = replace(context(lambda _text: seen.append(torch.get_num_threads())), threads=2)
        KIND.train(TREES, (0,), folder, context=wide)
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_small_networks_train_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for data, device, least in [("trees", "cpu", 10), ("digits", "cpu", 10), ("mnist", "cuda", 10)]:
        settings = TREES.model_copy(update={"data": data})
        assert vae_kind._side_by_side(settings, device) >= least
    assert vae_kind._side_by_side(TREES.model_copy(update={"data": "mnist"}), "cpu") == 1


EXPERIMENT = """
kind = "vae"
description = "A test."
seeds = 2
[settings]
data = "trees"
c = 1.2
hidden = 6
epochs = 4
batch_size = 32
train_points = 80
[[grid]]
prior_scale = [1.0, 1.7]
[[measures]]
measure = "likelihood"
draws = 5
points = 20
[table]
value = "likelihood.iwae"
"""


def test_more_seeds_later_leave_the_first_ones_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXPERIMENT)
    experiment, root = load_experiment(path), tmp_path / "out"
    assert run_experiment(experiment, root, device="cpu").done == experiment.cells
    cells = [CellStore(root).folder(cell) for cell in experiment.cells]
    first = {cell: {file: file.stat().st_mtime_ns for file in cell.glob("*-00[01].*")} for cell in cells}
    before = [contents(cell) for cell in cells]
    more = experiment.with_changes(seeds=4)
    assert run_experiment(more, root, device="cpu").done == more.cells
    for cell, files in zip(cells, before, strict=True):
        after = contents(cell)
        kept = {name: after[name] for name in files if name != "training-time.json"}
        assert kept == {name: content for name, content in files.items() if name != "training-time.json"}
        assert {file: file.stat().st_mtime_ns for file in first[cell]} == first[cell]
        new = {
            f"{what}-{seed:03d}.{end}"
            for what, end in (("weights", "pt"), ("metrics", "jsonl"))
            for seed in (2, 3)
        }
        assert new <= set(after) - set(files)
        assert len(list(cell.glob("seed-*.likelihood-*.json"))) == 4


def test_missing_damaged_and_foreign_weights_are_errors_in_one_line(folder: Path, tmp_path: Path) -> None:
    data = load_vectors(TREES, 0, data_root=None)
    with pytest.raises(RunError, match=r"weights-000\.pt"):
        load_vae(TREES, 0, folder, data=data)
    train(folder, (0,))
    weights = (folder / "weights-000.pt").read_bytes()
    (folder / "weights-000.pt").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(RunError, match=r"weights-000\.pt.*damaged"):
        load_vae(TREES, 0, folder, data=data)
    other = tmp_path / "another-cell"
    other.mkdir()
    (other / "weights-000.pt").write_bytes(weights)
    with pytest.raises(RunError, match=r"weights-000\.pt"):
        load_vae(TREES, 0, other, data=data)
