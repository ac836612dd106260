"""Data sets by name, and what ``--data`` may be."""

import hashlib
import os
import re
import socket
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from hypgraph.data import CATALOGUE, load_graph
from hypgraph.data import bundled as bundled_module
from hypgraph.exceptions import ConfigError, DataError

DATASETS = Path(__file__).resolve().parents[2] / "datasets"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another working directory, and no network."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYPGRAPH_DATA", raising=False)
    return tmp_path


DATA_ROOT = Path(os.environ["HYPGRAPH_DATA"]) if os.environ.get("HYPGRAPH_DATA") else None


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_data_set_loads_offline_from_any_folder_and_has_the_stated_counts(name, elsewhere):
    entry = CATALOGUE[name]
    if not entry.is_here(DATA_ROOT):
        pytest.skip("its files are not here; see hypgraph data fetch")
    graph = load_graph(name, data_root=DATA_ROOT)
    assert graph.name == name
    assert (graph.num_nodes, graph.num_edges) == (entry.nodes, entry.edges)
    assert (0 if graph.features is None else graph.features.shape[1]) == entry.features
    assert (0 if graph.labels is None else len(np.unique(graph.labels[graph.labels >= 0]))) == entry.classes
    assert list(elsewhere.iterdir()) == []


def test_cora_is_the_cora_of_the_literature():
    graph = load_graph("cora")
    assert graph.features.nnz == graph.features.sum() == 49_216
    assert (graph.self_loops_dropped, graph.duplicates_dropped) == (0, 5429 - 5278)
    assert dict(zip(graph.label_names, np.bincount(graph.labels).tolist(), strict=True)) == {
        "Case_Based": 298,
        "Genetic_Algorithms": 418,
        "Neural_Networks": 818,
        "Probabilistic_Methods": 426,
        "Reinforcement_Learning": 217,
        "Rule_Learning": 180,
        "Theory": 351,
    }


def test_features_labels_and_edges_of_cora_belong_to_their_paper():
    # Paper 35 is on genetic algorithms, is the most cited one, and paper 1033 cites it (cora.cites, line 1).
    graph = load_graph("cora")
    degree = np.bincount(graph.edge_index.numpy().ravel(), minlength=graph.num_nodes)
    (paper,), (citing,) = np.flatnonzero(graph.node_id == 35), np.flatnonzero(graph.node_id == 1033)
    assert degree.argmax() == paper
    assert graph.label_names[graph.labels[paper]] == "Genetic_Algorithms"
    assert [min(paper, citing), max(paper, citing)] in graph.edge_index.T.tolist()
    # Words and topics of neighbours agree far more often than those of random pairs: nothing was shuffled.
    u, v = graph.edge_index.numpy()
    assert (graph.labels[u] == graph.labels[v]).mean() > 0.8
    together = (graph.features @ graph.features.T).toarray()
    assert together[u, v].mean() > 2 * together.mean()  # 2.9 times; shuffled rows would give 1.0


def test_citeseer_is_the_planetoid_form():
    graph = load_graph("citeseer")
    assert graph.features.nnz == graph.features.sum() == 105_165
    assert (graph.self_loops_dropped, graph.duplicates_dropped) == (124, 56)
    unknown = np.flatnonzero(graph.labels == -1)
    assert len(unknown) == 15
    assert graph.features[unknown].nnz == 0
    degree = np.bincount(graph.edge_index.numpy().ravel(), minlength=graph.num_nodes)
    assert (degree == 0).sum() == 48
    u, v = graph.edge_index.numpy()
    assert (graph.labels[u] == graph.labels[v]).mean() > 0.7


def test_karate_is_the_one_of_networkx():
    graph, oracle = load_graph("karate"), nx.karate_club_graph()
    assert {tuple(e) for e in graph.edge_index.T.tolist()} == {tuple(sorted(e)) for e in oracle.edges}
    assert [graph.label_names[i] for i in graph.labels] == [
        oracle.nodes[n]["club"] for n in graph.node_id.tolist()
    ]


@pytest.mark.parametrize("name", ["cora", "citeseer"])
def test_the_checksums_in_the_readme_are_those_of_the_files(name):
    readme = (DATASETS / "README.md").read_text(encoding="utf-8")
    (stated,) = re.findall(rf"([0-9a-f]{{64}})  {name}/{name}\.npz", readme)
    assert hashlib.sha256((DATASETS / name / f"{name}.npz").read_bytes()).hexdigest() == stated


def test_cora_is_small():
    assert (DATASETS / "cora" / "cora.npz").stat().st_size <= 95_000


def test_the_copy_inside_the_package_comes_before_that_of_the_checkout(tmp_path, monkeypatch):
    inside = tmp_path / "_bundled" / "cora" / "cora.npz"
    monkeypatch.setattr(bundled_module, "files", lambda _package: tmp_path)
    assert bundled_module._bundled_file("cora") == DATASETS / "cora" / "cora.npz"
    inside.parent.mkdir(parents=True)
    inside.write_bytes((DATASETS / "cora" / "cora.npz").read_bytes())
    assert bundled_module._bundled_file("cora") == inside


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", "cut"])
def test_a_missing_or_damaged_bundled_file_is_one_line(content, tmp_path, monkeypatch):
    path = tmp_path / "cora.npz"
    if content == "cut":
        content = (DATASETS / "cora" / "cora.npz").read_bytes()[:50_000]
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(bundled_module, "_bundled_file", lambda _name: path)
    with pytest.raises(DataError, match="'cora' is missing or damaged") as caught:
        load_graph("cora")
    assert "\n" not in str(caught.value)


def test_a_path_is_read_as_an_edge_list(elsewhere):
    (elsewhere / "mine.csv").write_text("a,b\n")
    (elsewhere / "cora").write_text("a,b\n")
    assert load_graph("mine.csv").name == "mine"
    assert load_graph("./cora").num_edges == 1
    assert load_graph("cora").num_edges == 5278


def test_a_relative_path_is_also_looked_for_under_the_data_root(elsewhere, monkeypatch):
    root = elsewhere / "root"
    root.mkdir()
    (root / "mine.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="no such file"):
        load_graph("mine.csv")
    assert load_graph("mine.csv", data_root=root).num_edges == 1
    monkeypatch.setenv("HYPGRAPH_DATA", str(root))
    assert load_graph("mine.csv").num_edges == 1
    (elsewhere / "mine.csv").write_text("a,b\nb,c\n")
    assert load_graph("mine.csv").num_edges == 2
    with pytest.raises(DataError, match="nor under"):
        load_graph("other.csv")


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("data", ["nowhere.csv", "nowhere.EDGES", "a/b", "./cor"])
def test_what_looks_like_a_path_is_a_missing_file(data):
    with pytest.raises(DataError, match=rf"^{re.escape(data)}: no such file; 'hypgraph data list' shows"):
        load_graph(data)


@pytest.mark.usefixtures("elsewhere")
def test_any_other_name_is_an_unknown_data_set_with_a_suggestion():
    with pytest.raises(
        ConfigError, match=r"unknown data set 'Corra'; did you mean 'cora'\? known: cora, citeseer"
    ):
        load_graph("Corra")
    with pytest.raises(ConfigError, match="unknown data set ''"):
        load_graph("")
    with pytest.raises(ConfigError, match="unknown data set"):
        load_graph("n" * 5000)


def test_a_folder_is_no_graph(elsewhere):
    (elsewhere / "folder").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        load_graph("folder")
