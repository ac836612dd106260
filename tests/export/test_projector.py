"""The folder for TensorBoard's embedding projector."""

import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import torch

from hypgraph.exceptions import ConfigError
from hypgraph.export import COORDINATES, Embeddings, ExportedGraph, locate, save_embeddings
from tests.export.examples import STRANGE_IDS, embeddings

FILES = {"vectors.tsv", "metadata.tsv", "projector_config.pbtxt"}
LABELS: list[str | None] = ["tab\there", None, "Café", *["red", "blue"] * ((len(STRANGE_IDS) - 3) // 2)]


def write(
    one: Embeddings, path: Path, coords: str | None = None, labels: list[str | None] | None = None
) -> tuple[str, ...]:
    graph = None if labels is None else ExportedGraph(torch.empty(2, 0, dtype=torch.int64), labels=labels)
    return save_embeddings(one, path, file_format="projector", coords=coords, graph=graph)


def table_of(path: Path) -> list[list[str]]:
    """The cells as the projector reads them: a line a row, a tab between two cells, no quotes."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [line.split("\t") for line in text[:-1].split("\n")]


@pytest.mark.parametrize("coords", [None, *COORDINATES])
def test_vectors_and_metadata_have_a_row_a_node(coords: str | None, tmp_path: Path) -> None:
    one = embeddings(STRANGE_IDS, exact=True)
    write(one, tmp_path / "p", coords, LABELS)
    assert {path.name for path in (tmp_path / "p").iterdir()} == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    vectors = np.array(table_of(tmp_path / "p/vectors.tsv"), dtype=float)
    assert np.array_equal(vectors, locate(one, coords).vectors())
    header, *rows = table_of(tmp_path / "p/metadata.tsv")
    assert header == ["node_id", "label", "radius", "scale_0", "scale_1", "scale_2", "c", "manifold"]
    assert {len(row) for row in rows} == {len(header)}
    assert [unquote(row[0]) for row in rows] == list(STRANGE_IDS)
    assert [unquote(row[1]) for row in rows] == [label or "" for label in LABELS]
    assert one.center is not None
    assert [float(row[2]) for row in rows] == one.center.radius.tolist()
    assert np.array_equal(np.array([row[3:6] for row in rows], dtype=float), one.scale)
    assert {(float(row[6]), row[7]) for row in rows} == {(one.c, "poincare")}


def test_the_configuration_names_the_files_and_the_coordinates(tmp_path: Path) -> None:
    write(embeddings(), tmp_path / "p", "klein")
    text = (tmp_path / "p/projector_config.pbtxt").read_text()
    assert re.search(r'tensor_path: "vectors.tsv"', text)
    assert re.search(r'metadata_path: "metadata.tsv"', text)
    assert "klein" in text


def test_tensorboard_itself_reads_the_folder(tmp_path: Path) -> None:
    plugin = pytest.importorskip(
        "tensorboard.plugins.projector.projector_plugin", reason="TensorBoard reads what is written"
    )
    from tensorboard.plugins.base_plugin import TBContext

    one = embeddings(STRANGE_IDS, exact=True)
    write(one, tmp_path / "p", "tangent")
    projector = plugin.ProjectorPlugin(TBContext(logdir=str(tmp_path / "p")))
    projector._update_configs()
    ((run, config),) = projector._configs.items()
    (found,) = config.embeddings
    assert run == "."
    assert list(found.tensor_shape) == [len(STRANGE_IDS), 3]
    assert (found.tensor_path, found.metadata_path) == ("vectors.tsv", "metadata.tsv")
    vectors = plugin._read_tensor_tsv_file(str(tmp_path / "p" / found.tensor_path))
    assert np.array_equal(vectors, locate(one, "tangent").vectors().astype(np.float32))


def test_ids_and_labels_that_were_changed_are_counted_apart(tmp_path: Path) -> None:
    one = embeddings(["a b", "tab\t", "line\n", "%41"])
    ids, labels = write(one, tmp_path / "p", labels=["plain", "one\rtwo", None, "x"])
    assert "3 of 4 ids" in ids
    assert "1 of 4 labels" in labels
    assert [row[0] for row in table_of(tmp_path / "p/metadata.tsv")[1:]] == ["a b", "tab%09", "line%0A", "%2541"]


def test_a_graph_without_labels_has_no_column_for_them(tmp_path: Path) -> None:
    write(embeddings(), tmp_path / "p")
    assert table_of(tmp_path / "p/metadata.tsv")[0][:2] == ["node_id", "radius"]


def test_an_older_export_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()  # an empty folder may stand there
    write(embeddings(["a", "b"]), tmp_path / "p")
    write(embeddings(range(9)), tmp_path / "p")
    assert len(table_of(tmp_path / "p/vectors.tsv")) == 9
    assert {path.name for path in (tmp_path / "p").iterdir()} == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_folder_with_other_files_and_a_file_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/thesis.tex").write_text("mine")
    (tmp_path / "f").write_text("mine")
    with pytest.raises(ConfigError, match=r"thesis\.tex"):
        write(embeddings(), tmp_path / "p")
    with pytest.raises(ConfigError, match="is a file"):
        write(embeddings(), tmp_path / "f")
    assert (tmp_path / "p/thesis.tex").read_text() == (tmp_path / "f").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["f", "p", "thesis.tex"]


def test_a_write_that_fails_half_way_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(embeddings(), tmp_path / "p")
    before = {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()}

    def full(*_args: object, **_kwargs: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write(embeddings(range(9)), tmp_path / "p")
    assert {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_folder_that_cannot_be_put_in_place_brings_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(embeddings(), tmp_path / "p")
    rename = Path.rename

    def refuses_the_new(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuses_the_new)
    with pytest.raises(OSError, match="Permission"):
        write(embeddings(range(9)), tmp_path / "p")
    assert len(table_of(tmp_path / "p/vectors.tsv")) == 3
