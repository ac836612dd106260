"""word2vec's text format, read back by gensim."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given

from hypgraph.export import COORDINATES, locate, save_embeddings
from tests.export.examples import ID_LISTS, STRANGE_IDS, embeddings


def key_vectors() -> Any:
    models = pytest.importorskip("gensim.models", reason="gensim reads what is written")
    return models.KeyedVectors


@pytest.mark.parametrize("coords", [None, *COORDINATES])
def test_gensim_reads_every_node_and_every_digit(coords: str | None, tmp_path: Path) -> None:
    reader, one, path = key_vectors(), embeddings(STRANGE_IDS, exact=True), tmp_path / "e.vec"
    save_embeddings(one, path, file_format="word2vec", coords=coords)
    vectors = locate(one, coords).vectors()
    exact = reader.load_word2vec_format(path, datatype=np.float64)
    assert np.array_equal(exact.vectors, vectors)
    assert [unquote(key) for key in exact.index_to_key] == list(STRANGE_IDS)
    assert exact.vectors.shape == vectors.shape == (len(STRANGE_IDS), one.dim + (coords in ("polar", "lorentz")))
    usual = reader.load_word2vec_format(path)
    assert np.array_equal(usual.vectors, vectors.astype(np.float32))
    assert np.array_equal(usual["plain"], usual.vectors[0])


def test_the_ids_that_were_changed_are_counted(tmp_path: Path) -> None:
    one = embeddings(["Rome", "New York", "New%20York", "New_York", "50%", "a\u00a0b"])
    (note,) = save_embeddings(one, tmp_path / "e.vec", file_format="word2vec")
    assert "3 of 6 ids" in note
    assert "New%20York" in note
    assert "unquote" in note
    words = [line.split(" ")[0] for line in (tmp_path / "e.vec").read_text(encoding="utf-8").splitlines()[1:]]
    assert words == ["Rome", "New%20York", "New%2520York", "New_York", "50%", "a%C2%A0b"]


def test_ids_without_blanks_stay_as_they_are(tmp_path: Path) -> None:
    """Also those with codes of their own, such as the addresses that knowledge graphs use."""
    ids = ["http://a.org/Caf%C3%A9", "100%25", "Łódź", "a,b"]
    assert save_embeddings(embeddings(ids), tmp_path / "e.vec", file_format="word2vec") == ()
    assert [line.split()[0] for line in (tmp_path / "e.vec").read_text(encoding="utf-8").splitlines()[1:]] == ids


@given(ids=ID_LISTS)
def test_distinct_ids_stay_distinct_and_come_back(
    tmp_path_factory: pytest.TempPathFactory, ids: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("export") / "e.vec"
    notes = save_embeddings(embeddings(ids, dim=2), path, file_format="word2vec")
    header, *lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    assert header == f"{len(ids)} 2"
    words = [line.split()[0] for line in lines]  # by any white space, as other readers do
    assert all(len(line.split()) == 3 for line in lines)
    assert len(set(words)) == len(ids)
    assert [unquote(word) if notes else word for word in words] == [str(id_) for id_ in ids]
