"""The kind ``vae``: interrupted and killed trainings, groups of seeds, and what is measured."""

import io
import json
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from torch import Tensor

from hypgraph.evaluation.latent_classification import classify_codes
from hypgraph.evaluation.marginal_likelihood import Bounds, marginal_likelihood
from hypgraph.exceptions import NumericalError, RunError
from hypgraph.experiments import vae_kind
from hypgraph.experiments.cell_kind import Context
from hypgraph.experiments.cell_store import CellStore
from hypgraph.experiments.experiment import load_experiment
from hypgraph.experiments.runner import run_experiment
from hypgraph.experiments.vae_data import load_vectors
from hypgraph.experiments.vae_kind import VAEKind, load_vae
from hypgraph.experiments.vae_settings import ClassifyOptions, LikelihoodOptions, VAESettings
from hypgraph.models import VAE
from hypgraph.training import save_checkpoint
from hypgraph.training.vae_trainer import VAETrainer

EPOCHS = 4
TREES = VAESettings(data="trees", c=1.2, hidden=6, epochs=EPOCHS, batch_size=32, train_points=80, lr=1e-2)
DIGITS = TREES.model_copy(update={"data": "digits"})
SEEDS = (0, 1, 2)
GROUP = 2  # as many seeds side by side, so that there are groups

KIND = VAEKind()


def silent(_text: str) -> None:
    pass


def context(progress: Callable[[str], None] = silent) -> Context:
    return Context("cpu", 1, None, progress)


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vae_kind, "_side_by_side", lambda _settings, _device: GROUP)


