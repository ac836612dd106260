"""The checks that scikit-learn has for estimators, on tables turned into the graph of nearest neighbours."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pytest
import sklearn
from numpy.typing import NDArray
from sklearn.neighbors import kneighbors_graph
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_array, check_is_fitted

from hypgraph import PoincareEmbedder, VGAEEmbedder
from hypgraph.estimators.graph_embedder import GraphEmbedder
from tests.estimators import stand_in


def neighbours(X: Any) -> Any:
    """The graph of the three nearest rows, without directions."""
    rows = check_array(X)
    graph = kneighbors_graph(rows, min(3, len(rows) - 1))
    return graph + graph.T


class OfTable(GraphEmbedder):
    """Takes what the checks give, a table, so that they can look at all else."""

    def fit(self, X: Any, y: object = None) -> Self:
        super().fit(neighbours(X), y)  # type: ignore[safe-super]
        self.n_features_in_ = check_array(X).shape[1]
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return super().transform(neighbours(X))


class PoincareOfTable(OfTable, PoincareEmbedder):
    pass


class VGAEOfTable(OfTable, VGAEEmbedder):
    pass


# These look at the estimator alone: they hold for the classes as they are.
OF_THE_CLASS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_transformers_unfitted",
    "check_valid_tag_types",
]
OF_A_FIT = [
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_estimators_fit_returns_self",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_fit_check_is_fitted",
    "check_fit_score_takes_y",
    "check_pipeline_consistency",
    "check_readonly_memmap_input",
    "check_set_output_transform",
    "check_transformer_general",
    "check_transformer_get_feature_names_out",
]


def check(name: str) -> Callable[[str, Any], None]:
    """The check of that name; versions differ in which they have."""
    if not hasattr(estimator_checks, name):
        pytest.skip(f"scikit-learn {sklearn.__version__} has no {name}")
    result: Callable[[str, Any], None] = getattr(estimator_checks, name)
    return result


@pytest.mark.parametrize("name", OF_THE_CLASS)
@pytest.mark.parametrize("embedder", [PoincareEmbedder, VGAEEmbedder])
def test_the_class_is_an_estimator(name: str, embedder: type) -> None:
    check(name)(embedder.__name__, embedder())


@pytest.mark.parametrize("name", OF_A_FIT)
@pytest.mark.parametrize("embedder", [PoincareOfTable(), VGAEOfTable(dim=3, epochs=2)], ids=["poincare", "vgae"])
def test_fitting_keeps_the_contract(name: str, embedder: OfTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in.TARGET, stand_in.draw_points)
    check(name)(type(embedder).__name__, embedder)
