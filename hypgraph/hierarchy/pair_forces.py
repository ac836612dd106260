"""Distances between some nodes and all nodes, and what a loss of these distances does to the points.

A loss of all N² distances is a pass over blocks of rows that fit into a core's cache. Differentiated by hand it
takes a fraction of the passes that recording it would, and no N×N matrix is kept. Here the curvature is -1.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from hypgraph.manifolds import Polar

__all__ = ["Block", "PairForces", "pair_squares"]

# A radius below this is taken for this: the origin has no direction, and moves like its surroundings.
SMALLEST_RADIUS = 1e-9
# Numbers in a block of rows: a few arrays of it stay in the cache of a core.
NUMBERS_A_BLOCK = 1 << 16
# sinh² of half a distance that stands for "no pair": its softmax weight is zero.
NO_PAIR = 1e200
# Below this, sinh² of half a distance is rounding.
SMALLEST_SQUARE = 1e-30


class Block(NamedTuple):
    """The pairs of some nodes with all nodes, ``[B, N]`` each.

    Attributes:
        half: half the distance.
        sinh: sinh of the distance.
        apart: sinh r_i · sinh r_k · (‖u_i - u_k‖/2)², the part of sinh²(d/2) that comes from the directions.
    """

    half: Tensor
    sinh: Tensor
    apart: Tensor


class PairForces:
    """The points as the passes over pairs need them, and the gradient as these passes add to it.

    For cosh d = cosh(r_i-r_k) + 2 · apart, the gradient of d(x_i,x_k) in the frame at x_i, which is carried there
    from the origin, has

        along u_i:    ( sinh(r_i-r_k) + 2 coth(r_i) · apart ) / sinh d
        across u_i:   - sinh(r_k) (u_k - ⟨u_k,u_i⟩ u_i) / sinh d

    so sums over k of it are products of matrices: of F = (∂loss/∂d_ik)/sinh d with e^±r_k, sinh(r_k) u_k and
    sinh r_k, and of F · apart with ones. None of the sums cancels more than the distances themselves.

    Args:
        points: radius ``[N]`` (curvature -1), direction ``[N, d]``.
    """

    def __init__(self, points: Polar) -> None:
        radius = points.radius.clamp(min=SMALLEST_RADIUS)
        self.direction = points.direction
        self.radius, self.sinh = radius, torch.sinh(radius)
        self._grow, self._decay = torch.exp(radius), torch.exp(-radius)
        root = torch.exp(radius / 2)
        self._gap_rows = torch.stack([root / 2, -1 / (2 * root)], 1)
        self._gap_columns = torch.stack([1 / root, root], 0)
        self._root_sinh = self.sinh.sqrt()
        if points.direction.shape[1] == 2:
            half = _half_angle(points.direction) * self._root_sinh[:, None]
            self._turn_rows = half
            self._turn_columns = torch.stack([-half[:, 1], half[:, 0]], 0)
        self._columns = torch.cat(
            [self._decay[:, None], self._grow[:, None], self.sinh[:, None], self.sinh[:, None] * self.direction], 1
        )
        count, dim = points.direction.shape
        self._sums = torch.zeros(count, dim + 4, dtype=radius.dtype)  # of columns, and of apart
        self._radial = torch.zeros_like(radius)
        self._across = torch.zeros_like(self.direction)

    def block(self, rows: Tensor | slice, absent: Tensor) -> Block:
        """The pairs of ``rows`` with all nodes; ``absent`` are those, numbered row by row, that do not count."""
        gap = torch.mm(self._gap_rows[rows], self._gap_columns)  # sinh((r_i-r_k)/2)
        if self.direction.shape[1] == 2:
            apart = torch.mm(self._turn_rows[rows], self._turn_columns).square_()
        else:
            apart = torch.cdist(
                self.direction[rows], self.direction, compute_mode="donot_use_mm_for_euclid_dist"
            ).square_()
            apart.mul_(self.sinh[rows, None] / 4).mul_(self.sinh)
        square = torch.addcmul(apart, gap, gap, out=gap).clamp_(min=SMALLEST_SQUARE)
        square.view(-1).index_fill_(0, absent, NO_PAIR)
        cosh = (square + 1).sqrt_()
        root = square.sqrt_()
        half = (root + cosh).log_()
        return Block(half, root.mul_(cosh).mul_(2), apart)

    def add_block(self, rows: Tensor | slice, slope: Tensor, apart: Tensor) -> None:
        """Add the forces of pairs: ``slope [B, N]`` is (∂loss/∂d)/sinh d; both arrays may be overwritten."""
        apart.mul_(slope)
        self._sums[rows, :-1] += slope @ self._columns
        self._sums[rows, -1] += apart.sum(1)
        self._sums[:, :-1].addmm_(slope.mT, self._columns[rows])
        self._sums[:, -1] += apart.sum(0)

    def add_pairs(self, pairs: Tensor, slope: Tensor, apart: Tensor) -> None:
        """Add the forces of single pairs ``pairs [2, P]``; see :meth:`add_block`."""
        for here, there in (pairs, pairs.flip(0)):
            along = slope * torch.sinh(self.radius[here] - self.radius[there])
            along += 2 * slope * apart / torch.tanh(self.radius[here])
            self._radial.index_add_(0, here, along)
            pull = (slope * self.sinh[there])[:, None] * (self.direction[there] - self.direction[here])
            self._across.index_add_(0, here, pull)

    def gradient(self) -> Tensor:
        """What has been added, ``[N, d]``: frame vectors at the points, carried there from the origin."""
        decay, grow, total, apart = self._sums[:, 0], self._sums[:, 1], self._sums[:, 2], self._sums[:, -1]
        radial = (self._grow * decay - self._decay * grow) / 2 + 2 * apart / torch.tanh(self.radius) + self._radial
        across = self._sums[:, 3:-1] - total[:, None] * self.direction + self._across
        along = radial + (across * self.direction).sum(1)
        return along[:, None] * self.direction - across


def pair_squares(points: Polar, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """sinh²(d/2) of single pairs ``pairs [2, P]``, and the part of it that comes from the directions."""
    radius = points.radius.clamp(min=SMALLEST_RADIUS)
    first, second = pairs
    apart = (points.direction[first] - points.direction[second]).square().sum(1) / 4
    apart *= torch.sinh(radius[first]) * torch.sinh(radius[second])
    square = torch.sinh((radius[first] - radius[second]) / 2).square() + apart
    return square.clamp(min=SMALLEST_SQUARE), apart


def _half_angle(direction: Tensor) -> Tensor:
    """(cos θ/2, sin θ/2) of unit vectors (cos θ, sin θ), each to relative precision: no angle is computed."""
    x, y = direction.unbind(-1)
    large = ((1 + x.abs()) / 2).sqrt()
    small = y / (2 * large)
    ahead = x >= 0
    turned = torch.where(y < 0, -1.0, 1.0)
    return torch.stack([torch.where(ahead, large, small.abs()), torch.where(ahead, small, turned * large)], -1)
