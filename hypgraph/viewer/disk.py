"""Embeddings in the Poincaré disk."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from hypgraph.exceptions import DataError
from hypgraph.lookup import lookup
from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional import ball
from hypgraph.viewer.arrays import as_plane_points, as_polar
from hypgraph.viewer.figures import new_axes
from hypgraph.viewer.geodesics import check_curvature, euclidean_arcs, in_ball
from hypgraph.viewer.marks import CURVES_NOTE, MarkOptions, Marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ZOOMS", "View", "add_ring_labels", "draw_disk"]

ZOOMS = {"disk": "the whole disk", "fit": "the part where something is"}
"""What :func:`draw_disk` may show."""

_WHOLE = 1.03  # half the side of the picture of the whole disk
_SMALLEST = 1e-6  # half the side below which zooming would show the rounding of coordinates
_MOST_CIRCLES = 6


class View(NamedTuple):
    """The square of the picture, in coordinates of the unit disk."""

    middle: NDArray[np.float64]
    half: float

    @property
    def whole(self) -> bool:
        """Whether it shows all of the disk."""
        return self.half >= _WHOLE


def draw_disk(
    points: Any,
    *,
    c: float = 1.0,
    zoom: str = "disk",
    about: str = "the origin",
    **options: Unpack[MarkOptions],
) -> "Figure":
    """Points of the Poincaré disk, with edges as geodesics and circles of constant geodesic radius.

    The disk is drawn as the unit disk, whatever ``c``; the numbers at the circles are geodesic lengths. Ten
    thousand points and more are small and translucent, and pixels in a pdf or svg.

    Args:
        points: ball coordinates ``[N, 2]`` with √c‖x‖ < 1, or :class:`Polar` about the origin.
        c: minus the sectional curvature.
        zoom: ``"disk"``, all of it, or ``"fit"``, the part where points, edges and posteriors are.
        about: what is at the centre, for the words below the picture.
        options: edges, values with their label or categories, title, posteriors, names and size, see
            :class:`~hypgraph.viewer.marks.MarkOptions`.

    Raises:
        ConfigError: for an option that is not allowed.
        DataError: for points outside the disk, or data that do not fit them.

    >>> figure = draw_disk([[0.0, 0.0], [0.5, 0.1]], edges=[[0], [1]], values=[0, 1], value_label="depth")
    >>> figure.savefig("disk.png")  # doctest: +SKIP
    """
    check_curvature(c)
    lookup(ZOOMS, zoom, what="zoom")
    where = _unit_disk("points", points, c)
    marks = Marks.of(len(where), c=c, **options)
    seen, arcs, curves = [where], None, None
    if marks.pairs is not None:
        arcs = euclidean_arcs(*where[marks.pairs.T], n=33 if len(marks.pairs) <= 5000 else 9)
        seen.append(arcs.reshape(-1, 2))
    if marks.curves is not None:
        curves = ball.from_polar(marks.curves, c=c).numpy() * math.sqrt(c)
        seen.append(curves.reshape(-1, 2))
    figure, ax = new_axes()
    marks.add(ax, where, arcs, curves)
    _add_ground(ax, _view(np.concatenate(seen), zoom), where, c, about=about, curves=curves is not None)
    marks.finish(ax, where, width=marks.size, height=marks.size)
    return figure


def _unit_disk(name: str, points: Any, c: float) -> NDArray[np.float64]:
    """Points ``[N, 2]`` of the disk of curvature -c, as points of the unit disk."""
    if not isinstance(points, Polar):
        return in_ball(name, torch.from_numpy(as_plane_points(name, points)), c=c)
    polar = as_polar(name, points)
    if polar.direction.ndim != 2 or polar.direction.shape[1] != 2:
        raise DataError(f"{name}.direction must have shape [N, 2], got {list(polar.direction.shape)}")
    return (math.sqrt(c) * ball.from_polar(polar, c=c)).numpy()


def _view(seen: NDArray[np.float64], zoom: str) -> View:
    """The whole disk, or the square around all that is ``seen [M, 2]``."""
    whole = View(np.zeros(2), _WHOLE)
    if zoom == "disk" or len(seen) == 0:
        return whole
    low, high = seen.min(0), seen.max(0)
    half = max(0.54 * float((high - low).max()), _SMALLEST)
    if half >= _WHOLE:
        return whole
    return View(np.clip((low + high) / 2, half - _WHOLE, _WHOLE - half), half)


def _add_ground(
    ax: "Axes", view: View, points: NDArray[np.float64], c: float, *, about: str, curves: bool
) -> None:
    """The boundary, the circles with their radii, the frame of the picture, and the words below it."""
    from matplotlib.collections import LineCollection

    angle = _angles(view, 1441)
    rays = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    ax.plot(
        rays[:, 0], rays[:, 1], color="0.15", linewidth=1.3, solid_capstyle="round", zorder=4, label="boundary"
    )
    lengths = _whole_radii(view, c)
    drawn = np.tanh(math.sqrt(c) / 2 * lengths)
    ax.add_collection(
        LineCollection(
            list(drawn[:, None, None] * rays), colors="0.85", linewidths=0.8, zorder=1, label="circles"
        ),
        autolim=False,
    )
    add_ring_labels(ax, view, points, lengths, drawn)
    (x, y), half = view.middle, view.half
    ax.set(xlim=(x - half, x + half), ylim=(y - half, y + half), xticks=[], yticks=[])
    ax.set_aspect("equal")
    ax.spines[:].set(color="0.8", visible=not view.whole)
    notes = [f"c = {c:g}", f"circles: geodesic distance from {about}"][: 1 + bool(len(lengths))]
    below = "   ·   ".join(notes) + (f"\n{CURVES_NOTE}" if curves else "")
    ax.text(0.5, -0.02, below, transform=ax.transAxes, ha="center", va="top", fontsize=9, color="0.35")


def _angles(view: View, n: int) -> NDArray[np.float64]:
    """``n`` angles about the origin, in order, that cover the picture."""
    x, y = view.middle
    if max(abs(x), abs(y)) <= view.half:
        return np.linspace(-math.pi, math.pi, n)
    middle = math.atan2(y, x)
    corners = view.middle + view.half * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    turned = np.angle((corners @ [1, 1j]) * np.exp(-1j * middle))
    return np.linspace(middle + turned.min(), middle + turned.max(), n)


def _whole_radii(view: View, c: float) -> NDArray[np.float64]:
    """Up to six geodesic radii in the picture, multiples of 1, 2 or 5 times a power of ten.

    Of those steps the smallest, which is 1 for the whole disk and c near 1.
    """
    nearest = np.maximum(np.abs(view.middle) - view.half, 0)
    farthest = np.abs(view.middle) + view.half
    lowest = float(np.hypot(*nearest))
    highest = min(float(np.hypot(*farthest)), 1 - 0.03 * view.half)  # closer, circles run into the boundary
    if lowest >= highest:
        return np.zeros(0)
    first, last = (2 / math.sqrt(c) * math.atanh(edge) for edge in (lowest, highest))
    power = 10.0 ** math.floor(math.log10((last - first) / _MOST_CIRCLES))
    for step in (power * digit for digit in (1, 2, 5, 10)):
        multiples = np.arange(max(1, math.ceil(first / step)), math.floor(last / step) + 1)
        if len(multiples) <= _MOST_CIRCLES:
            break
    return np.asarray(multiples * step, dtype=np.float64)


def add_ring_labels(
    ax: "Axes", view: View, points: NDArray[np.float64], lengths: NDArray[np.float64], drawn: NDArray[np.float64]
) -> None:
    """The radius at each circle, along one ray away from the points where there is one."""
    from matplotlib.patheffects import withStroke
    from scipy.spatial import KDTree

    if len(lengths) == 0:
        return
    angle = _angles(view, 97)[:-1]
    place = drawn[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)  # [circles, angles, 2]
    inside = (np.abs(place - view.middle) <= 0.95 * view.half).all(-1)
    room = KDTree(points).query(place)[0] if len(points) else np.ones(inside.shape)
    room = np.where(inside, np.minimum(room / view.half, 1), 0)
    common = int(np.argmax(inside.sum(0) + room.min(0)))
    previous = None
    for length, at, seen, free in zip(lengths, place, inside, room, strict=True):
        best = common if seen[common] else int(np.argmax(free))
        if not seen[best] or (previous is not None and np.hypot(*(at[best] - previous)) < 0.05 * view.half):
            continue
        previous = at[best]
        text = ax.text(
            previous[0],
            previous[1],
            f"{length:.10g}",
            fontsize=9,
            color="0.35",
            ha="center",
            va="center",
            zorder=5,
        )
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
