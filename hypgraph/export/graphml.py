"""Embeddings with their graph as GraphML, which NetworkX, Gephi, igraph and Cytoscape read."""

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from hypgraph.exceptions import ConfigError
from hypgraph.export.coordinates import Located
from hypgraph.export.graph import ExportedGraph
from hypgraph.export.tables import columns
from hypgraph.export.text import NOT_IN_XML, encodable, rows_of
from hypgraph.files import whole_file

__all__ = ["write_graphml"]

_OPENING = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""
_REASON = "XML has no control characters"


def write_graphml(nodes: Located, graph: ExportedGraph | None, path: Path) -> tuple[str, ...]:
    """Writes the graph, each node with its coordinates, ``radius``, ``scale_0 …`` and, where known, ``label``.

    Coordinates of two numbers stand there a second time as ``x`` and ``y``, where Gephi places nodes. ``c``,
    ``manifold`` and ``coords`` are attributes of the graph. Ids are text, as always in GraphML; characters that
    XML cannot hold are percent-encoded.

    Returns:
        A line if ids were changed, and one if labels were.

    Raises:
        ConfigError: if there is no graph.
    """
    if graph is None:
        raise ConfigError(
            "--format graphml needs the edges of the graph, which are not at hand; write csv instead"
        )
    ids, notes = encodable(
        [str(node) for node in nodes.embeddings.node_id.tolist()], NOT_IN_XML, what="ids", reason=_REASON
    )
    labels: list[str] | None = None
    if graph.labels is not None:
        labels, more = encodable(
            [label or "" for label in graph.labels], NOT_IN_XML, what="labels", reason=_REASON
        )
        notes += more
    quoted = [quoteattr(node) for node in ids]
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(_OPENING)
        file.writelines(_nodes(nodes, quoted, labels, directed=graph.directed))
        file.writelines(f"<edge source={quoted[u]} target={quoted[v]}/>\n" for u, v in graph.edge_index.T.tolist())
        file.write("</graph>\n</graphml>\n")
    return tuple(notes)


def _nodes(nodes: Located, quoted: list[str], labels: list[str] | None, *, directed: bool) -> Iterator[str]:
    """The declarations of the attributes, the opening of the graph, and its nodes."""
    embeddings, vectors = nodes.embeddings, nodes.vectors()
    plane = dict(zip("xy", vectors.T, strict=True)) if vectors.shape[1] == embeddings.dim == 2 else {}
    numbers = columns({**nodes.parts, **plane, "radius": nodes.radius, "scale": embeddings.scale})
    yield from (_key(name, "double") for name in numbers)
    if labels is not None:
        yield _key("label", "string")
    graph = {"c": repr(embeddings.c), "manifold": embeddings.manifold, "coords": nodes.coords}
    yield from (_key(name, "double" if name == "c" else "string", of="graph") for name in graph)
    yield f'<graph edgedefault="{"directed" if directed else "undirected"}">\n'
    yield from (f"{_data(name, value)}\n" for name, value in graph.items())
    fields = "".join(_data(name, "%r") for name in numbers)
    matrix = np.column_stack(list(numbers.values()))
    words = [""] * len(quoted) if labels is None else labels
    for node, row, label in zip(quoted, rows_of(matrix), words, strict=True):
        # An end-of-line in text is read as \n whichever it was, unless it is written as a reference.
        text = _data("label", escape(label, {"\r": "&#13;"})) if label else ""
        yield f"<node id={node}>{fields % tuple(row)}{text}</node>\n"


def _key(name: str, kind: str, *, of: str = "node") -> str:
    return f'<key id="{name}" for="{of}" attr.name="{name}" attr.type="{kind}"/>\n'


def _data(name: str, value: str) -> str:
    return f'<data key="{name}">{value}</data>'
