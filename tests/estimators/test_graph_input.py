"""Whatever people keep graphs in becomes the same graph, rows in the order of the input."""

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric.data import Data, HeteroData

from hypgraph.data import Graph
from hypgraph.estimators.graph_input import as_graph, fingerprint, with_features
from hypgraph.exceptions import ConfigError, DataError

EDGES = [(0, 1), (1, 2), (2, 3), (0, 3), (1, 4)]
ADJACENCY = nx.to_numpy_array(nx.Graph(EDGES), nodelist=range(5), dtype=np.int64)
BOTH_WAYS = torch.tensor(np.stack(np.nonzero(ADJACENCY)))

UNDIRECTED: dict[str, Callable[[], Any]] = {
    "networkx": lambda: nx.Graph(EDGES),
    "sparse matrix": lambda: sp.csr_matrix(ADJACENCY),
    "sparse array": lambda: sp.coo_array(ADJACENCY.astype(np.float32)),
    "sparse array of bools": lambda: sp.csc_array(ADJACENCY.astype(np.bool_)),
    "dense matrix": lambda: ADJACENCY,
    "edge array": lambda: np.array(EDGES),
    "list of edges": lambda: EDGES,
    "edge tensor": lambda: torch.tensor(EDGES),
    "pyg": lambda: Data(edge_index=BOTH_WAYS),
    "graph": lambda: Graph.from_pairs("g", np.array(EDGES).T, node_id=range(5)),
}


def ends(graph: Graph) -> list[tuple[Any, Any]]:
    """The edges by the ids of their nodes."""
    return [(u, v) for u, v in graph.node_id[graph.edge_index.numpy().T].tolist()]


