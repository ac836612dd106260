"""Many models of one shape as one model with a leading axis."""

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import nn

from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import Manifold

__all__ = ["stack_models", "unstack_model"]

Model = TypeVar("Model", bound=nn.Module)


def stack_models(models: Sequence[Model]) -> Model:
    """One model that computes R models side by side, each on its own slice of the input ``[R, B, D]``.

    Parameters get a leading axis of R; layers broadcast over it, and the parameters of one model meet nothing of
    the others, so gradients and steps of elementwise optimisers are those of R separate trainings. Small models
    are bound by the number of tensor operations, not by their size: R of them cost little more than one.

    Raises:
        ConfigError: if there are none, if they differ in more than their weights, or for a learnt curvature, of
            which a manifold has only one.
    """
    if not models:
        raise ConfigError("there are no models to stack")
    first = _constants(models[0])
    for number, model in enumerate(models[1:], start=2):
        for name, value in _constants(model).items():
            if first.get(name) != value:
                raise ConfigError(
                    f"stacked models differ in their weights only, but {name} is {first.get(name)} in the first "
                    f"and {value} in model {number}; train them one after the other"
                )
    stacked = copy.deepcopy(models[0])
    if any(getattr(module, "curvature", None) is not None for module in stacked.modules()):
        raise ConfigError("models whose curvature is learnt cannot be stacked; train them one after the other")
    parameters = [dict(model.named_parameters()) for model in models]
    for name, parameter in stacked.named_parameters():
        parameter.data = torch.stack([each[name].detach() for each in parameters])
    return stacked


def _constants(model: nn.Module) -> dict[str, str]:
    """What a model computes with besides its parameters, by the path to it."""
    kinds = (bool, int, float, str, type, torch.dtype, Manifold)
    return {
        f"{path}.{name}".lstrip("."): f"{value}"
        for path, module in model.named_modules()
        for name, value in {"module": type(module), **vars(module)}.items()
        if isinstance(value, kinds)
    } | {name: f"a tensor of shape {tuple(parameter.shape)}" for name, parameter in model.named_parameters()}


def unstack_model(stacked: Model, index: int) -> Model:
    """The model ``index`` of a stack, with parameters of its own."""
    model = copy.deepcopy(stacked)
    for parameter in model.parameters():
        parameter.data = parameter.data[index].clone()
    return model
