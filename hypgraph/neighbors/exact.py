"""The k nearest points for certain: bounds exclude most of them, and the distances of the rest decide.

For a block of points, with a lower bound for each pair (:mod:`~hypgraph.neighbors.bounds`): take the k pairs of
a row with the lowest bounds, or some more. The k-th of their distances is no less than the one that is looked
for. All pairs with a bound above that are out, and those that remain are ordered by their distance. Where many
remain the bound is not sharp enough for the row, and the next one serves.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.manifolds import Manifold, Polar
from hypgraph.neighbors.bounds import Bound, bounds_of
from hypgraph.neighbors.points import pair_distances, select

__all__ = ["nearest"]

# Numbers in the largest temporary array: enough that calls cost less than what they do.
NUMBERS_A_BLOCK = 1 << 21
# A distance costs as much as this many bounds of the next sharper kind.
PAIRS_FOR_ONE = 16
# The lowest bounds of a row are sought among the least of so many.
LARGEST_GROUP = 16


class _Candidates(NamedTuple):
    """Pairs by row, nearest first, ties by column."""

    column: NDArray[np.int64]
    distance: NDArray[np.float64]
    first: NDArray[np.int64]  # [B], where the pairs of a row begin
    few: NDArray[np.bool_]  # [B], whether they are there: not, if they would be too many

    def places(self, rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
        """Where the first k of each of the rows are, ``[R, k]``."""
        places: NDArray[np.int64] = self.first[rows, None] + np.arange(k)
        return places


def nearest(
    points: Polar, manifold: Manifold, x: Polar, k: int, *, own: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Distances ``[Q, k]`` and rows of ``points`` ``[Q, k]``, nearest first, ties by row.

    Args:
        points: ``N`` points.
        manifold: where all lie.
        x: ``Q`` points.
        k: at most N, or N - 1 with ``own``.
        own: ``[Q]``, for each of ``x`` the row of ``points`` that it is, which is left out.
    """
    queries, count = len(x.radius), len(points.radius)
    distance = torch.empty(queries, k, dtype=torch.float64)
    index = torch.empty(queries, k, dtype=torch.int64)
    bounds = bounds_of(points, x, manifold) if queries else []
    for rows in torch.arange(queries).split(max(1, NUMBERS_A_BLOCK // count)):
        for bound in bounds:
            most = count if bound is bounds[-1] else 2 * k + count // PAIRS_FOR_ONE
            search = _Search(points, manifold, select(x, rows), None if own is None else own[rows])
            done, distance_done, index_done = search.nearest(bound, k, most)
            distance[rows[done]], index[rows[done]] = distance_done, index_done
            rows = rows[~done]
            if not len(rows):
                break
    return distance, index


class _Search(NamedTuple):
    points: Polar
    manifold: Manifold
    x: Polar  # [B]
    own: Tensor | None

    def nearest(self, bound: Bound, k: int, most: int) -> tuple[Tensor, Tensor, Tensor]:
        """Which rows have no more than ``most`` candidates ``[B]``, and of those distance and index ``[D, k]``."""
        with torch.no_grad():
            lower = bound.lower(self.x)
            if self.own is not None:
                lower[torch.arange(len(lower)), self.own] = torch.inf
            bounds = lower.numpy()
            low = self._candidates(bounds, _at_least_k_below(bounds, k), most)
            rows = np.flatnonzero(low.few)
            worst = torch.from_numpy(low.distance[low.places(rows, k)[:, -1]])
            ceiling = np.full(len(bounds), -np.inf)
            ceiling[rows] = bound.at(select(self.x, torch.from_numpy(rows)), worst).numpy()
            all_near = self._candidates(bounds, ceiling, most)
        done = low.few & all_near.few
        places = all_near.places(np.flatnonzero(done), k)
        distance, index = all_near.distance[places], all_near.column[places]
        return torch.from_numpy(done), torch.from_numpy(distance), torch.from_numpy(index)

    def _candidates(self, bounds: NDArray[np.float64], ceiling: NDArray[np.float64], most: int) -> _Candidates:
        """The pairs whose bound is not above the ceiling of its row."""
        row, column = np.divmod(np.flatnonzero(bounds <= ceiling[:, None]), bounds.shape[1])
        counts = np.bincount(row, minlength=len(bounds))
        few = counts <= most
        row, column = row[few[row]], column[few[row]]
        counts[~few] = 0
        distance = pair_distances(
            self.manifold, self.x, torch.from_numpy(row), self.points, torch.from_numpy(column)
        ).numpy()
        order = np.lexsort((distance, row))  # it is stable, and columns ascend
        return _Candidates(column[order], distance[order], np.cumsum(counts) - counts, few)


def _at_least_k_below(bounds: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """For each row a number that k of it do not exceed, and few more: the k-th among the least of groups."""
    size = min(LARGEST_GROUP, max(1, bounds.shape[1] // (4 * k)))
    groups = bounds.shape[1] // size
    least = bounds[:, : size * groups].reshape(len(bounds), size, groups).min(axis=1)
    below: NDArray[np.float64] = np.partition(least, k - 1, axis=1)[:, k - 1]
    return below
