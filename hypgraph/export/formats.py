"""The formats of embeddings, by name."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.export.coordinates import Located, locate
from hypgraph.export.embeddings import Embeddings
from hypgraph.export.graph import ExportedGraph
from hypgraph.export.graphml import write_graphml
from hypgraph.export.projector import write_projector
from hypgraph.export.tables import write_csv, write_npz, write_parquet
from hypgraph.export.word2vec import write_word2vec
from hypgraph.lookup import lookup

__all__ = ["EXPORT_FORMATS", "Format", "format_by_ending", "save_embeddings"]


class Format(NamedTuple):
    """How embeddings are written.

    Attributes:
        write: writes them whole or not at all; returns what was changed, a line each.
        endings: of its files, the usual one first; that of a folder is "-projector".
        edges: whether it holds the edges of the graph, and so needs them.
        labels: whether it holds the labels of the nodes.
        leaves_out: what it has no place for.
    """

    write: Callable[[Located, ExportedGraph | None, Path], tuple[str, ...]]
    endings: tuple[str, ...]
    edges: bool = False
    labels: bool = False
    leaves_out: str = ""


EXPORT_FORMATS: dict[str, Format] = {
    "npz": Format(write_npz, (".npz",)),
    "csv": Format(write_csv, (".csv",)),
    "parquet": Format(write_parquet, (".parquet", ".pq")),
    "word2vec": Format(write_word2vec, (".vec", ".w2v", ".word2vec"), leaves_out="scale, c and manifold"),
    "projector": Format(write_projector, ("-projector",), labels=True),
    "graphml": Format(write_graphml, (".graphml",), edges=True, labels=True),
}


def format_by_ending(path: Path | None) -> str:
    """The name of the format whose ending the name of a file has; npz where it has none, or there is no name yet.

    Raises:
        ConfigError: for an ending of no format.

    >>> [format_by_ending(Path(name)) for name in ("trees.CSV", "trees-projector", "trees")]
    ['csv', 'projector', 'npz']
    """
    if path is None:
        return "npz"
    name = path.name.lower()
    for known, kind in EXPORT_FORMATS.items():
        if name.endswith(kind.endings):
            return known
    if not path.suffix:
        return "npz"
    endings = ", ".join(ending for kind in EXPORT_FORMATS.values() for ending in kind.endings)
    raise ConfigError(f"{path}: no format has the ending '{path.suffix}'; known: {endings}; or add --format")


def save_embeddings(
    embeddings: Embeddings,
    path: Path,
    *,
    file_format: str = "npz",
    coords: str | None = None,
    graph: ExportedGraph | None = None,
) -> tuple[str, ...]:
    """Writes embeddings in a format of :data:`EXPORT_FORMATS` and coordinates of :data:`COORDINATES`.

    Args:
        embeddings: ids, centres, scales.
        path: the file, or for ``projector`` the folder; what stands there is replaced.
        file_format: the name of a format.
        coords: the name of the coordinates, by default those that the embeddings are in.
        graph: edges and labels in the order of the nodes; needed by ``graphml``.

    Returns:
        What was changed on the way, a line each: ids that the format cannot hold, points beyond the coordinates.

    Raises:
        ConfigError: if a name is unknown, or something that the format needs is missing.
        DataError: if an id is not text that UTF-8 can hold.
        OSError: if the file cannot be written.

    >>> import tempfile, numpy as np
    >>> two = Embeddings(np.array(["New York", "Rome"]), np.zeros((2, 2)), np.ones((2, 2)), 1.0, "poincare")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     notes = save_embeddings(two, Path(folder) / "e.vec", file_format="word2vec", coords="tangent")
    ...     print((Path(folder) / "e.vec").read_text().splitlines()[:2])
    ['2 2', 'New%20York 0.0 0.0']
    """
    write = lookup(EXPORT_FORMATS, file_format, what="format").write
    nodes = locate(embeddings, coords)
    try:
        return nodes.notes + write(nodes, graph, path)
    except UnicodeEncodeError as error:
        part = error.object[error.start : error.end]
        raise DataError(f"an id or a label holds {part!a}, which is no Unicode text; write --format npz") from None
