"""Embeddings in the Euclidean plane."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hypgraph.distributions import CenteredDistribution
from hypgraph.viewer.arrays import as_pairs, as_plane_points
from hypgraph.viewer.figures import check_size, fit_around, new_axes
from hypgraph.viewer.marks import CURVES_NOTE, add_curves, add_lines, add_points, add_title, colouring
from hypgraph.viewer.posteriors import check_posteriors, mass_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_plane"]

_MARGIN = 0.05  # of the longer side, on each side
_FLATTEST = 0.4  # the shorter side over the longer


def draw_plane(
    points: Any,
    *,
    edges: Any = None,
    values: Any = None,
    value_label: str | None = None,
    categories: Sequence[str] | None = None,
    title: str | None = None,
    posteriors: CenteredDistribution | None = None,
    size: float = 6.0,
) -> "Figure":
    """Points of the Euclidean plane with straight edges, one unit as long in both directions.

    The colours and the rest are those of :func:`hypgraph.viewer.draw_disk`.

    Args:
        points: ``[N, 2]``.
        edges: ``[2, E]``, as ``edge_index``; each pair is drawn once.
        values: ``[N]``, for the colours.
        value_label: what the values are.
        categories: the names of the values 0, 1, …, at most ten.
        title: over the picture.
        posteriors: one a point; the curve that holds half of the mass of each is drawn.
        size: the longer side in inches.

    Raises:
        ConfigError: for an option that is not allowed.
        DataError: for points that are not finite, or data that do not fit them.
    """
    check_size(size)
    where = as_plane_points("points", points)
    pairs = None if edges is None else as_pairs(edges, len(where))
    colours = colouring(values, value_label, categories, len(where))
    figure, ax = new_axes()
    seen = [where]
    if pairs is not None:
        add_lines(ax, where[pairs], count=len(where), size=size)
    if posteriors is not None:
        check_posteriors(posteriors, count=len(where), c=0.0)
        curves = mass_curves(posteriors).vector().numpy()
        add_curves(ax, curves)
        seen.append(curves.reshape(-1, 2))
        ax.set_xlabel(CURVES_NOTE, fontsize=9, color="0.35")
    add_points(ax, where, colours, size=size)
    low, high = _limits(np.concatenate(seen))
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.set_aspect("equal")
    ax.tick_params(labelsize=9, color="0.6", labelcolor="0.3")
    ax.spines[:].set_color("0.8")
    width, height = size * (high - low) / (high - low).max()
    add_title(ax, title, width=float(width))
    fit_around(ax, width=float(width), height=float(height))
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
