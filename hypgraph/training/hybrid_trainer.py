"""Training of the hybrid model, fold by fold."""

import torch
from typing_extensions import override

from hypgraph.config import TrainingConfig
from hypgraph.models import HybridVGAE, Objective
from hypgraph.training.hybrid_task import HybridTask
from hypgraph.training.trainer import LinkTrainer

__all__ = ["HybridTrainer"]


class HybridTrainer(LinkTrainer):
    """An epoch for each fold in turn: its edges are scored by a model that looks at the graph without them.

    Args:
        model: with fresh weights; the scale of the pair features is set here, from the folds.
        task: with folds.
        config: as for :class:`LinkTrainer`.
        generator: as for :class:`LinkTrainer`; also for non-edges from the pools.
    """

    model: HybridVGAE
    task: HybridTask

    def __init__(
        self, model: HybridVGAE, task: HybridTask, config: TrainingConfig, *, generator: torch.Generator
    ) -> None:
        pools = torch.cat([fold.pool_features for fold in task.folds])
        positives = torch.cat([fold.positive_features for fold in task.folds])
        # An edge for each non-edge: the scale that tells the two apart
        chosen = torch.arange(len(positives), device=pools.device) * (len(pools) // len(positives))
        model.pair_head.standardise(torch.cat([positives, pools.index_select(0, chosen)]))
        super().__init__(model, task, config, generator=generator)

    @override
    def _objective(self) -> Objective:
        model, task, generator = self.model, self.task, self.generator
        fold = task.folds[self.epoch % len(task.folds)]
        scored = fold.draw(generator=generator)
        if not model.sees_latent:
            return model.head_objective(scored, generator=generator)
        negative = task.negatives.sample(task.positive.shape[1], generator=generator)
        posterior = model.encode(fold.features, fold.adjacency, generator=generator)
        return model.hybrid_objective(posterior, task.positive, negative, scored, generator=generator)
