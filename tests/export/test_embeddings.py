"""Embeddings and the file that a run keeps them in: exact, free of pickle."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hypgraph.distributions import WrappedNormal
from hypgraph.exceptions import RunError
from hypgraph.export import Embeddings
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
