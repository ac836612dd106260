"""Functions of pairs of nodes against the plain formulas, and the memory they take."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from hypgraph.manifolds import Manifold, Polar
from hypgraph.nn.node_pairs import PAIRS_A_BLOCK, pair_absolute_norm, pair_square_dist, pair_square_norm
from tests.distributions.reference import F64, place, seeded, spaces
from tests.nn.memory import LargestTensor


def random_pairs(nodes: int, count: int) -> Tensor:
    """With repetitions, and with pairs of a node and itself."""
    return torch.randint(0, nodes, (2, count), generator=seeded(0))


@pytest.mark.parametrize("count", [0, 1, 7, PAIRS_A_BLOCK, PAIRS_A_BLOCK + 1, 3 * PAIRS_A_BLOCK - 5])
def test_squares_and_gradients_are_those_of_the_plain_formula(count: int) -> None:
    nodes = torch.randn(40, 3, dtype=F64, generator=seeded(1), requires_grad=True)
    pairs = random_pairs(40, count)
    expected = (nodes[pairs[0]] - nodes[pairs[1]]).square().sum(-1)
    square = pair_square_norm(nodes, pairs)
    torch.testing.assert_close(square, expected, rtol=1e-14, atol=0)
    cotangent = torch.randn(count, dtype=F64, generator=seeded(2))
    ours, theirs = (torch.autograd.grad(value, nodes, cotangent)[0] for value in (square, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("count", [0, 1, 7, PAIRS_A_BLOCK, PAIRS_A_BLOCK + 1, 3 * PAIRS_A_BLOCK - 5])
def test_absolute_norms_and_gradients_are_those_of_the_plain_formula(count: int) -> None:
    nodes = torch.randn(40, 3, dtype=F64, generator=seeded(1), requires_grad=True)
    pairs = random_pairs(40, count)
    expected = (nodes[pairs[0]] - nodes[pairs[1]]).abs().sum(-1)
    norm = pair_absolute_norm(nodes, pairs)
    torch.testing.assert_close(norm, expected, rtol=1e-14, atol=0)
    cotangent = torch.randn(count, dtype=F64, generator=seeded(2))
    ours, theirs = (torch.autograd.grad(value, nodes, cotangent)[0] for value in (norm, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("function", [pair_square_norm, pair_absolute_norm])
def test_it_passes_gradcheck(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    nodes = torch.randn(6, 3, dtype=F64, generator=seeded(1), requires_grad=True)
    pairs = random_pairs(6, 12)
    pairs = pairs[:, pairs[0] != pairs[1]]  # an absolute value has no slope at 0
    assert torch.autograd.gradcheck(lambda x: function(x, pairs), (nodes,))


def test_the_nodes_are_left_alone_and_need_not_be_contiguous() -> None:
    nodes = torch.randn(3, 40, generator=seeded(1)).mT
    before, pairs = nodes.clone(), random_pairs(40, 30)
    square = pair_square_norm(nodes, pairs)
    assert square.dtype == torch.float32
    assert torch.equal(nodes, before)
    torch.testing.assert_close(square, (before[pairs[0]] - before[pairs[1]]).square().sum(-1))


@pytest.mark.parametrize("function", [pair_square_norm, pair_absolute_norm])
def test_no_tensor_holds_a_row_for_each_pair(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    nodes = torch.randn(40, 30, dtype=F64, generator=seeded(1), requires_grad=True)
    count = 20 * PAIRS_A_BLOCK
    pairs = random_pairs(40, count)
    with LargestTensor() as largest:
        function(nodes, pairs).sum().backward()
    assert count <= largest.elements <= 4 * count


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_square_distances_are_those_of_the_manifold(manifold: Manifold) -> None:
    vectors = torch.randn(40, 3, dtype=F64, generator=seeded(1), requires_grad=True)
    z, pairs = place(manifold, vectors), random_pairs(40, 200)
    pairs = pairs[:, pairs[0] != pairs[1]]
    square = pair_square_dist(manifold, manifold.conformal(z), pairs)
    expected = manifold.dist(z[pairs[0]], z[pairs[1]]).square()
    torch.testing.assert_close(square, expected, rtol=1e-11, atol=0)
    ours, theirs = (
        torch.autograd.grad(value.sum(), vectors, retain_graph=True)[0] for value in (square, expected)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_points_may_be_given_in_polar_coordinates(manifold: Manifold) -> None:
    polar = manifold.to_polar(place(manifold, torch.randn(40, 3, dtype=F64, generator=seeded(1))))
    pairs = random_pairs(40, 200)
    pairs = pairs[:, pairs[0] != pairs[1]]
    square = pair_square_dist(manifold, manifold.conformal(polar), pairs)
    ends = (Polar(polar.radius[index], polar.direction[index]) for index in pairs)
    torch.testing.assert_close(square, manifold.dist_polar(*ends).square(), rtol=1e-11, atol=0)


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_small_distances_keep_their_digits(manifold: Manifold) -> None:
    z = place(manifold, torch.tensor([[1e-9, 0, 0], [0, 1e-9, 0], [3e-9, 0, 0]], dtype=F64))
    square = pair_square_dist(manifold, manifold.conformal(z), torch.tensor([[0, 0], [1, 2]]))
    torch.testing.assert_close(square, torch.tensor([2e-18, 4e-18], dtype=F64), rtol=1e-12, atol=0)


@pytest.mark.parametrize("manifold", spaces(3), ids=str)
def test_a_node_paired_with_itself_is_at_distance_zero_with_gradient_zero(manifold: Manifold) -> None:
    vectors = torch.randn(4, 3, dtype=F64, generator=seeded(1), requires_grad=True)
    z = place(manifold, vectors)
    square = pair_square_dist(manifold, manifold.conformal(z), torch.tensor([[0, 2], [0, 2]]))
    assert square.max() < 1e-300
    square.sum().backward()
    assert vectors.grad.abs().max() < 1e-300
