"""What a picture of a run shows: from its folder to the contents of a figure or a page."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from hypgraph.distributions import FAMILIES, CenteredDistribution, RiemannianNormal
from hypgraph.evaluation import hop_depth
from hypgraph.exceptions import ConfigError, HypgraphError, RunError
from hypgraph.experiments.new_edges import finished_run, held_out_edges, predicted_edges
from hypgraph.experiments.opened_run import OpenedRun
from hypgraph.neighbors import Neighbors
from hypgraph.random import stream
from hypgraph.viewer import NodeData, PageContents, draw_run, project

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_of_run", "page_of_run"]

NEIGHBORS_SHOWN = 8


def page_of_run(run: OpenedRun, *, predicted: int, on_note: Callable[[str], object]) -> PageContents:
    """All that the viewer can show of a run.

    Args:
        run: any run.
        predicted: how many of the most probable new edges, of a trained run; 0 for none.
        on_note: is told what has to be left out, where the data are not there any more.
    """
    embeddings, nodes = run.embeddings, _nodes(run, on_note)
    polar, projected = embeddings.polar(), embeddings.dim > 2
    projection = project(polar, embeddings.space(), generator=stream(0, "projection"))
    more: dict[str, Any] = {}
    if projected and (count := min(NEIGHBORS_SHOWN, len(embeddings.node_id) - 1)):
        length, index = Neighbors(polar, embeddings.space()).query_nodes(torch.arange(len(polar.radius)), count)
        more = {"original_radius": polar.radius, "neighbors": index, "neighbor_distance": length}
    if run.split is not None and run.has_data:
        more |= _held_out_and_new(run, predicted, on_note)
    # One length a node, of several along different axes their quadratic mean
    sigma = np.sqrt(np.mean(np.square(embeddings.scale, dtype=np.float64), axis=1))
    return PageContents(
        radius=projection.points.radius,
        direction=projection.points.direction,
        c=embeddings.c,
        ids=[str(node) for node in embeddings.node_id.tolist()],
        title=str(run.summary["data"]),
        subtitle=[line for line in (_what(run), projection.description) if line],
        label=nodes.labels,
        label_names=nodes.label_names,
        depth=nodes.depth,
        scale=sigma if sigma.any() else None,
        edges=nodes.edges,
        # Nothing need lie near the origin of a drawing; that of a trained run is where the prior is.
        first=int(projection.points.radius.argmin()) if run.split is None else None,
        projected=projected,
        **more,
    )


def figure_of_run(
    run: OpenedRun, *, posteriors: bool = False, on_note: Callable[[str], object], **options: Any
) -> "Figure":
    """A figure of a run for papers.

    Args:
        run: any run.
        posteriors: whether to draw where half of the mass of each posterior is.
        on_note: is told what has to be left out, where the data are not there any more.
        options: of :func:`hypgraph.viewer.draw_run`.

    Raises:
        ConfigError: if an option is not allowed, or needs what the run has not.
    """
    embeddings = run.embeddings
    return draw_run(
        embeddings.polar(),
        embeddings.space(),
        title=f"{run.summary['data']}: {_how_good(run)}",
        nodes=_nodes(run, on_note),
        posteriors=_posteriors(run) if posteriors else None,
        generator=stream(0, "projection"),
        **options,
    )


def _nodes(run: OpenedRun, on_note: Callable[[str], object]) -> NodeData:
    """The edges that the embedding has seen, and what is known of the nodes."""
    scale = run.embeddings.scale
    edges = None if run.split is None else run.split.train_edge_index
    labels: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    try:
        graph = run.graph
    except HypgraphError as error:
        on_note(f"without labels{' and edges' if edges is None else ''}: {error}")
    else:
        labels, names = graph.labels, run.class_names
        edges = graph.edge_index if edges is None else edges
    depth = None if edges is None else hop_depth(edges, run.embeddings.polar().radius.numpy())
    return NodeData(
        edges=edges, labels=labels, label_names=names, depth=depth, scale=scale if scale.any() else None
    )


def _posteriors(run: OpenedRun) -> CenteredDistribution:
    embeddings = run.embeddings
    if not embeddings.scale.any():
        raise ConfigError(f"{run.folder.path} holds points without posteriors; draw it anew with --uncertainty")
    family = "wrapped" if run.folder.is_drawing else run.folder.config().model.posterior
    scale = torch.from_numpy(embeddings.scale).double()
    if family == RiemannianNormal.name:
        scale = scale[:, 0]
    return FAMILIES[family](embeddings.polar(), scale, embeddings.space())


def _held_out_and_new(run: OpenedRun, predicted: int, on_note: Callable[[str], object]) -> dict[str, Any]:
    """Held-out edges and probable new ones, as the trained model scores them."""
    try:
        trained = finished_run(run.folder)
    except RunError as error:
        on_note(f"without held-out and new edges: {error}")
        return {}
    held_out = held_out_edges(trained)
    parts: dict[str, Any] = {"held_out": held_out.edge_index, "found": held_out.found}
    if predicted:
        new = predicted_edges(trained, count=predicted)
        parts |= {"predicted": new.edge_index, "probability": new.probability}
    return parts


def _what(run: OpenedRun) -> str:
    """The model and how good it is, in a line."""
    summary = run.summary
    how = summary["method"] if run.split is None else summary["decoder"]
    return f"{summary['latent']} d={summary['dim']}, {how}, {_how_good(run)}"


def _how_good(run: OpenedRun) -> str:
    if run.split is None:
        return f"reconstruction mAP {run.summary['mean_average_precision']:.3f}"
    test = run.summary["metrics"]["test"]
    return f"test AUC {100 * test['auc']:.1f}, AP {100 * test['ap']:.1f}"
