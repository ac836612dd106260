"""Embeddings as one HTML file that moves: the page, its data, and what keeps other people's text from running."""

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hypgraph.exceptions import DataError
from hypgraph.files import whole_file
from hypgraph.viewer.arrays import as_array, as_values

__all__ = ["RIM", "PageContents", "page_html", "write_page"]

RIM = 6.0  # √c·radius from which on points are within half a percent of the rim of the disk

_SCRIPTS = (
    "geometry.js",
    "view.js",
    "spread.js",
    "data.js",
    "colours.js",
    "shapes.js",
    "canvas.js",
    "webgl.js",
    "labels.js",
    "scene.js",
    "export.js",
    "details.js",
    "panel.js",
    "search.js",
    "controls.js",
    "main.js",
)
_FARTHEST = 80.0  # √c·radius: a view between two such points stays inside what float64 holds
_UNIT_ERROR = 1e-6
_UNSAFE = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


@dataclass(frozen=True, eq=False)
class PageContents:
    """What a page shows. All is optional but the points and their ids.

    Attributes:
        radius: ``[N]``, geodesic lengths from the origin, √c·radius at most 80.
        direction: ``[N, 2]``, unit vectors (any at radius 0). Polar coordinates are exact at any radius.
        c: minus the curvature; 0 draws a Euclidean plane.
        ids: ``[N]``, shown beside the nodes and found by the search.
        title: over the panel, and the name of the page.
        subtitle: lines below it, such as where the embedding is from and how good it is.
        label: ``[N]``, whole numbers that count ``label_names``, -1 for none.
        label_names: the categories.
        depth: ``[N]``, whole numbers; -1 for none.
        degree: ``[N]``; counted from ``edges`` where it is absent.
        scale: ``[N]``, σ as a geodesic length, drawn as circles of that radius.
        edges: ``[2, E]``, the edges that the embedding has seen; each pair is drawn once, self-loops are not.
        held_out: ``[2, M]``, the edges that it has not seen.
        found: ``[M]``, which of those the decoder gives a higher probability than its threshold.
        predicted: ``[2, K]``, pairs without an edge that are likely to have one.
        probability: ``[K]``, of those.
        original_radius: ``[N]``, of the points before they were projected to two dimensions.
        neighbors: ``[N, k]``, the nearest nodes of each before the projection, nearest first.
        neighbor_distance: ``[N, k]``, how far away those are.
        first: the node in the middle of the disk at the beginning; the origin where it is None.
        layout: how the page draws at first what it can draw both ways, "disk" or "spread": with radii as long as
            they are and angles spread out in their order. "auto" spreads where more than half of the nodes would
            lie on the rim of the disk. The plane has no other layout than "disk".
        projected: whether the two dimensions are a projection: then distances in the picture are not those of
            the embedding, the page says so, and shows the ``neighbors`` given here or none.
    """

    radius: Any
    direction: Any
    c: float
    ids: Sequence[str]
    title: str = "Embedding"
    subtitle: Sequence[str] = ()
    label: Any = None
    label_names: Sequence[str] | None = None
    depth: Any = None
    degree: Any = None
    scale: Any = None
    edges: Any = None
    held_out: Any = None
    found: Any = None
    predicted: Any = None
    probability: Any = None
    original_radius: Any = None
    neighbors: Any = None
    neighbor_distance: Any = None
    first: int | None = None
    layout: str = "auto"
    projected: bool = False


def write_page(path: str | Path, contents: PageContents) -> None:
    """Writes :func:`page_html` to ``path``: whole or not at all.

    Raises:
        DataError: if the arrays of ``contents`` do not fit together, or the file cannot be written.
    """
    text = page_html(contents).encode("utf-8", errors="replace")
    try:
        with whole_file(Path(path)) as temporary:
            temporary.write_bytes(text)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"cannot write the page {path}: {reason}; give a file in a folder that exists") from None


