"""What a run leaves, and whether its figures are what they say."""

import json
import math
import re
import shutil

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from hypgraph.config import load_config
from hypgraph.data import EdgeSplit, load_graph
from hypgraph.evaluation import BASELINES
from hypgraph.exceptions import HypgraphError, NumericalError, RunError
from hypgraph.experiments import seeds
from hypgraph.experiments.link_prediction import LinkPrediction, evaluate_run
from hypgraph.manifolds import MANIFOLDS
from hypgraph.run_folder import RunFolder
from tests.experiments.runs import arrays_of, figures_of, lines_of, names_in, summary_of

FILES = {
    "config.json",
    "metrics.jsonl",
    "summary.json",
    "environment.json",
    "checkpoint.pt",
    "split.npz",
    "embeddings.npz",
}


def weights_of(run):
    """The best weights of the decoder, as numpy arrays."""
    weights = torch.load(run / "checkpoint.pt", weights_only=True)["state"]["best"]["weights"]
    of_decoder = {key: value.numpy() for key, value in weights.items() if key.startswith("decoder.")}
    return {key.removeprefix("decoder."): value for key, value in of_decoder.items()}


def gyroplane_logits(run, pairs, loc=None):
    """Logits of ``pairs [2, P]`` by the gyroplane decoder, from its formula, in numpy."""
    arrays, weights = arrays_of(run / "embeddings.npz"), weights_of(run)
    loc, c = arrays["loc"] if loc is None else loc, float(arrays["c"])
    normals = weights["normals"] / np.linalg.norm(weights["normals"], axis=1, keepdims=True)
    offsets, k = weights["offsets"], math.sqrt(c)
    match str(arrays["manifold"]):
        case "euclidean":
            distances = loc @ normals.T - offsets
        case "poincare":
            factor = 2 / (1 - c * np.sum(loc**2, axis=1, keepdims=True))
            inside = factor * k * (loc @ normals.T) * np.cosh(k * offsets) - (factor - 1) * np.sinh(k * offsets)
            distances = np.arcsinh(inside) / k
        case "lorentz":
            time, space = k * loc[:, :1], k * loc[:, 1:]
            distances = np.arcsinh(space @ normals.T * np.cosh(k * offsets) - time * np.sinh(k * offsets)) / k
    features = weights["weights"] * distances
    square = np.sum((features[pairs[0]] - features[pairs[1]]) ** 2, axis=1)
    return np.exp(weights["log_inverse_temperature"]) * (weights["radius"] - square)


def scored(run, which, loc=None):
    """AUC and AP by scikit-learn, from the files of the run."""
    split = arrays_of(run / "split.npz")
    positive, negative = split[f"{which}_edge_index"], split[f"{which}_neg_edge_index"]
    scores = gyroplane_logits(run, np.concatenate([positive, negative], axis=1), loc)
    labels = np.repeat([1, 0], [positive.shape[1], negative.shape[1]])
    return {"auc": roc_auc_score(labels, scores), "ap": average_precision_score(labels, scores)}


def test_a_run_leaves_exactly_its_files(karate_run):
    assert names_in(karate_run) == FILES


def test_the_summary_holds_what_it_promises(karate_run):
    summary = summary_of(karate_run)
    assert (summary["data"], summary["latent"], summary["dim"], summary["c"]) == ("karate", "poincare", 3, 1.0)
    assert (summary["decoder"], summary["posterior"]) == ("gyroplane", "wrapped")
    assert (summary["seed"], summary["device"], summary["epochs"]) == (0, "cpu", 6)
    assert summary["seconds"] > 0
    assert 1 <= summary["best_epoch"] <= 6
    assert set(summary["metrics"]) == {"val", "test"}
    for figures in [*summary["metrics"].values(), *summary["baselines"].values()]:
        assert 0 <= figures["auc"] <= 1
        assert 0 <= figures["ap"] <= 1


