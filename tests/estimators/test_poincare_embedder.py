"""A hierarchy as an estimator: what it leaves agrees with the geometry, and with the graph."""

import math
import pickle
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from hypgraph import PoincareEmbedder
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.random import stream
from tests.estimators import stand_in

TREE = nx.relabel_nodes(nx.balanced_tree(2, 3), lambda i: f"node {(7 * i) % 15}")


@pytest.fixture(scope="module")
def drawn() -> PoincareEmbedder:
    return PoincareEmbedder(random_state=0).fit(TREE)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the embedding of hierarchies is asked; its answer is that of the stand-in."""
    seen: list[dict[str, Any]] = []

    def record(edge_index: torch.Tensor, num_nodes: int, **options: Any) -> Any:
        state = options["generator"].get_state()
        seen.append({"edges": edge_index.tolist(), "nodes": num_nodes, **options, "state": state})
        return stand_in.draw_points(edge_index, num_nodes, **options)

    monkeypatch.setattr(stand_in.TARGET, record)
    return seen


def ball_distances(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """arccosh(1 + 2‖x-y‖²/((1-‖x‖²)(1-‖y‖²))): curvature -1."""
    gap = 1 - (x**2).sum(1)
    square = ((x[:, None] - x) ** 2).sum(-1)
    result: NDArray[np.float64] = np.arccosh(1 + 2 * square / (gap[:, None] * gap))
    return result


def mean_average_precision(graph: nx.Graph, distances: NDArray[np.float64]) -> float:
    """Ties, to 9 decimals, count against it."""
    nodes = list(graph)
    means = []
    for i, node in enumerate(nodes):
        near = [nodes.index(other) for other in graph[node]]
        precision = []
        for j in near:
            within = [k for k in range(len(nodes)) if k != i and distances[i, k] <= distances[i, j] + 1e-9]
            precision.append(len(set(within) & set(near)) / len(within))
        means.append(np.mean(precision))
    return float(np.mean(means))


def test_neighbours_of_a_tree_are_the_nearest(drawn: PoincareEmbedder) -> None:
    assert drawn.nodes_.tolist() == list(TREE)
    assert drawn.embedding_.shape == (15, 2)
    assert drawn.embedding_.dtype == np.float64
    distances = ball_distances(drawn.embedding_)
    assert mean_average_precision(TREE, distances) > 0.99
    assert drawn.map_ == pytest.approx(mean_average_precision(TREE, distances), abs=1e-9)
    assert drawn.mean_rank_ == pytest.approx(1.0, abs=0.1)


@pytest.mark.usefixtures("calls")
def test_the_measure_is_that_of_the_points_also_where_they_are_bad() -> None:
    embedder = PoincareEmbedder(random_state=5).fit(TREE)
    expected = mean_average_precision(TREE, ball_distances(embedder.embedding_))
    assert expected < 0.8
    assert embedder.map_ == pytest.approx(expected, abs=1e-12)
    assert embedder.mean_rank_ > 1.5
    assert embedder.method_ == "drawn"


@pytest.mark.parametrize("c", [1.0, 0.25])
def test_ball_coordinates_belong_to_the_polar_ones(calls: list[dict[str, Any]], c: float) -> None:
    embedder = PoincareEmbedder(3, c=c, random_state=0).fit(TREE)
    np.testing.assert_allclose(np.linalg.norm(embedder.direction_, axis=1), 1.0, rtol=1e-12)
    length = np.tanh(math.sqrt(c) * embedder.radius_ / 2) / math.sqrt(c)
    np.testing.assert_allclose(embedder.embedding_, length[:, None] * embedder.direction_, rtol=1e-12)
    assert embedder.c_ == c
    assert calls[0]["c"] == c
    assert calls[0]["dim"] == 3


COLUMNS = {
    "tangent": lambda r, u: r * u,
    "ball": lambda r, u: np.tanh(r / 2) * u,
    "klein": lambda r, u: np.tanh(r) * u,
    "lorentz": lambda r, u: np.hstack([np.cosh(r), np.sinh(r) * u]),
    "polar": lambda r, u: np.hstack([r, u]),
}


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("coords", COLUMNS)
def test_the_output_is_in_the_coordinates_that_were_asked_for(coords: str) -> None:
    embedder = PoincareEmbedder(coords=coords, random_state=1)
    output = embedder.fit_transform(TREE)
    expected = COLUMNS[coords](embedder.radius_[:, None], embedder.direction_)
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-15)
    names = embedder.get_feature_names_out()
    assert names.tolist() == [f"poincareembedder{k}" for k in range(output.shape[1])]


@pytest.mark.usefixtures("calls")
def test_coordinates_may_change_after_the_fit() -> None:
    embedder = PoincareEmbedder(random_state=1).fit(TREE)
    embedder.set_params(coords="lorentz")
    assert embedder.transform(TREE).shape == (15, 3)
    assert len(embedder.get_feature_names_out()) == 3
    with pytest.raises(ConfigError, match="unknown coords 'none'"):
        embedder.set_params(coords="none").transform(TREE)


def test_coordinates_that_cannot_hold_a_point_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def far(*args: Any, **options: Any) -> Any:
        near = stand_in.draw_points(*args, **options)
        points = near.points._replace(radius=near.points.radius + 25)
        return stand_in.HierarchyEmbedding(near.manifold, points, None, "far", ())

    monkeypatch.setattr(stand_in.TARGET, far)
    embedder = PoincareEmbedder(coords="klein", random_state=0)
    with pytest.warns(UserWarning, match="15 of 15 nodes lie beyond .* coords=polar is exact"):
        embedder.fit_transform(TREE)
    exact = embedder.set_params(coords="tangent").transform(TREE)
    assert np.linalg.norm(exact, axis=1) == pytest.approx(embedder.radius_, rel=1e-12)


def test_the_posteriors_are_those_of_the_points(calls: list[dict[str, Any]]) -> None:
    certain = PoincareEmbedder(random_state=0).fit(TREE)
    uncertain = PoincareEmbedder(uncertainty=True, random_state=0).fit(TREE)
    assert [call["uncertainty"] for call in calls] == [False, True]
    assert not certain.scale_.any()
    np.testing.assert_allclose(uncertain.scale_, np.full((15, 2), 0.1), rtol=1e-7)
    np.testing.assert_allclose(uncertain.embedding_, certain.embedding_, rtol=1e-9)
    embeddings = uncertain.to_embeddings()
    assert embeddings.node_id.tolist() == list(TREE)
    assert (embeddings.manifold, embeddings.c) == ("poincare", 1.0)


@pytest.mark.parametrize("X", [sp.csr_array((3, 3)), np.array([["a", "a"]])], ids=["empty", "loop"])
def test_a_graph_without_edges_is_refused(X: Any) -> None:
    with pytest.raises(DataError, match="X has no edge"):
        PoincareEmbedder().fit(X)


def test_an_integer_is_the_seed_of_the_command_line(calls: list[dict[str, Any]]) -> None:
    for seed in (3, np.int64(3)):
        PoincareEmbedder(random_state=seed).fit(TREE)
    expected = stream(3, "embed").get_state()
    assert all(torch.equal(call["state"], expected) for call in calls)


@pytest.mark.usefixtures("calls")
def test_a_random_state_moves_on_and_none_is_another_draw_each_time() -> None:
    state = np.random.RandomState(0)
    moving = PoincareEmbedder(random_state=state)
    first, second = (moving.fit(TREE).embedding_ for _ in range(2))
    again = PoincareEmbedder(random_state=np.random.RandomState(0)).fit(TREE).embedding_
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
    fresh = PoincareEmbedder()
    assert not np.array_equal(fresh.fit(TREE).embedding_, fresh.fit(TREE).embedding_)


def test_nothing_draws_from_the_generator_of_torch() -> None:
    before = torch.get_rng_state()
    PoincareEmbedder(random_state=0).fit(TREE)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_same_seed_gives_the_same_bytes(drawn: PoincareEmbedder) -> None:
    again = clone(drawn).fit(TREE)
    assert again.embedding_.tobytes() == drawn.embedding_.tobytes()


def test_directions_are_passed_on_unless_they_are_given_up(calls: list[dict[str, Any]]) -> None:
    taxonomy = nx.DiGraph([("dog", "animal"), ("cat", "animal")])
    PoincareEmbedder().fit(taxonomy)
    PoincareEmbedder(directed=False).fit(taxonomy)
    PoincareEmbedder(directed=True).fit(np.array([["dog", "animal"]]))
    assert [call["directed"] for call in calls] == [True, False, True]
    assert calls[0]["edges"] == [[0, 2], [1, 1]]  # nodes in the order of the graph: dog, animal, cat


def test_transform_knows_the_graph_in_any_form_and_no_other() -> None:
    path = nx.path_graph(6)
    embedder = PoincareEmbedder(random_state=0)
    rows = embedder.fit_transform(path)
    np.testing.assert_array_equal(embedder.transform(path), rows)
    np.testing.assert_array_equal(embedder.transform(nx.to_scipy_sparse_array(path)), rows)
    with pytest.raises(DataError, match=r"another graph .* call fit_transform") as error:
        embedder.transform(nx.path_graph(7))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ask", [lambda e: e.transform(TREE), lambda e: e.to_embeddings()])
def test_what_needs_a_fit_says_so(ask: Any) -> None:
    with pytest.raises(NotFittedError, match="PoincareEmbedder"):
        ask(PoincareEmbedder())


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"dim": 1}, r"dim .* got 1"),
        ({"dim": "two"}, r"dim .* got two"),
        ({"c": 0.0}, r"c should be greater than or equal to 0.000001, got 0"),
        ({"c": -1.0}, r"c should be greater than or equal to 0.000001, got -1"),
        ({"uncertainty": "much"}, "uncertainty"),
        ({"coords": "bal"}, "did you mean 'ball'"),
        ({"coords": None}, "unknown coords"),
        ({"random_state": -1}, "random_state is -1"),
        ({"random_state": "zero"}, "random_state is 'zero'"),
        ({"directed": 2}, "directed is 2"),
    ],
)
def test_parameters_are_checked_by_fit_in_one_line(wrong: dict[str, Any], match: str) -> None:
    embedder = PoincareEmbedder(**wrong)
    with pytest.raises(ConfigError, match=match) as error:
        embedder.fit(TREE)
    assert "\n" not in str(error.value)


def test_numbers_of_numpy_are_numbers(calls: list[dict[str, Any]]) -> None:
    PoincareEmbedder(np.int64(3), c=np.float32(0.5), uncertainty=np.bool_(True)).fit(TREE)
    assert (calls[0]["dim"], calls[0]["c"], calls[0]["uncertainty"]) == (3, 0.5, True)


def test_a_fitted_embedder_can_be_pickled(drawn: PoincareEmbedder) -> None:
    again = pickle.loads(pickle.dumps(drawn))
    np.testing.assert_array_equal(again.transform(TREE), drawn.transform(TREE))
    assert again.to_embeddings().polar().radius.tolist() == drawn.radius_.tolist()


def test_frames_of_pandas_are_given_on_request(drawn: PoincareEmbedder) -> None:
    pytest.importorskip("pandas")
    framed = clone(drawn).set_output(transform="pandas")
    frame = framed.fit_transform(TREE)
    assert frame.columns.tolist() == ["poincareembedder0", "poincareembedder1"]
    np.testing.assert_array_equal(frame.to_numpy(), drawn.transform(TREE))
