"""Embeddings in files: exact, free of pickle, whole or absent."""

import csv

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hypgraph.distributions import WrappedNormal
from hypgraph.exceptions import RunError
from hypgraph.export import EXPORT_FORMATS, Embeddings
from hypgraph.manifolds import MANIFOLDS, Lorentz, PoincareBall

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def example(node_id=("a", "b"), manifold="poincare"):
    ids = np.asarray(node_id)
    loc = np.linspace(-0.5, 0.5, 3 * len(ids)).reshape(len(ids), 3)
    return Embeddings(ids, loc, np.full((len(ids), 3), 1 / 3), 0.7, manifold)


@st.composite
def embeddings(draw):
    count, dim = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1)
    ids = draw(
        st.one_of(
            st.lists(st.integers(-(2**63), 2**63 - 1), min_size=count, max_size=count, unique=True),
            st.lists(text, min_size=count, max_size=count, unique=True),
        )
    )
    loc, scale = (draw(arrays.arrays(np.float64, (count, dim), elements=FINITE)) for _ in range(2))
    return Embeddings(np.array(ids), loc, scale, draw(st.floats(0, 10)), draw(st.sampled_from(list(MANIFOLDS))))


@given(embeddings())
def test_csv_reads_back_exactly_whatever_the_ids_and_numbers(tmp_path_factory, given_):
    path = tmp_path_factory.mktemp("export") / "e.csv"
    given_.save_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    dim = given_.loc.shape[1]
    columns = [f"loc_{k}" for k in range(dim)] + [f"scale_{k}" for k in range(dim)]
    assert header == ["node_id", *columns, "c", "manifold"]
    assert [row[0] for row in rows] == [str(id_) for id_ in given_.node_id.tolist()]
    numbers = np.array([[float(cell) for cell in row[1:-1]] for row in rows])
    assert np.array_equal(numbers, np.column_stack([given_.loc, given_.scale, np.full(len(rows), given_.c)]))
    assert {row[-1] for row in rows} == {given_.manifold}


@given(embeddings())
def test_npz_reads_back_exactly_and_without_pickle(tmp_path_factory, given_):
    path = tmp_path_factory.mktemp("export") / "e.npz"
    given_.save_npz(path)
    back = Embeddings.load(path)
    for name in ("node_id", "loc", "scale"):
        left, right = getattr(given_, name), getattr(back, name)
        assert left.dtype == right.dtype
        assert np.array_equal(left, right)
    assert (back.c, back.manifold) == (given_.c, given_.manifold)
    with np.load(path, allow_pickle=False) as file:
        assert set(file.files) == {"node_id", "loc", "scale", "c", "manifold"}
        assert all(file[name].dtype.kind in "iufU" for name in file.files)


def test_pandas_style_readers_can_take_the_numbers_with_numpy(tmp_path):
    given_ = example(node_id=[10, 20])
    given_.save_csv(tmp_path / "e.csv")
    table = np.genfromtxt(tmp_path / "e.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    assert table["node_id"].tolist() == [10, 20]
    assert np.array_equal(np.stack([table[f"loc_{k}"] for k in range(3)], axis=1), given_.loc)
    assert table["manifold"].tolist() == ["poincare"] * 2


def test_a_name_without_an_ending_is_kept(tmp_path):
    for name, write in EXPORT_FORMATS.items():
        write(example(), tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == set(EXPORT_FORMATS)


def test_the_formats_are_npz_and_csv():
    assert set(EXPORT_FORMATS) == {"npz", "csv"}


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_a_write_that_fails_leaves_the_old_file(name, tmp_path):
    path = tmp_path / "e"
    path.write_text("old")
    broken = Embeddings(np.array(["a"]), np.zeros((1, 2)), np.zeros((2, 2)), 1.0, "poincare")
    object.__setattr__(broken, "manifold", Unwritable())
    with pytest.raises((RuntimeError, ValueError)):
        EXPORT_FORMATS[name](broken, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["e"]


class Unwritable:
    """Refuses to become text or an array."""

    def __str__(self):
        raise RuntimeError("not today")

    def __array__(self, *_args, **_kwargs):
        raise RuntimeError("not today")


@pytest.mark.parametrize(("manifold", "width"), [(PoincareBall(2, c=0.5), 2), (Lorentz(2, c=0.5), 3)])
def test_a_posterior_gives_loc_in_the_coordinates_of_its_space_and_scales_of_its_dimension(manifold, width):
    origin = manifold.expmap0(torch.zeros(4, width, dtype=torch.float64))
    scale = torch.full((4, 1), 0.25, dtype=torch.float64, requires_grad=True)  # one number for all directions
    found = Embeddings.from_posterior(WrappedNormal(origin, scale, manifold), np.arange(4))
    assert found.loc.shape == (4, width)
    assert found.scale.shape == (4, 2)
    assert np.all(found.scale == 0.25)
    assert (found.c, found.manifold) == (0.5, manifold.name)


def test_a_file_that_is_missing_or_damaged_is_named_in_one_line(tmp_path):
    path = tmp_path / "e.npz"
    with pytest.raises(RunError, match=r"e\.npz.*no such file"):
        Embeddings.load(path)
    example().save_npz(path)
    content = path.read_bytes()
    for kept in range(0, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:kept])
        with pytest.raises(RunError, match=r"e\.npz") as caught:
            Embeddings.load(path)
        assert len(str(caught.value).splitlines()) == 1
    np.savez(path, loc=np.zeros(3))
    with pytest.raises(RunError, match=r"e\.npz"):
        Embeddings.load(path)
    np.savez(path, **{name: np.array([{}]) for name in ("node_id", "loc", "scale", "c", "manifold")})
    with pytest.raises(RunError, match=r"e\.npz"):
        Embeddings.load(path)
