"""Reader for people's own graphs: a text file with an edge a line."""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

import numpy as np

from hypgraph.data.edge_blocks import Ends, Layout, are_integers, plain_block
from hypgraph.data.graph import Graph
from hypgraph.exceptions import DataError, HypgraphError
from hypgraph.lookup import did_you_mean

__all__ = [
    "EDGE_LIST_SUFFIXES",
    "HEADERS",
    "open_bytes",
    "open_text",
    "pick_columns",
    "read_edge_list",
    "read_edge_table",
]

EDGE_LIST_SUFFIXES = (".csv", ".tsv", ".txt", ".edges")
"""The usual endings of such a file; any other is read as well."""

HEADERS = frozenset(
    {
        ("source", "target"),
        ("from", "to"),
        ("src", "dst"),
        ("u", "v"),
        ("id1", "id2"),
        ("parent", "child"),
        ("child", "parent"),
        ("id_1", "id_2"),
        ("node1", "node2"),
        ("node_1", "node_2"),
    }
)
"""Names of the two ends, in any case of letters, that make a first line a header; nothing else does."""

EXPECTED = "a line with two columns for each edge"
FIRST_BLOCK = 1 << 12
BLOCK = 1 << 22
LONGEST_LINE = 1 << 20
"""In characters; a longer line is no edge, and is not kept."""

Choose = Callable[[list[str], str], tuple[int, int, bool]]
"""Of the columns of the first line and of where that line is: source, target, and whether the line is a header."""


