"""The passes of refinement against automatic differentiation, and against mpmath far out."""

import itertools
import math
from collections.abc import Callable

import mpmath as mp
import networkx as nx
import numpy as np
import pytest
import torch
from torch import Tensor

from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.hierarchy import refinement as refinement_module
from hypgraph.hierarchy.fermi_dirac_loss import BalancedFermiDirac
from hypgraph.hierarchy.pair_forces import PairForces
from hypgraph.hierarchy.placement import LARGEST_RADIUS
from hypgraph.hierarchy.polar_adam import PolarAdam
from hypgraph.hierarchy.refinement import Refinement, Schedule, lifted, proper, shaken, shrunk
from hypgraph.hierarchy.softmax_loss import NeighbourSoftmax
from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional.polar import dist_polar, translate_polar

from .graphs import edges_of

F64 = torch.float64
Loss = Callable[[Tensor, Tensor], Tensor]  # of all distances and the adjacency matrix, for the rows that count
ROWS = [None, torch.tensor([3, 20, 7])]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_graph(seed: int, count: int = 23, pairs: int = 40) -> TrainingGraph:
    return TrainingGraph.from_edges(torch.randint(count, (2, pairs), generator=generator(seed)), count)


def random_points(count: int, dim: int, largest: float, seed: int = 1) -> Polar:
    draw = generator(seed)
    noise = torch.randn(count, dim, generator=draw, dtype=F64)
    radius = largest * torch.rand(count, generator=draw, dtype=F64)
    return Polar(radius, noise / noise.norm(dim=1, keepdim=True))


def softmax_by_definition(beta: float, nodes: Tensor | None) -> Loss:
    def loss(distance: Tensor, near: Tensor) -> Tensor:
        count = len(near)
        total = distance.new_zeros(())
        for i in range(count) if nodes is None else nodes.tolist():
            others = [-beta * distance[i, k] for k in range(count) if k != i and not near[i, k]]
            neighbours = near[i].nonzero()[:, 0].tolist()
            for j in neighbours:
                own = -beta * distance[i, j]
                total = total - (own - torch.logsumexp(torch.stack([own, *others]), 0)) / len(neighbours)
        return total

    return loss


def fermi_dirac_by_definition(radius: float, temperature: float, nodes: Tensor | None) -> Loss:
    def loss(distance: Tensor, near: Tensor) -> Tensor:
        level = (distance - radius) / temperature
        own = torch.eye(len(near), dtype=torch.bool)
        rows = torch.zeros(len(near)) if nodes is not None else torch.ones(len(near))
        if nodes is not None:
            rows[nodes] = 1.0
        total = distance.new_zeros(())
        for i in rows.nonzero()[:, 0].tolist():
            if near[i].any():
                total = total + torch.nn.functional.softplus(level[i, near[i]]).mean()
            total = total + torch.nn.functional.softplus(-level[i, ~near[i] & ~own[i]]).mean()
        return total

    return loss


def by_autograd(loss: Loss, points: Polar, graph: TrainingGraph) -> tuple[float, Tensor]:
    """The loss and its gradient: a vector of length 1 across the radius turns the direction by 1/sinh r."""
    x = Polar(points.radius.clone().requires_grad_(), points.direction.clone().requires_grad_())
    distance = dist_polar(Polar(x.radius[:, None], x.direction[:, None]), x, c=1.0)
    value = loss(distance, torch.from_numpy(graph.adjacency.toarray() > 0))
    radial, across = torch.autograd.grad(value, (x.radius, x.direction))
    u = points.direction
    across = across - (across * u).sum(1, keepdim=True) * u
    return value.item(), radial[:, None] * u + across / torch.sinh(points.radius)[:, None]


