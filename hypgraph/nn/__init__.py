"""Layers: graph convolutions, posterior heads, gyroplanes, decoders of edges and vectors, likelihoods."""

from hypgraph.nn.curvature import Curvature
from hypgraph.nn.edge_decoders import (
    EDGE_DECODERS,
    CroftonDecoder,
    DirectedGyroplaneDecoder,
    EdgeDecoder,
    FermiDiracDecoder,
    GyroplaneDecoder,
    InnerProductDecoder,
    MLPDecoder,
    TanhDistanceDecoder,
)
from hypgraph.nn.gcn import GCNEncoder, normalised_adjacency
from hypgraph.nn.gyroplane import Gyroplane
from hypgraph.nn.latent_classifier import LatentClassifier
from hypgraph.nn.likelihoods import LIKELIHOODS, Bernoulli, Likelihood, Normal
from hypgraph.nn.linear import Linear
from hypgraph.nn.pair_head import PairHead
from hypgraph.nn.posterior_head import PosteriorHead
from hypgraph.nn.sparse import SparseMatrix
from hypgraph.nn.vector_decoders import (
    VECTOR_DECODERS,
    GyroplaneVectorDecoder,
    LinearDecoder,
    LogMapDecoder,
    MobiusDecoder,
    VectorDecoder,
)

__all__ = [
    "EDGE_DECODERS",
    "LIKELIHOODS",
    "VECTOR_DECODERS",
    "Bernoulli",
    "CroftonDecoder",
    "Curvature",
    "DirectedGyroplaneDecoder",
    "EdgeDecoder",
    "FermiDiracDecoder",
    "GCNEncoder",
    "Gyroplane",
    "GyroplaneDecoder",
    "GyroplaneVectorDecoder",
    "InnerProductDecoder",
    "LatentClassifier",
    "Likelihood",
    "Linear",
    "LinearDecoder",
    "LogMapDecoder",
    "MLPDecoder",
    "MobiusDecoder",
    "Normal",
    "PairHead",
    "PosteriorHead",
    "SparseMatrix",
    "TanhDistanceDecoder",
    "VectorDecoder",
    "normalised_adjacency",
]
