"""The gradients of a step as one CUDA graph: the same launches again, without Python between them."""

from collections.abc import Callable

import torch
from torch import nn

from hypgraph.distributions import WrappedNormal
from hypgraph.exceptions import ConfigError, DeviceError
from hypgraph.models import VGAE, HybridVGAE, Objective
from hypgraph.training.link_task import LinkTask

__all__ = ["CapturedGradients"]

# Runs before the capture, in which libraries make their workspaces; torch asks for three with its own modules.
WARM_UP = 3


class CapturedGradients:
    """Objective and gradients of a step, recorded at the first call and replayed from then on.

    All shapes of a step are known beforehand: negatives are drawn by their rank among the non-edges, so none is
    rejected, and nothing is read back to the host. The generator is registered with the graph, so each replay
    draws afresh and moves it on as the step itself does. The optimiser stays outside: a loss that is not a number
    must be seen before the weights are moved.

    Args:
        gradients: computes the objective of fresh draws, and leaves its gradients at the parameters, of which it
            must drop the old ones first.
        parameters: of the model, on a GPU.
        generator: where all draws come from, on that GPU.
    """

    def __init__(
        self, gradients: Callable[[], Objective], parameters: list[nn.Parameter], generator: torch.Generator
    ) -> None:
        self._gradients, self._parameters, self._generator = gradients, parameters, generator
        self._graph: torch.cuda.CUDAGraph | None = None
        self._objective: Objective | None = None
        self._grads: list[torch.Tensor | None] = []

    @classmethod
    def of(
        cls, gradients: Callable[[], Objective], model: VGAE, task: LinkTask, generator: torch.Generator
    ) -> "CapturedGradients":
        """For the step of a trainer.

        Raises:
            DeviceError: if the data are not on a GPU.
            ConfigError: for a model whose step has shapes that depend on what is drawn.
        """
        if task.positive.device.type != "cuda":
            raise DeviceError(
                f"training.capture needs a GPU, and training is on the {task.positive.device}; leave it out"
            )
        check_static(model)
        return cls(gradients, list(model.parameters()), generator)

    def __call__(self) -> Objective:
        """The terms of a new step; they and the gradients lie in memory that the next call writes again."""
        if self._graph is None:
            self._capture()
        assert self._graph is not None
        assert self._objective is not None
        for parameter, grad in zip(self._parameters, self._grads, strict=True):
            parameter.grad = grad  # a checkpoint or an error may have dropped it
        self._graph.replay()
        return self._objective

    def _capture(self) -> None:
        before = self._generator.get_state()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self._gradients()
        torch.cuda.current_stream().wait_stream(side)
        self._generator.set_state(before)  # as if nothing had been drawn
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._generator)
        with torch.cuda.graph(graph):
            objective = self._gradients()
        self._graph = graph
        self._objective = Objective(*(term.detach() for term in objective))
        self._grads = [parameter.grad for parameter in self._parameters]


def check_static(model: VGAE) -> None:
    """Raises a ConfigError for a model whose step has shapes that depend on what is drawn."""
    if isinstance(model, HybridVGAE):
        raise ConfigError("training.capture: the step of the hybrid decoder changes from fold to fold")
    if not issubclass(model.head.family, WrappedNormal):
        raise ConfigError(
            f"training.capture: {model.head.family.name} posteriors are drawn by rejection, in rounds; "
            "--posterior wrapped and rown can be captured"
        )
