"""Shapes, types, devices and extreme arguments."""

import math

import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.manifolds.functional import ball

from .cases import CASES, Case, arguments, polar_arguments
from .points import CURVATURES, DIMENSIONS, F64, directions, embed, origin, points, tangents

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_manifold = pytest.mark.parametrize(
    "manifold", [space for d in (1, 3) for space in (PoincareBall(d, 1.2), Lorentz(d, 1.2), Euclidean(d))], ids=str
)


@each_case
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_dtype_is_preserved(case: Case, dtype: torch.dtype) -> None:
    tensors = [t.to(dtype) for t in arguments(case, polar_arguments(1.0, 3, 1.2), 1.2)]
    for c in (1.2, 2, torch.tensor(1.2, dtype=dtype)):
        assert {output.dtype for output in case(*tensors, c=c)} == {dtype}


@each_case
def test_device_is_preserved_and_values_are_not_looked_at(case: Case) -> None:
    """On the meta device there are no values: a function that asks for one, or makes a tensor elsewhere, fails."""
    here = arguments(case, polar_arguments(1.0, 3, 1.2), 1.2)
    for output, expected in zip(case(*(t.to("meta") for t in here), c=1.2), case(*here, c=1.2), strict=True):
        assert output.device.type == "meta"
        assert output.shape == expected.shape


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_computes_the_same() -> None:
    for case in CASES:
        here = arguments(case, polar_arguments(1.0, 3, 1.2), 1.2)
        for output, expected in zip(case(*(t.cuda() for t in here), c=1.2), case(*here, c=1.2), strict=True):
            assert output.is_cuda
            torch.testing.assert_close(output.cpu(), expected, rtol=1e-12, atol=1e-12)


@each_case
def test_an_empty_batch_and_a_single_point_are_allowed(case: Case) -> None:
    batch = arguments(case, polar_arguments(1.0, 3, 1.2, count=4), 1.2)
    whole = case(*batch, c=1.2)
    for output, expected in zip(case(*(t[:0] for t in batch), c=1.2), whole, strict=True):
        assert output.shape == (0, *expected.shape[1:])
    for index in (0, 3):
        for output, expected in zip(case(*(t[index] for t in batch), c=1.2), whole, strict=True):
            torch.testing.assert_close(output, expected[index], rtol=1e-14, atol=1e-15)


@each_case
@pytest.mark.parametrize("dim", DIMENSIONS)
def test_leading_axes_broadcast(case: Case, dim: int) -> None:
    batch = arguments(case, polar_arguments(1.0, dim, 1.2, count=3), 1.2)
    if len(case.kinds) == 1 or case.kinds == "ru":
        stacked = [torch.stack([t, t.flip(0)]) for t in batch]
        expected = [torch.stack([o, o.flip(0)]) for o in case(*batch, c=1.2)]
    else:
        second = "yst"
        stacked = [
            (t.unsqueeze(0) if kind in second else t.unsqueeze(1))
            for kind, t in zip(case.kinds, batch, strict=True)
        ]
        pairs = [
            case(*(t[j if kind in second else i] for kind, t in zip(case.kinds, batch, strict=True)), c=1.2)
            for i in range(3)
            for j in range(3)
        ]
        expected = [torch.stack(outputs).reshape(3, 3, *outputs[0].shape) for outputs in zip(*pairs, strict=True)]
        if "y" not in case.kinds and "s" not in case.kinds:
            expected = [output[:, :1] for output in expected]
    for output, wanted in zip(case(*stacked, c=1.2), expected, strict=True):
        torch.testing.assert_close(output, wanted, rtol=1e-13, atol=1e-14)


