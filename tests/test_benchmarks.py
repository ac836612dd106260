"""The benchmarks of graphs run, and time what they say they time."""

import argparse
import importlib
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Tensor

from hypgraph.nn.edge_decoders import FermiDiracDecoder
from hypgraph.training import LinkTrainer

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Imports a benchmark as it finds itself when it is run: beside the others."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


class FakeClock:
    """Moves on only when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += seconds


def rows(table: str) -> dict[str, list[str]]:
    """The cells of each line of Markdown tables, by its first cell."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line]
    return {name: cells for name, *cells in lines}


def test_each_contender_gets_its_own_time_in_every_turn(load: Load) -> None:
    turns, clock, calls = load("turns"), FakeClock(), {"a": 0, "b": 0, "c": 0}

    def contender(name: str, seconds: float) -> Callable[[], None]:
        def step() -> None:
            calls[name] += 1
            clock.pass_by(seconds if calls[name] > turns.WARM_UP else 100.0)

        return step

    steps = {name: contender(name, seconds) for name, seconds in (("a", 0.5), ("b", 2.0), ("c", 0.25))}
    times = turns.in_turns(steps, 4, clock)
    assert times == {"a": [500.0] * 4, "b": [2000.0] * 4, "c": [250.0] * 4}
    assert set(calls.values()) == {turns.WARM_UP + 4}


def test_no_contender_always_follows_the_same_one(load: Load) -> None:
    turns, order = load("turns"), list[str]()
    names = ["a", "b", "c", "d"]
    turns.in_turns({name: lambda name=name: order.append(name) for name in names}, 19, FakeClock())
    followed = {name: {before for before, after in pairwise(order) if after == name} for name in names}
    assert all(len(before - {name}) >= 2 for name, before in followed.items())
    assert all(sorted(order[start : start + 4]) == names for start in range(0, len(order), 4))


def test_ratios_are_taken_within_a_turn(load: Load) -> None:
    turns, times = load("turns"), {"a": [1.0, 2.0, 9.0], "b": [2.0, 1.0, 3.0]}
    assert turns.ratio(times, "a", "b") == 2.0  # the ratio of the medians is 1
    assert turns.cells(times, "a", ["b", "a"]) == "2.00 | 2.00 | 1.00"


def path_graph() -> tuple[scipy.sparse.csr_array, Tensor]:
    """Five nodes, of which the last has no edge and the second no features."""
    features = np.array([[1.0, 0, 1], [0, 0, 0], [0, 2, 0], [1, 1, 1], [0, 0, 4]])
    return scipy.sparse.csr_array(features), torch.tensor([[0, 1, 2], [1, 2, 3]])


@pytest.mark.parametrize("sparse", [False, True])
def test_features_are_shares_and_an_empty_row_stays_empty(load: Load, sparse: bool) -> None:
    features = load("pyg_vgae").node_features(path_graph()[0], sparse=sparse)
    assert features.layout == (torch.sparse_csr if sparse else torch.strided)
    third = 1 / 3
    expected = [[0.5, 0, 0.5], [0, 0, 0], [0, 1, 0], [third] * 3, [0, 0, 1]]
    torch.testing.assert_close(features.to_dense(), torch.tensor(expected))


@pytest.mark.parametrize("sparse", [False, True])
def test_pygs_encoder_is_two_symmetric_convolutions(load: Load, sparse: bool) -> None:
    features, positive = path_graph()
    training = load("pyg_vgae").PygTraining(features, positive, dim=2, sparse=sparse)
    adjacency = np.eye(5)
    adjacency[tuple(positive)] = adjacency[tuple(positive.flip(0))] = 1
    degree = adjacency.sum(1)
    smooth = adjacency / np.sqrt(np.outer(degree, degree))
    weights = {name: value.detach().double().numpy() for name, value in training.model.named_parameters()}
    x = training.features.to_dense().double().numpy()
    hidden = np.maximum(smooth @ x @ weights["encoder.conv.lin.weight"].T, 0)
    expected = smooth @ hidden @ weights["encoder.mu.lin.weight"].T
    training.model.eval()
    mean = training.model.encode(training.features, training.edge_index).detach().double().numpy()
    np.testing.assert_allclose(mean, expected, atol=1e-6)
    assert hidden.shape[1] == 4


def test_sparse_features_give_pyg_the_gradients_of_dense_ones(load: Load) -> None:
    features, positive = path_graph()
    make = load("pyg_vgae").PygTraining
    dense, sparse = (make(features, positive, dim=2, sparse=kind) for kind in (False, True))
    sparse.model.load_state_dict(dense.model.state_dict())
    gradients = []
    for training in (dense, sparse):
        mean, log_scale = training.model.encoder(training.features, training.edge_index)
        (mean.square().sum() + log_scale.sum()).backward()
        gradients.append([parameter.grad.clone() for parameter in training.model.parameters()])
    torch.testing.assert_close(*gradients)
    assert all(bool(gradient.any()) for gradient in gradients[0])


