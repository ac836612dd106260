"""Pictures of a trained VAE: the latent space, samples and reconstructions."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hypgraph.data.branching_diffusion import BranchingDiffusion
from hypgraph.experiments.vae_data import VectorData, diffusion_of
from hypgraph.experiments.vae_settings import VAESettings
from hypgraph.manifolds import Euclidean, Polar
from hypgraph.models import VAE
from hypgraph.random import stream
from hypgraph.viewer import draw_disk, draw_plane, image_grid, reconstruction_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_vae"]

_SAMPLES, _RECONSTRUCTIONS, _CODES = 100, 20, 5000


@torch.no_grad()
def draw_vae(
    model: VAE, settings: VAESettings, data: VectorData, seed: int, *, title: str | None = None
) -> dict[str, "Figure"]:
    """Pictures by name: ``latent`` in two dimensions; ``samples`` and ``reconstructions`` of images.

    The latent picture has posteriors' centres: of a tree's nodes with its edges as geodesics, or of the first 5000
    test images by class.
    """
    pictures = {}
    if settings.dim == 2:
        pictures["latent"] = (
            _tree(model, seed, title) if settings.data == "trees" else _classes(model, data, title)
        )
    if data.image_shape is not None:
        samples = model.sample(_SAMPLES, generator=stream(seed, "pictures"))
        originals = data.test[:_RECONSTRUCTIONS]
        made = model.reconstruct(originals)
        pictures["samples"] = image_grid(samples.unflatten(-1, data.image_shape), rows=10, cols=10)
        pictures["reconstructions"] = reconstruction_grid(
            *(images.unflatten(-1, data.image_shape) for images in (originals, made))
        )
    return pictures


def _tree(model: VAE, seed: int, title: str | None) -> "Figure":
    diffusion: BranchingDiffusion = diffusion_of(seed)
    nodes = diffusion.standardised_nodes().float()
    return _space(model, _center(model, nodes), diffusion.depth, "depth", title, edges=diffusion.graph.edge_index)


def _classes(model: VAE, data: VectorData, title: str | None) -> "Figure":
    centers = _center(model, data.test[:_CODES])
    return _space(model, centers, data.test_labels[:_CODES], "class", title, categories=data.label_names)


def _center(model: VAE, vectors: Tensor) -> Polar:
    center = model.encode(vectors).center
    assert center is not None
    return center


def _space(
    model: VAE,
    centers: Polar,
    values: Tensor,
    value_label: str,
    title: str | None,
    *,
    edges: Tensor | None = None,
    categories: tuple[str, ...] | None = None,
) -> "Figure":
    manifold = model.head.manifold
    options: dict[str, Any] = {
        "edges": edges,
        "values": values,
        "value_label": value_label,
        "categories": categories,
        "title": title,
    }
    if isinstance(manifold, Euclidean):
        return draw_plane(centers.vector(), **options)
    return draw_disk(centers, c=manifold.c_value, **options)
