"""What an export takes of the graph: nothing, but for a few formats."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

__all__ = ["ExportedGraph"]


@dataclass(frozen=True, eq=False)
class ExportedGraph:
    """The edges and labels that go into a file beside the embeddings, nodes in the same order.

    Attributes:
        edge_index: int64 ``[2, E]``, each edge once.
        directed: whether an edge runs from its first node to its second.
        labels: the label of each node, None where it is not known; None if there are none.
    """

    edge_index: Tensor
    directed: bool = False
    labels: Sequence[str | None] | None = None
