"""A finished run, opened to be looked at: its points, its graph, and what was held out."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from hypgraph.config import GraphConfig
from hypgraph.data import EdgeSplit, Graph
from hypgraph.exceptions import DataError, HypgraphError, RunError
from hypgraph.experiments.link_data import check_split, load_data
from hypgraph.export import Embeddings
from hypgraph.run_folder import RunFolder

__all__ = ["OpenedRun"]


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """A run of one seed of ``hypgraph train``, or a drawing of ``hypgraph embed``.

    Attributes:
        folder: where it is.
        embeddings: a row a node.
        summary: what ``summary.json`` holds.
    """

    folder: RunFolder
    embeddings: Embeddings
    summary: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> "OpenedRun":
        """The run at ``path``.

        Raises:
            RunError: if there is none, it is not finished, is damaged, or holds several seeds.
        """
        folder = RunFolder.open(path)
        if not folder.is_drawing:
            folder.check_one_seed()
        summary = folder.summary()
        return cls(folder, Embeddings.load(folder.embeddings_file), summary)

    @property
    def data(self) -> GraphConfig:
        """Which graph it is of."""
        return self.folder.drawing_config().data if self.folder.is_drawing else self.folder.config().data

    @cached_property
    def graph(self) -> Graph:
        """The graph, read anew from its source.

        Raises:
            HypgraphError: if it is not there any more.
            RunError: if it has changed since.
        """
        graph = load_data(self.data)
        changed = "the data have changed since this run was made; make it again"
        if graph.node_id.tolist() != self.embeddings.node_id.tolist():
            raise RunError(f"{self.folder.path}: {changed}")
        if self.folder.split_file.is_file():
            split, data = EdgeSplit.load(self.folder.split_file), self.folder.config().data
            check_split(split, graph, data, source=str(self.folder.path), remedy=changed)
        elif self.summary.get("edges_sha256", graph.edges_sha256) != graph.edges_sha256:
            raise RunError(f"{self.folder.path}: {changed}")
        return graph

    @cached_property
    def split(self) -> EdgeSplit | None:
        """Which edges were held out; None for a drawing, which holds out none."""
        return None if self.folder.is_drawing else EdgeSplit.load(self.folder.split_file)

    def row_of(self, node: str) -> int:
        """The position of the node whose id reads ``node``.

        Raises:
            DataError: if there is none, with the ids that look like it.
        """
        ids = self._positions
        if node not in ids:
            like = get_close_matches(node, ids, n=3, cutoff=0.5) or list(islice(ids, 3))
            shown = ", ".join(like)
            raise DataError(f"--node {node}: no such node in {self.folder.path}; its ids look like {shown}")
        return ids[node]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {str(node): row for row, node in enumerate(self.embeddings.node_id.tolist())}

    @cached_property
    def has_data(self) -> bool:
        """Whether the graph can still be read, and is the same."""
        try:
            return bool(self.graph.num_nodes)
        except HypgraphError:
            return False

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each label, the number where the data give no names."""
        labels = self.graph.labels
        if labels is None or self.graph.label_names:
            return self.graph.label_names
        return tuple(str(label) for label in range(int(labels.max(initial=-1)) + 1))

    @property
    def labels(self) -> list[str | None] | None:
        """The label of each node, None where it is not known; None where the graph has none or is gone."""
        if not self.has_data or self.graph.labels is None:
            return None
        names = self.class_names
        return [names[label] if label >= 0 else None for label in self.graph.labels.tolist()]
