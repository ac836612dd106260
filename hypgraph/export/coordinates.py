"""The coordinates in which embeddings can be written, by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hypgraph.exceptions import ConfigError, RunError
from hypgraph.export.embeddings import Embeddings
from hypgraph.lookup import lookup
from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional import ball, lorentz

__all__ = ["COORDINATES", "OWN_COORDINATES", "Coordinates", "Located", "locate"]

OWN_COORDINATES = {"poincare": "ball", "lorentz": "lorentz", "euclidean": "flat"}
"""The coordinates in which each latent space keeps its points."""


_ROUNDING = 1 + 1e-12
"""A radius that exceeds the reach by less has only been rounded."""


class Coordinates(NamedTuple):
    """One choice of coordinates of hyperbolic space.

    Attributes:
        parts: from points about the origin and c to named arrays ``[N]`` or ``[N, k]``.
        reach: the largest √c·radius whose coordinates float64 holds.
        beyond: what becomes of a point farther out.
    """

    parts: Callable[[Polar, float], dict[str, Tensor]]
    reach: float = float("inf")
    beyond: str = ""


def _ball(x: Polar, c: float) -> dict[str, Tensor]:
    return {"ball": _inside(ball.from_polar(x, c=c), c)}


def _polar(x: Polar, _c: float) -> dict[str, Tensor]:
    parts = {"radius": x.radius, "direction": x.direction}
    if x.direction.shape[-1] == 2:
        parts["angle"] = torch.atan2(x.direction[:, 1], x.direction[:, 0])
    return parts


def _lorentz(x: Polar, c: float) -> dict[str, Tensor]:
    return {"lorentz": lorentz.from_polar(x, c=c)}


def _tangent(x: Polar, _c: float) -> dict[str, Tensor]:
    return {"tangent": x.vector()}


def _klein(x: Polar, c: float) -> dict[str, Tensor]:
    # tanh(√c r) u/√c: the ball coordinates of the point twice as far out
    return {"klein": _inside(ball.from_polar(Polar(2 * x.radius, x.direction), c=c), c)}


def _inside(x: Tensor, c: float) -> Tensor:
    """``x [N, d]`` within the reach of its coordinates, some roundings nearer where these reach the boundary.

    In hundreds of dimensions a unit direction is longer than 1 by more than the gap that is left at the reach.
    """
    outside = (x.norm(dim=-1) * c**0.5 >= 1) | ~ball.contains(x, c=c)
    return torch.where(outside.unsqueeze(-1), x * (1 - 8 * torch.finfo(x.dtype).eps), x)


COORDINATES: dict[str, Coordinates] = {
    "ball": Coordinates(_ball, reach=36.0, beyond="round to the boundary"),
    "polar": Coordinates(_polar),
    "lorentz": Coordinates(_lorentz, reach=700.0, beyond="overflow"),
    "tangent": Coordinates(_tangent),
    "klein": Coordinates(_klein, reach=18.0, beyond="round to the boundary"),
}
"""For a point at radius r (a geodesic length) in the direction u, both about the origin:

- ``ball``: tanh(√c r/2) u/√c, the Poincaré ball;
- ``polar``: r and u; in two dimensions also the angle of u, in radians from the first axis;
- ``lorentz``: (cosh(√c r), sinh(√c r) u)/√c, the hyperboloid, time first;
- ``tangent``: r·u, the logarithm at the origin in an orthonormal frame: what a Euclidean method takes;
- ``klein``: tanh(√c r) u/√c, in which geodesics are straight.

``polar`` and ``tangent`` hold any radius, ``lorentz`` any that occurs. Ball coordinates end at √c r = 36 and Klein
coordinates at 18, where float64 rounds them to the boundary; they lose precision before that.
"""


@dataclass(frozen=True, eq=False)
class Located:
    """Embeddings with their centres in chosen coordinates, ready to be written.

    Attributes:
        embeddings: ids, scales, curvature and manifold; ``loc`` has been checked.
        coords: the name of the coordinates.
        parts: the coordinates: ``loc`` where they are the embeddings' own, else arrays named for what they are.
        radius: ``[N]``, geodesic distances from the origin.
        notes: what was moved, a line each.
    """

    embeddings: Embeddings
    coords: str
    parts: dict[str, NDArray[Any]]
    radius: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether the coordinates are those that the embeddings came in."""
        return "loc" in self.parts

    def vectors(self) -> NDArray[Any]:
        """``[N, k]``, the numbers of each point; an angle, which repeats its direction, is left out."""
        return np.column_stack([part for name, part in self.parts.items() if name != "angle"])


