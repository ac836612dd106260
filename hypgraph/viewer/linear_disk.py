"""Points of the hyperbolic plane with radii as long as they are, for what would lie on the rim of the disk."""

import math
from typing import TYPE_CHECKING, NamedTuple, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.exceptions import DataError
from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional.elementary import unit
from hypgraph.manifolds.functional.polar import dist_polar
from hypgraph.viewer.arrays import as_polar
from hypgraph.viewer.disk import View, add_ring_labels
from hypgraph.viewer.figures import new_axes
from hypgraph.viewer.geodesics import check_curvature, log_weight
from hypgraph.viewer.marks import CURVES_NOTE, MarkOptions, Marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_linear_disk", "polar_geodesics"]

_WHOLE = 1.06  # half the side of the picture, where the farthest point is at 1
_MOST_CIRCLES = 6
_INNER_WEIGHT = 0.05


def draw_linear_disk(
    points: Polar,
    *,
    c: float = 1.0,
    spread: bool = False,
    about: str = "the origin",
    **options: Unpack[MarkOptions],
) -> "Figure":
    """Points of the hyperbolic plane in polar coordinates: the geodesic radius as a length, and the angle.

    This is the native picture of Krioukov et al. 2010 (arXiv 1006.5169), not the Poincaré disk, where all that
    lies beyond √c·radius = 7.6 is within a thousandth of the rim. Radii and angles at the centre are true; lengths
    across the rays are far larger than they look. Edges are geodesics under the same map. The words below the
    picture say that it is not the disk.

    Angles shrink with e^(-√c·radius): the subtrees of a tree with long edges all seem to lie on a few rays. With
    ``spread`` the angles keep their order alone, and leaves are equally far apart around the centre, as in a
    dendrogram.

    Args:
        points: radius ``[N]`` and direction ``[N, 2]``, at any radius.
        c: minus the sectional curvature.
        spread: replace each angle by its rank among those of the points, where a point that is the end of one
            edge at most counts in full and others count a twentieth.
        about: what is at the centre, for the words below the picture.
        options: as for :func:`hypgraph.viewer.draw_disk`, see :class:`~hypgraph.viewer.marks.MarkOptions`.

    Raises:
        ConfigError: for an option that is not allowed.
        DataError: for data that do not fit the points.
    """
    check_curvature(c)
    points = as_polar("points", points)
    if points.direction.ndim != 2 or points.direction.shape[1] != 2:
        raise DataError(f"points.direction must have shape [N, 2], got {list(points.direction.shape)}")
    marks = Marks.of(len(points.radius), c=c, **options)
    pairs = None if marks.pairs is None else torch.from_numpy(marks.pairs)
    seen = points.radius if marks.curves is None else torch.cat([points.radius, marks.curves.radius.flatten()])
    farthest = float(seen.max()) if len(seen) and float(seen.max()) > 0 else 1.0
    turned = _Spread.of(points, pairs) if spread else None
    where, lines, curves = _on_paper(points, farthest, turned), None, None
    if pairs is not None:
        ends = (Polar(points.radius[end], points.direction[end]) for end in pairs.T)
        lines = _on_paper(polar_geodesics(*ends, c=c, n=49 if len(pairs) <= 5000 else 17), farthest, turned)
    if marks.curves is not None:
        curves = _on_paper(marks.curves, farthest, turned)
    figure, ax = new_axes()
    marks.add(ax, where, lines, curves)
    how = "radii drawn as long as they are" + (", angles spread in their order" if spread else "")
    notes = [f"{how}: not the Poincaré disk", *([CURVES_NOTE] if curves is not None else [])]
    _add_ground(ax, where, farthest, [f"c = {c:g}   ·   circles: geodesic distance from {about}", *notes])
    marks.finish(ax, where, width=marks.size, height=marks.size)
    return figure


@torch.no_grad()
def polar_geodesics(x: Polar, y: Polar, *, c: float, n: int) -> Polar:
    """``n`` points from each of ``x`` to each of ``y`` along their geodesic, in polar coordinates, at any radius.

    On the hyperboloid the point at the length s of L is (sinh(L-s) X + sinh(s) Y)/sinh L for c = 1, where the
    exponentials are factored out. The points crowd about that nearest to the origin, where the geodesic turns;
    towards the ends it runs along the rays. With q = cosh r_y/cosh r_x that point is at s₀ = log((e^L - q)/(q -
    e^-L))/2, or at an end; s - s₀ = 2 asinh(tan θ) with θ in equal steps.

    Args:
        x: radius ``[E]`` and direction ``[E, d]``, about the origin.
        y: the same.
        c: minus the sectional curvature.
        n: how many points, the two ends among them.

    Returns:
        radius ``[E, n]``, direction ``[E, n, d]``.
    """
    root = math.sqrt(c)
    a, b = root * x.radius.unsqueeze(-1), root * y.radius.unsqueeze(-1)
    length = root * dist_polar(x, y, c=c).unsqueeze(-1)
    log_ratio = b - a + torch.log1p(torch.exp(-2 * b)) - torch.log1p(torch.exp(-2 * a))
    # log((e^L - q)/(q - e^-L)) with q = e^ρ: the triangle inequality has -L ≤ ρ ≤ L up to rounding
    ahead = (length - log_ratio).clamp(min=1e-300)
    behind = (length + log_ratio).clamp(min=1e-300)
    turn = (ahead + torch.log(torch.expm1(-ahead) / torch.expm1(-behind))) / 2
    turn = torch.minimum(turn.nan_to_num(0.0).clamp(min=0), length)
    angle = torch.lerp(_angle(-turn), _angle(length - turn), torch.linspace(0, 1, n, dtype=a.dtype))
    s = turn + 2 * torch.asinh(torch.tan(angle))
    s = torch.minimum(s.clamp(min=0), length)
    s[..., 0], s[..., -1] = 0.0, length[..., 0]
    share = s / torch.where(length > 0, length, 1.0)
    log_x = log_weight(1 - share, length) + a
    log_y = log_weight(share, length) + b
    largest = torch.maximum(log_x, log_y)
    parts = (
        torch.exp(log_x - largest) * -torch.expm1(-2 * a) / 2,
        torch.exp(log_y - largest) * -torch.expm1(-2 * b) / 2,
    )
    ends = (x.direction.unsqueeze(-2), y.direction.unsqueeze(-2))
    space = parts[0].unsqueeze(-1) * ends[0] + parts[1].unsqueeze(-1) * ends[1]
    log_sinh = torch.log(torch.linalg.vector_norm(space, dim=-1)) + largest
    near = torch.asinh(torch.exp(log_sinh.clamp(max=20)))
    radius = torch.where(log_sinh < 20, near, log_sinh + math.log(2))
    radius, direction = radius / root, unit(space)
    radius[..., 0], radius[..., -1] = x.radius, y.radius
    direction[..., 0, :], direction[..., -1, :] = x.direction, y.direction
    return Polar(radius, direction)


