"""Classes of nodes from their embeddings: log-map coordinates, StandardScaler, LogisticRegression.

    python benchmarks/node_classification.py [--data cora] [--seeds 10] [--labels 20] [--dim 16] [--epochs 1000]

An embedder is fitted to the whole graph with its features, and sees no label. Then, for each seed, 20 nodes of
every class are drawn, a classifier is fitted to their coordinates, and the classes of all other nodes are
predicted. Each seed has an embedding, with its own initial weights, and known nodes of its own. Beside the
embeddings stand, on the same nodes,

- the features X (rows of length 1, bags of words weighted by tf-idf: what the embedder sees);
- ÂX, their average over a node and its neighbours;
- the Euclidean twin of the embedder, with the defaults of flat space, which were tuned as hard.

Both train until 100 epochs have brought no better score on the validation edges.

For every representation the same eight settings of the classifier, C in 0.1, 1, 10, 100, with a StandardScaler or
without, are compared by four-fold cross-validation on the known nodes. Accuracy in %, mean ± 95 % Student interval
over the seeds.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hypgraph import VGAEEmbedder
from hypgraph.data import Graph, load_graph
from hypgraph.evaluation import TrainingGraph, mean_interval
from hypgraph.training import input_features

Rows = NDArray[np.float64] | sp.csr_array


def features(graph: Graph) -> sp.csr_array:
    return input_features(graph, graph.edge_index)


def propagated_features(graph: Graph) -> sp.csr_array:
    neighbours = TrainingGraph.from_edges(graph.edge_index, graph.num_nodes)
    with_itself = neighbours.adjacency + sp.eye_array(graph.num_nodes)
    return sp.csr_array(sp.diags_array(1.0 / (neighbours.degree + 1)) @ with_itself @ features(graph))


def classifier(rows: Rows) -> GridSearchCV:
    """Logistic regression on ``rows``, its settings chosen on the nodes that it is fitted to."""
    scale = StandardScaler(with_mean=not sp.issparse(rows))  # to centre sparse rows would fill them
    steps = Pipeline([("scale", scale), ("classify", LogisticRegression(max_iter=5000))])
    settings = {"scale": [scale, "passthrough"], "classify__C": [0.1, 1.0, 10.0, 100.0]}
    return GridSearchCV(steps, settings, cv=4)


def known_nodes(labels: NDArray[np.int64], each: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """As many nodes of each class."""
    classes = range(labels.max() + 1)
    return np.concatenate([draw.choice(np.flatnonzero(labels == k), each, replace=False) for k in classes])


def accuracy(rows: Rows, labels: NDArray[np.int64], known: NDArray[np.int64]) -> float:
    """Of the classes of all labelled nodes but the ``known``, in %."""
    asked = np.setdiff1d(np.flatnonzero(labels >= 0), known)
    model = classifier(rows).fit(rows[known], labels[known])
    return 100 * float(model.score(rows[asked], labels[asked]))


def representations(dim: int, epochs: int) -> dict[str, Callable[[Graph, int], Rows]]:
    """From the graph without its labels, and a seed, to a row a node."""

    def embedded(latent: str) -> Callable[[Graph, int], Rows]:
        options = {"epochs": epochs, "patience": 100}
        return lambda graph, seed: VGAEEmbedder(latent, dim, random_state=seed, **options).fit_transform(graph)

    return {
        "X": lambda graph, _seed: features(graph),
        "ÂX": lambda graph, _seed: propagated_features(graph),
        f"Euclidean embedding, {dim} dimensions": embedded("euclidean"),
        f"Poincaré embedding, {dim} dimensions": embedded("poincare"),
    }


def figures(graph: Graph, seeds: int, each: int, dim: int, epochs: int) -> dict[str, list[float]]:
    """Accuracy of each representation for each seed."""
    assert graph.labels is not None
    unlabelled = replace(graph, labels=None, label_names=())
    result: dict[str, list[float]] = {}
    for seed in range(seeds):
        known = known_nodes(graph.labels, each, np.random.default_rng(seed))
        for name, represent in representations(dim, epochs).items():
            result.setdefault(name, []).append(accuracy(represent(unlabelled, seed), graph.labels, known))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="cora")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--labels", type=int, default=20, help="known nodes of each class")
    parser.add_argument("--dim", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=1000, help="the most; training stops by validation edges")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    graph = load_graph(arguments.data)
    if graph.labels is None or graph.features is None:
        parser.error(f"{graph.name} has no labels or no features; try cora or citeseer")
    started = time.process_time()
    result = figures(graph, arguments.seeds, arguments.labels, arguments.dim, arguments.epochs)
    print(f"{graph.name}: {arguments.labels} labels a class, {arguments.seeds} seeds\n")
    print("| | accuracy, % |\n|---|---:|")
    for name, values in result.items():
        mean, half_width = mean_interval(values)
        print(f"| {name} | {mean:.1f} ± {half_width:.1f} |")
    print(f"\n{time.process_time() - started:.0f} s of one core")


if __name__ == "__main__":
    main()
