"""Features and labels of nodes from people's own tables, matched by id."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hypgraph.data.edge_blocks import are_integers
from hypgraph.data.edge_list import cut
from hypgraph.data.feature_weights import is_binary, normalise_rows
from hypgraph.data.graph import UNKNOWN_LABEL, Graph
from hypgraph.data.node_rows import NodeRows, read_node_rows
from hypgraph.exceptions import DataError

__all__ = ["NodeTable", "read_node_table", "with_node_table"]

_HIDING = 0.98
"""The share of the squared lengths from which one column hides the others."""


@dataclass(frozen=True, eq=False)
class NodeTable:
    """What a table says of the nodes of a graph.

    Attributes:
        node_id: ``[N]``: the ids of the graph as they were, then those that only the table has, in its order;
            int64, or strings.
        features: float32 ``[N, F]``, zero for a node that is not in the table; None if there are no such columns.
        labels: int64 ``[N]``, −1 where unknown; None if there is no such column.
        label_names: the name of each class; empty where the labels are 0..K−1.
        notes: for the user, one line each: how many nodes are in one of the two only.
    """

    node_id: NDArray[Any]
    features: sp.csr_array | None
    labels: NDArray[np.int64] | None
    label_names: tuple[str, ...]
    notes: tuple[str, ...]


def with_node_table(graph: Graph, path: str | Path) -> tuple[Graph, tuple[str, ...]]:
    """The graph with the features and labels of a table, and what to tell the user.

    Nodes that only the table has become isolated nodes, after all others. What the table does not have,
    features or labels, stays as it was.

    Raises:
        DataError: as :func:`read_node_table`.
    """
    table = read_node_table(path, graph.node_id)
    added = len(table.node_id) - graph.num_nodes
    features, labels, label_names = graph.features, graph.labels, graph.label_names
    if features is not None and added:
        features = sp.vstack([features, sp.csr_array((added, features.shape[1]), dtype=np.float32)], format="csr")
    if labels is not None:
        labels = np.concatenate([labels, np.full(added, UNKNOWN_LABEL)])
    if table.features is not None:
        features = table.features
    if table.labels is not None:
        labels, label_names = table.labels, table.label_names
    # Only new numbers come in, all above the old ones, so the edges stay as they are.
    return (
        replace(graph, node_id=table.node_id, features=features, labels=labels, label_names=label_names),
        table.notes,
    )


def read_node_table(path: str | Path, node_id: NDArray[Any]) -> NodeTable:
    r"""The table of a file, its rows in the order of ``node_id``.

    - ``.csv .tsv``, also with ``.gz``, and any other ending: a header, then a line for each node, separated by
      tabs if the header has one, else by commas. The column ``id``, ``node`` or ``node_id`` has the ids, or
      else the first one; a column ``label``, ``class`` or ``y`` has labels; all others are features and hold
      finite numbers. Lines that begin with ``#`` or ``%``, and empty lines, are skipped.
    - ``.parquet``: the same columns.
    - ``.npz`` (``scipy.sparse.save_npz``) and ``.npy`` (dense): features only; row i is the node with the
      integer id i.

    Ids are compared as they are written: 7 and ``"7"`` are the same, ``"07"`` is another. An empty label is
    unknown. Labels that are all integers are ordered as such, and kept if they are 0..K−1, with −1 for unknown;
    otherwise classes are numbered in the order of their names.

    Args:
        path: the file.
        node_id: the ids of a graph.

    Raises:
        DataError: one line, with file, line and column where there are any: no such file, a value that is not
            a finite number, an id twice, or not one id of the graph in the table.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "people.csv"
    ...     _ = path.write_text("id,age,label\nBob,40,red\nEve,30,blue\n")
    ...     table = read_node_table(path, np.array(["Ann", "Bob"]))
    >>> table.node_id.tolist(), table.features.toarray().tolist(), table.labels.tolist(), table.label_names
    (['Ann', 'Bob', 'Eve'], [[0.0], [40.0], [30.0]], [-1, 1, 0], ('blue', 'red'))
    """
    path = Path(path)
    rows = read_node_rows(path)
    if rows.ids_are_rows:
        _check_ids_are_rows(path, len(rows.ids), node_id)
    return _matched(path, rows, node_id)


def _check_ids_are_rows(path: Path, rows: int, node_id: NDArray[Any]) -> None:
    without_ids = f"{path}: a matrix has no ids, so its row i is the node with the integer id i, from 0"
    instead = "use a table with a column of ids (.csv, .tsv, .parquet)"
    if node_id.dtype.kind not in "iu":
        raise DataError(f"{without_ids}; the ids of this graph are strings; {instead}")
    if len(node_id) and not (node_id.min() >= 0 and node_id.max() < rows):
        ids = f"the ids of this graph are {node_id.min()} to {node_id.max()}"
        raise DataError(f"{without_ids}; it has {rows} rows, and {ids}; {instead}")


def _matched(path: Path, rows: NodeRows, node_id: NDArray[Any]) -> NodeTable:
    known = {str(node): number for number, node in enumerate(node_id.tolist())}
    place = np.array([known.get(word, -1) for word in rows.ids], dtype=np.int64)
    only_table = place < 0
    found, new = int((~only_table).sum()), int(only_table.sum())
    if known and not found:
        raise DataError(
            f"{path}: not one of its {len(rows.ids)} ids ('{cut(rows.ids[0])}', …) is a node of the graph "
            f"('{cut(next(iter(known)))}', …); matched are ids as they are written"
        )
    place[only_table] = len(known) + np.arange(new)
    total = len(known) + new
    ids = _with_new(node_id, [word for word, only in zip(rows.ids, only_table.tolist(), strict=True) if only])
    notes = []
    if found < len(known):
        what = [
            word
            for word, part in (("features 0", rows.features), ("label unknown", rows.labels))
            if part is not None
        ]
        notes.append(f"{path}: {len(known) - found} of {len(known)} nodes are not in it ({', '.join(what)})")
    if new:
        notes.append(f"{path}: {new} of its {len(rows.ids)} nodes have no edge; they are added as isolated nodes")
    features = labels = None
    label_names: tuple[str, ...] = ()
    if rows.features is not None:
        entries = rows.features.tocoo()
        shape = total, entries.shape[1]
        features = sp.csr_array((entries.data, (place[entries.row], entries.col)), shape=shape, dtype=np.float32)
        notes += _hidden_columns(path, features)
    if rows.labels is not None:
        labels = np.full(total, UNKNOWN_LABEL, dtype=np.int64)
        labels[place], label_names = _classes(rows.labels)
    return NodeTable(ids, features, labels, label_names, tuple(notes))


def _hidden_columns(path: Path, features: sp.csr_array) -> list[str]:
    """A note where one column is so large that nothing is left of the others in rows of length 1."""
    columns = features.shape[1]
    if columns < 2 or is_binary(features):
        return []
    share = normalise_rows(features).power(2).sum(axis=0)
    largest, whole = int(share.argmax()), float(share.sum())
    if whole == 0 or share[largest] < _HIDING * whole or np.count_nonzero(share) < 2:
        return []
    return [
        f"{path}: feature {largest + 1} of {columns} hides the others: rows are scaled to length 1, and it makes "
        f"{100 * share[largest] / whole:.1f} % of them; bring all to one scale, such as mean 0 and deviation 1"
    ]


def _with_new(node_id: NDArray[Any], words: list[str]) -> NDArray[Any]:
    if not words:
        return node_id
    if node_id.dtype.kind in "iu" and are_integers(words):
        return np.concatenate([node_id, np.array(words, dtype=np.int64)])
    return np.concatenate([node_id.astype(np.str_), np.array(words, dtype=np.str_)])


def _classes(words: list[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The class of each label, and the names of the classes unless they are 0..K−1."""
    names = sorted(set(words) - {""})
    integers = are_integers(names)
    if integers:
        names = sorted(set(names) - {str(UNKNOWN_LABEL)}, key=int)
    number = {name: i for i, name in enumerate(names)}
    classes = np.array([number.get(word, UNKNOWN_LABEL) for word in words], dtype=np.int64)
    return classes, () if integers and names == [str(i) for i in range(len(names))] else tuple(names)
