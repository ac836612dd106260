"""The kinds of cells by name."""

from collections.abc import Callable

from hypgraph.experiments.cell_kind import CellKind

__all__ = ["KINDS"]


def _vae() -> CellKind:
    from hypgraph.experiments.vae_kind import VAEKind

    return VAEKind()


def _links() -> CellKind:
    from hypgraph.experiments.links_kind import LinksKind

    return LinksKind()


KINDS: dict[str, Callable[[], CellKind]] = {"vae": _vae, "links": _links}
"""Makers of the kinds by name; torch is imported when a kind is made."""
