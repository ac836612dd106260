"""``hypgraph train``: what it prints, what it leaves, which value of an option counts."""

import json
import re
import shlex

import numpy as np
import pytest

from hypgraph.config import load_config
from tests.cli.program import hypgraph, tree

QUICK = ["--data", "karate", "--epochs", "3", "--dim", "2"]


def config_of(path):
    return load_config(path / "config.json")


def test_the_result_stands_beside_the_baselines_and_says_what_to_do_next(here):
    outcome = hypgraph("train", *QUICK, "--out", "run")
    assert outcome.code == 0
    summary = json.loads((here / "run" / "summary.json").read_text())
    row = re.search(r"poincare d=2, crofton[^\n]*", outcome.out).group()
    shown = [float(figure) for figure in re.findall(r"\d+\.\d\d", row)]
    metrics = summary["metrics"]
    expected = [metrics[which][name] for which in ("val", "test") for name in ("auc", "ap")]
    assert shown == [round(100 * value, 2) for value in expected]
    for label in ("common neighbours", "personalised PageRank"):
        assert label in outcome.out
    for then in (
        "Run folder: run",
        "hypgraph view run",
        "hypgraph neighbors run --node",
        "hypgraph export run --format",
    ):
        assert then in outcome.out


def test_the_commands_that_are_suggested_work(here):
    outcome = hypgraph("train", *QUICK, "--out", "my runs/first one")
    suggested = [line.strip() for line in outcome.out.splitlines() if line.startswith("  hypgraph ")]
    assert [shlex.split(line)[1] for line in suggested] == ["view", "neighbors", "export"]
    for line in suggested:
        _program, *arguments = shlex.split(line)
        assert hypgraph(*arguments).code == 0
    assert (here / "my runs" / "first one" / "embeddings.csv").exists()
    assert (here / "my runs" / "first one" / "disk.html").exists()


def test_progress_off_a_terminal_is_plain_lines_on_standard_error():
    outcome = hypgraph("train", *QUICK, "--out", "run")
    lines = [line for line in outcome.err.splitlines() if line.startswith("epoch")]
    assert len(lines) == 3
    for word in ("loss", "reconstruction", "KL", "val AUC", "epochs/s"):
        assert word in lines[-1]
    assert "\x1b" not in outcome.err + outcome.out


def test_centres_that_all_lie_at_the_origin_are_said(monkeypatch):
    fallen = iter([False, True, True, True])
    monkeypatch.setattr("hypgraph.experiments.link_prediction.all_at_origin", lambda *_args: next(fallen))
    assert "origin" not in hypgraph("train", *QUICK, "--out", "fine").out
    text = "very centre lies at the origin, so the latents say nothing; try model.nonnegative=false, a lower --lr"
    assert f"\nE{text}" in hypgraph("train", *QUICK, "--out", "fallen").out
    assert f"\nWith seed 0, 1 e{text}" in hypgraph("train", *QUICK, "--seeds", "2", "--out", "both").out


def test_what_cannot_be_compiled_is_told_of_once_for_all_seeds_and_halves():
    options = ["--data", "karate", "--decoder", "hybrid", "--compile", "--seeds", 2, "--set", "training.epochs=1"]
    outcome = hypgraph("train", *options)
    assert outcome.code == 0
    notes = [line for line in outcome.err.splitlines() if line.startswith("Note:")]
    assert notes == ["Note: the step is not compiled: the hybrid decoder's step changes from fold to fold"]


