"""Link prediction as cells of an experiment: tuned settings, and test edges ranked among hard negatives."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hypgraph.config import ModelConfig, RunConfig, TrainingConfig
from hypgraph.data import EdgeSplit, load_graph
from hypgraph.evaluation import TrainingGraph, personalised_pagerank
from hypgraph.exceptions import RunError
from hypgraph.experiments import links_settings
from hypgraph.experiments.cell_kind import Context
from hypgraph.experiments.link_prediction import open_run
from hypgraph.experiments.links_kind import LinksKind
from hypgraph.experiments.links_settings import HardOptions, LinksOptions, LinksSettings
from hypgraph.run_folder import RunFolder
from hypgraph.training import link_logits

CONTEXT = Context(device="cpu", threads=1, data_root=None, progress=lambda _words: None)
KIND = LinksKind()


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configurations of the package: one for karate in each of two spaces."""
    (tmp_path / "karate-poincare.toml").write_text(
        '[data]\nname = "karate"\n[model]\nlatent = "poincare"\ndim = 16\ndecoder = "auto"\n'
        "gain = 2.5\nhidden = 8\n[training]\nlr = 0.02\n"
    )
    (tmp_path / "karate-euclidean.toml").write_text('[model]\nlatent = "euclidean"\nnonnegative = true\n')
    monkeypatch.setattr(links_settings, "bundled_configs", lambda: tmp_path)
    return tmp_path


def chosen(**values: Any) -> dict[str, Any]:
    settings = LinksSettings.model_validate({"data": "karate", **values})
    return {key: value for key, value in settings.model_dump().items() if value is not None}


@pytest.mark.usefixtures("configs")
def test_tuned_settings_come_from_the_configuration_of_data_and_latent() -> None:
    found = chosen(latent="poincare", dim=2, tuned=True)
    assert (found["gain"], found["hidden"], found["lr"]) == (2.5, 8, 0.02)
    assert found["dim"] == 2  # what the cell says stands
    assert "decoder" not in found
    flat = chosen(latent="euclidean", tuned=True)
    assert flat["nonnegative"] is True
    assert "gain" not in flat


def test_settings_that_were_tuned_for_the_dimension_go_first(configs: Path) -> None:
    (configs / "karate-poincare-d2.toml").write_text("[model]\nbeta = 0.3\n")
    found = chosen(dim=2, tuned=True)
    assert found["beta"] == 0.3
    assert "gain" not in found
    assert chosen(dim=3, tuned=True)["gain"] == 2.5


@pytest.mark.usefixtures("configs")
def test_lorentz_takes_what_was_chosen_for_poincare() -> None:
    ball, hyperboloid = (chosen(latent=latent, tuned=True) for latent in ("poincare", "lorentz"))
    assert {**ball, "latent": "lorentz"} == hyperboloid


@pytest.mark.usefixtures("configs")
def test_what_the_cell_gives_goes_before_what_was_tuned() -> None:
    assert chosen(tuned=True, gain=7.0)["gain"] == 7.0
    assert chosen(tuned=True, epochs=3)["gain"] == 2.5


@pytest.mark.usefixtures("configs")
def test_without_a_configuration_or_without_tuned_the_defaults_stand() -> None:
    assert "gain" not in chosen(data="les-miserables", tuned=True)
    assert "gain" not in chosen(tuned=False)
    assert "gain" not in chosen()


def test_a_damaged_configuration_is_named(configs: Path) -> None:
    (configs / "karate-poincare.toml").write_text("[model]\ngain = -1\n")
    with pytest.raises(ValueError, match=r"model\.gain should be greater than 0"):
        chosen(tuned=True)


def test_every_setting_of_a_cell_arrives_in_its_run(tmp_path: Path) -> None:
    given = {
        "latent": "lorentz",
        "c": 0.7,
        "dim": 3,
        "decoder": "mlp",
        "posterior": "riemannian",
        "prior": "wrapped",
        "prior_scale": 1.3,
        "gain": 2.0,
        "initial_scale": 0.3,
        "nonnegative": True,
        "beta": 0.5,
        "hidden": 9,
        "normalisation": "row",
        "dropout": 0.1,
        "features": "degree",
        "epochs": 2,
        "patience": 1,
        "lr": 0.02,
        "weight_decay": 0.01,
    }
    settings = LinksSettings.model_validate({"data": "karate", **given})
    KIND.train(settings, [4], tmp_path, context=CONTEXT)
    config = RunFolder(tmp_path / "run-004").config()
    for key, value in given.items():
        section = (
            config.model
            if key in ModelConfig.model_fields
            else config.training
            if key in TrainingConfig.model_fields
            else config.data
        )
        assert getattr(section, key) == value, key
    assert config.training.seed == 4


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("links")
    KIND.train(
        LinksSettings.model_validate({"data": "les-miserables", "dim": 3, "epochs": 5}),
        [2],
        folder,
        context=CONTEXT,
    )
    return folder


def measured(options: HardOptions | LinksOptions, folder: Path) -> dict[str, Any]:
    settings = LinksSettings.model_validate({"data": "les-miserables", "dim": 3, "epochs": 5})
    return KIND.measure(settings, options, 2, folder, context=CONTEXT)


def reciprocal_rank(positive: float, negative: np.ndarray) -> float:
    """With ties in the middle, as the realistic rank has them."""
    return float(1 / (1 + (negative > positive).sum() + (negative == positive).sum() / 2))


