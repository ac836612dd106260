"""One run or several: the same configuration from seeds that count up, and what they say together."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from hypgraph.config import RunConfig
from hypgraph.evaluation import mean_interval
from hypgraph.experiments.link_data import split_of, with_absolute_paths
from hypgraph.experiments.link_prediction import Evaluation, LinkPrediction, evaluate_run, open_run
from hypgraph.files import write_json
from hypgraph.run_folder import RunFolder, check_new
from hypgraph.training import EpochRecord

__all__ = ["Listener", "evaluate", "resume", "seed_folders", "train"]


class Listener(Protocol):
    """Who is told how training goes."""

    def on_run(self, folder: RunFolder, run: LinkPrediction) -> None:
        """A run begins, or goes on."""

    def on_epoch(self, record: EpochRecord) -> None:
        """An epoch of it is over."""


def train(config: RunConfig, path: Path, listener: Listener) -> dict[str, Any]:
    """Trains ``config`` from each of its seeds, into a new folder.

    One seed makes ``path`` a run. More seeds make a run ``path/seed-<n>`` each, and ``path`` holds the
    configuration and the summary of all.

    Args:
        config: the run or runs.
        path: where nothing stands yet, or an empty folder.
        listener: is told of each run and epoch.

    Returns:
        The content of ``path/summary.json``.

    Raises:
        HypgraphError: if anything can be refused, it is before a folder is made.
    """
    check_new(path)
    config = with_absolute_paths(config)
    run = LinkPrediction.prepare(_of_seed(config, config.training.seed))
    if config.data.negatives == "heart":  # a later split may have an edge with too few of them
        for seed in range(config.training.seed + 1, config.training.seed + config.training.seeds):
            split_of(run.graph, _of_seed(config, seed))
    folder = RunFolder.create(path, config)
    if config.training.seeds > 1:
        return resume(folder, listener)
    listener.on_run(folder, run)
    return run.run(folder, listener.on_epoch)


def resume(folder: RunFolder, listener: Listener) -> dict[str, Any]:
    """Brings what is in ``folder`` to its end where it is not there yet, and returns its summary.

    A run goes on from its checkpoint and ends with the same metrics as if it had never stopped (on the CPU).
    """
    config = folder.config()
    if folder.finished:
        return folder.summary()
    folder.sweep()
    if config.training.seeds == 1:
        run = open_run(folder)
        if folder.checkpoint_file.exists():
            run.restore(folder)
        listener.on_run(folder, run)
        return run.run(folder, listener.on_epoch)
    summaries = []
    for child, child_config in _children(folder, config):
        if not child.config_file.exists():
            RunFolder.create(child.path, child_config)
        summaries.append(resume(child, listener))
    summary = _combine(config, summaries)
    write_json(folder.summary_file, summary)
    return summary


def evaluate(folder: RunFolder) -> list[Evaluation]:
    """Each seed of a finished run, scored anew."""
    folder.summary()
    return [evaluate_run(child) for child in seed_folders(folder)]


def seed_folders(folder: RunFolder) -> list[RunFolder]:
    """The runs in ``folder``, one a seed: itself, if it has one seed."""
    config = folder.config()
    if config.training.seeds == 1:
        return [folder]
    return [child for child, _ in _children(folder, config)]


def _children(folder: RunFolder, config: RunConfig) -> Iterable[tuple[RunFolder, RunConfig]]:
    first = config.training.seed
    for seed in range(first, first + config.training.seeds):
        yield RunFolder(folder.path / f"seed-{seed}"), _of_seed(config, seed)


def _of_seed(config: RunConfig, seed: int) -> RunConfig:
    return config.model_copy(update={"training": config.training.model_copy(update={"seed": seed, "seeds": 1})})


def _combine(config: RunConfig, summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """The summary of several runs: means in the places of the numbers, and half-widths of their intervals."""
    first = summaries[0]
    figures = [
        {key: summary.get(key, {}) for key in ("metrics", "ranking", "ablation", "baselines")}
        for summary in summaries
    ]
    return {
        **first,
        "seed": config.training.seed,
        "seeds": [summary["seed"] for summary in summaries],
        **({"c": [summary["c"] for summary in summaries]} if config.model.learn_c else {}),
        "epochs": max(summary["epochs"] for summary in summaries),
        "best_epoch": [summary["best_epoch"] for summary in summaries],
        "seconds": sum(summary["seconds"] for summary in summaries),
        "all_at_origin": [summary["seed"] for summary in summaries if summary.get("all_at_origin")],
        **_over_seeds(figures, lambda values: mean_interval(values).mean),
        "interval95": _over_seeds(figures, lambda values: mean_interval(values).half_width),
    }


def _over_seeds(figures: list[dict[str, Any]], reduce: Callable[[list[float]], float]) -> dict[str, Any]:
    """A tree like each of ``figures``, every number replaced by ``reduce`` of the numbers in its place.

    What not all of them have is left out.
    """
    result = {}
    for key, value in figures[0].items():
        column = [figure[key] for figure in figures if key in figure]
        if len(column) < len(figures):
            continue
        result[key] = _over_seeds(column, reduce) if isinstance(value, dict) else reduce(column)
    return result