def test_quiet_prints_the_path_and_nothing_else():
    outcome = hypgraph("train", *QUICK, "--out", "run", "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "run\n", "")


def test_without_out_the_folder_is_named_for_data_latent_time_and_seed(here):
    for _ in range(2):
        assert hypgraph("train", *QUICK, "--seed", "7", "--latent", "lorentz", "-q").code == 0
    names = [path.name for path in (here / "results").iterdir()]
    assert len(names) == 2
    for name in names:
        assert re.fullmatch(r"karate-lorentz-\d{8}-\d{6}-7(-2)?", name)


def test_every_flag_reaches_the_configuration(here):
    flags = {
        "data.name": ("--data", "karate"),
        "model.latent": ("--latent", "lorentz"),
        "model.dim": ("--dim", 3),
        "model.c": ("--c", 0.5),
        "model.posterior": ("--posterior", "rown"),
        "model.prior": ("--prior", "riemannian"),
        "model.prior_scale": ("--prior-scale", 1.7),
        "model.decoder": ("--decoder", "mlp"),
        "training.epochs": ("--epochs", 2),
        "training.patience": ("--patience", 9),
        "training.lr": ("--lr", 0.02),
        "training.seed": ("--seed", 4),
        "training.seeds": ("--seeds", 1),
        "training.device": ("--device", "cpu"),
    }
    options = [part for pair in flags.values() for part in pair] + ["--learn-c"]
    flags["model.learn_c"] = ("--learn-c", True)
    assert hypgraph("train", *options, "--data-root", here, "--out", "run", "-q").code == 0
    config = config_of(here / "run").model_dump()
    for key, (_flag, value) in flags.items():
        section, name = key.split(".")
        assert config[section][name] == value
    assert config["data"]["root"] == here


def test_a_learnt_curvature_is_reported_and_exported(here):
    options = ("--data", "karate", "--epochs", "5", "--learn-c", "--c", "0.5")
    assert hypgraph("train", *options, "--out", "one", "-q").code == 0
    summary = json.loads((here / "one/summary.json").read_text())
    assert summary["learn_c"] is True
    assert summary["c"] != 0.5
    assert abs(summary["c"] - 0.5) < 0.05
    with np.load(here / "one/embeddings.npz", allow_pickle=False) as arrays:
        assert arrays["c"] == summary["c"]
    assert hypgraph("evaluate", "one").code == 0
    assert hypgraph("train", *options, "--seeds", "2", "--out", "two", "-q").code == 0
    assert json.loads((here / "two/summary.json").read_text())["c"][0] == summary["c"]


def test_a_file_gives_way_to_flags_and_flags_to_set(here):
    (here / "run.toml").write_text("[model]\ndim = 2\nc = 0.1\nhidden = 5\n")
    hypgraph(
        *["train", "--data", "karate", "--epochs", "2", "--out", "run", "-q", "--config", "run.toml"],
        *["--dim", "3", "--c", "0.2", "--set", "model.c=0.3"],
    )
    model = config_of(here / "run").model
    assert (model.hidden, model.dim, model.c) == (5, 3, 0.3)


def test_the_configuration_of_a_run_makes_the_same_run_again(here):
    assert hypgraph("train", *QUICK, "--seed", 3, "--decoder", "mlp", "--out", "first", "-q").code == 0
    assert hypgraph("train", "--config", "first/config.json", "--out", "second", "-q").code == 0
    for name in ("config.json", "metrics.jsonl"):
        assert (here / "first" / name).read_bytes() == (here / "second" / name).read_bytes()


def test_what_config_show_prints_makes_the_same_run(here):
    (here / "shown.toml").write_text(hypgraph("config", "show", "--set", "model.dim=2").out)
    assert hypgraph("train", *QUICK, "--out", "first", "-q").code == 0
    assert hypgraph("train", *QUICK, "--config", "shown.toml", "--out", "second", "-q").code == 0
    assert (here / "first/metrics.jsonl").read_bytes() == (here / "second/metrics.jsonl").read_bytes()


@pytest.mark.parametrize("separator", [",", "\t", " "])
def test_people_train_on_their_own_edges(separator, here):
    lines = [f"node {u}{separator}node {v}" if separator != " " else f"n{u} n{v}" for u, v in ring_with_chords(30)]
    (here / "mine.txt").write_text("\n".join(lines))
    assert hypgraph("train", "--data", "mine.txt", "--epochs", 2, "--out", "run", "-q").code == 0
    summary = json.loads((here / "run/summary.json").read_text())
    assert summary["data"] == "mine"
    assert summary["graph"]["nodes"] == 30
    assert summary["graph"]["edges"] == 60
    assert {"common_neighbours", "personalised_pagerank", "adamic_adar", "katz"} <= set(summary["baselines"])
    assert not any(key.startswith("cosine") for key in summary["baselines"])


def ring_with_chords(nodes):
    return [(u, (u + step) % nodes) for u in range(nodes) for step in (1, 5)]


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_data_outside_the_project_are_found_under_the_data_root(how, here, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("\n".join(f"{u} {v}" for u, v in ring_with_chords(30)))
    extra = ["--data-root", "../data"] if how == "flag" else []
    if how == "environment":
        monkeypatch.setenv("HYPGRAPH_DATA", str(tmp_path / "data"))
    assert hypgraph("train", "--data", "mine.txt", "--epochs", 2, "--out", "run", "-q", *extra).code == 0
    monkeypatch.delenv("HYPGRAPH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert hypgraph("evaluate", here / "run").code == 0


def test_resume_takes_no_other_option(karate_run):
    before = tree(karate_run)
    for flag, value in {"epochs": 9, "out": "x", "set": "model.c=2", "config": "f"}.items():
        line = hypgraph("train", "--resume", karate_run, f"--{flag}", value).error
        assert "--resume" in line
        assert flag in line
    assert tree(karate_run) == before


def test_resuming_a_finished_run_prints_its_result_and_changes_nothing(karate_run):
    before = tree(karate_run)
    outcome = hypgraph("train", "--resume", karate_run)
    assert outcome.code == 0
    assert "poincare d=3" in outcome.out
    assert tree(karate_run) == before


def test_an_interrupt_before_there_is_a_folder_does_not_offer_to_go_on_with_it(here, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("hypgraph.experiments.link_prediction.load_data", interrupted)
    outcome = hypgraph("train", *QUICK, "--out", "run")
    assert outcome.code == 130
    assert "--resume run" not in outcome.err
    assert tree(here) == {}


def test_a_disk_that_is_full_is_one_line(monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torch.save", full)
    assert "No space left" in hypgraph("train", *QUICK, "--out", "run", "-q").error
