import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from hypgraph.evaluation import link_metrics
from hypgraph.exceptions import DataError, NumericalError

# A handful of values makes nearly every draw full of ties; -0.0 and 0.0 are one value.
TIED = st.sampled_from([-math.inf, -1.0, -0.0, 0.0, 1e-300, 1.0, math.inf])
ANY = st.floats(allow_nan=False, allow_infinity=True)


def vectors(scores: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    return st.lists(scores, min_size=1, max_size=40)


def sklearn_metrics(positive: list[float], negative: list[float]) -> tuple[float, float]:
    """scikit-learn refuses infinities, so it gets the dense ranks, which have the same order and ties."""
    ranks = np.unique([*positive, *negative], return_inverse=True)[1]
    labels = [1] * len(positive) + [0] * len(negative)
    return roc_auc_score(labels, ranks), average_precision_score(labels, ranks)


@given(vectors(TIED), vectors(TIED))
def test_metrics_equal_scikit_learn_under_heavy_ties_and_infinities(positive, negative):
    assert link_metrics(positive, negative) == pytest.approx(sklearn_metrics(positive, negative), abs=1e-12)


@given(vectors(ANY), vectors(ANY))
def test_metrics_equal_scikit_learn_on_any_scores(positive, negative):
    assert link_metrics(positive, negative) == pytest.approx(sklearn_metrics(positive, negative), abs=1e-12)


@pytest.mark.parametrize("counts", [(527, 527), (50, 5000), (5000, 50)])
def test_metrics_equal_scikit_learn_on_raw_float32_scores(counts):
    rng = np.random.default_rng(0)
    positive = rng.normal(0.7, 1.0, counts[0]).astype(np.float32)
    negative = rng.normal(0.0, 1.0, counts[1]).astype(np.float32)
    labels, scores = np.repeat([1, 0], counts), np.concatenate([positive, negative])
    expected = roc_auc_score(labels, scores), average_precision_score(labels, scores)
    assert link_metrics(positive, negative) == pytest.approx(expected, abs=1e-12)


@given(vectors(TIED), vectors(TIED))
def test_auc_is_the_share_of_ordered_pairs_with_ties_counted_half(positive, negative):
    wins = np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative])
    assert link_metrics(positive, negative).auc == pytest.approx(wins, abs=1e-12)


@given(vectors(ANY), vectors(ANY))
def test_swapping_the_classes_reflects_the_auc(positive, negative):
    there, back = link_metrics(positive, negative), link_metrics(negative, positive)
    assert there.auc + back.auc == pytest.approx(1.0, abs=1e-12)


def test_perfect_scores_give_one_and_constant_scores_give_chance():
    assert link_metrics([2.0, 3.0], [0.0, 1.0]) == (1.0, 1.0)
    assert link_metrics([1.0] * 3, [1.0] * 9) == (0.5, 0.25)


def test_tensors_with_a_gradient_give_what_arrays_give():
    positive = torch.tensor([0.3, 1.5], requires_grad=True)
    assert link_metrics(positive, torch.tensor([0.4, -1.0]).bfloat16()) == link_metrics([0.3, 1.5], [0.4, -1.0])


@pytest.mark.parametrize(
    ("positive", "negative", "name"), [([math.nan, 1.0], [0.0], "positive"), ([1.0], [math.nan], "negative")]
)
def test_a_nan_score_is_an_error_that_names_the_quantity(positive, negative, name):
    with pytest.raises(NumericalError, match=f"^{name}_scores: 1 of"):
        link_metrics(positive, negative)


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], 3.0])
def test_scores_that_are_no_vector_of_at_least_one_are_an_error(bad):
    with pytest.raises(DataError, match=r"^positive_scores: has shape"):
        link_metrics(bad, [0.0])
    with pytest.raises(DataError, match=r"^negative_scores: has shape"):
        link_metrics([0.0], bad)


def test_infinite_scores_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert link_metrics([math.inf, -math.inf], [math.inf, -math.inf]) == (0.5, 0.5)
