"""What a decoder's output says about data: log p(x | output)."""

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from hypgraph.exceptions import DataError

__all__ = ["LIKELIHOODS", "Bernoulli", "Likelihood", "Normal"]


class Likelihood(nn.Module):
    """Independent numbers, each with one parameter from the decoder."""

    is_density: bool
    """Whether figures are nats of data; else they only compare models."""

    @abstractmethod
    def log_prob(self, x: Tensor, output: Tensor) -> Tensor:
        """log p(x | output), summed over the last axis; nats. The two broadcast."""

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """E[x | output]."""

    @abstractmethod
    def output_of(self, mean: Tensor) -> Tensor:
        """The output whose mean this is: where a decoder's last bias may start, given the mean of the data."""

    def check(self, x: Tensor) -> None:
        """Refuses data that the likelihood is not for.

        Raises:
            DataError: saying what they are and what they should be.
        """
        if not bool(torch.isfinite(x).all()):
            raise DataError("the data have numbers that are not finite; leave such vectors out")


class Normal(Likelihood):
    """x ~ N(output, 1) in each dimension: -½‖x - output‖² - (D/2) log 2π."""

    is_density = True

    @override
    def log_prob(self, x: Tensor, output: Tensor) -> Tensor:
        return -0.5 * ((x - output).square().sum(-1) + x.shape[-1] * math.log(2 * math.pi))

    @override
    def mean(self, output: Tensor) -> Tensor:
        return output

    @override
    def output_of(self, mean: Tensor) -> Tensor:
        return mean


class Bernoulli(Likelihood):
    """Σ x log p + (1-x) log(1-p) with p = sigmoid(output), for x in [0, 1].

    For x in {0, 1} it is a probability. For grey values between it is not a density (it does not integrate to 1
    over x), and the figures compare models only: they are not nats of data. In float32 the rounding of two sums
    leaves an error of some 1e-7 Σ|output|.
    """

    is_density = False

    @override
    def log_prob(self, x: Tensor, output: Tensor) -> Tensor:
        agreement: Tensor = torch.linalg.vecdot(x, output)
        return agreement - F.softplus(output).sum(-1)

    @override
    def mean(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)

    @override
    def output_of(self, mean: Tensor) -> Tensor:
        return torch.logit(mean, eps=1e-4)

    @override
    def check(self, x: Tensor) -> None:
        low, high = (float(x.min()), float(x.max())) if x.numel() else (0.0, 1.0)
        if not (low >= 0 and high <= 1):
            raise DataError(
                f"the data run from {low:g} to {high:g}, but a bernoulli likelihood is for values in [0, 1]; "
                "scale them, or take likelihood = 'normal'"
            )


LIKELIHOODS: dict[str, type[Likelihood]] = {"normal": Normal, "bernoulli": Bernoulli}
