"""Small trainings on the karate graph, from the parts that a run is made of."""

import torch

from hypgraph.config import RunConfig, load_config
from hypgraph.data import EdgeSplit, load_graph, split_edges
from hypgraph.models import build_vgae
from hypgraph.random import stream
from hypgraph.training import LinkTask, LinkTrainer

CPU = torch.device("cpu")


def karate_split(seed: int = 0) -> EdgeSplit:
    return split_edges(load_graph("karate"), generator=stream(seed, "split"))


def karate_task(split: EdgeSplit | None = None) -> LinkTask:
    return LinkTask.build(load_graph("karate"), split or karate_split(), normalisation="row", device=CPU)


def karate_trainer(*assignments: str, seed: int = 0, split: EdgeSplit | None = None) -> LinkTrainer:
    """A trainer at epoch 0; ``assignments`` are those of ``--set``."""
    config: RunConfig = load_config(assignments=["model.dim=4", *assignments])
    task = karate_task(split)
    model = build_vgae(config.model, task.features.shape[1], generator=stream(seed, "init"))
    return LinkTrainer(model, task, config.training, generator=stream(seed, "train"))


def epochs(trainer: LinkTrainer, count: int) -> list[tuple]:
    return [tuple(trainer.run_epoch()) for _ in range(count)]
