"""Classes of nodes from embeddings that have seen no label, and the benchmark that measures it."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hypgraph import VGAEEmbedder
from hypgraph.data import Graph, load_graph

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("node_classification")


def toy() -> Graph:
    """Four nodes, of which the last has no edge and no class."""
    features = np.array([[1.0, 0], [0, 2], [2, 2], [0, 0]])
    return Graph.from_pairs("toy", [[0, 1], [1, 2]], node_id=range(4), features=features, labels=[0, 1, 0, -1])


def test_as_many_nodes_of_each_class_are_known(benchmark: ModuleType) -> None:
    labels = np.repeat([0, 1, -1, 2], [30, 25, 40, 50])
    known = benchmark.known_nodes(labels, 20, np.random.default_rng(0))
    assert len(set(known.tolist())) == 60
    assert np.bincount(labels[known]).tolist() == [20, 20, 20]


def test_the_accuracy_is_of_the_nodes_that_are_not_known(benchmark: ModuleType) -> None:
    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    known = benchmark.known_nodes(labels, 20, draw)
    shown = np.where(labels == 0, -1.0, 1.0)
    shown += 0.01 * draw.normal(size=400)
    asked = np.setdiff1d(np.arange(400), known)
    half = asked[::2]
    shown[half] *= -1  # half of those that are asked look like the other class
    assert benchmark.accuracy(shown[:, None], labels, known) == pytest.approx(50.0)
    unlabelled = labels.copy()
    unlabelled[half] = -1  # which do not count
    assert benchmark.accuracy(shown[:, None], unlabelled, known) == 100.0


def test_propagated_features_are_means_over_a_node_and_its_neighbours(benchmark: ModuleType) -> None:
    root = np.sqrt(0.5)
    x = np.array([[1, 0], [0, 1], [root, root], [0, 0]])
    mean = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]] / np.array([[2], [3], [2], [1]])
    np.testing.assert_allclose(benchmark.propagated_features(toy()).toarray(), mean @ x, rtol=1e-6)


def test_the_table_has_a_row_for_every_representation(
    benchmark: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["", "--seeds", "2", "--epochs", "2", "--labels", "5", "--dim", "2"])
    monkeypatch.setattr(benchmark, "accuracy", lambda rows, _labels, _known: float(rows.shape[1]))
    benchmark.main()
    lines = [line for line in capsys.readouterr().out.splitlines() if "±" in line]
    assert [line.split("|")[2].strip() for line in lines] == ["1433.0 ± 0.0"] * 2 + ["2.0 ± 0.0"] * 2


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_short_training_on_cora_beats_the_features_alone(benchmark: ModuleType, seed: int) -> None:
    cora = load_graph("cora")
    assert cora.labels is not None
    known = benchmark.known_nodes(cora.labels, 20, np.random.default_rng(seed))
    unlabelled = replace(cora, labels=None, label_names=())
    embedded = VGAEEmbedder(epochs=90, random_state=seed).fit_transform(unlabelled)
    alone = benchmark.accuracy(benchmark.features(unlabelled), cora.labels, known)
    assert 50 < alone < 65
    assert benchmark.accuracy(embedded, cora.labels, known) > alone + 3