def test_a_step_of_pyg_moves_its_weights_and_a_score_does_not(load: Load) -> None:
    features, positive = path_graph()
    training = load("pyg_vgae").PygTraining(features, positive, dim=2, sparse=True)

    def weights() -> Tensor:
        return torch.cat([parameter.detach().flatten() for parameter in training.model.parameters()]).clone()

    first = weights()
    assert np.isfinite(training.step())
    second = weights()
    auc, ap = training.score(positive, torch.tensor([[0, 1], [3, 3]]))
    assert 0 <= auc <= 1
    assert 0 < ap <= 1
    assert not torch.equal(first, second)
    assert torch.equal(second, weights())


def run_main(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [str(module.__file__), *arguments])
    module.main()


def test_the_table_of_steps_has_every_contender(
    load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load("vgae_step")
    run_main(module, monkeypatch, "--data", "cora", "--turns", "2", "--dim", "3")
    out = capsys.readouterr().out
    assert out.startswith("cora, d=3, hidden 64, gyroplane, float64 latents, one thread, torch ")
    table = rows(out)
    assert {f"ours, {name}" for name in module.OURS} <= set(table)
    assert [table[module.DENSE][1], table[module.SPARSE][2], table[module.FLAT][3]] == ["1.00"] * 3
    assert sum(name.startswith("validation: ") for name in table) == 2
    assert all(
        float(cell) > 0 for name, cells in table.items() if "ours" in name or "PyG VGAE" in name for cell in cells
    )


def test_the_contenders_share_graph_split_and_size(load: Load) -> None:
    arguments = argparse.Namespace(dim=3, decoder="fermi-dirac", hidden=None, device="cpu", compile=False)
    module = load("vgae_step")
    first, trainers = module.trainers("cora", arguments)
    models = [trainer.model for trainer in trainers.values()]
    assert all(isinstance(model.decoder, FermiDiracDecoder) and model.head.manifold.dim == 3 for model in models)
    assert all(torch.equal(trainer.task.positive, first.task.positive) for trainer in trainers.values())
    families = [trainer.model.head.family.name for trainer in trainers.values()]
    assert families == [posterior for _, posterior in module.OURS.values()]


def test_the_table_of_draws_has_every_contender_in_both_dimensions(
    load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load("sampling_density")
    run_main(module, monkeypatch, "--nodes", "20", "--turns", "2")
    table = rows(capsys.readouterr().out)
    names = [*module.OURS, module.PYG, module.TORCH]
    assert all(len(table[name]) == 6 and all(float(cell) > 0 for cell in table[name]) for name in names)
    assert [table[module.PYG][i] for i in (1, 4)] + [table[module.TORCH][i] for i in (2, 5)] == ["1.00"] * 4


def test_every_step_of_drawing_reaches_centres_and_scales(load: Load) -> None:
    for name, step in load("sampling_density").contenders(20, 3, "cpu").items():
        step()
        leaves = step.args[0]
        for leaf in (leaves.mean, leaves.log_scale):
            assert bool(torch.isfinite(leaf.grad).all() and leaf.grad.any()), name


def test_in_flat_space_all_estimate_the_closed_form(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    module, nodes, kls = load("sampling_density"), 20_000, dict[str, float]()
    torch.manual_seed(0)
    steps = module.contenders(nodes, 2, "cpu")
    for name in ("ours in flat space", module.PYG, module.TORCH):
        leaves = steps[name].args[0]
        monkeypatch.setattr(leaves, "back", lambda kl, _z, name=name: kls.update({name: kl.item()}))
        steps[name]()
        mean, variance = leaves.mean.double(), (2 * leaves.log_scale.double()).exp().expand(nodes, 2)
        exact = 0.5 * (mean.square() + variance - 1 - variance.log()).sum(-1).mean().item()
        assert kls[name] == pytest.approx(exact, abs=0.03), name  # five standard errors of the mean, 0.8/√N
    assert len(kls) == 3


def test_time_belongs_to_the_innermost_phase_and_all_of_it_to_one(load: Load) -> None:
    now = FakeClock()

    def fail() -> None:
        now.pass_by(16.0)
        raise ZeroDivisionError

    clock = load("default_command").PhaseClock(now, "start")
    now.pass_by(1.0)
    with clock.phase("outer"):
        now.pass_by(2.0)
        clock.timed("inner", now.pass_by)(4.0)
        now.pass_by(8.0)
        with pytest.raises(ZeroDivisionError):
            clock.timed("broken", fail)()
    now.pass_by(32.0)
    with clock.phase("inner"):
        now.pass_by(64.0)
    expected = {"start": 33.0, "outer": 10.0, "inner": 68.0, "broken": 16.0}
    assert dict(clock.seconds) == expected
    assert sum(clock.seconds.values()) == now()


def test_imports_are_timed_apart_from_the_phase_that_asks_for_them(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now, module = FakeClock(), load("default_command")
    monkeypatch.setattr(np, "pass_by", now.pass_by, raising=False)  # where the modules find it
    (tmp_path / "heavy_of_test.py").write_text("import numpy, light_of_test\nnumpy.pass_by(4.0)\n")
    (tmp_path / "light_of_test.py").write_text("import numpy\nnumpy.pass_by(8.0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    clock = module.PhaseClock(now)
    with clock.imports_apart(), clock.phase("work"):
        now.pass_by(1.0)
        import heavy_of_test  # type: ignore[import-not-found]  # noqa: F401

        now.pass_by(2.0)
    assert dict(clock.seconds) == {module.IMPORTS: 12.0, "work": 3.0}


def test_the_command_runs_whole_and_every_phase_takes_time(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load("default_command")
    clock, arguments = module.PhaseClock(), argparse.Namespace(data="cora", latent="poincare", epochs=2)
    result = module.measure_ours(clock, arguments, tmp_path / "run")
    assert "Link prediction on cora" in capsys.readouterr().out
    assert result["epochs"] == 2
    assert 0.5 < result["auc"] <= 1
    assert all(clock.seconds[phase] > 0 for phase in (*module.PHASES, module.REST))
    assert not hasattr(LinkTrainer.run_epoch, "__wrapped__"), "the clocks are taken away again"


def test_pygs_run_validates_after_each_epoch(load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module, pyg, calls = load("default_command"), load("pyg_vgae"), list[str]()
    for name in ("step", "score"):
        plain = getattr(pyg.PygTraining, name)

        def counted(*args: Any, plain: Callable[..., Any] = plain, name: str = name) -> Any:
            calls.append(name)
            return plain(*args)

        monkeypatch.setattr(pyg.PygTraining, name, counted)
    clock, arguments = module.PhaseClock(), argparse.Namespace(data="cora", epochs=2)
    result = module.CONTENDERS[module.SPARSE](clock, arguments, tmp_path)
    assert calls == ["step", "score"] * 2 + ["score"]
    assert result["epochs"] == 2
    assert clock.seconds["training"] > 0
    assert clock.seconds["validation"] > 0


def test_the_report_has_medians_and_ratios_within_turns_without_the_imports(load: Load) -> None:
    module = load("default_command")

    def run(training: float, imports: float) -> dict[str, Any]:
        phases = {module.IMPORTS: imports, "training": training, module.REST: 1.0}
        return {"phases": phases, "wall": 20.0, "epochs": 7, "auc": 0.9, "ap": 0.8}

    runs = {
        module.OURS: [run(1, 50), run(3, 60), run(5, 70)],
        module.DENSE: [run(3, 1), run(1, 1), run(23, 1)],
        module.SPARSE: [run(1, 1), run(3, 1), run(5, 1)],
    }
    table = rows(module.report(runs))
    assert table["training"] == ["3.00", "3.00", "3.00"]
    assert table["baselines"] == ["0.00"] * 3
    assert table["**after imports**"] == ["**4.00**", "**4.00**", "**4.00**"]
    assert table[f"÷ {module.DENSE}"] == ["0.50", "1.00", "0.50"]  # the medians are equal, the turns are not
    assert table["Python and imports"] == ["60.00", "1.00", "1.00"]
    assert table["test AUC / AP of the run, %"] == ["90.0 / 80.0"] * 3


@pytest.mark.slow
def test_the_default_command_is_measured_in_processes_of_its_own() -> None:
    command = [sys.executable, str(BENCHMARKS / "default_command.py"), "--turns", "1", "--epochs", "3"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=BENCHMARKS.parent)
    assert done.returncode == 0, done.stderr
    table = rows(done.stdout)
    assert table["epochs"] == ["3"] * 3
    assert all(float(cell) > 0 for cell in table["Python and imports"] + table["training"])


def test_the_table_of_hierarchies_scores_the_drawings_that_embed_makes(
    load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load("hierarchies")
    monkeypatch.setattr(sys, "argv", ["hierarchies.py", "--only", "binary tree"])
    module.main()
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| binary tree")]
    assert len(table) == 2
    for line, name in zip(table, ("", ", --uncertainty"), strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[0] == f"binary tree, 511 nodes{name}"
        assert float(cells[5]) >= float(cells[4])
        assert float(cells[7]) <= 0.02


def test_the_trees_of_the_table_of_hierarchies_are_what_they_are_called(load: Load) -> None:
    module = load("hierarchies")
    for graph in (module.recursive_tree(200, 3), module.tree_of_diameter(40, 200)):
        assert graph.num_edges == graph.num_nodes - 1 == 199
        assert graph.num_isolated == 0
