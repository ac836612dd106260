"""Unordered pairs of nodes as integers, and exact sampling of the pairs that are not edges."""

import numpy as np
import torch

from hypgraph.data.graph import MAX_NODES
from hypgraph.exceptions import DataError

__all__ = ["NonEdgeSampler", "OrderedPairNumbering", "PairNumbering"]


class PairNumbering:
    """The bijection between the pairs u < v of n nodes and the integers 0 .. n(n−1)/2 − 1.

    Pairs are numbered in lexicographic order: (0, 1), (0, 2), …, (0, n−1), (1, 2), …. The pairs of row u
    begin at offset(u) = u(2n−u−1)/2, so that number(u, v) = offset(u) + v − u − 1. All is integer arithmetic,
    exact for every n; the n offsets are kept, and a row is found by a square root, or by bisection in them.

    Args:
        num_nodes: n.
        device: where the numbers live.

    Raises:
        DataError: if n is negative, or so large that n² does not fit in an int64.

    >>> numbering = PairNumbering(4)
    >>> numbering.decode(torch.arange(6)).tolist()
    [[0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3]]
    >>> numbering.encode(torch.tensor([[1], [3]])).tolist()
    [4]
    """

    def __init__(self, num_nodes: int, *, device: str | torch.device = "cpu") -> None:
        if not 0 <= num_nodes <= MAX_NODES:
            raise DataError(f"num_nodes is {num_nodes}; allowed are 0 to {MAX_NODES}")
        self.num_nodes = num_nodes
        self.num_pairs = num_nodes * (num_nodes - 1) // 2
        u = torch.arange(num_nodes, device=device)
        self._row_offset: torch.Tensor = u * (2 * num_nodes - u - 1) // 2

    def encode(self, pairs: torch.Tensor) -> torch.Tensor:
        """The numbers, int64 ``[M]``, of the pairs u < v in ``pairs``, ``[2, M]``."""
        u, v = pairs.unbind()
        return self._row_offset[u] + v - u - 1

    def decode(self, numbers: torch.Tensor) -> torch.Tensor:
        """The pairs u < v, int64 ``[2, M]``, with these numbers, ``[M]``."""
        n = self.num_nodes
        if 1 < n < 2**25:
            # The root of offset(u) = number. Its discriminant is below 2⁵², and at least 9, so float64 holds
            # it exactly and the row, at most n-2, is off by one at most.
            root = torch.sqrt(((2 * n - 1) ** 2 - 8 * numbers).double())
            u = ((2 * n - 1 - root) / 2).long()
            u = u - (self._row_offset[u] > numbers).long()
            u = u + (self._row_offset[u + 1] <= numbers).long()
        else:
            u = torch.searchsorted(self._row_offset, numbers.contiguous(), right=True) - 1
        return torch.stack([u, numbers - self._row_offset[u] + u + 1])


class OrderedPairNumbering:
    """The bijection between the ordered pairs u ≠ v of n nodes and the integers 0 .. n(n−1) − 1, in order.

    number(u, v) = u(n−1) + v − [v > u].

    Args:
        num_nodes: n.

    Raises:
        DataError: if n is negative, or so large that n² does not fit in an int64.

    >>> OrderedPairNumbering(3).decode(torch.arange(6)).tolist()
    [[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]]
    """

    def __init__(self, num_nodes: int) -> None:
        if not 0 <= num_nodes <= MAX_NODES:
            raise DataError(f"num_nodes is {num_nodes}; allowed are 0 to {MAX_NODES}")
        self.num_nodes = num_nodes
        self.num_pairs = num_nodes * (num_nodes - 1)

    def encode(self, pairs: torch.Tensor) -> torch.Tensor:
        """The numbers, int64 ``[M]``, of the pairs u ≠ v in ``pairs``, ``[2, M]``."""
        u, v = pairs.unbind()
        return u * (self.num_nodes - 1) + v - (v > u).long()

    def decode(self, numbers: torch.Tensor) -> torch.Tensor:
        """The pairs u ≠ v, int64 ``[2, M]``, with these numbers, ``[M]``."""
        others = max(self.num_nodes - 1, 1)
        u, v = numbers // others, numbers % others
        return torch.stack([u, v + (v >= u).long()])


