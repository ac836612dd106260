import math

import numpy as np
import pytest
from scipy import stats

from hypgraph.evaluation import mean_interval
from hypgraph.exceptions import ConfigError, DataError, NumericalError


@pytest.mark.parametrize("count", [2, 3, 10, 40])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_the_interval_is_students(count, level):
    values = np.random.default_rng(count).normal(0.9, 0.02, count)
    mean, half_width = mean_interval(values, level=level)
    low, high = stats.t.interval(level, count - 1, loc=values.mean(), scale=stats.sem(values))
    assert (mean - half_width, mean + half_width) == pytest.approx((low, high), rel=1e-12)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(size=(4000, 5))
    intervals = [mean_interval(row) for row in draws]
    covered = np.mean([abs(mean) <= half_width for mean, half_width in intervals])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))


def test_one_run_has_a_mean_and_no_interval():
    mean, half_width = mean_interval([0.5])
    assert mean == 0.5
    assert math.isnan(half_width)


def test_equal_runs_have_an_interval_of_width_zero():
    assert mean_interval(x for x in (0.5, 0.5, 0.5)) == (0.5, 0.0)


def test_no_runs_are_an_error():
    with pytest.raises(DataError, match=r"^values: no runs"):
        mean_interval([])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_run_that_is_not_finite_is_an_error(bad):
    with pytest.raises(NumericalError, match=r"^values: 1 of 3"):
        mean_interval([0.1, bad, 0.2])


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 95, math.nan])
def test_a_level_that_is_no_probability_is_an_error(level):
    with pytest.raises(ConfigError, match=r"^level:"):
        mean_interval([0.1, 0.2], level=level)
