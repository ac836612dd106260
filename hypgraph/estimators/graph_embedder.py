"""What the estimators share: the fitted attributes, and how they become the output of a transformer."""

import numbers
import warnings
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from typing_extensions import override

from hypgraph.data import Graph
from hypgraph.estimators.graph_input import as_graph, fingerprint
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.export import COORDINATES, Embeddings, locate
from hypgraph.lookup import lookup

__all__ = ["GraphEmbedder", "seed_of"]


class GraphEmbedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Base of the embedders, which are transductive: they place the nodes of the graph that they are fitted to.

    A subclass has the parameters ``coords`` and ``directed``, and its ``fit`` ends in :meth:`_keep`.
    """

    coords: str
    directed: bool | None

    @abstractmethod
    def fit(self, X: Any, y: object = None) -> Self:
        """Embeds the nodes of the graph ``X``; ``y`` is not looked at."""

    def fit_transform(self, X: Any, y: object = None, **fit_params: Any) -> NDArray[np.float64]:
        """Fits to the graph ``X`` and returns a row a node, ``[N, k]``, in the coordinates ``coords``.

        Args:
            X: a graph, see :func:`~hypgraph.estimators.graph_input.as_graph`.
            y: not looked at.
            fit_params: of ``fit``.
        """
        self.fit(X, y, **fit_params)
        return self._output()

    def transform(self, X: Any) -> NDArray[np.float64]:
        """What :meth:`fit_transform` returned, for the graph that was fitted and no other.

        scikit-learn asks every step of a pipeline for this method. An embedding has no rows for the nodes of
        another graph, as that of ``TSNE`` has not, so that there is nothing to return for one.

        Raises:
            NotFittedError: before ``fit``.
            DataError: for another graph.
        """
        check_is_fitted(self)
        if fingerprint(as_graph(X, directed=self.directed)) != self._fingerprint:
            raise DataError(
                f"X is another graph than the one that this {type(self).__name__} was fitted to; an embedding has "
                "rows for the nodes of that graph alone: call fit_transform(X)"
            )
        return self._output()

    def to_embeddings(self) -> Embeddings:
        """The posteriors with ids and curvature, to be saved, exported or searched.

        Raises:
            NotFittedError: before ``fit``.
        """
        check_is_fitted(self)
        return self._embeddings

    @override
    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "embedding_")

    @override
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.string = True
        return tags

    def _keep(self, given: Graph, embeddings: Embeddings) -> None:
        """Sets what every embedder leaves."""
        polar = embeddings.polar()
        self.embedding_ = embeddings.loc
        self.scale_ = embeddings.scale
        self.nodes_ = embeddings.node_id
        self.radius_, self.direction_ = polar.radius.numpy(), polar.direction.numpy()
        self.c_ = embeddings.c
        self._embeddings, self._fingerprint = embeddings, fingerprint(given)

    def _check_coords(self, latent: str) -> None:
        lookup(COORDINATES, str(self.coords), what="coords")
        if latent == "euclidean" and self.coords != "tangent":
            raise ConfigError(
                f"coords is {self.coords}, of hyperbolic space; a Euclidean latent has 'tangent' only"
            )

    @property
    def _n_features_out(self) -> int:
        """How many columns there are, for their names."""
        return int(_columns(self._embeddings.take(slice(1)), self.coords)[0].shape[1])

    def _output(self) -> NDArray[np.float64]:
        self._check_coords(self._embeddings.manifold)  # they may have been set since the fit
        columns, notes = _columns(self._embeddings, self.coords)
        for note in notes:
            warnings.warn(note.replace("--coords ", "coords="), stacklevel=4)
        return columns


def _columns(embeddings: Embeddings, coords: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The points in these coordinates ``[N, k]``, and what had to be moved to be held by them."""
    if embeddings.manifold == "euclidean":  # its tangent space at the origin is the space itself
        return embeddings.loc.copy(), ()
    located = locate(embeddings, coords)
    return located.vectors(), located.notes


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """The seed of all streams: an integer is itself, as ``--seed`` of the command line; else a draw.

    Raises:
        ConfigError: if it is none of what scikit-learn allows, or negative.
    """
    if isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool):
        if random_state < 0:
            raise ConfigError(
                f"random_state is {random_state}; allowed are integers from 0, a RandomState and None"
            )
        return int(random_state)
    try:
        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    except ValueError:
        raise ConfigError(
            f"random_state is {random_state!r}; allowed are integers from 0, a RandomState and None"
        ) from None
