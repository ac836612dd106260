"""Posteriors of nodes that a run has not seen, against a second computation of the encoder."""

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.metrics import roc_auc_score

from hypgraph.config import RunConfig, load_config
from hypgraph.data import EdgeSplit, Graph, load_graph, split_edges
from hypgraph.data.feature_weights import inverse_document_frequency, tf_idf
from hypgraph.exceptions import ConfigError, DataError, HypgraphError, RunError
from hypgraph.experiments import seeds
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.experiments.new_nodes import NewNodes, embed_new, encode_with
from hypgraph.random import stream
from hypgraph.run_folder import RunFolder
from tests.experiments.conftest import Silent
from tests.experiments.runs import arrays_of

Rows = dict[str, list[float]]
Pairs = list[tuple[str, str]]
COLUMNS = ("red", "green", "blue", "grey")
OLD = [f"n{i}" for i in range(24)]
NEW_EDGES: Pairs = [("n0", "x"), ("x", "n3"), ("y", "x"), ("n3", "y"), ("n20", "z"), ("z", "n21"), ("z", "n22")]


def write_table(path: Path, rows: Rows, columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *columns])
        writer.writerows([node, *row] for node, row in rows.items())
    return path


def write_edges(path: Path, pairs: Pairs) -> Path:
    path.write_text("".join(f"{u},{v}\n" for u, v in pairs), encoding="utf-8")
    return path


def old_pairs() -> Pairs:
    return [(OLD[i], OLD[(i + step) % 24]) for i in range(24) for step in (1, 5)]


def rows_of(nodes: list[str], kind: str, seed: int) -> Rows:
    """Random features: ``"real"``, or ``"binary"``, of which no old node has the last column."""
    draw = np.random.default_rng(seed)
    if kind == "real":
        table = draw.normal(size=(len(nodes), 4)).astype(np.float32).astype(float)
    else:
        table = (draw.random((len(nodes), 4)) < 0.6).astype(float)
        table[:, 0] = 1 - table[:, 1]  # no row is empty
        table[:, 3] = 0.0 if nodes == OLD else 1.0
    return dict(zip(nodes, table.tolist(), strict=True))


@dataclass
class Case:
    """A run, with what it was trained on."""

    folder: RunFolder
    rows: Rows | None

    @property
    def path(self) -> Path:
        return self.folder.path

    def embed(self, features: Path | None = None, edges: Path | None = None, **options: Any) -> Any:
        return embed_new(self.folder, features, edges, **options)


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Case]:
    def make(kind: str | None, *assignments: str, pairs: Pairs | None = None) -> Case:
        write_edges(tmp_path / "graph.csv", pairs or old_pairs())
        rows = None if kind is None else rows_of(OLD, kind, seed=1)
        given = [f"data.name={tmp_path}/graph.csv"]
        if rows is not None:
            given.append(f"data.features={write_table(tmp_path / 'old.csv', rows)}")
        few = ["model.dim=3", "model.hidden=6", "training.epochs=8", "training.device=cpu", "training.averaging=0"]
        config = load_config(assignments=[*given, *few, *assignments])
        seeds.train(config, tmp_path / "run", Silent())
        return Case(RunFolder.open(tmp_path / "run"), rows)

    return make


