"""Training of a graph model: one step an epoch, validated after each, the best weights kept."""

import copy
import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hypgraph.config import TrainingConfig
from hypgraph.evaluation import LinkMetrics, hits_at_k, link_metrics
from hypgraph.exceptions import NumericalError
from hypgraph.models import VGAE, HybridVGAE, Objective
from hypgraph.training.captured_step import CapturedGradients
from hypgraph.training.compiled_step import CompiledObjective
from hypgraph.training.hybrid_task import HybridTask
from hypgraph.training.link_task import LinkTask
from hypgraph.training.optimizer import averaged_model, build_optimizer

__all__ = ["Best", "EpochRecord", "LinkTrainer", "all_at_origin", "link_logits", "score_links"]


class EpochRecord(NamedTuple):
    """One line of ``metrics.jsonl``; losses in nats, shares and scores in [0, 1].

    ``c`` is minus the curvature of the averaged model that was validated; it moves where it is learnt.
    """

    epoch: int
    loss: float
    reconstruction: float
    kl: float
    pulled_in: float
    val_auc: float
    val_ap: float
    c: float


@dataclass(frozen=True)
class Best:
    """The epoch that validated best, its (averaged) weights, and the score by which it did."""

    epoch: int
    val: LinkMetrics
    score: float
    weights: dict[str, Tensor]


@torch.no_grad()
def link_logits(model: VGAE, task: LinkTask, *pairs: Tensor) -> list[Tensor]:
    """Logits on the CPU of each ``[2, ·]`` in ``pairs``, scored at the posteriors' ``loc``.

    Those of a hybrid model are its head's.
    """
    was_training = model.training
    model.eval()
    latent = None
    if not isinstance(model, HybridVGAE) or model.sees_latent:
        posterior = model.encode(task.features, task.adjacency)
        latent = model.decode(posterior.loc, torch.cat(pairs, dim=1))
    logits = latent
    if isinstance(model, HybridVGAE):
        assert isinstance(task, HybridTask)
        logits = model.pair_head(torch.cat([task.features_of(part) for part in pairs]), latent)
    assert logits is not None
    model.train(was_training)
    return list(logits.cpu().split([part.shape[1] for part in pairs]))


@torch.no_grad()
def all_at_origin(model: VGAE, task: LinkTask) -> bool:
    """Whether every posterior has its centre at the origin, so that the latents tell no node from another.

    A rectified head can fall there in the first steps; it has no gradient by which to leave.
    """
    center = model.encode(task.features, task.adjacency).center
    return center is None or not bool(center.radius.any())


def score_links(model: VGAE, task: LinkTask, *sets: tuple[Tensor, Tensor]) -> list[LinkMetrics]:
    """AUC and AP of ``model`` on each set of edges and non-edges."""
    parts = iter(link_logits(model, task, *(pairs for edges in sets for pairs in edges)))
    return [link_metrics(next(parts), next(parts)) for _ in sets]


