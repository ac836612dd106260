"""Embeddings as tables, read back by NumPy, pandas and PyArrow."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypgraph.exceptions import ConfigError, RunError
from hypgraph.export import COORDINATES, Embeddings, locate, save_embeddings
from tests.export.examples import ID_LISTS, STRANGE_IDS, embeddings

COORDS = [None, *COORDINATES]
NAMES = {
    None: ["loc_0", "loc_1"],
    "ball": ["loc_0", "loc_1"],
    "polar": ["radius", "direction_0", "direction_1", "angle"],
    "lorentz": ["lorentz_0", "lorentz_1", "lorentz_2"],
    "tangent": ["tangent_0", "tangent_1"],
    "klein": ["klein_0", "klein_1"],
}


def number_columns(node: Embeddings, coords: str | None) -> dict[str, np.ndarray]:
    """The columns of numbers that a table must have, of two dimensions."""
    parts = np.column_stack(list(locate(node, coords).parts.values()))
    return dict(zip(NAMES[coords], parts.T, strict=True)) | {f"scale_{k}": node.scale[:, k] for k in range(2)}


def check_table(table: Any, given_: Embeddings, coords: str | None) -> None:
    """A table of pandas holds ids and numbers, every digit of them."""
    expected = number_columns(given_, coords)
    assert list(table.columns) == ["node_id", *expected, "c", "manifold"]
    assert table["node_id"].tolist() == given_.node_id.tolist()
    for name, numbers in expected.items():
        assert np.array_equal(table[name].to_numpy(), numbers), name
    assert table["c"].tolist() == [given_.c] * len(table)
    assert table["manifold"].tolist() == [given_.manifold] * len(table)


@pytest.mark.parametrize("coords", COORDS)
def test_pandas_reads_csv_with_every_id_and_every_digit(coords: str | None, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas reads what is written")
    for ids in (STRANGE_IDS, range(10)):
        one = embeddings(ids, dim=2, exact=True)
        save_embeddings(one, tmp_path / "e.csv", file_format="csv", coords=coords)
        # Older versions of pandas round the last digit unless asked not to; newer ones refuse to be asked.
        version = tuple(map(int, pandas.__version__.split(".")[:2]))
        exact = {"float_precision": "round_trip"} if version < (3, 1) else {}
        kind = {"node_id": one.node_id.dtype.type}
        table = pandas.read_csv(tmp_path / "e.csv", dtype=kind, keep_default_na=False, **exact)
        check_table(table, one, coords)


@pytest.mark.parametrize("coords", COORDS)
def test_pandas_and_pyarrow_read_parquet_without_an_option(coords: str | None, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="parquet is written by PyArrow")
    path = tmp_path / "e.parquet"
    for ids in (STRANGE_IDS, range(10)):
        one = embeddings(ids, dim=2, exact=True)
        save_embeddings(one, path, file_format="parquet", coords=coords)
        table = parquet.read_table(path)
        assert table.num_rows == len(ids)
        assert table.schema.field("node_id").type == ("string" if ids is STRANGE_IDS else "int64")
        for name, numbers in number_columns(one, coords).items():
            assert np.array_equal(table[name].to_numpy(), numbers)
        pandas = pytest.importorskip("pandas", reason="pandas reads what is written")
        check_table(pandas.read_parquet(path), one, coords)


@given(ids=ID_LISTS, coords=st.sampled_from(COORDS))
def test_csv_reads_back_exactly_whatever_the_ids(
    tmp_path_factory: pytest.TempPathFactory, ids: list[Any], coords: str | None
) -> None:
    path = tmp_path_factory.mktemp("export") / "e.csv"
    one = embeddings(ids, dim=2)
    assert save_embeddings(one, path, file_format="csv", coords=coords) == ()
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    expected = number_columns(one, coords)
    assert header == ["node_id", *expected, "c", "manifold"]
    assert [row[0] for row in rows] == [str(id_) for id_ in ids]
    numbers = np.array([[float(cell) for cell in row[1:-1]] for row in rows])
    assert np.array_equal(numbers, np.column_stack([*expected.values(), np.full(len(ids), one.c)]))
    assert {row[-1] for row in rows} == {one.manifold}


def test_numbers_of_32_bits_stay_what_they_are(tmp_path: Path) -> None:
    one = embeddings(dim=2)
    one = Embeddings(one.node_id, one.loc.astype(np.float32), one.scale, one.c, one.manifold)
    save_embeddings(one, tmp_path / "e.csv", file_format="csv")
    with (tmp_path / "e.csv").open(newline="") as file:
        assert [np.float32(row["loc_1"]) for row in csv.DictReader(file)] == one.loc[:, 1].tolist()


def test_numpy_takes_the_numbers_of_a_csv(tmp_path: Path) -> None:
    one = embeddings([10, 20])
    save_embeddings(one, tmp_path / "e.csv", file_format="csv")
    table = np.genfromtxt(tmp_path / "e.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    assert table["node_id"].tolist() == [10, 20]
    assert np.array_equal(np.stack([table[f"loc_{k}"] for k in range(3)], axis=1), one.loc)
    assert table["manifold"].tolist() == ["poincare"] * 2


@pytest.mark.parametrize("coords", ["polar", "lorentz", "tangent", "klein"])
def test_npz_of_other_coordinates_names_them_and_is_not_taken_for_the_embeddings_of_a_run(
    coords: str, tmp_path: Path
) -> None:
    one = embeddings(STRANGE_IDS, dim=2, exact=True)
    save_embeddings(one, tmp_path / "e.npz", coords=coords)
    parts = locate(one, coords).parts
    with np.load(tmp_path / "e.npz", allow_pickle=False) as arrays:
        assert set(arrays.files) == {"node_id", *parts, "scale", "c", "manifold", "coords"}
        assert arrays["node_id"].tolist() == list(STRANGE_IDS)
        for name, part in parts.items():
            assert np.array_equal(arrays[name], part)
        assert np.array_equal(arrays["scale"], one.scale)
        assert (arrays["c"], arrays["manifold"], arrays["coords"]) == (one.c, "poincare", coords)
    with pytest.raises(RunError, match=f"e.npz: holds {coords} coordinates"):
        Embeddings.load(tmp_path / "e.npz")


@pytest.mark.parametrize("coords", [None, "ball"])
def test_npz_of_the_own_coordinates_loads_again(coords: str | None, tmp_path: Path) -> None:
    one = embeddings(STRANGE_IDS, exact=True)
    save_embeddings(one, tmp_path / "e.npz", coords=coords)
    back = Embeddings.load(tmp_path / "e.npz")
    assert np.array_equal(back.loc, one.loc)
    assert back.center is not None
    assert one.center is not None
    assert np.array_equal(back.center.radius, one.center.radius)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("hypgraph.export.tables.import_module", absent)
    with pytest.raises(ConfigError, match=r"pip install 'hypgraph\[parquet\]'"):
        save_embeddings(embeddings(), tmp_path / "e.parquet", file_format="parquet")
    assert list(tmp_path.iterdir()) == []
