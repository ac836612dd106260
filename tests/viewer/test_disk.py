"""The picture of the Poincaré disk: what is in it, where, and what is refused."""

import itertools
import math

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from hypgraph.data.synthetic_trees import tree
from hypgraph.distributions import FAMILIES, RiemannianNormal, RoWN, WrappedNormal
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import Euclidean, Lorentz, PoincareBall, Polar
from hypgraph.viewer import draw_disk
from hypgraph.viewer.marks import CATEGORY_COLOURS
from tests.viewer.pictures import (
    covered,
    find_lines,
    lines_of,
    only,
    picture,
    pixels,
    places,
    points_of,
    texts_of,
)

POINTS = np.array([[0.0, 0.0], [0.5, 0.1], [-0.3, 0.6], [0.2, -0.7]])


def random_points(count: int, c: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return PoincareBall(2, c).expmap0(torch.randn(count, 2, dtype=torch.float64, generator=generator))


def bar_of(ax: Axes) -> Axes:
    return only([child for child in ax.child_axes if isinstance(child, Axes)])


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
def test_points_are_scaled_to_the_unit_disk(c: float) -> None:
    given = POINTS / math.sqrt(c)
    drawn = places(draw_disk(given, c=c))
    assert np.allclose(sorted(drawn.tolist()), sorted(POINTS.tolist()), atol=1e-15)


def test_polar_points_lie_where_their_coordinates_do_and_beyond_them_on_the_boundary() -> None:
    radius = torch.tensor([1.0, 2000.0], dtype=torch.float64)
    direction = torch.tensor([[0.6, 0.8], [0.0, -1.0]], dtype=torch.float64)
    drawn = places(draw_disk(Polar(radius, direction), c=1.44))
    expected = [[0.6 * math.tanh(0.6), 0.8 * math.tanh(0.6)], [0.0, -1.0]]
    assert np.allclose(sorted(drawn.tolist()), sorted(expected), atol=1e-15)


def test_edges_are_geodesics_each_drawn_once_without_loops() -> None:
    c = 1.4
    x = torch.from_numpy(POINTS / math.sqrt(c))
    lines = lines_of(draw_disk(x, c=c, edges=[[0, 1, 2, 3, 1, 2], [1, 2, 3, 1, 0, 2]]), "edges")
    assert [tuple(map(int, pair)) for pair in np.sort(ends(lines, POINTS), axis=1)] == [
        (0, 1),
        (1, 2),
        (1, 3),
        (2, 3),
    ]
    ball = PoincareBall(2, c)
    for line, (u, v) in zip(lines, ends(lines, POINTS), strict=True):
        point = torch.from_numpy(line / math.sqrt(c))
        through = ball.dist(x[u], point) + ball.dist(point, x[v])
        assert (through - ball.dist(x[u], x[v])).abs().max() < 1e-12


def ends(lines: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.int64]:
    """The point at which each line starts, and that at which it ends."""
    gaps = np.linalg.norm(lines[:, [0, -1], None] - points, axis=-1)
    assert gaps.min(-1).max() < 1e-15
    return gaps.argmin(-1)


def test_edges_lie_under_the_points_and_the_circles_under_both() -> None:
    figure = draw_disk(POINTS, edges=[[0], [1]])
    order = [only(find_lines(figure, label)).get_zorder() for label in ("circles", "edges")]
    assert order[0] < order[1] < points_of(figure).get_zorder()


@pytest.mark.parametrize(("c", "expected"), [(1.0, [1, 2, 3, 4]), (1.4, [1, 2, 3]), (0.1, [2, 4, 6, 8, 10, 12])])
def test_circles_of_constant_geodesic_radius_carry_their_radius(c: float, expected: list[int]) -> None:
    figure = draw_disk(POINTS / math.sqrt(c), c=c)
    circles = lines_of(figure, "circles")
    ball = PoincareBall(2, c)
    radii = ball.dist0(torch.from_numpy(circles / math.sqrt(c)))
    assert torch.allclose(radii, torch.tensor(expected, dtype=torch.float64)[:, None].expand_as(radii), atol=1e-11)
    labels = [text for text in picture(figure).texts if text.get_text().isdigit()]
    assert len(labels) >= min(len(expected), 3)
    for label in labels:
        place = torch.tensor(label.get_position(), dtype=torch.float64) / math.sqrt(c)
        assert abs(ball.dist0(place).item() - int(label.get_text())) < 1e-11
    assert any(text.startswith(f"c = {c:g}") for text in texts_of(figure))


def test_labels_of_circles_stay_clear_of_the_points() -> None:
    angle = np.linspace(0, 2 * math.pi, 400)[:350]  # a gap of 45 degrees
    points = np.concatenate([r * np.stack([np.cos(angle), np.sin(angle)], -1) for r in (0.46, 0.76, 0.9, 0.96)])
    figure = draw_disk(points)
    for label in picture(figure).texts:
        if label.get_text().isdigit():
            assert np.linalg.norm(points - label.get_position(), axis=-1).min() > 0.1


def test_the_boundary_is_the_unit_circle_and_the_whole_disk_is_shown() -> None:
    figure = draw_disk(POINTS)
    ax = picture(figure)
    boundary = only([line for line in ax.lines if line.get_label() == "boundary"])
    assert np.allclose(np.linalg.norm(boundary.get_xydata(), axis=-1), 1, atol=1e-15)
    assert np.allclose([*ax.get_xlim(), *ax.get_ylim()], [-1.03, 1.03, -1.03, 1.03])
    assert ax.get_aspect() == 1


def test_fit_shows_all_points_arcs_and_curves_and_little_else() -> None:
    points = np.array([[0.9, 0.3], [0.9, -0.3], [0.95, 0.0]])
    ball = PoincareBall(2)
    posteriors = WrappedNormal(torch.from_numpy(points), torch.full((3,), 0.5, dtype=torch.float64), ball)
    figure = draw_disk(points, edges=[[0], [1]], posteriors=posteriors, zoom="fit")
    drawn = [places(figure), *lines_of(figure, "edges"), *lines_of(figure, "posteriors")]
    everything = np.concatenate(drawn)
    ax = picture(figure)
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    assert (everything > low).all()
    assert (everything < high).all()
    assert np.allclose(high[0] - low[0], high[1] - low[1])
    assert (high - low).max() < 1.1 * np.ptp(everything, axis=0).max()


def test_fit_draws_the_boundary_and_labelled_circles_as_true_circles_at_any_zoom() -> None:
    # Two points at radius 14, 3e-6 from the boundary and 1e-5 apart: the picture is 1.1e-5 wide.
    radius = math.tanh(7.0)
    points = radius * np.array([[math.cos(a), math.sin(a)] for a in (1.0, 1.0 + 1e-5)])
    figure = draw_disk(points, zoom="fit")
    ax = picture(figure)
    (x_low, x_high), (y_low, y_high) = ax.get_xlim(), ax.get_ylim()
    assert 1e-6 < x_high - x_low < 2e-5
    curve = np.asarray(only([line for line in ax.lines if line.get_label() == "boundary"]).get_xydata())
    inside = ((curve > [x_low, y_low]) & (curve < [x_high, y_high])).all(-1)
    assert inside.sum() > 100
    middles = (curve[1:] + curve[:-1]) / 2  # chords leave the circle by less than a thousandth of the picture
    assert np.abs(np.linalg.norm(middles, axis=-1) - 1).max() < 1e-8
    labels = [text for text in ax.texts if text.get_text().replace(".", "").isdigit()]
    assert labels
    for label in labels:
        x, y = label.get_position()
        assert x_low < x < x_high
        assert y_low < y < y_high
        assert abs(2 * math.atanh(math.hypot(x, y)) - float(label.get_text())) < 1e-6


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((1, 2)), np.full((3, 2), 0.5)])
def test_no_point_one_point_and_coincident_points_can_be_drawn(points: NDArray[np.float64]) -> None:
    for zoom in ("disk", "fit"):
        figure = draw_disk(points, values=np.zeros(len(points)), edges=np.zeros((2, 0), dtype=int), zoom=zoom)
        assert pixels(figure).min() < 100


