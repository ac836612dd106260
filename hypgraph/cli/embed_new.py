"""``hypgraph embed-new``."""

from pathlib import Path
from typing import Annotated

import typer

from hypgraph.cli.options import Run
from hypgraph.cli.paths import check_new_file
from hypgraph.exceptions import ConfigError

__all__ = ["embed_new"]

_SHOWN = 5
"""How many new nodes are named: a mistyped id of an old node would be one of them."""


def embed_new(
    run: Run,
    features: Annotated[
        Path | None,
        typer.Option(
            "--features",
            metavar="FILE",
            help="A table of the new nodes, with the columns of the training features.",
        ),
    ] = None,
    edges: Annotated[
        Path | None,
        typer.Option("--edges", metavar="FILE", help="Edges of the new nodes, to old ones or among themselves."),
    ] = None,
    source_col: Annotated[
        str | None, typer.Option("--source-col", metavar="COLUMN", help="Column of --edges with the sources.")
    ] = None,
    target_col: Annotated[
        str | None, typer.Option("--target-col", metavar="COLUMN", help="Column of --edges with the targets.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The file to write. [default: RUN/new-embeddings.npz]"),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help="npz, csv, parquet, word2vec or projector. [default: by the ending of FILE, else npz]",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
) -> None:
    """Write posteriors of nodes that a run has not seen, by its trained encoder."""
    from hypgraph.export import EXPORT_FORMATS, format_by_ending, save_embeddings
    from hypgraph.lookup import lookup
    from hypgraph.run_folder import RunFolder

    file_format = format_by_ending(out) if file_format is None else file_format
    # The edges of new nodes lead to old ones, which the file would not hold.
    formats = {name: kind for name, kind in EXPORT_FORMATS.items() if not kind.edges}
    kind = lookup(formats, file_format, what="format")
    if source_col is not None and edges is None:
        raise ConfigError("--source-col and --target-col are columns of --edges FILE; add that, or leave them out")
    folder = RunFolder.open(run)
    out = folder.path / f"new-embeddings{kind.endings[0]}" if out is None else out
    check_new_file(out, force=force, folder=file_format == "projector")

    from hypgraph.experiments import new_nodes

    notes: list[str] = []
    embeddings = new_nodes.embed_new(
        folder, features, edges, source_column=source_col, target_column=target_col, on_note=notes.append
    )
    try:
        notes += save_embeddings(embeddings, out, file_format=file_format)
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written ({error.strerror or error})") from None
    if kind.leaves_out:
        notes.append(f"{file_format} has no place for {kind.leaves_out}; --format npz and csv have")
    for note in notes:
        typer.echo(f"  {note}", err=True)
    count, dim = embeddings.scale.shape
    ids = ", ".join(map(str, embeddings.node_id[:_SHOWN].tolist())) + ", …" * (count > _SHOWN)
    new = f"{count} new node{'s' * (count != 1)} ({ids})"
    typer.echo(f"{new}, {embeddings.manifold} d={dim} -> {out} ({file_format})")
