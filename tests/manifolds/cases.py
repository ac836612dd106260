"""Every function of the package's geometry with arguments for it, for the tests that treat all alike."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hypgraph.manifolds import Lorentz, Manifold, PoincareBall, Polar
from hypgraph.manifolds.functional import ball, elementary, lorentz, polar

from .points import directions, embed, tangents

Outputs = Tensor | tuple[Tensor, ...]


@dataclass(frozen=True)
class Case:
    """A function of tensors and ``c``; ``kinds`` says what each tensor is (see :func:`arguments`)."""

    name: str
    function: Callable[..., Outputs]
    kinds: str

    def __str__(self) -> str:
        return self.name

    @property
    def model(self) -> str:
        return self.name.partition(".")[0]

    def __call__(self, *tensors: Tensor, c: float | Tensor) -> tuple[Tensor, ...]:
        result = self.function(*tensors, c=c)
        return (result,) if isinstance(result, Tensor) else tuple(result)


# x, y: points; v: tangent at x; w: tangent at the origin; r, u and s, t: radius and direction of two polar points.
CASES = [
    Case("ball.boundary_gap", ball.boundary_gap, "x"),
    Case("ball.lambda_x", ball.lambda_x, "x"),
    Case("ball.dist", ball.dist, "xy"),
    Case("ball.dist0", ball.dist0, "x"),
    Case("ball.mobius_add", ball.mobius_add, "xy"),
    Case("ball.gyration", ball.gyration, "xyv"),
    Case("ball.expmap", ball.expmap, "xv"),
    Case("ball.logmap", ball.logmap, "xy"),
    Case("ball.expmap0", ball.expmap0, "w"),
    Case("ball.logmap0", ball.logmap0, "x"),
    Case("ball.transp", ball.transp, "xyv"),
    Case("ball.transp0", ball.transp0, "yw"),
    Case("ball.to_polar", ball.to_polar, "x"),
    Case("ball.from_polar", lambda r, u, *, c: ball.from_polar(Polar(r, u), c=c), "ru"),
    Case("ball.projx", ball.projx, "x"),
    Case("lorentz.inner", lambda x, y, *, c: c * lorentz.inner(x, y), "xy"),
    Case("lorentz.dist", lorentz.dist, "xy"),
    Case("lorentz.dist0", lorentz.dist0, "x"),
    Case("lorentz.expmap", lorentz.expmap, "xv"),
    Case("lorentz.logmap", lorentz.logmap, "xy"),
    Case("lorentz.expmap0", lorentz.expmap0, "w"),
    Case("lorentz.logmap0", lorentz.logmap0, "x"),
    Case("lorentz.transp", lorentz.transp, "xyv"),
    Case("lorentz.transp0", lorentz.transp0, "yw"),
    Case("lorentz.to_polar", lorentz.to_polar, "x"),
    Case("lorentz.from_polar", lambda r, u, *, c: lorentz.from_polar(Polar(r, u), c=c), "ru"),
    Case("lorentz.to_ball", lorentz.to_ball, "x"),
    Case("lorentz.from_ball", lambda r, u, *, c: lorentz.from_ball(ball.from_polar(Polar(r, u), c=c), c=c), "ru"),
    Case("lorentz.projx", lorentz.projx, "x"),
    Case("polar.dist_polar", lambda r, u, s, t, *, c: polar.dist_polar(Polar(r, u), Polar(s, t), c=c), "rust"),
    Case(
        "polar.translate_polar",
        lambda r, u, s, t, *, c: polar.translate_polar(Polar(r, u), Polar(s, t), c=c),
        "rust",
    ),
    Case("polar.opposite", lambda r, u, *, c: Polar(c * r, u).opposite(), "ru"),
    Case("polar.vector", lambda r, u, *, c: Polar(c * r, u).vector(), "ru"),
    Case("elementary.norm", lambda w, *, c: c * elementary.norm(w), "w"),
    Case("elementary.unit", lambda w, *, c: c * elementary.unit(w), "w"),
    Case("elementary.sinhc", lambda r, *, c: elementary.sinhc(c * r), "r"),
    Case("elementary.tanhc", lambda r, *, c: elementary.tanhc(c * r), "r"),
    Case("elementary.asinh", lambda r, *, c: elementary.asinh(c * r), "r"),
    Case("elementary.log_sinhc", lambda r, *, c: elementary.log_sinhc(c * r), "r"),
]


def manifold_of(case: Case, dim: int, c: float) -> Manifold:
    return Lorentz(dim, c) if case.model == "lorentz" else PoincareBall(dim, c)


def polar_arguments(
    angle: float, dim: int, c: float, *, count: int = 2, second: float = 0.8, seed: int = 1
) -> dict[str, Tensor]:
    """Generic polar points: the parameters from which :func:`arguments` computes coordinates."""
    r = torch.linspace(0.7, 1.0, count, dtype=torch.float64) * angle / c**0.5
    return {"r": r, "u": directions(count, dim, seed), "s": second * r, "t": directions(count, dim, seed + 1)}


def arguments(case: Case, given: dict[str, Tensor], c: float, *, length: float = 0.9) -> list[Tensor]:
    """The tensors that ``case.kinds`` asks for, from the two polar points ``given``."""
    manifold = manifold_of(case, given["u"].shape[-1], c)
    x = manifold.from_polar(Polar(given["r"], given["u"]))
    y = manifold.from_polar(Polar(given["s"], given["t"]))
    return [
        {
            "x": x,
            "y": y,
            "v": tangents(manifold, x, 7, length=length / c**0.5),
            "w": embed(manifold, length / c**0.5 * given["t"]),
            **given,
        }[kind].detach()
        for kind in case.kinds
    ]
