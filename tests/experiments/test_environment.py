"""The environment of a run, also where there is no git and a package is missing."""

import json

from hypgraph import __version__
from hypgraph.experiments import environment as module
from hypgraph.experiments.environment import environment


def test_it_is_plain_json():
    found = environment()
    assert json.loads(json.dumps(found)) == found
    assert found["hypgraph"] == __version__


def test_without_git_the_commit_is_not_known(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert environment()["git_commit"] is None


def test_the_commit_is_that_of_the_source_and_not_of_the_working_directory(tmp_path, monkeypatch):
    here = environment()["git_commit"]
    monkeypatch.chdir(tmp_path)
    assert environment()["git_commit"] == here


def test_an_installed_copy_inside_someone_elses_repository_has_no_commit(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    copy = tmp_path / "venv" / "lib" / "hypgraph" / "experiments" / "environment.py"
    copy.parent.mkdir(parents=True)
    copy.touch()
    monkeypatch.setattr(module, "__file__", str(copy))
    assert environment()["git_commit"] is None


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "no-such-package"))
    packages = environment()["packages"]
    assert packages["no-such-package"] is None
    assert packages["numpy"]
