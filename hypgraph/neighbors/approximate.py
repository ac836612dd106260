"""A graph of near points that a search walks: HNSW (Malkov & Yashunin 2018) with the geodesic distance.

USearch holds the graph. For a metric it takes a pointer to a compiled function, which Numba makes from the one
below; the metric of flat space is built in. The walk sees distances in float32; what it finds is ordered anew
in float64.

Points enter by radius, those near the origin first: they are what paths between others pass by, and belong into
the graph before them. Measured on random points this finds more of the nearest than a random order, for less
time.
"""

import math
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import Manifold, Polar
from hypgraph.neighbors.exact import nearest
from hypgraph.neighbors.points import pair_distances, select

__all__ = ["ApproximateIndex"]

CONNECTIVITY = 32
# How many points a walk keeps in sight, when the graph is built and when it is searched.
EXPANSION = 256
# How many are fetched for k of them.
FETCHED_FOR_ONE = 2
FETCHED_MORE = 16
# From how many points the recall is measured, at how many neighbours, and what is too little.
RECALL_POINTS = 100
RECALL_AT = 10
LOW_RECALL = 0.9


class ApproximateIndex:
    """See the head of this module.

    Args:
        points: ``N`` points, polar about the origin.
        manifold: where they lie.

    Attributes:
        recall: the share of the nearest that is found of some of the points.

    Raises:
        ConfigError: if a package is not installed.
    """

    def __init__(self, points: Polar, manifold: Manifold) -> None:
        usearch = _package("usearch.index")
        self.points, self.manifold = points, manifold
        self.largest = max(float(points.radius.max()), 1e-300)
        vectors = self._vectors(points)
        self.index = usearch.Index(
            ndim=vectors.shape[1],
            metric=_metric(usearch, manifold),
            dtype="f64",
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION,
            expansion_search=EXPANSION,
        )
        order = np.argsort(points.radius.numpy(), kind="stable")
        self.index.add(order, vectors[order], threads=1)  # with more the graph would depend on which is faster
        self.recall = self._measured_recall(torch.from_numpy(order))
        if self.recall < LOW_RECALL:
            warnings.warn(
                f"the approximate search finds {100 * self.recall:.0f} % of the nearest among these points; "
                "take method 'exact'",
                stacklevel=4,
            )

    def nearest(self, x: Polar, k: int, own: Tensor | None) -> tuple[Tensor, Tensor]:
        """Distances and rows, each ``[Q, k]``; like :func:`~hypgraph.neighbors.exact.nearest`."""
        queries = len(x.radius)
        distance = torch.empty(queries, k, dtype=torch.float64)
        index = torch.empty(queries, k, dtype=torch.int64)
        if not queries:
            return distance, index
        row, column = self._walk(x, k)
        if own is not None:
            others = column != own.numpy()[row]
            row, column = row[others], column[others]
        lengths = pair_distances(
            self.manifold, x, torch.from_numpy(row), self.points, torch.from_numpy(column)
        ).numpy()
        order = np.lexsort((column, lengths, row))
        counts = np.bincount(row, minlength=queries)
        enough = np.flatnonzero(counts >= k)
        places = order[(np.cumsum(counts) - counts)[enough, None] + np.arange(k)]
        distance[enough], index[enough] = torch.from_numpy(lengths[places]), torch.from_numpy(column[places])
        # A walk can end in a part of the graph that has too few points.
        rest = torch.from_numpy(np.flatnonzero(counts < k))
        if len(rest):
            mine = None if own is None else own[rest]
            distance[rest], index[rest] = nearest(self.points, self.manifold, select(x, rest), k, own=mine)
        return distance, index

    def _measured_recall(self, order: Tensor) -> float:
        """The share of the nearest that is found from some of the points, at all radii alike."""
        k = min(RECALL_AT, len(order) - 1)
        if not k:
            return 1.0
        nodes = order[:: max(1, len(order) // RECALL_POINTS)]
        x = select(self.points, nodes)
        farthest = nearest(self.points, self.manifold, x, k, own=nodes)[0][:, -1:]
        found, _ = self.nearest(x, k, nodes)
        return float((found <= farthest * (1 + 1e-12)).double().mean())

    def _walk(self, x: Polar, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of a row of ``x`` and a point that was found for it, by row."""
        fetched = min(len(self.points.radius), FETCHED_FOR_ONE * k + FETCHED_MORE)
        self.index.expansion_search = max(EXPANSION, fetched)
        matches = self.index.search(self._vectors(x), fetched, threads=torch.get_num_threads())
        keys = np.atleast_2d(matches.keys).astype(np.int64)
        found = (
            matches.counts if len(x.radius) > 1 else np.array([keys.shape[1]])
        )  # one row comes without its count
        row, place = np.nonzero(np.arange(keys.shape[1]) < found[:, None])
        return row, keys[row, place]

    def _vectors(self, x: Polar) -> NDArray[np.float64]:
        """What the metric is given: √c r and u, or coordinates of a size that float32 can square."""
        if self.manifold.c_value == 0.0:
            return (x.vector() / self.largest).numpy()
        radius = math.sqrt(self.manifold.c_value) * x.radius
        return torch.cat([radius.unsqueeze(1), x.direction], dim=1).numpy()


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"method 'approximate' needs {name.partition('.')[0]}, which cannot be imported ({error}); "
            "python -m pip install 'hypgraph[neighbors]', or take method 'exact'"
        ) from None


def _metric(usearch: Any, manifold: Manifold) -> Any:
    if manifold.c_value == 0.0:
        return usearch.MetricKind.L2sq
    pointer = _compiled(manifold.dim).address
    return usearch.CompiledMetric(pointer, usearch.MetricKind.Unknown, usearch.MetricSignature.ArrayArray)


@cache  # USearch keeps the pointer only; and compiling takes half a second
def _compiled(dim: int) -> Any:
    """√c d of two arrays (√c r, u), as a C function of two pointers; see :func:`geodesic_of`."""
    numba = _package("numba")
    array = numba.types.CPointer(numba.types.float64)
    return numba.cfunc(numba.types.float32(array, array))(geodesic_of(dim))


def geodesic_of(dim: int) -> Callable[[Any, Any], float]:
    """The distance for c = 1 of arrays (a, u) and (b, w) of ``dim + 1`` numbers, as Numba can compile it.

    S = sinh²((a-b)/2) + sinh a sinh b (‖u-w‖/2)², divided by e^(a+b) so that nothing overflows, and d = 2 asinh
    √S.

    >>> round(geodesic_of(1)([2.0, 1.0], [3.0, -1.0]), 12)
    5.0
    """
    largest, tiny, log_4 = 600.0, 1e-300, math.log(4.0)

    def geodesic(x: Any, y: Any) -> float:
        square = 0.0
        for i in range(1, dim + 1):
            square += (x[i] - y[i]) * (x[i] - y[i])
        gap = abs(x[0] - y[0])
        part = math.expm1(-gap) * math.exp(-min(x[0], y[0]))
        rest = (part * part + math.expm1(-2 * x[0]) * math.expm1(-2 * y[0]) * square / 4) / 4
        if rest < tiny:
            return float(gap)
        level = x[0] + y[0] + math.log(rest)
        return level + log_4 if level > largest else 2 * math.asinh(math.exp(level / 2))

    return geodesic
