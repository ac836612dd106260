"""Untrained link predictors that compare features: cosine before and after one step over training edges."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hypgraph.data.feature_weights import is_binary, normalise_rows, scale_rows, tf_idf
from hypgraph.evaluation.node_pairs import Pairs, as_pairs, blocks, row_products
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.exceptions import DataError

__all__ = ["cosine_features", "cosine_propagated_features"]


def cosine_features(graph: TrainingGraph, pairs: Pairs) -> NDArray[np.float64]:
    """Cosine similarity of the features, ⟨x_u, x_v⟩ / (‖x_u‖ ‖x_v‖).

    Args:
        graph: only its features are used.
        pairs: shape ``(2, P)``.

    Returns:
        Scores in [−1, 1], shape ``(P,)``; 0 where an end point has no features.

    Raises:
        DataError: if the graph has no features.

    >>> graph = TrainingGraph.from_edges([[0], [1]], 3, [[1.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    >>> cosine_features(graph, [[0, 0], [1, 2]])
    array([0.6, 0. ])
    """
    features = _features_of(graph, "cosine X")
    return row_products(normalise_rows(features), as_pairs(pairs, graph.num_nodes))


def cosine_propagated_features(graph: TrainingGraph, pairs: Pairs) -> NDArray[np.float64]:
    """Cosine similarity of features averaged once over the training graph, rows of ÂX.

    Â = D̃^-½ (A + I) D̃^-½ with D̃ the degrees of A + I: the propagation of a graph convolution (Kipf & Welling
    2017, equation 2) without its weights. Binary features are first weighted by the inverse document
    frequency, x log(N/df), and their rows scaled to length 1: rare words count more, long documents do not.

    Args:
        graph: training edges and features. Propagating over held-out edges would leak them.
        pairs: shape ``(2, P)``.

    Returns:
        Scores in [−1, 1], shape ``(P,)``; 0 where ÂX has a row of zeros.

    Raises:
        DataError: if the graph has no features.

    >>> graph = TrainingGraph.from_edges([[0], [1]], 3, [[2.0, 0.0], [0.0, 3.0], [0.0, 0.0]])
    >>> cosine_propagated_features(graph, [[0, 0], [1, 2]]).round(6)
    array([1., 0.])
    """
    features = _features_of(graph, "cosine ÂX")
    pairs = as_pairs(pairs, graph.num_nodes)
    if is_binary(features):
        features = normalise_rows(tf_idf(features))
    # The left D̃^-½ of Â multiplies whole rows and drops out of a cosine; only the right one is applied.
    spread = scale_rows(features, 1.0 / np.sqrt(graph.degree + 1.0))
    scores = np.zeros(pairs.shape[1])
    for block in blocks(pairs.shape[1]):
        nodes, position = np.unique(pairs[:, block], return_inverse=True)
        propagated = graph.adjacency[nodes] @ spread + spread[nodes]
        scores[block] = row_products(normalise_rows(propagated), position.reshape(2, -1))
    return scores


def _features_of(graph: TrainingGraph, baseline: str) -> csr_array:
    if graph.features is None:
        raise DataError(f"features: none were given, the baseline {baseline} compares features; leave it out")
    return graph.features
