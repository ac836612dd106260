"""Embeddings in the text format of word2vec, which gensim and others read."""

from pathlib import Path

from hypgraph.export.coordinates import Located
from hypgraph.export.graph import ExportedGraph
from hypgraph.export.text import BLANKS, encodable, rows_of
from hypgraph.files import whole_file

__all__ = ["write_word2vec"]


def write_word2vec(nodes: Located, _graph: ExportedGraph | None, path: Path) -> tuple[str, ...]:
    """Writes a line ``N k``, then a line a node: its id and k numbers, separated by blanks.

    A blank in an id would end it: ids with white space are percent-encoded. The format has no place for scale,
    curvature and manifold.

    Returns:
        A line if ids were changed.
    """
    ids, notes = encodable(
        [str(node) for node in nodes.embeddings.node_id.tolist()],
        BLANKS,
        what="ids",
        reason="word2vec ends an id at a blank",
    )
    vectors = nodes.vectors()
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{vectors.shape[0]} {vectors.shape[1]}\n")
        rows = zip(ids, rows_of(vectors), strict=True)
        file.writelines(f"{node} {' '.join(map(repr, row))}\n" for node, row in rows)
    return tuple(notes)
