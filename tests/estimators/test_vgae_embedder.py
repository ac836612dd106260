"""The graph auto-encoder as an estimator: what it is trained on, what it leaves, and what it does not look at."""

import pickle
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from torch_geometric.data import Data

from hypgraph import VGAEEmbedder
from hypgraph.config import load_config
from hypgraph.data import Graph, from_networkx, to_pyg
from hypgraph.data.nx import karate
from hypgraph.estimators.vgae_embedder import validation_split
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.random import stream

CLUB = nx.karate_club_graph()
SIDES = np.array([CLUB.nodes[node]["club"] == "Officer" for node in CLUB], dtype=np.int64)
FEATURES = np.random.default_rng(0).normal(size=(34, 6)).astype(np.float32)


def short(**parameters: Any) -> VGAEEmbedder:
    return VGAEEmbedder(**{"dim": 3, "epochs": 8, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def fitted() -> VGAEEmbedder:
    return short().fit(CLUB, features=FEATURES)


@pytest.mark.parametrize(("latent", "ambient"), [("poincare", 3), ("lorentz", 4), ("euclidean", 3)])
def test_the_attributes_of_every_latent_space(latent: str, ambient: int) -> None:
    embedder = short(latent=latent, c=0.5)
    rows = embedder.fit_transform(CLUB, features=FEATURES)
    x, radius = embedder.embedding_, embedder.radius_
    assert x.shape == (34, ambient)
    assert x.dtype == np.float64
    assert embedder.scale_.shape == (34, 3)
    assert (embedder.scale_ > 0).all()
    assert embedder.nodes_.tolist() == list(CLUB)
    assert embedder.n_features_in_ == 6
    assert embedder.c_ == (0.0 if latent == "euclidean" else 0.5)
    # The logarithm at the origin: as long as the distance from there.
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), radius, rtol=1e-12)
    np.testing.assert_allclose(rows, radius[:, None] * embedder.direction_, rtol=1e-12)
    lengths = {
        "euclidean": lambda: np.linalg.norm(x, axis=1),
        "poincare": lambda: 2 / np.sqrt(0.5) * np.arctanh(np.sqrt(0.5) * np.linalg.norm(x, axis=1)),
        "lorentz": lambda: np.arccosh(np.sqrt(0.5) * x[:, 0]) / np.sqrt(0.5),
    }
    np.testing.assert_allclose(lengths[latent](), radius, rtol=1e-6)
    assert embedder.get_feature_names_out().tolist() == [f"vgaeembedder{k}" for k in range(3)]


def normalised(edges: torch.Tensor, count: int) -> NDArray[np.float64]:
    """D̃^-½ (A + I) D̃^-½ of Kipf and Welling 2017, dense."""
    matrix = np.eye(count)
    matrix[edges[0], edges[1]] = matrix[edges[1], edges[0]] = 1
    root = 1 / np.sqrt(matrix.sum(1))
    return root[:, None] * matrix * root


