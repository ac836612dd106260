"""What the disk and the plane share: points with their colours and legend, edges, curves."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.viewer.arrays import as_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap, Normalize

__all__ = [
    "CATEGORY_COLOURS",
    "CURVES_NOTE",
    "Colouring",
    "add_curves",
    "add_lines",
    "add_points",
    "add_title",
    "colouring",
]

CATEGORY_COLOURS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""Ten colours that stay apart for people who do not tell red from green (Petroff 2021, arXiv 2107.02270)."""

CURVES_NOTE = "curves: half of each posterior's mass"

_PLAIN = "#3f90da"
_MAX_STEPS = 16  # whole numbers that get a colour each; beyond, the scale is continuous
_MANY_POINTS, _MANY_LINES = 2000, 5000  # from here on a pdf or svg holds pixels instead of shapes
_TITLE_FONT = 13  # points
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, eq=False)
class Colouring:
    """How points are coloured.

    Attributes:
        values: ``[N]``, or None for one colour.
        names: of the categories that ``values`` count.
        label: what the values are, for the legend.
    """

    values: NDArray[Any] | None
    names: tuple[str, ...] | None
    label: str | None

    @property
    def stepped(self) -> bool:
        """Whether the values are few whole numbers, each with a colour of its own."""
        values = self.values
        if values is None or values.size == 0 or bool((values != np.round(values)).any()):
            return False
        return int(values.max()) - int(values.min()) < _MAX_STEPS

    def scale(self) -> "tuple[Colormap, Normalize]":
        """The colours, and how values become them."""
        from matplotlib import colormaps
        from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize

        assert self.values is not None
        if self.names is not None:
            colours: Any = CATEGORY_COLOURS[: len(self.names)]
            lowest = 0
        else:
            colours = colormaps["viridis"](np.linspace(0, 0.94, 256))  # its palest end is lost on white
            if not self.stepped:
                lowest, highest = (self.values.min(), self.values.max()) if self.values.size else (0, 1)
                return ListedColormap(colours), Normalize(lowest, highest)
            lowest = int(self.values.min())
            steps = int(self.values.max()) - lowest + 1
            colours = colours[np.linspace(0, 255, steps).round().astype(int)]
        edges = lowest - 0.5 + np.arange(len(colours) + 1)
        return ListedColormap(colours), BoundaryNorm(edges, len(colours))


def colouring(values: Any, label: str | None, categories: Sequence[str] | None, count: int) -> Colouring:
    """The checked colouring of ``count`` points.

    Raises:
        ConfigError: for categories without values, or more of them than can be told apart.
        DataError: if ``values`` do not fit the points or the categories.
    """
    if values is None:
        if categories is not None:
            raise ConfigError("categories name the values 0, 1, …, but values are not given")
        return Colouring(None, None, label)
    array = as_values(values, count)
    if categories is None:
        return Colouring(array, None, label)
    names = tuple(str(name) for name in categories)
    if not 1 <= len(names) <= len(CATEGORY_COLOURS):
        raise ConfigError(
            f"categories must be 1 to {len(CATEGORY_COLOURS)} names, as many as colours can be told apart, "
            f"got {len(names)}"
        )
    wrong = array[(array != np.round(array)) | (array < 0) | (array >= len(names))]
    if wrong.size:
        raise DataError(f"values must be 0 to {len(names) - 1}, one for each of the categories, got {wrong[0]}")
    return Colouring(array.astype(np.int64), names, label)


def add_lines(ax: "Axes", lines: NDArray[np.float64], *, count: int, size: float) -> None:
    """Edges ``[E, n, 2]`` under ``count`` points, fainter the more there are: the picture is of the nodes."""
    from matplotlib.collections import LineCollection

    few = len(lines) <= 500
    ax.add_collection(
        LineCollection(
            list(lines),
            colors="0.45" if few else "0.35",
            linewidths=(0.9 if few else 0.5) * min(1.0, math.sqrt(size / 6)),
            alpha=float(np.clip(0.9 * (500 / max(len(lines), 1)) ** 0.6, 0.04, 0.9)),
            rasterized=len(lines) > _MANY_LINES or count > _MANY_POINTS,
            zorder=2,
            label="edges",
        ),
        autolim=False,
    )


