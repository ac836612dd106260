"""Help is quick because the heavy packages are imported only when a verb runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hypgraph import __version__
from hypgraph.config import RunConfig
from tests.cli.program import hypgraph

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "geoopt", "torch_geometric", "sklearn", "scipy", "networkx", "numpy", "ogb")


def python(*arguments, cwd):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("arguments", ["--help", "train --help", "--version", "config show"])
def test_no_heavy_package_is_imported_before_a_verb_needs_it(arguments, here):
    code = (
        "import sys\nfrom hypgraph.cli import main\ntry: main()\n"
        f"finally: print('imported:', *[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = python("-W", "error", "-c", code, *arguments.split(), cwd=here)
    assert done.returncode == 0
    assert done.stderr.split() == ["imported:"]
    assert list(here.iterdir()) == []


def test_geoopt_is_not_imported_by_training_and_nothing_warns(here):
    code = (
        "import sys\nfrom hypgraph.cli import main\ntry: main()\n"
        "finally: assert not {'geoopt', 'ogb', 'torch_geometric'} & set(sys.modules)"
    )
    options = ["--data", "karate", "--epochs", 3, "--out", "run", "--quiet"]
    done = python("-W", "error", "-c", code, "train", *options, cwd=here)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "run", "")


def test_help_lists_the_verbs():
    outcome = hypgraph("--help")
    assert outcome.code == 0
    assert outcome.err == ""
    for verb in ("train", "evaluate", "export", "data", "config"):
        assert f"\n  {verb} " in outcome.out


@pytest.mark.parametrize("arguments", [[], ["data"], ["config"]], ids=["hypgraph", "data", "config"])
def test_without_a_verb_the_help_is_shown_on_lines_of_its_own(arguments):
    bare = hypgraph(*arguments)
    help_lines = hypgraph(*arguments, "--help").out.strip().splitlines()
    assert len(help_lines) > 3
    assert (bare.out + bare.err).strip().splitlines() == help_lines


def test_help_of_train_explains_every_flag():
    flags = "data latent dim c posterior decoder epochs patience lr seed seeds device out config set resume"
    text = hypgraph("train", "--help").out.replace(",", " ")
    assert [flag for flag in [*flags.split(), "data-root", "quiet"] if f"--{flag} " not in text] == []


def test_help_of_train_states_the_defaults():
    text = " ".join(hypgraph("train", "--help").out.split())
    config = RunConfig()
    defaults = [config.data.name, config.model.latent, config.model.dim, config.model.decoder]
    for default in [*defaults, config.training.epochs, config.training.patience, config.training.lr]:
        assert f"[default: {default}]" in text


def test_the_version_is_that_of_the_package():
    assert hypgraph("--version").out == f"hypgraph {__version__}\n"


def test_the_package_is_a_program_too(here):
    done = python("-m", "hypgraph", "--version", cwd=here)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"hypgraph {__version__}\n", "")
