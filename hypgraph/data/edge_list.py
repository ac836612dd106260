"""Reader for people's own graphs: a text file with an edge a line."""

import csv
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hypgraph.data.graph import Graph
from hypgraph.exceptions import DataError

__all__ = ["EDGE_LIST_SUFFIXES", "HEADERS", "read_edge_list"]

EDGE_LIST_SUFFIXES = (".csv", ".tsv", ".txt", ".edges")
"""The usual endings of such a file; any other is read as well."""

HEADERS = frozenset(
    {
        ("source", "target"),
        ("from", "to"),
        ("src", "dst"),
        ("u", "v"),
        ("id1", "id2"),
        ("id_1", "id_2"),
        ("node1", "node2"),
        ("node_1", "node_2"),
    }
)
"""First lines that are a header, in any case of letters. No other line is ever taken for one."""

_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # at most 18 digits: always fits in an int64


def read_edge_list(path: str | Path, *, name: str | None = None) -> Graph:
    r"""The undirected graph of a file with two columns, one edge a line.

    - The first edge decides what separates the columns of the whole file: a tab if it has one, else a comma,
      else blanks. In a file with commas an id may stand in double quotes.
    - Ids are any strings. If all are integers written the usual way (no ``+``, no leading zero, at most 18
      digits), ``node_id`` is int64. Nodes are numbered by first appearance.
    - Lines that begin with ``#`` or ``%``, and empty lines, are skipped. A first line in :data:`HEADERS` is a
      header; two other words before nothing but integers are refused. UTF-8 with or without a byte order mark;
      any kind of line end.

    Args:
        path: the file.
        name: the name of the graph; by default the file's name without its ending.

    Raises:
        DataError: one line, with the file and where there is one the line number: no such file, a folder, no
            permission, not text, no edges, a line that has not two columns or has an empty id.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "team.csv"
    ...     _ = path.write_text("source,target\nAnn,Bob\nBob,Cy\n")
    ...     graph = read_edge_list(path)
    >>> graph.name, graph.node_id.tolist(), graph.edge_index.tolist()
    ('team', ['Ann', 'Bob', 'Cy'], [[0, 1], [1, 2]])
    """
    path = Path(path)
    numbers: dict[str, int] = {}
    ends = _parse(_read_text(path), path, numbers)
    if not ends:
        raise DataError(f"{path}: no edges in it; expected a line with two columns for each edge")
    if ends.count(0) == ends.count(1) == 1:
        _check_header(list(numbers), path)
    pairs = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    return Graph.from_pairs(name or path.stem, pairs, node_id=_node_ids(list(numbers)))


def _check_header(ids: list[str], path: Path) -> None:
    """Refuses two words of the first line that stand nowhere else, before nothing but integers: a header."""
    integer = [bool(_CANONICAL_INTEGER.fullmatch(node)) for node in ids]
    if len(ids) > 4 and all(integer[2:]) and not integer[0] and not integer[1]:
        raise DataError(
            f"{path}: the first line ({ids[0]}, {ids[1]}) looks like a header, since all other ids are integers; "
            "write source,target there, or delete it"
        )


def _read_text(path: Path) -> str:
    if os.path.isdir(path):  # unlike Path.is_dir, False for a name that the system refuses
        raise DataError(f"{path}: is a folder; expected a file with an edge a line")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if not content:
        raise DataError(f"{path}: the file is empty; expected a line with two columns for each edge")
    not_text = f"{path}: not a text file in UTF-8; expected a line with two columns for each edge"
    if b"\0" in content:
        raise DataError(not_text)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(not_text) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parse(text: str, path: Path, numbers: dict[str, int]) -> list[int]:
    """The ends of the edges, two after two; fills ``numbers`` with the node number of each id."""
    ends: list[int] = []
    separator: str | None = None
    first = True
    # str.splitlines would also break lines at rarer characters, which an id may contain.
    for line_number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line[0] in "#%":
            continue
        if first:
            separator = "\t" if "\t" in line else "," if "," in line else None
        columns = _columns(line, separator, path, line_number)
        if len(columns) != 2 or not columns[0] or not columns[1]:
            raise DataError(f"{path}, line {line_number}: {_what_is_wrong(columns, separator)}")
        source, target = columns
        if first:
            first = False
            if (source.lower(), target.lower()) in HEADERS:
                continue
        ends.append(numbers.setdefault(source, len(numbers)))
        ends.append(numbers.setdefault(target, len(numbers)))
    return ends


def _columns(line: str, separator: str | None, path: Path, line_number: int) -> list[str]:
    if separator is None:
        return line.split()
    if separator == "," and '"' in line:
        try:
            return [column.strip() for column in next(csv.reader([line], strict=True, skipinitialspace=True))]
        except csv.Error as error:
            raise DataError(f"{path}, line {line_number}: a quoted id is not closed ({error})") from None
    return [column.strip() for column in line.split(separator)]


def _what_is_wrong(columns: list[str], separator: str | None) -> str:
    separated = {"\t": "a tab", ",": "a comma"}.get(separator or "", "blanks")
    shown = ", ".join(repr(column) if len(column) <= 40 else repr(column[:40]) + "…" for column in columns[:8])
    if len(columns) == 2:
        return f"an id is empty ({shown}); give both ends of the edge"
    if len(columns) == 1:
        return f"1 column ({shown}); expected two, separated by {separated} as in the first edge"
    more = ", …" if len(columns) > 8 else ""
    return f"{len(columns)} columns ({shown}{more}), separated by {separated}; expected two: remove the others"


def _node_ids(ids: list[str]) -> NDArray[Any]:
    if all(map(_CANONICAL_INTEGER.fullmatch, ids)):
        return np.array(ids, dtype=np.int64)
    return np.array(ids, dtype=np.str_)