def test_depths_have_a_colour_each_and_a_bar_that_names_them() -> None:
    depth = np.array([0, 1, 3, 5])
    figure = draw_disk(POINTS, values=depth, value_label="depth")
    bar = bar_of(picture(figure))
    assert [text.get_text() for text in bar.get_yticklabels()] == ["0", "1", "2", "3", "4", "5"]
    assert bar.get_ylabel() == "depth"
    drawn = points_of(figure)
    figure.canvas.draw()
    by_place = {
        tuple(place): tuple(colour) for place, colour in zip(places(figure), drawn.get_facecolor(), strict=True)
    }
    lightness = [sum(by_place[tuple(point)][:3]) for point in POINTS]
    assert len(set(by_place.values())) == 4
    assert lightness == sorted(lightness)


def test_the_root_is_drawn_over_the_leaves() -> None:
    graph = tree(2, 3)
    assert graph.labels is not None
    points = random_points(15)
    drawn = places(draw_disk(points, values=graph.labels))
    assert np.allclose(drawn[-1], points[0])


def test_numbers_that_are_not_whole_share_a_continuous_bar() -> None:
    figure = draw_disk(POINTS, values=[0.0, 0.25, 0.5, 1.0], value_label="share")
    assert picture(figure).get_legend() is None
    assert bar_of(picture(figure)).get_ylim() == (0.0, 1.0)


