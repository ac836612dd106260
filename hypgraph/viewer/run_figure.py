"""The picture of a run, for papers: projection, layout, colours and title chosen from what is there."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from hypgraph.distributions import CenteredDistribution
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.lookup import lookup
from hypgraph.manifolds import Euclidean, Manifold, Polar
from hypgraph.viewer.arrays import as_array, as_pairs, as_values
from hypgraph.viewer.disk import ZOOMS, draw_disk
from hypgraph.viewer.figures import DPI, check_size, fit_around
from hypgraph.viewer.linear_disk import draw_linear_disk
from hypgraph.viewer.marks import CATEGORY_COLOURS
from hypgraph.viewer.page import RIM
from hypgraph.viewer.plane import draw_plane
from hypgraph.viewer.projection import project

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "LAYOUTS", "NodeData", "draw_run"]

COLOURS = {
    "auto": "by label, else depth, else degree, whichever is known",
    "label": "by label; the nine most frequent where there are more than ten",
    "degree": "by the number of neighbours, on a logarithmic scale",
    "depth": "by hops from the root",
    "radius": "by geodesic distance from the origin",
    "scale": "by the scale of the posterior",
    "none": "all alike",
}
"""What :func:`draw_run` may colour by."""

LAYOUTS = {
    "auto": "spread where more than half of the nodes would lie on the rim of the disk, else disk",
    "disk": "the Poincaré disk",
    "linear": "radii as long as they are, and true angles",
    "spread": "radii as long as they are, angles spread out in their order",
}
"""How :func:`draw_run` may draw hyperbolic space."""

_MOST_EDGES = 20_000


@dataclass(frozen=True, eq=False)
class NodeData:
    """What a picture may show of the nodes besides their places; each may be None.

    Attributes:
        edges: ``[2, E]``, as ``edge_index``.
        labels: ``[N]`` integers, −1 where unknown.
        label_names: of the labels 0, 1, …; empty where the labels are numbers themselves, as levels are.
        depth: ``[N]``, hops from the root.
        scale: ``[N, d]``, of the posteriors, geodesic lengths.
    """

    edges: Any = None
    labels: Any = None
    label_names: tuple[str, ...] = ()
    depth: Any = None
    scale: Any = None


@dataclass(frozen=True, eq=False)
class _Colours:
    values: NDArray[Any] | None = None
    label: str | None = None
    categories: tuple[str, ...] | None = None
    ticks: tuple[tuple[float, str], ...] = ()


def draw_run(
    points: Polar,
    manifold: Manifold,
    *,
    title: str,
    nodes: NodeData | None = None,
    colour: str = "auto",
    show_edges: bool | None = None,
    posteriors: CenteredDistribution | None = None,
    layout: str = "auto",
    zoom: str = "disk",
    names: Sequence[str] | None = None,
    most_names: int = 0,
    size: float = 6.0,
    generator: torch.Generator,
) -> "Figure":
    """An embedding of any dimension as a picture that says what it is.

    Flat space is drawn as a plane, hyperbolic space as a disk. More than two dimensions are projected, see
    :func:`~hypgraph.viewer.projection.project`; the picture says how, and which share of distance is kept.

    Args:
        points: radius ``[N]`` and direction ``[N, d]``, about the origin.
        manifold: their space.
        title: the first line over the picture; space and dimension follow.
        nodes: edges, labels, depths and scales.
        colour: one of :data:`COLOURS`.
        show_edges: by default up to 20,000 of them are drawn, of more none.
        posteriors: one a point, in two dimensions; the curve that holds half of the mass of each is drawn.
        layout: one of :data:`LAYOUTS`; flat space has its own.
        zoom: ``"disk"``, all of it, or ``"fit"``, the part where something is; see
            :func:`~hypgraph.viewer.draw_disk`.
        names: of the nodes, for ``most_names``.
        most_names: how many nodes get their names, where there is room: those with the most edges, and of equal
            ones (all, where no edges are known) the innermost.
        size: the side of the picture in inches.
        generator: for the projection.

    Raises:
        ConfigError: for an option that is not known, does not go with another, or needs what is not there.
        DataError: if the data do not fit the points.
    """
    lookup(COLOURS, colour, what="colour")
    lookup(LAYOUTS, layout, what="layout")
    lookup(ZOOMS, zoom, what="zoom")
    check_size(size)
    nodes = nodes or NodeData()
    count, flat = len(points.radius), isinstance(manifold, Euclidean)
    if posteriors is not None and manifold.dim != 2:
        raise ConfigError(
            f"posteriors are drawn in two dimensions only, this embedding has {manifold.dim}; leave them out"
        )
    if layout in ("linear", "spread") and zoom != "disk":
        raise ConfigError(
            f"zoom = '{zoom}' shows a part of the Poincaré disk; with layout = '{layout}' leave it out"
        )
    colours = _colours(colour, nodes, points)
    projected = project(points, manifold, generator=generator)
    drawn, notes = projected.points, [projected.description] if projected.description else []
    edges = nodes.edges if show_edges is not False else None
    if edges is not None and show_edges is None:
        number = len(as_pairs(edges, count))
        if number > _MOST_EDGES:
            edges = None
            notes.append(f"{number:,} edges not drawn")
    options: dict[str, Any] = {
        "edges": edges,
        "values": colours.values,
        "value_label": colours.label,
        "categories": colours.categories,
        "title": f"{title}\n{'Euclidean' if flat else 'hyperbolic'} space, d = {manifold.dim}",
        "posteriors": posteriors,
        "names": _foremost(names, most_names, nodes, drawn),
        "size": size,
    }
    if layout == "auto":
        layout = "spread" if zoom == "disk" and _on_rim(drawn, manifold) else "disk"
    if flat:
        figure = draw_plane(drawn.vector(), **options)
    elif layout in ("linear", "spread"):
        figure = draw_linear_disk(
            drawn, c=manifold.c_value, about=projected.about, spread=layout == "spread", **options
        )
    else:
        figure = draw_disk(drawn, c=manifold.c_value, zoom=zoom, about=projected.about, **options)
    _set_ticks(figure.axes[0], colours.ticks)
    _add_notes(figure.axes[0], notes)
    return figure


def _foremost(names: Sequence[str] | None, most: int, nodes: NodeData, drawn: Polar) -> list[tuple[int, str]]:
    """The names of nodes with many edges, and their positions, the most first."""
    if most < 0:
        raise ConfigError(f"most_names must be 0 or more, got {most}")
    if names is None:
        return []
    count = len(drawn.radius)
    if len(names) != count:
        raise DataError(f"names must be {count}, one a node, got {len(names)}")
    degree = np.zeros(count) if nodes.edges is None else _degrees(nodes.edges, count)
    order = np.lexsort((drawn.radius.numpy(), -degree))[:most]
    return [(int(node), names[node]) for node in order]


def _on_rim(points: Polar, manifold: Manifold) -> bool:
    angle = math.sqrt(manifold.c_value) * points.radius
    return len(angle) > 0 and float(angle.median()) > RIM


def _colours(colour: str, nodes: NodeData, points: Polar) -> _Colours:
    known = {"label": nodes.labels, "depth": nodes.depth, "degree": nodes.edges, "scale": nodes.scale}
    if colour == "auto":
        colour = next((key for key in ("label", "depth", "degree") if known[key] is not None), "none")
    if known.get(colour, ()) is None:
        needs = "edges" if colour == "degree" else f"{colour}s"
        possible = [key for key in COLOURS if key != "auto" and known.get(key, ()) is not None]
        raise ConfigError(f"colour = '{colour}': there are no {needs} here; choose {', '.join(possible)}")
    count = len(points.radius)
    match colour:
        case "label":
            return _by_label(as_values(nodes.labels, count), nodes.label_names)
        case "degree":
            return _by_degree(nodes.edges, count)
        case "depth":
            return _Colours(as_values(nodes.depth, count), "depth (hops)")
        case "radius":
            return _Colours(points.radius.detach().cpu().double().numpy(), "distance from the origin")
        case "scale":
            return _by_scale(nodes.scale)
    return _Colours()


def _by_label(labels: NDArray[Any], names: tuple[str, ...]) -> _Colours:
    known = labels >= 0
    if not names and known.all():
        return _Colours(labels, "label")
    present, frequency = np.unique(labels[known], return_counts=True)
    most = len(CATEGORY_COLOURS) - (not known.all())
    if len(present) > most:
        present = np.sort(present[np.argsort(-frequency, kind="stable")[: most - 1]])
    words = [names[label] if label < len(names) else str(label) for label in present.tolist()]
    values = np.full(len(labels), len(words))
    for place, label in enumerate(present):
        values[labels == label] = place
    if bool((known & (values == len(words))).any()):
        words.append("other")
    if not known.all():
        values[~known] = len(words)
        words.append("unknown")
    return _Colours(values, "label", tuple(words)) if words else _Colours()


def _by_degree(edges: Any, count: int) -> _Colours:
    degree = _degrees(edges, count)
    largest = int(degree.max(initial=0))
    smallest = int(degree.min(initial=largest))
    steps = [0, *(digit * 10**power for power in range(8) for digit in (1, 2, 5))]
    ticks = tuple((math.log2(1 + step), f"{step:,}") for step in steps if smallest <= step <= largest)
    return _Colours(np.log2(1.0 + degree), "degree", ticks=ticks)


def _degrees(edges: Any, count: int) -> NDArray[np.int64]:
    return np.bincount(as_pairs(edges, count).ravel(), minlength=count)


def _by_scale(scale: Any) -> _Colours:
    sigma = as_array("scale", scale).astype(np.float64)
    if not (sigma > 0).all():
        raise ConfigError("colour = 'scale': this embedding has points and no posteriors; choose another colour")
    mean = np.exp(np.log(sigma).mean(axis=1))
    label = "scale" if sigma.shape[1] == 1 or bool((sigma == sigma[:, :1]).all()) else "scale (geometric mean)"
    return _Colours(mean, label)


def _set_ticks(ax: "Axes", ticks: tuple[tuple[float, str], ...]) -> None:
    """The words of ``ticks`` at the colour bar."""
    if not ticks:
        return
    for bar in ax.child_axes:
        bar.set_yticks([place for place, _ in ticks], labels=[word for _, word in ticks])
        bar.minorticks_off()
    _fit_again(ax)


def _add_notes(ax: "Axes", notes: list[str]) -> None:
    """Lines below all that is there."""
    if not notes:
        return
    figure = ax.get_figure()
    assert figure is not None
    box = ax.get_tightbbox(figure.canvas.get_renderer())  # type: ignore[attr-defined]
    assert box is not None
    letters = max(20, int(ax.bbox.width / DPI * 72 / 4.6))
    lines = [line for note in notes for line in textwrap.wrap(note, letters)]
    ax.annotate(
        "\n".join(lines),
        (0.5, 0),
        xycoords="axes fraction",
        xytext=(0, (box.y0 - ax.bbox.y0) * 72 / DPI - 3),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=9,
        color="0.35",
        annotation_clip=False,
        parse_math=False,
    )
    _fit_again(ax)


def _fit_again(ax: "Axes") -> None:
    fit_around(ax, width=ax.bbox.width / DPI, height=ax.bbox.height / DPI)