class LinkTrainer:
    """The state of a training, moved on by one epoch at a time.

    Everything that the future depends on is in :meth:`state_dict`: a trainer restored from it goes on to the same
    numbers, bit by bit on a CPU and to rounding on a GPU.

    Args:
        model: with fresh weights, on the device of ``task``.
        task: data on its device.
        config: learning rate, weight decay, averaging, epochs, patience.
        generator: on the device of ``task``, for negatives, dropout and draws.
    """

    def __init__(self, model: VGAE, task: LinkTask, config: TrainingConfig, *, generator: torch.Generator) -> None:
        self.model, self.task, self.config, self.generator = model, task, config, generator
        self._compiled = CompiledObjective.of(model) if config.compile else None
        self._captured = CapturedGradients.of(self._gradients, model, task, generator) if config.capture else None
        self.optimizer = build_optimizer(model, lr=config.lr, weight_decay=config.weight_decay)
        self.averaged = averaged_model(model, config.averaging)
        self.epoch = 0
        self.seconds = 0.0
        self.best: Best | None = None

    @property
    def _averaged_vgae(self) -> VGAE:
        module = self.averaged.module
        assert isinstance(module, VGAE)
        return module

    @property
    def done(self) -> bool:
        """Whether the last epoch is reached, or ``patience`` epochs brought no better validation score."""
        if self.epoch >= self.config.epochs:
            return True
        return 0 < self.config.patience <= self.epoch - (self.best.epoch if self.best else 0)

    def run_epoch(self) -> EpochRecord:
        """One :meth:`step`, then :meth:`validate`.

        Raises:
            NumericalError: if a term of the loss is not finite; the state is that before the epoch.
        """
        started = time.perf_counter()
        terms = self.step()
        val = self.validate()
        self.seconds += time.perf_counter() - started
        c = self._averaged_vgae.head.manifold.c_value
        return EpochRecord(epoch=self.epoch, **terms, val_auc=val.auc, val_ap=val.ap, c=c)

    def step(self) -> dict[str, float]:
        """Fresh negatives, one draw a node, one move of the optimiser; returns the terms of the objective."""
        before = self.generator.get_state()
        self.model.train()
        objective = self._captured() if self._captured else self._gradients()
        values = torch.stack([term.detach().double() for term in objective]).tolist()
        terms = dict(zip(Objective._fields, values, strict=True))
        for name, value in terms.items():
            if not math.isfinite(value):
                self.generator.set_state(before)
                raise NumericalError(
                    f"{name} is {value} at epoch {self.epoch + 1}; try a lower --lr or a smaller model.gain"
                )
        self.optimizer.step()
        self.averaged.update_parameters(self.model)
        self.epoch += 1
        return terms

    def _gradients(self) -> Objective:
        """The objective of fresh draws; its gradients are left at the parameters."""
        self.optimizer.zero_grad(set_to_none=True)
        objective = self._objective()
        objective.loss.backward()
        return objective

    def _objective(self) -> Objective:
        task, generator = self.task, self.generator
        if self._compiled:
            return self._compiled(task, generator=generator)
        negative = task.negatives.sample(task.positive.shape[1], generator=generator)
        posterior = self.model.encode(task.features, task.adjacency, generator=generator)
        return self.model.objective(posterior, task.positive, negative, generator=generator)

    def validate(self) -> LinkMetrics:
        """Validation metrics of the averaged weights, which are kept if they are the best so far."""
        averaged = self._averaged_vgae
        try:
            (val,) = score_links(averaged, self.task, self.task.val)
            score, k = sum(val), self.task.hits_at
            if k is not None:
                positive, negative = link_logits(averaged, self.task, *self.task.val)
                score = hits_at_k(positive, negative, k)
        except NumericalError as error:
            raise NumericalError(
                f"training diverged: the validation scores at epoch {self.epoch} are not numbers; try a lower --lr"
            ) from error
        if self.best is None or score > self.best.score:
            weights = {name: value.detach().clone() for name, value in averaged.state_dict().items()}
            self.best = Best(self.epoch, val, score, weights)
        return val

    def best_model(self) -> VGAE:
        """A copy with the best weights so far (those of now, before the first epoch), in evaluation mode."""
        model = copy.deepcopy(self._averaged_vgae)
        if self.best is not None:
            model.load_state_dict(self.best.weights)
        return model.eval()

    def state_dict(self) -> dict[str, Any]:
        """Tensors, numbers and dicts only, so that it loads with ``weights_only=True``."""
        best = self.best and {**vars(self.best), "val": tuple(self.best.val)}
        return {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "best": best,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes back, or forth, to what :meth:`state_dict` returned."""
        self.epoch, self.seconds = state["epoch"], state["seconds"]
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        best = state["best"]
        if best is not None:
            val = LinkMetrics(*best["val"])
            score = best.get("score", sum(val))  # the first checkpoints have none
            best = Best(best["epoch"], val, score, best["weights"])
        self.best = best