@each_manifold
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_every_method_keeps_dtype_and_shape(manifold: Manifold, dtype: torch.dtype) -> None:
    x, y = points(manifold, 1.0, 1).to(dtype), points(manifold, 1.0, 2).to(dtype)
    u = tangents(manifold, x, 3).to(dtype)
    at_origin = embed(manifold, u[..., -manifold.dim :])
    a, b = manifold.to_polar(x), manifold.to_polar(y)
    scalars = [
        manifold.dist(x, y),
        manifold.dist0(x),
        manifold.dist_polar(a, b),
        a.radius,
        manifold.logdetexp(a.radius),
    ]
    vectors = [
        manifold.expmap(x, u),
        manifold.logmap(x, y),
        manifold.expmap0(at_origin),
        manifold.logmap0(x),
        manifold.transp(x, y, u),
        manifold.transp0(y, at_origin),
        manifold.projx(x),
        manifold.from_polar(a),
    ]
    z = manifold.translate_polar(a, b)
    planes = manifold.dist_to_gyroplanes(x, b.direction[:5], b.radius[:5])
    assert planes.shape == (12, 5)
    assert planes.dtype == dtype
    assert all(s.shape == (12,) and s.dtype == dtype for s in [*scalars, z.radius])
    assert all(v.shape == (12, manifold.ambient_dim) and v.dtype == dtype for v in vectors)
    assert all(v.shape == (12, manifold.dim) and v.dtype == dtype for v in (a.direction, z.direction))


