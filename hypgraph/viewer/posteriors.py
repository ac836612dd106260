"""Where the mass of posteriors lies, as curves."""

import math

import torch

from hypgraph.distributions import CenteredDistribution, RiemannianNormal, WrappedNormal
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional.elementary import norm, unit

__all__ = ["check_posteriors", "mass_curves"]


def check_posteriors(posteriors: CenteredDistribution, *, count: int, c: float) -> None:
    """Whether there is one posterior a point, on a surface of curvature -c (0: the plane).

    Raises:
        ConfigError: if they lie in another space.
        DataError: if there are more or fewer of them than points.
    """
    manifold = posteriors.manifold
    if manifold.dim != 2 or not math.isclose(manifold.c_value, c, rel_tol=1e-9):
        raise ConfigError(f"posteriors must be in two dimensions with c = {c:g} as the points, got {manifold}")
    if posteriors.batch_shape != (count,):
        raise DataError(f"posteriors must be {count}, one a point, got {list(posteriors.batch_shape)}")


@torch.no_grad()
def mass_curves(posteriors: CenteredDistribution, *, share: float = 0.5, n: int = 73) -> Polar:
    """For each posterior the closed curve within which ``share`` of its mass lies, about the origin.

    A geodesic circle where one scale holds for all directions; else the image, under the exponential map, of the
    ellipse with that share of the normal distribution in the tangent plane.

    Args:
        posteriors: in two dimensions, batch shape ``[N]``.
        share: between 0 and 1.
        n: points of a curve, the last of them the first.

    Returns:
        radius ``[N, n]``, direction ``[N, n, 2]``.
    """
    angle = torch.linspace(0, 2 * math.pi, n, dtype=torch.float64)
    circle = torch.stack([angle.cos(), angle.sin()], dim=-1).unsqueeze(1)
    circle = circle.to(posteriors.scale)  # [n, 1, 2], for the batch to follow
    if isinstance(posteriors, RiemannianNormal):
        length = posteriors.radius.icdf(torch.tensor(share).to(posteriors.scale))
        vector = length.unsqueeze(-1) * circle
    elif isinstance(posteriors, WrappedNormal):
        vector = posteriors._from_axes(math.sqrt(-2 * math.log1p(-share)) * posteriors.scale * circle)
    else:
        raise ConfigError(f"posteriors of the family {type(posteriors).__name__} cannot be drawn")
    vector = vector.expand(n, *posteriors.batch_shape, 2)
    curve = Polar(norm(vector), unit(vector))
    if posteriors.center is not None:
        curve = posteriors.manifold.translate_polar(posteriors.center, curve)
    return Polar(*(part.transpose(0, 1).double().cpu() for part in curve))
