"""Nodes that training has not seen: how well their edges are found, against training with them.

    python benchmarks/new_nodes.py [--data cora] [--nodes 100] [--seeds 10]

For each seed, 100 nodes that have edges to others are drawn, and a third of their edges to the other nodes is
hidden; as many pairs of one of the nodes and a node that is no neighbour stand against these. The same pairs are
scored by

- a model that was trained without the nodes, which sees them afterwards, with their features and the other two
  thirds of their edges (`hypgraph embed-new`); with features alone; with edges alone;
- a model that was trained with the nodes and those two thirds;
- the first again with the latents of the new nodes exchanged among them, which must fall to about chance;
- the untrained cosine of ÂX, and preferential attachment, since the known ends of hidden edges have many edges.

Both models are validated on the same edges between other nodes and never see the hidden ones. Mean ± 95 % Student
interval over the seeds (nodes, split and initial weights all change); differences are paired by seed, with the
corrected resampled t-test's interval.
"""

import argparse
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from hypgraph.config import load_config
from hypgraph.data import EdgeSplit, Graph, load_graph, split_edges
from hypgraph.evaluation import LinkMetrics, link_metrics, mean_interval, paired_difference, score_baselines
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.experiments.new_nodes import NewNodes, encode_with
from hypgraph.models import VGAE
from hypgraph.random import stream


@dataclass(frozen=True)
class Held:
    """A graph whose last nodes are the new ones.

    Attributes:
        graph: all nodes, all edges but the hidden.
        count: how many are new.
        given: edges of the new nodes.
        hidden: edges of new to old nodes, to be scored.
        negative: as many pairs that are none.
    """

    graph: Graph
    count: int
    given: torch.Tensor
    hidden: torch.Tensor
    negative: torch.Tensor


def hold_out(graph: Graph, count: int, draw: np.random.Generator) -> Held:
    edges, number = graph.edge_index.numpy(), graph.num_nodes
    connected = np.flatnonzero(np.bincount(edges.ravel(), minlength=number))
    fresh = draw.choice(connected, count, replace=False)
    order = np.concatenate([np.setdiff1d(np.arange(number), fresh), fresh])
    place = np.empty(number, dtype=np.int64)
    place[order] = np.arange(number)
    edges, old = np.sort(place[edges], axis=0), number - count
    ends = (edges >= old).sum(axis=0)
    hidden = np.zeros(edges.shape[1], dtype=np.bool_)
    to_old = np.flatnonzero(ends == 1)
    hidden[draw.choice(to_old, len(to_old) // 3, replace=False)] = True
    features = None if graph.features is None else sp.csr_array(graph.features[order])
    shown = Graph.from_pairs(graph.name, edges[:, ~hidden], node_id=np.arange(number), features=features)
    return Held(
        shown,
        count,
        torch.from_numpy(edges[:, ~hidden & (ends > 0)]),
        torch.from_numpy(edges[:, hidden]),
        torch.from_numpy(non_edges(edges, edges[1, hidden], old, draw)),
    )


def non_edges(
    edges: NDArray[np.int64], new: NDArray[np.int64], old: int, draw: np.random.Generator
) -> NDArray[np.int64]:
    """For each of ``new`` an old node that is not its neighbour, no pair twice."""
    taken = set(map(tuple, edges.T.tolist()))
    pairs = []
    for node in new.tolist():
        while (pair := (int(draw.integers(old)), node)) in taken:
            pass
        taken.add(pair)
        pairs.append(pair)
    return np.array(pairs).T


def trained(run: LinkPrediction) -> VGAE:
    while not run.trainer.done:
        run.trainer.run_epoch()
    return run.trainer.best_model()


def figures(data: Graph, count: int, seed: int) -> tuple[dict[str, LinkMetrics], float]:
    """What each scores, and the number of hidden edges to one edge of training."""
    held = hold_out(data, count, np.random.default_rng(seed))
    old = data.num_nodes - count
    config = load_config(overrides={"data.name": data.name, "training.seed": seed, "training.device": "cpu"})
    inside = held.graph.edge_index[:, (held.graph.edge_index < old).all(dim=0)]
    features = held.graph.features
    known = None if features is None else sp.csr_array(features[:old])
    small = Graph(data.name, inside, np.arange(old), known)
    split = split_edges(small, generator=stream(seed, "split"))
    train = torch.cat([split.train_edge_index, held.given], dim=1)
    train = train[:, (train[0] * data.num_nodes + train[1]).argsort()]
    grown: EdgeSplit = replace(split, num_nodes=data.num_nodes, train_edge_index=train)

    def score(model: VGAE, loc: torch.Tensor) -> LinkMetrics:
        with torch.no_grad():
            return link_metrics(model.decode(loc, held.hidden), model.decode(loc, held.negative))

    before = LinkPrediction.prepare(config, graph=small, split=split)
    model = trained(before)
    with torch.no_grad():
        known_loc = model.encode(before.task.features, before.task.adjacency).loc
    ids = np.arange(old, data.num_nodes)
    own = None if features is None else sp.csr_array(features[old:])
    nothing = None if own is None else sp.csr_array(own.shape, dtype=np.float32)
    no_edges = held.given[:, :0]
    exchange = torch.randperm(count, generator=stream(seed, "shuffle"))
    result: dict[str, LinkMetrics] = {}
    shuffled: dict[str, LinkMetrics] = {}
    for name, rows, edges in [
        ("new: features and edges", own, held.given),
        ("new: features alone", own, no_edges),
        ("new: edges alone", nothing, held.given),
    ]:
        if features is None and name != "new: edges alone":
            continue
        posterior = encode_with(before, model, NewNodes(ids, rows, edges))
        loc = posterior.loc[old:]
        result[name] = score(model, torch.cat([known_loc, loc]))
        shuffled.setdefault("new: latents exchanged", score(model, torch.cat([known_loc, loc[exchange]])))
    after = LinkPrediction.prepare(config, graph=held.graph, split=grown)
    model = trained(after)
    with torch.no_grad():
        result["trained with them"] = score(model, model.encode(after.task.features, after.task.adjacency).loc)
    result |= shuffled
    untrained = score_baselines(train, data.num_nodes, features, {"hidden": (held.hidden, held.negative)})
    for key, label in (
        ("cosine_ax", "cosine ÂX, untrained"),
        ("preferential_attachment", "preferential attachment"),
    ):
        if key in untrained:
            result[label] = untrained[key]["hidden"]
    return result, held.hidden.shape[1] / train.shape[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="cora")
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = load_graph(arguments.data)
    results, ratios = zip(*(figures(data, arguments.nodes, seed) for seed in range(arguments.seeds)), strict=True)
    ratio = sum(ratios) / len(ratios)
    print(f"{data.name}: {arguments.nodes} new nodes, {arguments.seeds} seeds, %\n")
    print("| | AUC | AP | AUC - trained with them |\n|---|---:|---:|---:|")
    twin = [100 * result["trained with them"].auc for result in results]
    for name in results[0]:
        auc, ap = ([100 * result[name][part] for result in results] for part in (0, 1))
        cells = [(cell.mean, cell.half_width) for cell in (mean_interval(auc), mean_interval(ap))]
        difference = paired_difference(auc, twin, test_fraction=ratio, train_fraction=1.0)
        cells.append((difference.mean, difference.half_width))
        print(f"| {name} | " + " | ".join(f"{mean:.2f} ± {half_width:.2f}" for mean, half_width in cells) + " |")


if __name__ == "__main__":
    main()
