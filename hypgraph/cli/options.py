"""Options that several verbs share, with defaults and help taken from the configuration's own fields."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hypgraph.config import DRAWING_SECTIONS, SECTIONS

__all__ = ["ConfigFile", "DataRoot", "Run", "Set", "described", "help_without_verb"]

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as 'hypgraph train' prints it.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="A TOML file, or the config.json of a run.")
]
DataRoot = Annotated[
    Path | None,
    typer.Option(
        "--data-root", metavar="FOLDER", help="Folder for data outside the project. [default: $HYPGRAPH_DATA]"
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any key of the configuration; may be repeated."),
]


def described(key: str, *, metavar: str | None = None, flag: bool = False) -> Any:
    """An option for the configuration key ``section.name``, described by the field's own words and default.

    With ``flag`` it takes no value: ``--name``, or ``--no-name`` over a configuration file.
    """
    section, name = key.split(".")
    field = (DRAWING_SECTIONS | SECTIONS)[section].model_fields[name]
    default = "" if field.default is None else f" [default: {field.default}]"
    option = f"--{name.replace('_', '-')}"
    return typer.Option(
        f"{option}/--no-{option[2:]}" if flag else option, metavar=metavar, help=f"{field.description}{default}"
    )


def help_without_verb(context: typer.Context) -> None:
    """Prints the help of a group of verbs that was called without one."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