def test_the_baselines_of_a_graph_with_features_are_all_there(cora_run):
    baselines = summary_of(cora_run)["baselines"]
    assert list(baselines) == [key for key, baseline in BASELINES.items() if not baseline.fitted]
    assert 0.9 < baselines["cosine_ax"]["auc"] < 0.97
    assert set(baselines["cosine_ax"]["val"]) == {"auc", "ap"}


def test_metrics_are_a_line_an_epoch_and_hold_no_times(karate_run):
    lines = lines_of(karate_run)
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
    for line in lines:
        assert list(line) == ["epoch", "loss", "reconstruction", "kl", "pulled_in", "val_auc", "val_ap", "c"]
        assert all(math.isfinite(value) for value in line.values())


def test_the_summary_is_of_the_epoch_that_validated_best(cora_run):
    summary, lines = summary_of(cora_run), lines_of(cora_run)
    best = max(lines, key=lambda line: (line["val_auc"] + line["val_ap"], -line["epoch"]))
    assert summary["best_epoch"] == best["epoch"]
    assert summary["metrics"]["val"] == {"auc": best["val_auc"], "ap": best["val_ap"]}


def test_the_environment_says_on_what_the_run_was_made(karate_run):
    environment = json.loads((karate_run / "environment.json").read_text())
    assert environment["packages"]["torch"] == torch.__version__
    assert environment["packages"]["numpy"] == np.__version__
    assert environment["threads"] >= 1
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", environment["python"])
    assert environment["git_commit"] is None or re.fullmatch(r"[0-9a-f]{40}", environment["git_commit"])


def test_the_checkpoint_loads_without_pickles_power(karate_run):
    content = torch.load(karate_run / "checkpoint.pt", weights_only=True)
    assert content["state"]["epoch"] == 6


def test_the_embeddings_hold_no_objects_and_are_points_and_scales(karate_run):
    arrays = arrays_of(karate_run / "embeddings.npz")
    assert set(arrays) == {"node_id", "loc", "scale", "c", "manifold", "radius", "direction"}
    assert all(array.dtype.kind in "iufU" for array in arrays.values())
    assert arrays["loc"].shape == arrays["scale"].shape == (34, 3)
    assert arrays["loc"].dtype == np.float64
    assert np.all(np.linalg.norm(arrays["loc"], axis=1) < 1)
    assert np.all(arrays["scale"] > 0)
    exact = np.tanh(arrays["radius"] / 2)[:, None] * arrays["direction"]
    np.testing.assert_allclose(exact, arrays["loc"], rtol=1e-12, atol=1e-15)
    assert (float(arrays["c"]), str(arrays["manifold"])) == (1.0, "poincare")


@pytest.mark.parametrize("latent", MANIFOLDS)
def test_embeddings_are_in_the_coordinates_of_their_space(latent, train, tmp_path):
    run = train(tmp_path / "run", f"model.latent={latent}", "model.c=0.5")
    arrays = arrays_of(run / "embeddings.npz")
    loc, c = arrays["loc"], float(arrays["c"])
    assert str(arrays["manifold"]) == latent
    assert arrays["scale"].shape == (34, 3)
    assert loc.shape == (34, 4 if latent == "lorentz" else 3)
    assert c == summary_of(run)["c"] == (0.0 if latent == "euclidean" else 0.5)
    if latent == "lorentz":
        np.testing.assert_allclose(loc[:, 0] ** 2 - np.sum(loc[:, 1:] ** 2, axis=1), 1 / c, rtol=1e-6)
    elif latent == "poincare":
        assert np.all(c * np.sum(loc**2, axis=1) < 1)


def test_node_ids_are_the_papers_of_cora(cora_run):
    ids = arrays_of(cora_run / "embeddings.npz")["node_id"]
    assert ids.dtype == np.int64
    assert np.array_equal(ids, load_graph("cora").node_id)
    assert {35, 1033, 1106406} <= set(ids.tolist())


