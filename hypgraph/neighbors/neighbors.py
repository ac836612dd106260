"""Which points are nearest: one class for both ways to find them."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.lookup import lookup
from hypgraph.manifolds import Manifold, Polar
from hypgraph.neighbors.exact import nearest
from hypgraph.neighbors.points import Points, as_polar, select

__all__ = ["METHODS", "Neighbors"]


class Search(Protocol):
    """A way to find neighbours.

    Attributes:
        recall: which share of the nearest it finds.
    """

    recall: float

    def nearest(self, x: Polar, k: int, own: Tensor | None) -> tuple[Tensor, Tensor]:
        """Like :func:`hypgraph.neighbors.exact.nearest`."""


class _ExactSearch:
    recall = 1.0

    def __init__(self, points: Polar, manifold: Manifold) -> None:
        self.points, self.manifold = points, manifold

    def nearest(self, x: Polar, k: int, own: Tensor | None) -> tuple[Tensor, Tensor]:
        return nearest(self.points, self.manifold, x, k, own=own)


def _approximate(points: Polar, manifold: Manifold) -> Search:
    from hypgraph.neighbors.approximate import ApproximateIndex

    return ApproximateIndex(points, manifold)


METHODS: dict[str, Callable[[Polar, Manifold], Search]] = {"exact": _ExactSearch, "approximate": _approximate}


class Neighbors:
    """Nearest neighbours by geodesic distance.

    ``exact`` is exact at any radius. A product of matrices bounds all distances from below (the inner product of
    points on the hyperboloid is -cosh(√c d)/c), with a margin that covers its rounding; what the bounds leave is
    ordered by the distance in polar coordinates,
    sinh²(√c d/2) = sinh²(√c(r₁-r₂)/2) + sinh(√c r₁) sinh(√c r₂) (‖u₁-u₂‖/2)², in float64. Where rounding leaves
    too much, far out and close together, the latter is taken of all. Memory does not grow with Q·N.

    ``approximate`` walks a graph of near points that is built with the geodesic distance itself (HNSW, Malkov &
    Yashunin 2018). The distances are exact, but some of the nearest may be missed: of random points and of
    trees it finds nearly all, of the leaves around a hub of thousands few, as they are all nearer to the hub
    than to each other. ``recall`` is measured when the graph is built, and a low one warns. Building takes
    seconds for 20,000 points, in which the exact search finds the neighbours of all of them: it is for many
    searches among many more points. It needs ``hypgraph[neighbors]``.

    Computed on the CPU, whatever device the points are on.

    Args:
        z: the points that are searched: polar coordinates about the origin, radius ``[N]`` and direction
            ``[N, d]``, or coordinates ``[N, ambient_dim]``. Only polar ones are exact at any radius.
        manifold: where they lie.
        method: ``exact`` or ``approximate``.

    Attributes:
        points: those that are searched, in polar coordinates.
        recall: the share of the ten nearest that is found of a hundred of the points; 1 for the exact search.

    Raises:
        DataError: if there is no point, shapes do not fit, or a point is not on the manifold.
        NumericalError: if a point is not finite.
        ConfigError: if the method is not known, or a package that it needs is not installed.

    >>> from hypgraph.manifolds import PoincareBall
    >>> z = torch.tensor([[0.0, 0.0], [0.9, 0.0], [0.0, 0.9], [0.9, 0.01]], dtype=torch.float64)
    >>> distance, index = Neighbors(z, PoincareBall(2)).query_nodes([1], k=2)
    >>> index
    tensor([[3, 0]])
    >>> distance.round(decimals=4)
    tensor([[0.1052, 2.9444]], dtype=torch.float64)
    """

    def __init__(self, z: Points, manifold: Manifold, *, method: str = "exact") -> None:
        search = lookup(METHODS, method, what="method")
        self.manifold, self.method = manifold, method
        self.points = as_polar(z, manifold, name="z")
        if not len(self):
            raise DataError("z: holds no point; there is nothing to search")
        self._search = search(self.points, manifold)
        self.recall = self._search.recall

    def __len__(self) -> int:
        return len(self.points.radius)

    def __repr__(self) -> str:
        return f"Neighbors({len(self)} points of {self.manifold}, {self.method})"

    def query(self, x: Points, k: int) -> tuple[Tensor, Tensor]:
        """The k of the points that are nearest to each of ``x``; a point that is one of them finds itself.

        Args:
            x: radius ``[Q]`` and direction ``[Q, d]``, or coordinates ``[Q, ambient_dim]``.
            k: how many, 1 .. N.

        Returns:
            Geodesic distances ``[Q, k]``, float64, nearest first, and the rows of the points ``[Q, k]``, ascending
            where distances are equal.

        Raises:
            ConfigError: if ``k`` is out of range.
            DataError: if shapes do not fit, or a point is not on the manifold.
            NumericalError: if a point is not finite.
        """
        k = self._checked_count(k, len(self), "")
        return self._search.nearest(as_polar(x, self.manifold, name="x"), k, None)

    def query_nodes(self, rows: ArrayLike | Tensor, k: int) -> tuple[Tensor, Tensor]:
        """The k other points that are nearest to each of some of the points, as :meth:`query` gives them.

        Args:
            rows: ``[Q]``, which ones: numbers 0 .. N-1.
            k: how many, 1 .. N-1.

        Raises:
            ConfigError: if ``k`` is out of range.
            DataError: if ``rows`` are no such numbers.
        """
        k = self._checked_count(k, len(self) - 1, "other ")
        nodes = torch.from_numpy(self._checked_rows(rows))
        return self._search.nearest(select(self.points, nodes), k, nodes)

    def _checked_count(self, k: int, most: int, other: str) -> int:
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= most:
            raise ConfigError(
                f"k: {k!r} is no number from 1 to {most}, and there are {most} {other}points; give such a number"
            )
        return int(k)

    def _checked_rows(self, rows: ArrayLike | Tensor) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        array = rows.detach().cpu().numpy() if isinstance(rows, Tensor) else np.asarray(rows)
        if array.size == 0:
            return np.zeros(0, dtype=np.int64)
        if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
            raise DataError(f"rows: has shape {array.shape} and type {array.dtype}; give a list of row numbers")
        if array.min() < 0 or array.max() >= len(self):
            raise DataError(
                f"rows: holds {array.min()} to {array.max()}; the points have rows 0 to {len(self) - 1}"
            )
        return array.astype(np.int64)
