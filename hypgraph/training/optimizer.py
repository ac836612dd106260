"""The optimiser, and the moving average of the weights that is evaluated."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from typing_extensions import override

from hypgraph.models import VGAE

__all__ = ["averaged_model", "build_optimizer"]


def build_optimizer(model: VGAE, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    """Adam in two groups: the encoder with weight decay, everything else without.

    Parameters that live on a manifold (``geoopt.ManifoldParameter``) are moved by geoopt's Riemannian Adam; a
    model without them gets torch's.
    """
    encoder = list(model.encoder.parameters())
    known = {id(parameter) for parameter in encoder}
    others = [parameter for parameter in model.parameters() if id(parameter) not in known]
    groups = [{"params": encoder, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if any(hasattr(parameter, "manifold") for parameter in model.parameters()):
        import geoopt  # slow to import, and needed by few

        optimizer: torch.optim.Optimizer = geoopt.optim.RiemannianAdam(groups, lr=lr)
        return optimizer
    return torch.optim.Adam(groups, lr=lr, fused=True)


class MovingAverage(AveragedModel):
    """Torch's averaged model, which walks through all modules at each update, with its tensors looked up once."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model)
        self.decay = decay
        # Of the model that was followed last. A tuple, lest the model becomes a part of this one.
        self._pairs: tuple[nn.Module, list[tuple[list[Tensor], list[Tensor]]]] | None = None

    @override
    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        if self._pairs is None or self._pairs[0] is not model:
            self._pairs = (model, _by_dtype(self.module, model))
        count = int(self.n_averaged)
        step = 1 - min(self.decay, (1 + count) / (10 + count))
        for averaged, current in self._pairs[1]:
            if count:
                torch._foreach_lerp_(averaged, current, step)
            else:
                torch._foreach_copy_(averaged, current)
        for own, other in zip(self.module.buffers(), model.buffers(), strict=True):
            own.copy_(other)
        self.n_averaged += 1


def _by_dtype(*models: nn.Module) -> list[tuple[list[Tensor], list[Tensor]]]:
    """The parameters of two models of one kind, in lists of one precision each."""
    groups: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
    for pair in zip(*(model.parameters() for model in models), strict=True):
        for group, parameter in zip(groups.setdefault(pair[0].dtype, ([], [])), pair, strict=True):
            group.append(parameter)
    return list(groups.values())


def averaged_model(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of ``model`` whose weights are an exponential moving average of those of ``model``.

    The decay is min(decay, (1+n)/(10+n)) at the n-th update, so that the average forgets the start quickly; the
    first update copies.
    """
    return MovingAverage(model, decay)
