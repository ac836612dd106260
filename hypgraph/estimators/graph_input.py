"""From whatever people keep graphs in to a :class:`~hypgraph.data.Graph`, rows in the order of the input."""

import copy
import hashlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from hypgraph.data import Graph, from_networkx, from_pyg
from hypgraph.exceptions import ConfigError, DataError

__all__ = ["as_graph", "fingerprint", "with_features"]

NAME = "X"  # what scikit-learn calls the argument, for messages
ACCEPTED = (
    "a NetworkX graph, a square SciPy sparse matrix, a square NumPy adjacency matrix, an edge array [E, 2] of "
    "integers or strings, a PyTorch Geometric Data or a hypgraph.data.Graph"
)


def as_graph(X: object, *, directed: bool | None = None) -> Graph:
    """The graph in ``X``, its nodes in the order in which ``X`` has them.

    ========================  ==================================  =================================
    ``X``                     nodes                               directed, unless it is said
    ========================  ==================================  =================================
    NetworkX graph            its own; neither int nor str: str   if it is a DiGraph
    SciPy sparse, square      0 … N-1                             if the pattern is not symmetric
    NumPy, square, N ≠ 2      0 … N-1                             if the pattern is not symmetric
    edge array ``[E, 2]``     the distinct ids, sorted            no
    PyG ``Data``              ``node_id``, else 0 … N-1           if an edge lacks its opposite
    ``hypgraph.data.Graph``   ``node_id``                         as it is
    ========================  ==================================  =================================

    Entries of a matrix that are not 0 are edges from row to column. Weights are not used, self-loops and repeated
    edges are dropped. The features of ``Data`` and ``Graph`` are kept.

    Args:
        X: any of these.
        directed: False makes all edges undirected, True makes an undirected edge two.

    Raises:
        ConfigError: if ``directed`` is neither None nor a bool.
        DataError: if ``X`` is none of these, holds a negative, infinite or undefined entry, or has no node.

    >>> as_graph(np.array([["animal", "dog"], ["animal", "cat"]])).node_id.tolist()
    ['animal', 'cat', 'dog']
    >>> as_graph(sp.csr_array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])).directed
    True
    """
    if directed is not None and not isinstance(directed, bool | np.bool_):
        raise ConfigError(f"directed is {directed!r}; allowed are True, False, and None for what X says")
    graph = _reader(X)(X, None if directed is None else bool(directed))
    if graph.num_nodes == 0:
        raise DataError("X has no nodes; there is nothing to embed")
    return graph


def with_features(graph: Graph, features: Any, X: object) -> Graph:
    """``graph`` with other features.

    Args:
        graph: what :func:`as_graph` made of ``X``.
        features: ``[N, F]``, dense or sparse, a row a node in the order of ``graph.node_id``; or the name of an
            attribute that every node of the NetworkX graph ``X`` has: a number, or a vector of one length.
        X: the graph as it was given.

    Raises:
        DataError: if these do not fit.
    """
    if isinstance(features, str):
        features = _node_attribute(X, features)
    elif isinstance(features, torch.Tensor):
        features = features.detach().cpu().numpy()
    elif not sp.issparse(features):
        features = _array(features, "features")
    shape = np.shape(features)
    if len(shape) != 2 or shape[0] != graph.num_nodes:
        raise DataError(
            f"features have the shape {list(shape)}; {graph.num_nodes} nodes need [{graph.num_nodes}, F], a row a "
            "node in the order of X (of an edge array: of the sorted ids)"
        )
    return Graph.from_pairs(
        graph.name, graph.edge_index, node_id=graph.node_id, features=features, directed=graph.directed
    )


