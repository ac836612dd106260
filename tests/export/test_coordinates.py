"""Coordinates of the exports against their formulas at 50 digits, and at the edge of what float64 holds."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch

from hypgraph.exceptions import ConfigError, RunError
from hypgraph.export import COORDINATES, Embeddings, locate
from hypgraph.manifolds import MANIFOLDS, Polar
from tests.export.examples import embeddings, points

RADII = [0.0, 1e-9, 0.3, 2.0, 9.0, 17.5, 25.0, 35.9]


def oracle(name: str, radius: float, direction: np.ndarray, c: float) -> list[mpmath.mpf]:
    """The formulas of the textbooks, in 50 digits."""
    with mpmath.workdps(50):
        root, r, u = mpmath.sqrt(c), mpmath.mpf(radius), [mpmath.mpf(x) for x in direction.tolist()]
        match name:
            case "ball":
                return [mpmath.tanh(root * r / 2) / root * x for x in u]
            case "klein":
                return [mpmath.tanh(root * r) / root * x for x in u]
            case "tangent":
                return [r * x for x in u]
            case "lorentz":
                return [mpmath.cosh(root * r) / root, *(mpmath.sinh(root * r) / root * x for x in u)]
            case "polar":
                return [r, *u]
    raise AssertionError(name)


@pytest.mark.parametrize("c", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("name", COORDINATES)
def test_coordinates_agree_with_their_formulas_to_the_last_digits(name: str, c: float) -> None:
    reach = {"klein": 17.5, "ball": 35.9}.get(name, 300.0)
    radius, direction = points([r / c**0.5 for r in [*RADII, 300.0] if r <= reach])
    given = embeddings(range(len(radius)), c=c, radius=radius, exact=True)
    found = locate(given, name)
    vectors = found.vectors()
    for row, (r, u) in enumerate(zip(radius, direction, strict=True)):
        for value, exact in zip(vectors[row].tolist(), oracle(name, r, u, c), strict=True):
            assert abs(value - exact) <= abs(exact) * 2e-15 * max(1.0, r * c**0.5), (name, r)
    assert np.array_equal(found.radius, radius)
    assert found.notes == () or name in ("polar", "tangent", "lorentz")  # of the ball at 300


def test_points_of_a_hierarchy_keep_their_distances_in_lorentz_tangent_and_polar_coordinates() -> None:
    """At √c·radius 36 ball coordinates have lost every digit of a distance."""
    radius, direction = points([36.0, 36.0, 20.0], dim=2)
    direction[1] = [np.cos(1e-9), np.sin(1e-9)]
    direction[0] = [1.0, 0.0]
    center = Polar(torch.from_numpy(radius), torch.from_numpy(direction))
    loc = MANIFOLDS["poincare"](2, 1.0).from_polar(center).numpy()
    given = Embeddings(np.arange(3), loc, np.zeros((3, 2)), 1.0, "poincare", center)
    with mpmath.workdps(60):
        versine = 1 - mpmath.cos(mpmath.mpf(1e-9))
        exact = float(mpmath.acosh(1 + mpmath.sinh(36) ** 2 * versine))
    polar = Polar(*(torch.from_numpy(locate(given, "polar").parts[part]) for part in Polar._fields))
    tangent = Polar.of(torch.from_numpy(locate(given, "tangent").vectors()))
    sheet = MANIFOLDS["lorentz"](2, 1.0).to_polar(torch.from_numpy(locate(given, "lorentz").vectors()))
    for back in (polar, tangent, sheet):
        assert back.radius.tolist() == pytest.approx([36.0, 36.0, 20.0], rel=1e-15)
        x, y = (Polar(back.radius[k], back.direction[k]) for k in (0, 1))
        assert MANIFOLDS["poincare"](2, 1.0).dist_polar(x, y).item() == pytest.approx(exact, rel=1e-9)


def test_a_run_on_the_hyperboloid_has_the_ball_coordinates_of_the_same_points() -> None:
    ball, sheet = (embeddings(range(5), manifold=name, dim=4, c=2.0) for name in ("poincare", "lorentz"))
    assert np.allclose(locate(sheet, "ball").vectors(), ball.loc, rtol=1e-13, atol=1e-15)
    assert np.allclose(locate(ball, "lorentz").vectors(), sheet.loc, rtol=1e-13, atol=1e-15)
    assert list(locate(sheet, "ball").parts) == ["ball"]


@pytest.mark.parametrize(("manifold", "own"), [("poincare", "ball"), ("lorentz", "lorentz"), ("euclidean", None)])
@pytest.mark.parametrize("exact", [True, False])
def test_the_own_coordinates_are_the_default_and_pass_untouched(
    manifold: str, own: str | None, exact: bool
) -> None:
    given = embeddings(manifold=manifold, exact=exact)
    given = replace(given, loc=given.loc.astype(np.float32))
    for coords in {None, own}:
        found = locate(given, coords)
        assert found.own
        assert list(found.parts) == ["loc"]
        assert found.parts["loc"].dtype == np.float32
        assert np.array_equal(found.parts["loc"], given.loc)
        assert found.notes == ()


def test_a_flat_space_has_its_own_coordinates_only() -> None:
    for name in COORDINATES:
        with pytest.raises(ConfigError, match=f"--coords {name}.*Euclidean.*leave out"):
            locate(embeddings(manifold="euclidean"), name)


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="unknown coordinates 'kleni'; did you mean 'klein'"):
        locate(embeddings(), "kleni")


def test_the_angle_of_two_dimensions_is_that_of_the_direction() -> None:
    given = embeddings(range(50), dim=2, exact=True)
    parts = locate(given, "polar").parts
    assert list(parts) == ["radius", "direction", "angle"]
    turned = np.stack([np.cos(parts["angle"]), np.sin(parts["angle"])], axis=1)
    assert np.allclose(turned, parts["direction"], atol=1e-15)
    assert locate(given, "polar").vectors().shape == (50, 3)  # without the angle
    assert "angle" not in locate(embeddings(dim=3), "polar").parts


def strictly_inside(x: np.ndarray, c: float) -> bool:
    """c‖x‖² < 1, in exact arithmetic."""
    return all(sum(Fraction(v) ** 2 for v in row) * Fraction(c) < 1 for row in x.tolist())


@pytest.mark.parametrize("c", [0.37, 1.0, 123.4])
@pytest.mark.parametrize("dim", [1, 2, 16, 1000])
@pytest.mark.parametrize(("name", "reach"), [("ball", 36.0), ("klein", 18.0)])
def test_no_point_is_written_on_the_boundary_and_those_moved_are_counted(
    name: str, reach: float, dim: int, c: float
) -> None:
    angles = np.concatenate([np.linspace(reach - 3, reach + 3, 41), [37.0, 300.0, 5000.0]])
    given = embeddings(range(len(angles)), manifold="lorentz", dim=dim, c=c, radius=[1.0] * len(angles))
    radius, direction = points(angles / c**0.5, dim=dim)
    given = replace(given, center=Polar(torch.from_numpy(radius), torch.from_numpy(direction)))
    found = locate(given, name)
    assert strictly_inside(found.vectors(), c)
    beyond = int((radius * c**0.5 > reach * (1 + 1e-12)).sum())
    assert beyond > 20
    (note,) = found.notes
    assert f"{beyond} of {len(angles)} nodes" in note
    assert name in note
    assert f"{reach:g}" in note
    assert "--coords polar" in note
    moved = angles > reach
    for row in np.flatnonzero(moved):
        cosine = found.vectors()[row] @ direction[row] / np.linalg.norm(found.vectors()[row])
        assert cosine == pytest.approx(1, abs=1e-12)
    assert locate(given.take(np.flatnonzero(angles < reach - 0.1)), name).notes == ()
    assert locate(given, "polar").notes == locate(given, "tangent").notes == ()
    assert np.array_equal(locate(given, "polar").parts["radius"], radius)


def test_lorentz_coordinates_are_finite_at_any_radius_and_say_where_they_stop() -> None:
    found = locate(embeddings(c=0.01, radius=[1.0, 6990.0, 9000.0], exact=True), "lorentz")
    assert np.isfinite(found.vectors()).all()
    assert [note[:12] for note in found.notes] == ["1 of 3 nodes"]
    assert "overflow" in found.notes[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ball_coordinates_of_the_run_that_rounded_to_the_boundary_are_pulled_in_and_counted(dtype: type) -> None:
    given = embeddings(["a", "b", "c"], c=1.0, radius=[1.0, 40.0, 50.0], exact=True)
    given = replace(given, loc=given.loc.astype(dtype))
    found = locate(given)
    assert strictly_inside(found.parts["loc"], 1.0)
    assert np.array_equal(found.parts["loc"][0], given.loc[0])
    assert found.parts["loc"].dtype == dtype
    (note,) = found.notes
    assert note.startswith("2 of 3 nodes")
    assert ("36" if dtype == np.float64 else "15") in note
    assert np.array_equal(found.radius, [1.0, 40.0, 50.0])
    assert locate(given, "tangent").notes == ()  # the exact centres were not moved


def test_points_on_the_boundary_whose_radius_is_not_known_are_pulled_in_and_counted() -> None:
    given = embeddings(["a", "b", "c", "d"], dim=2, c=4.0)
    given.loc[1:3] = [[0.5, 0.0], [0.0, -0.6]]
    for coords in (None, "tangent", "polar", "lorentz"):
        found = locate(given, coords)
        assert np.isfinite(found.vectors()).all()
        (note,) = found.notes
        assert note.startswith("2 of 4 nodes")
        assert "exact" not in note
        assert found.radius[1:3].tolist() == pytest.approx([18.0, 18.0], abs=0.5)
    assert strictly_inside(locate(given).vectors(), 4.0)


def test_coordinates_that_are_no_numbers_are_refused() -> None:
    given = embeddings()
    given.loc[1, 0] = np.nan
    for name in (None, "tangent"):
        with pytest.raises(RunError, match=r"1 of 3 nodes.*not finite"):
            locate(given, name)


def test_centres_whose_lorentz_coordinates_have_overflowed_are_still_known_exactly() -> None:
    given = embeddings(manifold="lorentz", radius=[1.0, 900.0, 2.0], c=1.0, exact=True)
    assert not np.isfinite(given.loc).all()
    assert locate(given, "polar").parts["radius"].tolist() == [1.0, 900.0, 2.0]
    with pytest.raises(RunError, match=r"1 of 3 nodes"):
        locate(given)


@pytest.mark.parametrize(("name", "reach"), [("ball", 36.0), ("klein", 18.0)])
def test_a_direction_that_rounding_has_made_longer_than_one_does_not_reach_the_boundary(
    name: str, reach: float
) -> None:
    """In a thousand dimensions this happens to one point in a thousand."""
    given = embeddings(["a"], manifold="lorentz", dim=2, c=1.0, radius=[1.0])
    direction = torch.tensor([[1 + 2**-51, 0.0]], dtype=torch.float64)
    given = replace(given, center=Polar(torch.tensor([reach], dtype=torch.float64), direction))
    assert np.tanh(18.0) * (1 + 2**-51) == 1
    found = locate(given, name)
    assert strictly_inside(found.vectors(), 1.0)
    assert found.vectors() == pytest.approx(np.array([[1.0, 0.0]]), abs=1e-14)
    assert found.notes == ()