@pytest.mark.parametrize("deepest", [16, 19, 22, 46, 210, 9999])
def test_many_depths_share_a_continuous_bar_whose_ticks_are_whole_numbers(deepest: int) -> None:
    figure = draw_disk(random_points(deepest + 1), values=np.arange(deepest + 1), value_label="depth")
    bar = bar_of(picture(figure))
    figure.canvas.draw()
    low, high = bar.get_ylim()
    words = [text.get_text() for text in bar.get_yticklabels()]
    shown = [word for word, place in zip(words, bar.get_yticks(), strict=True) if low <= place <= high]
    assert [int(word) for word in shown] == [place for place in bar.get_yticks() if low <= place <= high]
    assert 3 <= len(shown) <= 10


def test_categories_have_their_colour_and_a_legend_with_names_as_they_are() -> None:
    names = [r"$\notmath$", "_hidden", "plain", "café"]
    figure = draw_disk(POINTS, values=[2, 0, 1, 3], categories=names, value_label=r"$\kind$", title=r"$\title$")
    legend = picture(figure).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == names
    assert legend.get_title().get_text() == r"$\kind$"
    assert [handle.get_color() for handle in legend.legend_handles] == list(CATEGORY_COLOURS[:4])  # type: ignore[union-attr]
    figure.canvas.draw()
    colours = {
        tuple(p): tuple(f[:3]) for p, f in zip(places(figure), points_of(figure).get_facecolor(), strict=True)
    }
    expected = [to_rgb(CATEGORY_COLOURS[k]) for k in (2, 0, 1, 3)]
    assert np.allclose([colours[tuple(point)] for point in POINTS], expected)


# Machado, Oliveira and Fernandes 2009, severity 1, of linear RGB.
DICHROMATS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "full": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
}


@pytest.mark.parametrize("vision", list(DICHROMATS))
def test_ten_colours_stay_apart_for_colour_blind_people(vision: str) -> None:
    def cielab(colour: str) -> NDArray[np.float64]:
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(np.array(DICHROMATS[vision]) @ linear, 0, 1)
        xyz = np.array(
            [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
        )
        t = xyz @ seen / [0.95047, 1.0, 1.08883]
        f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
        return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])

    lab = [cielab(colour) for colour in CATEGORY_COLOURS]
    assert len(lab) == 10
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2)) > 15
    assert max(colour[0] for colour in lab) < 85  # and from white