@pytest.mark.parametrize("nodes", ROWS, ids=["all rows", "some rows"])
@pytest.mark.parametrize("largest", [0.5, 5.0, 20.0])
@pytest.mark.parametrize("dim", [2, 3, 5])
def test_the_softmax_loss_and_its_gradient_are_those_of_the_definition(
    dim: int, largest: float, nodes: Tensor | None
) -> None:
    graph, points = random_graph(dim), random_points(23, dim, largest)
    value, gradient = NeighbourSoftmax(graph)(points, 1.5, nodes)
    truth, derivatives = by_autograd(softmax_by_definition(1.5, nodes), points, graph)
    assert value == pytest.approx(truth, rel=1e-9)
    assert torch.allclose(gradient, derivatives, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("nodes", ROWS, ids=["all rows", "some rows"])
@pytest.mark.parametrize("dim", [2, 3])
def test_the_fermi_dirac_loss_and_its_gradient_are_those_of_the_definition(dim: int, nodes: Tensor | None) -> None:
    graph, points = random_graph(dim + 10), random_points(23, dim, 4.0)
    value, gradient = BalancedFermiDirac(graph, 3.0, 0.7)(points, nodes)
    truth, derivatives = by_autograd(fermi_dirac_by_definition(3.0, 0.7, nodes), points, graph)
    assert value == pytest.approx(truth, rel=1e-9)
    assert torch.allclose(gradient, derivatives, rtol=1e-9, atol=1e-10)


def test_the_gradients_of_parts_of_the_rows_add_up_to_the_whole() -> None:
    graph, points = random_graph(0), random_points(23, 2, 8.0)
    loss = NeighbourSoftmax(graph)
    whole, gradient = loss(points, 2.0)
    parts = [loss(points, 2.0, part) for part in torch.randperm(23, generator=generator()).split(6)]
    assert whole == pytest.approx(sum(value for value, _ in parts), rel=1e-12)
    assert torch.allclose(gradient, sum((part for _, part in parts), torch.zeros(())), rtol=1e-10, atol=1e-12)


def exact_hyperboloid(radius: mp.mpf, direction: list[mp.mpf]) -> list[mp.mpf]:
    size = mp.sqrt(mp.fsum(x * x for x in direction))
    return [mp.cosh(radius), *(mp.sinh(radius) * x / size for x in direction)]


def exact_moved(radius: mp.mpf, direction: list[mp.mpf], move: list[mp.mpf]) -> list[mp.mpf]:
    """exp of a tangent vector at a point; the frame there is the one carried from the origin along the radius."""
    size = mp.sqrt(mp.fsum(x * x for x in direction))
    u = [x / size for x in direction]
    along = mp.fsum(a * b for a, b in zip(u, move, strict=True))
    across = [b - along * a for a, b in zip(u, move, strict=True)]
    velocity = [
        along * mp.sinh(radius),
        *(along * mp.cosh(radius) * a + b for a, b in zip(u, across, strict=True)),
    ]
    length = mp.sqrt(mp.fsum(x * x for x in move))
    here = exact_hyperboloid(radius, direction)
    return [mp.cosh(length) * x + mp.sinh(length) / length * v for x, v in zip(here, velocity, strict=True)]


def test_far_out_the_gradient_is_the_change_of_the_loss_to_60_digits() -> None:
    # Points at radius 25 to 33, some of them a unit apart: ball coordinates in float64 would hold none of it.
    graph = TrainingGraph.from_edges(edges_of(nx.path_graph(5))[0], 6)
    angle = torch.tensor([0.3, 0.3 + 1e-12, 0.3 + 2e-13, 2.0, 2.0 - 4e-14, -1.0], dtype=F64)
    radius = torch.tensor([25.0, 27.0, 29.0, 30.0, 31.0, 33.0], dtype=F64)
    points = Polar(radius, torch.stack([angle.cos(), angle.sin()], 1))
    value, gradient = NeighbourSoftmax(graph)(points, 1.3)
    near = graph.adjacency.toarray() > 0
    with mp.workdps(60):
        at = [
            (mp.mpf(r), [mp.mpf(x) for x in u])
            for r, u in zip(radius.tolist(), points.direction.tolist(), strict=True)
        ]

        def loss(spots: list[list[mp.mpf]]) -> mp.mpf:
            def weight(i: int, k: int) -> mp.mpf:
                a, b = spots[i], spots[k]
                cosh = a[0] * b[0] - mp.fsum(x * y for x, y in zip(a[1:], b[1:], strict=True))
                return mp.exp(-mp.mpf(1.3) * mp.acosh(cosh))

            total = mp.mpf(0)
            for i in range(6):
                others = mp.fsum(weight(i, k) for k in range(6) if k != i and not near[i, k])
                for j in np.flatnonzero(near[i]):
                    own = weight(i, int(j))
                    total -= mp.log(own / (own + others)) / int(near[i].sum())
            return total

        spots = [exact_hyperboloid(*point) for point in at]
        assert value == pytest.approx(float(loss(spots)), rel=1e-3)
        step = mp.mpf(10) ** -20
        for node, axis in itertools.product(range(6), range(2)):
            move = [step if k == axis else mp.mpf(0) for k in range(2)]
            moved = [*spots]
            moved[node] = exact_moved(*at[node], move)
            derivative = float((loss(moved) - loss(spots)) / step)
            # At radius 33 a direction in float64 stands for places 0.05 apart.
            assert gradient[node, axis].item() == pytest.approx(derivative, abs=2e-2), (node, axis)


def test_a_gradient_at_the_origin_and_at_coincident_points_is_finite() -> None:
    graph = TrainingGraph.from_edges([[0, 1, 2], [1, 2, 3]], 5)
    points = proper(Polar(torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0], dtype=F64), torch.zeros(5, 2, dtype=F64)))
    for value, gradient in (NeighbourSoftmax(graph)(points, 1.0), BalancedFermiDirac(graph, 1.0, 0.5)(points)):
        assert math.isfinite(value)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1.5, math.pi - 1e-9, math.pi, -math.pi + 1e-9, -1.5])