def in_order(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted((min(edge), max(edge)) for edge in edges)


@pytest.mark.parametrize("form", UNDIRECTED)
def test_every_form_is_the_same_graph(form: str) -> None:
    graph = as_graph(UNDIRECTED[form]())
    assert not graph.directed
    assert graph.num_nodes == 5
    # NetworkX has its nodes in the order of its edges, the others by number.
    order = [0, 1, 2, 3, 4]
    assert graph.node_id.tolist() == order
    assert [(u, v) for u, v in graph.edge_index.T.tolist()] == in_order(EDGES)


DIRECTED: dict[str, Callable[[], Any]] = {
    "networkx": lambda: nx.DiGraph([(1, 0), (1, 2)]),
    "sparse": lambda: sp.csr_array(([1.0, 1.0], ([1, 1], [0, 2])), shape=(3, 3)),
    "dense": lambda: np.array([[0, 0, 0], [1, 0, 1], [0, 0, 0]]),
    "pyg": lambda: Data(edge_index=torch.tensor([[1, 1], [0, 2]]), num_nodes=3),
    "graph": lambda: Graph.from_pairs("g", [[1, 1], [0, 2]], node_id=range(3), directed=True),
}


@pytest.mark.parametrize("form", DIRECTED)
def test_what_has_directions_keeps_them_unless_they_are_given_up(form: str) -> None:
    graph = as_graph(DIRECTED[form]())
    assert graph.directed
    assert sorted(ends(graph)) == [(1, 0), (1, 2)]
    undirected = as_graph(DIRECTED[form](), directed=False)
    assert not undirected.directed
    assert in_order(ends(undirected)) == [(0, 1), (1, 2)]


def test_an_edge_array_has_directions_only_if_it_is_said() -> None:
    edges = np.array([["dog", "animal"], ["cat", "animal"]])
    assert not as_graph(edges).directed
    graph = as_graph(edges, directed=True)
    assert graph.directed
    assert sorted(ends(graph)) == [("cat", "animal"), ("dog", "animal")]


@pytest.mark.parametrize("form", [form for form in UNDIRECTED if "edge" not in form])
def test_an_undirected_edge_is_two_directed_ones(form: str) -> None:
    graph = as_graph(UNDIRECTED[form](), directed=True)
    assert graph.directed
    assert sorted(ends(graph)) == sorted(EDGES + [(v, u) for u, v in EDGES])


@pytest.mark.parametrize("kind", [np.str_, object, np.dtypes.StringDType()])
def test_edges_between_names_keep_the_names(kind: Any) -> None:
    graph = as_graph(np.array([["b", "a"], ["b", "longer"]], dtype=kind))
    assert graph.node_id.tolist() == ["a", "b", "longer"]
    assert in_order(ends(graph)) == [("a", "b"), ("b", "longer")]  # type: ignore[comparison-overlap]


def test_ids_of_an_edge_array_may_have_gaps_and_signs() -> None:
    graph = as_graph(np.array([[-7, 10**12], [3, -7]], dtype=object))
    assert graph.node_id.tolist() == [-7, 3, 10**12]
    assert graph.node_id.dtype == np.int64


def test_networkx_keeps_its_own_order_and_isolated_nodes() -> None:
    oracle = nx.Graph([("z", "a")])
    oracle.add_node("lonely")
    assert as_graph(oracle).node_id.tolist() == ["z", "a", "lonely"]


def test_zeros_are_no_edges_and_neither_weights_nor_loops_matter() -> None:
    stored = sp.csr_array(([0.0, 2.5, 2.0, 1.0], ([0, 1, 2, 3], [1, 2, 1, 3])), shape=(6, 6))
    graph = as_graph(stored)
    assert graph.num_nodes == 6
    assert ends(graph) == [(1, 2)]
    assert not graph.directed
    assert not as_graph(sp.csr_array([[0, 3, 0], [1, 0, 0], [0, 0, 0]])).directed


def test_a_duplicate_entry_of_a_coo_matrix_is_one_edge() -> None:
    graph = as_graph(sp.coo_array(([1.0, 1.0, 1.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2)))
    assert ends(graph) == [(0, 1)]
    assert not graph.directed


def test_pyg_data_bring_features_and_ids_and_any_targets_are_left_alone() -> None:
    data = Data(edge_index=BOTH_WAYS, x=torch.arange(10.0).view(5, 2), y=torch.rand(5, 3))
    data.node_id = [f"n{i}" for i in range(5)]
    graph = as_graph(data)
    assert graph.features is not None
    assert graph.features.toarray().tolist() == data.x.tolist()
    assert graph.node_id.tolist() == data.node_id
    assert graph.labels is None
    assert data.y.shape == (5, 3)  # the caller's object is as it was
    assert "num_nodes" not in data


def test_the_nodes_of_pyg_data_are_counted_as_pyg_counts_them() -> None:
    assert as_graph(Data(edge_index=torch.tensor([[0], [1]]), pos=torch.zeros(4, 3))).num_nodes == 4
    assert as_graph(Data(edge_index=torch.tensor([[0], [1]]), num_nodes=7)).num_nodes == 7
    assert as_graph(Data(edge_index=torch.tensor([[0], [6]]))).num_nodes == 7


REFUSED: list[tuple[Any, str]] = [
    ("cora", "of the type str"),
    (None, "of the type NoneType"),
    (HeteroData(), "of the type HeteroData"),
    (sp.csr_array((3, 4)), r"shape \[3, 4\]"),
    (np.zeros((2, 5)), "transpose"),
    (np.zeros((7, 3)), r"\[E, 2\]"),
    (np.zeros(3), r"shape \[3\]"),
    ([[1, 2], [3]], "not an array"),
    (np.array([[0.0, 1.5]]), "float64"),
    (np.array([[True, False]]), "bool"),
    (np.array([["a", 1]], dtype=object), "int and str"),
    (np.array([[1, 2**63]], dtype=np.uint64), "uint64"),
    (np.array([[0, -1, 0], [0, 0, 0], [0, 0, 0]]), "negative entry -1"),
    (sp.csr_array([[0, -2.0, 0], [0, 0, 0], [0, 0, 0]]), "negative entry -2"),
    (sp.csr_array([[0, np.nan], [0, 0]]), "NaN or infinite"),
    (sp.csr_array([[0, np.inf], [0, 0]]), "NaN or infinite"),
    (np.array([[0, 1j, 0], [0, 0, 0], [0, 0, 0]]), "complex128"),
    (np.full((3, 3), "a"), "adjacency matrix holds numbers"),
    (np.zeros((0, 2)), "no nodes"),
    (sp.csr_array((0, 0)), "no nodes"),
    (nx.Graph(), "no nodes"),
    (Data(), "edge_index"),
    (nx.Graph([(1, "1")]), "more than once"),
]


@pytest.mark.parametrize(("X", "match"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_graph_is_refused_in_one_line(X: Any, match: str) -> None:
    with pytest.raises(DataError, match=match) as error:
        as_graph(X)
    assert "\n" not in str(error.value)


def test_a_table_is_refused_with_the_way_to_pass_it() -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"from": ["a"], "to": ["b"], "weight": [1]})
    with pytest.raises(DataError, match="to_numpy"):
        as_graph(table)
    assert as_graph(table[["from", "to"]].to_numpy()).node_id.tolist() == ["a", "b"]


def test_directed_is_true_false_or_none() -> None:
    with pytest.raises(ConfigError, match="directed is 'yes'"):
        as_graph(np.array(EDGES), directed="yes")  # type: ignore[arg-type]


FEATURES = np.arange(15.0).reshape(5, 3)


@pytest.mark.parametrize(
    "given",
    [FEATURES, FEATURES.tolist(), sp.csr_array(FEATURES), sp.coo_matrix(FEATURES), torch.tensor(FEATURES)],
    ids=["array", "list", "sparse array", "sparse matrix", "tensor"],
)
def test_features_may_be_any_matrix(given: Any) -> None:
    graph = with_features(as_graph(nx.Graph(EDGES)), given, None)
    assert graph.features is not None
    np.testing.assert_array_equal(graph.features.toarray(), FEATURES)
    assert in_order(ends(graph)) == in_order(EDGES)


def test_features_may_be_an_attribute_of_the_nodes() -> None:
    oracle = nx.Graph([("b", "a"), ("b", "c")])
    nx.set_node_attributes(oracle, {"a": [1.0, 2.0], "b": [3, 4], "c": np.array([5, 6])}, "x")
    nx.set_node_attributes(oracle, {"a": 1, "b": 2, "c": 3}, "size")
    graph = as_graph(oracle, directed=False)
    vectors, numbers = (with_features(graph, name, oracle).features for name in ("x", "size"))
    assert vectors is not None
    assert numbers is not None
    assert graph.node_id.tolist() == ["b", "a", "c"]
    assert vectors.toarray().tolist() == [[3, 4], [1, 2], [5, 6]]
    assert numbers.toarray().tolist() == [[2], [1], [3]]


@pytest.mark.parametrize(
    ("features", "match"),
    [
        (np.zeros((4, 3)), r"shape \[4, 3\]; 5 nodes need \[5, F\]"),
        (np.zeros(5), r"shape \[5\]"),
        (np.zeros((5, 2, 2)), r"shape \[5, 2, 2\]"),
        (np.full((5, 1), np.nan), "NaN"),
        (np.full((5, 1), "a"), "numbers"),
        ([[1], [2, 3], [4], [5], [6]], "not an array"),
        ("missing", "node '0' has no attribute 'missing'"),
        ("ragged", "attribute 'ragged' of node '4'"),
    ],
)
def test_features_that_do_not_fit_are_refused(features: Any, match: str) -> None:
    oracle = nx.Graph(EDGES)
    nx.set_node_attributes(oracle, {i: [0.0] * (2 if i == 4 else 3) for i in range(5)}, "ragged")
    with pytest.raises(DataError, match=match) as error:
        with_features(as_graph(oracle), features, oracle)
    assert "\n" not in str(error.value)


def test_only_a_networkx_graph_has_attributes_by_name() -> None:
    X = np.array(EDGES)
    with pytest.raises(DataError, match="but X is of the type ndarray"):
        with_features(as_graph(X), "x", X)


def test_a_fingerprint_tells_graphs_apart_and_not_their_forms() -> None:
    prints = {fingerprint(as_graph(make())) for make in UNDIRECTED.values()}
    assert len(prints) == 1
    plain = as_graph(np.array(EDGES))
    others = [
        as_graph(np.array(EDGES[:-1])),
        as_graph(np.array([*EDGES, (0, 4)])),
        as_graph(np.array(EDGES), directed=True),
        as_graph(np.array(EDGES) + 1),
        as_graph(np.array(EDGES).astype(str)),
        with_features(plain, FEATURES, None),
        with_features(plain, FEATURES + 1, None),
    ]
    assert len({fingerprint(graph) for graph in [plain, *others]}) == 1 + len(others)


def test_a_fingerprint_does_not_depend_on_the_width_of_a_string_array() -> None:
    narrow, wide = (as_graph(np.array([["a", "b"]], dtype=kind)) for kind in ("U1", "U9"))
    assert fingerprint(narrow) == fingerprint(wide)
