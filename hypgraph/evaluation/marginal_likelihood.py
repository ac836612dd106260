"""How probable data are under a VAE: bounds on log p(x) from many draws, in bounded memory."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from hypgraph.exceptions import ConfigError
from hypgraph.models import VAE

__all__ = ["Bounds", "marginal_likelihood"]

# Draws that are decoded at once: on the CPU what fits in its cache at some hundred numbers each.
_CPU_ROWS, _GPU_ROWS = 4096, 131_072


class Bounds(NamedTuple):
    """Estimates for every data point, ``[N]``, float64, nats.

    Attributes:
        iwae: log (1/K) Σ p(x, z_k)/q(z_k | x), whose expectation is at most log p(x) and rises with K (Burda et
            al. 2016, arXiv 1509.00519).
        elbo: the mean over the same draws of log p(x, z_k)/q(z_k | x).
        kl: the mean of log q(z_k | x)/p(z_k), an estimate of KL(posterior ‖ prior).
        kl_variance: that of the estimate ``kl``; NaN from a single draw.
        pulled_in: share of the draws that the decoder saw pulled in.
    """

    iwae: Tensor
    elbo: Tensor
    kl: Tensor
    kl_variance: Tensor
    pulled_in: Tensor

    @property
    def mean_kl(self) -> tuple[float, float]:
        """Mean of :attr:`kl` over the points, and its standard error from the draws."""
        return float(self.kl.mean()), float(self.kl_variance.sum().sqrt()) / len(self.kl)


@torch.no_grad()
def marginal_likelihood(
    model: VAE,
    x: Tensor,
    *,
    draws: int = 5000,
    generator: torch.Generator | None = None,
    rows: int | None = None,
    on_points: Callable[[int], None] | None = None,
) -> Bounds:
    """Bounds on log p(x) for each vector of ``x [N, D]``; every one is scored.

    Blocks of points and of draws are added up as they come, so memory does not grow with N or K.

    Args:
        model: in one piece, not a stack.
        x: on the model's device, in the precision of its weights.
        draws: K, of each posterior.
        generator: for the draws.
        rows: how many draws are decoded at once; by default what suits the device.
        on_points: is told from time to time how many points are done.

    Raises:
        ConfigError: if ``draws`` or ``rows`` is below 1.
    """
    if rows is None:
        rows = _CPU_ROWS if x.device.type == "cpu" else _GPU_ROWS
    if draws < 1 or rows < 1:
        raise ConfigError(f"draws is {draws} and rows {rows}; both must be at least 1")
    blocks, done = [], 0
    for part in x.split(max(1, rows // draws)):
        blocks.append(_block(model, part, draws, generator, rows))
        done += len(part)
        if on_points is not None:
            on_points(done)
    return Bounds(*(torch.cat(parts) for parts in zip(*blocks, strict=True)))


def _block(model: VAE, x: Tensor, draws: int, generator: torch.Generator | None, rows: int) -> Bounds:
    posterior = model.encode(x)
    log_sum = torch.full(posterior.batch_shape, -math.inf, dtype=torch.float64, device=x.device)
    weight, ratio, square, pulled_in = (torch.zeros_like(log_sum) for _ in range(4))
    done, size = 0, max(1, rows // max(1, len(x)))
    center = torch.zeros_like(log_sum)
    while done < draws:
        terms = model.terms(x, posterior, draws=min(size, draws - done), generator=generator)
        log_ratio, log_weight = terms.log_ratio.double(), terms.log_weight.double()
        if done == 0:  # squares about a first mean do not cancel
            center = log_ratio.mean(0)
        log_sum = torch.logaddexp(log_sum, torch.logsumexp(log_weight, 0))
        weight += log_weight.sum(0)
        ratio += (log_ratio - center).sum(0)
        square += (log_ratio - center).square().sum(0)
        pulled_in += terms.pulled_in.sum(0)
        done += len(log_ratio)
    shift = ratio / draws
    variance = (square / draws - shift.square()).clamp(min=0) / (draws - 1) if draws > 1 else square / 0
    return Bounds(log_sum - math.log(draws), weight / draws, center + shift, variance, pulled_in / draws)
