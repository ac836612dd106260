"""What holds for every format: whole or absent, and free of surprises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.export import EXPORT_FORMATS, Embeddings, ExportedGraph, format_by_ending, save_embeddings
from tests.export.examples import embeddings

GRAPH = ExportedGraph(torch.tensor([[0], [1]]), labels=["red", None, "blue"])
FILES = [name for name in EXPORT_FORMATS if name != "projector"]


def test_the_formats_are_these() -> None:
    assert list(EXPORT_FORMATS) == ["npz", "csv", "parquet", "word2vec", "projector", "graphml"]


def test_no_ending_stands_for_two_formats() -> None:
    endings = [ending for kind in EXPORT_FORMATS.values() for ending in kind.endings]
    assert len(set(endings)) == len(endings)


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_every_ending_names_its_format_in_small_and_in_capital_letters(name: str) -> None:
    for ending in EXPORT_FORMATS[name].endings:
        assert format_by_ending(Path(f"a.folder/cora-2.5{ending}")) == name
        assert format_by_ending(Path(f"CORA{ending.upper()}")) == name


@pytest.mark.parametrize("file", ["e.xlsx", "e.npz.gz", "run-v1.2", "e.csvx"])
def test_an_unknown_ending_is_refused_with_those_that_are_known(file: str) -> None:
    ending = Path(file).suffix
    with pytest.raises(
        ConfigError, match=f"^{file}: no format has the ending '{ending}'; known: .*--format$"
    ) as line:
        format_by_ending(Path(file))
    for kind in EXPORT_FORMATS.values():
        for known in kind.endings:
            assert known in str(line.value)


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_a_name_without_an_ending_is_kept(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="parquet is written by PyArrow")
    assert save_embeddings(embeddings(), tmp_path / "e", file_format=name, graph=GRAPH) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


@pytest.mark.parametrize("name", FILES)
def test_a_write_that_fails_leaves_the_old_file(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="parquet is written by PyArrow")
    path = tmp_path / "e"
    path.write_text("old")
    one = embeddings()
    if name == "npz":
        object.__setattr__(one, "node_id", Unwritable())
    else:
        one = replace(one, node_id=np.array(["a", "b", "\udc80"]))
    with pytest.raises((RuntimeError, DataError)):
        save_embeddings(one, path, file_format=name, graph=GRAPH)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["e"]


class Unwritable:
    """Refuses to become an array."""

    def __array__(self, *_args: object, **_kwargs: object) -> None:
        raise RuntimeError("not today")


@pytest.mark.parametrize("name", [name for name in EXPORT_FORMATS if name != "npz"])
def test_an_id_that_is_no_text_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="parquet is written by PyArrow")
    with pytest.raises(DataError, match=r"\\udc80.*npz"):
        save_embeddings(embeddings(["a", "b\udc80", "c"]), tmp_path / "e", file_format=name, graph=GRAPH)
    assert list(tmp_path.iterdir()) == []
    save_embeddings(embeddings(["a", "b\udc80", "c"]), tmp_path / "e")
    assert Embeddings.load(tmp_path / "e").node_id.tolist() == ["a", "b\udc80", "c"]


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_what_was_moved_is_told_by_every_format(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="parquet is written by PyArrow")
    one = embeddings(radius=[1.0, 40.0, 50.0], exact=True)
    (note,) = save_embeddings(one, tmp_path / "e", file_format=name, coords="klein", graph=GRAPH)
    assert note.startswith("2 of 3 nodes")


def test_an_unknown_format_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown format 'graphlm'; did you mean 'graphml'"):
        save_embeddings(embeddings(), tmp_path / "e", file_format="graphlm")
