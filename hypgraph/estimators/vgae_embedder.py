"""The variational graph auto-encoder as an estimator of scikit-learn."""

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from typing_extensions import override

from hypgraph.config import RunConfig, load_config
from hypgraph.data import EdgeSplit, Graph, NonEdgeSampler
from hypgraph.distributions import CenteredDistribution
from hypgraph.estimators.graph_embedder import GraphEmbedder, seed_of
from hypgraph.estimators.graph_input import as_graph, with_features
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.export import Embeddings
from hypgraph.lookup import lookup
from hypgraph.models import VGAE
from hypgraph.nn import normalised_adjacency
from hypgraph.random import stream
from hypgraph.training import INPUTS, limited_threads

__all__ = ["VGAEEmbedder", "validation_split"]


class VGAEEmbedder(GraphEmbedder):
    """Posteriors of the nodes of a graph with features, from a variational graph auto-encoder.

    The model of ``hypgraph train``, fitted to the whole graph: a share of the edges is held out to know when to
    stop, none for a test, which is what ``hypgraph train`` is for. Once the weights are chosen, the nodes are
    encoded with all edges. Labels are not looked at.

    Args:
        latent: ``"poincare"``, ``"lorentz"`` or ``"euclidean"``.
        dim: d, dimension of the latent space.
        c: minus its curvature; of no meaning for a Euclidean one.
        posterior: ``"wrapped"``, ``"riemannian"`` or ``"rown"``.
        decoder: of edges; ``"auto"`` is the one that suits dimension and directions.
        inputs: what the encoder sees: ``"own"``, the features (a learnt vector of each node where there are none);
            ``"none"``, learnt vectors; ``"degree"``, features and degree; ``"learned"``, features and learnt
            vectors.
        epochs: the most.
        patience: epochs without a better validation score before training stops; 0 never stops early.
        lr: learning rate; None for the default of the latent space.
        val_fraction: share of the edges held out for validation, one at least.
        settings: any other key of the configuration, ``{"model.hidden": 32, "training.weight_decay": 1e-3}``.
        coords: what :meth:`fit_transform` returns, of :data:`~hypgraph.export.COORDINATES`: ``"tangent"``, the
            logarithm at the origin, whose norm is the distance from there and which Euclidean methods take;
            ``"ball"``, ``"klein"``, ``"lorentz"`` (d+1 numbers) or ``"polar"`` (the radius, then a unit vector).
        directed: whether edges have a direction; None for what the input says.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"``, a GPU where there is one.
        random_state: an integer for the same result each time, a ``RandomState``, or None for another result each
            time.

    Attributes:
        embedding_: ``[N, d]``, centres of the posteriors in the coordinates of the latent space: of the ball, of
            the hyperboloid (d+1), or Euclidean.
        scale_: ``[N, d]``, scales of the posteriors, geodesic lengths.
        nodes_: ``[N]``, the id of each row.
        radius_: ``[N]``, distance from the origin.
        direction_: ``[N, d]``, unit vectors.
        auc_: area under the ROC curve of held-out edges against as many non-edges. The same edges chose when to
            stop: it is optimistic.
        ap_: average precision on these.
        n_iter_: epochs trained.
        best_epoch_: the epoch whose weights were kept.
        c_: minus the curvature, learnt or given; 0 for a Euclidean latent.
        n_features_in_: F, the number of features of a node; only if it has any.

    Raises:
        ConfigError: in ``fit``, for a parameter that is not allowed.
        DataError: in ``fit``, for what is no graph, or features that do not fit it.
        NumericalError: in ``fit``, if a loss is not finite.

    >>> import networkx as nx
    >>> club = nx.karate_club_graph()
    >>> embedder = VGAEEmbedder(dim=3, epochs=5, random_state=0)
    >>> embedder.fit_transform(club, features=np.eye(34)).shape, embedder.scale_.shape
    ((34, 3), (34, 3))
    """

    def __init__(
        self,
        latent: str = "poincare",
        dim: int = 16,
        *,
        c: float = 1.0,
        posterior: str = "wrapped",
        decoder: str = "auto",
        inputs: str = "own",
        epochs: int = 1000,
        patience: int = 200,
        lr: float | None = None,
        val_fraction: float = 0.05,
        settings: Mapping[str, Any] | None = None,
        coords: str = "tangent",
        directed: bool | None = None,
        device: str = "cpu",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.latent = latent
        self.dim = dim
        self.c = c
        self.posterior = posterior
        self.decoder = decoder
        self.inputs = inputs
        self.epochs = epochs
        self.patience = patience
        self.lr = lr
        self.val_fraction = val_fraction
        self.settings = settings
        self.coords = coords
        self.directed = directed
        self.device = device
        self.random_state = random_state

    @override
    def fit(self, X: Any, y: object = None, *, features: Any = None) -> Self:
        """Trains on the graph ``X`` and encodes its nodes.

        Args:
            X: see :func:`~hypgraph.estimators.graph_input.as_graph`; ``x`` of a PyG ``Data`` are features.
            y: not looked at.
            features: others than those of ``X``: ``[N, F]``, dense or sparse, a row a node in the order of ``X``;
                or the name of an attribute of the nodes of a NetworkX graph.
        """
        config = self._config()
        self._check_coords(config.model.latent)
        given = as_graph(X, directed=self.directed)
        graph = given if features is None else with_features(given, features, X)
        split = validation_split(graph, config.data.val_fraction, generator=stream(config.training.seed, "split"))
        run = LinkPrediction.prepare(config, graph=graph, split=split)
        with limited_threads(config.training.threads, num_nodes=graph.num_nodes):
            while not run.trainer.done:
                run.trainer.run_epoch()
            posterior = _encode(run, run.trainer.best_model())
        self._keep(given, Embeddings.from_posterior(posterior, graph.node_id))
        best = run.trainer.best
        assert best is not None  # there is at least one epoch
        self.auc_, self.ap_ = best.val
        self.n_iter_, self.best_epoch_ = run.trainer.epoch, best.epoch
        if graph.features is not None:
            self.n_features_in_ = graph.features.shape[1]
        elif hasattr(self, "n_features_in_"):  # of an earlier fit
            del self.n_features_in_
        return self

    def _config(self) -> RunConfig:
        """The configuration of ``hypgraph train`` that the parameters describe."""
        given = {
            "model.latent": self.latent,
            "model.dim": self.dim,
            "model.c": self.c,
            "model.posterior": self.posterior,
            "model.decoder": self.decoder,
            "training.epochs": self.epochs,
            "training.patience": self.patience,
            "training.lr": self.lr,
            "training.device": self.device,
            "data.features": None if self.inputs == "own" else self.inputs,
            "data.val_fraction": self.val_fraction,
            "training.seed": seed_of(self.random_state),
        }
        lookup(INPUTS, str(self.inputs), what="inputs")
        settings = self.settings or {}
        if not isinstance(settings, Mapping) or not all("." in str(key) for key in settings):
            raise ConfigError(f"settings are {settings!r}; give a dict by section.key: {{'model.hidden': 32}}")
        for key in settings:
            if key in given or key.startswith("data."):
                raise ConfigError(f"settings hold {key}, which X or a parameter of its own says; leave it out")
        # No name of the catalogue: such data may come with a split and a metric of their own.
        return load_config(overrides={"data.name": "X", **settings, **given})


def validation_split(graph: Graph, val_fraction: float, *, generator: torch.Generator) -> EdgeSplit:
    """A random split of the edges into training and validation, with as many non-edges; nothing for a test.

    ⌊val_fraction·E⌋ edges, but at least one, go to validation.

    Raises:
        DataError: if there are fewer than two edges, or too few non-edges.
    """
    count = graph.num_edges
    if count < 2:
        raise DataError(f"X has {count} edges; training needs one to learn from and one to know when to stop")
    held_out = max(1, math.floor(val_fraction * count))
    non_edges = NonEdgeSampler(graph.edge_index, graph.num_nodes, directed=graph.directed)
    val, train = torch.randperm(count, generator=generator).tensor_split([held_out])
    nothing = graph.edge_index[:, :0]
    return EdgeSplit(
        num_nodes=graph.num_nodes,
        train_edge_index=graph.edge_index[:, train.sort().values],
        val_edge_index=graph.edge_index[:, val.sort().values],
        val_neg_edge_index=non_edges.sample_distinct(held_out, generator=generator),
        test_edge_index=nothing,
        test_neg_edge_index=nothing,
        directed=graph.directed,
    )


def _encode(run: LinkPrediction, model: VGAE) -> CenteredDistribution:
    """The posteriors with all edges: those that were held out have done their work."""
    adjacency = normalised_adjacency(
        run.graph.edge_index, run.graph.num_nodes, normalisation=run.config.model.normalisation
    )
    with torch.no_grad():
        return model.encode(run.task.features, adjacency.to(run.task.positive.device))
