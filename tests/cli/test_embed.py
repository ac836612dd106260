"""``hypgraph embed``: a hierarchy drawn in the disk."""

import json
import re
import shlex

import networkx as nx
import numpy as np
import pytest

from tests.cli.program import hypgraph, tree

TREE = ("embed", "--data", "tree:depth=5")


def test_a_tree_is_drawn_without_a_fault_and_the_report_says_so(here):
    outcome = hypgraph(*TREE, "--out", "run")
    assert outcome.code == 0
    summary = json.loads((here / "run" / "summary.json").read_text())
    assert summary["mean_average_precision"] == 1.0
    assert summary["mean_rank"] == 1.0
    assert summary["distortion"] < 0.1
    assert [row["nodes"] for row in summary["radius_by_depth"]] == [1, 2, 4, 8, 16, 32]
    assert "reconstruction mAP   1.0000" in outcome.out
    assert summary["method"] in outcome.out


def test_what_it_leaves_are_exact_polar_coordinates_beside_those_of_the_ball(here):
    hypgraph(*TREE, "--c", 0.25, "--out", "run", "-q")
    assert sorted(path.name for path in (here / "run").iterdir()) == [
        "config.json",
        "embeddings.npz",
        "environment.json",
        "summary.json",
    ]
    arrays = np.load(here / "run" / "embeddings.npz")
    assert set(arrays) == {"node_id", "loc", "scale", "c", "manifold", "radius", "direction"}
    ball = 2 * np.tanh(0.25 * arrays["radius"])[:, None] * arrays["direction"]
    np.testing.assert_allclose(arrays["loc"], ball, atol=1e-15)
    assert 0.5 * arrays["radius"].max() <= 36
    assert not arrays["scale"].any()


def test_the_curvature_is_a_unit_of_length(here):
    for c in (1, 4):
        hypgraph(*TREE, "--c", c, "--out", f"c{c}", "-q")
    one, four = (np.load(here / f"c{c}" / "embeddings.npz")["radius"] for c in (1, 4))
    np.testing.assert_allclose(four, one / 2, rtol=1e-12)


def test_the_commands_that_are_suggested_work():
    outcome = hypgraph(*TREE, "--out", "my tree")
    suggested = [line.strip() for line in outcome.out.splitlines() if line.startswith("  hypgraph ")]
    assert [shlex.split(line)[1] for line in suggested] == ["view", "neighbors", "export"]
    for line in suggested:
        assert hypgraph(*shlex.split(line)[1:]).code == 0


def test_the_same_seed_gives_the_same_bytes(here):
    graph = nx.connected_watts_strogatz_graph(40, 4, 0.2, seed=1)
    nx.write_edgelist(graph, here / "ring.edges", data=False)
    for name in ("one", "two"):
        assert hypgraph("embed", "--data", "ring.edges", "--out", name, "-q").out == f"{name}\n"
    assert tree(here / "one")["embeddings.npz"] == tree(here / "two")["embeddings.npz"]


def test_uncertainty_gives_every_node_a_scale(here):
    hypgraph(*TREE, "--uncertainty", "--out", "run", "-q")
    assert (np.load(here / "run" / "embeddings.npz")["scale"] > 0).all()
    summary = json.loads((here / "run" / "summary.json").read_text())
    assert summary["mean_average_precision"] >= 0.99
    assert hypgraph("plot", "run", "-o", "soft.png", "--posteriors").code == 0


