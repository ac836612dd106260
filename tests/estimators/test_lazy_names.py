"""The package names its estimators, and imports them when they are asked for."""

import subprocess
import sys

import pytest

import hypgraph
from hypgraph.estimators import PoincareEmbedder, VGAEEmbedder
from hypgraph.neighbors import Neighbors


def test_the_names_are_those_of_the_parts() -> None:
    assert hypgraph.PoincareEmbedder is PoincareEmbedder
    assert hypgraph.VGAEEmbedder is VGAEEmbedder
    assert hypgraph.Neighbors is Neighbors
    assert vars(hypgraph)["VGAEEmbedder"] is VGAEEmbedder  # found without being looked for, the next time
    assert {"Neighbors", "PoincareEmbedder", "VGAEEmbedder", "__version__"} <= set(dir(hypgraph))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'hypgraph' has no attribute 'Embedder'"):
        _ = hypgraph.Embedder  # type: ignore[attr-defined]


def test_the_package_imports_nothing_until_it_is_asked() -> None:
    program = """
import sys
import hypgraph
dir(hypgraph), hypgraph.__version__
heavy = {"torch", "numpy", "sklearn", "pydantic", "hypgraph.estimators", "hypgraph.neighbors"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
