"""Link prediction as the cells of an experiment."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel
from typing_extensions import override

from hypgraph.config import RunConfig, load_config
from hypgraph.experiments import seeds as runs
from hypgraph.experiments.cell_kind import CellKind, Context
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.experiments.links_settings import LinksOptions, LinksSettings
from hypgraph.run_folder import RunFolder
from hypgraph.training import EpochRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LinksKind"]


class LinksKind(CellKind):
    """Runs as those of ``hypgraph train``, a run folder for each seed."""

    settings_model: ClassVar[type[BaseModel]] = LinksSettings
    measure_models: ClassVar[dict[str, type[BaseModel]]] = {"links": LinksOptions}

    shares: ClassVar[tuple[float, float] | None] = (0.85, 0.10)

    @override
    def check(self, settings: LinksSettings, measures: Sequence[Any], *, data_root: Path | None) -> None:
        """Loads the graph, splits it and builds the model."""
        LinkPrediction.prepare(_config(settings, 0, data_root=data_root))

    @override
    def is_trained(self, folder: Path, seed: int) -> bool:
        return _run_folder(folder, seed).finished

    @override
    def train(self, settings: LinksSettings, seeds: Sequence[int], folder: Path, *, context: Context) -> None:
        for seed in seeds:
            run = _run_folder(folder, seed)
            if not run.config_file.is_file():
                config = _config(settings, seed, data_root=context.data_root, device=context.device)
                RunFolder.create(run.path, config)
            runs.resume(run, _Listener(f"seed {seed}", context.progress))

    @override
    def measure(
        self, settings: LinksSettings, options: LinksOptions, seed: int, folder: Path, *, context: Context
    ) -> dict[str, Any]:
        """Test AUC and AP of the model and of each untrained baseline, as fractions."""
        summary = _run_folder(folder, seed).summary()
        figures = {
            f"{part}_{name}": value for part in ("test", "val") for name, value in summary["metrics"][part].items()
        }
        for baseline, scores in summary["baselines"].items():
            figures |= {f"{baseline}_{name}": scores[name] for name in ("auc", "ap")}
        return figures

    @override
    def draw(
        self, settings: LinksSettings, seed: int, folder: Path, *, data_root: Path | None
    ) -> dict[str, "Figure"]:
        return {}


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
        **{f"model.{key}": getattr(settings, key) for key in ("latent", "c", "posterior", "dim", "decoder")},
        **{f"model.{key}": getattr(settings, key) for key in ("prior_scale", "gain", "initial_scale", "dropout")},
        **{f"training.{key}": getattr(settings, key) for key in ("epochs", "patience", "lr", "weight_decay")},
    }
    return load_config(overrides=values)


def _run_folder(folder: Path, seed: int) -> RunFolder:
    return RunFolder(folder / f"run-{seed:03d}")