@each_manifold
@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-15, 1e-8])
def test_tiny_vectors_go_to_the_manifold_and_back(manifold: Manifold, size: float) -> None:
    u = embed(manifold, size * directions(4, manifold.dim, 1))
    x = manifold.expmap0(u)
    torch.testing.assert_close(manifold.logmap0(x), u, rtol=1e-14, atol=0.0)
    assert manifold.check_point(x) is None
    if size != 1e-300:  # whose square underflows
        factor = 2 if isinstance(manifold, PoincareBall) else 1
        torch.testing.assert_close(manifold.dist0(x), factor * u.norm(dim=-1), rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_coordinates_hold_every_radius_up_to_max_radius(dim: int, dtype: torch.dtype) -> None:
    for c in CURVATURES:
        for manifold in (PoincareBall(dim, c), Lorentz(dim, c)):
            largest = manifold.max_radius(dtype)
            radius = largest * torch.linspace(0, 1, 37, dtype=F64)
            x = manifold.from_polar(Polar(radius.to(dtype), directions(37, dim, 5).to(dtype)))
            assert torch.isfinite(x).all()
            assert isinstance(manifold, Lorentz) or manifold.check_point(x) is None
            assert torch.isfinite(manifold.dist0(x)).all()
            assert torch.isfinite(manifold.dist(x.unsqueeze(0), x.unsqueeze(1))).all()
            if isinstance(manifold, PoincareBall):
                safe = radius <= largest * (30 / 36 if dtype == F64 else 13 / 15)
                torch.testing.assert_close(manifold.dist0(x)[safe].double(), radius[safe], rtol=5e-3, atol=1e-4)
            else:
                torch.testing.assert_close(manifold.dist0(x).double(), radius, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_projx_of_the_ball_moves_only_what_coordinates_cannot_hold(dim: int, dtype: torch.dtype) -> None:
    for c in CURVATURES:
        manifold = PoincareBall(dim, c)
        u = directions(1, dim, 6)[0].to(dtype)
        inside = torch.stack([fraction * u / c**0.5 for fraction in (0.0, 0.3, 0.9, 0.999, 0.999999)])
        assert torch.equal(manifold.projx(inside), inside)
        outside = torch.stack([factor * u / c**0.5 for factor in (1.0, 1.0000001, 1.5, 1e6)]).requires_grad_()
        moved = manifold.projx(outside)
        assert manifold.check_point(moved) is None
        torch.testing.assert_close(manifold.projx(moved), moved, rtol=2 * torch.finfo(dtype).eps, atol=0.0)
        # Nothing but the length changes, and that to what max_radius says.
        torch.testing.assert_close(
            moved / moved.norm(dim=-1, keepdim=True), u.expand(4, dim), rtol=0.0, atol=4 * torch.finfo(dtype).eps
        )
        largest = float(manifold.max_radius(dtype))
        assert (manifold.dist0(moved) >= 0.93 * largest).all()
        assert (manifold.dist0(moved) <= 1.07 * largest).all()
        manifold.dist0(moved).sum().backward()
        assert torch.isfinite(outside.grad).all()
    zero = torch.zeros(dim, dtype=dtype, requires_grad=True)
    PoincareBall(dim).projx(zero).sum().backward()
    assert torch.equal(zero.grad, torch.ones(dim, dtype=dtype))


def test_projx_of_the_hyperboloid_recomputes_time_and_keeps_space() -> None:
    for c in CURVATURES:
        manifold = Lorentz(3, c)
        space = torch.tensor([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0]], dtype=F64)
        x = torch.cat([torch.tensor([[7.0], [-1.0]], dtype=F64), space], dim=-1).requires_grad_()
        moved = manifold.projx(x)
        expected = torch.tensor([[c**-0.5], [(1 / c + 9) ** 0.5]], dtype=F64)
        torch.testing.assert_close(moved, torch.cat([expected, space], dim=-1), rtol=1e-15, atol=0.0)
        moved.sum().backward()
        assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("dim", [2, 5])
def test_a_point_outside_the_ball_is_not_pulled_in_silently(dim: int) -> None:
    for dtype in (torch.float64, torch.float32):
        for c in CURVATURES:
            manifold = PoincareBall(dim, c)
            inside = 0.5 * directions(1, dim, 7)[0].to(dtype) / c**0.5
            for factor in (1.0001, 2.0, 1e3):
                outside = factor * directions(1, dim, 8)[0].to(dtype) / c**0.5
                for value in (
                    manifold.dist(outside, inside),
                    manifold.dist(inside, outside),
                    manifold.dist0(outside),
                    manifold.logmap0(outside),
                    manifold.logmap(inside, outside),
                    manifold.logmap(outside, inside),
                    manifold.to_polar(outside).radius,
                ):
                    assert torch.isnan(value).all()
                assert (manifold.lambda_x(outside) < 0).all()


def test_the_boundary_is_infinitely_far_away() -> None:
    edge = torch.tensor([1.0, 0.0], dtype=F64)
    assert PoincareBall(2).dist0(edge) == math.inf
    assert PoincareBall(2).dist(edge, torch.zeros(2, dtype=F64)) == math.inf


def test_nan_goes_in_and_comes_out() -> None:
    for manifold in (PoincareBall(2), Lorentz(2), Euclidean(2)):
        x = torch.full((manifold.ambient_dim,), math.nan, dtype=F64)
        base = origin(manifold)
        assert manifold.dist(x, base).isnan()
        assert manifold.dist0(x).isnan()
        assert manifold.expmap(x, base).isnan().all()
        assert manifold.logmap(base, x).isnan().any()
        assert manifold.dist_polar(Polar(x[0], x[-2:]), manifold.to_polar(base)).isnan()
        assert manifold.projx(x).isnan().any()


def test_max_radius_is_what_ball_coordinates_hold_in_both_models() -> None:
    for c in CURVATURES:
        for dtype, largest in ((torch.float64, 36.0), (torch.float32, 15.0)):
            assert float(ball.max_radius(dtype, c=c)) == pytest.approx(largest / c**0.5)
            for manifold in (PoincareBall(2, c), Lorentz(2, c)):
                assert float(manifold.max_radius(dtype)) == pytest.approx(largest / c**0.5)
                end = Polar(
                    torch.tensor(manifold.max_radius(dtype), dtype=dtype), torch.tensor([0.6, 0.8], dtype=dtype)
                )
                assert torch.isfinite(manifold.from_polar(end).square().sum())


def test_max_radius_of_flat_space_is_where_squares_overflow() -> None:
    flat = Euclidean(2)
    for dtype in (torch.float32, torch.float64):
        x: Tensor = torch.tensor([0.99 * flat.max_radius(dtype), 0.0], dtype=dtype)
        assert torch.isfinite(flat.dist0(x))
        assert torch.isfinite(x.square().sum())
