"""Figures without pyplot, and the files that hold them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hypgraph.exceptions import ConfigError
from hypgraph.files import whole_file
from hypgraph.lookup import lookup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DPI", "FIGURE_FORMATS", "check_size", "fit_around", "new_axes", "save"]

DPI = 150
"""Pixels an inch, of png files and of what is rasterised in the others."""

_MARGIN = 12  # pixels

FIGURE_FORMATS: dict[str, Mapping[str, None]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}
"""The endings of file names that :func:`save` knows, and the metadata that it leaves out: versions and dates."""


def new_axes() -> "tuple[Figure, Axes]":
    """An empty white figure that pyplot does not know of, and its axes; :func:`fit_around` sizes them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure, figure.add_axes((0.0, 0.0, 1.0, 1.0))


def fit_around(ax: "Axes", *, width: float, height: float) -> None:
    """Makes the axes ``width`` × ``height`` inches, and the figure as large as them and all that is around them.

    So neither a title nor a legend is cut off or takes room from the picture. All in whole pixels, so that one
    pixel of an image can be a whole number of them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = ax.figure
    assert isinstance(figure, Figure)
    assert isinstance(figure.canvas, FigureCanvasAgg)
    inner = (round(width * DPI), round(height * DPI))
    _place(figure, ax, inner, (0, 0, 0, 0))
    used = ax.get_tightbbox(figure.canvas.get_renderer())
    assert used is not None
    over = (-used.x0, -used.y0, used.x1 - inner[0], used.y1 - inner[1])
    left, bottom, right, top = (_MARGIN + max(0, math.ceil(side)) for side in over)
    _place(figure, ax, inner, (left, bottom, right, top))


def _place(figure: "Figure", ax: "Axes", inner: tuple[int, int], margins: tuple[int, int, int, int]) -> None:
    """Axes of ``inner`` pixels, with margins left, bottom, right and top."""
    left, bottom, right, top = margins
    width, height = left + inner[0] + right, bottom + inner[1] + top
    figure.set_size_inches(width / DPI, height / DPI)
    ax.set_position((left / width, bottom / height, inner[0] / width, inner[1] / height))


def check_size(size: float) -> None:
    """Raises ConfigError unless ``size``, in inches, is from 1 to 50."""
    if not (math.isfinite(size) and 1 <= size <= 50):
        raise ConfigError(f"size must be from 1 to 50 inches, got {size:g}")


def save(figure: "Figure", path: Path | str) -> None:
    """Writes ``figure`` whole or not at all, in the format that the ending of ``path`` names.

    The same figure gives the same bytes: no date and no version of matplotlib is in the file.

    Raises:
        ConfigError: if the ending is not that of :data:`FIGURE_FORMATS`, or the file cannot be written.
    """
    import matplotlib as mpl

    path = Path(path)
    ending = path.suffix.removeprefix(".").lower()
    if not ending:
        raise ConfigError(f"{path}: has no ending to tell the format by; known: {', '.join(FIGURE_FORMATS)}")
    metadata = lookup(FIGURE_FORMATS, ending, what="picture format")
    # matplotlib salts the identifiers in an svg with a random number where this is not set, and takes it from
    # nowhere else; the setting is back as it was after the block.
    try:
        # The temporary name ends otherwise, so the format cannot be left to be guessed from it.
        with whole_file(path) as temporary, mpl.rc_context({"svg.hashsalt": "hypgraph"}):
            figure.savefig(temporary, format=ending, metadata=dict(metadata))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None