def test_ten_thousand_points_are_small_translucent_pixels_in_mixed_order() -> None:
    kind = np.repeat(np.arange(10), 1000)
    figure = draw_disk(random_points(10_000), values=kind, categories=[str(k) for k in range(10)])
    drawn = points_of(figure)
    assert drawn.get_rasterized()
    assert drawn.get_alpha() < 1
    few = points_of(draw_disk(POINTS))
    assert drawn.get_sizes()[0] < few.get_sizes()[0] / 4
    assert not few.get_rasterized()
    order = np.asarray(drawn.get_array()).astype(int)
    assert np.array_equal(np.bincount(order), np.full(10, 1000))
    assert all(len(set(part)) == 10 for part in order.reshape(50, 200).tolist())


@pytest.mark.parametrize("family", list(FAMILIES))
def test_half_of_the_draws_of_a_posterior_fall_within_its_curve(family: str) -> None:
    ball = PoincareBall(2, 1.2)
    loc = random_points(3, 1.2) / 2
    scale = torch.tensor([[0.2, 0.2], [0.6, 0.3], [0.1, 0.5]], dtype=torch.float64)
    kind = FAMILIES[family]
    posteriors = kind(loc, scale[:, 0] if kind is RiemannianNormal else scale, ball)
    figure = draw_disk(loc, c=1.2, posteriors=posteriors)
    curves = lines_of(figure, "posteriors")
    draws = posteriors.sample((4000,), generator=torch.Generator().manual_seed(0)).numpy() * math.sqrt(1.2)
    for k, curve in enumerate(curves):
        share = np.mean([winding(curve - point) for point in draws[:, k]])
        assert abs(share - 0.5) < 4 * math.sqrt(0.25 / 4000) + 0.005, family
    assert any("half of each posterior's mass" in text for text in texts_of(figure))


def winding(curve: NDArray[np.float64]) -> bool:
    """Whether a closed curve goes round the origin."""
    angle = np.unwrap(np.arctan2(curve[:, 1], curve[:, 0]))
    return bool(abs(angle[-1] - angle[0]) > math.pi)


def test_posteriors_on_the_hyperboloid_and_about_the_origin_are_drawn_alike() -> None:
    scale = torch.tensor([[0.3, 0.6]], dtype=torch.float64)
    curves = [
        lines_of(draw_disk([[0.0, 0.0]], posteriors=RoWN(loc, scale, space)), "posteriors")
        for loc, space in (
            (torch.zeros(1, 2, dtype=torch.float64), PoincareBall(2)),
            (None, PoincareBall(2)),
            (torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64), Lorentz(2)),
        )
    ]
    assert np.allclose(curves[0], curves[1], atol=1e-15)
    assert np.allclose(curves[0], curves[2], atol=1e-15)


@pytest.mark.parametrize(
    "options",
    [
        {"title": "short"},
        {
            "title": "A long title about the embedding of a tree " * 4,
            "values": [0, 1, 2, 3],
            "value_label": "depth",
        },
        {"values": [0, 1, 0, 1], "categories": ["a rather long name of a class", "b"], "size": 2.0},
        {"values": [0.0, 1e-7, 1e7, 1.0], "value_label": "something", "zoom": "fit"},
    ],
)
def test_nothing_is_cut_off_and_no_legend_covers_the_disk(options: dict[str, object]) -> None:
    figure = draw_disk(POINTS, **options)  # type: ignore[arg-type]
    box, width, height = covered(figure)
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height
    ax = picture(figure)
    size = float(options.get("size", 6.0))  # type: ignore[arg-type]
    disk = ax.get_window_extent()
    assert abs(disk.width - 150 * size) < 1
    assert abs(disk.height - 150 * size) < 1
    legend = ax.get_legend()
    beside = legend.get_window_extent() if legend is not None else None
    if ax.child_axes:
        beside = bar_of(ax).get_window_extent()
    assert beside is None or beside.x0 >= disk.x1
    if options.get("title"):
        assert ax.title.get_window_extent().width < 1.05 * disk.width