def test_it_is_the_model_of_train_encoded_with_all_edges(fitted: VGAEEmbedder) -> None:
    graph = Graph.from_pairs("X", from_networkx(CLUB).edge_index, node_id=range(34), features=FEATURES)
    given = {"data.name": "X", "model.dim": 3, "training.epochs": 8, "training.device": "cpu"}
    config = load_config(overrides=given)
    split = validation_split(graph, 0.05, generator=stream(0, "split"))
    run = LinkPrediction.prepare(config, graph=graph, split=split)
    while not run.trainer.done:
        run.trainer.run_epoch()
    encoder = run.trainer.best_model().encoder
    weight0, bias0, weight1, bias1 = (
        getattr(encoder, name).detach().double().numpy() for name in ("weight0", "bias0", "weight1", "bias1")
    )
    x = FEATURES / np.linalg.norm(FEATURES, axis=1, keepdims=True)
    average = normalised(graph.edge_index, 34)
    hidden = np.maximum(average @ (x @ weight0) + bias0, 0.0)
    output = average @ (hidden @ weight1) + bias1
    np.testing.assert_allclose(5.0 * output[:, :3], fitted.transform(CLUB), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(0.08 * np.exp(output[:, 3:]).repeat(3, axis=1), fitted.scale_, rtol=1e-4)
    assert run.trainer.best is not None
    assert (fitted.auc_, fitted.ap_) == run.trainer.best.val
    assert fitted.best_epoch_ == run.trainer.best.epoch


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("fraction", [0.001, 0.05, 0.5])
def test_the_split_holds_out_edges_for_validation_alone(directed: bool, fraction: float) -> None:
    oracle = nx.gnp_random_graph(30, 0.15, seed=1, directed=directed)
    graph = from_networkx(oracle, directed=directed)
    split = validation_split(graph, fraction, generator=stream(0, "split"))

    def pairs(edges: torch.Tensor) -> list[tuple[int, int]]:
        return [(u, v) for u, v in edges.T.tolist()]

    train, val, negative = map(pairs, (split.train_edge_index, split.val_edge_index, split.val_neg_edge_index))
    assert len(val) == max(1, int(fraction * oracle.number_of_edges()))
    assert sorted(train + val) == sorted(oracle.edges)
    assert train == sorted(train)
    assert len(set(negative)) == len(negative) == len(val)
    assert not any(oracle.has_edge(*pair) or pair[0] == pair[1] for pair in negative)
    assert split.test_edge_index.shape == split.test_neg_edge_index.shape == (2, 0)
    assert split.directed == directed


def test_labels_are_not_looked_at(fitted: VGAEEmbedder) -> None:
    with_targets = clone(fitted).fit(CLUB, SIDES, features=FEATURES)
    assert with_targets.embedding_.tobytes() == fitted.embedding_.tobytes()
    both_ways = to_pyg(karate()).edge_index
    data = [Data(edge_index=both_ways, x=torch.tensor(FEATURES), y=y) for y in (None, torch.tensor(SIDES))]
    first, second = (clone(fitted).fit(X).embedding_ for X in data)
    assert first.tobytes() == second.tobytes() == fitted.embedding_.tobytes()


def test_features_come_with_the_data_by_themselves_or_by_name(fitted: VGAEEmbedder) -> None:
    named = CLUB.copy()
    nx.set_node_attributes(named, dict(zip(CLUB, FEATURES, strict=True)), "x")
    by_name = clone(fitted).fit(named, features="x")
    assert by_name.embedding_.tobytes() == fitted.embedding_.tobytes()
    without = clone(fitted).fit(CLUB)
    assert not hasattr(without, "n_features_in_")
    assert not np.array_equal(without.embedding_, fitted.embedding_)
    unseen = clone(fitted).set_params(inputs="none").fit(CLUB, features=FEATURES)
    np.testing.assert_array_equal(unseen.embedding_, without.embedding_)


def test_a_refit_without_features_forgets_their_number() -> None:
    embedder = short(epochs=1).fit(CLUB, features=FEATURES)
    assert not hasattr(embedder.fit(CLUB), "n_features_in_")


def test_the_same_seed_gives_the_same_bytes_and_another_others(fitted: VGAEEmbedder) -> None:
    again = clone(fitted).fit(CLUB, features=FEATURES)
    assert again.embedding_.tobytes() == fitted.embedding_.tobytes()
    assert again.scale_.tobytes() == fitted.scale_.tobytes()
    other = clone(fitted).set_params(random_state=1).fit(CLUB, features=FEATURES)
    assert not np.array_equal(other.embedding_, fitted.embedding_)


def test_training_stops_by_patience_and_keeps_the_best_epoch() -> None:
    embedder = short(epochs=300, patience=4).fit(CLUB, features=FEATURES)
    assert embedder.n_iter_ == embedder.best_epoch_ + 4 < 300
    assert 0.0 <= embedder.auc_ <= 1.0


def test_settings_reach_the_model() -> None:
    learnt = short(lr=0.1, settings={"model.learn_c": True}).fit(CLUB)
    assert learnt.c_ != 1.0
    fixed = {"model.gain": 1e-9, "model.initial_scale": 0.25}
    still = short(epochs=1, settings=fixed).fit(CLUB)
    np.testing.assert_allclose(still.radius_, 0.0, atol=1e-6)
    np.testing.assert_allclose(still.scale_, 0.25, rtol=0.5)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"dim": 0}, r"dim .* got 0"),
        ({"latent": "poincar"}, "did you mean 'poincare'"),
        ({"posterior": "normal"}, "unknown posterior 'normal'"),
        ({"decoder": "gyro"}, "unknown decoder 'gyro'"),
        ({"inputs": "all"}, "unknown inputs 'all'"),
        ({"coords": "disk"}, "unknown coords 'disk'"),
        ({"latent": "euclidean", "coords": "ball"}, "Euclidean latent has 'tangent' only"),
        ({"epochs": 0}, r"epochs .* got 0"),
        ({"patience": -1}, r"patience .* got -1"),
        ({"lr": 0.0}, r"lr .* got 0"),
        ({"val_fraction": 1.0}, r"val_fraction .* got 1"),
        ({"device": "tpu"}, r"device .* got tpu"),
        ({"settings": {"model.hiden": 3}}, "did you mean 'hidden'"),
        ({"settings": {"model.dim": 3}}, "settings hold model.dim"),
        ({"settings": {"data.split": "file"}}, "settings hold data.split"),
        ({"settings": {"hidden": 3}}, "section.key"),
        ({"settings": 3}, "section.key"),
    ],
)
def test_parameters_are_checked_by_fit_in_one_line(wrong: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match) as error:
        VGAEEmbedder(**wrong).fit(CLUB)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("graph", "match"),
    [
        (nx.empty_graph(4), "X has 0 edges"),
        (nx.path_graph(2), "X has 1 edges"),
        (nx.complete_graph(5), "too dense"),
    ],
)
def test_graphs_that_cannot_be_validated_are_refused(graph: nx.Graph, match: str) -> None:
    with pytest.raises(DataError, match=match):
        short().fit(graph)


