"""Grids of grey images."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.viewer.arrays import as_images
from hypgraph.viewer.figures import DPI, fit_around, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["image_grid", "reconstruction_grid"]

_CELL = 112  # about how many pixels of the picture an image gets on its longer side
_GAP = 5  # pixels between images
_FONT = 9  # points
_CHARACTER = 0.62 * _FONT / 72 * DPI  # the width of a usual character in pixels
_LINE = 1.5 * _FONT / 72 * DPI


def image_grid(
    images: Any,
    *,
    rows: int,
    cols: int,
    titles: Sequence[str] | None = None,
    max_value: float = 1.0,
    row_labels: Sequence[str] | None = None,
) -> "Figure":
    """Grey images in a tight grid, row by row, ink white on black as MNIST has it.

    A pixel of an image is a square of whole pixels of the picture, so nothing is blurred.

    Args:
        images: ``[N, H, W]``, N ≤ rows · cols; places left over stay empty. Values from 0, black, to
            ``max_value``, white; those outside are drawn as the nearer of the two.
        rows: how many rows.
        cols: how many images a row.
        titles: N short texts, one over each image.
        max_value: 1, or 255 for bytes.
        row_labels: a text to the left of each row.

    Raises:
        ConfigError: if the grid has no place for all images, or the texts are not as many as they should be.
        DataError: if ``images`` has another shape or is not finite.
    """
    grey = as_images("images", images)
    if rows < 1 or cols < 1 or rows * cols < len(grey):
        raise ConfigError(f"rows · cols must be at least the {len(grey)} images, got {rows} · {cols}")
    if titles is not None and len(titles) != len(grey):
        raise ConfigError(f"titles must be {len(grey)}, one an image, got {len(titles)}")
    if row_labels is not None and len(row_labels) != rows:
        raise ConfigError(f"row_labels must be {rows}, one a row, got {len(row_labels)}")
    places = np.full((rows * cols, *grey.shape[1:]), np.nan)
    places[: len(grey)] = grey
    return _draw(places, cols, titles=titles, max_value=max_value, row_labels=row_labels)


def reconstruction_grid(
    originals: Any, reconstructions: Any, *, cols: int | None = None, max_value: float = 1.0
) -> "Figure":
    """Images in rows, and below each row what a model made of it.

    Args:
        originals: ``[N, H, W]``.
        reconstructions: likewise.
        cols: pairs a row; by default up to ten.
        max_value: as for :func:`image_grid`.

    Raises:
        ConfigError: if ``cols`` is less than 1.
        DataError: if the two have not one shape, or are not finite.
    """
    above, below = as_images("originals", originals), as_images("reconstructions", reconstructions)
    if above.shape != below.shape:
        raise DataError(
            f"originals and reconstructions must have one shape, got {list(above.shape)} and {list(below.shape)}"
        )
    count, height, width = above.shape
    cols = min(count, 10) if cols is None else cols
    if cols < 1:
        raise ConfigError(f"cols must be at least 1, got {cols}")
    bands = math.ceil(count / cols)
    places = np.full((2, bands * cols, height, width), np.nan)
    places[0, :count], places[1, :count] = above, below
    places = places.reshape(2, bands, cols, height, width).swapaxes(0, 1).reshape(-1, height, width)
    labels = ["original", "reconstruction"] * bands
    return _draw(places, cols, titles=None, max_value=max_value, row_labels=labels, band=2)


def _draw(
    places: NDArray[np.float64],
    cols: int,
    *,
    titles: Sequence[str] | None,
    max_value: float,
    row_labels: Sequence[str] | None,
    band: int = 1,
) -> "Figure":
    """Draws ``places [rows · cols, H, W]``, empty where NaN; rows stand together in bands of ``band``."""
    if not (math.isfinite(max_value) and max_value > 0):
        raise ConfigError(f"max_value must be positive and finite, got {max_value:g}")
    scale = max(1, round(_CELL / max(places.shape[1:])))  # pixels of the picture to one of an image
    places = places.repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width = places.shape
    longest = max((len(title) for title in titles or ()), default=0)
    step_x = max(width, math.ceil(longest * _CHARACTER)) + _GAP
    step_y = height + (_GAP if titles is None else math.ceil(_LINE))
    row, col = np.divmod(np.arange(count), cols)
    top = row * step_y + row // band * (3 * _GAP if band > 1 else 0)
    left = col * step_x
    whole = np.full((top[-1] + height, left.max() + width), np.nan)
    for image, y, x in zip(places, top, left, strict=True):
        whole[y : y + height, x : x + width] = image
    figure, ax = new_axes()
    ax.imshow(np.ma.masked_invalid(whole), cmap="gray", vmin=0, vmax=max_value, interpolation="nearest")
    ax.set_axis_off()
    for k, title in enumerate(titles or ()):
        _write(ax, left[k] + width / 2, top[k] - 3, title, ha="center", va="bottom")
    for k, label in enumerate(row_labels or ()):
        _write(ax, -8, top[k * cols] + height / 2, label, ha="right", va="center")
    fit_around(ax, width=whole.shape[1] / DPI, height=whole.shape[0] / DPI)
    return figure


def _write(ax: "Axes", x: float, y: float, text: str, *, ha: str, va: str) -> None:
    ax.text(x, y, text, fontsize=_FONT, horizontalalignment=ha, verticalalignment=va, parse_math=False)