def test_node_ids_are_the_words_of_a_file(train, tmp_path):
    names = [f"wörd {number}" for number in range(30)]
    lines = [f"{names[u]}\t{names[(u + step) % 30]}" for u in range(30) for step in (1, 7)]
    (tmp_path / "words.tsv").write_text("\n".join(lines), encoding="utf-8")
    run = train(tmp_path / "run", f"data.name={tmp_path / 'words.tsv'}")
    ids = arrays_of(run / "embeddings.npz")["node_id"]
    assert ids.dtype.kind == "U"
    assert ids.tolist() == load_graph(str(tmp_path / "words.tsv")).node_id.tolist()
    assert set(ids.tolist()) == set(names)


def test_the_split_of_a_run_is_that_of_its_data(cora_run):
    split, graph = EdgeSplit.load(cora_run / "split.npz"), load_graph("cora")
    parts = [split.train_edge_index, split.val_edge_index, split.test_edge_index]
    edges = {tuple(pair) for part in parts for pair in part.T.tolist()}
    assert sum(part.shape[1] for part in parts) == len(edges) == graph.num_edges
    assert edges == {tuple(pair) for pair in graph.edge_index.T.tolist()}


@pytest.mark.parametrize("which", ["val", "test"])
def test_the_metrics_follow_from_the_embeddings_and_the_decoder_alone(which, cora_run):
    """The decoder sees the two latents and nothing else."""
    assert scored(cora_run, which) == pytest.approx(summary_of(cora_run)["metrics"][which], abs=1e-9)


@pytest.mark.parametrize("latent", MANIFOLDS)
@pytest.mark.parametrize("c", [0.3, 2.0])
def test_the_metrics_follow_from_the_embeddings_in_every_space(latent, c, train, tmp_path):
    longer = ("training.lr=0.1", "training.epochs=20")
    run = train(tmp_path / "run", f"model.latent={latent}", f"model.c={c}", *longer)
    for which in ("val", "test"):
        assert scored(run, which) == pytest.approx(summary_of(run)["metrics"][which], abs=1e-9)


def test_latents_shuffled_over_the_nodes_score_at_chance(cora_run):
    """What the decoder knows of an edge, it knows from the latents of its two nodes."""
    loc, order = arrays_of(cora_run / "embeddings.npz")["loc"], np.random.default_rng(0)
    assert scored(cora_run, "test")["auc"] > 0.85
    aucs = [scored(cora_run, "test", order.permutation(loc))["auc"] for _ in range(5)]
    assert all(0.45 < auc < 0.55 for auc in aucs), aucs


def test_the_test_edges_choose_nothing(train, tmp_path, monkeypatch):
    """With the test set replaced by noise, training and every file but the test figures are the same."""
    kept = train(tmp_path / "kept")
    from hypgraph.experiments import link_prediction

    real = link_prediction.LinkTask.build

    def blinded(graph, split, **options):
        task = real(graph, split, **options)
        swapped = (task.test[1], task.test[0])
        object.__setattr__(task, "test", swapped)
        return task

    monkeypatch.setattr(link_prediction.LinkTask, "build", blinded)
    blind = train(tmp_path / "blind")
    left, right = figures_of(kept), figures_of(blind)
    assert left["summary.json"].pop("metrics")["test"] != right["summary.json"].pop("metrics")["test"]
    assert left == right


def test_the_same_seed_gives_the_same_bytes(train, karate_run, tmp_path):
    again = train(tmp_path / "again")
    assert figures_of(again) == figures_of(karate_run)
    assert (again / "config.json").read_bytes() == (karate_run / "config.json").read_bytes()
    other = train(tmp_path / "other", "training.seed=1")
    assert (other / "metrics.jsonl").read_bytes() != (karate_run / "metrics.jsonl").read_bytes()
    assert (other / "split.npz").read_bytes() != (karate_run / "split.npz").read_bytes()