def page_html(contents: PageContents) -> str:
    """The page as one text: no part of it is fetched, and its policy forbids that any be.

    Text of the data is inside a JSON block, in which ``<``, ``>`` and ``&`` are escaped, and reaches the page as
    text nodes only; the policy lets no script run but the page's own, by its hash.

    Raises:
        DataError: if the arrays of ``contents`` do not fit together.

    >>> page = page_html(PageContents(radius=[0, 1], direction=[[1, 0], [0, 1]], c=1.0, ids=["<b>", "b"]))
    >>> "<b>" in page
    False
    """
    data = json.dumps(_data(contents), separators=(",", ":"), allow_nan=False).translate(_UNSAFE)
    script = '(() => {\n"use strict";\n' + "\n".join(_asset(name) for name in _SCRIPTS) + "\n})();\n"
    style = _asset("style.css")
    parts = {
        "title": html.escape(str(contents.title)),
        "policy": html.escape(_policy(script, style)),
        "style": style,
        "data": data,
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _asset("page.html"))


def _asset(name: str) -> str:
    return files("hypgraph.viewer").joinpath("web", name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    """A content security policy: nothing from anywhere, no script or style but these two, pictures made here."""
    allowed = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(contents: PageContents) -> dict[str, Any]:
    """All of ``contents`` as JSON, arrays as base64 of their little-endian bytes."""
    radius, direction, c = _points(contents)
    count = len(radius)
    ids = [str(name) for name in contents.ids]
    if len(ids) != count:
        raise DataError(f"ids must be {count}, one a point, got {len(ids)}")
    edges = _pairs("edges", contents.edges, count)
    drawn = edges if edges is None else np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    names, label = _labels(contents, count)
    degree = contents.degree
    if degree is None and drawn is not None:
        degree = np.bincount(drawn.ravel(), minlength=count)
    neighbors, neighbor_distance = _neighbors(contents, count)
    return {
        "title": str(contents.title),
        "subtitle": [str(line) for line in contents.subtitle],
        "c": c,
        "projected": bool(contents.projected),
        "first": _first(contents.first, count),
        "layout": _layout(contents.layout, math.sqrt(c) * radius),
        "ids": ids,
        "labelNames": names,
        "radius": _f8(radius),
        "direction": _f8(direction),
        "label": _i4(label),
        "depth": _i4(_column("depth", contents.depth, count)),
        "degree": _i4(_column("degree", degree, count)),
        "scale": _f8(_lengths("scale", contents.scale, count)),
        "originalRadius": _f8(_lengths("original_radius", contents.original_radius, count)),
        "neighbors": _i4(neighbors),
        "neighborDistance": _f8(neighbor_distance),
        "edges": _i4(drawn),
        **_links(contents, count),
    }


def _points(contents: PageContents) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    radius = _column("radius", contents.radius, None)
    direction = as_array("direction", contents.direction).astype(np.float64)
    c = float(contents.c)
    if not (math.isfinite(c) and c >= 0):
        raise DataError(f"c must be positive, or 0 for the plane, got {contents.c}")
    if direction.shape != (len(radius), 2):
        raise DataError(f"direction must have shape [{len(radius)}, 2], got {list(direction.shape)}")
    radius = radius.astype(np.float64)
    if (radius < 0).any():
        raise DataError(f"radius must not be negative, got {radius.min():g}")
    length = np.hypot(direction[:, 0], direction[:, 1])
    if not ((np.abs(length - 1) < _UNIT_ERROR) | (radius == 0)).all():
        raise DataError("direction must hold unit vectors; divide each by its length")
    if c > 0 and len(radius) and math.sqrt(c) * radius.max() > _FARTHEST:
        farthest = f"√c·radius = {math.sqrt(c) * radius.max():.4g}"
        raise DataError(
            f"a page shows points up to √c·radius = {_FARTHEST:g}, got {farthest}; shrink the embedding"
        )
    direction = np.where(radius[:, None] > 0, direction, [1.0, 0.0])
    return radius, direction, c


def _column(name: str, given: Any, count: int | None) -> NDArray[Any]:
    """One finite number a point."""
    if given is None:
        return np.zeros(0)
    if count is None:
        array = as_array(name, given)
        if array.ndim != 1:
            raise DataError(f"{name} must have shape [N], got {list(array.shape)}")
        count = len(array)
    try:
        return as_values(given, count)
    except DataError as error:
        raise DataError(str(error).replace("values", name, 1)) from None


def _first(node: int | None, count: int) -> int:
    """-1 for the origin."""
    if node is None:
        return -1
    if not 0 <= node < count:
        raise DataError(f"first must be from 0 to {count - 1}, or None for the origin, got {node}")
    return int(node)


def _layout(layout: str, angle: NDArray[np.float64]) -> str:
    """The layout of the beginning; ``angle`` is √c·radius, all 0 in the plane."""
    if layout not in ("auto", "disk", "spread"):
        raise DataError(f"layout must be auto, disk or spread, got {layout!r}")
    if layout != "auto":
        return layout
    return "spread" if len(angle) and float(np.median(angle)) > RIM else "disk"


def _lengths(name: str, given: Any, count: int) -> NDArray[Any]:
    lengths = _column(name, given, count)
    if (lengths < 0).any():
        raise DataError(f"{name} must not be negative, got {lengths.min():g}")
    return lengths


def _labels(contents: PageContents, count: int) -> tuple[list[str], NDArray[Any]]:
    names = [str(name) for name in contents.label_names or ()]
    label = _column("label", contents.label, count)
    if label.size and (label.min() < -1 or label.max() >= len(names) or (label != np.round(label)).any()):
        raise DataError(
            f"label must hold whole numbers from -1 to {len(names) - 1}, one a label_name, "
            f"got {label.min():g} to {label.max():g}"
        )
    return names, label


def _pairs(name: str, given: Any, count: int) -> NDArray[np.int64] | None:
    """Pairs ``[E, 2]`` in the order given."""
    if given is None:
        return None
    array = as_array(name, given)
    if array.ndim != 2 or array.shape[0] != 2:
        raise DataError(f"{name} must have shape [2, E], got {list(array.shape)}")
    if array.size and array.dtype.kind not in "ui":
        raise DataError(f"{name} must hold integers, got {array.dtype}")
    outside = array[(array < 0) | (array >= count)]
    if outside.size:
        raise DataError(f"{name} names point {outside[0]}, but there are {count} points, counted from 0")
    return np.ascontiguousarray(array.T, dtype=np.int64)


def _links(contents: PageContents, count: int) -> dict[str, Any]:
    """The held-out edges, those that were found apart from those that were missed, and the predicted pairs."""
    held_out = _pairs("held_out", contents.held_out, count)
    predicted = _pairs("predicted", contents.predicted, count)
    pairs = np.zeros((0, 2), dtype=np.int64)
    held_out, predicted = (pairs if given is None else given for given in (held_out, predicted))
    found = _column("found", contents.found, len(held_out)).astype(bool)
    probability = _column("probability", contents.probability, len(predicted)).astype(np.float64)
    if len(found) != len(held_out):
        raise DataError(f"found must have shape [{len(held_out)}], one a held-out edge; got none")
    if len(probability) != len(predicted):
        raise DataError(f"probability must have shape [{len(predicted)}], one a predicted pair; got none")
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise DataError(f"probability must be from 0 to 1, got {probability.min():g} to {probability.max():g}")
    return {
        "found": _i4(held_out[found]),
        "missed": _i4(held_out[~found]),
        "predicted": _i4(predicted),
        "probability": _f8(probability),
    }


def _neighbors(contents: PageContents, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    if contents.neighbors is None or contents.neighbor_distance is None:
        if (contents.neighbors is None) != (contents.neighbor_distance is None):
            raise DataError("neighbors and neighbor_distance belong together: give both or none")
        return np.zeros(0), np.zeros(0)
    index = as_array("neighbors", contents.neighbors)
    length = as_array("neighbor_distance", contents.neighbor_distance)
    if index.ndim != 2 or len(index) != count or length.shape != index.shape:
        raise DataError(
            f"neighbors and neighbor_distance must have shape [{count}, k], "
            f"got {list(index.shape)} and {list(length.shape)}"
        )
    if index.size and (index.min() < 0 or index.max() >= count):
        raise DataError(f"neighbors must be from 0 to {count - 1}, got {index.min()} to {index.max()}")
    if not np.isfinite(length).all():
        raise DataError("neighbor_distance must be finite")
    return index, length


def _base64(array: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=kind).tobytes()).decode()


def _f8(array: NDArray[Any]) -> str:
    return _base64(array, "<f8")


def _i4(array: NDArray[Any] | None) -> str:
    return "" if array is None else _base64(array, "<i4")