@pytest.fixture(autouse=True)
def ctrl_c_as_in_a_terminal() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a cell; all have one name, which the weights are bound to."""
    path = tmp_path / "cell"
    path.mkdir()
    return path


def train(
    folder: Path,
    seeds: Sequence[int] = SEEDS,
    settings: VAESettings = TREES,
    progress: Callable[[str], None] = silent,
) -> None:
    """As the runner does it: those of the seeds that are not trained."""
    left = [seed for seed in seeds if not KIND.is_trained(folder, seed)]
    KIND.train(settings, left, folder, context=context(progress))


def tensors_of(path: Path) -> dict[str, Tensor]:
    content = torch.load(path, weights_only=True)
    state: dict[str, Tensor] = content["state"]
    return state


def contents(folder: Path) -> dict[str, bytes]:
    """The files; of weights the bytes of all numbers, with their names."""
    return {
        path.name: numbers(path) if path.name.startswith("weights") else path.read_bytes()
        for path in files(folder)
    }


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def numbers(path: Path) -> bytes:
    return b"".join(name.encode() + value.numpy().tobytes() for name, value in sorted(tensors_of(path).items()))


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


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[VAESettings, Path]]:
    """Two seeds of some cells."""
    cells: dict[str, VAESettings] = {
        "trees": TREES,
        "digits": DIGITS,
        "riemannian": DIGITS.model_copy(update={"family": "riemannian", "c": 0.7, "dim": 3}),
        "euclidean": DIGITS.model_copy(update={"latent": "euclidean", "c": None}),
    }
    made = {}
    for name, settings in cells.items():
        folder = tmp_path_factory.mktemp("trained") / name
        folder.mkdir()
        train(folder, (0, 1), settings)
        made[name] = settings, folder
    return made


Trained = dict[str, tuple[VAESettings, Path]]


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, int]]:
    """What goes to the bound: vectors, and the number of draws."""
    seen = []
    bound = marginal_likelihood

    def spy(model: VAE, x: Tensor, **options: Any) -> Bounds:
        seen.append((x, options["draws"]))
        return bound(model, x, **options)

    monkeypatch.setattr(vae_kind, "marginal_likelihood", spy)
    return seen


def measure(cell: tuple[VAESettings, Path], options: object, seed: int) -> dict[str, Any]:
    settings, folder = cell
    return KIND.measure(settings, options, seed, folder, context=context())


def test_the_chosen_points_are_the_same_for_every_seed_and_cell(
    trained: Trained, scored: list[tuple[Tensor, int]]
) -> None:
    options = LikelihoodOptions(draws=2, points=100)
    for name in ("digits", "riemannian", "euclidean"):
        for seed in (0, 1):
            assert measure(trained[name], options, seed)["points"] == 100
    points = [x for x, _ in scored]
    assert len(points) == 6
    assert all(x.equal(points[0]) for x in points)
    test = load_vectors(DIGITS, 0, data_root=None).test
    counts = {tuple(row): 0 for row in test.tolist()}
    for row in test.tolist():
        counts[tuple(row)] += 1
    for row in points[0].tolist():  # each at most as often as it is there: drawn without replacement
        counts[tuple(row)] -= 1
    assert min(counts.values()) >= 0
    assert not points[0].equal(test[:100])


def test_another_subset_seed_chooses_others(trained: Trained, scored: list[tuple[Tensor, int]]) -> None:
    for seed in (0, 1):
        measure(trained["digits"], LikelihoodOptions(draws=2, points=50, subset_seed=seed), 0)
    measure(trained["digits"], LikelihoodOptions(draws=2, points=60), 0)
    (first, _), (second, _), (more, _) = scored
    assert not first.equal(second)
    assert more[:50].equal(first)


@pytest.mark.parametrize("name", ["trees", "digits"])
def test_all_test_points_are_scored_where_no_number_is_given(
    name: str, trained: Trained, scored: list[tuple[Tensor, int]]
) -> None:
    for seed in (0, 1):
        figures = measure(trained[name], LikelihoodOptions(draws=3), seed)
        x, draws = scored.pop()
        expected = load_vectors(trained[name][0], seed, data_root=None).test
        assert x.equal(expected)
        assert draws == 3
        assert figures["points"] == len(expected) == {"trees": 191, "digits": 360}[name]


def test_figures_are_means_over_the_points_and_the_bounds_have_their_signs_turned(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(_model: VAE, x: Tensor, **_options: Any) -> Bounds:
        number = torch.arange(len(x), dtype=torch.float64)  # 0 to 359: mean 179.5
        return Bounds(-number, -2 * number - 1, number / 10, torch.full_like(number, 0.36), number / 1000)

    monkeypatch.setattr(vae_kind, "marginal_likelihood", known)
    assert measure(trained["digits"], LikelihoodOptions(draws=3), 0) == {
        "iwae": pytest.approx(179.5),
        "elbo": pytest.approx(360),
        "kl": pytest.approx(17.95),
        "kl_error": pytest.approx(0.6 / math.sqrt(360)),
        "pulled_in": pytest.approx(0.1795),
        "points": 360,
    }


@pytest.mark.parametrize("name", ["trees", "digits", "riemannian", "euclidean"])
def test_the_bounds_are_in_order_and_the_kl_is_not_negative(name: str, trained: Trained) -> None:
    for seed in (0, 1):
        figures = measure(trained[name], LikelihoodOptions(draws=200, points=100), seed)
        assert all(math.isfinite(value) for value in figures.values())
        assert figures["iwae"] <= figures["elbo"]
        assert figures["kl"] >= -4 * figures["kl_error"]
        assert figures["kl_error"] > 0
        assert 0 <= figures["pulled_in"] <= 1


def test_figures_of_a_flat_cell_are_those_of_plain_normal_distributions(trained: Trained) -> None:
    """Posterior, prior and likelihood written out with torch.distributions; draws of another generator."""
    settings, folder = trained["euclidean"]
    data = load_vectors(settings, 0, data_root=None)
    model = load_vae(settings, 0, folder, data=data)
    x = data.test
    hidden = torch.relu(model.encoder[0](x))  # type: ignore[index]
    raw = model.encoder[2](hidden).detach().double()  # type: ignore[index]
    posterior = torch.distributions.Normal(raw[:, :2], raw[:, 2:].exp())
    prior = torch.distributions.Normal(torch.zeros(2, dtype=torch.float64), 1.0)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(5)
        z = posterior.sample((400,))
        logits = model.decoder(z)
        likelihood = -torch.nn.functional.binary_cross_entropy_with_logits(
            logits, x.expand_as(logits), reduction="none"
        )
        ratio = (posterior.log_prob(z) - prior.log_prob(z)).sum(-1)
        weight = likelihood.double().sum(-1) - ratio
    figures = measure(trained["euclidean"], LikelihoodOptions(draws=400), 0)
    error = float(weight.var(0).sum().sqrt()) / 360 / math.sqrt(400)
    assert figures["elbo"] == pytest.approx(-float(weight.mean()), abs=6 * error)
    iwae = torch.logsumexp(weight, 0) - math.log(400)
    assert figures["iwae"] == pytest.approx(-float(iwae.mean()), abs=6 * error)
    exact = torch.distributions.kl_divergence(posterior, prior).sum(-1).mean()
    assert figures["kl"] == pytest.approx(float(exact), abs=4 * figures["kl_error"])


def test_measuring_again_gives_the_same_figures(trained: Trained) -> None:
    options = LikelihoodOptions(draws=7, points=30)
    assert measure(trained["digits"], options, 1) == measure(trained["digits"], options, 1)


def test_figures_that_are_not_finite_are_an_error_that_names_them(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_model: VAE, x: Tensor, **_options: Any) -> Bounds:
        fine = torch.ones(len(x), dtype=torch.float64)
        return Bounds(fine / 0, fine, fine, fine, fine)

    monkeypatch.setattr(vae_kind, "marginal_likelihood", broken)
    with pytest.raises(NumericalError, match=r"seed 1: iwae .*not finite"):
        measure(trained["digits"], LikelihoodOptions(draws=2), 1)


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> tuple[VAESettings, Path]:
    """Digits in a disk, trained for long enough to tell some of them apart."""
    settings = VAESettings(data="digits", c=1.4, hidden=48, epochs=15, lr=1e-2, batch_size=64)
    folder = tmp_path_factory.mktemp("embedding") / "cell"
    folder.mkdir()
    train(folder, (0,), settings)
    return settings, folder


def test_digits_are_told_from_their_codes_far_better_than_by_chance(embedding: tuple[VAESettings, Path]) -> None:
    figures = measure(embedding, ClassifyOptions(trainings=2), 0)
    labels = load_vectors(embedding[0], 0, data_root=None).test_labels
    assert figures["accuracy"] > 0.45  # of guesses 0.1
    assert len(figures["trainings"]) == 2
    assert figures["accuracy"] == pytest.approx(sum(figures["trainings"]) / 2)
    per_class = [figures[f"class_{number}"] for number in range(10)]
    assert all(0 <= value <= 1 for value in per_class)
    shares = (labels.bincount() / len(labels)).tolist()
    weighted = sum(share * value for share, value in zip(shares, per_class, strict=True))
    assert weighted == pytest.approx(figures["accuracy"], abs=1e-6)
    assert set(figures) == {"accuracy", "trainings", *(f"class_{number}" for number in range(10))}


def test_the_classifier_is_as_good_as_the_nearest_training_codes(embedding: tuple[VAESettings, Path]) -> None:
    """The vote of the nearest codes in hyperbolic distance is an estimate of what can be told at all."""
    settings, folder = embedding
    data = load_vectors(settings, 0, data_root=None)
    model = load_vae(settings, 0, folder, data=data)
    with torch.no_grad():
        train_codes, test_codes = (model.encode(part).loc for part in (data.train, data.test))
    distance = model.head.manifold.dist(test_codes.unsqueeze(1), train_codes)
    votes = data.train_labels[distance.topk(15, largest=False).indices].mode(-1).values
    nearest = float((votes == data.test_labels).double().mean())
    figures = measure(embedding, ClassifyOptions(trainings=2), 0)
    assert figures["accuracy"] == pytest.approx(nearest, abs=0.1)


def test_trained_codes_tell_more_than_those_of_fresh_weights(
    embedding: tuple[VAESettings, Path], folder: Path
) -> None:
    fresh = embedding[0].model_copy(update={"lr": 1e-12, "epochs": 1})
    train(folder, (0,), fresh)
    options = ClassifyOptions(trainings=1, epochs=10)
    untrained = measure((fresh, folder), options, 0)["accuracy"]
    assert measure(embedding, options, 0)["accuracy"] > untrained + 0.05


def test_the_options_of_classify_reach_the_classifier(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    classify = classify_codes

    def spy(*arguments: Any, **options: Any) -> Any:
        seen.update(options)
        return classify(*arguments, **options)

    monkeypatch.setattr(vae_kind, "classify_codes", spy)
    for name in ("euclidean", "riemannian", "digits"):
        figures = measure(trained[name], ClassifyOptions(trainings=3, hidden=8, epochs=2), 1)
        assert (seen["trainings"], seen["hidden"], seen["epochs"], seen["seed"]) == (3, 8, 2, 1)
        assert len(figures["trainings"]) == 3
        assert sum(key.startswith("class_") for key in figures) == 10
