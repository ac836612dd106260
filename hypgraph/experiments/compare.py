"""Two sets of runs on the same splits, and whether one is better."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from hypgraph.data import EdgeSplit
from hypgraph.evaluation import MeanInterval, mean_interval
from hypgraph.evaluation.paired import PairedDifference, paired_difference
from hypgraph.exceptions import RunError
from hypgraph.experiments.seeds import seed_folders
from hypgraph.run_folder import RunFolder

__all__ = ["Comparison", "MetricComparison", "compare_runs", "same_split"]


@dataclass(frozen=True)
class MetricComparison:
    """One metric of both, fractions in [0, 1].

    Attributes:
        a: mean and 95 % Student interval of A.
        b: the same of B.
        difference: A − B, paired by seed.
    """

    a: MeanInterval
    b: MeanInterval
    difference: PairedDifference


@dataclass(frozen=True)
class Comparison:
    """Two sets of runs on common splits.

    Attributes:
        seeds: those that both have finished.
        seeds_left_out: those that one of the two has not, or not finished.
        one_split: whether all seeds have one and the same split, so that only the training differs between them.
        metrics: by set, ``"val"`` and ``"test"``, and metric: ``"auc"``, ``"ap"``, and what both have of ranking.
    """

    seeds: list[int]
    seeds_left_out: list[int]
    one_split: bool
    metrics: dict[str, dict[str, MetricComparison]]

    def as_json(self) -> dict[str, Any]:
        """All of it, as plain values."""
        return {
            "seeds": self.seeds,
            "seeds_left_out": self.seeds_left_out,
            "one_split": self.one_split,
            "metrics": {
                which: {
                    metric: {
                        "a": {"mean": row.a.mean, "half_width95": row.a.half_width},
                        "b": {"mean": row.b.mean, "half_width95": row.b.half_width},
                        "difference": {
                            "mean": row.difference.mean,
                            "half_width95": row.difference.half_width,
                            "p_value": None if math.isnan(row.difference.p_value) else row.difference.p_value,
                        },
                    }
                    for metric, row in by_metric.items()
                }
                for which, by_metric in self.metrics.items()
            },
        }


def compare_runs(a: RunFolder, b: RunFolder) -> Comparison:
    """Validation and test metrics of A and B on the seeds that both have finished, and their paired differences.

    Differences are by the corrected resampled t-test; where every seed has the same split, by the ordinary paired
    t-test, which then speaks of this split alone.

    Raises:
        RunError: if the two are of different data or splits, or have fewer than two finished seeds in common.
    """
    _check_same_data(a, b)
    runs_a, runs_b = _finished_by_seed(a), _finished_by_seed(b)
    seeds = sorted(set(runs_a) & set(runs_b))
    if len(seeds) < 2:
        raise RunError(
            f"{a.path} has finished the seeds {_listed(runs_a)}, {b.path} {_listed(runs_b)}: a comparison needs "
            "two or more in common; train both with the same --seed, and with --seeds 2 or more"
        )
    splits = [_common_split(seed, runs_a[seed], runs_b[seed]) for seed in seeds]
    one_split = all(same_split(splits[0], split) for split in splits[1:])
    figures = [[_figures(runs[seed]) for seed in seeds] for runs in (runs_a, runs_b)]
    scored = {"val": splits[0].val_edge_index, "test": splits[0].test_edge_index}
    return Comparison(
        seeds=seeds,
        seeds_left_out=sorted((set(_all_seeds(a)) | set(_all_seeds(b))) - set(seeds)),
        one_split=one_split,
        metrics={
            which: {
                metric: _compared(
                    *([run[which][metric] for run in side] for side in figures),
                    test_edges=0 if one_split else edges.shape[1],
                    train_edges=splits[0].train_edge_index.shape[1],
                )
                for metric in figures[0][0][which]
                if metric in figures[1][0][which]
            }
            for which, edges in scored.items()
        },
    )


def _figures(run: RunFolder) -> dict[str, dict[str, float]]:
    """``[set][metric]`` of a finished run."""
    summary = run.summary()
    try:
        return {
            which: {
                **{metric: float(summary["metrics"][which][metric]) for metric in ("auc", "ap")},
                **{metric: float(value) for metric, value in summary.get("ranking", {}).get(which, {}).items()},
            }
            for which in ("val", "test")
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RunError(f"{run.summary_file}: damaged (it has no validation and test metrics)") from None


def _compared(a: list[float], b: list[float], *, test_edges: int, train_edges: int) -> MetricComparison:
    difference = paired_difference(a, b, test_fraction=test_edges, train_fraction=train_edges)
    return MetricComparison(mean_interval(a), mean_interval(b), difference)


def _check_same_data(a: RunFolder, b: RunFolder) -> None:
    """Whether the data sections agree in everything but the folder that the data lie under."""
    sections = [folder.config().data.model_dump(mode="json", exclude={"root"}) for folder in (a, b)]
    for key, value in sections[0].items():
        if value != sections[1][key]:
            raise RunError(
                f"{a.path} has data.{key} = {value}, {b.path} {sections[1][key]}: only runs on the same data "
                "compare; train both with the same --data and fractions"
            )


def _all_seeds(folder: RunFolder) -> list[int]:
    training = folder.config().training
    return list(range(training.seed, training.seed + training.seeds))


def _finished_by_seed(folder: RunFolder) -> dict[int, RunFolder]:
    runs = zip(_all_seeds(folder), seed_folders(folder), strict=True)
    return {seed: run for seed, run in runs if run.finished}


def _common_split(seed: int, a: RunFolder, b: RunFolder) -> EdgeSplit:
    first, second = EdgeSplit.load(a.split_file), EdgeSplit.load(b.split_file)
    if not same_split(first, second):
        raise RunError(
            f"{a.path} and {b.path} have different splits for seed {seed}, though the same data section: the data "
            "or the program have changed between the two; train one of them again"
        )
    return first


def same_split(a: EdgeSplit, b: EdgeSplit) -> bool:
    """Whether two splits have the same edges and non-edges in every part."""
    parts = [
        (a.train_edge_index, b.train_edge_index),
        (a.val_edge_index, b.val_edge_index),
        (a.val_neg_edge_index, b.val_neg_edge_index),
        (a.test_edge_index, b.test_edge_index),
        (a.test_neg_edge_index, b.test_neg_edge_index),
    ]
    return (a.num_nodes, a.directed) == (b.num_nodes, b.directed) and all(
        torch.equal(first, second) for first, second in parts
    )


def _listed(seeds: Sequence[int] | dict[int, RunFolder]) -> str:
    return ", ".join(map(str, seeds)) or "none"
