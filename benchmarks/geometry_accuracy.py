"""How exact are the distances? Prints a markdown table of worst errors against mpmath on the same rounded points.

python benchmarks/geometry_accuracy.py [--pairs 3]

Every row is the worst over c, dimension and kind of pair (random, opposite, nearly coincident, on one ray, one at
the origin). The bound of the ball's row is the conditioning limit 4εd + ε e^(√c r)/√c of its coordinates; errors
above it would be the formula's own.
"""

import argparse
import math
from collections.abc import Iterator

import mpmath as mp
import torch
from torch import Tensor

from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional import ball
from hypgraph.manifolds.functional.polar import dist_polar

CURVATURES = (0.01, 0.1, 1.0, 1.2, 1.4, 10.0)
DIMENSIONS = (1, 2, 5, 16)
BALL_RADII = (1e-3, 1.0, 4.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 34.0)
POLAR_RADII = (1e-3, 1.0, 12.0, 34.0, 100.0, 300.0, 1000.0, 3000.0)
EPS = torch.finfo(torch.float64).eps


def exact(x: Tensor) -> list[mp.mpf]:
    return [mp.mpf(float(entry)) for entry in x]


def exact_ball_dist(x: Tensor, y: Tensor, c: float) -> mp.mpf:
    """cosh(√c d) = 1 + 2c‖x-y‖²/((1-c‖x‖²)(1-c‖y‖²)), by asinh of its half angle."""
    a, b, k = exact(x), exact(y), mp.mpf(c)
    square = mp.fsum((p - q) ** 2 for p, q in zip(a, b, strict=True))
    gaps = (1 - k * mp.fsum(p**2 for p in a)) * (1 - k * mp.fsum(q**2 for q in b))
    return 2 * mp.asinh(mp.sqrt(k * square / gaps)) / mp.sqrt(k)


def exact_polar_dist(x: Polar, y: Polar, c: float) -> mp.mpf:
    """The hyperbolic law of cosines, the angle read from the chord."""
    k = mp.mpf(c)
    a, b = mp.sqrt(k) * mp.mpf(x.radius.item()), mp.sqrt(k) * mp.mpf(y.radius.item())
    chord = mp.fsum((p - q) ** 2 for p, q in zip(exact(x.direction), exact(y.direction), strict=True))
    return mp.acosh(mp.cosh(a) * mp.cosh(b) - mp.sinh(a) * mp.sinh(b) * (1 - chord / 2)) / mp.sqrt(k)


def directions(count: int, dim: int, generator: torch.Generator) -> Tensor:
    x = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    return x / x.norm(dim=-1, keepdim=True)


def pairs(angle: float, dim: int, c: float, generator: torch.Generator) -> Iterator[tuple[Polar, Polar]]:
    u, v, w = directions(3, dim, generator)
    radius = torch.tensor(angle / c**0.5, dtype=torch.float64)
    for direction in (v, -u, *(u + gap * w for gap in (1e-2, 1e-6))):
        direction = direction / direction.norm()
        yield Polar(radius, u), Polar(radius, direction)
        yield Polar(radius, u), Polar(0.9 * radius, direction)
    yield Polar(radius, u), Polar((1 - 1e-9) * radius, u)
    yield Polar(radius, u), Polar(0.0 * radius, v)


def ball_row(angle: float, count: int, generator: torch.Generator) -> str:
    """The worst errors of one radius: relative and as a share of the bound, in both precisions and for geoopt."""
    import geoopt

    worst = dict.fromkeys(("float64", "share", "float32", "geoopt"), 0.0)
    mp.mp.dps = 80
    for c in CURVATURES:
        theirs = geoopt.PoincareBall(c=torch.tensor(c, dtype=torch.float64))
        for dim in DIMENSIONS:
            for _ in range(count):
                for first, second in pairs(angle, dim, c, generator):
                    x, y = ball.from_polar(first, c=c), ball.from_polar(second, c=c)
                    truth = exact_ball_dist(x, y, c)
                    if truth == 0:
                        continue
                    error = abs(mp.mpf(ball.dist(x, y, c=c).item()) - truth)
                    bound = 4 * EPS * truth + EPS * math.exp(angle) / c**0.5
                    worst["float64"] = max(worst["float64"], float(error / truth))
                    worst["share"] = max(worst["share"], float(error / bound))
                    other = mp.mpf(theirs.dist(x, y).item())
                    worst["geoopt"] = max(worst["geoopt"], float(abs(other - truth) / truth))
                    if angle <= 15:
                        x, y = x.float(), y.float()
                        truth = exact_ball_dist(x, y, c)
                        if truth > 0:
                            error = abs(mp.mpf(ball.dist(x, y, c=c).item()) - truth)
                            worst["float32"] = max(worst["float32"], float(error / truth))
    single = f"{worst['float32']:.1e}" if angle <= 15 else "–"
    return f"| {angle:g} | {worst['float64']:.1e} | {worst['share']:.2g} | {single} | {worst['geoopt']:.1e} |"


def polar_row(angle: float, count: int, generator: torch.Generator) -> str:
    worst = 0.0
    mp.mp.dps = 120 + int(2 * angle / math.log(10))
    for c in CURVATURES:
        for dim in DIMENSIONS:
            for _ in range(count if angle <= 300 else 1):
                for x, y in pairs(angle, dim, c, generator):
                    truth = exact_polar_dist(x, y, c)
                    value = dist_polar(x, y, c=c).item()
                    if abs(truth) > 1e-30:  # else coincident: what mpmath leaves of a zero
                        worst = max(worst, float(abs(mp.mpf(value) - truth) / truth))
    return f"| {angle:g} | {worst:.1e} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pairs", type=int, default=3, help="draws for every radius, c, dimension and kind of pair"
    )
    count = parser.parse_args().pairs
    generator = torch.Generator().manual_seed(0)
    print("Distance from ball coordinates: worst relative error\n")
    print("| √c·radius | float64 | share of the bound | float32 | geoopt, float64 |\n|---|---|---|---|---|")
    for angle in BALL_RADII:
        print(ball_row(angle, count, generator), flush=True)
    print("\nDistance from polar coordinates, float64: worst relative error\n")
    print("| √c·radius | float64 |\n|---|---|")
    for angle in POLAR_RADII:
        print(polar_row(angle, count, generator), flush=True)


if __name__ == "__main__":
    main()
