"""Scales fitted around a drawing."""

import networkx as nx
import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from hypgraph.evaluation.reconstruction import reconstruction
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.hierarchy import HierarchyEmbedding, embed_hierarchy, uncertainty
from hypgraph.hierarchy.softmax_loss import NeighbourSoftmax
from hypgraph.hierarchy.uncertainty import fit_posterior
from hypgraph.manifolds import PoincareBall, Polar

from .graphs import Edges, Sized, edges_of, grown


def drawn(edges: Edges, count: int, c: float = 1.0) -> HierarchyEmbedding:
    return embed_hierarchy(edges, count, c=c, uncertainty=True, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "tree", [edges_of(nx.balanced_tree(2, 4)), grown(120, seed=1)], ids=["binary", "random recursive"]
)
def test_the_means_reconstruct_a_tree_and_leaves_have_larger_scales_than_hubs(tree: Sized) -> None:
    edges, count = tree
    drawing = drawn(edges, count)
    posterior = drawing.posterior
    assert posterior is not None
    assert posterior.batch_shape == (count,)
    assert posterior.center is not None
    assert reconstruction(edges, posterior.center, drawing.manifold).mean_average_precision >= 0.99
    scale = posterior.scale.squeeze(-1)
    degree = np.bincount(edges.ravel(), minlength=count)
    assert scale.isfinite().all()
    assert scale[degree == 1].median() > 1.5 * scale[degree > 2].median()
    assert spearmanr(degree, scale)[0] < -0.4


def test_another_curvature_only_changes_the_unit_of_length() -> None:
    edges, count = edges_of(nx.balanced_tree(2, 3))
    one, four = drawn(edges, count), drawn(edges, count, c=4.0)
    assert one.posterior is not None
    assert four.posterior is not None
    assert torch.allclose(one.posterior.scale, 2 * four.posterior.scale, rtol=1e-12)
    assert four.posterior.manifold.c == 4.0
    assert four.posterior.center is not None
    assert torch.equal(four.posterior.center.radius, four.points.radius)


def test_the_gradient_with_respect_to_polar_coordinates_is_that_of_the_loss() -> None:
    # Finite differences of the loss itself, in radius and angle.
    loss = NeighbourSoftmax(TrainingGraph.from_edges(edges_of(nx.path_graph(6))[0], 7))
    draw = torch.Generator().manual_seed(0)
    radius = (3 * torch.rand(7, generator=draw, dtype=torch.float64)).requires_grad_()
    angle = (6 * torch.rand(7, generator=draw, dtype=torch.float64)).requires_grad_()

    def at(radius: torch.Tensor, angle: torch.Tensor) -> Polar:
        return Polar(radius, torch.stack([angle.cos(), angle.sin()], 1))

    first = torch.autograd.grad(uncertainty._first_order(loss, at(radius, angle), None), (radius, angle))
    for which, gradient in enumerate(first):
        for node in range(7):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [radius.detach().clone(), angle.detach().clone()]
                moved[which][node] += step
                ends.append(loss(at(*moved), uncertainty.INVERSE_TEMPERATURE)[0])
            assert gradient[node].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-8)


def test_without_neighbours_a_scale_is_that_of_the_prior() -> None:
    # Nodes at the origin of a complete graph have nothing to lose by wandering: only the divergence counts.
    graph = TrainingGraph.from_edges(edges_of(nx.complete_graph(4))[0], 4)
    east = torch.tensor([[1.0, 0.0]], dtype=torch.float64).expand(4, 2)
    points = Polar(torch.zeros(4, dtype=torch.float64), east)
    posterior = fit_posterior(graph, points, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(posterior.scale, torch.ones(4, 1, dtype=torch.float64), atol=0.15)


def test_rows_of_a_large_graph_are_taken_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    edges, count = edges_of(nx.balanced_tree(2, 5))
    drawing = embed_hierarchy(edges, count, generator=torch.Generator().manual_seed(0))
    graph = TrainingGraph.from_edges(edges, count)
    scales = []
    for rows in (count, 21):
        monkeypatch.setattr(uncertainty, "rows_a_step", lambda _, rows=rows: rows)
        posterior = fit_posterior(graph, drawing.points, generator=torch.Generator().manual_seed(0))
        scales.append(posterior.scale.squeeze(-1).log())
    assert (scales[0] - scales[1]).abs().median() < 0.25
    assert (scales[0] - scales[1]).mean().abs() < 0.1


@pytest.mark.slow
def test_a_larger_tree_keeps_its_means_where_they_were() -> None:
    edges, count = edges_of(nx.balanced_tree(2, 8))
    drawing = drawn(edges, count)
    assert drawing.posterior is not None
    assert drawing.posterior.center is not None
    precision = reconstruction(edges, drawing.posterior.center, PoincareBall(2)).mean_average_precision
    assert precision >= 0.99
