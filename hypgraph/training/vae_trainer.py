"""Training of a VAE on vectors, alone or many seeds side by side."""

import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hypgraph.exceptions import NumericalError
from hypgraph.models import VAE
from hypgraph.random import Generator, StackedGenerators

__all__ = ["VAERecord", "VAETrainer"]


class VAERecord(NamedTuple):
    """Means over an epoch of one run, as the weights moved; nats, and the share of draws that were pulled in."""

    epoch: int
    loss: float
    reconstruction: float
    kl: float
    pulled_in: float


class VAETrainer:
    """The state of a training, moved on by one epoch at a time.

    A step takes the next batch of a fresh permutation, the last one being smaller where the batch size does not
    divide, and moves Adam (with amsgrad) against the mean negative ELBO of the batch, or the objective of β ≠ 1.

    With a model from :func:`hypgraph.models.stack_models` and as many generators, R runs are trained side by side:
    each has its own permutation, draws, gradients and moments, and agrees with the run alone to rounding.

    Args:
        model: on the device of ``data``, with fresh weights.
        data: vectors ``[N, D]`` in the precision of the weights; or ``[R, N, D]``, a set for each run.
        batch_size: vectors in a step, of each run.
        lr: learning rate of Adam.
        beta: weight of the KL term.
        draws: K, draws of each posterior in a step.
        generator: for permutations and draws; on the device of ``data``.
        names: what errors call the runs, one for each.

    Raises:
        DataError: if the data are not such as the model's likelihood is for.
    """

    def __init__(
        self,
        model: VAE,
        data: Tensor,
        *,
        batch_size: int,
        lr: float,
        beta: float = 1.0,
        draws: int = 1,
        generator: Generator,
        names: Sequence[str] = (),
    ) -> None:
        model.likelihood.check(data)
        self.model, self.data, self.generator = model, data, generator
        self.batch_size, self.beta, self.draws, self.names = batch_size, beta, draws, names
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr, amsgrad=True, fused=True)
        self.epoch = 0
        self.seconds = 0.0

    @property
    def _generators(self) -> tuple[torch.Generator, ...]:
        if isinstance(self.generator, StackedGenerators):
            return self.generator.generators
        return (self.generator,)

    def run_epoch(self) -> list[VAERecord]:
        """One pass over the data; a record for each run.

        Raises:
            NumericalError: if a term of the loss is not finite.
        """
        started = time.perf_counter()
        totals: Tensor | float = 0.0
        for batch in self._order().split(self.batch_size, dim=-1):
            totals = totals + self.step(self._take(batch)) * batch.shape[-1]
        assert isinstance(totals, Tensor)
        means = (totals / self.data.shape[-2]).reshape(len(VAERecord._fields) - 1, -1)
        records = [VAERecord(self.epoch + 1, *values) for values in means.T.tolist()]
        for number, record in enumerate(records):
            for name, value in record._asdict().items():
                if not math.isfinite(value):
                    run = self.names[number] if self.names else f"run {number + 1} of {len(records)}"
                    raise NumericalError(f"{run}: {name} is {value} at epoch {record.epoch}; try a lower lr")
        self.epoch += 1
        self.seconds += time.perf_counter() - started
        return records

    def step(self, x: Tensor) -> Tensor:
        """One move of the optimiser on ``x [B, D]`` or ``[R, B, D]``; its loss terms ``[4, ...]``, by run."""
        terms = self.model.terms(x, self.model.encode(x), draws=self.draws, generator=self.generator)
        loss = -terms.elbo(beta=self.beta).mean(-1)
        self.optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        self.optimizer.step()
        with torch.no_grad():
            parts = torch.stack([-terms.log_likelihood, terms.log_ratio, terms.pulled_in.to(loss.dtype)])
            means = parts.transpose(0, 1).mean((0, -1))
        return torch.cat([loss.detach().unsqueeze(0), means])

    def _order(self) -> Tensor:
        count, device = self.data.shape[-2], self.data.device
        orders = [torch.randperm(count, generator=each, device=device) for each in self._generators]
        return torch.stack(orders) if isinstance(self.generator, StackedGenerators) else orders[0]

    def _take(self, rows: Tensor) -> Tensor:
        if self.data.dim() == 2:
            return self.data[rows]
        return self.data[torch.arange(len(rows), device=rows.device).unsqueeze(-1), rows]

    def state_dict(self) -> dict[str, Any]:
        """Tensors, numbers and lists only, so that it loads with ``weights_only=True``."""
        return {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generators": [each.get_state() for each in self._generators],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes back, or forth, to what :meth:`state_dict` returned."""
        self.epoch, self.seconds = state["epoch"], state["seconds"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for generator, saved in zip(self._generators, state["generators"], strict=True):
            generator.set_state(saved.cpu())
