"""Data of the VAE cells: trees drawn by seed, images with pixels in [0, 1]."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from hypgraph.data.images import ImageSet
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.experiments import vae_data
from hypgraph.experiments.vae_data import VectorData, load_vectors
from hypgraph.experiments.vae_settings import VAESettings

TREES = VAESettings(data="trees", c=1.2)
DIGITS = VAESettings(data="digits", c=1.2)


@pytest.fixture
def no_images_kept() -> Iterator[None]:
    """Images that a test has put in place of others are forgotten."""
    vae_data._image_vectors.cache_clear()
    yield
    vae_data._image_vectors.cache_clear()


def everything(data: VectorData) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.cat([data.train, data.test]), torch.cat([data.train_labels, data.test_labels])


@pytest.mark.parametrize("seed", range(3))
def test_a_tree_is_635_vectors_of_50_numbers_split_70_to_30(seed: int) -> None:
    data = load_vectors(TREES, seed, data_root=None)
    assert (data.train.shape, data.test.shape) == ((444, 50), (191, 50))
    assert (data.train_labels.shape, data.test_labels.shape) == ((444,), (191,))
    assert data.train.dtype == data.test.dtype == torch.float32
    assert data.train_labels.dtype == data.test_labels.dtype == torch.int64
    assert data.likelihood == "normal"
    assert (data.image_shape, data.label_names) == (None, None)


@pytest.mark.parametrize("seed", range(3))
def test_trees_are_standardised_over_training_and_test_rows_together(seed: int) -> None:
    vectors, _ = everything(load_vectors(TREES, seed, data_root=None))
    assert len(vectors.unique(dim=0)) == 635  # the two parts have no row in common
    columns = vectors.double().numpy()
    np.testing.assert_allclose(columns.mean(0), 0, atol=1e-7)
    np.testing.assert_allclose(columns.std(0), 1, atol=1e-6)


def test_labels_of_trees_are_depths() -> None:
    """Five copies of 2^d nodes have depth d; and the nearest vector is nearly always a copy of the same node."""
    vectors, depth = everything(load_vectors(TREES, 4, data_root=None))
    assert depth.bincount().tolist() == [5 * 2**d for d in range(7)]
    _, near = NearestNeighbors(n_neighbors=2).fit(vectors.numpy()).kneighbors(vectors.numpy())
    agree = float((depth[near[:, 1]] == depth).double().mean())
    assert agree > 0.95  # of labels in another order it would be the sum of the squared shares, 0.34
    mean_square = [float(vectors[depth == d].square().mean()) for d in range(7)]
    assert mean_square[6] > mean_square[3] > mean_square[1]  # a random walk leaves the origin


def test_a_seed_draws_tree_and_split_of_its_own_and_the_same_again() -> None:
    first, again, other = (load_vectors(TREES, seed, data_root=None) for seed in (0, 0, 1))
    assert first.train.equal(again.train)
    assert first.test_labels.equal(again.test_labels)
    assert not first.train_labels.equal(other.train_labels)  # the split
    rows = {tuple(row) for row in everything(first)[0].tolist()}
    assert rows.isdisjoint(tuple(row) for row in everything(other)[0].tolist())  # the tree


def test_all_cells_of_a_seed_have_the_same_tree_so_that_they_compare_by_seed() -> None:
    one = load_vectors(TREES, 3, data_root=None)
    settings = VAESettings(data="trees", latent="euclidean", dim=5, prior_scale=1.7, hidden=7, epochs=3)
    other = load_vectors(settings, 3, data_root=None)
    assert one.train.equal(other.train)
    assert one.test.equal(other.test)


def test_digits_are_those_of_scikit_learn_as_shares_of_full_ink() -> None:
    data = load_vectors(DIGITS, 0, data_root=None)
    vectors, labels = everything(data)
    assert (data.train.shape, data.test.shape) == ((1437, 64), (360, 64))
    assert data.train.dtype == torch.float32
    assert (float(vectors.min()), float(vectors.max())) == (0.0, 1.0)
    assert data.likelihood == "bernoulli"
    assert data.image_shape == (8, 8)
    assert data.label_names == tuple("0123456789")
    pixels, classes = load_digits(return_X_y=True)
    theirs = sorted(map(tuple, np.column_stack([classes, pixels]).tolist()))
    assert sorted(map(tuple, torch.column_stack([labels, 16 * vectors]).tolist())) == theirs


def test_images_are_the_same_for_every_seed() -> None:
    one, other = (load_vectors(DIGITS, seed, data_root=None) for seed in (0, 1))
    assert one.train.equal(other.train)
    assert one.test.equal(other.test)


@pytest.mark.usefixtures("no_images_kept")
def test_pixels_of_256_levels_go_to_shares_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.arange(2 * 28 * 28).reshape(2, 28, 28).remainder(256).to(torch.uint8)
    labels = torch.tensor([3, 8])
    names = tuple("0123456789")
    small = ImageSet("mnist", images, labels, images.flip(0), labels.flip(0), max_value=255, label_names=names)
    asked = []

    def load(name: str, *, data_root: Path | None) -> ImageSet:
        asked.append((name, data_root))
        return small

    monkeypatch.setattr(vae_data, "load_images", load)
    settings = VAESettings(data="mnist", c=1.0)
    data = load_vectors(settings, 0, data_root=Path("mine"))
    assert data.train.shape == (2, 784)
    assert data.image_shape == (28, 28)
    expected = images.numpy().reshape(2, 784) / 255
    np.testing.assert_allclose(data.train.numpy(), expected, atol=1e-7)
    np.testing.assert_allclose(data.test.numpy(), expected[::-1], atol=1e-7)
    assert data.test_labels.tolist() == [8, 3]
    load_vectors(settings, 1, data_root=Path("mine"))
    assert asked == [("mnist", Path("mine"))]  # read once
    load_vectors(settings, 1, data_root=Path("other"))
    assert asked[1:] == [("mnist", Path("other"))]


@pytest.mark.parametrize("settings", [TREES, DIGITS], ids=["trees", "digits"])
def test_train_points_keeps_the_first_and_leaves_the_test_part_alone(settings: VAESettings) -> None:
    all_of_it = load_vectors(settings, 2, data_root=None)
    some = load_vectors(settings.model_copy(update={"train_points": 100}), 2, data_root=None)
    assert some.train.equal(all_of_it.train[:100])
    assert some.train_labels.equal(all_of_it.train_labels[:100])
    assert some.test.equal(all_of_it.test)
    assert some.test_labels.equal(all_of_it.test_labels)
    assert (some.likelihood, some.image_shape) == (all_of_it.likelihood, all_of_it.image_shape)


@pytest.mark.parametrize(("data", "count"), [("trees", 444), ("digits", 1437)])
def test_more_train_points_than_there_are_are_refused(data: str, count: int) -> None:
    settings = VAESettings.model_validate({"data": data, "c": 1.0, "train_points": count})
    assert len(load_vectors(settings, 0, data_root=None).train) == count
    with pytest.raises(ConfigError, match=rf"train_points is {count + 1}, but {data} has {count:,}"):
        load_vectors(settings.model_copy(update={"train_points": count + 1}), 0, data_root=None)


@pytest.mark.usefixtures("no_images_kept")
def test_images_that_are_not_here_are_one_line_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYPGRAPH_DATA", raising=False)
    monkeypatch.setenv("HYPGRAPH_CACHE", str(tmp_path))
    with pytest.raises(DataError) as nowhere:
        load_vectors(VAESettings(data="mnist", c=1.0), 0, data_root=None)
    for word in ("mnist", "HYPGRAPH_DATA", "--data-root", "hypgraph data fetch mnist"):
        assert word in str(nowhere.value)
    with pytest.raises(DataError) as elsewhere:
        load_vectors(VAESettings(data="fashion-mnist", c=1.0), 0, data_root=tmp_path)
    assert str(tmp_path / "FashionMNIST") in str(elsewhere.value)
    assert "\n" not in str(nowhere.value) + str(elsewhere.value)


@pytest.mark.slow
@pytest.mark.usefixtures("no_images_kept")
def test_mnist_itself_has_pixels_from_0_to_1() -> None:
    if not os.environ.get("HYPGRAPH_DATA"):
        pytest.skip("HYPGRAPH_DATA is not set")
    try:
        data = load_vectors(VAESettings(data="mnist", c=1.0), 0, data_root=None)
    except DataError as error:
        pytest.skip(str(error))
    assert (data.train.shape, data.test.shape) == ((60_000, 784), (10_000, 784))
    assert (float(data.train.min()), float(data.train.max())) == (0.0, 1.0)
    # the mean and deviation that everyone normalises MNIST with
    assert float(data.train.double().mean()) == pytest.approx(0.1307, abs=5e-5)
    assert float(data.train.double().std()) == pytest.approx(0.3081, abs=5e-5)
