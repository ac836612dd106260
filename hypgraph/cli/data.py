"""``hypgraph data``."""

import typer

from hypgraph.cli.options import help_without_verb

__all__ = ["app"]

app = typer.Typer(help="Data sets.", invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def options(context: typer.Context) -> None:
    """Data sets."""
    help_without_verb(context)


@app.command("list")
def list_data() -> None:
    """List the data sets that --data knows by name."""
    from rich.console import Console
    from rich.table import Table

    from hypgraph.data import CATALOGUE

    table = Table()
    table.add_column("name", style="bold")
    for column in ("nodes", "edges", "features", "classes"):
        table.add_column(column, justify="right")
    table.add_column("what it is")
    for name, entry in CATALOGUE.items():
        counts = (entry.nodes, entry.edges, entry.features, entry.classes)
        table.add_row(name, *(f"{count:,}" for count in counts), entry.description)
    Console().print(table)
    typer.echo("Or a file with an edge a line (.csv .tsv .txt .edges): two columns of node ids.")
