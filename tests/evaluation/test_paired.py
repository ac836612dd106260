import math

import numpy as np
import pytest
from scipy import stats

from hypgraph.evaluation.paired import PairedDifference, paired_difference
from hypgraph.exceptions import ConfigError, DataError, NumericalError

HELD_OUT = {"test_fraction": 0.10, "train_fraction": 0.85}


def written_out(
    a: np.ndarray, b: np.ndarray, test_to_train: float, level: float = 0.95
) -> tuple[float, float, float]:
    """Nadeau and Bengio's section 3.4 by the letter: mean, half-width, two-sided p."""
    d = a - b
    n = len(d)
    mean = sum(d) / n
    variance = sum((d - mean) ** 2) / (n - 1)
    error = math.sqrt((1 / n + test_to_train) * variance)
    return mean, stats.t.ppf(0.5 + level / 2, n - 1) * error, 2 * stats.t.sf(abs(mean) / error, n - 1)


@pytest.mark.parametrize("count", [2, 3, 10, 40])
@pytest.mark.parametrize("shares", [(0.10, 0.85), (0.05, 0.85), (0.5, 0.5)])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_the_test_is_the_formula_of_nadeau_and_bengio(
    count: int, shares: tuple[float, float], level: float
) -> None:
    rng = np.random.default_rng(count)
    a, b = rng.normal([[0.9], [0.89]], 0.02, (2, count))
    result = paired_difference(a, b, test_fraction=shares[0], train_fraction=shares[1], level=level)
    assert tuple(result[:3]) == pytest.approx(written_out(a, b, shares[0] / shares[1], level), rel=1e-11)
    assert result.n == count


def test_without_overlap_it_is_the_ordinary_paired_t_test() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 12))
    result = paired_difference(a, b, test_fraction=0.0, train_fraction=0.85)
    ordinary = stats.ttest_rel(a, b)
    low, high = ordinary.confidence_interval()
    expected = ((a - b).mean(), (high - low) / 2, ordinary.pvalue)
    assert tuple(result[:3]) == pytest.approx(expected, rel=1e-11)


def test_the_interval_holds_zero_exactly_when_p_is_above_one_minus_the_level() -> None:
    rng = np.random.default_rng(1)
    seen = set()
    for shift in np.linspace(0.0, 3.0, 40):
        a, b = rng.normal(size=(2, 10)) + np.array([[shift], [0.0]])
        result = paired_difference(a, b, **HELD_OUT)
        seen.add(result.p_value < 0.05)
        assert (abs(result.mean) > result.half_width) == (result.p_value < 0.05)
    assert seen == {True, False}


def test_exchanging_the_two_turns_the_sign_alone() -> None:
    a, b = np.random.default_rng(2).normal(size=(2, 7))
    there, back = paired_difference(a, b, **HELD_OUT), paired_difference(b, a, **HELD_OUT)
    assert back == (-there.mean, there.half_width, there.p_value, there.n)


def test_what_both_have_in_common_does_not_count() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.9, 0.001, (2, 10))
    luck = rng.normal(0.0, 0.5, 10)
    alone, together = paired_difference(a, b, **HELD_OUT), paired_difference(a + luck, b + luck, **HELD_OUT)
    assert tuple(together) == pytest.approx(tuple(alone), rel=1e-9)


def test_many_seeds_do_not_make_the_interval_vanish() -> None:
    d = np.random.default_rng(4).normal(size=100_000)
    result = paired_difference(d, np.zeros_like(d), **HELD_OUT)
    assert result.half_width == pytest.approx(1.96 * math.sqrt(0.10 / 0.85), rel=0.01)


def test_overlapping_splits_fool_the_ordinary_test_and_not_this_one() -> None:
    """Two methods alike, whose difference on a point is noise; each split tests on another tenth of one sample.

    The means of two such tenths have the correlation n_test / (n_test + n_train), the guess of the correction.
    """
    rng = np.random.default_rng(5)
    sample, test, runs, trials = 200, 20, 10, 4000
    rejected = np.zeros(2)
    for _ in range(trials):
        points = rng.normal(size=sample)
        tenths = np.argsort(rng.random((runs, sample)), axis=1)[:, :test]
        d = points[tenths].mean(axis=1)
        for i, share in enumerate((0.0, 0.10)):
            result = paired_difference(d, np.zeros(runs), test_fraction=share, train_fraction=0.90)
            rejected[i] += result.p_value < 0.05
    ordinary, corrected = rejected / trials
    assert ordinary > 0.10
    assert corrected == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / trials))


def test_equal_figures_differ_by_nothing() -> None:
    assert paired_difference([0.9, 0.8], [0.9, 0.8], **HELD_OUT) == (0.0, 0.0, 1.0, 2)


def test_a_difference_that_never_varies_has_no_p_value() -> None:
    mean, half_width, p_value, n = paired_difference([1.0, 2.0], [0.5, 1.5], **HELD_OUT)
    assert (mean, half_width, n) == (0.5, 0.0, 2)
    assert math.isnan(p_value)


@pytest.mark.parametrize(("p", "text"), [(math.nan, "–"), (0.0, "< 0.001"), (0.00099, "< 0.001"), (0.5, "0.500")])
def test_p_values_in_tables(p: float, text: str) -> None:
    assert PairedDifference(0.1, 0.2, p, 3).p_text() == text


def test_one_pair_has_a_difference_and_nothing_to_judge_it_by() -> None:
    mean, half_width, p_value, n = paired_difference([0.5], [0.25], **HELD_OUT)
    assert (mean, n) == (0.25, 1)
    assert math.isnan(half_width)
    assert math.isnan(p_value)


def test_figures_that_are_no_pairs_are_an_error() -> None:
    with pytest.raises(DataError, match=r"^a and b: have 2 and 3 values"):
        paired_difference([0.1, 0.2], [0.1, 0.2, 0.3], **HELD_OUT)
    with pytest.raises(DataError, match="no runs"):
        paired_difference([], [], **HELD_OUT)
    with pytest.raises(NumericalError, match="not finite"):
        paired_difference([0.1, math.nan], [0.1, 0.2], **HELD_OUT)


@pytest.mark.parametrize(
    ("test_fraction", "train_fraction"), [(-0.1, 0.85), (0.1, 0.0), (math.nan, 0.5), (0.1, math.inf)]
)
def test_fractions_that_are_none_are_an_error(test_fraction: float, train_fraction: float) -> None:
    with pytest.raises(ConfigError, match=r"^test_fraction is"):
        paired_difference([0.1, 0.2], [0.1, 0.3], test_fraction=test_fraction, train_fraction=train_fraction)


def test_a_level_that_is_no_probability_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"^level:"):
        paired_difference([0.1, 0.2], [0.1, 0.3], **HELD_OUT, level=95)
