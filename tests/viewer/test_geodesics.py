"""Geodesics as rows of points, against the manifold's maps, mpmath and the circle orthogonal to the boundary."""

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import PoincareBall, Polar
from hypgraph.viewer.geodesics import euclidean_arcs, geodesic

CURVATURES = (0.1, 1.0, 1.4, 25.0)


def ball_points(radius: float, angle: float, c: float) -> NDArray[np.float64]:
    """The point at √c·``radius`` from the origin."""
    return math.tanh(radius / 2) / math.sqrt(c) * np.array([math.cos(angle), math.sin(angle)])


def orthogonal_circle(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Centre m and radius of the circle through x and y orthogonal to the unit circle: 2⟨m,x⟩ = 1+‖x‖²."""
    m = np.linalg.solve(2 * np.stack([x, y]), [1 + x @ x, 1 + y @ y])
    return m, math.sqrt(m @ m - 1)


@pytest.mark.parametrize("c", CURVATURES)
@given(st.floats(0, 8), st.floats(0, 8), st.floats(-3.1, 3.1), st.integers(2, 9))
def test_points_are_those_of_the_exponential_of_shares_of_the_logarithm(
    c: float, r: float, s: float, angle: float, n: int
) -> None:
    x, y = ball_points(r, 0.4, c), ball_points(s, 0.4 + angle, c)
    ball = PoincareBall(2, c)
    start, end = torch.from_numpy(x), torch.from_numpy(y)
    share = torch.linspace(0, 1, n, dtype=torch.float64).unsqueeze(-1)
    expected = ball.expmap(start, share * ball.logmap(start, end)).numpy()
    # The oracle starts from one end: an error ε of its direction grows to ε e^d at the other, seen as ε e^(d-s).
    assert np.abs(geodesic(x, y, c=c, n=n) - expected).max() * math.sqrt(c) < 1e-12 + 1e-15 * math.exp(r)


@pytest.mark.parametrize("c", CURVATURES)
@given(st.floats(0, 12), st.floats(0, 12), st.floats(-math.pi, math.pi))
def test_points_lie_at_equal_hyperbolic_distances(c: float, r: float, s: float, angle: float) -> None:
    x, y = ball_points(r, -1.0, c), ball_points(s, angle - 1.0, c)
    ball = PoincareBall(2, c)
    points = torch.from_numpy(geodesic(x, y, c=c, n=12))
    steps = ball.dist(points[1:], points[:-1])
    whole = ball.dist(torch.from_numpy(x), torch.from_numpy(y))
    rounding = 1e-15 * math.exp(max(r, s)) / math.sqrt(c)  # of coordinates near the boundary, seen as a length
    assert (steps - whole / 11).abs().max() < 10 * rounding + 1e-12 / math.sqrt(c)


def test_points_near_the_boundary_agree_with_fifty_digits() -> None:
    # √c‖x‖ differs from 1 by 3e-15 and 2e-13 at the ends.
    with mpmath.workdps(50):
        r, s, angle = mpmath.mpf(34), mpmath.mpf(30), mpmath.mpf("2.4")
        x = [mpmath.cosh(r), mpmath.sinh(r), mpmath.mpf(0)]
        y = [mpmath.cosh(s), mpmath.sinh(s) * mpmath.cos(angle), mpmath.sinh(s) * mpmath.sin(angle)]
        d = mpmath.acosh(x[0] * y[0] - x[1] * y[1] - x[2] * y[2])
        expected = []
        for k in range(65):
            a, b = (mpmath.sinh(t * d) / mpmath.sinh(d) for t in (1 - mpmath.mpf(k) / 64, mpmath.mpf(k) / 64))
            time, *space = (a * p + b * q for p, q in zip(x, y, strict=True))
            expected.append([float(p / (1 + time)) for p in space])
    directions = torch.tensor([[1.0, 0.0], [math.cos(2.4), math.sin(2.4)]], dtype=torch.float64)
    radii = torch.tensor([34.0, 30.0], dtype=torch.float64)
    points = geodesic(Polar(radii[0], directions[0]), Polar(radii[1], directions[1]), n=65)
    assert np.abs(points - np.array(expected)).max() < 1e-14


def test_radii_beyond_all_coordinates_give_a_geodesic_between_points_of_the_boundary() -> None:
    east, north = torch.eye(2, dtype=torch.float64)
    radius = torch.tensor(2000.0, dtype=torch.float64)
    points = geodesic(Polar(radius, east), Polar(radius, north), n=4001)
    assert np.isfinite(points).all()
    # The ideal geodesic from 0 to 90 degrees lies on the unit circle about (1, 1).
    assert np.abs(np.linalg.norm(points - 1.0, axis=-1) - 1).max() < 1e-12
    assert np.abs(points[2000] - (1 - math.sqrt(0.5))).max() < 1e-12


def test_a_geodesic_through_the_origin_is_straight_and_passes_it_at_its_distance() -> None:
    direction = np.array([0.6, 0.8])
    points = geodesic(-math.tanh(1.0) * direction, math.tanh(0.5) * direction, n=4)  # 2 and 1 from the origin
    assert np.abs(points @ [0.8, -0.6]).max() < 1e-16
    expected = [-math.tanh(1.0), -math.tanh(0.5), 0.0, math.tanh(0.5)]
    assert np.abs(points @ direction - expected).max() < 1e-15


@pytest.mark.parametrize("radius", [0.0, 1e-300, 0.3, 20.0, 36.0])
def test_coincident_points_give_that_point(radius: float) -> None:
    x = ball_points(radius, 2.0, 1.0)
    assert np.abs(geodesic(x, x, n=5) - x).max() < 1e-15
    assert np.abs(euclidean_arcs(x[None], x[None], n=5) - x).max() == 0


def test_points_that_nearly_coincide_are_a_straight_segment() -> None:
    x = np.array([0.3, -0.2])
    step = np.array([1e-9, 2e-9])
    points = geodesic(x, x + step, n=3)
    assert np.abs(points - [x, x + step / 2, x + step]).max() < 1e-16


def test_leading_axes_broadcast_and_any_dimension_is_allowed() -> None:
    generator = torch.Generator().manual_seed(0)
    x = 0.3 * torch.randn(4, 1, 5, dtype=torch.float64, generator=generator)
    y = 0.1 * torch.randn(3, 5, dtype=torch.float64, generator=generator)
    points = geodesic(x, y, c=0.5, n=7)
    assert points.shape == (4, 3, 7, 5)
    assert np.allclose(points[2, 1], geodesic(x[2, 0], y[1], c=0.5, n=7), atol=1e-15, rtol=0)


@given(st.floats(0.01, 12), st.floats(0.01, 12), st.floats(0.05, 3.0), st.sampled_from([-1, 1]))
def test_arcs_lie_on_the_circle_orthogonal_to_the_boundary_at_equal_euclidean_steps(
    r: float, s: float, angle: float, side: int
) -> None:
    x, y = ball_points(r, 0.7, 1.0), ball_points(s, 0.7 + side * angle, 1.0)
    (arc,) = euclidean_arcs(x[None], y[None], n=33)
    centre, radius = orthogonal_circle(x, y)
    assert np.abs(np.linalg.norm(arc - centre, axis=-1) / radius - 1).max() < 1e-11
    assert np.linalg.norm(arc, axis=-1).max() < 1
    steps = np.linalg.norm(np.diff(arc, axis=0), axis=-1)
    assert np.ptp(steps) < 1e-9 * steps.max()
    assert np.abs(arc[[0, -1]] - [x, y]).max() < 1e-15


def test_arcs_join_points_of_one_geodesic_as_the_hyperbolic_spacing_does() -> None:
    x, y = np.array([[0.7, 0.1]]), np.array([[-0.2, 0.9]])
    ball = PoincareBall(2)
    arc = torch.from_numpy(euclidean_arcs(x, y, n=9)[0])
    start, end = torch.from_numpy(x[0]), torch.from_numpy(y[0])
    through = ball.dist(start, arc) + ball.dist(arc, end)  # equality in the triangle inequality: between the two
    assert (through - ball.dist(start, end)).abs().max() < 1e-13


def test_arcs_between_neighbours_on_the_boundary_are_half_circles_inward() -> None:
    x, y = ball_points(36.0, 0.0, 1.0), ball_points(36.0, 1e-4, 1.0)
    (arc,) = euclidean_arcs(x[None], y[None], n=3)
    middle = np.array([math.cos(0.5e-4), math.sin(0.5e-4)])
    # tan(45°-h/4) of the ideal geodesic over the angle h, at 1 - h/2 + h²/8 from the origin.
    assert abs(arc[1] @ middle - (1 - 0.5e-4 + 0.125e-8)) < 1e-12


@pytest.mark.parametrize(
    ("x", "y", "options", "error", "message"),
    [
        ([1.0, 0.0], [0.0, 0.0], {}, DataError, r"x: a point is not inside the ball.*c = 1"),
        ([0.0, 0.0], [0.5, 0.0], {"c": 4.0}, DataError, r"y: a point is not inside"),
        ([0.0, math.nan], [0.5, 0.0], {}, DataError, "x: a coordinate is not finite"),
        ([0.0, 0.0], [0.5, 0.0, 0.0], {}, DataError, r"must broadcast, got shapes \[2\] and \[3\]"),
        (0.5, [0.0, 0.0], {}, DataError, "got one number"),
        (["a", "b"], [0.0, 0.0], {}, DataError, "must be an array of numbers"),
        ([[0.0], [0.0, 0.1]], [0.0, 0.0], {}, DataError, "rows of unequal lengths"),
        ([0.0, 0.0], [0.5, 0.0], {"n": 1}, ConfigError, "n must be at least 2"),
        ([0.0, 0.0], [0.5, 0.0], {"c": 0.0}, ConfigError, "c must be a positive finite number"),
        ([0.0, 0.0], [0.5, 0.0], {"c": math.inf}, ConfigError, "c must be a positive finite number"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    x: object, y: object, options: dict[str, float], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        geodesic(x, y, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