def test_the_configuration_of_a_drawing_makes_it_again(here):
    hypgraph(*TREE, "--dim", 3, "--seed", 5, "--out", "run", "-q")
    hypgraph("embed", "--config", "run/config.json", "--out", "again", "-q")
    first, second = (tree(here / name) for name in ("run", "again"))
    assert first["config.json"] == second["config.json"]
    assert first["embeddings.npz"] == second["embeddings.npz"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--dim", 1), "hypgraph: --dim (embedding.dim) should be greater than or equal to 2, got 1"),
        (("--c", "-1"), "hypgraph: --c (embedding.c) should be greater than or equal to"),
        (("--seed", "-1"), "hypgraph: --seed (embedding.seed) should be greater than or equal to 0, got -1"),
        (("--data", "tre:depth=3"), "did you mean"),
        (("--data", "nowhere.csv"), "nowhere.csv"),
        (("--directd",), "--directd"),
        (("--features", "degree"), "a drawing sees no features"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(here, arguments, words):
    assert words in hypgraph("embed", "--data", "karate", *arguments, "--out", "run").error
    assert not list(here.iterdir())


def test_a_wrong_value_of_a_configuration_file_is_named_by_its_key(here):
    (here / "flat.toml").write_text('[data]\nname = "karate"\n[embedding]\ndim = 1\n')
    line = hypgraph("embed", "--config", "flat.toml", "--c", 2, "--out", "run").error
    assert line == "hypgraph: embedding.dim should be greater than or equal to 2, got 1\n"


def test_verbs_for_trained_runs_refuse_a_drawing_in_one_line(here):
    hypgraph(*TREE, "--out", "run", "-q")
    before = tree(here)
    for verb in (("evaluate", "run"), ("train", "--resume", "run"), ("embed-new", "run", "--edges", "x.csv")):
        assert re.search(r"run is a drawing made by hypgraph embed", hypgraph(*verb).error)
    assert "hypgraph embed --config" in hypgraph("train", "--config", "run/config.json").error
    assert "holds a drawing already" in hypgraph(*TREE, "--out", "run").error
    assert tree(here) == before


def test_a_configuration_of_training_is_refused(karate_run):
    assert "not of a drawing" in hypgraph("embed", "--config", karate_run / "config.json").error


def test_ctrl_c_leaves_nothing(here, monkeypatch):
    def stop(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("hypgraph.experiments.drawing.embed_hierarchy", stop)
    outcome = hypgraph(*TREE, "--out", "run")
    assert outcome.code == 130
    assert "nothing was written" in outcome.err
    assert not list(here.iterdir())


def test_a_folder_of_the_users_own_keeps_what_is_put_into_it_meanwhile(here, monkeypatch):
    def put_and_stop(*_arguments, **_options):
        (here / "mine" / "notes.txt").write_text("mine")
        raise KeyboardInterrupt

    (here / "mine").mkdir()
    monkeypatch.setattr("hypgraph.experiments.drawing.embed_hierarchy", put_and_stop)
    assert hypgraph(*TREE, "--out", "mine").code == 130
    assert [path.name for path in here.rglob("*")] == ["mine", "notes.txt"]


def test_a_drawing_whose_edges_have_changed_is_not_shown_with_the_new_ones(here):
    (here / "tree.csv").write_text("a,b\nb,c\nc,d\n")
    hypgraph("embed", "--data", "tree.csv", "--out", "run", "-q")
    (here / "tree.csv").write_text("a,b\na,c\nc,d\n")
    outcome = hypgraph("view", "run")
    assert outcome.code == 0
    assert "without labels and edges: run: the data have changed" in outcome.err
    assert "the data have changed" in hypgraph("export", "run", "--format", "graphml").error


def test_a_graph_has_to_be_named():
    assert "--data FILE" in hypgraph("embed", "--out", "run").error


def test_a_graph_without_an_edge_is_one_line_with_its_name(here):
    (here / "alone.csv").write_text("a,a\n")
    assert "alone.csv: has no edge" in hypgraph("embed", "--data", "alone.csv", "--out", "run").error
    assert not (here / "run").exists()


def test_parent_and_child_are_a_header(here):
    (here / "tree.csv").write_text("Parent,Child\na,b\na,c\n")
    hypgraph("embed", "--data", "tree.csv", "--out", "run", "-q")
    assert np.load(here / "run" / "embeddings.npz")["node_id"].tolist() == ["a", "b", "c"]
