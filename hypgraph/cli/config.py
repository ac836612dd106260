"""``hypgraph config``."""

import json

import typer

from hypgraph.cli.options import ConfigFile, Set, help_without_verb

__all__ = ["app"]

app = typer.Typer(help="Configurations.", invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def options(context: typer.Context) -> None:
    """Configurations."""
    help_without_verb(context)


@app.command("show")
def show(config: ConfigFile = None, assignments: Set = None) -> None:
    """Print the resolved configuration as TOML: the defaults, or those of a file with --set on top."""
    from hypgraph.config import SECTIONS, load_config

    resolved = load_config(config, assignments=assignments or ()).model_dump(mode="json")
    for section, values in resolved.items():
        typer.echo(f"[{section}]")
        fields = SECTIONS[section].model_fields
        for key, value in values.items():
            # TOML has no null.
            line = f"# {key} =" if value is None else f"{key} = {_toml(value)}"
            words = " ".join((fields[key].description or "").split())
            typer.echo(f"{line:<28}  # {words}")
        typer.echo("")


def _toml(value: object) -> str:
    """What JSON writes of strings, numbers and booleans is TOML too, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
