"""What the tests of pictures look for in a figure."""

from typing import TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

T = TypeVar("T")


def only(found: list[T]) -> T:
    assert len(found) == 1, found
    return found[0]


def picture(figure: Figure) -> Axes:
    """The axes that hold the picture; a colour bar's are its children."""
    return only(figure.axes)


def points_of(figure: Figure) -> PathCollection:
    return only([artist for artist in picture(figure).collections if isinstance(artist, PathCollection)])


def places(figure: Figure) -> NDArray[np.float64]:
    """``[N, 2]``, in the order of drawing."""
    return np.asarray(points_of(figure).get_offsets())


def find_lines(figure: Figure, label: str) -> list[LineCollection]:
    found = [artist for artist in picture(figure).collections if artist.get_label() == label]
    return [artist for artist in found if isinstance(artist, LineCollection)]


def lines_of(figure: Figure, label: str) -> NDArray[np.float64]:
    """``[E, n, 2]``."""
    return np.array([path.vertices for path in only(find_lines(figure, label)).get_paths()])


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in picture(figure).texts]


def pixels(figure: Figure) -> NDArray[np.uint8]:
    """``[height, width, 3]``, as drawn."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def covered(figure: Figure) -> tuple[Bbox, float, float]:
    """What all artists cover together, and the width and height of the figure, in pixels."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    box = picture(figure).get_tightbbox(canvas.get_renderer())
    assert box is not None
    return box, float(figure.bbox.width), float(figure.bbox.height)
