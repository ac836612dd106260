"""Runs of the hybrid: what each half reaches alone stands beside it, and a run is as resumable as any other."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hypgraph.config import load_config
from hypgraph.data import Graph
from hypgraph.exceptions import RunError
from hypgraph.experiments import seeds
from hypgraph.experiments.link_prediction import LinkPrediction, evaluate_run, open_run
from hypgraph.models import HybridVGAE
from hypgraph.run_folder import RunFolder
from hypgraph.training import HybridTask, HybridTrainer
from tests.experiments.conftest import Silent
from tests.experiments.runs import arrays_of, figures_of, lines_of, summary_of

Train = Callable[..., Path]
HYBRID = "model.decoder=hybrid"
LONG = (HYBRID, "training.epochs=14", "training.patience=0")


@pytest.fixture(scope="module")
def run(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("hybrid") / "run", *LONG)


def as_ablation(metrics: dict[str, Any]) -> dict[str, Any]:
    return {**metrics["test"], "val": metrics["val"]}


def test_the_summary_holds_what_each_half_reaches_alone(run: Path) -> None:
    summary = summary_of(run)
    assert summary["decoder"] == "hybrid"
    assert set(summary["ablation"]) == {"latent_only", "no_latent"}
    for figures in summary["ablation"].values():
        assert list(figures) == ["auc", "ap", "val"]
        assert list(figures["val"]) == ["auc", "ap"]
        for part in (figures, figures["val"]):
            assert 0 <= part["auc"] <= 1
            assert 0 <= part["ap"] <= 1
    three = [as_ablation(summary["metrics"]), *summary["ablation"].values()]
    assert all(left != right for left, right in zip(three, [*three[1:], three[0]], strict=True))
    assert len(lines_of(run)) == 14  # those of the halves are not among them


def test_other_decoders_have_no_halves(karate_run: Path) -> None:
    assert summary_of(karate_run)["ablation"] == {}


def test_latent_only_is_the_run_with_the_default_decoder(run: Path, train: Train, tmp_path: Path) -> None:
    alone = train(tmp_path / "alone", "training.epochs=14", "training.patience=0")
    assert summary_of(run)["ablation"]["latent_only"] == as_ablation(summary_of(alone)["metrics"])
    split, other = arrays_of(run / "split.npz"), arrays_of(alone / "split.npz")
    assert all(np.array_equal(split[name], other[name]) for name in split)


def test_without_the_latent_nothing_of_the_latent_matters(run: Path, train: Train, tmp_path: Path) -> None:
    """Curvature, scales, KL and dropout of the encoder are as good as absent."""
    options = (
        "model.c=3",
        "model.prior_scale=0.3",
        "model.beta=9",
        "model.initial_scale=0.5",
        "model.dropout=0.1",
    )
    other = summary_of(train(tmp_path / "other", *LONG, *options))["ablation"]
    assert other["no_latent"] == summary_of(run)["ablation"]["no_latent"]
    assert other["latent_only"] != summary_of(run)["ablation"]["latent_only"]


def test_the_halves_stop_early_each_by_its_own_validation(train: Train, tmp_path: Path) -> None:
    options = ("training.epochs=30", "training.patience=2")
    hybrid = summary_of(train(tmp_path / "hybrid", HYBRID, *options))
    alone = summary_of(train(tmp_path / "alone", *options))
    assert hybrid["ablation"]["latent_only"] == as_ablation(alone["metrics"])
    assert hybrid["epochs"] == hybrid["best_epoch"] + 2 < 30


def test_the_same_seed_gives_the_same_bytes_and_evaluates_to_its_summary(
    run: Path, train: Train, tmp_path: Path
) -> None:
    again = train(tmp_path / "again", *LONG)
    assert figures_of(again) == figures_of(run)
    found = {which: metrics._asdict() for which, metrics in evaluate_run(RunFolder.open(run)).metrics.items()}
    assert found == summary_of(run)["metrics"]


class StoppedError(Exception):
    """What a run is interrupted by."""


class Impatient(Silent):
    """Stops a training after so many epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch(self, record: Any) -> None:
        if record.epoch == self.epochs:
            raise StoppedError


@pytest.mark.parametrize("stop", [1, 3, 12])
def test_an_interrupted_run_ends_as_if_it_had_not_been(stop: int, run: Path, tmp_path: Path) -> None:
    quick = ["data.name=karate", "model.dim=3", "training.device=cpu", "training.checkpoint_every=2"]
    with pytest.raises(StoppedError):
        seeds.train(load_config(assignments=[*quick, *LONG]), tmp_path / "run", Impatient(stop))
    seeds.resume(RunFolder.open(tmp_path / "run"), Silent())
    assert figures_of(tmp_path / "run") == figures_of(run)


def test_a_run_that_stopped_while_the_halves_were_trained_goes_on(
    run: Path, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_self: LinkPrediction) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LinkPrediction, "_ablation", stop)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", *LONG)
    monkeypatch.undo()
    assert not (tmp_path / "run/summary.json").exists()
    seeds.resume(RunFolder.open(tmp_path / "run"), Silent())
    assert figures_of(tmp_path / "run") == figures_of(run)


