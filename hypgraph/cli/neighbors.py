"""``hypgraph neighbors``."""

import json
from typing import Annotated

import typer

from hypgraph.cli.options import Run
from hypgraph.exceptions import DataError

__all__ = ["neighbors"]


def neighbors(
    run: Run,
    node: Annotated[list[str], typer.Option("--node", metavar="ID", help="Id of a node; may be repeated.")],
    count: Annotated[int, typer.Option("-k", "--count", min=1, help="How many neighbours.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the nodes nearest to a node by geodesic distance."""
    from hypgraph.experiments.opened_run import OpenedRun
    from hypgraph.neighbors import Neighbors

    opened = OpenedRun.open(run)
    embeddings = opened.embeddings
    rows = [opened.row_of(name) for name in node]
    others = len(embeddings.node_id) - 1
    if not others:
        raise DataError(f"{run} has one node, and nothing is near it")
    distance, index = Neighbors(embeddings.polar(), embeddings.space()).query_nodes(rows, min(count, others))
    labels = opened.labels
    ids = embeddings.node_id.tolist()
    results = [
        [
            {"node": ids[other], "distance": length, **({"label": labels[other]} if labels else {})}
            for other, length in zip(others, lengths, strict=True)
        ]
        for others, lengths in zip(index.tolist(), distance.tolist(), strict=True)
    ]
    if as_json:
        typer.echo(json.dumps(dict(zip(node, results, strict=True)), indent=2, ensure_ascii=False))
        return
    for name, result in zip(node, results, strict=True):
        typer.echo(f"{name}: its {len(result)} nearest by geodesic distance")
        for entry in result:
            label = f"  {entry['label']}" if entry.get("label") is not None else ""
            typer.echo(f"  {entry['distance']:10.4f}  {entry['node']}{label}")
