"""Reparameterised gradients against finite differences, with the noise held fixed."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from hypgraph.distributions import WrappedNormal
from hypgraph.manifolds import Manifold, Polar

from .reference import F64, place, seeded, spaces

Functions = dict[str, Callable[[WrappedNormal, WrappedNormal], tuple[Tensor, ...]]]

# q is the distribution drawn from, p another one; every draw starts the generator afresh.
FUNCTIONS: Functions = {
    "coordinates": lambda q, _: (q.rsample((2,), generator=seeded(0)),),
    "polar": lambda q, _: tuple(q.rsample_polar((2,), generator=seeded(0)).about_origin),
    "own density": lambda q, _: (q.log_prob_of(q.rsample_polar((2,), generator=seeded(0))),),
    "density of another draw": lambda q, p: (q.log_prob_of(p.rsample_polar((2,), generator=seeded(0))),),
    "other density of the draw": lambda q, p: (p.log_prob_of(q.rsample_polar((2,), generator=seeded(0))),),
    "density at coordinates": lambda q, p: (q.log_prob(p.rsample((2,), generator=seeded(0))),),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("polar", [True, False], ids=["polar", "coordinates"])
@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_gradients_for_centre_and_scale_are_those_of_finite_differences(
    manifold: Manifold, polar: bool, width: int, name: str
) -> None:
    p = WrappedNormal(place(manifold, torch.tensor([0.3, 0.8, -0.4], dtype=F64)), 0.9, manifold)

    def function(vector: Tensor, scale: Tensor) -> tuple[Tensor, ...]:
        length = vector.norm(dim=-1)
        center = Polar(length, vector / length.unsqueeze(-1))
        q = WrappedNormal(center if polar else manifold.from_polar(center), scale, manifold)
        return FUNCTIONS[name](q, p)

    vector = torch.tensor([[0.5, -0.7, 0.2], [1.5, 0.4, -0.9]], dtype=F64, requires_grad=True)
    scale = torch.tensor([[0.4, 0.7, 0.2], [0.3, 0.5, 0.9]], dtype=F64)[:, :width].requires_grad_()
    assert torch.autograd.gradcheck(function, (vector, scale), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_own_density_does_not_depend_on_the_centre(manifold: Manifold) -> None:
    vector = torch.tensor([0.5, -0.7, 0.2], dtype=F64, requires_grad=True)
    q = WrappedNormal(place(manifold, vector), torch.ones(3, dtype=F64, requires_grad=True), manifold)
    draw = q.rsample_polar(generator=seeded(0))
    assert torch.autograd.grad(draw.value.sum(), vector, retain_graph=True)[0].abs().min() > 0
    (gradient,) = torch.autograd.grad(q.log_prob_of(draw), vector, allow_unused=True)
    assert gradient is None or gradient.abs().max() == 0


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_gradients_are_finite_for_a_centre_at_the_origin_and_at_the_point(manifold: Manifold) -> None:
    origin = torch.zeros(3, dtype=F64, requires_grad=True)
    length = torch.linalg.vector_norm(origin, dim=-1)
    scale = torch.full((3,), 0.5, dtype=F64, requires_grad=True)
    q = WrappedNormal(Polar(length, origin), scale, manifold)
    draw = q.rsample_polar(generator=seeded(0))
    prior = WrappedNormal(None, 1.0, manifold)
    (q.log_prob_of(draw) - prior.log_prob_of(draw) + draw.value.sum() + q.log_prob(q.loc)).backward()
    for gradient in (origin.grad, scale.grad):
        assert gradient is not None
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("manifold", spaces(2)[:2], ids=str)
def test_gradients_are_finite_at_large_radii(manifold: Manifold) -> None:
    radius = torch.tensor([30.0, 300.0, 1500.0], dtype=F64, requires_grad=True)
    direction = torch.tensor([[0.6, 0.8]], dtype=F64).expand(3, 2).clone().requires_grad_()
    scale = torch.full((3, 2), 2.0, dtype=F64, requires_grad=True)
    q = WrappedNormal(Polar(radius, direction), scale, manifold)
    draw = q.rsample_polar(generator=seeded(0))
    (q.log_prob_of(draw) - WrappedNormal(None, 1.0, manifold).log_prob_of(draw)).sum().backward()
    for gradient in (radius.grad, direction.grad, scale.grad):
        assert gradient is not None
        assert torch.isfinite(gradient).all()
    assert radius.grad is not None
    # -log p is r²/2 + √c r - log r + const at these radii, and the radius about the origin follows the centre's.
    slope = draw.about_origin.radius + float(manifold.c) ** 0.5 - 1 / draw.about_origin.radius
    torch.testing.assert_close(radius.grad, slope.detach(), rtol=1e-10, atol=0)
