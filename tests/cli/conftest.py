import shutil

import pytest

from tests.cli.program import hypgraph


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test of this folder runs in an empty working directory of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("HYPGRAPH_DATA", raising=False)
    return folder


@pytest.fixture(scope="session")
def karate_run_of_session(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "karate"
    assert hypgraph("train", "--data", "karate", "--epochs", 5, "--dim", 3, "--out", path, "--quiet").code == 0
    return path


@pytest.fixture
def karate_run(karate_run_of_session, tmp_path):
    """A finished run, for the test to do with as it likes."""
    return shutil.copytree(karate_run_of_session, tmp_path / "karate")