def fingerprint(graph: Graph) -> str:
    """SHA-256 of nodes, edges and features: what tells a graph from another."""
    digest = hashlib.sha256(f"{graph.node_id.dtype.kind} {graph.directed}".encode())
    parts: list[NDArray[Any]] = [graph.node_id, graph.edge_index.numpy()]
    if (features := graph.features) is not None:
        parts += [features.indptr.astype(np.int64), features.indices.astype(np.int64), features.data]
    for part in parts:
        digest.update(f"{part.shape}".encode())
        # The width of a string array depends on how it was made.
        digest.update("\0".join(part).encode() if part.dtype.kind == "U" else np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _reader(X: object) -> Callable[[Any, bool | None], Graph]:
    if isinstance(X, Graph):
        return _from_graph
    if _is_a(X, "networkx", "Graph"):
        return _from_networkx
    if _is_a(X, "torch_geometric.data", "Data"):
        return _from_pyg
    if _is_a(X, "pandas", "DataFrame"):
        raise DataError("X is a table; pass its two columns of node ids as an array: table[[…, …]].to_numpy()")
    if sp.issparse(X):
        return _from_matrix
    if isinstance(X, np.ndarray | list | tuple | torch.Tensor):
        return _from_array
    raise DataError(f"X is of the type {type(X).__name__}; allowed are {ACCEPTED}")


def _is_a(X: object, module: str, name: str) -> bool:
    """Whether ``X`` is an instance of a class of a module, which need not be imported to say no."""
    return module in sys.modules and isinstance(X, getattr(sys.modules[module], name))


def _from_graph(graph: Graph, directed: bool | None) -> Graph:
    if directed is None or directed == graph.directed:
        return graph
    pairs = graph.edge_index
    if directed:
        pairs = torch.cat([pairs, pairs.flip(0)], dim=1)
    return Graph.from_pairs(
        graph.name,
        pairs,
        node_id=graph.node_id,
        features=graph.features,
        labels=graph.labels,
        label_names=graph.label_names,
        directed=directed,
    )


def _from_networkx(graph: Any, directed: bool | None) -> Graph:
    return from_networkx(graph, name=NAME, directed=graph.is_directed() if directed is None else directed)


def _from_pyg(data: Any, directed: bool | None) -> Graph:
    if data.edge_index is None:
        raise DataError("X is a Data object without edge_index; allowed is one that has it")
    bare = copy.copy(data)
    with warnings.catch_warnings():  # PyG warns where it has nothing but the edges to count nodes by
        warnings.simplefilter("ignore")
        bare.num_nodes = data.num_nodes
    if directed is None:
        from torch_geometric.utils import is_undirected

        directed = not is_undirected(bare.edge_index, num_nodes=bare.num_nodes)
    del bare.y  # targets of any kind, which an embedding does not look at
    return from_pyg(bare, name=NAME, directed=directed)


def _from_matrix(X: Any, directed: bool | None) -> Graph:
    if X.ndim != 2 or X.shape[0] != X.shape[1]:
        raise DataError(
            f"X has the shape {list(X.shape)}; an adjacency matrix is square, a row and a column a node"
        )
    matrix = sp.coo_array(X)
    _check_weights(matrix.data)
    row, column = (part[matrix.data != 0].astype(np.int64) for part in matrix.coords)
    count = X.shape[0]
    if directed is None:
        pattern = sp.csr_array((np.ones(len(row), dtype=np.bool_), (row, column)), shape=(count, count))
        directed = (pattern != pattern.T).nnz > 0
    return Graph.from_pairs(NAME, np.stack([row, column]), node_id=np.arange(count), directed=directed)


def _check_weights(entries: NDArray[Any]) -> None:
    if entries.dtype.kind not in "buif":
        raise DataError(f"X holds entries of the type {entries.dtype}; an adjacency matrix holds numbers")
    if not np.isfinite(entries).all():
        raise DataError("X holds an entry that is NaN or infinite; an edge has a positive weight, no edge has 0")
    if (entries < 0).any():
        raise DataError(
            f"X holds the negative entry {entries.min()}; an edge has a positive weight, no edge has 0"
        )


def _from_array(X: Any, directed: bool | None) -> Graph:
    array = _array(X, NAME)
    if array.ndim != 2:
        raise DataError(
            f"X has the shape {list(array.shape)}; an edge array has [E, 2], an adjacency matrix [N, N]"
        )
    if array.shape[1] == 2:
        return _from_edges(_ids(array), directed)
    if array.shape[0] == array.shape[1]:
        _check_weights(array)
        return _from_matrix(sp.coo_array(array), directed)
    transposed = "; transpose it: X.T" if array.shape[0] == 2 else ""
    raise DataError(
        f"X has the shape {list(array.shape)}; an edge array has [E, 2], an adjacency matrix [N, N]{transposed}"
    )


def _from_edges(edges: NDArray[Any], directed: bool | None) -> Graph:
    ids, number = np.unique(edges, return_inverse=True)
    return Graph.from_pairs(NAME, number.reshape(-1, 2).T, node_id=ids, directed=bool(directed))


def _ids(edges: NDArray[Any]) -> NDArray[Any]:
    """Node ids as int64 or as strings."""
    if not edges.size:  # numpy reads an empty list as floats
        return edges.astype(np.int64)
    kinds = {type(value) for value in edges.flat} if edges.dtype.kind in "OT" else {edges.dtype.type}
    if all(issubclass(kind, str) for kind in kinds):
        return np.array(edges.tolist(), dtype=np.str_)
    if all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
        largest = np.iinfo(np.int64)
        if largest.min <= edges.min() and edges.max() <= largest.max:
            return edges.astype(np.int64)
    what = " and ".join(sorted(kind.__name__ for kind in kinds))
    raise DataError(
        f"X holds edges between nodes of the type {what}; ids are all integers (64 bits) or all strings"
    )


def _array(values: Any, what: str) -> NDArray[Any]:
    try:
        if isinstance(values, torch.Tensor):
            values = values.detach().cpu()
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} is not an array ({' '.join(str(error).split())})") from None


def _node_attribute(X: object, name: str) -> NDArray[Any]:
    if not _is_a(X, "networkx", "Graph"):
        raise DataError(
            f"features='{name}' names an attribute of the nodes of a NetworkX graph, but X is of the type "
            f"{type(X).__name__}; pass an array or a sparse matrix [N, F]"
        )
    rows = []
    for node, value in X.nodes(data=name):  # type: ignore[attr-defined]
        if value is None:
            raise DataError(f"node '{node}' has no attribute '{name}'; features='{name}' needs it for every node")
        rows.append(np.atleast_1d(_array(value, f"the attribute '{name}' of node '{node}'")))
        if rows[-1].shape != rows[0].shape:
            raise DataError(
                f"the attribute '{name}' of node '{node}' has the shape {list(rows[-1].shape)}, that of the first "
                f"node {list(rows[0].shape)}; features need one shape"
            )
    return np.stack(rows)
