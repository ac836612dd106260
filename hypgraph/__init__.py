"""Representations of graphs that have a hierarchy in them.

Importing this package imports none of its parts, so that ``hypgraph --help`` answers at once::

    from hypgraph.manifolds import PoincareBall
    from hypgraph.distributions import WrappedNormal

Three names are at hand all the same, and bring their parts along when they are first asked for: the estimators
:class:`~hypgraph.estimators.PoincareEmbedder` and :class:`~hypgraph.estimators.VGAEEmbedder`, and the search for
neighbours :class:`~hypgraph.neighbors.Neighbors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypgraph.estimators import PoincareEmbedder, VGAEEmbedder
    from hypgraph.neighbors import Neighbors

__all__ = ["Neighbors", "PoincareEmbedder", "VGAEEmbedder", "__version__"]

__version__ = "0.1.0"

_HOME = {
    "Neighbors": "hypgraph.neighbors",
    "PoincareEmbedder": "hypgraph.estimators",
    "VGAEEmbedder": "hypgraph.estimators",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'hypgraph' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value  # the next time it is found without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
