"""The layers of the package: each imports only from those below it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def lint_imports(project_file, folder):
    """Exit code and output of import-linter, run on the contracts of ``project_file``."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    done = subprocess.run(
        [*command, "--config", str(project_file), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="needs the checkout")
def test_each_layer_imports_only_from_the_layers_below_it():
    code, output = lint_imports(ROOT / "pyproject.toml", ROOT)
    assert code == 0, output
    assert "1 kept, 0 broken" in output


def test_the_check_of_the_layers_can_fail(tmp_path):
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "__init__.py").touch()
    (tmp_path / "house" / "cellar.py").write_text("import house.roof\n")
    (tmp_path / "house" / "roof.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_package = "house"\n[[tool.importlinter.contracts]]\nname = "floors"\n'
        'type = "layers"\nlayers = ["house.roof", "house.cellar"]\n'
    )
    code, output = lint_imports(tmp_path / "pyproject.toml", tmp_path)
    assert code == 1, output
    assert "house.cellar is not allowed to import house.roof" in output