def _angle(s: Tensor) -> Tensor:
    return torch.atan(torch.sinh(s / 2))


class _Spread(NamedTuple):
    """An increasing map of angles, straight between its knots.

    Attributes:
        angle: ``[K]``, increasing, from the start of the circle on.
        image: ``[K]``, increasing; a whole turn later both are larger by 2π.
    """

    angle: NDArray[np.float64]
    image: NDArray[np.float64]

    @classmethod
    def of(cls, points: Polar, pairs: Tensor | None) -> "_Spread | None":
        """Gives each point its share of the circle; None if there are no two different angles."""
        away = (points.radius > 0).numpy()
        angle = _angles_of(points.direction)[away]
        weight = np.ones(len(away))
        if pairs is not None:
            weight[np.bincount(pairs.flatten().numpy(), minlength=len(away)) > 1] = _INNER_WEIGHT
        knots, place = np.unique(angle, return_inverse=True)
        if len(knots) < 2:
            return None
        share = np.bincount(place, weight[away])
        # The circle is cut in its widest gap, so that what belongs together stays in order.
        gaps = np.diff(knots, append=knots[0] + 2 * math.pi)
        first = (int(gaps.argmax()) + 1) % len(knots)
        knots = np.roll(knots, -first)
        knots[len(knots) - first :] += 2 * math.pi
        share = np.roll(share, -first)
        image = (np.cumsum(share) - share / 2) / share.sum() * 2 * math.pi
        return cls(knots, image + knots[0] - image[0])

    def __call__(self, angle: NDArray[np.float64]) -> NDArray[np.float64]:
        turns = np.floor((angle - self.angle[0]) / (2 * math.pi))
        knots = np.append(self.angle, self.angle[0] + 2 * math.pi)
        images = np.append(self.image, self.image[0] + 2 * math.pi)
        image: NDArray[np.float64] = np.interp(angle - 2 * math.pi * turns, knots, images) + 2 * math.pi * turns
        return image


def _angles_of(direction: Tensor) -> NDArray[np.float64]:
    angle: NDArray[np.float64] = np.arctan2(direction[..., 1].numpy(), direction[..., 0].numpy())
    return angle


def _on_paper(points: Polar, farthest: float, turned: _Spread | None) -> NDArray[np.float64]:
    """Places ``[..., 2]``; ``farthest`` from the centre is 1."""
    angle = _angles_of(points.direction)
    turned_angle = angle if turned is None else turned(angle)
    rays = np.stack([np.cos(turned_angle), np.sin(turned_angle)], axis=-1)
    places: NDArray[np.float64] = (points.radius.numpy() / farthest)[..., None] * rays
    return places


def _add_ground(ax: "Axes", points: NDArray[np.float64], farthest: float, notes: list[str]) -> None:
    """Circles with their radii, and the words below."""
    from matplotlib.collections import LineCollection

    lengths = _round_radii(farthest)
    angle = np.linspace(-math.pi, math.pi, 721)
    rays = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    drawn = lengths / farthest
    ax.add_collection(
        LineCollection(
            list(drawn[:, None, None] * rays), colors="0.85", linewidths=0.8, zorder=1, label="circles"
        ),
        autolim=False,
    )
    add_ring_labels(ax, View(np.zeros(2), _WHOLE), points, lengths, drawn)
    ax.set(xlim=(-_WHOLE, _WHOLE), ylim=(-_WHOLE, _WHOLE), xticks=[], yticks=[])
    ax.set_aspect("equal")
    ax.spines[:].set_visible(False)
    below = "\n".join(notes)
    ax.text(0.5, -0.02, below, transform=ax.transAxes, ha="center", va="top", fontsize=9, color="0.35")


def _round_radii(farthest: float) -> NDArray[np.float64]:
    """Up to six multiples of 1, 2 or 5 times a power of ten up to ``farthest``."""
    power = 10.0 ** math.floor(math.log10(farthest / _MOST_CIRCLES))
    step = next(power * digit for digit in (1, 2, 5, 10) if farthest / (power * digit) < _MOST_CIRCLES + 1)
    count = math.floor(farthest / step * (1 + 1e-12))
    return np.linspace(step, count * step, count)
