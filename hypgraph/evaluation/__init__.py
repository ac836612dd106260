"""How good a link predictor is, how good one is that was never trained, how good an embedding or a VAE is.

Metrics (:mod:`~hypgraph.evaluation.link_metrics`, :mod:`~hypgraph.evaluation.ranking`), hard negatives, intervals
and paired differences over seeds, baselines (:mod:`~hypgraph.evaluation.baselines`), the quality of an embedding,
the hyperbolicity of a graph, bounds on the likelihood of data, and what latent codes tell of classes.
"""

from hypgraph.evaluation.baselines import BASELINES, Baseline, score_baselines
from hypgraph.evaluation.depth import DepthRow, hop_depth, radius_by_depth
from hypgraph.evaluation.embedding_quality import EmbeddingQuality, embedding_quality
from hypgraph.evaluation.feature_similarity import cosine_features, cosine_propagated_features
from hypgraph.evaluation.graph_similarity import common_neighbours, personalised_pagerank
from hypgraph.evaluation.hard_negatives import heart_negatives
from hypgraph.evaluation.hyperbolicity import Hyperbolicity, hyperbolicity
from hypgraph.evaluation.intervals import MeanInterval, mean_interval
from hypgraph.evaluation.latent_classification import ClassificationResult, classify_codes
from hypgraph.evaluation.link_metrics import LinkMetrics, link_metrics
from hypgraph.evaluation.marginal_likelihood import Bounds, marginal_likelihood
from hypgraph.evaluation.pair_features import PairFeatures
from hypgraph.evaluation.paired import PairedDifference, paired_difference
from hypgraph.evaluation.ranking import RankingMetrics, hits_at_k, mrr, ogb_mrr, ranking_metrics
from hypgraph.evaluation.reconstruction import Reconstruction, reconstruction
from hypgraph.evaluation.training_graph import TrainingGraph

__all__ = [
    "BASELINES",
    "Baseline",
    "Bounds",
    "ClassificationResult",
    "DepthRow",
    "EmbeddingQuality",
    "Hyperbolicity",
    "LinkMetrics",
    "MeanInterval",
    "PairFeatures",
    "PairedDifference",
    "RankingMetrics",
    "Reconstruction",
    "TrainingGraph",
    "classify_codes",
    "common_neighbours",
    "cosine_features",
    "cosine_propagated_features",
    "embedding_quality",
    "heart_negatives",
    "hits_at_k",
    "hop_depth",
    "hyperbolicity",
    "link_metrics",
    "marginal_likelihood",
    "mean_interval",
    "mrr",
    "ogb_mrr",
    "paired_difference",
    "personalised_pagerank",
    "radius_by_depth",
    "ranking_metrics",
    "reconstruction",
    "score_baselines",
]
