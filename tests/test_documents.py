"""The Python of the README and of docs/ runs as it stands, and so do the commands of the tutorial."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from hypgraph.experiments.experiment import load_experiment
from tests.cli.program import hypgraph

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_examples_run(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, document.name, "exec"), names)


def test_the_experiment_files_of_the_documents_are_whole(tmp_path: Path) -> None:
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    files = re.findall(r"^```toml\n(kind = .*?)^```", text, re.MULTILINE | re.DOTALL)
    assert files
    for file in files:
        (tmp_path / "example.toml").write_text(file, encoding="utf-8")
        assert load_experiment(tmp_path / "example.toml").cells


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_of_the_project(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_the_tutorial_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^```csv\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "animals.csv").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\$ hypgraph (.*)$", text, re.MULTILINE)
    assert len(commands) > 10
    for command in commands:
        outcome = hypgraph(*shlex.split(command))
        assert outcome.code == 0, (command, outcome)
    assert {"animals.html", "animals.svg", "cora.html", "cora.csv"} <= {path.name for path in tmp_path.iterdir()}
