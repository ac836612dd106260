"""The picture of the Euclidean plane."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hypgraph.distributions import WrappedNormal
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import Euclidean, PoincareBall
from hypgraph.viewer import draw_plane
from tests.viewer.pictures import covered, lines_of, picture, pixels, places

POINTS = np.array([[0.0, 0.0], [30.0, 1.0], [-3.0, 6.0]])


def test_points_lie_at_their_coordinates_and_edges_are_straight() -> None:
    figure = draw_plane(POINTS, edges=[[0, 2], [1, 0]])
    assert sorted(places(figure).tolist()) == sorted(POINTS.tolist())
    assert lines_of(figure, "edges").tolist() == [POINTS[[0, 1]].tolist(), POINTS[[0, 2]].tolist()]


@pytest.mark.parametrize("points", [POINTS, POINTS[:, ::-1], 1e-6 * POINTS, POINTS[:1], np.zeros((0, 2))])
def test_a_unit_is_as_long_upward_as_sideways_and_all_points_are_inside(points: NDArray[np.float64]) -> None:
    figure = draw_plane(points, values=np.arange(len(points)) / 7, value_label="seventh", title="a title")
    box, width, height = covered(figure)
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height
    ax = picture(figure)
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    assert ax.get_aspect() == 1
    extent = ax.get_window_extent()
    assert np.isclose(extent.width / (high - low)[0], extent.height / (high - low)[1], rtol=2e-3)
    assert abs(max(extent.width, extent.height) - 900) < 1
    assert min(extent.width, extent.height) > 350
    assert ((points > low) & (points < high)).all()


def test_a_posterior_is_the_ellipse_that_holds_half_of_a_normal_distribution() -> None:
    scale = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    loc = torch.tensor([[3.0, -1.0]], dtype=torch.float64)
    (curve,) = lines_of(draw_plane(loc, posteriors=WrappedNormal(loc, scale, Euclidean(2))), "posteriors")
    # The median of a chi-squared of two degrees of freedom is 2 log 2.
    assert np.allclose((((curve - [3.0, -1.0]) / [1.0, 2.0]) ** 2).sum(-1), 2 * np.log(2), rtol=1e-12)


def test_ten_thousand_points_in_classes_can_be_drawn() -> None:
    points = np.random.default_rng(0).normal(size=(10_000, 2))
    figure = draw_plane(points, values=np.arange(10_000) % 10, categories=[str(k) for k in range(10)])
    colours = np.unique(pixels(figure).reshape(-1, 3), axis=0)
    assert len(colours) > 100


@pytest.mark.parametrize(
    ("points", "options", "error", "message"),
    [
        ([[np.inf, 0.0]], {}, DataError, "points must be finite, got inf"),
        (np.zeros((2, 3)), {}, DataError, r"points must have shape \[N, 2\], got \[2, 3\]"),
        (POINTS, {"edges": [[0], [3]]}, DataError, "edges name point 3"),
        (POINTS, {"size": np.nan}, ConfigError, "size must be from 1 to 50 inches"),
        (
            POINTS,
            {"posteriors": WrappedNormal(torch.zeros(3, 2, dtype=torch.float64), 1.0, PoincareBall(2))},
            ConfigError,
            "c = 0 as the points, got PoincareBall",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(
    points: object, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        draw_plane(points, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
