"""Functions of pairs of nodes that never hold a row for each pair at once."""

from collections.abc import Iterator
from typing import Any

import torch
from scipy.sparse import coo_array
from torch import Tensor
from torch.autograd.function import once_differentiable
from typing_extensions import override

from hypgraph.manifolds import Conformal, Manifold

__all__ = ["pair_absolute_norm", "pair_square_dist", "pair_square_norm"]

# On the CPU a block of pairs stays in the cache; a GPU takes all pairs in one go.
PAIRS_A_BLOCK = 2048


def _square_norms(nodes: Tensor, pairs: Tensor) -> Tensor:
    result = nodes.new_empty(pairs.shape[1])
    for block, difference in _differences(nodes, pairs):
        torch.sum(difference.square_(), dim=-1, out=result[block])
    return result


def _square_norms_gradient(nodes: Tensor, pairs: Tensor, grad: Tensor) -> Tensor:
    weights = 2 * grad
    if nodes.device.type != "cpu":
        return _scattered_gradient(nodes, pairs, weights)
    # Row i of the gradient is 2 Σ_j w_ij (h_i - h_j): one product with the symmetric matrix of the weights w.
    sums = torch.bincount(pairs.flatten(), torch.cat([weights, weights]), minlength=nodes.shape[0]).to(nodes.dtype)
    return (sums.unsqueeze(-1) * nodes).sub_(_symmetric_product(pairs, weights, nodes))


def _scattered_gradient(nodes: Tensor, pairs: Tensor, weights: Tensor) -> Tensor:
    """The same pair by pair, as suits a GPU; no shape depends on the numbers, so a CUDA graph can hold it."""
    source, target = pairs
    slope = (nodes.index_select(0, source) - nodes.index_select(0, target)).mul_(weights.unsqueeze(-1))
    return torch.zeros_like(nodes).index_add_(0, source, slope).index_add_(0, target, slope, alpha=-1)


class _PairSquareNorm(torch.autograd.Function):
    @staticmethod
    @override
    def forward(ctx: Any, nodes: Tensor, pairs: Tensor) -> Tensor:
        ctx.save_for_backward(nodes, pairs)
        return _square_norms(nodes, pairs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return _square_norms_gradient(*ctx.saved_tensors, *grad_outputs), None


@torch.library.custom_op("hypgraph::pair_square_norm", mutates_args=())
def _pair_square_norm(nodes: Tensor, pairs: Tensor) -> Tensor:
    """The same as one operation to the compiler, which would add up the gradient in an order that changes."""
    return _square_norms(nodes, pairs)


@_pair_square_norm.register_fake
def _(nodes: Tensor, pairs: Tensor) -> Tensor:
    return nodes.new_empty(pairs.shape[1])


@torch.library.custom_op("hypgraph::pair_square_norm_gradient", mutates_args=())
def _pair_square_norm_gradient(nodes: Tensor, pairs: Tensor, grad: Tensor) -> Tensor:
    return _square_norms_gradient(nodes, pairs, grad)


@_pair_square_norm_gradient.register_fake
def _(nodes: Tensor, pairs: Tensor, grad: Tensor) -> Tensor:
    del pairs, grad
    return torch.empty_like(nodes)


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
    del output
    ctx.save_for_backward(*inputs)


def _gradient(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
    return _pair_square_norm_gradient(*ctx.saved_tensors, grad), None


_pair_square_norm.register_autograd(_gradient, setup_context=_keep)


def _symmetric_product(pairs: Tensor, weights: Tensor, dense: Tensor) -> Tensor:
    """(W + Wᵀ) times ``dense [N, K]`` on the CPU, W the ``[N, N]`` matrix of ``weights [E]`` at ``pairs [2, E]``.

    By SciPy: torch multiplies unsorted pairs one at a time through BLAS, which takes more than twice as long.
    """
    count = dense.shape[0]
    source, target = pairs.numpy()
    matrix = coo_array((weights.detach().numpy(), (source, target)), shape=(count, count))
    rows = dense.detach().numpy()
    return torch.from_numpy(matrix @ rows).add_(torch.from_numpy(matrix.T @ rows))


def _differences(nodes: Tensor, pairs: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Blocks of pairs, and the differences of their rows in a buffer that the next block overwrites."""
    count = pairs.shape[1]
    size = max(1, min(count, PAIRS_A_BLOCK) if nodes.device.type == "cpu" else count)
    source, target = nodes.new_empty(2, size, nodes.shape[1])
    for start in range(0, count, size):
        block = slice(start, min(start + size, count))
        rows = block.stop - start
        torch.index_select(nodes, 0, pairs[0, block], out=source[:rows])
        torch.index_select(nodes, 0, pairs[1, block], out=target[:rows])
        yield block, source[:rows].sub_(target[:rows])


def pair_square_norm(nodes: Tensor, pairs: Tensor) -> Tensor:
    """Squared Euclidean distances ‖h_i - h_j‖² of pairs of rows.

    Holding the rows of all pairs would cost more than all arithmetic of a training step; here they pass through a
    small buffer, and the gradient is one sparse product.

    Args:
        nodes: ``[N, K]``.
        pairs: ``[2, E]``, row numbers.

    Returns:
        ``[E]``.

    >>> pair_square_norm(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0], [1]]))
    tensor([25.])
    """
    compiling = torch.compiler.is_compiling()
    result: Tensor = _pair_square_norm(nodes, pairs) if compiling else _PairSquareNorm.apply(nodes, pairs)
    return result


class _PairAbsoluteNorm(torch.autograd.Function):
    @staticmethod
    @override
    def forward(ctx: Any, nodes: Tensor, pairs: Tensor) -> Tensor:
        ctx.save_for_backward(nodes, pairs)
        result = nodes.new_empty(pairs.shape[1])
        for block, difference in _differences(nodes, pairs):
            torch.sum(difference.abs_(), dim=-1, out=result[block])
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        nodes, pairs = ctx.saved_tensors
        (grad,) = grad_outputs
        result = torch.zeros_like(nodes)
        for block, difference in _differences(nodes, pairs):
            slope = difference.sign_().mul_(grad[block].unsqueeze(-1))
            result.index_add_(0, pairs[0, block], slope)
            result.index_add_(0, pairs[1, block], slope, alpha=-1)
        return result, None


def pair_absolute_norm(nodes: Tensor, pairs: Tensor) -> Tensor:
    """Sums of absolute differences ‖h_i - h_j‖₁ of pairs of rows, in blocks; no slope where entries are equal.

    Args:
        nodes: ``[N, K]``.
        pairs: ``[2, E]``, row numbers.

    Returns:
        ``[E]``.

    >>> pair_absolute_norm(torch.tensor([[0.0, 0.0], [3.0, -4.0]]), torch.tensor([[0], [1]]))
    tensor([7.])
    """
    result: Tensor = _PairAbsoluteNorm.apply(nodes, pairs)
    return result


def pair_square_dist(manifold: Manifold, points: Conformal, pairs: Tensor) -> Tensor:
    """Squared geodesic distances ``[E]`` of pairs ``[2, E]`` of points given in conformal coordinates.

    Gradients are finite, and zero, where the two points of a pair coincide.
    """
    square = pair_square_norm(points.coordinates, pairs)
    gaps = points.gap.index_select(0, pairs[0]) * points.gap.index_select(0, pairs[1])
    # The square of a distance has a gradient at zero, but the chain through its root has not.
    return manifold.conformal_dist(square.clamp(min=torch.finfo(square.dtype).tiny), gaps).square()
