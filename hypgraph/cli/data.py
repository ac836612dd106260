"""``hypgraph data``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hypgraph.cli.options import DataRoot, described, help_without_verb

__all__ = ["app"]

app = typer.Typer(help="Data sets.", invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def options(context: typer.Context) -> None:
    """Data sets."""
    help_without_verb(context)


@app.command("list")
def list_data(data_root: DataRoot = None) -> None:
    """List the data sets and simulations that --data knows by name."""
    from rich.console import Console
    from rich.table import Table

    from hypgraph.data import CATALOGUE
    from hypgraph.data.data_files import is_here
    from hypgraph.data.images import IMAGE_SETS
    from hypgraph.data.simulators import SIMULATORS

    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 130)
    table = Table(box=None)
    table.add_column("name", style="bold", no_wrap=True)
    for column in ("nodes", "edges", "features", "classes"):
        table.add_column(column, justify="right")
    table.add_column("here")
    table.add_column("what it is")
    for name, entry in CATALOGUE.items():
        counts = (entry.nodes, entry.edges, entry.features, entry.classes)
        here = "yes" if entry.is_here(data_root) else ""
        table.add_row(name, *(f"{count:,}" for count in counts), here, entry.description)
    console.print(table)
    typer.echo(
        "\nWhat is not here: hypgraph data fetch NAME, or --data-root or HYPGRAPH_DATA, a folder that has it.\n"
    )
    table = Table(box=None)
    table.add_column("simulation", style="bold", overflow="fold")
    table.add_column("what it is")
    for name, simulator in SIMULATORS.items():
        parameters = ",".join(f"{key}={value.default:g}" for key, value in simulator.parameters.items())
        table.add_row(f"{name}:{parameters}", simulator.description)
    console.print(table)
    typer.echo("")
    table = Table(box=None)
    table.add_column("images", style="bold", no_wrap=True)
    for column in ("train", "test", "here"):
        table.add_column(column, justify="right")
    table.add_column("what it is")
    for name, images in IMAGE_SETS.items():
        here = "yes" if all(is_here(file, data_root=data_root) for file in images.files) else ""
        table.add_row(name, *(f"{count:,}" for count in images.shape[:2]), here, images.description)
    console.print(table)
    typer.echo(
        "\nParameters may be left out; seed=N draws another one. --data also takes pyg:Class/Name, a data set of\n"
        "PyTorch Geometric, and files: with an edge a line (.csv .tsv .txt .edges, also .gz), .graphml .gml .mtx\n"
        ".npz .parquet."
    )


@app.command("info")
def info(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A data set, a simulation or a file, as for train.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    source_col: Annotated[str | None, described("data.source_col", metavar="COLUMN")] = None,
    target_col: Annotated[str | None, described("data.target_col", metavar="COLUMN")] = None,
    directed: Annotated[bool | None, described("data.directed", flag=True)] = None,
    features: Annotated[str | None, described("data.features", metavar="FILE")] = None,
    data_root: DataRoot = None,
) -> None:
    """Read a graph, or a set of images, and say what it has."""
    from hypgraph.config import load_config
    from hypgraph.data import CATALOGUE
    from hypgraph.data.images import IMAGE_SETS
    from hypgraph.experiments.link_data import load_data

    if data in IMAGE_SETS:
        _print_facts(_facts_of_images(data, data_root), as_json=as_json)
        return
    overrides = {
        "data.name": data,
        "data.source_col": source_col,
        "data.target_col": target_col,
        "data.directed": directed,
        "data.features": features,
        "data.root": data_root and str(data_root),
    }
    graph = load_data(load_config(overrides=overrides).data)
    facts: dict[str, Any] = {
        "name": graph.name,
        "nodes": graph.num_nodes,
        "edges": graph.num_edges,
        "features": 0 if graph.features is None else graph.features.shape[1],
        "classes": 0 if graph.labels is None else len(set(graph.labels[graph.labels >= 0].tolist())),
        "directed": graph.directed,
        "isolated": graph.num_isolated,
        "self_loops_dropped": graph.self_loops_dropped,
        "duplicates_dropped": graph.duplicates_dropped,
        "notes": list(graph.notes),
    }
    if data in CATALOGUE:
        entry = CATALOGUE[data]
        facts |= {
            "description": entry.description,
            "terms": entry.terms,
            "source": entry.source,
            "sha256": {file.path: file.sha256 for file in entry.files},
        }
    _print_facts(facts, as_json=as_json)


def _facts_of_images(name: str, data_root: Path | None) -> dict[str, Any]:
    from hypgraph.data.images import IMAGE_SETS, load_images

    source, images = IMAGE_SETS[name], load_images(name, data_root=data_root)
    return {
        "name": name,
        "train_images": len(images.train_images),
        "test_images": len(images.test_images),
        "height": images.train_images.shape[1],
        "width": images.train_images.shape[2],
        "max_value": images.max_value,
        "classes": len(images.label_names),
        "description": source.description,
        "terms": source.terms,
        "source": source.source,
        "sha256": {file.path: file.sha256 for file in source.files},
    }


def _print_facts(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for key, value in facts.items():
        label = key.replace("_", " ")
        if isinstance(value, int) and not isinstance(value, bool):
            typer.echo(f"{label}: {value:,}")
        elif isinstance(value, dict):
            for path, digest in value.items():
                typer.echo(f"{label} of {path}: {digest or 'not published; that of the first download is kept'}")
        elif isinstance(value, list):
            for line in value:
                typer.echo(f"note: {line}")
        else:
            typer.echo(f"{label}: {'yes' if value is True else 'no' if value is False else value}")


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set of hypgraph data list.")],
    data_root: DataRoot = None,
) -> None:
    """Download the files of a data set to the cache folder, and check them."""
    from hypgraph.data import CATALOGUE, CatalogueEntry
    from hypgraph.data.data_files import fetch_file, is_here
    from hypgraph.data.images import IMAGE_SETS, ImageSource
    from hypgraph.lookup import lookup

    sources: dict[str, CatalogueEntry | ImageSource] = {**CATALOGUE, **IMAGE_SETS}
    source = lookup(sources, name, what="data set")
    here = isinstance(source, CatalogueEntry) and source.is_here(data_root)
    missing = [] if here else [file for file in source.files if not is_here(file, data_root=data_root)]
    for file in missing:
        typer.echo(fetch_file(file, name=name, data_root=data_root))
    if not missing:
        typer.echo(f"{name}: everything is here")