def test_more_epochs_never_change_the_split_nor_the_epochs_before(train, karate_run, tmp_path):
    longer = train(tmp_path / "longer", "training.epochs=11")
    short, long = (arrays_of(run / "split.npz") for run in (karate_run, longer))
    assert all(np.array_equal(short[name], long[name]) for name in short)
    assert lines_of(longer)[:6] == lines_of(karate_run)


@pytest.mark.parametrize("option", ["model.latent=euclidean", "model.decoder=mlp", "model.dim=8"])
def test_another_model_is_judged_on_the_same_split(option, train, karate_run, tmp_path):
    other = arrays_of(train(tmp_path / "run", option) / "split.npz")
    assert all(np.array_equal(array, other[name]) for name, array in arrays_of(karate_run / "split.npz").items())


def test_how_often_checkpoints_are_written_changes_nothing(train, karate_run, tmp_path):
    often = train(tmp_path / "often", "training.checkpoint_every=1")
    assert figures_of(often) == figures_of(karate_run)


def test_early_stopping_stops_and_patience_0_does_not(train, tmp_path):
    impatient = train(tmp_path / "impatient", "training.patience=1", "training.epochs=40")
    summary = summary_of(impatient)
    assert summary["epochs"] == len(lines_of(impatient)) == summary["best_epoch"] + 1 < 40
    patient = train(tmp_path / "patient", "training.patience=0", "training.epochs=40")
    assert summary_of(patient)["epochs"] == len(lines_of(patient)) == 40


def test_evaluating_a_run_gives_the_metrics_of_its_summary(cora_run):
    again = {which: figures._asdict() for which, figures in evaluate_run(RunFolder.open(cora_run)).metrics.items()}
    assert again == summary_of(cora_run)["metrics"]


def test_evaluating_an_unfinished_run_is_refused(karate_run, tmp_path):
    run = shutil.copytree(karate_run, tmp_path / "run")
    (run / "summary.json").unlink()
    with pytest.raises(RunError, match="not finished"):
        evaluate_run(RunFolder.open(run))


def test_nothing_is_written_before_everything_is_checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for wrong in ("model.latent=x", "model.decoder=x", "model.posterior=x", "data.name=x"):
        config = load_config(assignments=["data.name=karate", wrong])
        with pytest.raises(HypgraphError):
            LinkPrediction.prepare(config)
        with pytest.raises(HypgraphError):
            seeds.train(config, tmp_path / "run", listener=None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cause", ["training.lr=1e30", "model.gain=1e300", "model.beta=1e300", "model.c=1e300"])
def test_a_numerical_failure_names_the_epoch_and_leaves_a_run_that_can_be_read(cause, train, tmp_path):
    with pytest.raises(NumericalError, match="epoch 1") as caught:
        train(tmp_path / "run", cause)
    assert len(str(caught.value).splitlines()) == 1
    content = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert content["state"]["epoch"] == len(lines_of(tmp_path / "run"))
    assert not (tmp_path / "run" / "summary.json").exists()


def test_a_failure_in_the_middle_keeps_the_epochs_before_it_and_can_be_repeated(train, tmp_path, monkeypatch):
    from hypgraph.models import VGAE
    from tests.experiments.conftest import Silent

    whole = train(tmp_path / "whole")
    real, calls = VGAE.objective, []

    def breaks_in_the_fourth(self, *args, **kwargs):
        calls.append(1)
        terms = real(self, *args, **kwargs)
        return terms._replace(kl=terms.kl * math.nan) if len(calls) == 4 else terms

    monkeypatch.setattr(VGAE, "objective", breaks_in_the_fourth)
    with pytest.raises(NumericalError, match=r"kl.*epoch 4"):
        train(tmp_path / "run")
    assert torch.load(tmp_path / "run/checkpoint.pt", weights_only=True)["state"]["epoch"] == 3
    assert lines_of(tmp_path / "run") == lines_of(whole)[:3]
    seeds.resume(RunFolder.open(tmp_path / "run"), Silent())  # the fifth call and later ones do not break
    assert figures_of(tmp_path / "run") == figures_of(whole)