def read_edge_list(path: str | Path, *, name: str | None = None) -> Graph:
    r"""The undirected graph of a file with two columns, one edge a line.

    - The first edge decides what separates the columns of the whole file: a tab if it has one, else a comma,
      else blanks. In a file with commas an id may stand in double quotes.
    - Ids are any strings. If all are integers written the usual way (no ``+``, no leading zero, at most 18
      digits), ``node_id`` is int64. Nodes are numbered by first appearance.
    - Lines that begin with ``#`` or ``%``, and empty lines, are skipped. A first line in :data:`HEADERS` is a
      header, also with the target first; two other words before nothing but integers are refused. UTF-8 with
      or without a byte order mark; any kind of line end; a file that ends in ``.gz`` is decompressed.

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

    def two(columns: list[str], where: str) -> tuple[int, int, bool]:
        return (0, 1, False) if len(columns) > 2 else pick_columns(columns, where, None, None)

    return _read(Path(path), two, name=name, directed=False, only_two=True)


def read_edge_table(
    path: str | Path,
    *,
    source_column: str | None = None,
    target_column: str | None = None,
    directed: bool = False,
    name: str | None = None,
) -> Graph:
    r"""As :func:`read_edge_list`, for a file that may have further columns, such as weights.

    The first line says how many columns there are. Two are source and target. Of more, a header must say which
    are: by names in :data:`HEADERS`, or by those given here; without a header they are given by position,
    from 1. They are never guessed. The other columns are not looked at: a weight that is NaN is no error.

    Args:
        path: the file.
        source_column: the name or the position of the column with the source of each edge.
        target_column: the same for the target; both or neither.
        directed: whether an edge leads from its source to its target only.
        name: the name of the graph; by default the file's name without its ending.

    Raises:
        DataError: as :func:`read_edge_list`, and if the columns cannot be told.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "team.tsv"
    ...     _ = path.write_text("0.5\tAnn\tBob\n0.7\tBob\tCy\n")
    ...     graph = read_edge_table(path, source_column="3", target_column="2", directed=True)
    >>> graph.node_id.tolist(), graph.edge_index.tolist()
    (['Bob', 'Ann', 'Cy'], [[0, 2], [1, 0]])
    """

    def choose(columns: list[str], where: str) -> tuple[int, int, bool]:
        return pick_columns(columns, where, source_column, target_column)

    return _read(Path(path), choose, name=name, directed=directed, only_two=False)


def pick_columns(columns: list[str], where: str, source: str | None, target: str | None) -> tuple[int, int, bool]:
    """Which of ``columns`` are source and target, and whether they are the names of a header.

    Raises:
        DataError: beginning with ``where``, if that cannot be told.
    """
    lower = [column.lower() for column in columns]
    known = [pair for pair in HEADERS if lower.count(pair[0]) == lower.count(pair[1]) == 1]
    # Of a pair that is known both ways round, the way in which the columns stand
    known = [(u, v) for u, v in known if (v, u) not in known or lower.index(u) < lower.index(v)]
    if source is not None and target is not None:
        if source.isdecimal() and target.isdecimal():
            for flag, position in (("--source-col", source), ("--target-col", target)):
                if not 1 <= int(position) <= len(columns):
                    raise DataError(f"{where}: {flag} {position}, but there are {_count(columns)}")
            at = int(source) - 1, int(target) - 1
            return *at, (lower[at[0]], lower[at[1]]) in HEADERS
        for flag, column in (("--source-col", source), ("--target-col", target)):
            if columns.count(column) != 1:
                how = "is there more than once" if column in columns else "is not there"
                raise DataError(f"{where}: the column '{cut(column)}' of {flag} {how}; {_names(column, columns)}")
        return columns.index(source), columns.index(target), True
    if len(known) == 1:
        return lower.index(known[0][0]), lower.index(known[0][1]), True
    if len(columns) == 2:
        return 0, 1, False
    raise DataError(
        f"{where}: {_count(columns)}; name the two with the ends of an edge: --source-col NAME --target-col NAME, "
        "or in a file without a header by position, as in --source-col 1 --target-col 2"
    )


@contextmanager
def open_text(path: Path, *, expected: str = EXPECTED) -> Iterator[io.TextIOWrapper]:
    """As :func:`open_bytes`, for text in UTF-8 with or without a byte order mark."""
    with open_bytes(path, expected=expected) as binary:
        try:
            yield io.TextIOWrapper(binary, encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise DataError(f"{path}: not a text file in UTF-8; expected {expected}; save it as UTF-8") from None


@contextmanager
def open_bytes(path: Path, *, expected: str) -> Iterator[IO[bytes]]:
    """The content of a file, decompressed if its name ends in ``.gz``; errors of the block become DataErrors."""
    if os.path.isdir(path):  # unlike Path.is_dir, False for a name that the system refuses
        raise DataError(f"{path}: is a folder; expected a file with {expected.removeprefix('a line with ')}")
    try:
        with path.open("rb") as raw:
            start = raw.peek(2)[:2]
            if not start:
                raise DataError(f"{path}: the file is empty; expected {expected}")
            packed = path.name.lower().endswith(".gz")
            if start == b"\x1f\x8b" and not packed:
                raise DataError(f"{path}: not a text file but a compressed one; let its name end in .gz")
            yield cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: truncated, or not compressed by gzip ({error})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        if isinstance(error, HypgraphError):
            raise
        raise DataError(f"{path}: cannot be read ({error})") from None  # a NUL in the name


@dataclass
class _Reader:
    path: Path
    choose: Choose
    only_two: bool
    layout: Layout | None = None

    def words(self, block: str, line_number: int) -> list[str]:
        """The ids at the ends of the edges in a block of lines, two after two, line by line."""
        words: list[str] = []
        # str.splitlines would also break lines at rarer characters, which an id may contain.
        for number, raw in enumerate(block.split("\n"), start=line_number):
            line = raw.strip()
            if not line or line[0] in "#%":
                continue
            where = f"{self.path}, line {number}"
            if len(line) > LONGEST_LINE:
                raise DataError(f"{where}: more than {LONGEST_LINE} characters; expected {EXPECTED}")
            layout = self.layout
            if layout is None:
                separator = "\t" if "\t" in line else "," if "," in line else None
                columns = _columns(line, separator, where)
                if len(columns) < 2:
                    raise DataError(f"{where}: {_what_is_wrong(columns, separator, 2, first=True)}")
                source, target, header = self.choose(columns, where)
                width = 2 if self.only_two else len(columns)
                layout = self.layout = Layout(separator, width, source, target)
                if header:
                    continue
            else:
                columns = _columns(line, layout.separator, where)
                if layout.separator == "\t" and len(columns) != layout.width:
                    columns = _columns(raw, "\t", where)  # empty columns at the ends of the line are columns too
            if len(columns) != layout.width or not columns[layout.source] or not columns[layout.target]:
                wrong = _what_is_wrong(columns, layout.separator, layout.width)
                raise DataError(f"{where}: {wrong}{', or use read_graph' if self.only_two else ''}")
            words += columns[layout.source], columns[layout.target]
        return words


def _read(path: Path, choose: Choose, *, name: str | None, directed: bool, only_two: bool) -> Graph:
    reader = _Reader(path, choose, only_two)
    ends = Ends()
    with open_text(path) as text:
        for line_number, block in _blocks(text, path):
            plain = None if reader.layout is None else plain_block(block, reader.layout)
            if isinstance(plain, np.ndarray):
                ends.add_integers(plain)
            else:
                ends.add_words(reader.words(block, line_number) if plain is None else plain)
    node_id, pairs = ends.numbered(path)
    if not pairs.size:
        raise DataError(f"{path}: no edges in it; expected {EXPECTED}")
    notes: tuple[str, ...] = ()
    if node_id.dtype.kind == "U" and (pairs == 0).sum() == (pairs == 1).sum() == 1:
        first = node_id[:2].tolist()
        _check_header(first, node_id[2:].tolist(), path)
        if len(node_id) > 2:
            source, target = map(cut, first)
            notes = (
                f"{path}: its first line is read as an edge ({source}, {target}), but these stand nowhere else; "
                f"if it is a header, say so: --source-col {source} --target-col {target}",
            )
    graph = Graph.from_pairs(name or stem(path), pairs, node_id=node_id, directed=directed)
    return replace(graph, notes=notes)


def stem(path: Path) -> str:
    """The name of a file without its ending, and without ``.gz`` after that."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def _blocks(text: io.TextIOWrapper, path: Path) -> Iterator[tuple[int, str]]:
    """Blocks of whole lines, each ending in a newline, with the number of their first line.

    The first is short: what it says of the columns lets the others be read fast.
    """
    line_number, rest, size = 1, "", FIRST_BLOCK
    while chunk := text.read(size):
        if "\0" in chunk:
            raise DataError(f"{path}: not a text file in UTF-8; expected {EXPECTED}")
        whole, newline, rest = (rest + chunk).rpartition("\n")
        if newline:
            yield line_number, whole + newline
            line_number += whole.count("\n") + 1
            size = BLOCK
        elif len(rest) > LONGEST_LINE + size:
            start = rest.lstrip()
            if start and start[0] not in "#%":
                raise DataError(
                    f"{path}, line {line_number}: more than {LONGEST_LINE} characters; expected {EXPECTED}"
                )
            rest = start[:1]  # of a long comment, and of blanks, only that they are
    if rest:
        yield line_number, rest + "\n"


