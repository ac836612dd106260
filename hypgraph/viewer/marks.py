"""What the disk and the plane share: points with their colours, legend and names, edges, curves."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from hypgraph.distributions import CenteredDistribution
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import Polar
from hypgraph.viewer.arrays import as_pairs, as_values
from hypgraph.viewer.figures import check_size, fit_around
from hypgraph.viewer.posteriors import check_posteriors, mass_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap, Normalize

__all__ = ["CATEGORY_COLOURS", "CURVES_NOTE", "Colouring", "MarkOptions", "Marks", "colouring"]

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
_LONGEST_NAME = 28  # letters


class MarkOptions(TypedDict, total=False):
    """What every picture takes beside the places of its N points.

    Attributes:
        edges: ``[2, E]``, as ``edge_index``; each pair is drawn once.
        values: ``[N]``. Up to sixteen whole numbers in a row, as depths, get a colour each; others share a
            continuous scale.
        value_label: what the values are, for the legend.
        categories: the names of the values 0, 1, …, at most ten: colours that colour-blind people tell apart.
        title: over the picture.
        posteriors: one a point, batch shape ``[N]``; the curve that holds half of the mass of each is drawn.
        names: points and their names, those that matter most first; names without room are left out.
        size: the longer side of the picture in inches.
    """

    edges: Any
    values: Any
    value_label: str | None
    categories: Sequence[str] | None
    title: str | None
    posteriors: CenteredDistribution | None
    names: Sequence[tuple[int, str]]
    size: float


@dataclass(frozen=True, eq=False)
class Marks:
    """:class:`MarkOptions`, checked: what is drawn at places that the picture computes.

    Attributes:
        count: the number of points N.
        pairs: ``[E, 2]``, or None for no edges.
        curves: about the posteriors, radius ``[N, n]``; None without posteriors.
        colours: of the points.
        title: over the picture.
        names: points and their names.
        size: the longer side of the picture in inches.
    """

    count: int
    pairs: NDArray[np.int64] | None
    curves: Polar | None
    colours: "Colouring"
    title: str | None
    names: Sequence[tuple[int, str]]
    size: float

    @classmethod
    def of(
        cls,
        count: int,
        *,
        c: float,
        edges: Any = None,
        values: Any = None,
        value_label: str | None = None,
        categories: Sequence[str] | None = None,
        title: str | None = None,
        posteriors: CenteredDistribution | None = None,
        names: Sequence[tuple[int, str]] = (),
        size: float = 6.0,
    ) -> "Marks":
        """The options for so many points of the surface of curvature -c.

        Raises:
            ConfigError: for an option that is not allowed.
            DataError: for data that do not fit the points.
        """
        check_size(size)
        pairs = None if edges is None else as_pairs(edges, count)
        colours = colouring(values, value_label, categories, count)
        curves = None
        if posteriors is not None:
            check_posteriors(posteriors, count=count, c=c)
            curves = mass_curves(posteriors)
        if strangers := [point for point, _ in names if not 0 <= point < count]:
            raise DataError(f"names name point {strangers[0]}, but there are {count} points, counted from 0")
        return cls(count, pairs, curves, colours, title, names, size)

    def add(
        self,
        ax: "Axes",
        points: NDArray[np.float64],
        lines: NDArray[np.float64] | None,
        curves: NDArray[np.float64] | None,
    ) -> None:
        """Points ``[N, 2]``, edges ``[E, n, 2]`` and closed curves ``[N, n, 2]``, in coordinates of the axes."""
        if lines is not None:
            _add_lines(ax, lines, count=self.count, size=self.size)
        if curves is not None:
            _add_curves(ax, curves)
        _add_points(ax, points, self.colours, size=self.size)

    def finish(self, ax: "Axes", points: NDArray[np.float64], *, width: float, height: float) -> None:
        """The title and the size in inches, and then names: only now is it known how much room they take."""
        _add_title(ax, self.title, width=width)
        fit_around(ax, width=width, height=height)
        _add_names(ax, points, self.names)


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


def _add_lines(ax: "Axes", lines: NDArray[np.float64], *, count: int, size: float) -> None:
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


def _add_curves(ax: "Axes", curves: NDArray[np.float64]) -> None:
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


def _add_points(ax: "Axes", points: NDArray[np.float64], colours: Colouring, *, size: float) -> None:
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
        _add_categories(ax, colours.names, label=colours.label)


def _add_bar(
    ax: "Axes", drawn: "PathCollection", values: NDArray[Any], *, stepped: bool, label: str | None
) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = ax.figure
    assert isinstance(figure, Figure)
    steps = list(range(int(values.min()), int(values.max()) + 1)) if stepped else []
    height = min(0.6, 0.09 * len(steps)) if steps else 0.6
    bar = figure.colorbar(drawn, cax=ax.inset_axes((1.03, 0.5 - height / 2, 0.035, height)))
    if stepped:
        bar.set_ticks(steps)
        bar.ax.minorticks_off()
    elif bool((values == np.round(values)).all()):
        bar.locator = MaxNLocator(9, steps=[1, 2, 5, 10], integer=True)
        bar.update_ticks()
    if bar.solids is not None:  # the points may be translucent
        bar.solids.set_alpha(1)
    bar.ax.tick_params(labelsize=10, length=0 if stepped else 3)
    bar.outline.set_visible(False)
    bar.set_label(label or "", fontsize=11, parse_math=False)


def _add_categories(ax: "Axes", names: tuple[str, ...], *, label: str | None) -> None:
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


def _add_title(ax: "Axes", title: str | None, *, width: float) -> None:
    """The title over the picture, in lines of at most its ``width`` in inches."""
    if title:
        letters = max(12, int(width * 72 / (0.56 * _TITLE_FONT)))  # of a usual width
        lines = [textwrap.fill(line, letters) for line in title.splitlines()]
        ax.set_title("\n".join(lines), fontsize=_TITLE_FONT, parse_math=False, pad=8)


def _add_names(ax: "Axes", points: NDArray[np.float64], names: Sequence[tuple[int, str]]) -> None:
    """Each name beside its point on the first of four sides where it covers no other words and stays inside."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patheffects import withStroke

    figure = ax.get_figure()
    assert figure is not None
    assert isinstance(figure.canvas, FigureCanvasAgg)
    renderer = figure.canvas.get_renderer()
    taken = [text.get_window_extent(renderer) for text in ax.texts]
    for point, name in names:
        name = " ".join(name.split())
        text = ax.annotate(
            name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…",
            points[point],
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=8,
            color="0.1",
            zorder=6,
            parse_math=False,
        )
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        for across, up in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
            text.set(
                position=(3 * across, 2 * up),
                horizontalalignment="left" if across > 0 else "right",
                verticalalignment="bottom" if up > 0 else "top",
            )
            box = text.get_window_extent(renderer)
            inside = ax.bbox.contains(box.x0, box.y0) and ax.bbox.contains(box.x1, box.y1)
            if inside and box.count_overlaps(taken) == 0:
                taken.append(box)
                break
        else:
            text.remove()
