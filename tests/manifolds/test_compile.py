"""Every function and every method becomes one graph, forward and backward, and computes the same."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution

from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar

from .cases import CASES, Case, arguments, polar_arguments
from .points import F64, embed, points, tangents

# Dynamo itself instantiates the autograd function behind elementary.asinh when it traces it.
pytestmark = pytest.mark.filterwarnings("ignore:.*Function.* should not be instantiated:DeprecationWarning")

# What no method of a manifold calls.
BENEATH = [
    "ball.boundary_gap",
    "ball.gyration",
    "lorentz.inner",
    "elementary.sinhc",
    "elementary.norm",
    "polar.vector",
]


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()
    Distribution.set_default_validate_args(True)  # the compiler turns it off for the whole process


def results(function: Callable[..., tuple[Tensor, ...]], inputs: list[Tensor]) -> list[Tensor]:
    """Outputs, and the gradient of a fixed combination of them in every input."""
    inputs = [tensor.clone().requires_grad_() for tensor in inputs]
    outputs = [output for output in function(*inputs) if output.requires_grad]
    loss = sum(
        (output * torch.linspace(0.5, 1.5, output.numel(), dtype=F64).view_as(output)).sum() for output in outputs
    )
    gradients = torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
    return [*(output.detach() for output in outputs), *gradients]


def check(function: Callable[..., tuple[Tensor, ...]], inputs: list[Tensor]) -> None:
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    for value, expected in zip(results(compiled, inputs), results(function, inputs), strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)


def together(cases: list[Case]) -> tuple[Callable[..., tuple[Tensor, ...]], list[Tensor]]:
    """One function that calls all ``cases``: a graph break in any of them breaks it."""
    given = [arguments(case, polar_arguments(1.0, 3, 1.2), 1.2) for case in cases]

    def everything(c: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        rest, outputs = list(tensors), []
        for case, its in zip(cases, given, strict=True):
            outputs.extend(case(*rest[: len(its)], c=c))
            rest = rest[len(its) :]
        return tuple(outputs)

    return everything, [torch.tensor(1.2, dtype=F64), *(tensor for its in given for tensor in its)]


def test_functions_beneath_the_methods_compile_whole_and_agree_with_eager() -> None:
    check(*together([case for case in CASES if case.name in BENEATH]))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_function_compiles_whole_on_its_own(case: Case) -> None:
    check(*together([case]))


def every_method(space: Callable[[Tensor], Manifold]) -> Callable[..., tuple[Tensor, ...]]:
    def call(c: Tensor, x: Tensor, y: Tensor, u: Tensor, w: Tensor) -> tuple[Tensor, ...]:
        manifold = space(c)
        a, b = manifold.to_polar(x), manifold.to_polar(y)
        z = manifold.translate_polar(a, b.opposite())
        outputs = [
            manifold.dist(x, y),
            manifold.dist0(x),
            manifold.expmap(x, u),
            manifold.logmap(x, y),
            manifold.expmap0(w),
            manifold.logmap0(x),
            manifold.transp(x, y, u),
            manifold.transp0(y, w),
            manifold.projx(x),
            *a,
            manifold.from_polar(Polar(a.radius, b.direction)),
            manifold.dist_polar(a, b),
            *z,
            z.vector(),
            manifold.logdetexp(a.radius),
            manifold.dist_to_gyroplanes(x, b.direction, a.radius),
            manifold.dist_to_gyroplanes(a, b.direction, a.radius),
            *manifold.conformal(x),
            *manifold.conformal(a),
            manifold.conformal_dist(a.radius, b.radius),
        ]
        if isinstance(manifold, PoincareBall):
            big = manifold.to_lorentz(x)
            outputs += [manifold.lambda_x(x), manifold.mobius_add(x, y), big, manifold.from_lorentz(big)]
        if isinstance(manifold, Lorentz):
            small = manifold.to_ball(x)
            outputs += [small, manifold.from_ball(small)]
        return tuple(outputs)

    return call


SPACES: dict[str, Callable[[float | Tensor], Manifold]] = {
    "poincare": lambda c: PoincareBall(3, c),
    "lorentz": lambda c: Lorentz(3, c),
    "euclidean": lambda c: Euclidean(3),  # noqa: ARG005
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_methods_compile_whole_and_agree_with_eager(space: Callable[[float | Tensor], Manifold]) -> None:
    manifold = space(1.2)
    x, y = points(manifold, 1.0, 1, count=2), points(manifold, 1.0, 2, count=2)
    w = embed(manifold, points(Euclidean(3), 1.0, 3, count=2))
    check(every_method(space), [torch.tensor(1.2, dtype=F64), x, y, tangents(manifold, x, 4), w])
