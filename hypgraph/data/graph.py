"""A graph with what is known of its nodes, in one canonical form."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import ArrayLike, NDArray

from hypgraph.exceptions import DataError

__all__ = ["MAX_NODES", "Graph", "sorted_distinct"]

MAX_NODES = 3_037_000_500
"""The most nodes for which n² fits in an int64, and with it the number of every pair."""

UNKNOWN_LABEL = -1


@dataclass(frozen=True, eq=False)
class Graph:
    """A simple graph, undirected unless it says otherwise; :meth:`from_pairs` brings raw pairs into this form.

    Row i of ``features`` and entry i of ``labels`` and ``node_id`` belong to node i, the number that
    ``edge_index`` uses. The order of the nodes is this package's own: results that leave the program carry
    ``node_id``.

    Attributes:
        name: a short name for messages and run folders.
        edge_index: int64 tensor ``[2, E]`` of pairs, each once, in lexicographic order: u < v, or from u to v ≠ u
            in a directed graph.
        node_id: ``[N]`` distinct ids, int64 or strings (never objects).
        features: float32 ``scipy.sparse.csr_array`` ``[N, F]`` of finite numbers, or None.
        labels: int64 ``[N]``, the class of each node, −1 where it is not known; or None.
        label_names: the name of each class, empty where the source gives none.
        self_loops_dropped: how many raw pairs joined a node to itself.
        duplicates_dropped: how many raw pairs (in either direction, unless it is directed) repeated another.
        directed: whether (u, v) and (v, u) are two edges.
        notes: what else is worth telling about how the graph was read, a line each.

    Raises:
        DataError: if a part is not in the form above.
    """

    name: str
    edge_index: torch.Tensor
    node_id: NDArray[Any]
    features: sp.csr_array | None = None
    labels: NDArray[np.int64] | None = None
    label_names: tuple[str, ...] = ()
    self_loops_dropped: int = 0
    duplicates_dropped: int = 0
    directed: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_node_id(self.name, self.node_id)
        _check_edges(self.name, self.edge_index, self.num_nodes, self.directed)
        if self.features is not None:
            _check_features(self.name, self.features, self.num_nodes)
        if self.labels is not None:
            _check_labels(self.name, self.labels, self.label_names, self.num_nodes)

    @property
    def num_nodes(self) -> int:
        """The number of nodes N, isolated ones included."""
        return len(self.node_id)

    @property
    def num_edges(self) -> int:
        """The number of edges E; a directed graph may have two between two nodes."""
        return int(self.edge_index.shape[1])

    @property
    def num_isolated(self) -> int:
        """The number of nodes without an edge."""
        return self.num_nodes - len(self.edge_index.unique())

    @cached_property
    def edges_sha256(self) -> str:
        """What tells these edges among these nodes from others."""
        digest = hashlib.sha256(f"{self.num_nodes} {self.directed}".encode())
        digest.update(self.edge_index.numpy().tobytes())
        return digest.hexdigest()

    @classmethod
    def from_pairs(
        cls,
        name: str,
        pairs: ArrayLike | torch.Tensor,
        *,
        node_id: Sequence[str] | Sequence[int] | NDArray[Any],
        features: ArrayLike | sp.sparray | sp.spmatrix | None = None,
        labels: ArrayLike | None = None,
        label_names: Sequence[str] = (),
        directed: bool = False,
    ) -> "Graph":
        """A graph from raw pairs of node numbers, in any order.

        Self-loops and repeated pairs are dropped and counted; the other direction of a pair repeats it, unless
        the graph is directed.

        Args:
            name: a short name.
            pairs: integers ``[2, M]``, each in 0..N−1.
            node_id: N distinct ids, all strings or all integers.
            features: ``[N, F]``, dense or sparse; kept as a sparse float32 matrix.
            labels: ``[N]`` integers from 0, −1 where unknown.
            label_names: the name of each class.
            directed: whether a pair is an edge from its first node to its second.

        Raises:
            DataError: if shapes do not fit together, a node number is out of range, ids are repeated, or a
                feature is NaN or infinite.

        >>> graph = Graph.from_pairs("path", [[1, 2, 0, 1], [0, 1, 1, 1]], node_id=["a", "b", "c"])
        >>> graph.edge_index.tolist(), graph.self_loops_dropped, graph.duplicates_dropped
        ([[0, 1], [1, 2]], 1, 1)
        """
        ids = np.asarray(node_id)
        if ids.dtype.kind in "iu" or ids.size == 0:  # numpy reads an empty list as floats
            ids = ids.astype(np.int64)
        edge_index, self_loops, duplicates = _canonical_pairs(name, pairs, len(ids) if ids.ndim else 0, directed)
        return cls(
            name=name,
            edge_index=edge_index,
            node_id=ids,
            features=None if features is None else _sparse_float32(name, features),
            labels=None if labels is None else _integers(name, "labels", labels),
            label_names=tuple(str(label) for label in label_names),
            self_loops_dropped=self_loops,
            duplicates_dropped=duplicates,
            directed=directed,
        )


def _integers(name: str, what: str, values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise DataError(f"graph '{name}': {what} must be integers, got {array.dtype}")
    return array.astype(np.int64)


def _sparse_float32(name: str, features: Any) -> sp.csr_array:
    try:
        matrix = sp.csr_array(features, dtype=np.float32, copy=True)  # the caller keeps its own as it is
    except (TypeError, ValueError) as error:
        raise DataError(f"graph '{name}': features are not a matrix of numbers [N, F] ({error})") from None
    matrix.sum_duplicates()  # also sorts the columns of each row
    matrix.eliminate_zeros()
    return matrix


def _canonical_pairs(
    name: str, pairs: ArrayLike | torch.Tensor, num_nodes: int, directed: bool
) -> tuple[torch.Tensor, int, int]:
    """Pairs, each once, sorted, u < v unless directed; how many self-loops and how many repeats went."""
    if isinstance(pairs, torch.Tensor):
        pairs = pairs.detach().cpu().numpy()
    raw = _integers(name, "pairs", pairs)
    if raw.ndim != 2 or raw.shape[0] != 2:
        raise DataError(f"graph '{name}': pairs must have the shape [2, M], got {list(raw.shape)}")
    if raw.size and not (raw.min() >= 0 and raw.max() < num_nodes):
        raise DataError(
            f"graph '{name}': pairs name the nodes {raw.min()} to {raw.max()}, "
            f"but there are {num_nodes} nodes, numbered from 0"
        )
    if num_nodes > MAX_NODES:
        raise DataError(f"graph '{name}': {num_nodes} nodes; at most {MAX_NODES} are supported")
    low, high = raw if directed else (np.minimum(raw[0], raw[1]), np.maximum(raw[0], raw[1]))
    proper = low != high
    # One integer for a pair sorts and compares faster than two; num_nodes² fits, see MAX_NODES.
    keys = low[proper] * num_nodes + high[proper]
    distinct = sorted_distinct(keys)
    edges = np.stack([distinct // max(num_nodes, 1), distinct % max(num_nodes, 1)])
    return torch.from_numpy(edges), int((~proper).sum()), len(keys) - len(distinct)


def sorted_distinct(keys: NDArray[Any]) -> NDArray[Any]:
    """The distinct ``keys`` in order; many times faster than ``np.unique``, which hashes.

    >>> sorted_distinct(np.array([3, 1, 3]))
    array([1, 3])
    """
    ordered = np.sort(keys)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _check_node_id(name: str, node_id: NDArray[Any]) -> None:
    if not isinstance(node_id, np.ndarray) or node_id.ndim != 1:
        raise DataError(f"graph '{name}': node_id must be an array of one axis")
    if node_id.dtype.kind != "U" and node_id.dtype != np.int64:
        raise DataError(f"graph '{name}': node_id must be all strings or all integers, got {node_id.dtype}")
    if len(sorted_distinct(node_id)) != len(node_id):
        raise DataError(f"graph '{name}': node_id holds an id more than once")


def _check_edges(name: str, edge_index: torch.Tensor, num_nodes: int, directed: bool) -> None:
    if edge_index.dtype != torch.int64 or edge_index.ndim != 2 or edge_index.shape[0] != 2:
        raise DataError(
            f"graph '{name}': edge_index must be int64 [2, E], "
            f"got {str(edge_index.dtype).removeprefix('torch.')} {list(edge_index.shape)}"
        )
    u, v = edge_index
    keys = u * num_nodes + v
    inside = (u >= 0) & (v >= 0) & (u < num_nodes) & (v < num_nodes) & ((u != v) if directed else (u < v))
    if not bool(inside.all()) or not bool((keys[1:] > keys[:-1]).all()):
        order = "u ≠ v, both below" if directed else "u < v <"
        raise DataError(
            f"graph '{name}': edge_index must hold distinct sorted pairs {order} {num_nodes}; "
            "use Graph.from_pairs for raw pairs"
        )


def _check_features(name: str, features: sp.csr_array, num_nodes: int) -> None:
    if not isinstance(features, sp.csr_array) or features.dtype != np.float32 or features.ndim != 2:
        raise DataError(f"graph '{name}': features must be a float32 csr_array with two axes")
    if features.shape[0] != num_nodes:
        raise DataError(f"graph '{name}': features have {features.shape[0]} rows, but there are {num_nodes} nodes")
    finite = np.isfinite(features.data)
    if not finite.all():
        row = int(np.searchsorted(features.indptr, np.flatnonzero(~finite)[0], side="right")) - 1
        raise DataError(
            f"graph '{name}': {int((~finite).sum())} features are NaN or infinite, the first in row {row}; "
            "replace or remove them"
        )


def _check_labels(name: str, labels: NDArray[np.int64], label_names: tuple[str, ...], num_nodes: int) -> None:
    if labels.dtype != np.int64 or labels.shape != (num_nodes,):
        raise DataError(
            f"graph '{name}': labels must be int64 [{num_nodes}], got {labels.dtype} {list(labels.shape)}"
        )
    if num_nodes and labels.min() < UNKNOWN_LABEL:
        raise DataError(f"graph '{name}': label {labels.min()}; allowed are classes from 0, and −1 for unknown")
    if label_names and num_nodes and labels.max() >= len(label_names):
        raise DataError(f"graph '{name}': label {labels.max()}, but only {len(label_names)} label_names")
