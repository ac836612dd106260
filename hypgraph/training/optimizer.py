"""The optimiser, and the moving average of the weights that is evaluated."""

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

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


def averaged_model(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of ``model`` whose weights are an exponential moving average of those of ``model``.

    The decay is min(decay, (1+n)/(10+n)) at the n-th update, so that the average forgets the start quickly.
    """
    return AveragedModel(model, multi_avg_fn=partial(_average, decay))


@torch.no_grad()
def _average(decay: float, averaged: Iterable[Tensor], current: Iterable[Tensor], count: Tensor | int) -> None:
    step = 1 - min(decay, (1 + int(count)) / (10 + int(count)))
    torch._foreach_lerp_(list(averaged), list(current), step)