def test_hard_figures_are_the_ranks_among_negatives_that_share_an_end(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for HeaRT's negatives, chosen by hand, and the ranks counted out."""
    graph = load_graph("les-miserables")
    split = EdgeSplit.load(trained / "run-002" / "split.npz")
    seen: list[dict[str, Any]] = []

    def negatives(train: TrainingGraph, edges: Any, everything: Any, **options: Any) -> torch.Tensor:
        seen.append({"train": train, "edges": edges, "everything": everything, **options})
        numbers = torch.arange(edges.shape[1] * 5).view(edges.shape[1], 5) % 77
        return torch.stack([edges[0].unsqueeze(1).expand(-1, 5), numbers])

    monkeypatch.setattr("hypgraph.experiments.links_kind.heart_negatives", negatives)
    figures = measured(HardOptions(each=5), trained)
    (call,) = seen
    assert torch.equal(call["edges"], split.test_edge_index)
    assert call["everything"].shape[1] == graph.num_edges
    assert call["train"].adjacency.nnz == 2 * split.train_edge_index.shape[1]
    assert (call["count"], call["directed"]) == (5, False)

    run = open_run(RunFolder(trained / "run-002"))
    run.restore(RunFolder(trained / "run-002"))
    test, hard = split.test_edge_index, negatives(call["train"], split.test_edge_index, None).flatten(1)
    logits = [part.numpy() for part in link_logits(run.trainer.best_model(), run.task, test, hard)]
    ranks = [reciprocal_rank(one, row) for one, row in zip(logits[0], logits[1].reshape(-1, 5), strict=True)]
    assert figures["mrr"] == pytest.approx(np.mean(ranks), rel=1e-12)
    scores = [personalised_pagerank(call["train"], pairs).round(12) for pairs in (test, hard)]
    ranks = [reciprocal_rank(one, row) for one, row in zip(scores[0], scores[1].reshape(-1, 5), strict=True)]
    assert figures["personalised_pagerank_mrr"] == pytest.approx(np.mean(ranks), rel=1e-12)


def test_hard_figures_have_hits_and_every_untrained_baseline(trained: Path) -> None:
    figures = measured(HardOptions(each=20), trained)
    assert {"mrr", "hits@10", "katz_mrr", "common_neighbours_mrr"} <= set(figures)
    assert all(0 < value <= 1 for value in figures.values())
    assert figures == measured(HardOptions(each=20), trained)


def test_without_enough_candidates_there_are_no_hard_figures(trained: Path) -> None:
    assert measured(HardOptions(each=500), trained) == {}


def test_runs_made_with_other_defaults_are_refused(tmp_path: Path) -> None:
    """Half of a cell with the old ones and half with the new ones would be no cell."""
    settings = LinksSettings.model_validate({"data": "karate", "dim": 2, "epochs": 1})
    KIND.train(settings, [0], tmp_path, context=CONTEXT)
    path = tmp_path / "run-000" / "config.json"
    KIND.train(settings, [0], tmp_path, context=CONTEXT)
    config = json.loads(path.read_text())
    config["model"]["hidden"] += 1
    path.write_text(json.dumps(config))
    with pytest.raises(RunError, match=r"run-000: was trained with model.hidden = 65, which is 64 now by default"):
        KIND.train(settings, [1], tmp_path, context=CONTEXT)
    with pytest.raises(RunError, match=r"model\.hidden"):
        KIND.measure(settings, LinksOptions(), 0, tmp_path, context=CONTEXT)


def test_runs_on_data_that_have_changed_since_get_no_others_beside_them(tmp_path: Path) -> None:
    edges = tmp_path / "path.csv"
    edges.write_text("".join(f"{node},{node + 1}\n" for node in range(40)))
    settings = LinksSettings.model_validate({"data": str(edges), "dim": 2, "epochs": 1, "hidden": 4})
    KIND.train(settings, [0], tmp_path, context=CONTEXT)
    KIND.train(settings, [0, 1], tmp_path, context=CONTEXT)
    edges.write_text(edges.read_text() + "0,39\n")
    with pytest.raises(RunError, match=r"run-000: is not of the data as they are now .* move .* away$"):
        KIND.train(settings, [2], tmp_path, context=CONTEXT)
    assert not (tmp_path / "run-002").exists()


def test_the_corrected_test_has_the_shares_of_the_default_split_and_none_where_there_is_one_split() -> None:
    fractions = RunConfig().data
    held_out = fractions.val_fraction + fractions.test_fraction
    cora, ddi = (LinksSettings.model_validate({"data": data}) for data in ("cora", "ogbl-ddi"))
    assert KIND.shares_of(cora) == pytest.approx((1 - held_out, fractions.test_fraction))
    assert KIND.shares_of(ddi) is None


def test_the_halves_of_a_hybrid_are_figures_too(tmp_path: Path) -> None:
    settings = LinksSettings.model_validate({"data": "karate", "decoder": "hybrid", "dim": 2, "epochs": 2})
    KIND.train(settings, [0], tmp_path, context=CONTEXT)
    figures = KIND.measure(settings, LinksOptions(), 0, tmp_path, context=CONTEXT)
    halves = RunFolder(tmp_path / "run-000").summary()["ablation"]
    for half in ("latent_only", "no_latent"):
        assert (figures[f"{half}_auc"], figures[f"{half}_ap"]) == (halves[half]["auc"], halves[half]["ap"])


def test_links_figures_are_those_of_the_summary(trained: Path) -> None:
    figures = measured(LinksOptions(), trained)
    summary = RunFolder(trained / "run-002").summary()
    assert figures["test_auc"] == summary["metrics"]["test"]["auc"]
    assert figures["val_ap"] == summary["metrics"]["val"]["ap"]
    assert figures["katz_auc"] == summary["baselines"]["katz"]["auc"]
