"""Means over seeds, with the uncertainty that a handful of runs leaves."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from hypgraph.exceptions import ConfigError, DataError, NumericalError

__all__ = ["MeanInterval", "mean_interval"]


class MeanInterval(NamedTuple):
    """A mean and half the width of its confidence interval, in the unit of the values.

    Attributes:
        mean: the average.
        half_width: the interval is ``mean ± half_width``; NaN for a single value.
    """

    mean: float
    half_width: float


def mean_interval(values: Iterable[float], *, level: float = 0.95) -> MeanInterval:
    """Mean and Student confidence interval of independent runs.

    The half-width is t · s/√n, with s² the unbiased sample variance and t the ½(1 + level) quantile of
    Student's distribution with n − 1 degrees of freedom. Seeds that split one graph speak of splits of that
    graph, not of other graphs; their test sets overlap, so differences of models need a paired, corrected test.

    Args:
        values: one number a run, n ≥ 1. A single run has no interval: its half-width is NaN.
        level: probability that the interval covers, in (0, 1).

    Raises:
        DataError: if there are no values.
        NumericalError: if a value is not finite.
        ConfigError: if ``level`` is outside (0, 1).

    >>> mean, half_width = mean_interval([0.94, 0.95, 0.96])
    >>> f"{mean:.3f} ± {half_width:.3f}"
    '0.950 ± 0.025'
    """
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level: {level} is not a probability strictly between 0 and 1; 0.95 is usual")
    sample = np.asarray(list(values), dtype=np.float64)
    count = sample.size
    if count == 0:
        raise DataError("values: no runs were given, a mean needs at least one; check that the runs finished")
    if not np.isfinite(sample).all():
        raise NumericalError(
            f"values: {count - np.isfinite(sample).sum()} of {count} are not finite, a mean needs numbers; "
            "look for a run that diverged"
        )
    mean = float(sample.mean())
    if count == 1:
        return MeanInterval(mean, math.nan)
    # scipy.stats.t.ppf is the same function behind an import that takes a third of a second.
    quantile = float(stdtrit(count - 1, 0.5 * (1.0 + level)))
    return MeanInterval(mean, quantile * float(sample.std(ddof=1)) / math.sqrt(count))
