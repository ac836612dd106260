"""``hypgraph export``."""

from pathlib import Path
from typing import Annotated

import typer

from hypgraph.cli.options import Run
from hypgraph.cli.paths import check_new_file, format_of
from hypgraph.exceptions import ConfigError, RunError

__all__ = ["export"]


def export(
    run: Run,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write.")],
    file_format: Annotated[
        str | None, typer.Option("--format", "-f", help="npz or csv. [default: by the ending of FILE, else npz]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
) -> None:
    """Write the node embeddings of a run to a file."""
    from hypgraph.export import EXPORT_FORMATS, Embeddings
    from hypgraph.lookup import lookup
    from hypgraph.run_folder import RunFolder

    file_format = format_of(out, file_format)
    write = lookup(EXPORT_FORMATS, file_format, what="format")
    folder = RunFolder.open(run)
    seeds = folder.config().training.seeds
    if seeds > 1:
        raise RunError(
            f"{run} holds {seeds} runs; export one of them, for example {run}/seed-{folder.config().training.seed}"
        )
    folder.summary()
    check_new_file(out, force=force)
    embeddings = Embeddings.load(folder.embeddings_file)
    try:
        write(embeddings, out)
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written ({error.strerror})") from None
    what = f"{len(embeddings.node_id)} nodes, {embeddings.manifold} d={embeddings.scale.shape[1]}"
    typer.echo(f"{what} -> {out} ({file_format})")
