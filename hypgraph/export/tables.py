"""Embeddings as tables: NumPy's npz, csv and Parquet."""

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hypgraph.exceptions import ConfigError
from hypgraph.export.coordinates import Located
from hypgraph.export.graph import ExportedGraph
from hypgraph.export.text import rows_of
from hypgraph.files import whole_file

__all__ = ["columns", "write_csv", "write_npz", "write_parquet"]

_NEEDS_QUOTES = re.compile(r'[,"\r\n]')


def columns(parts: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays ``[N]`` under their names, the columns of arrays ``[N, k]`` as ``name_0`` to ``name_{k-1}``.

    >>> columns({"r": np.array([3.0]), "u": np.array([[1.0, 0.0]])})
    {'r': array([3.]), 'u_0': array([1.]), 'u_1': array([0.])}
    """
    found: dict[str, NDArray[Any]] = {}
    for name, part in parts.items():
        found |= {name: part} if part.ndim == 1 else {f"{name}_{k}": part[:, k] for k in range(part.shape[1])}
    return found


def _numbers(nodes: Located) -> dict[str, NDArray[Any]]:
    return columns({**nodes.parts, "scale": nodes.embeddings.scale})


def write_npz(nodes: Located, _graph: ExportedGraph | None, path: Path) -> tuple[str, ...]:
    """Writes the arrays ``node_id``, the coordinates, ``scale, c, manifold``; loads with ``allow_pickle=False``.

    The embeddings' own coordinates are the array ``loc``, as :meth:`Embeddings.save_npz` writes it. Others have
    arrays of their own names, and ``coords`` says which they are.
    """
    embeddings = nodes.embeddings
    if nodes.own:
        embeddings.save_npz(path)
        return ()
    arrays: dict[str, Any] = {"node_id": embeddings.node_id, **nodes.parts, "scale": embeddings.scale}
    arrays |= {"c": embeddings.c, "manifold": embeddings.manifold, "coords": nodes.coords}
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return ()


def write_csv(nodes: Located, _graph: ExportedGraph | None, path: Path) -> tuple[str, ...]:
    """Writes a row a node: ``node_id``, the coordinates, ``scale_0 …, c, manifold``; numbers read back exactly."""
    embeddings, numbers = nodes.embeddings, _numbers(nodes)
    tail = f"{embeddings.c!r},{embeddings.manifold}\n"
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(["node_id", *numbers, "c", "manifold"]) + "\n")
        rows = zip(embeddings.node_id.tolist(), rows_of(np.column_stack(list(numbers.values()))), strict=True)
        file.writelines(f"{_quoted(str(node))},{','.join(map(repr, row))},{tail}" for node, row in rows)
    return ()


def _quoted(cell: str) -> str:
    # csv.writer leaves a carriage return bare unless it ends the lines of the file.
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell


def write_parquet(nodes: Located, _graph: ExportedGraph | None, path: Path) -> tuple[str, ...]:
    """Writes the columns of :func:`write_csv`, in their own types.

    Raises:
        ConfigError: if PyArrow is not installed.
    """
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigError(
            "--format parquet needs PyArrow, which is not installed; python -m pip install 'hypgraph[parquet]'"
        ) from None
    embeddings, count = nodes.embeddings, len(nodes.embeddings.node_id)
    kind = arrow.string() if embeddings.node_id.dtype.kind == "U" else arrow.int64()
    table = arrow.table(
        {
            "node_id": arrow.array(embeddings.node_id.tolist(), kind),
            **{name: np.ascontiguousarray(column) for name, column in _numbers(nodes).items()},
            "c": np.full(count, embeddings.c),
            "manifold": arrow.array([embeddings.manifold] * count, arrow.string()),
        }
    )
    with whole_file(path) as temporary, temporary.open("wb") as file:
        parquet.write_table(table, file)
    return ()
