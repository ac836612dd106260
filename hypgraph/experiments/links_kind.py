"""Link prediction as the cells of an experiment."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from pydantic import BaseModel
from torch import Tensor
from typing_extensions import override

from hypgraph.config import ModelConfig, RunConfig, TrainingConfig, load_config
from hypgraph.data import EdgeSplit
from hypgraph.evaluation import RankingMetrics, TrainingGraph, heart_negatives, ranking_metrics
from hypgraph.evaluation.baselines import baseline_scores
from hypgraph.exceptions import DataError, RunError
from hypgraph.experiments import seeds as runs
from hypgraph.experiments.cell_kind import CellKind, Context
from hypgraph.experiments.link_data import has_own_split
from hypgraph.experiments.link_prediction import LinkPrediction, open_run
from hypgraph.experiments.links_settings import HardOptions, LinksOptions, LinksSettings
from hypgraph.random import stream
from hypgraph.run_folder import RunFolder
from hypgraph.training import EpochRecord, link_logits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LinksKind"]

MODEL_KEYS = tuple(ModelConfig.model_fields.keys() & LinksSettings.model_fields.keys())
TRAINING_KEYS = tuple(TrainingConfig.model_fields.keys() & LinksSettings.model_fields.keys())


class LinksKind(CellKind):
    """Runs as those of ``hypgraph train``, a run folder for each seed."""

    settings_model: ClassVar[type[BaseModel]] = LinksSettings
    measure_models: ClassVar[dict[str, type[BaseModel]]] = {"links": LinksOptions, "hard": HardOptions}

    shares: ClassVar[tuple[float, float] | None] = (0.85, 0.10)

    @override
    def shares_of(self, settings: LinksSettings) -> tuple[float, float] | None:
        return None if has_own_split(settings.data) else self.shares

    @override
    def check(self, settings: LinksSettings, measures: Sequence[Any], *, data_root: Path | None) -> None:
        """Loads the graph, splits it and builds the model."""
        LinkPrediction.prepare(_config(settings, 0, data_root=data_root))

    @override
    def is_trained(self, folder: Path, seed: int) -> bool:
        return _run_folder(folder, seed).finished

    @override
    def train(self, settings: LinksSettings, seeds: Sequence[int], folder: Path, *, context: Context) -> None:
        _check_defaults(settings, folder)
        _check_data(settings, folder, context.data_root)
        for seed in seeds:
            run = _run_folder(folder, seed)
            if not run.config_file.is_file():
                config = _config(settings, seed, data_root=context.data_root, device=context.device)
                RunFolder.create(run.path, config)
            runs.resume(run, _Listener(f"seed {seed}", context.progress))

    @override
    def measure(
        self,
        settings: LinksSettings,
        options: LinksOptions | HardOptions,
        seed: int,
        folder: Path,
        *,
        context: Context,
    ) -> dict[str, Any]:
        """AUC and AP of the model and the untrained baselines, or MRR on hard negatives, as fractions."""
        _check_defaults(settings, folder)
        if isinstance(options, HardOptions):
            return _on_hard_negatives(_run_folder(folder, seed), options.each, seed)
        summary = _run_folder(folder, seed).summary()
        figures = {
            f"{part}_{name}": value for part in ("test", "val") for name, value in summary["metrics"][part].items()
        }
        for baseline, scores in summary["baselines"].items():
            figures |= {f"{baseline}_{name}": scores[name] for name in ("auc", "ap")}
        for half, scores in summary.get("ablation", {}).items():
            figures |= {f"{half}_{name}": scores[name] for name in ("auc", "ap")}
        return figures | {
            f"test_{name}": value for name, value in summary.get("ranking", {}).get("test", {}).items()
        }

    @override
    def draw(
        self, settings: LinksSettings, seed: int, folder: Path, *, data_root: Path | None
    ) -> dict[str, "Figure"]:
        return {}


def _check_defaults(settings: LinksSettings, folder: Path) -> None:
    """A cell's settings leave out what is a default: refuses runs that were made when those were others."""
    for path in sorted(folder.glob("run-*/config.json")):
        found = RunFolder(path.parent).config()
        expected = _config(settings, found.training.seed, data_root=None)
        for section, ignored in (("model", set[str]()), ("training", {"device", "threads", "checkpoint_every"})):
            was, now = (getattr(config, section).model_dump(exclude=ignored) for config in (found, expected))
            for key, value in now.items():
                if was[key] != value:
                    raise RunError(
                        f"{path.parent}: was trained with {section}.{key} = {was[key]}, which is {value} now by "
                        f"default; move {folder} away, or set {key}"
                    )


