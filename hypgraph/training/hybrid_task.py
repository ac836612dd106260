"""What the hybrid model trains on: folds, so that no edge is scored in a graph that it is part of."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hypgraph.data import EdgeSplit, Graph
from hypgraph.evaluation import PairFeatures, TrainingGraph
from hypgraph.models import ScoredPairs
from hypgraph.nn import SparseMatrix, normalised_adjacency
from hypgraph.training.input_features import INPUTS, input_features
from hypgraph.training.link_task import LinkTask

__all__ = ["Fold", "HybridTask"]

FOLDS = 10
NEGATIVES_A_POSITIVE = 4
# The features of a pair cost more than the step that uses them. Those of non-edges are kept, as many as so many
# visits to a fold take, and each visit draws from them afresh.
POOL_VISITS = 5


class Fold(NamedTuple):
    """A part of the training edges, and the graph without it.

    Of directed edges, the reverse of an edge is another edge and may be in another fold: as for test edges, the
    pair is then joined in the graph that scores it.

    Attributes:
        features: ``[N, ·]``, what the encoder sees; degrees are those in the graph of the other folds.
        adjacency: normalised, of the training edges of the other folds.
        positive: ``[2, E]``, the edges of this fold.
        positive_features: ``[E, F]``, in the graph of the other folds.
        pool: ``[2, M]``, pairs that are no training edges.
        pool_features: ``[M, F]``.
    """

    features: SparseMatrix
    adjacency: SparseMatrix
    positive: Tensor
    positive_features: Tensor
    pool: Tensor
    pool_features: Tensor

    def draw(self, *, generator: torch.Generator) -> ScoredPairs:
        """The edges of the fold, and four times as many pairs out of the pool."""
        size = (NEGATIVES_A_POSITIVE * self.positive.shape[1],)
        chosen = torch.randint(self.pool.shape[1], size, generator=generator, device=self.pool.device)
        features = torch.cat([self.positive_features, self.pool_features.index_select(0, chosen)])
        return ScoredPairs(self.positive, self.pool.index_select(1, chosen), features)


@dataclass(frozen=True, eq=False, kw_only=True)
class HybridTask(LinkTask):
    """A :class:`LinkTask` with the folds that the head learns from, and features for any pair.

    Attributes:
        folds: a partition of the training edges; ten, or one an edge where there are fewer.
        pair_features: in the whole training graph.
        known: the tensors of pairs that are scored again and again, with their features.
    """

    folds: tuple[Fold, ...]
    pair_features: PairFeatures
    known: tuple[tuple[Tensor, Tensor], ...]

    @classmethod
    def of(
        cls,
        task: LinkTask,
        graph: Graph,
        split: EdgeSplit,
        *,
        normalisation: str,
        inputs: str = "own",
        generator: torch.Generator,
    ) -> "HybridTask":
        """Adds the folds to ``task``.

        Args:
            task: of the same graph and split.
            graph: nodes, and features where pair features may look at them.
            split: of its edges.
            normalisation: of the adjacency.
            inputs: what the encoder sees, as ``task`` was built with.
            generator: for folds and pools, on the CPU.
        """
        device, train, count = task.positive.device, split.train_edge_index, graph.num_nodes
        whole = PairFeatures(TrainingGraph.from_edges(train, count, graph.features))
        negatives = split.training_negatives()
        number = torch.empty(train.shape[1], dtype=torch.long)
        number[torch.randperm(len(number), generator=generator)] = torch.arange(len(number)) % FOLDS
        folds = []
        for fold in range(min(FOLDS, len(number))):
            rest, positive = train[:, number != fold], train[:, number == fold]
            size = positive.shape[1]
            pool = negatives.sample(POOL_VISITS * NEGATIVES_A_POSITIVE * size, generator=generator)
            features = torch.from_numpy(
                whole.on(TrainingGraph.from_edges(rest, count)).of(torch.cat([positive, pool], dim=1))
            ).to(device)
            adjacency = normalised_adjacency(rest, count, normalisation=normalisation).to(device)
            seen = task.features
            if "degree" in INPUTS[inputs]:
                seen = SparseMatrix.from_scipy(input_features(graph, rest, inputs, within=train)).to(device)
            folds.append(
                Fold(seen, adjacency, positive.to(device), features[:size], pool.to(device), features[size:])
            )
        evaluated = (*task.val, *task.test)
        known = tuple((pairs, torch.from_numpy(whole.of(pairs)).to(device)) for pairs in evaluated)
        return cls(**vars(task), folds=tuple(folds), pair_features=whole, known=known)

    @property
    def num_pair_features(self) -> int:
        """F."""
        return len(self.pair_features.names)

    def features_of(self, pairs: Tensor) -> Tensor:
        """Features ``[E, F]`` of any pairs ``[2, E]``, in the whole training graph."""
        for known, features in self.known:
            if pairs is known:
                return features
        return torch.from_numpy(self.pair_features.of(pairs)).to(pairs.device)