def test_directed_edges_and_names_of_any_kind_are_taken() -> None:
    calls = nx.DiGraph([("main", "parse"), ("main", "run"), ("run", "parse"), ("run", "log"), ("parse", "log")])
    embedder = short(dim=2).fit(calls)
    assert embedder.nodes_.tolist() == ["main", "parse", "run", "log"]


def test_a_fitted_embedder_can_be_pickled(fitted: VGAEEmbedder) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(CLUB), fitted.transform(CLUB))


def test_the_rows_of_the_euclidean_output_are_a_copy() -> None:
    embedder = short(latent="euclidean", epochs=1)
    rows = embedder.fit_transform(CLUB)
    rows[:] = 0
    assert embedder.embedding_.any()


def test_transform_does_not_ask_for_the_features_again(fitted: VGAEEmbedder) -> None:
    assert fitted.transform(CLUB).shape == (34, 3)
    with pytest.raises(DataError, match="another graph"):
        fitted.transform(CLUB.subgraph(range(30)))


def test_a_pipeline_classifies_nodes_whose_labels_it_was_not_told() -> None:
    known = np.zeros(34)
    known[[0, 1, 2, 32, 33, 31]] = 1  # three members of each side
    steps = [("embed", short(epochs=60)), ("scale", StandardScaler()), ("classify", LogisticRegression())]
    pipeline = Pipeline(steps).fit(CLUB, SIDES, classify__sample_weight=known)
    guess = pipeline.predict(CLUB)
    assert (guess == SIDES)[known == 0].mean() > 0.8
    # What it was not told makes no difference.
    wrong = np.where(known == 1, SIDES, 1 - SIDES)
    again = clone(pipeline).fit(CLUB, wrong, classify__sample_weight=known)
    np.testing.assert_allclose(again.decision_function(CLUB), pipeline.decision_function(CLUB), atol=1e-4)


def test_a_pipeline_passes_features_on_and_clusters() -> None:
    steps = [("embed", short(epochs=30)), ("cluster", KMeans(2, n_init=3, random_state=0))]
    groups = Pipeline(steps).fit_predict(CLUB, embed__features=FEATURES)
    assert set(groups.tolist()) == {0, 1}
