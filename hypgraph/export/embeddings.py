"""The posterior of every node, and the file that holds it."""

import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hypgraph.distributions import CenteredDistribution
from hypgraph.exceptions import RunError
from hypgraph.files import whole_file
from hypgraph.manifolds import MANIFOLDS, Manifold, Polar

__all__ = ["Embeddings"]


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Node embeddings with an uncertainty each.

    Attributes:
        node_id: ``[N]``, the ids of the data, integers or strings.
        loc: ``[N, ambient_dim]``, centres in the coordinates of the latent space.
        scale: ``[N, d]``, geodesic lengths. The posterior's family, in the run's ``config.json``, says what they
            are: ``wrapped`` along the axes of the frame, ``rown`` first along the radius, ``riemannian`` equal.
        c: minus the curvature; 0 for Euclidean.
        manifold: ``"poincare"``, ``"lorentz"`` or ``"euclidean"``.
        center: the centres in polar coordinates about the origin, float64, where these are known: they are exact
            at any radius, ``loc`` is not.
    """

    node_id: NDArray[Any]
    loc: NDArray[Any]
    scale: NDArray[Any]
    c: float
    manifold: str
    center: Polar | None = None

    @property
    def dim(self) -> int:
        """The intrinsic dimension d."""
        return int(self.scale.shape[1])

    def space(self) -> Manifold:
        """The latent space."""
        return MANIFOLDS[self.manifold](self.dim, self.c)

    def polar(self) -> Polar:
        """The centres in polar coordinates about the origin: radius ``[N]``, direction ``[N, d]``, float64."""
        if self.center is not None:
            return self.center
        return self.space().to_polar(torch.from_numpy(self.loc).double())

    def take(self, rows: NDArray[np.int64] | slice) -> "Embeddings":
        """Some of the nodes, by position."""
        center = self.center and Polar(*(part[rows] for part in self.center))
        return replace(self, node_id=self.node_id[rows], loc=self.loc[rows], scale=self.scale[rows], center=center)

    @classmethod
    def from_posterior(cls, posterior: CenteredDistribution, node_id: NDArray[Any]) -> "Embeddings":
        """From posteriors of batch shape ``[N]`` and the ids in the same order."""
        manifold = posterior.manifold
        scale = posterior.scale.reshape(len(node_id), -1).expand(-1, manifold.dim)
        loc, sigma = (tensor.detach().cpu().numpy() for tensor in (posterior.loc, scale))
        center = None
        if posterior.center is not None:
            center = Polar(*(part.detach().cpu().double() for part in posterior.center))
        return cls(node_id, loc, sigma, manifold.c_value, manifold.name, center)

    @classmethod
    def from_points(cls, points: Polar, manifold: Manifold, node_id: NDArray[Any]) -> "Embeddings":
        """From points without posteriors, about the origin: every scale is 0."""
        scale = np.zeros((len(node_id), manifold.dim))
        return cls(node_id, manifold.from_polar(points).numpy(), scale, manifold.c_value, manifold.name, points)

    @classmethod
    def load(cls, path: Path) -> "Embeddings":
        """From a file that :meth:`save_npz` wrote.

        Raises:
            RunError: if it is missing or damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                if "coords" in arrays:
                    coords = arrays["coords"]
                    raise RunError(f"{path}: holds {coords} coordinates; load a file written without --coords")
                center = None
                if "radius" in arrays:
                    center = Polar(*(torch.from_numpy(arrays[part]) for part in Polar._fields))
                return cls(
                    arrays["node_id"],
                    arrays["loc"],
                    arrays["scale"],
                    float(arrays["c"]),
                    str(arrays["manifold"]),
                    center,
                )
        except FileNotFoundError:
            raise RunError(f"{path}: no such file; is the run finished?") from None
        except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error):
            raise RunError(f"{path}: damaged, or not an embeddings file") from None

    def save_npz(self, path: Path) -> None:
        """Writes the arrays ``node_id, loc, scale, c, manifold``, and ``radius, direction`` where they are known.

        Loads with ``allow_pickle=False``.
        """
        exact = {} if self.center is None else {k: part.numpy() for k, part in self.center._asdict().items()}
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                node_id=self.node_id,
                loc=self.loc,
                scale=self.scale,
                c=self.c,
                manifold=self.manifold,
                **exact,
            )
