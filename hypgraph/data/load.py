"""From what ``--data`` says to a graph."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypgraph.data.catalogue import CATALOGUE
from hypgraph.data.data_files import data_root_folder
from hypgraph.data.graph import Graph
from hypgraph.data.graph_files import GRAPH_FORMATS, ReadOptions, read_graph
from hypgraph.data.node_table import with_node_table
from hypgraph.data.pyg_datasets import load_pyg_dataset
from hypgraph.data.simulators import SIMULATORS, is_simulation, simulate
from hypgraph.data.split import EdgeSplit
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.lookup import lookup
from hypgraph.random import stream

__all__ = ["is_file_data", "load_graph", "own_split", "resolve_data"]

PYG_PREFIX = "pyg:"
_SEED = re.compile(r"[:,]seed=(\d+)(?=,|$)")


def load_graph(
    data: str,
    *,
    data_root: Path | None = None,
    options: ReadOptions | None = None,
    features: Path | None = None,
) -> Graph:
    """The graph that ``--data`` names.

    Args:
        data: a name in :data:`CATALOGUE`; a simulation such as ``tree:branching=2,depth=8`` or
            ``random-tree:n=500,seed=3``; ``pyg:Planetoid/PubMed``, a data set of PyTorch Geometric; or the path
            of a file for :func:`read_graph`.
        data_root: see :func:`resolve_data`.
        options: how a file is read; by default undirected, by its own columns.
        features: a table of node features and labels, see :func:`~hypgraph.data.node_table.read_node_table`.

    Raises:
        ConfigError: if ``data`` is none of these and does not look like a path, or ``options`` are given beside
            something that is no file.
        DataError: if it looks like a path (it has a separator or a usual ending) and there is no such file, or
            what it names cannot be read.

    >>> load_graph("karate").num_edges, load_graph("tree:branching=3,depth=2").num_nodes
    (78, 13)
    """
    name = resolve_data(data, data_root=data_root)
    if is_file_data(name):
        graph = read_graph(name, options=options)
        if graph.directed:
            note = "edges have directions; distances and message passing have none"
            graph = replace(graph, notes=(*graph.notes, note))
    else:
        _refuse_options(name, options)
        graph = _load_by_name(name, data_root)
    if features is not None:
        graph, notes = with_node_table(graph, features)
        graph = replace(graph, notes=graph.notes + notes)
    return graph


def _load_by_name(name: str, data_root: Path | None) -> Graph:
    if name in CATALOGUE:
        return CATALOGUE[name].load(data_root)
    if name.startswith(PYG_PREFIX):
        return load_pyg_dataset(name.removeprefix(PYG_PREFIX), data_root=data_root)
    seed = _SEED.search(name)
    text = name
    if len(re.findall(r"[:,]\s*seed\s*=", name)) > (seed is not None):
        raise ConfigError(f"'{name}': seed must be a whole number from 0, given once")
    if seed is not None:
        text = name[: seed.start()] + name[seed.end() :]
        text = text if ":" in text else text.replace(",", ":", 1)
    graph = simulate(text, generator=stream(int(seed[1]) if seed else 0, "simulate"))
    return replace(graph, name=name)


def _refuse_options(name: str, options: ReadOptions | None) -> None:
    if options is not None and options != ReadOptions():
        raise ConfigError(f"--source-col, --target-col and --directed are for files; '{name}' is none")


def own_split(data: str, *, data_root: Path | None = None) -> EdgeSplit | None:
    """The split that belongs to a data set of the catalogue, None where there is none."""
    entry = CATALOGUE.get(data)
    return entry.split(data_root) if entry is not None and entry.split is not None else None


def is_file_data(resolved: str) -> bool:
    """Whether what :func:`resolve_data` returned is a path."""
    return os.path.isabs(resolved)


def resolve_data(data: str, *, data_root: Path | None = None) -> str:
    """What ``data`` names, so that it means the same from any folder: a name, a simulation, or an absolute path.

    A name wins over a file of that name; write ``./cora`` for the file. A relative path is looked for in the
    working directory, then under ``data_root``.

    Args:
        data: see :func:`load_graph`.
        data_root: a folder for data outside the project; by default that of the environment variable
            ``HYPGRAPH_DATA``, if it is set.

    Raises:
        ConfigError: if ``data`` is neither a known name nor a file, and does not look like a path.
        DataError: if it looks like a path and there is no such file.
    """
    if data in CATALOGUE or data.startswith(PYG_PREFIX) or is_simulation(data):
        return data
    root = data_root_folder(data_root)
    candidates = [Path(data)] + ([root / data] if root is not None else [])
    for path in candidates:
        if data and os.path.exists(path):  # unlike Path.exists, False for a name that the system refuses
            return str(path.absolute())
    if any(data.lower().endswith(ending) for ending in GRAPH_FORMATS) or {os.sep, os.altsep} & set(data):
        under = f", nor under '{root}'" if root is not None else ""
        raise DataError(f"{data}: no such file{under}; 'hypgraph data list' shows the data sets known by name")
    head = data.partition(":")[0]
    if head in CATALOGUE:
        raise ConfigError(f"'{data}': '{head}' is a data set and takes no parameters; write {head}")
    known: dict[str, Callable[..., object] | object] = {**CATALOGUE, **SIMULATORS}
    lookup(known, head, what="data set")
    raise AssertionError("an unknown name has been refused")
