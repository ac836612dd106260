"""Gradients: right at generic points, finite and right at the origin and at coincident points."""

import math

import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar

from .cases import CASES, Case, arguments, manifold_of, polar_arguments
from .points import F64, directions, embed, origin, points, tangents

each_case = pytest.mark.parametrize("case", CASES, ids=str)


@each_case
@pytest.mark.parametrize("angle", [1e-3, 0.3, 3.0, 10.0])
def test_gradients_agree_with_finite_differences(case: Case, angle: float) -> None:
    """Also in c. Points vary by their radii and directions, and directions by steps of e^-radius, which move a
    point far out as much as a step of its radius does. Outputs are divided by their size.
    """
    c = torch.tensor(1.3, dtype=F64, requires_grad=True)
    polar = polar_arguments(angle, 3, 1.3)
    space = type(manifold_of(case, 3, 1.3))
    named = dict(zip(case.kinds, arguments(case, polar, 1.3), strict=True))
    sizes = [output.detach().abs().max() for output in case(*named.values(), c=1.3)]
    has_points = not {"x", "y"}.isdisjoint(named)
    varied = (polar if has_points else {}) | {kind: value for kind, value in named.items() if kind not in "xy"}
    units = {
        kind: math.exp(-angle) if kind in "ut" else float(value.abs().max()) for kind, value in varied.items()
    }
    if space is Lorentz and "v" in units:
        units["v"] = 1.0  # tangent vectors of length 1 have coordinates as large as e^radius

    def scaled(c: Tensor, *steps: Tensor) -> tuple[Tensor, ...]:
        at = {kind: varied[kind] + units[kind] * step for kind, step in zip(varied, steps, strict=True)}
        if has_points:
            manifold = space(3, c)
            at |= {
                "x": manifold.from_polar(Polar(at["r"], at["u"])),
                "y": manifold.from_polar(Polar(at["s"], at["t"])),
            }
        return tuple(
            output / size for output, size in zip(case(*(at[k] for k in case.kinds), c=c), sizes, strict=True)
        )

    steps = [torch.zeros_like(value, requires_grad=True) for value in varied.values()]
    assert torch.autograd.gradcheck(scaled, (c, *steps), eps=1e-5, atol=2e-5, rtol=1e-4)


SPECIAL = {
    "the origin, twice": {"angle": 0.0},
    "coincident points": {"angle": 1.5, "coincident": True},
    "coincident points far out": {"angle": 12.0, "coincident": True},
    "opposite points": {"angle": 1.5, "opposite": True},
    "one point at the origin": {"angle": 1.5, "second": 0.0},
    "1e-300 from the origin": {"angle": 1e-300},
    "1e-15 from the origin": {"angle": 1e-15},
    "radius 36": {"angle": 36.0},
}