def _check_header(first: list[str], others: list[str], path: Path) -> None:
    """Refuses two words of the first line that stand nowhere else, before nothing but integers: a header."""
    if len(others) > 2 and not any(are_integers([word]) for word in first) and are_integers(others):
        raise DataError(
            f"{path}: the first line ({cut(first[0])}, {cut(first[1])}) looks like a header, since all other "
            "ids are integers; write source,target there, name its columns with --source-col and --target-col, "
            "or delete it"
        )


def _columns(line: str, separator: str | None, where: str) -> list[str]:
    if separator is None:
        return line.split()
    if separator == "," and '"' in line:
        try:
            return [column.strip() for column in next(csv.reader([line], strict=True, skipinitialspace=True))]
        except csv.Error as error:
            raise DataError(f"{where}: a quoted id is not closed ({error})") from None
    return [column.strip() for column in line.split(separator)]


def _what_is_wrong(columns: list[str], separator: str | None, width: int, *, first: bool = False) -> str:
    separated = {"\t": "a tab", ",": "a comma"}.get(separator or "", "blanks")
    if len(columns) == width:
        return f"an id is empty ({_shown(columns)}); give both ends of the edge"
    if width != 2:
        return f"{_count(columns)}, separated by {separated}; expected {width} as in the first line"
    if len(columns) == 1 and first:
        return f"{_count(columns)}; expected two, separated by a tab, a comma or blanks"
    if len(columns) == 1:
        return f"{_count(columns)}; expected two, separated by {separated} as in the first edge"
    return f"{_count(columns)}, separated by {separated}; expected two: remove the others"


def _count(columns: list[str]) -> str:
    return f"{len(columns)} column{'s' * (len(columns) != 1)} ({_shown(columns)})"


def _shown(columns: list[str]) -> str:
    shown = ", ".join(repr(column) if len(column) <= 40 else repr(column[:40]) + "…" for column in columns[:8])
    return shown + (", …" if len(columns) > 8 else "")


def _names(column: str, columns: list[str]) -> str:
    return did_you_mean(column[:40], [cut(name) for name in columns[:20]])


def cut(word: str) -> str:
    """A word of a file as it may stand in a message: of one line and not long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in word[:41])
    return shown if len(shown) <= 40 else shown[:40] + "…"
