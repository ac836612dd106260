"""Embeddings as a folder that TensorBoard's embedding projector opens."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hypgraph.exceptions import ConfigError
from hypgraph.export.coordinates import Located
from hypgraph.export.graph import ExportedGraph
from hypgraph.export.tables import columns
from hypgraph.export.text import LINE_BREAKS, encodable, rows_of

__all__ = ["PROJECTOR_FILES", "write_projector"]

PROJECTOR_FILES = ("vectors.tsv", "metadata.tsv", "projector_config.pbtxt")

_CONFIG = """\
embeddings {{
  tensor_name: "{name}"
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
}}
"""


def write_projector(nodes: Located, graph: ExportedGraph | None, path: Path) -> tuple[str, ...]:
    """Makes the folder ``path`` with ``vectors.tsv``, ``metadata.tsv`` and ``projector_config.pbtxt``.

    ``tensorboard --logdir PATH`` shows it, and the first two files can be loaded into the projector by hand. The
    metadata have a header and the columns ``node_id``, ``label`` where the graph has labels, ``radius, scale_0 …,
    c, manifold``. Tabs, line breaks and control characters are percent-encoded.

    Returns:
        A line if ids were changed, and one if labels were.

    Raises:
        ConfigError: if ``path`` is a file, or a folder that holds anything else.
    """
    embeddings = nodes.embeddings
    reason = "a table of the projector has no quotes"
    ids, notes = encodable(
        [str(node) for node in embeddings.node_id.tolist()], LINE_BREAKS, what="ids", reason=reason
    )
    words, header = [ids], ["node_id"]
    if graph is not None and graph.labels is not None:
        labels, more = encodable(
            [label or "" for label in graph.labels], LINE_BREAKS, what="labels", reason=reason
        )
        words, header, notes = [ids, labels], ["node_id", "label"], notes + more
    numbers = columns({"radius": nodes.radius, "scale": embeddings.scale})
    tail = f"{embeddings.c!r}\t{embeddings.manifold}\n"
    with _whole_folder(path) as folder:
        with (folder / "vectors.tsv").open("w", encoding="utf-8", newline="") as file:
            file.writelines("\t".join(map(repr, row)) + "\n" for row in rows_of(nodes.vectors()))
        with (folder / "metadata.tsv").open("w", encoding="utf-8", newline="") as file:
            file.write("\t".join([*header, *numbers, "c", "manifold"]) + "\n")
            rows = zip(zip(*words, strict=True), rows_of(np.column_stack(list(numbers.values()))), strict=True)
            file.writelines("\t".join([*cells, *map(repr, row), tail]) for cells, row in rows)
        name = f"{embeddings.manifold}, {nodes.coords} coordinates, c={embeddings.c:g}"
        (folder / "projector_config.pbtxt").write_text(_CONFIG.format(name=name), encoding="utf-8")
    return tuple(notes)


@contextmanager
def _whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``path`` when the block succeeds; a block that fails leaves nothing."""
    if path.is_dir() and (others := sorted({entry.name for entry in path.iterdir()} - set(PROJECTOR_FILES))):
        raise ConfigError(f"--out {path}: holds other files ({others[0]}); choose a folder of its own")
    if path.is_file():
        raise ConfigError(f"--out {path}: is a file; projector makes a folder")
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        new, old = temporary / "new", temporary / "old"
        new.mkdir()
        yield new
        if path.exists():
            path.rename(old)
        try:
            new.rename(path)
        except BaseException:
            if old.exists():
                old.rename(path)
            raise
    finally:
        if path.exists() or not (temporary / "old").exists():
            shutil.rmtree(temporary, ignore_errors=True)
