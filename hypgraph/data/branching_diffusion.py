"""Vectors that a random walk on a balanced tree leaves: the synthetic data of Mathieu et al. 2019."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hypgraph.data.graph import Graph
from hypgraph.data.synthetic_trees import MAX_ENTRIES, balanced_levels, check_entries, check_range, tree
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.random import standard_normal

__all__ = ["BranchingDiffusion", "branching_diffusion"]


@dataclass(frozen=True, eq=False)
class BranchingDiffusion:
    """Vectors that a diffusion on a balanced tree made; see :func:`branching_diffusion`.

    Attributes:
        vectors: float64 ``[N · copies, dim]``, the noisy copies, those of one node together.
        node: int64 ``[N · copies]``, the node that each row is a copy of.
        depth: int64 ``[N]``, the depth of each node; the root has 0.
        graph: the tree; its features are the vectors of the nodes themselves, without the noise of the copies, and
            its labels the depths.
    """

    vectors: Tensor
    node: Tensor
    depth: Tensor
    graph: Graph

    def standardised(self) -> Tensor:
        """The vectors with mean 0 and variance 1 (divided by the count) in every dimension, over *all* rows.

        The paper does this before it splits: a small leak, kept so that figures compare. So do copies of one
        node on both sides of the split.

        Raises:
            DataError: if a dimension does not vary.
        """
        mean, std = self._moments()
        return (self.vectors - mean) / std

    def standardised_nodes(self) -> Tensor:
        """The vectors of the nodes themselves, ``[N, dim]``, shifted and scaled as :meth:`standardised` does it.

        Raises:
            DataError: if a dimension does not vary.
        """
        mean, std = self._moments()
        assert self.graph.features is not None
        return (torch.from_numpy(self.graph.features.toarray()) - mean) / std

    def _moments(self) -> tuple[Tensor, Tensor]:
        std, mean = torch.std_mean(self.vectors, dim=0, correction=0)
        if not bool((std > 0).all()):
            raise DataError(
                "the vectors of the diffusion do not vary and cannot be standardised; "
                "use a larger depth, more copies or a variance above 0"
            )
        return mean, std

    def split(self, *, train_fraction: float = 0.7, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A random partition of the rows: the numbers of ⌊train_fraction · rows⌋ to train on, and of the others.

        Raises:
            ConfigError: if a part would be empty.

        >>> from hypgraph.random import stream
        >>> diffusion = branching_diffusion(generator=stream(0, "data"))
        >>> train, test = diffusion.split(generator=stream(0, "split"))
        >>> diffusion.standardised()[train].shape, len(test)
        (torch.Size([444, 50]), 191)
        """
        rows = len(self.vectors)
        # 0.29 · 100 is 28.999999999999996 in floating point; its floor is meant to be 29.
        num_train = int(train_fraction * rows + 1e-9) if 0 < train_fraction < 1 else 0
        if not 0 < num_train < rows:
            raise ConfigError(f"train_fraction is {train_fraction}; of {rows} rows both parts must get some")
        order = torch.randperm(rows, generator=generator)
        return order[:num_train], order[num_train:]


def branching_diffusion(
    depth: int = 6,
    branching: int = 2,
    dim: int = 50,
    copies: int = 5,
    *,
    step_variance: float = 1.0,
    copy_variance: float = 0.2,
    generator: torch.Generator,
) -> BranchingDiffusion:
    """The synthetic tree of Mathieu et al. 2019: a Gaussian random walk that branches.

    The root is 0, a child is its parent + N(0, step_variance · I), and each node gives ``copies`` noisy vectors,
    node + N(0, copy_variance · I). By default 127 nodes and 635 vectors, not yet standardised.

    Args:
        depth: of the leaves.
        branching: children of a node.
        dim: the dimension of the vectors.
        copies: noisy vectors of a node, at least 1.
        step_variance: of a step from parent to child, in each dimension.
        copy_variance: of a copy about its node, in each dimension.
        generator: on the CPU.

    Raises:
        ConfigError: if a value is not allowed, or there would be more than 10⁸ numbers.
    """
    level_sizes = balanced_levels(branching, depth)
    num_nodes = sum(level_sizes)
    check_range("dim", dim, 1, MAX_ENTRIES)
    check_range("copies", copies, 1, MAX_ENTRIES)
    check_range("step_variance", step_variance, 0.0, 1e12)
    check_range("copy_variance", copy_variance, 0.0, 1e12)
    check_entries(num_nodes * copies * dim, f"{num_nodes} nodes with {copies} copies in {dim} dimensions")
    levels = [torch.zeros((1, dim), dtype=torch.float64)]
    for size in level_sizes[1:]:
        step = standard_normal((size, dim), dtype=torch.float64, generator=generator)
        levels.append(levels[-1].repeat_interleave(branching, 0) + step_variance**0.5 * step)
    position = torch.cat(levels)
    node = torch.arange(num_nodes).repeat_interleave(copies)
    noise = standard_normal((len(node), dim), dtype=torch.float64, generator=generator)
    shape = tree(branching, depth)
    depths = torch.arange(depth + 1).repeat_interleave(torch.tensor(level_sizes))
    return BranchingDiffusion(
        vectors=position[node] + copy_variance**0.5 * noise,
        node=node,
        depth=depths,
        graph=Graph.from_pairs(
            f"branching-diffusion:depth={depth},branching={branching},dim={dim}",
            shape.edge_index,
            node_id=shape.node_id,
            features=position.numpy(),
            labels=depths.numpy(),
        ),
    )