BALL_POSTERIOR = WrappedNormal(torch.zeros(4, 2, dtype=torch.float64), 1.0, PoincareBall(2))


@pytest.mark.parametrize(
    ("points", "options", "error", "message"),
    [
        ([[1.0, 0.0]], {}, DataError, "points: a point is not inside the ball"),
        ([[0.6, 0.0]], {"c": 4.0}, DataError, "not inside the ball.*c = 4"),
        ([[math.nan, 0.0]], {}, DataError, r"points must be finite, got nan at \[0, 0\]"),
        ([[0.0, 0.0, 0.0]], {}, DataError, r"points must have shape \[N, 2\], got \[1, 3\]"),
        ([0.0, 0.0], {}, DataError, r"must have shape \[N, 2\], got \[2\]"),
        (POINTS.astype(complex), {}, DataError, "must be an array of numbers, got complex128"),
        (POINTS, {"edges": [[0], [4]]}, DataError, "edges name point 4, but there are 4 points, counted from 0"),
        (POINTS, {"edges": [[0], [-1]]}, DataError, "edges name point -1"),
        (POINTS, {"edges": [[0, 1, 2]]}, DataError, r"edges must have shape \[2, E\], got \[1, 3\]"),
        (POINTS, {"edges": [[0.5], [1.0]]}, DataError, "edges must hold integers, got float64"),
        (POINTS, {"values": [0, 1]}, DataError, r"values must have shape \[4\], one a point, got \[2\]"),
        (POINTS, {"values": [0, 1, 2, math.inf]}, DataError, r"values must be finite, got inf at \[3\]"),
        (POINTS, {"values": [0, 1, 2, 2], "categories": ["a", "b"]}, DataError, "values must be 0 to 1.*got 2"),
        (
            POINTS,
            {"values": [0, 1, 0.5, 1], "categories": ["a", "b"]},
            DataError,
            r"values must be 0 to 1.*got 0\.5",
        ),
        (POINTS, {"values": [0, 1, -1, 1], "categories": ["a", "b"]}, DataError, "values must be 0 to 1.*got -1"),
        (POINTS, {"categories": ["a"]}, ConfigError, "values are not given"),
        (POINTS, {"values": [0] * 4, "categories": ["a"] * 11}, ConfigError, "1 to 10 names.*got 11"),
        (POINTS, {"values": [0] * 4, "categories": []}, ConfigError, "1 to 10 names.*got 0"),
        (POINTS, {"zoom": "fitt"}, ConfigError, "unknown zoom 'fitt'; did you mean 'fit'"),
        (POINTS, {"c": -1.0}, ConfigError, "c must be a positive finite number"),
        (POINTS, {"size": 0.0}, ConfigError, "size must be from 1 to 50 inches, got 0"),
        (
            POINTS,
            {"c": 0.9, "posteriors": BALL_POSTERIOR},
            ConfigError,
            r"posteriors must be in two dimensions with c = 0.9",
        ),
        (POINTS[:3], {"posteriors": BALL_POSTERIOR}, DataError, r"posteriors must be 3, one a point, got \[4\]"),
        (
            POINTS,
            {"posteriors": WrappedNormal(torch.zeros(4, 2, dtype=torch.float64), 1.0, Euclidean(2))},
            ConfigError,
            r"got Euclidean\(dim=2, c=0\)",
        ),
        (Polar(torch.ones(3), torch.ones(2, 2)), {}, DataError, r"radius \[3\] and direction \[2, 2\] do not fit"),
        (Polar(torch.ones(1), torch.ones(1, 2)), {}, DataError, "a direction has not length 1"),
        (Polar(-torch.ones(1), torch.eye(2)[:1]), {}, DataError, "a radius is negative or not finite"),
        (
            Polar(torch.ones(1), torch.eye(3)[:1]),
            {},
            DataError,
            r"direction must have shape \[N, 2\], got \[1, 3\]",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(
    points: object, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        draw_disk(points, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
