"""The program ``hypgraph``: its verbs, and what becomes of errors."""

import os
import sys
from typing import Annotated

import typer

from hypgraph import __version__
from hypgraph.cli import (
    baselines,
    compare,
    config,
    data,
    embed,
    embed_new,
    evaluate,
    experiment,
    export,
    neighbors,
    plot,
    train,
    tune,
    view,
)
from hypgraph.cli.options import help_without_verb
from hypgraph.exceptions import HypgraphError

__all__ = ["app", "main"]

app = typer.Typer(
    name="hypgraph",
    help="Representations of graphs that have a hierarchy in them.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.command("train")(train.train)
app.command("tune")(tune.tune)
app.command("evaluate")(evaluate.evaluate)
app.command("embed")(embed.embed)
app.command("view")(view.view)
app.command("plot")(plot.plot)
app.command("neighbors")(neighbors.neighbors)
app.command("export")(export.export)
app.command("embed-new")(embed_new.embed_new)
app.command("baselines")(baselines.baselines)
app.command("compare")(compare.compare)
app.add_typer(data.app, name="data")
app.add_typer(config.app, name="config")
app.add_typer(experiment.app, name="experiment")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hypgraph {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Learn representations of graphs that have a hierarchy in them."""
    help_without_verb(context)


def main() -> None:
    """Runs the program: an error is one line on standard error and exit code 2, with ``--debug`` its traceback."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    # --debug is accepted in any place.
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        code = app(arguments, prog_name="hypgraph", standalone_mode=False)
    except (HypgraphError, typer.TyperException) as error:
        if debug:
            raise
        typer.echo(f"hypgraph: {_one_line(error)}", err=True)
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has left (`| head`); Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        # torch has no class of its own for memory that the processor cannot give
        if debug or not (isinstance(error, MemoryError) or "memory" in str(error)):
            raise
        typer.echo("hypgraph: not enough memory; try a smaller --dim, model.hidden or graph", err=True)
        sys.exit(2)
    except OSError as error:
        if debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"hypgraph: {where}{error.strerror or error}", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _one_line(error: Exception) -> str:
    # Errors of the command line itself name the option only in format_message.
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return " ".join(message.split())
