"""Every baseline on one data set, on the splits that ``hypgraph train`` makes of it, and the table of it."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hypgraph.config import RunConfig
from hypgraph.data import EdgeSplit, Graph
from hypgraph.evaluation import BASELINES, MeanInterval, mean_interval
from hypgraph.evaluation.baselines import baseline_scores
from hypgraph.evaluation.link_metrics import link_metrics
from hypgraph.experiments.compare import same_split
from hypgraph.experiments.link_data import load_data, split_of
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.training import limited_threads, link_logits

__all__ = [
    "LABELS",
    "METRICS",
    "REFERENCE",
    "SETS",
    "TITLE",
    "BaselineTable",
    "markdown",
    "percent",
    "run_baselines",
]

TITLE = "# Baselines"
TRAINED = "euclidean_vgae"
LABELS = {**{key: baseline.label for key, baseline in BASELINES.items()}, TRAINED: "Euclidean VGAE, trained"}
METRICS = ("auc", "ap")
SETS = ("val", "test", "test_connected")
"""``test_connected`` is the test set without pairs that touch a node isolated in the training graph."""

REFERENCE: dict[str, dict[str, tuple[float, float]]] = {
    "cora": {
        "common_neighbours": (71.8, 71.6),
        "katz": (81.1, 87.1),
        "personalised_pagerank": (83.1, 88.6),
        "cosine_x": (80.0, 82.2),
        "logistic_regression": (86.4, 87.0),
        "cosine_ax": (93.8, 94.9),
    },
    "citeseer": {
        "common_neighbours": (66.7, 66.7),
        "katz": (74.5, 79.8),
        "personalised_pagerank": (74.6, 80.0),
        "cosine_x": (89.5, 91.3),
        "logistic_regression": (94.8, 95.3),
        "cosine_ax": (96.2, 97.1),
    },
    "airport": {
        "common_neighbours": (94.4, 94.1),
        "katz": (93.6, 95.6),
        "personalised_pagerank": (94.5, 96.3),
        "cosine_x": (86.3, 86.4),
        "logistic_regression": (90.6, 89.7),
        "cosine_ax": (93.1, 92.0),
    },
    "disease": {
        "common_neighbours": (49.9, 50.0),
        "katz": (30.6, 50.0),
        "personalised_pagerank": (30.6, 50.0),
        "cosine_x": (52.3, 52.5),
        "logistic_regression": (99.6, 99.5),
        "cosine_ax": (62.5, 63.0),
    },
}
"""Test AUC and AP in % of prototypes of the same recipes, on other splits of the same shares, by data set."""

NOTES: dict[str, str] = {
    "cora": (
        "Logistic regression is a point above the reference; on seeds 10 to 19 it has 87.4 / 87.8. Without "
        "tf-idf it has 84.0 / 85.5 on seeds 0 to 2."
    ),
    "airport": (
        "The reference is of features with rows scaled to sum to 1, as the code of HGCN has them: they give "
        "logistic regression 90.9 / 89.6 and cosine ÂX 93.2 / 92.1 here. As they come, which is what the rows "
        "show, they tell more."
    ),
    "disease": (
        "The edges are a tree: without a test edge its ends are in different parts, and no walk joins them. "
        "Katz and PageRank are 0 for every test edge, and their AUC is ½ (1 − q), with q the share of test "
        "non-edges that lie in one part. That depends on whether an edge near the root is held out: over 300 "
        "seeds the AUC is 34.4, with a standard deviation of 4.6 between seeds (cosine X 53.1 and 2.3, cosine "
        "ÂX 63.6 and 2.3). Logistic regression owes its figure to one column of X."
    ),
}
"""Why a figure is what it is, or differs from the reference, by data set."""


@dataclass(frozen=True)
class BaselineTable:
    """What the baselines reach on the splits of several seeds.

    Attributes:
        graph: the data.
        config: how it is split.
        seeds: the seeds of the splits; the first alone where every seed has the same split.
        figures: ``figures[baseline][set][metric]``, a value a seed, fractions in [0, 1]; NaN where a set has no
            pairs. The sets are :data:`SETS`, the metrics :data:`METRICS`.
        isolated: share of test edges, and of test non-edges, that touch a node isolated in the training graph.
    """

    graph: Graph
    config: RunConfig
    seeds: list[int]
    figures: dict[str, dict[str, dict[str, list[float]]]]
    isolated: tuple[float, float]

    @property
    def left_out(self) -> list[str]:
        """Labels of the baselines that this graph does not allow."""
        return [baseline.label for key, baseline in BASELINES.items() if key not in self.figures]

    def interval(self, baseline: str, which: str, metric: str) -> MeanInterval:
        """Mean and 95 % Student interval of a figure; NaN where a seed has none."""
        values = self.figures[baseline][which][metric]
        if not all(map(math.isfinite, values)):
            return MeanInterval(math.nan, math.nan)
        return mean_interval(values)

    def as_json(self) -> dict[str, Any]:
        """All of it, for a file; NaN becomes None."""
        return {
            "data": self.graph.name,
            "graph": {
                "nodes": self.graph.num_nodes,
                "edges": self.graph.num_edges,
                "features": 0 if self.graph.features is None else self.graph.features.shape[1],
            },
            "val_fraction": self.config.data.val_fraction,
            "test_fraction": self.config.data.test_fraction,
            "seeds": self.seeds,
            "isolated": {"test_edges": self.isolated[0], "test_non_edges": self.isolated[1]},
            "baselines": {
                key: {
                    which: {
                        metric: {
                            "mean": _finite(self.interval(key, which, metric).mean),
                            "half_width95": _finite(self.interval(key, which, metric).half_width),
                            "values": [_finite(value) for value in by_metric[metric]],
                        }
                        for metric in METRICS
                    }
                    for which, by_metric in by_set.items()
                }
                for key, by_set in self.figures.items()
            },
            "left_out": [key for key in BASELINES if key not in self.figures],
        }


def run_baselines(
    config: RunConfig,
    *,
    graph: Graph | None = None,
    trained: bool = False,
    on_score: Callable[[int, str], None] | None = None,
) -> BaselineTable:
    """Scores every baseline, also those that are fitted, on the split of each seed.

    Args:
        config: data, split, first seed and number of seeds; the rest matters to the trained row alone.
        graph: the data; loaded as ``config.data`` says where it is not given.
        trained: also train the model of ``config`` with a Euclidean latent space, on each split from its seed.
        on_score: is told the seed and the label of the baseline that is done.

    Raises:
        HypgraphError: if the data are unknown, unusable, or too small to split.
    """
    if graph is None:
        graph = load_data(config.data)
    seeds: list[int] = []
    first_split: EdgeSplit | None = None
    figures: dict[str, dict[str, dict[str, list[float]]]] = {}
    isolated = []
    for seed in range(config.training.seed, config.training.seed + config.training.seeds):
        training = config.training.model_copy(update={"seed": seed})
        seeded = config.model_copy(update={"training": training})
        split = split_of(graph, seeded)
        if first_split is not None and same_split(split, first_split):
            break
        first_split = first_split or split
        seeds.append(seed)
        sets = {
            "val": (split.val_edge_index, split.val_neg_edge_index),
            "test": (split.test_edge_index, split.test_neg_edge_index),
        }
        touched = tuple(_touch_isolated(split, pairs) for pairs in sets["test"])
        isolated.append([part.mean() for part in touched])
        rows = baseline_scores(split.train_edge_index, split.num_nodes, graph.features, sets, fitted=True)
        twin = [(TRAINED, _euclidean_scores(seeded, graph, split))] if trained else []
        for key, scores in itertools.chain(rows, twin):
            connected = tuple(part[~gone] for part, gone in zip(scores["test"], touched, strict=True))
            for which, parts in zip(SETS, (scores["val"], scores["test"], connected), strict=True):
                # A graph of few pairs may lose all of one kind.
                known = min(map(len, parts)) > 0
                values = link_metrics(*parts) if known else (math.nan, math.nan)
                for metric, value in zip(METRICS, values, strict=True):
                    figures.setdefault(key, {}).setdefault(which, {}).setdefault(metric, []).append(value)
            if on_score is not None:
                on_score(seed, LABELS[key])
    edges, non_edges = np.mean(isolated, axis=0)
    return BaselineTable(graph, config, seeds, figures, (float(edges), float(non_edges)))


def _euclidean_scores(
    config: RunConfig, graph: Graph, split: EdgeSplit
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Logits of edges and non-edges, by the best epoch of the model of ``config`` in flat space."""
    run = LinkPrediction.prepare(config.in_flat_space(), graph=graph, split=split)
    with limited_threads(config.training.threads, num_nodes=graph.num_nodes):
        while not run.trainer.done:
            run.trainer.run_epoch()
        logits = link_logits(run.trainer.best_model(), run.task, *run.task.val, *run.task.test)
    val, val_neg, test, test_neg = (part.double().numpy() for part in logits)
    return {"val": (val, val_neg), "test": (test, test_neg)}


