"""Vectors for the VAE experiments, and what is to be said of them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from hypgraph.data.branching_diffusion import BranchingDiffusion, branching_diffusion
from hypgraph.data.images import load_images
from hypgraph.exceptions import ConfigError
from hypgraph.experiments.vae_settings import VAESettings
from hypgraph.random import stream

__all__ = ["VectorData", "diffusion_of", "load_vectors"]


@dataclass(frozen=True, eq=False)
class VectorData:
    """Vectors to train on and to test with.

    Attributes:
        train: float32 ``[N, D]``.
        test: float32 ``[M, D]``.
        train_labels: int64 ``[N]``: the depth in the tree, or the class.
        test_labels: int64 ``[M]``.
        likelihood: the name of the likelihood that suits them.
        label_names: of the classes, where the labels are classes.
        image_shape: height and width, where the vectors are images.
    """

    train: Tensor
    test: Tensor
    train_labels: Tensor
    test_labels: Tensor
    likelihood: str
    label_names: tuple[str, ...] | None = None
    image_shape: tuple[int, int] | None = None


def load_vectors(settings: VAESettings, seed: int, *, data_root: Path | None) -> VectorData:
    """The data of a cell.

    ``trees`` is the branching diffusion of Mathieu et al. 2019, drawn, standardised and split 70/30 by ``seed``.
    Images are the same for all seeds: their own training and test parts, pixels in [0, 1].

    Raises:
        DataError: if files are missing or malformed.
        ConfigError: if ``train_points`` is more than there are.
    """
    data = _tree_vectors(seed) if settings.data == "trees" else _image_vectors(settings.data, data_root)
    count = settings.train_points
    if count is None:
        return data
    if count > len(data.train):
        raise ConfigError(f"train_points is {count}, but {settings.data} has {len(data.train):,} training vectors")
    return replace(data, train=data.train[:count], train_labels=data.train_labels[:count])


def diffusion_of(seed: int) -> BranchingDiffusion:
    """The tree of a seed."""
    return branching_diffusion(generator=stream(seed, "data"))


def _tree_vectors(seed: int) -> VectorData:
    diffusion = diffusion_of(seed)
    vectors, label = diffusion.standardised().float(), diffusion.depth[diffusion.node]
    train, test = diffusion.split(generator=stream(seed, "split"))
    return VectorData(vectors[train], vectors[test], label[train], label[test], "normal")


@lru_cache(maxsize=1)  # for the next seed, and the next cell
def _image_vectors(name: str, data_root: Path | None) -> VectorData:
    images = load_images(name, data_root=data_root)
    return VectorData(
        _pixels(images.train_images, images.max_value),
        _pixels(images.test_images, images.max_value),
        images.train_labels,
        images.test_labels,
        "bernoulli",
        images.label_names,
        (images.test_images.shape[1], images.test_images.shape[2]),
    )


def _pixels(images: Tensor, max_value: int) -> Tensor:
    return images.flatten(1).float() / max_value
