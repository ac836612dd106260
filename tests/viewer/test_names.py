"""Names beside the points of a figure: whose, where, and that no two lie upon each other."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import Euclidean, Manifold, PoincareBall, Polar
from hypgraph.viewer import NodeData, draw_disk, draw_plane, draw_run
from hypgraph.viewer.linear_disk import draw_linear_disk
from tests.viewer.pictures import picture, pixels, texts_of

F64 = torch.float64


def names_of(figure: Figure) -> list[Annotation]:
    return [text for text in picture(figure).texts if isinstance(text, Annotation) and text.get_zorder() == 6]


def words_of(figure: Figure) -> list[str]:
    return [name.get_text() for name in names_of(figure)]


def box(figure: Figure, name: Any) -> Bbox:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    found: Bbox = name.get_window_extent(canvas.get_renderer())
    return found


def ring(count: int, radius: float) -> Polar:
    angle = torch.arange(count, dtype=F64) * 2 * math.pi / count
    return Polar(torch.full((count,), radius, dtype=F64), torch.stack([angle.cos(), angle.sin()], -1))


def crowd(count: int) -> NDArray[np.float64]:
    return 0.65 * np.random.default_rng(0).uniform(-1, 1, (count, 2))


def draw(points: Polar, manifold: Manifold | None = None, **options: Any) -> Figure:
    generator = torch.Generator().manual_seed(0)
    manifold = manifold or PoincareBall(points.direction.shape[1])
    return draw_run(points, manifold, title="x", generator=generator, **options)


def test_each_name_stands_beside_its_point() -> None:
    points = ring(6, 1.5)
    figures = {
        "disk": draw_disk(points, names=[(k, f"node {k}") for k in range(6)]),
        "linear": draw_linear_disk(points, names=[(k, f"node {k}") for k in range(6)]),
        "plane": draw_plane(points.vector(), names=[(k, f"node {k}") for k in range(6)]),
    }
    for figure in figures.values():
        assert words_of(figure) == [f"node {k}" for k in range(6)]
        angle = [math.atan2(name.xy[1], name.xy[0]) % (2 * math.pi) for name in names_of(figure)]
        assert np.allclose(angle, np.arange(6) * math.pi / 3, atol=1e-12)
        for name in names_of(figure):
            x, y = picture(figure).transData.transform(name.xy)
            seen = box(figure, name)
            gap = math.hypot(max(seen.x0 - x, x - seen.x1, 0), max(seen.y0 - y, y - seen.y1, 0))
            assert 0 < gap < 15  # pixels


@pytest.mark.parametrize("count", [10, 300])
def test_no_name_covers_another_or_a_radius_or_leaves_the_picture(count: int) -> None:
    where = crowd(count)
    figure = draw_disk(where, names=[(k, "a long name" if k % 3 else "short") for k in range(count)])
    ax = picture(figure)
    boxes = [box(figure, text) for text in ax.texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for name in names_of(figure):
        seen = box(figure, name)
        assert ax.bbox.x0 <= seen.x0 < seen.x1 <= ax.bbox.x1
        assert ax.bbox.y0 <= seen.y0 < seen.y1 <= ax.bbox.y1
    assert len(names_of(figure)) == count if count == 10 else 20 < len(names_of(figure)) < count


def test_of_points_in_one_place_the_first_ones_get_their_names_on_its_four_sides() -> None:
    figure = draw_disk(np.zeros((9, 2)), names=[(k, f"n{k}") for k in (5, 3, 8, 1, 0, 2)])
    assert words_of(figure) == ["n5", "n3", "n8", "n1"]
    sides = {(np.sign(name.xyann[0]), np.sign(name.xyann[1])) for name in names_of(figure)}
    assert sides == set(itertools.product((-1, 1), repeat=2))


@pytest.mark.parametrize(("angle", "side"), [(0.0, -1), (math.pi, 1)])
def test_a_name_at_the_edge_of_the_picture_turns_inwards(angle: float, side: int) -> None:
    where = 0.98 * np.array([[math.cos(angle), math.sin(angle)]])
    (name,) = names_of(draw_disk(where, names=[(0, "on the rim")]))
    assert np.sign(name.xyann[0]) == side


def test_names_are_text_as_it_is_in_one_line_of_bounded_length() -> None:
    names = [r"$\notmath$", "_hidden", "two\nlines", "word " * 30, "", "x" * 200]
    figure = draw_disk(ring(6, 1.0), names=list(enumerate(names)))
    pixels(figure)
    words = words_of(figure)
    assert words[:3] == [r"$\notmath$", "_hidden", "two lines"]
    assert all(len(word) <= 28 and "\n" not in word for word in words)
    assert words[3] == "word word word word word wo…"
    assert words[-1] == "x" * 27 + "…"


def test_without_names_there_are_none_and_with_them_only_they_are_new() -> None:
    points = ring(5, 1.0)
    plain, named = draw_disk(points), draw_disk(points, names=[(2, "two")])
    assert not names_of(plain)
    assert [text for text in texts_of(named) if text not in texts_of(plain)] == ["two"]
    assert plain.get_size_inches().tolist() == named.get_size_inches().tolist()


STAR = NodeData(edges=[[4, 4, 4, 4, 7, 7], [0, 1, 2, 3, 6, 4]])
IDS = [f"id-{k}" for k in range(9)]


def test_the_nodes_with_most_edges_are_named_and_of_equal_ones_the_innermost() -> None:
    points = ring(9, 2.0)
    points.radius[:] = torch.tensor([2.0, 1.8, 0.7, 1.9, 1.0, 0.2, 2.2, 2.4, 0.1])
    named = {most: words_of(draw(points, nodes=STAR, names=IDS, most_names=most)) for most in (0, 1, 3, 4)}
    assert named == {0: [], 1: ["id-4"], 3: ["id-4", "id-7", "id-2"], 4: ["id-4", "id-7", "id-2", "id-1"]}
    without = draw(points, names=IDS, most_names=2)
    assert words_of(without) == ["id-8", "id-5"]


@pytest.mark.parametrize("manifold", [PoincareBall(2), PoincareBall(4), Euclidean(2), Euclidean(4)], ids=str)
@pytest.mark.parametrize("layout", ["disk", "spread"])
def test_every_kind_of_picture_of_a_run_has_names(manifold: Manifold, layout: str) -> None:
    points = ring(9, 1.5)
    points = Polar(points.radius, torch.nn.functional.pad(points.direction, (0, manifold.dim - 2)))
    figure = draw(points, manifold, nodes=STAR, layout=layout, names=IDS, most_names=5)
    assert words_of(figure)[0] == "id-4"
    assert len(words_of(figure)) == 5


def test_names_beyond_the_nodes_and_negative_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="names must be 9, one a node, got 3"):
        draw(ring(9, 1.0), names=IDS[:3], most_names=2)
    for stranger in (9, -1):
        with pytest.raises(
            DataError, match=f"names name point {stranger}, but there are 9 points, counted from 0"
        ):
            draw_disk(ring(9, 1.0), names=[(0, "a"), (stranger, "b")])
    with pytest.raises(ConfigError, match="most_names must be 0 or more, got -1"):
        draw(ring(9, 1.0), names=IDS, most_names=-1)
    assert len(words_of(draw(ring(9, 1.0), names=IDS, most_names=10**6))) == 9