def weighted(table: np.ndarray, trained_rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; where training was binary, first times log(N/df) of the trained rows."""
    if np.isin(trained_rows, [0, 1]).all():
        df = (trained_rows != 0).sum(axis=0)
        table = table * [math.log(len(trained_rows) / count) if count else 0.0 for count in df]
    length = np.linalg.norm(table, axis=1, keepdims=True)
    return table / np.where(length == 0, 1, length)


def expected(case: Case, new: list[str], rows: Rows | None, pairs: Pairs, inputs: np.ndarray | None = None) -> Any:
    """Centres (as frame vectors at the origin) and scales of the new nodes, dense and in float64.

    Encoder Â relu(Â X W₀ + b₀) W₁ + b₁ over training and new edges; gain·m and initial_scale·e^s.
    """
    run, config = arrays_of(case.path / "split.npz"), case.folder.config().model
    ids = [str(node) for node in arrays_of(case.path / "embeddings.npz")["node_id"]]
    weights = torch.load(case.path / "checkpoint.pt", weights_only=True)["state"]["best"]["weights"]
    w = {key.removeprefix("encoder."): value.double().numpy() for key, value in weights.items()}
    number = {node: i for i, node in enumerate([*ids, *new])}
    total = len(number)
    a = np.eye(total)
    for u, v in [*run["train_edge_index"].T.tolist(), *((number[u], number[v]) for u, v in pairs)]:
        a[u, v] = a[v, u] = 1
    degree = a.sum(axis=1)
    a = a / (degree[:, None] if config.normalisation == "row" else np.sqrt(np.outer(degree, degree)))
    if inputs is None:
        if case.rows is None:
            x = np.vstack([np.eye(len(ids)), np.zeros((len(new), len(ids)))])
        else:
            old = np.array([case.rows[node] for node in ids])
            fresh = np.array([rows[node] if rows else [0.0] * 4 for node in new])
            x = np.vstack([weighted(old, old), weighted(fresh, old)])
    else:
        x = inputs
    hidden = np.maximum(a @ x @ w["weight0"] + w["bias0"], 0)
    out = (a @ hidden @ w["weight1"] + w["bias1"])[len(ids) :]
    return config.gain * out[:, :3], config.initial_scale * np.exp(out[:, 3:])


def frame_vectors(embeddings: Any) -> np.ndarray:
    """log₀ in the orthonormal frame: geodesic length times direction."""
    loc, k = embeddings.loc, math.sqrt(embeddings.c)
    if embeddings.manifold == "euclidean":
        return loc
    if embeddings.manifold == "lorentz":
        loc = loc[:, 1:]
        length = np.linalg.norm(loc, axis=1, keepdims=True)
        return loc / length * np.arcsinh(k * length) / k
    length = np.linalg.norm(loc, axis=1, keepdims=True)
    return loc / length * 2 * np.arctanh(k * length) / k


def agree(embeddings: Any, oracle: Any) -> None:
    assert frame_vectors(embeddings) == pytest.approx(oracle[0], abs=2e-6)
    assert embeddings.scale == pytest.approx(np.broadcast_to(oracle[1], embeddings.scale.shape), rel=2e-6)


@pytest.mark.parametrize("kind", ["binary", "real"])
@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["model.normalisation=symmetric"],
        ["model.latent=lorentz", "model.c=0.7"],
        ["model.latent=euclidean", "model.scales=diagonal", "model.nonnegative=false"],
        ["model.learn_c=true", "model.c=1.3"],
    ],
    ids=lambda settings: " ".join(settings) or "defaults",
)
def test_the_posteriors_are_those_of_the_encoder_on_the_grown_graph(
    kind: str, settings: list[str], trained: Callable[..., Case], tmp_path: Path
) -> None:
    case, new = trained(kind, *settings), rows_of(["x", "y", "z"], kind, seed=2)
    embeddings = case.embed(write_table(tmp_path / "new.csv", new), write_edges(tmp_path / "e.csv", NEW_EDGES))
    assert embeddings.node_id.tolist() == ["x", "y", "z"]
    own = arrays_of(case.path / "embeddings.npz")
    assert (embeddings.manifold, embeddings.c) == (str(own["manifold"]), float(own["c"]))
    assert (embeddings.loc.dtype, embeddings.scale.dtype) == (own["loc"].dtype, own["scale"].dtype)
    agree(embeddings, expected(case, ["x", "y", "z"], new, NEW_EDGES))


@pytest.mark.parametrize("kind", ["binary", "real"])
def test_features_alone_speak_where_there_are_no_edges(
    kind: str, trained: Callable[..., Case], tmp_path: Path
) -> None:
    case, new = trained(kind), rows_of(["b", "a"], kind, seed=3)
    embeddings = case.embed(write_table(tmp_path / "new.csv", new))
    assert embeddings.node_id.tolist() == ["b", "a"]
    agree(embeddings, expected(case, ["b", "a"], new, []))


@pytest.mark.parametrize("given", ["no features", "none", "learned", "features that are not given"])
def test_neighbours_alone_speak_where_there_are_no_features(
    given: str, trained: Callable[..., Case], tmp_path: Path
) -> None:
    notes: list[str] = []
    choice = [f"data.features={given}"] if given in ("none", "learned") else []
    case = trained("real" if given.startswith("features") else None, *choice)
    embeddings = case.embed(None, write_edges(tmp_path / "e.csv", NEW_EDGES), on_note=notes.append)
    assert embeddings.node_id.tolist() == ["x", "y", "z"]
    agree(embeddings, expected(case, ["x", "y", "z"], None, NEW_EDGES))
    assert len(notes) == given.startswith("features")


def test_rows_of_zeros_are_known_by_their_edges(trained: Callable[..., Case], tmp_path: Path) -> None:
    case, new = trained("real"), {"x": [0.0] * 4, "y": [1.0, 0.0, 0.0, 0.0]}
    embeddings = case.embed(write_table(tmp_path / "new.csv", new), write_edges(tmp_path / "e.csv", [("x", "n1")]))
    agree(embeddings, expected(case, ["x", "y"], new, [("x", "n1")]))


@pytest.mark.parametrize("directed", [False, True])
def test_degrees_are_counted_anew_and_held_to_the_classes_of_training(
    directed: bool, trained: Callable[..., Case], tmp_path: Path
) -> None:
    case = trained(None, "data.features=degree", f"data.directed={str(directed).lower()}")
    pairs = [("x", node) for node in OLD[:20]] + [("y", "n3"), ("n4", "y")]  # x has more than any old node
    ids = [str(node) for node in arrays_of(case.path / "embeddings.npz")["node_id"]]
    number = {node: i for i, node in enumerate([*ids, "x", "y"])}
    before = arrays_of(case.path / "split.npz")["train_edge_index"].T.tolist()
    after = [*before, *((number[u], number[v]) for u, v in pairs)]
    blocks = []
    for ends in [(0,), (1,)] if directed else [(0, 1)]:
        count = [sum(edge[end] == node for edge in after for end in ends) for node in range(26)]
        most = max(sum(edge[end] == node for edge in before for end in ends) for node in range(24))
        largest = int(math.log2(1 + most))
        blocks.append(np.eye(largest + 1)[[min(int(math.log2(1 + degree)), largest) for degree in count]])
    embeddings = case.embed(None, write_edges(tmp_path / "e.csv", pairs))
    assert embeddings.node_id.tolist() == ["x", "y"]
    agree(embeddings, expected(case, ["x", "y"], None, pairs, inputs=np.hstack(blocks)))


def test_message_passing_does_not_see_the_direction_of_new_edges(
    trained: Callable[..., Case], tmp_path: Path
) -> None:
    case, new = trained("real", "data.directed=true"), rows_of(["x", "y", "z"], "real", seed=2)
    table = write_table(tmp_path / "new.csv", new)
    both = [
        case.embed(table, write_edges(tmp_path / "e.csv", [pair[::step] for pair in NEW_EDGES]))
        for step in (1, -1)
    ]
    assert both[0].loc == pytest.approx(both[1].loc, abs=1e-7)
    agree(both[1], expected(case, ["x", "y", "z"], new, NEW_EDGES))


def without(graph: Graph, split: EdgeSplit, node: int) -> tuple[Graph, EdgeSplit]:
    """The graph and its split as if ``node`` had never been."""
    kept = np.delete(np.arange(graph.num_nodes), node)
    place = torch.full((graph.num_nodes,), -1)
    place[kept] = torch.arange(len(kept))

    def part(pairs: torch.Tensor) -> torch.Tensor:
        return place[pairs[:, (pairs != node).all(dim=0)]]

    assert graph.features is not None
    small = Graph("rest", part(graph.edge_index), graph.node_id[kept], sp.csr_array(graph.features[kept]))
    parts = {name: part(pairs) for name, pairs in split._parts().items()}
    return small, EdgeSplit(num_nodes=len(kept), **parts)


@pytest.mark.parametrize("inputs", ["own", "degree"])
@pytest.mark.parametrize("normalisation", ["row", "symmetric"])
def test_a_node_taken_out_and_put_back_gets_the_posterior_that_it_had(normalisation: str, inputs: str) -> None:
    draw = np.random.default_rng(0)
    graph = Graph.from_pairs(
        "random", draw.integers(0, 60, (2, 260)), node_id=range(60), features=draw.normal(size=(60, 9))
    )
    given = [f"model.normalisation={normalisation}", "training.device=cpu", "training.epochs=5"]
    config = load_config(assignments=given + ([f"data.features={inputs}"] if inputs != "own" else []))
    split = split_edges(graph, generator=stream(0, "split"))
    full = LinkPrediction.prepare(config, graph=graph, split=split)
    while not full.trainer.done:
        full.trainer.run_epoch()
    model = full.trainer.best_model()
    with torch.no_grad():
        then = model.encode(full.task.features, full.task.adjacency)
    assert graph.features is not None
    for node in range(0, 60, 7):
        small, rest = without(graph, split, node)
        run = LinkPrediction.prepare(config, graph=small, split=rest)
        edges = split.train_edge_index[:, (split.train_edge_index == node).any(dim=0)]
        assert edges.shape[1] > 0
        moved = torch.where(edges == node, 59, edges - (edges > node).long())
        new = NewNodes(graph.node_id[[node]], sp.csr_array(graph.features[[node]]), moved)
        now = encode_with(run, model, new)
        assert now.loc[59].tolist() == pytest.approx(then.loc[node].tolist(), abs=1e-6)
        assert now.scale[59].tolist() == pytest.approx(then.scale[node].tolist(), rel=1e-6)


def test_tables_with_names_match_by_name_and_others_by_order(trained: Callable[..., Case], tmp_path: Path) -> None:
    case, new = trained("real"), rows_of(["x", "y"], "real", seed=2)
    # The table is multiplied as it stands, so that its sums run, and round, in the order of its columns.
    plain = pytest.approx(case.embed(write_table(tmp_path / "new.csv", new)).loc, abs=1e-6)
    order = [2, 0, 3, 1]
    turned = {node: [row[i] for i in order] for node, row in new.items()}
    table = write_table(tmp_path / "turned.csv", turned, tuple(COLUMNS[i] for i in order))
    assert case.embed(table).loc == plain
    with_label = tmp_path / "label.tsv"
    header = "\t".join(["label", "node", *(COLUMNS[i] for i in order)])
    lines = ["\t".join(["A", node, *map(str, row)]) for node, row in turned.items()]
    with_label.write_text("\n".join(["# by hand", header, *lines]) + "\n", encoding="utf-8")
    assert case.embed(with_label).loc == plain


def integer_run(tmp_path: Path, kind: str) -> tuple[Case, np.ndarray]:
    """A run on integer ids whose features are a matrix."""
    matrix = np.array(list(rows_of(OLD, kind, seed=1).values()), dtype=np.float32)
    write_edges(tmp_path / "graph.csv", [(u[1:], v[1:]) for u, v in old_pairs()])
    np.save(tmp_path / "old.npy", matrix)
    given = [f"data.name={tmp_path}/graph.csv", f"data.features={tmp_path}/old.npy", "model.dim=3"]
    config = load_config(assignments=[*given, "training.epochs=3", "training.device=cpu"])
    seeds.train(config, tmp_path / "run", Silent())
    rows = {str(i): row for i, row in enumerate(matrix.astype(float).tolist())}
    return Case(RunFolder.open(tmp_path / "run"), rows), matrix


def test_a_matrix_has_new_rows_behind_those_of_training(tmp_path: Path) -> None:
    case, matrix = integer_run(tmp_path, "binary")
    new = np.array([[1, 0, 1, 0], [0, 1, 1, 1]], dtype=np.float32)
    np.save(tmp_path / "all.npy", np.vstack([matrix, new]))
    notes: list[str] = []
    edges = write_edges(tmp_path / "e.csv", [("25", "3"), ("25", "24"), ("1", "24")])
    embeddings = case.embed(tmp_path / "all.npy", edges, on_note=notes.append)
    assert embeddings.node_id.tolist() == [24, 25]
    assert embeddings.node_id.dtype == np.int64
    assert len(notes) == 1
    assert "24 rows" in notes[0]
    rows = {"24": new[0].tolist(), "25": new[1].tolist()}
    agree(embeddings, expected(case, ["24", "25"], rows, [("25", "3"), ("25", "24"), ("1", "24")]))
    np.save(tmp_path / "few.npy", new)
    with pytest.raises(DataError, match=r"row i is the node with the integer id i.*it has 2 rows.*0 to 23"):
        case.embed(tmp_path / "few.npy")
    np.save(tmp_path / "same.npy", matrix)
    with pytest.raises(DataError, match="no new node in it"):
        case.embed(tmp_path / "same.npy")


def test_columns_without_names_are_counted(tmp_path: Path) -> None:
    case, _ = integer_run(tmp_path, "real")
    four = case.embed(write_table(tmp_path / "new.csv", {"77": [1.0, 2.0, 3.0, 4.0]}, ("a", "b", "c", "d")))
    agree(four, expected(case, ["77"], {"77": [1.0, 2.0, 3.0, 4.0]}, []))
    with pytest.raises(DataError, match="3 columns of features; the run was trained on 4"):
        case.embed(write_table(tmp_path / "new.csv", {"77": [1.0, 2.0, 3.0]}, ("a", "b", "c")))


def test_ids_that_are_no_integers_come_as_strings(tmp_path: Path) -> None:
    case, _ = integer_run(tmp_path, "real")
    ids = case.embed(None, write_edges(tmp_path / "e.csv", [("3", "07"), ("Ann", "5")])).node_id
    assert ids.dtype.kind == "U"
    assert ids.tolist() == ["07", "Ann"]


def test_edges_between_old_nodes_change_nothing_and_are_counted(
    trained: Callable[..., Case], tmp_path: Path
) -> None:
    case = trained(None)
    alone = case.embed(None, write_edges(tmp_path / "e.csv", NEW_EDGES))
    split, ids = arrays_of(case.path / "split.npz"), arrays_of(case.path / "embeddings.npz")["node_id"].tolist()
    in_training = [(ids[v], ids[u]) for u, v in split["train_edge_index"].T.tolist()]
    held_out = [(ids[u], ids[v]) for u, v in split["test_edge_index"].T.tolist()]
    notes: list[str] = []
    more = [*in_training, *NEW_EDGES, *held_out, ("n0", "n12"), ("x", "x"), ("x", "n0")]
    beside = case.embed(None, write_edges(tmp_path / "more.csv", more), on_note=notes.append)
    assert np.array_equal(beside.loc, alone.loc)
    assert len(notes) == 2
    assert f"{len(held_out) + 1} edges between nodes of the run" in notes[0]
    assert "2 self-loops and duplicates" in notes[1]
    only_known = []
    case.embed(None, write_edges(tmp_path / "known.csv", [*in_training, *NEW_EDGES]), on_note=only_known.append)
    assert only_known == []


@pytest.mark.parametrize("pairs", [[("n0", "who")], [("who", "x")], [("x", "n0"), ("who", "me")]])
def test_edges_of_unknown_nodes_are_refused_by_name(
    pairs: Pairs, trained: Callable[..., Case], tmp_path: Path
) -> None:
    case, table = trained("real"), write_table(tmp_path / "new.csv", rows_of(["x"], "real", seed=2))
    with pytest.raises(DataError, match=r"e\.csv: the node 'who' is neither"):
        case.embed(table, write_edges(tmp_path / "e.csv", pairs))


@pytest.mark.parametrize(
    ("header", "line", "words"),
    [
        ("id,red,green,blue", "x,1,2,3", "no column 'grey'.*4 columns of .*old.csv"),
        ("id,red,green,blue,gray", "x,1,2,3,4", "no column 'grey'"),
        ("id,red,green,blue,grey,pink", "x,1,2,3,4,5", "not trained on a column 'pink'"),
        ("id,label", "x,A", "no columns of features; the run was trained on 4"),
        ("id,red,green,blue,grey", "x,0,0,0,0", "'x' has neither a feature other than 0 nor an edge"),
        ("id,red,green,blue,grey", "n3,1,2,3,4", "'n3' is a node of the run already, and its features are not"),
        ("id,red,green,blue,grey", "", "only a header"),
        ("id,red,green,blue,grey", "x,1,2,3,nan", "column 'grey'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    header: str, line: str, words: str, trained: Callable[..., Case], tmp_path: Path
) -> None:
    case, path = trained("real"), tmp_path / "new.csv"
    path.write_text(f"{header}\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=words) as caught:
        case.embed(path)
    assert "\n" not in str(caught.value)


def test_rows_of_old_nodes_may_stand_there_as_they_were(trained: Callable[..., Case], tmp_path: Path) -> None:
    case, new = trained("real"), rows_of(["x"], "real", seed=2)
    assert case.rows is not None
    both = {"n5": case.rows["n5"], **new, "n1": case.rows["n1"]}
    notes: list[str] = []
    embeddings = case.embed(write_table(tmp_path / "both.csv", both), on_note=notes.append)
    assert embeddings.node_id.tolist() == ["x"]
    assert "2 rows" in notes[0]
    agree(embeddings, expected(case, ["x"], new, []))


def test_what_says_nothing_new_is_refused(trained: Callable[..., Case], tmp_path: Path) -> None:
    case = trained(None)
    with pytest.raises(ConfigError, match="--features FILE or --edges FILE"):
        case.embed()
    with pytest.raises(DataError, match="no new node in it"):
        case.embed(None, write_edges(tmp_path / "e.csv", [("n0", "n1")]))
    with pytest.raises(DataError, match=r"'x' has neither .* \(1 of 2 have not\)"):
        case.embed(None, write_edges(tmp_path / "e.csv", [("x", "x"), ("y", "n1")]))
    with pytest.raises(ConfigError, match="sees no features of nodes"):
        case.embed(write_table(tmp_path / "new.csv", rows_of(["x"], "real", seed=2)))


def test_columns_of_the_edges_can_be_named(trained: Callable[..., Case], tmp_path: Path) -> None:
    case, path = trained(None), tmp_path / "e.csv"
    path.write_text("weight,who,whom\n1,x,n3\n2,n5,x\n", encoding="utf-8")
    named = case.embed(None, path, source_column="who", target_column="whom")
    agree(named, expected(case, ["x"], None, [("x", "n3"), ("n5", "x")]))
    with pytest.raises(DataError, match="--source-col NAME"):
        case.embed(None, path)


def test_runs_that_cannot_embed_are_refused(trained: Callable[..., Case], tmp_path: Path) -> None:
    case = trained(None)
    edges = write_edges(tmp_path / "e.csv", NEW_EDGES)
    several: RunConfig = case.folder.config()
    several = several.model_copy(update={"training": several.training.model_copy(update={"seeds": 2})})
    runs = RunFolder.create(tmp_path / "runs", several)
    with pytest.raises(RunError, match=r"holds 2 runs; .*seed-0"):
        embed_new(runs, None, edges)
    write_edges(tmp_path / "graph.csv", old_pairs()[1:])
    with pytest.raises(HypgraphError, match="the data have changed"):
        case.embed(None, edges)
    case.folder.summary_file.unlink()
    with pytest.raises(RunError, match="not finished"):
        case.embed(None, edges)


def test_inverse_document_frequency_is_that_of_tf_idf_and_zero_for_unseen_columns() -> None:
    table = (np.random.default_rng(0).random((40, 12)) < 0.3).astype(np.float32)
    table[:, 5] = 0
    features = sp.csr_array(table)
    frequency = inverse_document_frequency(features)
    present = np.arange(12) != 5
    assert np.array_equal(frequency[present], np.log(40 / table.sum(axis=0)[present].astype(np.int64)))
    assert frequency[5] == 0
    assert np.array_equal(tf_idf(features).toarray(), table * frequency)


@pytest.mark.slow
def test_edges_of_new_papers_are_found_as_those_of_trained_ones(tmp_path: Path) -> None:
    """Cora less 100 papers, by way of files; two thirds of their citations are given, and the others scored."""
    cora, draw = load_graph("cora"), np.random.default_rng(0)
    assert cora.features is not None
    fresh = draw.choice(cora.num_nodes, 100, replace=False)
    is_new = np.isin(np.arange(cora.num_nodes), fresh)
    edges = cora.edge_index.numpy()
    ends = is_new[edges].sum(axis=0)
    to_old = np.flatnonzero(ends == 1)
    scored = draw.choice(to_old, len(to_old) // 3, replace=False)
    given = np.setdiff1d(np.flatnonzero(ends > 0), scored)
    table = cora.features.toarray().astype(int)
    columns = tuple(f"word{i}" for i in range(table.shape[1]))
    names = cora.node_id.tolist()
    parts = {}
    for part, nodes in (("old", np.flatnonzero(~is_new)), ("new", fresh)):
        rows = {str(names[node]): table[node].tolist() for node in nodes}
        parts[part] = write_table(tmp_path / f"{part}.csv", rows, columns)
    for name, chosen in (("graph", np.flatnonzero(ends == 0)), ("edges", given)):
        write_edges(tmp_path / f"{name}.csv", [(names[u], names[v]) for u, v in edges[:, chosen].T.tolist()])
    config = load_config(
        assignments=[f"data.name={tmp_path}/graph.csv", f"data.features={tmp_path}/old.csv", "training.epochs=150"]
    )
    seeds.train(config, tmp_path / "run", Silent())
    embeddings = embed_new(RunFolder.open(tmp_path / "run"), parts["new"], tmp_path / "edges.csv")
    old = arrays_of(tmp_path / "run/embeddings.npz")
    place = {node: i for i, node in enumerate([*old["node_id"].tolist(), *embeddings.node_id.tolist()])}
    loc = torch.from_numpy(np.vstack([old["loc"], embeddings.loc]))
    positive = np.array([[place[names[node]] for node in pair] for pair in edges[:, scored].T.tolist()]).T
    neighbours = {tuple(sorted(pair)) for pair in edges.T.tolist()}
    negative = []
    for u, v in edges[:, scored].T.tolist():
        node = u if is_new[u] else v
        other = next(
            other
            for other in draw.permutation(np.flatnonzero(~is_new)).tolist()
            if tuple(sorted((node, other))) not in neighbours
        )
        negative.append([place[names[node]], place[names[other]]])
    pairs = torch.from_numpy(np.hstack([positive, np.array(negative).T]))
    run = LinkPrediction.prepare(RunFolder.open(tmp_path / "run").config())
    run.restore(RunFolder.open(tmp_path / "run"))
    with torch.no_grad():
        scores = run.trainer.best_model().decode(loc, pairs).numpy()
    labels = np.repeat([1, 0], positive.shape[1])
    assert roc_auc_score(labels, scores) > 0.87
    assert 0.4 < roc_auc_score(labels, draw.permutation(scores)) < 0.6
