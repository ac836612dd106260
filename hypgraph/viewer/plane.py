"""Embeddings in the Euclidean plane."""

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from hypgraph.viewer.arrays import as_plane_points
from hypgraph.viewer.figures import new_axes
from hypgraph.viewer.marks import CURVES_NOTE, MarkOptions, Marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_plane"]

_MARGIN = 0.05  # of the longer side, on each side
_FLATTEST = 0.4  # the shorter side over the longer


def draw_plane(points: Any, **options: Unpack[MarkOptions]) -> "Figure":
    """Points of the Euclidean plane with straight edges, one unit as long in both directions.

    Args:
        points: ``[N, 2]``.
        options: as for :func:`hypgraph.viewer.draw_disk`, see :class:`~hypgraph.viewer.marks.MarkOptions`.

    Raises:
        ConfigError: for an option that is not allowed.
        DataError: for points that are not finite, or data that do not fit them.
    """
    where = as_plane_points("points", points)
    marks = Marks.of(len(where), c=0.0, **options)
    curves = None if marks.curves is None else marks.curves.vector().numpy()
    figure, ax = new_axes()
    marks.add(ax, where, None if marks.pairs is None else where[marks.pairs], curves)
    if curves is not None:
        ax.set_xlabel(CURVES_NOTE, fontsize=9, color="0.35")
    low, high = _limits(where if curves is None else np.concatenate([where, curves.reshape(-1, 2)]))
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.set_aspect("equal")
    ax.tick_params(labelsize=9, color="0.6", labelcolor="0.3")
    ax.spines[:].set_color("0.8")
    width, height = marks.size * (high - low) / (high - low).max()
    marks.finish(ax, where, width=float(width), height=float(height))
    return figure


def _limits(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lower left and the upper right corner of what is shown."""
    if len(points) == 0:
        return np.array([-1.0, -1.0]), np.array([1.0, 1.0])
    low, high = points.min(0), points.max(0)
    longest = float((high - low).max()) or max(1.0, float(np.abs(points).max()))
    half = np.maximum(high - low, _FLATTEST * longest) / 2 + _MARGIN * longest
    middle = low / 2 + high / 2
    return middle - half, middle + half
