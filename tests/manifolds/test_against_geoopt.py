"""geoopt, an independent implementation, inside its reach (float64, small radii)."""

import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Lorentz, PoincareBall

from .points import F64, embed, points, tangents


def close(value: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_poincare_ball_agrees_with_geoopt(dim: int, c: float) -> None:
    import geoopt

    ours, theirs = PoincareBall(dim, c), geoopt.PoincareBall(c=torch.tensor(c, dtype=F64))
    x, y = points(ours, 3.0, 1), points(ours, 3.0, 2)
    u = tangents(ours, x, 3)
    close(ours.dist(x, y), theirs.dist(x, y))
    close(ours.dist0(x), theirs.dist0(x))
    close(ours.expmap(x, u), theirs.expmap(x, u))
    close(ours.logmap(x, y), theirs.logmap(x, y))
    close(ours.expmap0(u), theirs.expmap0(u))
    close(ours.logmap0(x), theirs.logmap0(x))
    close(ours.transp(x, y, u), theirs.transp(x, y, u))
    close(ours.transp0(y, u), theirs.transp0(y, u))
    close(ours.mobius_add(x, y), theirs.mobius_add(x, y))
    close(ours.lambda_x(x), theirs.lambda_x(x))


@pytest.mark.parametrize("c", [0.1, 1.0, 1.4])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_lorentz_agrees_with_geoopt(dim: int, c: float) -> None:
    import geoopt

    ours, theirs = Lorentz(dim, c), geoopt.Lorentz(k=torch.tensor(1 / c, dtype=F64))
    x, y = points(ours, 2.0, 1), points(ours, 2.0, 2)
    u = tangents(ours, x, 3)
    at_origin = embed(ours, u[..., 1:])
    close(ours.dist(x, y), theirs.dist(x, y))
    close(ours.dist0(x), theirs.dist0(x))
    close(ours.expmap(x, u), theirs.expmap(x, u))
    close(ours.logmap(x, y), theirs.logmap(x, y))
    close(ours.expmap0(at_origin), theirs.expmap0(at_origin))
    close(ours.logmap0(x), theirs.logmap0(x))
    close(ours.transp(x, y, u), theirs.transp(x, y, u))
    close(ours.transp0(y, at_origin), theirs.transp0(y, at_origin))
    close(ours.projx(x + 0.1), theirs.projx(x + 0.1))