def add_curves(ax: "Axes", curves: NDArray[np.float64]) -> None:
    """Closed curves ``[N, n, 2]`` about the points; :data:`CURVES_NOTE` says what they are."""
    from matplotlib.collections import LineCollection

    ax.add_collection(
        LineCollection(
            list(curves),
            colors="0.25",
            linewidths=0.6,
            alpha=float(np.clip(0.8 * (100 / max(len(curves), 1)) ** 0.4, 0.08, 0.8)),
            rasterized=len(curves) > _MANY_POINTS,
            zorder=2.5,
            label="posteriors",
        ),
        autolim=False,
    )


def add_points(ax: "Axes", points: NDArray[np.float64], colours: Colouring, *, size: float) -> None:
    """Points ``[N, 2]``, small and translucent where there are many, and their legend beside the picture.

    Args:
        ax: the axes.
        points: in the coordinates of the axes.
        colours: of the points.
        size: the side of the picture in inches; the marks grow with it.
    """
    count = len(points)
    few = count <= 1000
    order = _drawing_order(count, colours)
    style: dict[str, Any] = {"color": _PLAIN}
    if colours.values is not None:
        cmap, norm = colours.scale()
        style = {"c": colours.values[order], "cmap": cmap, "norm": norm}
    drawn = ax.scatter(
        points[order, 0],
        points[order, 1],
        s=float(np.clip(5000 / max(count, 1), 4.0, 40.0)) * (size / 6) ** 2,
        alpha=1.0 if few else 0.65,
        linewidths=0.5 if few else 0,
        edgecolors="white" if few else "none",
        rasterized=count > _MANY_POINTS,
        zorder=3,
        **style,
    )
    _add_legend(ax, drawn, colours)


def _drawing_order(count: int, colours: Colouring) -> NDArray[np.int64]:
    """Later points hide earlier ones: the deepest come first, and categories, which files often sort by, mixed."""
    if colours.values is not None and colours.names is None:
        return np.argsort(-colours.values.astype(np.float64), kind="stable")
    return np.argsort((np.arange(count) * _GOLDEN) % 1.0, kind="stable")


def _add_legend(ax: "Axes", drawn: "PathCollection", colours: Colouring) -> None:
    if colours.values is None or colours.values.size == 0:
        return
    if colours.names is None:
        _add_bar(ax, drawn, colours.values, stepped=colours.stepped, label=colours.label)
    else:
        _add_names(ax, colours.names, label=colours.label)


def _add_bar(
    ax: "Axes", drawn: "PathCollection", values: NDArray[Any], *, stepped: bool, label: str | None
) -> None:
    from matplotlib.figure import Figure

    figure = ax.figure
    assert isinstance(figure, Figure)
    steps = list(range(int(values.min()), int(values.max()) + 1)) if stepped else []
    height = min(0.6, 0.09 * len(steps)) if steps else 0.6
    bar = figure.colorbar(drawn, cax=ax.inset_axes((1.03, 0.5 - height / 2, 0.035, height)))
    if stepped:
        bar.set_ticks(steps)
        bar.ax.minorticks_off()
    if bar.solids is not None:  # the points may be translucent
        bar.solids.set_alpha(1)
    bar.ax.tick_params(labelsize=10, length=0 if stepped else 3)
    bar.outline.set_visible(False)
    bar.set_label(label or "", fontsize=11, parse_math=False)


def _add_names(ax: "Axes", names: tuple[str, ...], *, label: str | None) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], linestyle="none", marker="o", markersize=8, color=colour)
        for colour in CATEGORY_COLOURS[: len(names)]
    ]
    legend = ax.legend(
        marks,
        [str(k) for k in range(len(marks))],
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        fontsize=10,
        title=label,
        title_fontsize=11,
        borderaxespad=0.3,
        handletextpad=0.3,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, parse_math=False)  # a name may hold $ or begin with _
    legend.get_title().set_parse_math(False)


def add_title(ax: "Axes", title: str | None, *, width: float) -> None:
    """The title over the picture, in lines of at most its ``width`` in inches."""
    if title:
        letters = max(12, int(width * 72 / (0.56 * _TITLE_FONT)))  # of a usual width
        lines = [textwrap.fill(line, letters) for line in title.splitlines()]
        ax.set_title("\n".join(lines), fontsize=_TITLE_FONT, parse_math=False, pad=8)
