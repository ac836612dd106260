"""The dense part of a training step as one compiled function, forward and backward."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.distributions import Distribution

from hypgraph.distributions import WrappedNormal
from hypgraph.exceptions import HypgraphError
from hypgraph.models import VGAE, HybridVGAE, Objective
from hypgraph.random import standard_normal
from hypgraph.training.link_task import LinkTask

__all__ = ["CompilationWarning", "CompiledObjective"]


class CompilationWarning(UserWarning):
    """A step was to be compiled and is not; the training is the same, only slower. One line says why."""


class CompiledObjective:
    """The objective of a step with everything from the encoder's output on compiled: posterior, draw, logits, KL.

    Random numbers are drawn outside, in the order in which the model itself draws them, and the encoder's sparse
    products stay what they are: the result is that of the model to rounding. The first call compiles and tries it;
    where that fails, it says so and calls the model from then on.

    Args:
        model: trained by the caller.
    """

    def __init__(self, model: VGAE) -> None:
        self.model = model
        with _without_side_effects():
            self._latent_part = torch.compile(_latent_part, fullgraph=True, dynamic=False)
        self._tried = False

    @classmethod
    def of(cls, model: VGAE) -> "CompiledObjective | None":
        """For ``model``, or a warning and None for a kind of model that cannot be compiled."""
        if isinstance(model, HybridVGAE):
            _warn("the hybrid decoder's step changes from fold to fold")
            return None
        for role, family in (("posteriors", model.head.family), ("priors", model.prior_family)):
            if not issubclass(family, WrappedNormal):
                _warn(f"{family.name} {role} are not compiled; wrapped and rown ones are")
                return None
        return cls(model)

    def __call__(self, task: LinkTask, *, generator: torch.Generator) -> Objective:
        """Of fresh negatives and one draw from every posterior."""
        model, head = self.model, self.model.head
        negative = task.negatives.sample(task.positive.shape[1], generator=generator)
        hidden = model.encoder(task.features, task.adjacency, generator=generator)
        shape = (hidden.shape[0], head.manifold.dim)
        noise = standard_normal(shape, dtype=head.dtype, device=hidden.device, generator=generator)
        if not self._tried:
            self._try(hidden.detach().requires_grad_(), noise, task.positive, negative)
        return Objective(*self._latent_part(model, hidden, noise, task.positive, negative))

    def _try(self, hidden: Tensor, noise: Tensor, positive: Tensor, negative: Tensor) -> None:
        """Compiles both passes now, so that what can fail fails here."""
        self._tried = True
        try:
            with _without_side_effects():
                loss, *_ = self._latent_part(self.model, hidden, noise, positive, negative)
                torch.autograd.grad(loss, hidden)
        except HypgraphError:
            raise
        except Exception as error:  # whatever tracer, code generator or C++ compiler may raise
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            _warn(lines[0] if lines else type(error).__name__)
            self._latent_part = _latent_part


def _latent_part(
    model: VGAE, hidden: Tensor, noise: Tensor, positive: Tensor, negative: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The terms of the objective from the encoder's output ``[N, ·]`` and standard normal ``noise [N, d]``."""
    posterior = model.head(hidden)
    assert isinstance(posterior, WrappedNormal)
    terms = model.objective_of(posterior, posterior.from_noise(noise), positive, negative)
    return terms.loss, terms.reconstruction, terms.kl, terms.pulled_in


@contextmanager
def _without_side_effects() -> Iterator[None]:
    """Without the compiler's remarks, and with torch's checks of distributions, which it turns off for good."""
    before, validates = logging.root.manager.disable, Distribution._validate_args
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        Distribution.set_default_validate_args(validates)


def _warn(reason: str) -> None:
    warnings.warn(f"the step is not compiled: {reason}", CompilationWarning, stacklevel=2)
