"""What the encoder sees of each node."""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from hypgraph.data import Graph
from hypgraph.data.feature_weights import is_binary, normalise_rows, tf_idf
from hypgraph.lookup import lookup

__all__ = ["INPUTS", "input_features"]

INPUTS = {
    "own": ("own",),
    "none": ("identity",),
    "degree": ("own", "degree"),
    "learned": ("own", "identity"),
}
"""The parts that stand side by side, by the name of the choice."""


def input_features(
    graph: Graph, train_edge_index: Tensor, inputs: str = "own", *, within: Tensor | None = None
) -> csr_array:
    """The encoder's input, ``[N, F]``.

    The data's own features have rows of length 1; binary ones are first weighted by inverse document frequency.
    The identity, one feature a node, makes the first layer a table of vectors, learnt for each node. The degree in
    the training graph comes as one of the classes 0, 1-2, 3-6, 7-14 and so on, for directed edges once for those
    that leave and once for those that arrive.

    Args:
        graph: nodes, and features where it has any.
        train_edge_index: ``[2, E]``, the edges that degrees are counted in.
        inputs: ``"own"``, the data's features; ``"none"``, the identity; ``"degree"``, own features and degree;
            ``"learned"``, own features and the identity. Where there are no own features the rest is left, or the
            identity if nothing is.
        within: edges that hold ``train_edge_index``, whose classes of degree are the columns; by default the same.
    """

    def degrees(edges: Tensor) -> list[NDArray[np.int64]]:
        ends = list(edges.numpy()) if graph.directed else [edges.flatten().numpy()]
        return [np.bincount(end, minlength=graph.num_nodes) for end in ends]

    parts: list[csr_array] = []
    for part in lookup(INPUTS, inputs, what="features"):
        if part == "degree":
            own = degrees(train_edge_index)
            whole = own if within is None else degrees(within)
            parts += [_degree_class(one, int(every.max(initial=0))) for one, every in zip(own, whole, strict=True)]
        elif part == "own" and graph.features is not None:
            features = graph.features
            parts.append(normalise_rows(tf_idf(features) if is_binary(features) else features))
        elif part == "identity":
            parts.append(_identity(graph.num_nodes))
    return csr_array(scipy.sparse.hstack(parts or [_identity(graph.num_nodes)], format="csr"))


def _identity(count: int) -> csr_array:
    return csr_array(scipy.sparse.eye_array(count, format="csr"))


def _degree_class(degree: NDArray[np.int64], largest: int) -> csr_array:
    """⌊log₂(1 + degree)⌋ as one of its values up to the ``largest`` degree, ``[N, classes]``."""
    # frexp is exact where a logarithm would round 1 + degree = 2^k down
    column = np.frexp(1.0 + degree)[1] - 1
    rows = np.arange(len(degree))
    return csr_array((np.ones(len(degree)), (rows, column)), shape=(len(degree), (1 + largest).bit_length()))
