"""Pictures of cells: which are drawn, and where they go."""

from pathlib import Path

import pytest

from hypgraph.exceptions import ConfigError, RunError
from hypgraph.experiments.cell_store import CellStore
from hypgraph.experiments.experiment import Experiment, load_experiment
from hypgraph.experiments.pictures import draw_cells
from hypgraph.experiments.runner import run_experiment
from tests.experiments.fake_kind import EXPERIMENT, FakeKind

PNG = b"\x89PNG"


def loaded(tmp_path: Path, text: str = EXPERIMENT) -> Experiment:
    path = tmp_path / "test.toml"
    path.write_text(text, encoding="utf-8")
    return load_experiment(path, kinds={"fake": FakeKind})


def test_the_trained_cells_are_drawn_into_their_folders(tmp_path: Path) -> None:
    experiment, root = loaded(tmp_path), tmp_path / "out"
    run_experiment(experiment, root)
    paths = list(draw_cells(experiment, root, seed=1))
    assert paths == [CellStore(root).folder(cell) / "dots-001.png" for cell in experiment.cells]
    assert all(path.read_bytes().startswith(PNG) for path in paths)


def test_only_the_cells_that_are_wanted_are_drawn_and_elsewhere_under_their_own_names(tmp_path: Path) -> None:
    experiment, root = loaded(tmp_path), tmp_path / "out"
    run_experiment(experiment, root)
    wanted = [cell for cell in experiment.cells if cell.values["latent"] == "poincare" and cell.values["dim"] == 2]
    place = tmp_path / "new" / "pictures"
    where = ["latent=poincare", "dim = 2"]
    paths = list(draw_cells(experiment, root, where=where, folder=place, file_format="svg"))
    assert len(paths) == len(set(paths)) == len(wanted) > 0
    assert sorted(paths) == sorted(place.iterdir())
    assert all(path.suffix == ".svg" for path in paths)


def test_cells_that_cannot_be_drawn_are_one_line(tmp_path: Path) -> None:
    experiment, root = loaded(tmp_path), tmp_path / "out"
    with pytest.raises(
        RunError, match=r"seed 0 of these .* is not trained .*: hypgraph experiment run .*test.toml$"
    ):
        list(draw_cells(experiment, root))
    run_experiment(experiment, root)
    for where, message in [
        ("dim", "write it as key=value"),
        ("dom=2", "did you mean 'dim'"),
        ("dim=9", "no cell has"),
    ]:
        with pytest.raises(ConfigError, match=message):
            list(draw_cells(experiment, root, where=[where]))
    blank = loaded(tmp_path, EXPERIMENT.replace("[settings]", '[settings]\ndoes = "blank"'))
    run_experiment(blank, root)
    with pytest.raises(ConfigError, match="have no pictures"):
        list(draw_cells(blank, root))