def markdown(tables: Iterable[BaselineTable], command: str) -> str:
    """A file with a section for each data set, in Markdown.

    Test figures have those of :data:`REFERENCE` beside them, and the difference, where the data set has any.

    Args:
        tables: one a data set.
        command: what made them.
    """
    parts = [TITLE, f"Made by `{command}`.", _LEGEND, *map(_section, tables)]
    return "\n\n".join(parts) + "\n"


_LEGEND = """\
AUC and AP in %, mean ± 95 % Student interval over seeds; a seed draws the split, the same as `hypgraph train`
with that seed: 85 % of the edges for training, 5 % for validation, 10 % for test, unless the command says
otherwise. The intervals speak of splits of one graph, not of other graphs. "Connected" leaves out test pairs
that touch a node without an edge in the training graph. "Reference" are test AUC / AP of prototypes of the same
recipes on other such splits; "difference" is ours minus theirs, and if those are means of ten splits too, up to
1.3 half-widths of it are chance. What each row is: [docs/evaluation.md](../docs/evaluation.md)."""


def _section(table: BaselineTable) -> str:
    graph, seeds = table.graph, table.seeds
    features = f"{graph.features.shape[1]:,} features" if graph.features is not None else "no features"
    edges, non_edges = (f"{100 * share:.1f}" for share in table.isolated)
    head = (
        f"{graph.num_nodes:,} nodes, {graph.num_edges:,} edges, {features}; {_seeds(seeds)}. "
        f"{edges} % of test edges and {non_edges} % of non-edges touch a node that the training graph isolates."
    )
    reference = REFERENCE.get(graph.name, {})
    columns = ["val AUC", "val AP", "test AUC", "test AP", "connected AUC", "connected AP"]
    columns += ["reference", "difference"] if reference else []
    lines = [f"## {graph.name}", "", head, ""]
    lines += ["| | " + " | ".join(columns) + " |", "|---" + "|---:" * len(columns) + "|"]
    for key in table.figures:
        intervals = [table.interval(key, which, metric) for which in SETS for metric in METRICS]
        cells = [percent(interval) for interval in intervals]
        if reference:
            cells += _beside_reference(reference.get(key), intervals[2:4])
        lines.append(f"| {LABELS[key]} | " + " | ".join(cells) + " |")
    if table.left_out:
        lines += ["", f"Not for this graph: {', '.join(table.left_out)}."]
    if graph.name in NOTES:
        lines += ["", NOTES[graph.name]]
    return "\n".join(lines)


def _beside_reference(reference: tuple[float, float] | None, test: Sequence[MeanInterval]) -> list[str]:
    if reference is None:
        return ["–", "–"]
    differences = (100 * ours.mean - theirs for ours, theirs in zip(test, reference, strict=True))
    return [
        " / ".join(f"{value:.1f}" for value in reference),
        " / ".join(f"{value:+.1f}" for value in differences),
    ]


def percent(interval: MeanInterval) -> str:
    """``mean ± half-width`` in %; the mean alone for one seed, a dash without figures."""
    mean, half_width = (100 * value for value in interval)
    if math.isnan(mean):
        return "–"
    return f"{mean:.2f}" if math.isnan(half_width) else f"{mean:.1f} ± {half_width:.1f}"


def _seeds(seeds: Sequence[int]) -> str:
    return f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"


def _touch_isolated(split: EdgeSplit, pairs: torch.Tensor) -> NDArray[np.bool_]:
    """Which ``pairs`` have an end without a training edge."""
    isolated = torch.bincount(split.train_edge_index.flatten(), minlength=split.num_nodes) == 0
    touched: NDArray[np.bool_] = isolated[pairs].any(dim=0).numpy()
    return touched


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
