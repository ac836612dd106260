"""Pictures of the cells of an experiment."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hypgraph.config import toml_value
from hypgraph.exceptions import ConfigError, RunError
from hypgraph.experiments.cell_store import CellStore
from hypgraph.experiments.experiment import Cell, Experiment
from hypgraph.experiments.experiment_table import command_line
from hypgraph.lookup import lookup
from hypgraph.viewer import save

__all__ = ["draw_cells"]


def draw_cells(
    experiment: Experiment,
    root: Path,
    *,
    where: Sequence[str] = (),
    seed: int = 0,
    folder: Path | None = None,
    file_format: str = "png",
    data_root: Path | None = None,
) -> Iterator[Path]:
    """Draws the cells that are trained, and yields the files that were written.

    Args:
        experiment: whose cells.
        root: where their folders lie.
        where: ``"key=value"``, settings that a cell must have.
        seed: of which run.
        folder: where to put the pictures, which then have the cell's name; by default the folder of each cell.
        file_format: png, pdf or svg.
        data_root: folder for data outside the project.

    Raises:
        ConfigError: for a setting that is unknown or that no cell has, or cells of which there is no picture.
        RunError: if no such cell has been trained from this seed.
    """
    cells = _chosen(experiment, where)
    store, drawn = CellStore(root), 0
    trained = [cell for cell in cells if experiment.kind.is_trained(store.folder(cell), seed)]
    if not trained:
        raise RunError(
            f"{root}: seed {seed} of these cells is not trained with these settings; "
            f"train it with: {command_line(experiment, 'run')}"
        )
    for cell in trained:
        store.check(cell)
        place = store.folder(cell)
        figures = experiment.kind.draw(cell.settings, seed, place, data_root=data_root)
        for name, figure in figures.items():
            path = place / f"{name}-{seed:03d}.{file_format}"
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / f"{place.name.rpartition('-')[0]}-{name}-{seed:03d}.{file_format}"
            save(figure, path)
            drawn += 1
            yield path
    if not drawn:
        raise ConfigError(f"{experiment.name}: its cells have no pictures")


def _chosen(experiment: Experiment, where: Sequence[str]) -> list[Cell]:
    wanted = {}
    for text in where:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--where {text}: write it as key=value, for example c=1.2")
        lookup(experiment.kind.settings_model.model_fields, key.strip(), what="setting")
        wanted[key.strip()] = toml_value(value.strip())
    cells = [cell for cell in experiment.cells if cell.has(wanted)]
    if not cells:
        raise ConfigError(f"{experiment.name}: no cell has {', '.join(where)}; --dry-run of run lists the cells")
    return cells
