"""``hypgraph export``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hypgraph.cli.options import Run
from hypgraph.cli.paths import check_new_file
from hypgraph.exceptions import ConfigError

if TYPE_CHECKING:
    from hypgraph.experiments.opened_run import OpenedRun
    from hypgraph.export import ExportedGraph, Format

__all__ = ["export"]


def export(
    run: Run,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The file to write, for projector a folder. [default: RUN/embeddings and the format's ending]",
        ),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help="npz, csv, parquet, word2vec, projector or graphml. [default: by the ending of FILE, else npz]",
        ),
    ] = None,
    coords: Annotated[
        str | None,
        typer.Option(help="ball, polar, lorentz, tangent or klein. [default: those that the run is in]"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
) -> None:
    """Write the node embeddings of a run to a file."""
    from hypgraph.experiments.opened_run import OpenedRun
    from hypgraph.export import COORDINATES, EXPORT_FORMATS, OWN_COORDINATES, format_by_ending, save_embeddings
    from hypgraph.lookup import lookup

    file_format = format_by_ending(out) if file_format is None else file_format
    kind = lookup(EXPORT_FORMATS, file_format, what="format")
    if coords is not None:
        lookup(COORDINATES, coords, what="coordinates")
    opened = OpenedRun.open(run)
    embeddings, own_file = opened.embeddings, opened.folder.embeddings_file
    if out is None:
        middle = "" if coords in (None, OWN_COORDINATES[embeddings.manifold]) else f"-{coords}"
        out = opened.folder.path / f"embeddings{middle}{kind.endings[0]}"
    if out.resolve() == own_file.resolve():
        raise ConfigError(f"{own_file}: is what the run is read from; name another file with --out FILE")
    check_new_file(out, force=force, folder=file_format == "projector")
    graph = _graph_for(kind, opened)
    try:
        notes = save_embeddings(embeddings, out, file_format=file_format, coords=coords, graph=graph)
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written ({error.strerror or error})") from None
    if kind.leaves_out:
        notes += (f"{file_format} has no place for {kind.leaves_out}; they are in {own_file}",)
    for note in notes:
        typer.echo(f"  {note}", err=True)
    what = f"{len(embeddings.node_id)} nodes, {embeddings.manifold} d={embeddings.dim}"
    where = "" if coords is None else f", {coords} coordinates"
    typer.echo(f"{what}{where} -> {out} ({file_format})")


def _graph_for(kind: "Format", opened: "OpenedRun") -> "ExportedGraph | None":
    """What the format takes of the graph; None where it takes labels only and there are none.

    Raises:
        HypgraphError: if it takes the edges, and neither the split nor the data of the run are there.
    """
    import torch

    from hypgraph.export import ExportedGraph

    if not (kind.edges or kind.labels):
        return None
    labels = opened.labels
    if not kind.edges:
        return None if labels is None else ExportedGraph(torch.empty(2, 0, dtype=torch.int64), labels=labels)
    if opened.folder.split_file.exists() and (split := opened.split) is not None:
        parts = split.train_edge_index, split.val_edge_index, split.test_edge_index
        return ExportedGraph(torch.cat(parts, dim=1), split.directed, labels)
    return ExportedGraph(opened.graph.edge_index, opened.graph.directed, labels)