def _check_data(settings: LinksSettings, folder: Path, data_root: Path | None) -> None:
    """Refuses to train beside runs whose data have changed since."""
    runs_there = (RunFolder(path.parent) for path in sorted(folder.glob("run-*/config.json")))
    if (run := next((run for run in runs_there if run.finished), None)) is None:
        return
    config = _config(settings, run.config().training.seed, data_root=data_root, device="cpu")
    try:
        LinkPrediction.prepare(config, split=EdgeSplit.load(run.split_file)).restore(run)
    except RunError as error:
        raise RunError(f"{run.path}: is not of the data as they are now ({error}); move {folder} away") from None


def _on_hard_negatives(folder: RunFolder, each: int, seed: int) -> dict[str, float]:
    run = open_run(folder)
    split, graph, test = run.split, run.graph, run.split.test_edge_index
    everything = torch.cat([split.train_edge_index, split.val_edge_index, test], dim=1)
    train = TrainingGraph.from_edges(split.train_edge_index, graph.num_nodes, graph.features)
    generator = stream(seed, "negatives")
    try:
        hard = heart_negatives(
            train, test, everything, count=each, generator=generator, directed=graph.directed
        ).flatten(1)
    except DataError:
        return {}
    run.restore(folder)
    logits = link_logits(
        run.trainer.best_model(), run.task, *(pairs.to(run.task.positive.device) for pairs in (test, hard))
    )
    ranking = _ranking(each, *logits)
    figures = {"mrr": ranking.mrr, **{f"hits@{k}": share for k, share in ranking.hits.items()}}
    for name, scores in baseline_scores(
        split.train_edge_index, graph.num_nodes, graph.features, {"test": (test, hard)}
    ):
        figures[f"{name}_mrr"] = _ranking(each, *map(torch.from_numpy, scores["test"])).mrr
    return figures


def _ranking(each: int, positive: Tensor, negative: Tensor) -> RankingMetrics:
    return ranking_metrics([(positive, negative.view(-1, each))], ks=[10] if each > 10 else [])


class _Listener:
    """Tells the experiment of the epochs of a run."""

    def __init__(self, who: str, progress: Callable[[str], None]) -> None:
        self.who, self.progress = who, progress

    def on_run(self, folder: RunFolder, run: LinkPrediction) -> None:
        """A run begins."""
        self.progress(f"{self.who}: {run.graph.name} -> {folder.path.name}")

    def on_epoch(self, record: EpochRecord) -> None:
        """An epoch is over."""
        self.progress(f"{self.who}: epoch {record.epoch}, val AUC {100 * record.val_auc:.1f}")


def _config(settings: LinksSettings, seed: int, *, data_root: Path | None, device: str = "auto") -> RunConfig:
    values = {
        "data.name": settings.data,
        "data.root": data_root and str(data_root),
        "training.seed": seed,
        "training.device": device,
        "data.features": settings.features,
        **{f"model.{key}": getattr(settings, key) for key in MODEL_KEYS},
        **{f"training.{key}": getattr(settings, key) for key in TRAINING_KEYS},
    }
    return load_config(overrides=values)


def _run_folder(folder: Path, seed: int) -> RunFolder:
    return RunFolder(folder / f"run-{seed:03d}")
