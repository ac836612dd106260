"""Adam on hyperbolic space, for points in polar coordinates."""

import torch
from torch import Tensor

from hypgraph.hierarchy.placement import LARGEST_RADIUS
from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional.polar import gyration_polar, translate_polar

__all__ = ["PolarAdam"]


class PolarAdam:
    """Riemannian Adam (Bécigneul and Ganea 2019, arXiv 1810.00760) with exact geodesic steps; curvature -1.

    A point moves to x ⊕ s for the step s in the frame that is carried to x from the origin. The mean of the
    gradients is carried along by parallel transport: from x to y that is the rotation gyr[y, ⊖x] of the frames.
    The mean of their squares is one number a point, as no axis of a frame is better than another. Steps past the
    radius :data:`LARGEST_RADIUS` end there.

    Args:
        points: radius ``[N]``, direction ``[N, d]``, the start.
        betas: how much of the means is kept a step.

    Attributes:
        points: where they are now.
    """

    def __init__(self, points: Polar, *, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self.points = points
        self._betas = betas
        self._mean = torch.zeros_like(points.direction)
        self._square = torch.zeros_like(points.radius)
        self._steps = 0

    def step(self, gradient: Tensor, length: float) -> None:
        """Move against ``gradient [N, d]``, frame vectors; by ``length`` or so, at most by three times that."""
        first, second = self._betas
        self._steps += 1
        self._mean.mul_(first).add_(gradient, alpha=1 - first)
        self._square.mul_(second).add_(gradient.square().sum(1), alpha=1 - second)
        mean = self._mean / (1 - first**self._steps)
        size = (self._square / (1 - second**self._steps)).sqrt()
        move = mean / torch.where(size > 0, size, 1.0)[:, None]
        move *= length / (move.norm(dim=1, keepdim=True) / 3).clamp(min=1.0)
        self._move(Polar.of(-move))

    def _move(self, step: Polar) -> None:
        before = self.points
        after = translate_polar(before, step, c=1.0)
        # The rounding of a unit vector grows from step to step unless it is divided out.
        direction = after.direction / after.direction.norm(dim=1, keepdim=True)
        self._mean = gyration_polar(after, before.opposite(), self._mean, c=1.0)
        self.points = Polar(after.radius.clamp(max=LARGEST_RADIUS), direction)