@each_case
@pytest.mark.parametrize("special", SPECIAL, ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_values_and_gradients_are_finite_everywhere(case: Case, special: str, dtype: torch.dtype) -> None:
    setting = SPECIAL[special]
    if special == "radius 36" and dtype == torch.float32:
        setting = {"angle": 15.0}
    for zero_tangent in (False, True):
        given = polar_arguments(setting["angle"], 3, 1.3, second=setting.get("second", 0.8))
        if setting.get("coincident") or setting.get("opposite"):
            given |= {"s": given["r"], "t": given["u"] * (-1 if setting.get("opposite") else 1)}
        if setting["angle"] == 0:
            given |= {"u": 0 * given["u"], "t": 0 * given["t"]}
        if setting["angle"] == 36 and case.name in ("ball.mobius_add", "ball.expmap", "ball.gyration"):
            given |= {"s": 0 * given["s"]}  # x ⊕ y would lie beyond what coordinates hold
        tensors = arguments(case, given, 1.3, length=0.0 if zero_tangent else 0.5)
        inputs = [tensor.to(dtype).requires_grad_() for tensor in tensors]
        c = torch.tensor(1.3, dtype=dtype, requires_grad=True)
        outputs = case(*inputs, c=c)
        assert all(torch.isfinite(output).all() for output in outputs)
        for output in outputs:
            gradients = torch.autograd.grad(output.sum(), [c, *inputs], retain_graph=True, allow_unused=True)
            for gradient in gradients:
                assert gradient is None or torch.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_dist_has_zero_gradient_at_coincident_points(dtype: torch.dtype) -> None:
    for manifold in (PoincareBall(3, 1.2), Lorentz(3, 1.2), Euclidean(3)):
        for base in (points(manifold, 3.0, 1).to(dtype), origin(manifold, dtype)):
            x, y = base.clone().requires_grad_(), base.clone().requires_grad_()
            value = manifold.dist(x, y)
            assert not value.any()
            value.sum().backward()
            for tensor in (x, y):
                assert tensor.grad.abs().max() == 0
        zero = torch.zeros(manifold.dim, dtype=dtype, requires_grad=True)
        manifold.dist0(manifold.expmap0(embed(manifold, zero))).backward()
        assert not zero.grad.any()


def jacobian_in_frame(manifold: Manifold, function, x: Tensor, at: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
    """Jacobian of ``function`` at ``at`` along the columns of a basis of the tangent space at ``x``."""
    full = torch.autograd.functional.jacobian(function, at)
    return full @ basis(manifold, x)


def basis(manifold: Manifold, x: Tensor) -> Tensor:
    """Columns: the coordinate frame of the ball, tangent vectors with free space coordinates on the sheet."""
    if not isinstance(manifold, Lorentz):
        return torch.eye(manifold.dim, dtype=F64)
    return torch.cat([(x[1:] / x[0]).unsqueeze(0), torch.eye(manifold.dim, dtype=F64)])


@pytest.mark.parametrize("manifold", [PoincareBall(3, 0.7), Lorentz(3, 0.7), Euclidean(3)], ids=str)
@pytest.mark.parametrize("radius", [0.0, 1e-300, 0.8, 5.0])
def test_exponential_and_logarithm_have_the_identity_for_a_derivative_where_nothing_moves(
    manifold: Manifold, radius: float
) -> None:
    x = manifold.from_polar(Polar(torch.tensor(radius, dtype=F64), directions(1, 3, 3)[0]))
    zero = torch.zeros(manifold.ambient_dim, dtype=F64)
    frame = basis(manifold, x)
    tolerance = 1e-14 * math.exp(2 * radius)

    def is_identity(jacobian: Tensor, expected: Tensor = frame) -> None:
        torch.testing.assert_close(jacobian, expected, rtol=tolerance, atol=tolerance)

    is_identity(jacobian_in_frame(manifold, lambda u: manifold.expmap(x, u), x, zero))
    is_identity(jacobian_in_frame(manifold, lambda y: manifold.logmap(x, y), x, x))
    # log_x(y) = y - x to first order, and exp_x(0) = x.
    is_identity(jacobian_in_frame(manifold, lambda y: manifold.logmap(y, x), x, x), -frame)
    is_identity(jacobian_in_frame(manifold, lambda y: manifold.expmap(y, zero), x, x))

    base = origin(manifold)
    at_origin = basis(manifold, base)
    is_identity(jacobian_in_frame(manifold, manifold.expmap0, base, zero), at_origin)
    is_identity(jacobian_in_frame(manifold, manifold.logmap0, base, base), at_origin)


@pytest.mark.parametrize("space", [PoincareBall, Lorentz])
def test_gradient_in_c_flows_through_the_class(space: type[PoincareBall | Lorentz]) -> None:
    c = torch.tensor(0.9, dtype=F64, requires_grad=True)
    manifold, fixed = space(2, c), space(2, 0.9)
    x, y = points(fixed, 2.0, 1), points(fixed, 2.0, 2)
    polar_x, polar_y = fixed.to_polar(x), fixed.to_polar(y)
    v = tangents(fixed, x, 3)
    for output in (
        manifold.dist(x, y),
        manifold.dist0(x),
        manifold.expmap(x, v),
        manifold.logmap(x, y),
        manifold.transp(x, y, v),
        manifold.transp0(y, embed(fixed, polar_x.direction)),
        manifold.dist_polar(polar_x, polar_y),
        manifold.translate_polar(polar_x, polar_y).radius,
        manifold.from_polar(polar_x),
        manifold.to_polar(x).radius,
        manifold.logdetexp(polar_x.radius),
        manifold.dist_to_gyroplanes(x, polar_y.direction, polar_y.radius),
    ):
        (gradient,) = torch.autograd.grad(output.square().sum(), c)
        assert torch.isfinite(gradient)
        assert gradient != 0


@pytest.mark.parametrize("angle", [100.0, 300.0, 3000.0])
def test_polar_gradients_stay_right_at_any_radius(angle: float) -> None:
    """Far out d = r₁ + r₂ + 2 log(‖u₁-u₂‖/2), whose gradients are 1, 1 and 2(u₁-u₂)/‖u₁-u₂‖²."""
    u, v = directions(2, 3, 5)
    inputs = [torch.tensor(angle, dtype=F64), u, torch.tensor(0.7 * angle, dtype=F64), v]
    inputs = [tensor.requires_grad_() for tensor in inputs]
    distance = PoincareBall(3).dist_polar(Polar(*inputs[:2]), Polar(*inputs[2:]))
    slopes = torch.autograd.grad(distance, inputs)
    pull = 2 * (u - v) / (u - v).square().sum()
    for slope, expected in zip(slopes, (1.0, pull, 1.0, -pull), strict=True):
        torch.testing.assert_close(slope, torch.as_tensor(expected, dtype=F64).detach(), rtol=1e-12, atol=1e-12)
    same_ray = PoincareBall(3).dist_polar(Polar(*inputs[:2]), Polar(inputs[2], inputs[1]))
    slopes = torch.autograd.grad(same_ray, [inputs[0], inputs[2]])
    torch.testing.assert_close(torch.stack(slopes), torch.tensor([1.0, -1.0], dtype=F64), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("angle", [1.0, 100.0, 300.0, 3000.0])
def test_gradients_of_translation_are_finite_at_any_radius(angle: float) -> None:
    """Also where the two cancel, in part or wholly, and where either is nothing."""
    u, v = directions(2, 3, 6)
    radius = torch.tensor(angle, dtype=F64)
    for second in (v, u, -u):
        for share in (0.0, 0.3, 1.0 - 1e-3, 1.0, 1.5):
            for first, other in ((radius, share * radius), (share * radius, radius)):
                inputs = [tensor.clone().requires_grad_() for tensor in (first, u, other, second)]
                end = PoincareBall(3).translate_polar(Polar(*inputs[:2]), Polar(*inputs[2:]))
                assert torch.isfinite(end.radius)
                assert torch.isfinite(end.direction).all()
                for output in (end.radius, end.direction.sum()):
                    for slope in torch.autograd.grad(output, inputs, retain_graph=True):
                        assert torch.isfinite(slope).all()


@pytest.mark.parametrize("angle", [0.5, 6.0, 20.0])
def test_the_end_of_a_translation_moves_as_its_distances_to_fixed_points_do(angle: float) -> None:
    """The gradient by hand against the gradient of the exponential map in coordinates, through distances."""
    ball = PoincareBall(3, 1.3)
    u, v, w = directions(3, 3, 8)
    inputs = [torch.tensor(angle * 0.3, dtype=F64), u, torch.tensor(angle * 0.2, dtype=F64), v]
    inputs = [tensor.requires_grad_() for tensor in inputs]
    x, step = Polar(*inputs[:2]), Polar(*inputs[2:])
    target = Polar(torch.tensor(1.0, dtype=F64), w)
    by_hand = ball.dist_polar(ball.translate_polar(x, step), target)
    start = ball.from_polar(x)
    end = ball.expmap(start, ball.transp0(start, step.vector() / 2))
    through_coordinates = ball.dist(end, ball.from_polar(target))
    torch.testing.assert_close(by_hand, through_coordinates, rtol=1e-11, atol=0.0)
    slopes = torch.autograd.grad(by_hand, inputs)
    expected = torch.autograd.grad(through_coordinates, inputs)
    for k, (slope, wanted) in enumerate(zip(slopes, expected, strict=True)):
        if k in (1, 3):  # directions move on the sphere; what happens off it is a matter of definition
            unit = inputs[k].detach()
            slope, wanted = (g - (g * unit).sum() * unit for g in (slope, wanted))
        torch.testing.assert_close(slope, wanted, rtol=1e-9, atol=1e-9 * math.exp(0.5 * angle))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_very_long_tangent_vectors_go_to_the_boundary_with_a_finite_gradient(dtype: torch.dtype) -> None:
    for length in (1e2, 1e4, 1e6):
        ball = PoincareBall(2, 1.2)
        x = torch.tensor([0.3, -0.2], dtype=dtype, requires_grad=True)
        u = torch.tensor([0.6, 0.8], dtype=dtype).mul(length).requires_grad_()
        end = ball.expmap(x, u)
        torch.testing.assert_close(end.norm().item(), 1.2**-0.5, rtol=4 * torch.finfo(dtype).eps, atol=0.0)
        for output in (end, ball.expmap0(u)):
            for slope in torch.autograd.grad(output.sum(), [x, u], allow_unused=True, materialize_grads=True):
                assert torch.isfinite(slope).all()