class NonEdgeSampler:
    r"""Uniform draws from the pairs of nodes that are not edges, without rejection.

    Let e₀ < e₁ < … be the numbers of the edges (see :class:`PairNumbering`). eⱼ − j non-edges come before
    edge j, so that the k-th non-edge (from 0) has the number k + #{j : eⱼ − j ≤ k}: one bisection. No draw is
    wasted and nothing is read back to the host, whatever the density of the graph.

    Built from the training edges it gives training negatives (held-out edges are unknown to training and may
    be drawn); built from all edges it gives evaluation negatives.

    Args:
        edge_index: int64 ``[2, E]``, distinct pairs u < v in any order. Its device is the sampler's.
        num_nodes: the number of nodes n.
        directed: whether pairs are ordered: then (u, v) may be an edge and (v, u) not.

    Raises:
        DataError: if a pair is not u < v < n (u ≠ v where directed), or comes twice.

    >>> sampler = NonEdgeSampler(torch.tensor([[0, 0, 1], [1, 2, 2]]), num_nodes=4)
    >>> sampler.num_non_edges, sampler.non_edge(torch.arange(3)).tolist()
    (3, [[0, 1, 2], [3, 3, 3]])
    """

    def __init__(self, edge_index: torch.Tensor, num_nodes: int, *, directed: bool = False) -> None:
        u, v = edge_index
        inside = (u >= 0) & (v >= 0) & (u < num_nodes) & (v < num_nodes) & ((u != v) if directed else (u < v))
        if not bool(inside.all()):
            order = "u ≠ v, both below" if directed else "u < v <"
            raise DataError(f"edge_index must hold pairs {order} {num_nodes} = num_nodes; see Graph.from_pairs")
        self._pairs: PairNumbering | OrderedPairNumbering
        if directed:
            self._pairs = OrderedPairNumbering(num_nodes)
        else:
            self._pairs = PairNumbering(num_nodes, device=edge_index.device)
        numbers = self._pairs.encode(edge_index).sort().values
        if bool((numbers[1:] == numbers[:-1]).any()):
            raise DataError("edge_index holds a pair more than once; see Graph.from_pairs")
        self._non_edges_before = numbers - torch.arange(len(numbers), device=numbers.device)
        self.num_non_edges = self._pairs.num_pairs - len(numbers)

    def non_edge(self, rank: torch.Tensor) -> torch.Tensor:
        """The non-edges ``[2, M]`` at the places ``rank``, int64 ``[M]``, of their lexicographic order."""
        return self._pairs.decode(rank + torch.searchsorted(self._non_edges_before, rank.contiguous(), right=True))

    def sample(self, count: int, *, generator: torch.Generator) -> torch.Tensor:
        """``count`` independent uniform non-edges u < v, ``[2, count]``, in any order; a pair may come twice.

        Args:
            count: how many.
            generator: on the sampler's device.

        Raises:
            DataError: if every pair is an edge and ``count`` is not 0.
        """
        if count and not self.num_non_edges:
            raise DataError(
                f"cannot draw {count} non-edges: every pair of the {self._pairs.num_nodes} nodes is an edge"
            )
        ranks = self._ranks(count, generator)
        if ranks.device.type == "cpu":  # sorting and bisection take a third of the time of bisection alone
            ranks = torch.from_numpy(np.sort(ranks.numpy()))
        return self.non_edge(ranks)

    def sample_distinct(self, count: int, *, generator: torch.Generator) -> torch.Tensor:
        """``count`` distinct non-edges u < v, ``[2, count]``, in random order.

        Every subset of that size is equally likely, and so is every order. Memory is proportional to
        ``count``, not to the number of pairs.

        Args:
            count: how many.
            generator: on the sampler's device.

        Raises:
            DataError: if the graph has fewer non-edges than that.
        """
        if count > self.num_non_edges:
            raise DataError(
                f"cannot draw {count} distinct non-edges: the graph is too dense, it has {self.num_non_edges}"
            )
        device = self._non_edges_before.device
        if self.num_non_edges <= 4 * count:
            ranks = torch.randperm(self.num_non_edges, generator=generator, device=device)[:count]
            return self.non_edge(ranks)
        # Draw as many as are missing until none is; fewer than 1 in 4 repeats an earlier one. A draw treats
        # all ranks alike, hence so does the set. Its order, by rank, must be shuffled.
        ranks = torch.empty(0, dtype=torch.int64, device=device)
        while len(ranks) < count:
            ranks = torch.unique(torch.cat([ranks, self._ranks(count - len(ranks), generator)]))
        return self.non_edge(ranks[torch.randperm(count, generator=generator, device=device)])

    def _ranks(self, count: int, generator: torch.Generator) -> torch.Tensor:
        high = max(self.num_non_edges, 1)
        return torch.randint(high, (count,), generator=generator, device=self._non_edges_before.device)