def test_several_seeds_combine_the_halves_with_student_intervals(train: Train, tmp_path: Path) -> None:
    path = train(tmp_path / "three", HYBRID, "training.seeds=3", "training.seed=4")
    whole, each = summary_of(path), [summary_of(path / f"seed-{seed}") for seed in (4, 5, 6)]
    wide = 0
    for half in ("latent_only", "no_latent"):
        means, widths = whole["ablation"][half], whole["interval95"]["ablation"][half]
        for name in ("auc", "ap"):
            for pick in (lambda figures: figures, lambda figures: figures["val"]):
                values = [pick(one["ablation"][half])[name] for one in each]
                assert pick(means)[name] == pytest.approx(np.mean(values), rel=1e-12)
                width = stats.t.ppf(0.975, 2) * stats.sem(values)
                assert pick(widths)[name] == pytest.approx(width, rel=1e-9, abs=1e-15)
                wide += width > 0
    assert wide >= 4  # a width of 0 would not tell a mean from another number


def test_several_finished_seeds_from_before_there_were_halves_combine(train: Train, tmp_path: Path) -> None:
    """Their summaries lack the key."""
    path = train(tmp_path / "two", "training.seeds=2")
    for seed in (0, 1):
        file = path / f"seed-{seed}" / "summary.json"
        summary = json.loads(file.read_text())
        del summary["ablation"]
        file.write_text(json.dumps(summary))
    before = summary_of(path)
    (path / "summary.json").unlink()
    assert seeds.resume(RunFolder.open(path), Silent())["metrics"] == before["metrics"]


def write_edges(path: Path, *, nodes: int = 40, steps: tuple[int, ...] = (1, 3, 4)) -> Path:
    lines = [f"n{u},n{(u + step) % nodes}" for u in range(nodes) for step in steps]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_directed_edges_have_a_hybrid_around_their_own_decoder(train: Train, tmp_path: Path) -> None:
    data = write_edges(tmp_path / "edges.csv")
    options = (f"data.name={data}", "data.directed=true")
    hybrid, alone = train(tmp_path / "hybrid", HYBRID, *options), train(tmp_path / "alone", *options)
    assert summary_of(hybrid)["graph"]["directed"]
    assert summary_of(alone)["decoder"] == "directed-gyroplane"
    assert summary_of(hybrid)["ablation"]["latent_only"] == as_ablation(summary_of(alone)["metrics"])
    found = {which: metrics._asdict() for which, metrics in evaluate_run(RunFolder.open(hybrid)).metrics.items()}
    assert found == summary_of(hybrid)["metrics"]


def test_hard_negatives_rank_the_hybrid_too(train: Train, tmp_path: Path) -> None:
    options = ("data.negatives=heart", "data.negatives_each=12")
    path = train(tmp_path / "hybrid", HYBRID, *options)
    summary, alone = summary_of(path), summary_of(train(tmp_path / "alone", *options))
    assert set(summary["ranking"]["test"]) == {"mrr", "hits@10"}
    assert summary["ablation"]["latent_only"] == as_ablation(alone["metrics"])
    again = evaluate_run(RunFolder.open(path))
    assert again.ranking == summary["ranking"]
    assert {which: metrics._asdict() for which, metrics in again.metrics.items()} == summary["metrics"]


@pytest.mark.parametrize("latent", ["lorentz", "euclidean"])
def test_every_space_has_its_hybrid(latent: str, train: Train, tmp_path: Path) -> None:
    summary = summary_of(train(tmp_path / "run", HYBRID, f"model.latent={latent}", "training.epochs=2"))
    assert math.isfinite(summary["metrics"]["test"]["auc"])


def with_features() -> Graph:
    pairs = [[u for u in range(40) for _ in range(3)], [(u + step) % 40 for u in range(40) for step in (1, 3, 4)]]
    table = (np.random.default_rng(0).random((40, 9)) < 0.4).astype(np.float32)
    return Graph.from_pairs("ring", pairs, node_id=np.arange(40), features=table)


@pytest.mark.parametrize(
    ("features", "inputs", "of_pairs"), [("none", 40, 4), ("learned", 49, 9), (None, 9, 9)], ids=str
)
def test_what_is_left_out_of_the_encoder_is_left_out_of_the_pairs(
    features: str | None, inputs: int, of_pairs: int
) -> None:
    chosen = [f"data.features={features}"] if features else []
    config = load_config(assignments=[HYBRID, "model.dim=2", *chosen])
    run = LinkPrediction.prepare(config, graph=with_features())
    assert isinstance(run.task, HybridTask)
    assert isinstance(run.trainer, HybridTrainer)
    assert run.task.features.shape == (40, inputs)
    assert run.task.num_pair_features == of_pairs
    assert ("cosine_x" in run.task.pair_features.names) == (of_pairs == 9)
    run.trainer.run_epoch()


def test_without_features_their_values_change_nothing() -> None:
    config = load_config(assignments=[HYBRID, "model.dim=2", "data.features=none"])
    graph = with_features()
    other = Graph.from_pairs("ring", graph.edge_index, node_id=graph.node_id, features=np.ones((40, 3)))
    left, right = (LinkPrediction.prepare(config, graph=one).trainer for one in (graph, other))
    assert [left.run_epoch() for _ in range(3)] == [right.run_epoch() for _ in range(3)]


def test_another_checkpoint_does_not_fit(run: Path, karate_run: Path, tmp_path: Path) -> None:
    mixed = shutil.copytree(run, tmp_path / "mixed")
    shutil.copy(karate_run / "checkpoint.pt", mixed / "checkpoint.pt")
    with pytest.raises(RunError, match="does not fit") as refused:
        evaluate_run(RunFolder.open(mixed))
    assert "\n" not in str(refused.value)


def test_the_model_of_a_run_sees_its_latent(run: Path) -> None:
    opened = open_run(RunFolder.open(run))
    assert isinstance(opened.trainer.model, HybridVGAE)
    assert opened.trainer.model.sees_latent
