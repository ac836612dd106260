"""Whether one model is better than another on the same splits, by a test that knows that splits overlap."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from hypgraph.evaluation.intervals import mean_interval
from hypgraph.exceptions import ConfigError, DataError

__all__ = ["PairedDifference", "paired_difference"]


class PairedDifference(NamedTuple):
    """How much better A is than B, in the unit of the values.

    Attributes:
        mean: of A − B.
        half_width: the confidence interval is ``mean ± half_width``; NaN for a single pair.
        p_value: two-sided, of no difference; NaN for a single pair, or if all differences are one number but 0.
        n: how many pairs.
    """

    mean: float
    half_width: float
    p_value: float
    n: int

    def p_text(self) -> str:
        """The p value for a table: three digits, ``< 0.001``, or a dash where there is none."""
        return "–" if math.isnan(self.p_value) else f"{self.p_value:.3f}" if self.p_value >= 0.001 else "< 0.001"


def paired_difference(
    a: Iterable[float],
    b: Iterable[float],
    *,
    test_fraction: float,
    train_fraction: float,
    level: float = 0.95,
) -> PairedDifference:
    """Corrected resampled t-test of Nadeau & Bengio 2003 on the differences d_i = a_i − b_i.

    Random splits of one graph share most of their training edges, and test sets overlap: the d_i are positively
    correlated, s²/n understates the variance of their mean, and the ordinary paired t-test finds differences that
    are not there. With the usual guess of the correlation, n_test / (n_test + n_train), the variance is

        (1/n + n_test / n_train) s²,  s² = Σ (d_i − d̄)² / (n − 1),

    and d̄ over its root is compared with Student's t of n − 1 degrees of freedom. More seeds do not make the
    interval narrower than the second term allows: t √(n_test / n_train) s.

    Args:
        a: one figure a split, of A.
        b: figures of B on the same splits, in the same order.
        test_fraction: share of the edges that the figures are computed on. 0 gives the ordinary paired t-test,
            for pairs that are independent: one split, and seeds that only start the training.
        train_fraction: share of the edges trained on, above 0. Only the ratio of the two counts.
        level: probability that the interval covers, in (0, 1).

    Raises:
        DataError: if the two are not equally many, or none.
        NumericalError: if a difference is not finite.
        ConfigError: if a fraction or the level is not allowed.

    >>> difference = paired_difference(
    ...     [0.951, 0.948, 0.953], [0.949, 0.949, 0.950], test_fraction=0.10, train_fraction=0.85
    ... )
    >>> f"{difference.mean:.4f} ± {difference.half_width:.4f}, p = {difference.p_value:.2f}"
    '0.0013 ± 0.0060, p = 0.44'
    """
    if not 0.0 <= test_fraction < math.inf or not 0.0 < train_fraction < math.inf:
        raise ConfigError(
            f"test_fraction is {test_fraction} and train_fraction {train_fraction}; the first must be 0 or more, "
            "the second must be above 0"
        )
    first, second = (np.asarray(list(values), dtype=np.float64) for values in (a, b))
    if len(first) != len(second):
        raise DataError(
            f"a and b: have {len(first)} and {len(second)} values, pairs need as many of each; "
            "give the figures of the same seeds"
        )
    differences = first - second
    count = len(differences)
    mean, plain = mean_interval(differences, level=level)
    if count == 1:
        return PairedDifference(mean, math.nan, math.nan, 1)
    error = float(differences.std(ddof=1)) * math.sqrt(1.0 / count + test_fraction / train_fraction)
    half_width = plain * math.sqrt(1.0 + count * test_fraction / train_fraction)
    if error == 0.0:
        # A metric of few pairs takes few values: equal differences tell nothing of how much they vary.
        return PairedDifference(mean, 0.0, 1.0 if mean == 0.0 else math.nan, count)
    p_value = 2.0 * float(stdtr(count - 1, -abs(mean) / error))
    return PairedDifference(mean, half_width, p_value, count)
