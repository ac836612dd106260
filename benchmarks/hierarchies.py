"""How well graphs are drawn from their edges alone, and how long it takes: the table of results/hierarchies.md.

    python benchmarks/hierarchies.py [--only phylo,csphd] [--seed 0] > results/hierarchies.md

Nothing is set for a graph by hand: every row is what `hypgraph embed --data … --dim …` does. mAP is the mean
average precision of the reconstruction over all nodes, ties counted against the drawing; distortion is the mean of
|s d_h/d_g - 1| over pairs, s the best scale. Seconds are CPU time, with wall time beside it. With `--uncertainty`
the means of the posteriors are scored. Data that are not bundled are found through HYPGRAPH_DATA.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import torch

from hypgraph.config import GraphConfig
from hypgraph.data import Graph, from_networkx
from hypgraph.evaluation import embedding_quality, reconstruction
from hypgraph.exceptions import HypgraphError
from hypgraph.experiments.drawing import embeddings_of
from hypgraph.experiments.link_data import load_data
from hypgraph.hierarchy import embed_hierarchy
from hypgraph.random import stream


class Case(NamedTuple):
    """A graph to draw.

    Attributes:
        name: for the table.
        load: gives the graph.
        dim: of the space.
        floor: of the mean average precision; None where none is asked for.
        uncertainty: whether the points get posteriors.
    """

    name: str
    load: Callable[[], Graph]
    dim: int = 2
    floor: float | None = None
    uncertainty: bool = False


def named(name: str) -> Callable[[], Graph]:
    return lambda: load_data(GraphConfig(name=name))


def recursive_tree(nodes: int, seed: int) -> Graph:
    """Each node hangs below an earlier one, all equally likely."""
    draws = torch.rand(nodes, generator=stream(seed, "recursive tree"))
    parents = (draws * torch.arange(nodes)).long()[1:]
    pairs = torch.stack([parents, torch.arange(1, nodes)])
    return Graph.from_pairs("recursive tree", pairs, node_id=range(nodes))


def tree_of_diameter(diameter: int, nodes: int) -> Graph:
    """The first of networkx's random labelled trees of that many nodes that has the diameter."""
    for seed in range(1000):
        tree = nx.random_labeled_tree(nodes, seed=seed)
        if nx.diameter(tree) == diameter:
            return from_networkx(tree)
    raise SystemExit(f"none of 1000 random trees of {nodes} nodes has diameter {diameter}")


def reduction() -> Graph:
    """Hypernyms of mammals without those that follow from others."""
    file = Path(os.environ.get("HYPGRAPH_DATA", "")) / "wordnet" / "mammal_closure.csv"
    closure = load_data(GraphConfig(name=str(file), source_col="id1", target_col="id2", directed=True))
    arrows = nx.DiGraph(closure.edge_index.T.tolist())
    return from_networkx(nx.Graph(nx.transitive_reduction(arrows)))


CASES = (
    Case("binary tree, 511 nodes", named("tree:depth=8"), floor=0.999),
    Case("random recursive tree, 500", lambda: recursive_tree(500, 0), floor=0.999),
    Case("phylo", named("phylo"), floor=0.99),
    Case("disease", named("disease"), floor=0.995),
    Case("random tree, diameter 88", lambda: tree_of_diameter(88, 1000), floor=0.97),
    Case("csphd", named("csphd"), floor=0.97),
    Case("diseasome", named("diseasome"), floor=0.89),
    Case("diseasome", named("diseasome"), dim=5, floor=0.96),
    Case("mammals reduction", reduction, floor=0.99),
    Case("mammals closure", named("wordnet-mammals"), floor=0.95),
    Case("binary tree, 511 nodes", named("tree:depth=8"), floor=0.99, uncertainty=True),
    Case("phylo", named("phylo"), floor=0.99, uncertainty=True),
    Case("disease", named("disease"), floor=0.99, uncertainty=True),
    Case("karate", named("karate")),
    Case("les-miserables", named("les-miserables")),
    Case("grid, 20 x 20", lambda: from_networkx(nx.grid_2d_graph(20, 20))),
    Case("Cora", named("cora")),
    Case("airport", named("airport")),
)


def measured(case: Case, seed: int) -> str:
    """A row of the table."""
    graph = case.load()
    wall, cpu = time.perf_counter(), time.process_time()
    drawing = embed_hierarchy(
        graph.edge_index,
        graph.num_nodes,
        dim=case.dim,
        directed=graph.directed,
        uncertainty=case.uncertainty,
        generator=stream(seed, "embed"),
    )
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    points = embeddings_of(drawing, graph.node_id).polar()
    found = reconstruction(graph.edge_index, points, drawing.manifold)
    quality = embedding_quality(graph.edge_index, points, drawing.manifold, generator=stream(seed, "quality"))
    cells = (
        case.name + (", --uncertainty" if case.uncertainty else ""),
        f"{graph.num_nodes:,}",
        f"{graph.num_edges:,}",
        str(case.dim),
        "" if case.floor is None else f"{case.floor:g}",
        f"{found.mean_average_precision:.4f}",
        f"{found.mean_rank:.2f}",
        f"{quality.scaled_distortion.mean:.3f}",
        drawing.method,
        f"{cpu:.1f} ({wall:.1f})",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names that begin so, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chosen = tuple(options.only.split(","))
    print("# Hierarchies drawn from their edges\n")
    command = f"python benchmarks/hierarchies.py --seed {options.seed}"
    threads = f"{torch.get_num_threads()} thread" + "s" * (torch.get_num_threads() != 1)
    print(f"`{command}` on the CPU, {threads}; the protocol stands in the program.\n")
    print("| graph | nodes | edges | d | floor | mAP | mean rank | distortion | method | CPU s (wall) |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|---:|")
    for case in CASES:
        if case.name.startswith(chosen):
            try:
                print(measured(case, options.seed), flush=True)
            except HypgraphError as error:
                print(f"| {case.name} | | | | | {error} | | | | |", flush=True)


if __name__ == "__main__":
    main()