def test_the_turn_between_two_directions_in_the_plane_keeps_its_precision(angle: float) -> None:
    # Next to every direction, also minus the axis, there is one that differs by 1e-12.
    angles = torch.tensor([angle, angle + 1e-12], dtype=F64)
    points = Polar(torch.full((2,), 27.0, dtype=F64), torch.stack([angles.cos(), angles.sin()], 1))
    block = PairForces(points).block(slice(None), torch.tensor([0, 3]))
    pair = [Polar(points.radius[i], points.direction[i]) for i in range(2)]
    assert 2 * block.half[0, 1].item() == pytest.approx(dist_polar(*pair, c=1.0).item(), rel=2e-3)


def test_a_first_step_is_a_geodesic_of_the_given_length_against_the_gradient() -> None:
    points = random_points(50, 3, 20.0)
    gradient = torch.randn(50, 3, generator=generator(), dtype=F64)
    optimizer = PolarAdam(points)
    optimizer.step(gradient, 0.1)
    towards = translate_polar(points.opposite(), optimizer.points, c=1.0)
    assert torch.allclose(towards.radius, torch.full((50,), 0.1, dtype=F64), rtol=1e-5)
    against = -gradient / gradient.norm(dim=1, keepdim=True)
    near = points.radius < 12  # further out the rounding of directions shows in so short a step
    assert torch.allclose(towards.direction[near], against[near], atol=1e-8)


def test_momentum_goes_straight_on_where_no_gradient_turns_it() -> None:
    points = random_points(50, 3, 10.0)
    optimizer = PolarAdam(points)
    optimizer.step(torch.randn(50, 3, generator=generator(), dtype=F64), 1.0)
    first = optimizer.points
    optimizer.step(torch.zeros(50, 3, dtype=F64), 1.0)
    second = optimizer.points
    legs = dist_polar(points, first, c=1.0) + dist_polar(first, second, c=1.0)
    assert legs.min() > 1.2
    assert torch.allclose(dist_polar(points, second, c=1.0), legs, rtol=1e-9)


