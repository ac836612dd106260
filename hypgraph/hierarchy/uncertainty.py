"""How far each node of a drawing may wander: a wrapped normal around each point."""

import torch
from torch import Tensor

from hypgraph.distributions import WrappedNormal
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.hierarchy.refinement import rows_a_step
from hypgraph.hierarchy.softmax_loss import NeighbourSoftmax
from hypgraph.manifolds import PoincareBall, Polar

__all__ = ["KL_WEIGHT", "fit_posterior"]

KL_WEIGHT = 0.1
"""What the divergence from the prior counts: 1 would drown the neighbours of hubs."""
STEPS, RATE = 200, 0.1
FIRST_SCALE = 0.3
INVERSE_TEMPERATURE = 1.0


def fit_posterior(
    graph: TrainingGraph, points: Polar, *, c: float = 1.0, generator: torch.Generator
) -> WrappedNormal:
    r"""A wrapped normal with one scale around each point, fitted with the points held where they are.

    The scales minimise, by Adam on draws that keep their length and direction,

        E[ softmax loss of the drawn points ] + 0.1 Σ_i KL( q_i ‖ p ),

    where p is the wrapped normal about the origin whose scale fits the radii of the points. As the centres do not
    move, they reconstruct the graph exactly as well as the points.

    A scale says how far a node may move before neighbours are no longer nearest: it is large where there is room,
    as around leaves, and small where many nodes look to one point, as at hubs. It follows the degree, and says
    nothing of how general a node's meaning is.

    Args:
        graph: with at least one edge.
        points: radius ``[N]``, direction ``[N, d]`` for curvature -1.
        c: minus the curvature of the result.
        generator: draws the noise, and the rows of each step where the graph is large.

    Returns:
        batch shape ``[N]``, centres at the points, lengths for curvature -c.
    """
    space = PoincareBall(points.direction.shape[1])
    prior_scale = (points.radius.square().mean() / space.dim).sqrt().clamp(min=1.0)
    prior = WrappedNormal(None, prior_scale, space)
    loss = NeighbourSoftmax(graph)
    log_scale = torch.full_like(points.radius, FIRST_SCALE).log_().requires_grad_()
    optimizer = torch.optim.Adam([log_scale], lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    rows = rows_a_step(graph.num_nodes)
    mean = torch.zeros_like(log_scale)
    for step in range(STEPS):
        nodes = None
        if rows < graph.num_nodes:
            nodes = torch.randperm(graph.num_nodes, generator=generator)[:rows]
        posterior = WrappedNormal(points, log_scale.exp(), space)
        draw = posterior.rsample_polar(generator=generator)
        reconstruction = _first_order(loss, draw.about_origin, nodes) * (graph.num_nodes / rows)
        divergence = (posterior.log_prob_of(draw) - prior.log_prob_of(draw)).sum()
        optimizer.zero_grad()
        (reconstruction + KL_WEIGHT * divergence).backward()
        optimizer.step()
        schedule.step()
        if step >= STEPS // 2:  # the mean over the second half is less noisy than where the last draw led
            mean += log_scale.detach() / (STEPS - STEPS // 2)
    centers = Polar(points.radius / c**0.5, points.direction)
    return WrappedNormal(centers, mean.exp() / c**0.5, PoincareBall(space.dim, c=c))


def _first_order(loss: NeighbourSoftmax, points: Polar, nodes: Tensor | None) -> Tensor:
    """A number whose gradient with respect to radii and directions is that of the loss.

    A change (dr, du) of polar coordinates is the frame vector dr u + sinh(r) du.
    """
    radius, direction = points.radius.detach(), points.direction.detach()
    _, gradient = loss(Polar(radius, direction), INVERSE_TEMPERATURE, nodes)
    radial = (gradient * direction).sum(1)
    across = torch.sinh(radius)[:, None] * (gradient - radial[:, None] * direction)
    return (radial * points.radius).sum() + (across * points.direction).sum()
