"""A hierarchy in the Poincaré ball, as an estimator of scikit-learn."""

from typing import Any, Self

import numpy as np
from typing_extensions import override

from hypgraph.config import load_hierarchy_config
from hypgraph.estimators.graph_embedder import GraphEmbedder, seed_of
from hypgraph.estimators.graph_input import as_graph
from hypgraph.evaluation import reconstruction
from hypgraph.exceptions import DataError
from hypgraph.experiments.drawing import embeddings_of
from hypgraph.hierarchy import embed_hierarchy
from hypgraph.random import stream

__all__ = ["PoincareEmbedder"]


class PoincareEmbedder(GraphEmbedder):
    """Draws a hierarchy in hyperbolic space so that neighbours lie nearest: ``hypgraph embed`` from Python.

    No features, no training edges, no labels: the graph alone, whole. Directions are used to find who stands above
    whom where the graph is a closure; distances have none.

    Args:
        dim: d, dimension of the ball, at least 2.
        c: minus its curvature: the unit of length.
        uncertainty: whether each node gets a posterior around its point.
        coords: what :meth:`fit_transform` returns, of :data:`~hypgraph.export.COORDINATES`: ``"tangent"``, the
            logarithm at the origin, whose norm is the distance from there and which Euclidean methods take;
            ``"ball"``, ``"klein"``, ``"lorentz"`` (d+1 numbers) or ``"polar"`` (the radius, then a unit vector).
        directed: whether edges have a direction; None for what the input says.
        random_state: an integer for the same result each time (the one of ``hypgraph embed --seed``), a
            ``RandomState``, or None for another result each time.

    Attributes:
        embedding_: ``[N, d]``, ball coordinates. Beyond √c·radius 36 or so they would round to the boundary;
            ``radius_`` and ``direction_`` are exact.
        scale_: ``[N, d]``, standard deviations in geodesic length, 0 without ``uncertainty``. They follow the
            degree; they do not measure how general a node is.
        nodes_: ``[N]``, the id of each row.
        radius_: ``[N]``, distance from the origin.
        direction_: ``[N, d]``, unit vectors.
        map_: mean average precision of the reconstruction, ties counted against it.
        mean_rank_: mean rank of a neighbour among the nodes that are none, 1 at best.
        method_: which start was best, and whether refining it helped.
        c_: minus the curvature.

    Raises:
        ConfigError: in ``fit``, for a parameter that is not allowed.
        DataError: in ``fit``, for what is no graph, or has no edge.

    >>> import networkx as nx
    >>> embedder = PoincareEmbedder(random_state=0)
    >>> embedder.fit_transform(nx.path_graph(["root", "inner", "leaf"])).shape
    (3, 2)
    >>> embedder.nodes_.tolist(), embedder.map_
    (['root', 'inner', 'leaf'], 1.0)
    """

    def __init__(
        self,
        dim: int = 2,
        *,
        c: float = 1.0,
        uncertainty: bool = False,
        coords: str = "tangent",
        directed: bool | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.dim = dim
        self.c = c
        self.uncertainty = uncertainty
        self.coords = coords
        self.directed = directed
        self.random_state = random_state

    @override
    def fit(self, X: Any, y: object = None) -> Self:
        """Embeds the nodes of the graph ``X``, see :func:`~hypgraph.estimators.graph_input.as_graph`.

        ``y`` is not looked at.
        """
        given = {"dim": self.dim, "c": self.c, "uncertainty": self.uncertainty, "seed": seed_of(self.random_state)}
        config = load_hierarchy_config(
            overrides={f"embedding.{name}": value for name, value in given.items()}
        ).embedding
        self._check_coords("poincare")
        graph = as_graph(X, directed=self.directed)
        if not graph.num_edges:
            raise DataError("X has no edge that joins two nodes; there is no hierarchy to embed")
        found = embed_hierarchy(
            graph.edge_index,
            graph.num_nodes,
            dim=config.dim,
            c=config.c,
            directed=graph.directed,
            uncertainty=config.uncertainty,
            generator=stream(config.seed, "embed"),
        )
        self._keep(graph, embeddings_of(found, graph.node_id))
        self.method_ = found.method
        self.map_, self.mean_rank_ = reconstruction(graph.edge_index, self._embeddings.polar(), found.manifold)
        return self
