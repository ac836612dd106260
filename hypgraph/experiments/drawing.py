"""A hierarchy drawn in hyperbolic space: from a configuration to a folder."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hypgraph import __version__
from hypgraph.config import HierarchyConfig
from hypgraph.data import Graph
from hypgraph.evaluation import embedding_quality, hop_depth, radius_by_depth, reconstruction
from hypgraph.exceptions import DataError
from hypgraph.experiments.environment import environment
from hypgraph.experiments.link_data import graph_counts, load_data, with_absolute_paths
from hypgraph.export import Embeddings
from hypgraph.files import write_json
from hypgraph.hierarchy import HierarchyEmbedding, embed_hierarchy
from hypgraph.random import stream
from hypgraph.run_folder import RunFolder, check_new

__all__ = ["draw_hierarchy", "embeddings_of"]


def draw_hierarchy(
    config: HierarchyConfig,
    path: Path,
    *,
    on_graph: Callable[[Graph], object] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Embeds the graph of ``config`` and leaves a run folder at ``path``: all of it, or nothing.

    Args:
        config: the graph, and how to draw it.
        path: a folder to make.
        on_graph: sees the graph when it is read.
        on_progress: is told of each stage, a line each.

    Returns:
        What ``summary.json`` holds.

    Raises:
        HypgraphError: if the graph cannot be read, or ``path`` cannot be made.
    """
    check_new(path)
    config = with_absolute_paths(config)
    graph = load_data(config.data)
    if not graph.num_edges:
        raise DataError(f"{config.data.name}: has no edge that joins two nodes; there is nothing to draw")
    if on_graph is not None:
        on_graph(graph)
    with RunFolder.filled(path, config) as folder:
        write_json(folder.environment_file, environment())
        start = time.perf_counter()
        embedding = embed_hierarchy(
            graph.edge_index,
            graph.num_nodes,
            dim=config.embedding.dim,
            c=config.embedding.c,
            directed=graph.directed,
            uncertainty=config.embedding.uncertainty,
            generator=stream(config.embedding.seed, "embed"),
            on_progress=on_progress,
        )
        seconds = time.perf_counter() - start
        embeddings_of(embedding, graph.node_id).save_npz(folder.embeddings_file)
        summary = _summary(config, graph, embedding, seconds)
        write_json(folder.summary_file, summary)
    return summary


def embeddings_of(embedding: HierarchyEmbedding, node_id: NDArray[Any]) -> Embeddings:
    """The points with their ids: those of the posteriors where there are posteriors."""
    if embedding.posterior is not None:
        return Embeddings.from_posterior(embedding.posterior, node_id)
    return Embeddings.from_points(embedding.points, embedding.manifold, node_id)


def _summary(
    config: HierarchyConfig, graph: Graph, embedding: HierarchyEmbedding, seconds: float
) -> dict[str, Any]:
    """Figures of the points that are kept: those of the posteriors' centres where there are posteriors."""
    points = embedding.points if embedding.posterior is None else embedding.posterior.center
    assert points is not None
    exact = reconstruction(graph.edge_index, points, embedding.manifold)
    quality = embedding_quality(
        graph.edge_index, points, embedding.manifold, generator=stream(config.embedding.seed, "quality")
    )
    radius = points.radius.numpy()
    depth = hop_depth(graph.edge_index, radius)
    return {
        "data": graph.name,
        "latent": embedding.manifold.name,
        "dim": config.embedding.dim,
        "c": config.embedding.c,
        "seed": config.embedding.seed,
        "edges_sha256": graph.edges_sha256,
        "method": embedding.method,
        "candidates": [asdict(candidate) for candidate in embedding.candidates],
        "seconds": seconds,
        "mean_average_precision": exact.mean_average_precision,
        "mean_rank": exact.mean_rank,
        "distortion": _finite(quality.scaled_distortion.mean),
        "distortion_scale": _finite(quality.scale),
        "worst_distortion": _finite(quality.worst_distortion),
        "distortion_from": quality.num_sources,
        "radius_degree": _finite(quality.radius_degree),
        "largest_radius": float(radius.max(initial=0.0)),
        "radius_by_depth": [row._asdict() for row in radius_by_depth(depth, radius)],
        "graph": graph_counts(graph),
        "hypgraph": __version__,
    }


def _finite(value: float) -> float | None:
    """``value``, or None for what JSON cannot say."""
    return value if math.isfinite(value) else None
