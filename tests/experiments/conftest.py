import json
from pathlib import Path

import pytest

from hypgraph.config import load_config
from hypgraph.experiments import seeds
from tests.experiments.programs import ForkServer


class Silent:
    """Listens to a training and says nothing."""

    def on_run(self, _folder, _run):
        pass

    def on_epoch(self, _record):
        pass


@pytest.fixture(scope="session")
def programs():
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="session")
def train():
    """``train(path, "section.key=value", ...)`` makes a run of the karate graph and returns its path."""

    def make(path, *assignments):
        quick = ["data.name=karate", "model.dim=3", "training.epochs=6", "training.device=cpu"]
        summary = seeds.train(load_config(assignments=[*quick, *assignments]), path, Silent())
        assert summary == json.loads((path / "summary.json").read_text())
        return path

    return make


@pytest.fixture(scope="session")
def karate_run(train, tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "karate")


@pytest.fixture(scope="session")
def cora_run(train, tmp_path_factory):
    """Long enough to be far from chance."""
    return train(tmp_path_factory.mktemp("runs") / "cora", "data.name=cora", "model.dim=16", "training.epochs=60")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a cell; all have one name, which the weights are bound to."""
    path = tmp_path / "cell"
    path.mkdir()
    return path