def locate(embeddings: Embeddings, coords: str | None = None) -> Located:
    """The centres in the coordinates ``coords``, by default in their own, which are passed on as they are.

    No point is written on the boundary of the ball or outside: what would round there is pulled in, and counted
    in a note.

    Raises:
        ConfigError: if ``coords`` is no name of :data:`COORDINATES`, or the space is flat.
        RunError: if a coordinate is not finite.

    >>> import numpy as np
    >>> one = Embeddings(np.array(["a"]), np.array([[0.5, 0.0]]), np.ones((1, 2)), 1.0, "poincare")
    >>> {name: part.round(6).tolist() for name, part in locate(one, "klein").parts.items()}
    {'klein': [[0.8, 0.0]]}
    """
    own = OWN_COORDINATES[embeddings.manifold]
    if coords is not None:
        system = lookup(COORDINATES, coords, what="coordinates")
        if own == "flat":
            raise ConfigError(
                f"--coords {coords}: is of hyperbolic space, the run is Euclidean; leave out --coords"
            )
    as_they_are = coords in (None, own)
    if (as_they_are or embeddings.center is None) and not np.isfinite(embeddings.loc).all():
        count = int((~np.isfinite(embeddings.loc)).any(axis=1).sum())
        raise RunError(f"{count} of {len(embeddings.loc)} nodes have coordinates that are not finite numbers")
    inside, notes = _with_loc_inside(embeddings)
    if coords is None or as_they_are:
        return Located(inside, own, {"loc": inside.loc}, inside.polar().radius.numpy(), notes)
    if embeddings.center is not None:
        notes = ()  # what the ball coordinates lost is not used
    x, more = _within_reach(inside.polar(), embeddings.c, coords, system)
    parts = {name: part.numpy() for name, part in system.parts(x, embeddings.c).items()}
    return Located(inside, coords, parts, inside.polar().radius.numpy(), notes + more)


def _with_loc_inside(embeddings: Embeddings) -> tuple[Embeddings, tuple[str, ...]]:
    """The embeddings with those ball coordinates pulled in that float cannot hold inside the ball."""
    if embeddings.manifold != "poincare":
        return embeddings, ()
    space, loc = embeddings.space(), torch.from_numpy(embeddings.loc)
    largest = float(space.max_radius(loc.dtype))
    beyond = ~space.contains(loc)
    if embeddings.center is not None:  # a norm that rounds to just below 1 is as wrong as one that rounds to 1
        beyond |= embeddings.center.radius > largest * _ROUNDING
    if not beyond.any():
        return embeddings, ()
    loc = torch.where(beyond.unsqueeze(-1), _inside(space.projx(loc), embeddings.c), loc)
    note = _note(
        beyond, largest * embeddings.c**0.5, "ball", COORDINATES["ball"], exact=embeddings.center is not None
    )
    return replace(embeddings, loc=loc.numpy()), (note,)


def _within_reach(x: Polar, c: float, coords: str, system: Coordinates) -> tuple[Polar, tuple[str, ...]]:
    """The points with those brought nearer that lie beyond the reach of the coordinates."""
    largest = system.reach / c**0.5
    beyond = x.radius > largest * _ROUNDING
    if not beyond.any():
        return x, ()
    note = _note(beyond, system.reach, coords, system, exact=True)
    return Polar(x.radius.clamp(max=largest), x.direction), (note,)


def _note(beyond: Tensor, reach: float, coords: str, system: Coordinates, *, exact: bool) -> str:
    remedy = "; --coords polar is exact" if exact else ""
    return (
        f"{int(beyond.sum())} of {len(beyond)} nodes lie beyond √c·radius {reach:g}, where {coords} coordinates "
        f"{system.beyond}; they are written there{remedy}"
    )
