"""How good a link predictor is, and how good one is that was never trained.

Metrics (:mod:`~hypgraph.evaluation.link_metrics`), intervals over seeds
(:mod:`~hypgraph.evaluation.intervals`) and untrained baselines (:mod:`~hypgraph.evaluation.baselines`).
Everything takes plain arrays or tensors.
"""

from hypgraph.evaluation.baselines import BASELINES, Baseline, score_baselines
from hypgraph.evaluation.feature_similarity import cosine_features, cosine_propagated_features
from hypgraph.evaluation.graph_similarity import common_neighbours, personalised_pagerank
from hypgraph.evaluation.intervals import MeanInterval, mean_interval
from hypgraph.evaluation.link_metrics import LinkMetrics, link_metrics
from hypgraph.evaluation.training_graph import TrainingGraph

__all__ = [
    "BASELINES",
    "Baseline",
    "LinkMetrics",
    "MeanInterval",
    "TrainingGraph",
    "common_neighbours",
    "cosine_features",
    "cosine_propagated_features",
    "link_metrics",
    "mean_interval",
    "personalised_pagerank",
    "score_baselines",
]
