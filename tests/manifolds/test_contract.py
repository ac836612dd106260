"""What the classes promise beside the mathematics: names, errors, checks and learnable curvature."""

import math
from typing import Any

import pytest
import torch

from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import MANIFOLDS, Euclidean, Lorentz, Manifold, PoincareBall, Polar

from .points import F64, points


@pytest.fixture
def _every_warning() -> Any:
    """torch says some things once a process; here it says them each time."""
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


def test_manifolds_are_found_by_their_names() -> None:
    assert set(MANIFOLDS) == {"poincare", "lorentz", "euclidean"}
    for name, make in MANIFOLDS.items():
        manifold = make(3, 0.5)
        assert manifold.name == name
        assert manifold.dim == 3
        assert manifold.c == (0.0 if name == "euclidean" else 0.5)
    assert {type(make(2, 1.0)) for make in MANIFOLDS.values()} == {PoincareBall, Lorentz, Euclidean}


def test_ambient_dim_counts_the_coordinates() -> None:
    assert [PoincareBall(4).ambient_dim, Lorentz(4).ambient_dim, Euclidean(4).ambient_dim] == [4, 5, 4]


def test_curvature_defaults_to_one_and_is_kept() -> None:
    assert PoincareBall(2).c == Lorentz(2).c == 1.0
    assert PoincareBall(2, 3).c == 3.0
    c = torch.tensor(0.3)
    assert Lorentz(2, c).c is c


@pytest.mark.parametrize("make", MANIFOLDS.values(), ids=MANIFOLDS)
@pytest.mark.parametrize("dim", [0, -1, 2.0, "2", None])
def test_a_bad_dimension_is_a_configuration_error(make: Any, dim: Any) -> None:
    with pytest.raises(ConfigError, match="dim must be an integer of at least 1") as caught:
        make(dim, 1.0)
    assert str(dim) in str(caught.value)


@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
@pytest.mark.parametrize("c", [0.0, -1.0, math.nan, math.inf, -math.inf, 0])
def test_a_bad_curvature_is_a_configuration_error(space: type[Manifold], c: float) -> None:
    with pytest.raises(ConfigError, match="c must be a positive finite number") as caught:
        space(2, c)
    assert str(c) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("_every_warning")
@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
def test_a_learnable_curvature_can_be_shown_and_checked_without_a_warning(space: type[Manifold]) -> None:
    c = torch.tensor(0.25, dtype=F64, requires_grad=True)
    manifold = space(2, c)
    assert repr(manifold) == f"{space.__name__}(dim=2, c=0.25)"
    good = manifold.from_polar(Polar(torch.tensor(1.0, dtype=F64), torch.tensor([0.6, 0.8], dtype=F64)))
    assert manifold.check_point(good) is None
    assert manifold.check_point(torch.full_like(good, 3.0)) is not None
    assert manifold.projx(torch.full_like(good, 3.0)).requires_grad
    assert float(torch.as_tensor(manifold.max_radius(F64)).detach()) > 36


def test_repr_names_dimension_and_curvature() -> None:
    assert [repr(m) for m in (PoincareBall(2, 0.5), Lorentz(3), Euclidean(4))] == [
        "PoincareBall(dim=2, c=0.5)",
        "Lorentz(dim=3, c=1)",
        "Euclidean(dim=4, c=0)",
    ]


@pytest.mark.parametrize("manifold", [PoincareBall(2, 1.3), Lorentz(2, 1.3), Euclidean(2)], ids=str)
def test_check_point_accepts_points_and_names_what_is_wrong(manifold: Manifold) -> None:
    x = points(manifold, 5.0, 1)
    assert manifold.check_point(x) is None
    assert manifold.check_point(x.float().double() if not isinstance(manifold, Lorentz) else x) is None
    assert manifold.check_point(x[:0]) is None
    for bad in (math.nan, math.inf):
        broken = x.clone()
        broken[3, 1] = bad
        assert manifold.check_point(broken) == "a coordinate is not finite"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_check_point_of_the_ball_says_how_far_outside(dtype: torch.dtype) -> None:
    for c in (0.01, 1.0, 1.4, 10.0):
        manifold = PoincareBall(2, c)
        x = torch.tensor([[0.1, 0.0], [0.0, 1.5]], dtype=dtype) / c**0.5
        reason = manifold.check_point(x)
        assert reason is not None
        start, _, rest = reason.partition(" = ")
        assert start == "a point is not inside the ball: √c‖x‖"
        assert float(rest.partition(",")[0]) == pytest.approx(1.5, rel=1e-6)
    assert PoincareBall(2).check_point((1 + 1e-10) * torch.tensor([0.6, 0.8], dtype=F64)) is not None
    assert PoincareBall(2).check_point((1 - 1e-10) * torch.tensor([0.6, 0.8], dtype=F64)) is None
    assert PoincareBall(1).check_point(torch.ones(1, dtype=dtype)) is not None
    below = torch.nextafter(torch.ones(1, dtype=dtype), torch.zeros(1, dtype=dtype))
    assert PoincareBall(1).check_point(below) is None


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_check_point_of_the_hyperboloid_notices_points_off_the_sheet(dtype: torch.dtype) -> None:
    for c in (0.01, 1.0, 1.4, 10.0):
        manifold = Lorentz(3, c)
        x = manifold.from_polar(manifold.to_polar(points(manifold, 12.0, 1).to(dtype)))
        x = manifold.projx(x)
        assert manifold.check_point(x) is None
        for factor in (1 + 24 * torch.finfo(dtype).eps, 0.5, -1.0):
            off = x.clone()
            off[4, 0] *= factor
            reason = manifold.check_point(off)
            assert reason is not None
            assert reason.startswith("a point is off the sheet")
            assert "\n" not in reason
