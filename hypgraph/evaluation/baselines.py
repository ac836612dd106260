"""The untrained baselines that stand beside every trained model, and one call that scores them all.

An untrained cosine after one hop beats many trained models on citation graphs. A table without these rows
would not tell whether training was worth it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hypgraph.evaluation.feature_similarity import cosine_features, cosine_propagated_features
from hypgraph.evaluation.graph_similarity import common_neighbours, personalised_pagerank
from hypgraph.evaluation.link_metrics import LinkMetrics, link_metrics
from hypgraph.evaluation.node_pairs import Pairs, as_pairs
from hypgraph.evaluation.training_graph import Features, TrainingGraph

__all__ = ["BASELINES", "Baseline", "score_baselines"]


# Pairs that tie by symmetry differ in the last bits of their scores, and an order by those bits is noise.
# Cosines are good to 1e-15 and PageRank to its tolerance of 1e-12.
TRUSTED_DECIMALS = 12
# Nodes times edges; some ten seconds. PubMed is just below.
COSTLY_FROM = 1e9


@dataclass(frozen=True)
class Baseline:
    """An untrained link predictor.

    Attributes:
        label: what a table for people calls it.
        score: from the training graph and pairs of shape ``(2, P)`` to scores of shape ``(P,)``.
        needs_features: whether it is defined only for graphs with features.
        costly: whether its time grows with nodes times edges.
    """

    label: str
    score: Callable[[TrainingGraph, Pairs], NDArray[np.float64]]
    needs_features: bool
    costly: bool = False


BASELINES: dict[str, Baseline] = {
    "cosine_ax": Baseline("cosine ÂX", cosine_propagated_features, needs_features=True),
    "cosine_x": Baseline("cosine X", cosine_features, needs_features=True),
    "common_neighbours": Baseline("common neighbours", common_neighbours, needs_features=False),
    "personalised_pagerank": Baseline(
        "personalised PageRank", personalised_pagerank, needs_features=False, costly=True
    ),
}


def score_baselines(
    train_edge_index: Pairs,
    num_nodes: int,
    features: Features | None,
    evaluation_sets: Mapping[str, tuple[Pairs, Pairs]],
) -> dict[str, dict[str, LinkMetrics]]:
    """AUC and AP of every baseline that the graph allows, on every evaluation set.

    Scores that agree to 12 decimals tie, so that rounding errors break no tie. Costly baselines are left out
    where nodes times edges exceed 10⁹.

    Args:
        train_edge_index: training edges, the only edges that a baseline sees, shape ``(2, E)``.
        num_nodes: N, isolated nodes included.
        features: X, shape ``(N, F)``, dense or sparse; None leaves out the baselines that need them.
        evaluation_sets: from a name (``"val"``, ``"test"``) to its edges and its non-edges, shapes
            ``(2, P)`` and ``(2, Q)``.

    Returns:
        ``result[baseline][evaluation set]``, the baselines in the order and by the names of ``BASELINES``.

    Raises:
        DataError: if the edges, the features or a set do not fit the graph, or a set is empty.

    >>> path = [[0, 1, 2], [1, 2, 3]]
    >>> result = score_baselines(path, 5, None, {"test": ([[0, 1], [2, 3]], [[0, 3], [4, 4]])})
    >>> result["common_neighbours"]["test"].auc
    1.0
    >>> list(result)
    ['common_neighbours', 'personalised_pagerank']
    """
    graph = TrainingGraph.from_edges(train_edge_index, num_nodes, features)
    parts = [
        as_pairs(pairs, num_nodes, name=f"evaluation_sets['{name}'] {kind}")
        for name, edges_and_non_edges in evaluation_sets.items()
        for kind, pairs in zip(("edges", "non-edges"), edges_and_non_edges, strict=True)
    ]
    if not parts:
        return {}
    # All sets are scored together: a row of PageRank serves every pair that its node is in.
    everything = np.concatenate(parts, axis=1)
    ends = np.cumsum([part.shape[1] for part in parts])[:-1]
    result: dict[str, dict[str, LinkMetrics]] = {}
    for key, baseline in BASELINES.items():
        if baseline.needs_features and graph.features is None:
            continue
        if baseline.costly and graph.num_nodes * graph.adjacency.nnz / 2 > COSTLY_FROM:
            continue
        scores = iter(np.split(baseline.score(graph, everything).round(TRUSTED_DECIMALS), ends))
        result[key] = {name: link_metrics(next(scores), next(scores)) for name in evaluation_sets}
    return result
