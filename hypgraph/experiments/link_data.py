"""The graph and the split of a configuration: what every link-prediction experiment starts from."""

from pathlib import Path

import torch

from hypgraph.config import Config, DataConfig, GraphConfig, RunConfig
from hypgraph.data import (
    CATALOGUE,
    EdgeSplit,
    Graph,
    ReadOptions,
    load_graph,
    own_split,
    resolve_data,
    split_edges,
)
from hypgraph.evaluation import TrainingGraph, heart_negatives
from hypgraph.exceptions import ConfigError, DataError, RunError
from hypgraph.lookup import did_you_mean
from hypgraph.random import stream
from hypgraph.training import INPUTS

__all__ = [
    "check_split",
    "graph_counts",
    "has_own_split",
    "load_data",
    "own_hits",
    "split_of",
    "with_absolute_paths",
]


def load_data(config: GraphConfig) -> Graph:
    """The graph that ``config`` names, read as it says.

    Raises:
        HypgraphError: if it is unknown or unusable.
    """
    options = ReadOptions(config.source_col, config.target_col, directed=config.directed)
    table = config.features if isinstance(config.features, Path) else None
    if table is not None and not table.suffix and not table.exists():
        words = [word for word in INPUTS if word != "own"]
        raise ConfigError(f"--features {table.name}: no such file; {did_you_mean(table.name, words)}")
    return load_graph(config.name, data_root=config.root, options=options, features=table)


def graph_counts(graph: Graph) -> dict[str, int]:
    """What ``summary.json`` says of the graph."""
    return {
        "nodes": graph.num_nodes,
        "edges": graph.num_edges,
        "features": 0 if graph.features is None else graph.features.shape[1],
        "self_loops_dropped": graph.self_loops_dropped,
        "duplicates_dropped": graph.duplicates_dropped,
        "isolated": graph.num_isolated,
        "directed": graph.directed,
    }


def own_hits(config: DataConfig) -> int | None:
    """K of Hits@K where the data set has a split of its own and that metric; else None."""
    entry = CATALOGUE.get(config.name)
    metric = entry.metric if entry is not None else None
    return None if metric is None or metric == "mrr" else int(metric.partition("@")[2])


def has_own_split(data: str) -> bool:
    """Whether a data set of the catalogue comes with its split, the same for every seed."""
    entry = CATALOGUE.get(data)
    return entry is not None and entry.split is not None


def check_split(split: EdgeSplit, graph: Graph, config: DataConfig, *, source: str, remedy: str) -> None:
    """Raises a RunError that names ``source`` and ``remedy`` unless ``split`` is one of ``graph``."""
    if split.directed != graph.directed:
        kind, flag = ("a directed", "add") if split.directed else ("an undirected", "leave out")
        raise RunError(f"{source}: is a split of {kind} graph; {flag} --directed")
    if not split.is_of(graph, held_out_elsewhere=has_own_split(config.name)):
        raise RunError(f"{source}: {remedy}")


def split_of(graph: Graph, config: RunConfig) -> EdgeSplit:
    """The split of a run: that of a file, the data set's own, or one drawn from the run's seed.

    Raises:
        HypgraphError: if a file is no split of ``graph``, or the graph cannot be split.
    """
    data = config.data
    if data.split is not None:
        split = EdgeSplit.load(data.split)
        other = f"is a split of another graph than {graph.name}; leave out --split"
        check_split(split, graph, data, source=str(data.split), remedy=other)
        if split.negatives_each and data.negatives != "heart":
            raise ConfigError(f"{data.split}: has hard negatives; add --negatives heart")
        if split.negatives_each:
            return split
    elif (own := own_split(data.name, data_root=data.root)) is not None:
        if data.negatives == "heart":
            raise ConfigError(f"{data.name} has a split with its own negatives; leave out --negatives heart")
        return own
    else:
        split = split_edges(
            graph,
            val_fraction=data.val_fraction,
            test_fraction=data.test_fraction,
            generator=stream(config.training.seed, "split"),
        )
    if data.negatives == "heart":
        # A split of a file is one for all seeds, and so are its negatives.
        seed = 0 if data.split is not None else config.training.seed
        split = _with_hard_negatives(split, graph, data.negatives_each, stream(seed, "negatives"))
    return split


def _with_hard_negatives(split: EdgeSplit, graph: Graph, each: int, generator: torch.Generator) -> EdgeSplit:
    """``split`` with hard negatives for each validation and test edge in place of its own.

    Raises:
        DataError: if the ends of an edge have fewer candidates than ``each``.
    """
    everything = torch.cat([split.train_edge_index, split.val_edge_index, split.test_edge_index], dim=1)
    train = TrainingGraph.from_edges(split.train_edge_index, graph.num_nodes, graph.features)
    try:
        val, test = (
            heart_negatives(
                train,
                edges,
                everything,
                count=each,
                generator=generator,
                directed=graph.directed,
            )
            for edges in (split.val_edge_index, split.test_edge_index)
        )
    except DataError as error:
        raise DataError(f"{error} (--set data.negatives_each=N; it is {each})") from None
    return split.with_negatives(val, test)


def with_absolute_paths(config: Config) -> Config:
    """``config`` with data that mean the same from any folder.

    Raises:
        HypgraphError: if the data are unknown or not there.
    """
    data = config.data
    paths = {key: _absolute(value) for key, value in data if isinstance(value, Path)}
    name = resolve_data(data.name, data_root=data.root)
    return config.model_copy(update={"data": data.model_copy(update={"name": name, **paths})})


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
