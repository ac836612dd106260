"""Embeddings to write, with ids of every kind."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray

from hypgraph.export import Embeddings
from hypgraph.manifolds import MANIFOLDS, Polar

STRANGE_IDS = (
    "plain",
    "New York",
    "New%20York",
    "New_York",
    "100%",
    'a,"b"',
    "tab\there",
    "line\nbreak",
    "carriage\rreturn",
    "Łódź · 北京",
    "\u00a0no-break",
    "bell\x07\x1f",
    "line\u2028separator",
    "\ufffe",
    "</node><b>&amp;",
    "7",
    "07",
    "NA",
    " leading and trailing ",
)
"""Distinct ids, each of which some format cannot hold as it is."""


def points(
    radius: Sequence[float], *, dim: int = 3, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Radii and random unit directions."""
    normal = np.random.default_rng(seed).standard_normal((len(radius), dim))
    return np.asarray(radius, dtype=float), normal / np.linalg.norm(normal, axis=1, keepdims=True)


def embeddings(
    node_id: Sequence[Any] = ("a", "b", "c"),
    *,
    manifold: str = "poincare",
    dim: int = 3,
    c: float = 0.7,
    radius: Sequence[float] | None = None,
    exact: bool = False,
) -> Embeddings:
    """Points at ``radius``, by default from 0 to 3, and scales that no short decimal equals."""
    ids = np.asarray(node_id)
    far, direction = points(np.linspace(0, 3, len(ids)) if radius is None else radius, dim=dim)
    center = Polar(torch.from_numpy(far), torch.from_numpy(direction))
    space = MANIFOLDS[manifold](dim, c)
    scale = np.random.default_rng(1).random((len(ids), dim)) / 3
    return Embeddings(
        ids, space.from_polar(center).numpy(), scale, space.c_value, manifold, center if exact else None
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
ID_LISTS = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6, unique=True),
    st.lists(TEXT, min_size=1, max_size=6, unique=True),
)
"""What a data set may name its nodes."""