def test_steps_end_at_the_largest_radius() -> None:
    optimizer = PolarAdam(random_points(20, 2, 35.9))
    for _ in range(30):
        optimizer.step(-optimizer.points.direction, 1.0)
    assert optimizer.points.radius.max() == LARGEST_RADIUS
    assert torch.allclose(optimizer.points.direction.norm(dim=1), torch.ones(20, dtype=F64), rtol=1e-15)


def test_a_node_without_any_force_stays_where_it_is() -> None:
    points = random_points(4, 2, 3.0)
    optimizer = PolarAdam(points)
    optimizer.step(torch.zeros(4, 2, dtype=F64), 0.5)
    assert dist_polar(points, optimizer.points, c=1.0).max() < 1e-12


@pytest.mark.parametrize("length", [0.1, 30.0])  # the longer one throws everything about
def test_a_run_never_ends_below_its_start(length: float) -> None:
    edges, count = edges_of(nx.balanced_tree(3, 3))
    refinement = Refinement(TrainingGraph.from_edges(edges, count), 2, generator())
    start = random_points(count, 2, 5.0)
    first, quality = refinement.run(start, Schedule(60, 0.2))
    assert quality > refinement.quality(start) + 0.1
    again, later = refinement.run(first, Schedule(60, length))
    assert later >= quality
    assert refinement.quality(again) == later
    assert again.radius.max() <= LARGEST_RADIUS


def test_points_that_coincide_part() -> None:
    edges, count = edges_of(nx.balanced_tree(2, 3))
    refinement = Refinement(TrainingGraph.from_edges(edges, count), 2, generator())
    start = proper(Polar(torch.ones(count, dtype=F64), torch.zeros(count, 2, dtype=F64)))
    assert refinement.quality(start) < 0.2
    assert refinement.run(start, Schedule(200, 0.2))[1] > 0.6


def test_a_large_graph_is_refined_by_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    edges, count = edges_of(nx.balanced_tree(2, 7))
    graph, start = TrainingGraph.from_edges(edges, count), random_points(count, 2, 5.0)
    monkeypatch.setattr(refinement_module, "PAIRS_A_STEP", 64 * count)
    runs = []
    for _ in range(2):
        refinement = Refinement(graph, 2, generator(3))
        assert refinement.rows == 64
        batches = refinement.batches()
        seen = torch.cat([batch for batch in itertools.islice(batches, count // 64) if batch is not None])
        assert len(seen) == len(seen.unique()) == 192
        runs.append(refinement.run(start, Schedule(90, 0.2)))
    assert runs[0][1] > refinement.quality(start) + 0.1
    assert torch.equal(runs[0][0].radius, runs[1][0].radius)


def test_proper_points_have_unit_directions_and_allowed_radii() -> None:
    points = proper(
        Polar(torch.tensor([0.0, 40.0, 1.0], dtype=F64), torch.tensor([[0, 0], [3, 4], [0, -1]], dtype=F64))
    )
    assert points.radius.tolist() == [0.0, LARGEST_RADIUS, 1.0]
    assert points.direction.tolist() == [[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]]


def test_lifted_points_keep_their_distances_and_shrunk_ones_their_directions() -> None:
    points = random_points(9, 2, 6.0)
    high, small = lifted(points, 5), shrunk(points, 0.5)
    assert high.direction.shape == (9, 5)
    pair = [Polar(p.radius[1:], p.direction[1:]) for p in (points, high)]
    first = [Polar(p.radius[0], p.direction[0]) for p in (points, high)]
    flat, raised = (dist_polar(a, b, c=1.0) for a, b in zip(first, pair, strict=True))
    assert torch.allclose(flat, raised, rtol=1e-12)
    assert torch.equal(small.direction, points.direction)
    assert torch.equal(small.radius, points.radius / 2)


def test_shaken_points_move_by_normal_vectors() -> None:
    points = random_points(4000, 3, 5.0)
    moved = dist_polar(points, shaken(points, 0.2, generator=generator()), c=1.0)
    assert moved.square().mean().sqrt().item() == pytest.approx(0.2 * math.sqrt(3), rel=0.03)
