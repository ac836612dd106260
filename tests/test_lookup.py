"""Names to objects, and what is said of names that are not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypgraph.exceptions import ConfigError, HypgraphError
from hypgraph.lookup import did_you_mean, lookup

TABLE = {"poincare": 1, "euclidean": 2, "lorentz": 3}


@given(st.dictionaries(st.text(), st.integers() | st.none(), min_size=1), st.data())
def test_a_known_name_gives_its_object(table: dict[str, int | None], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(table)))
    assert lookup(table, name, what="thing") == table[name]


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=12).filter(lambda name: name not in TABLE))
def test_an_unknown_name_is_refused_with_all_that_are_known(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lookup(TABLE, name, what="latent")
    message = str(caught.value)
    assert message.startswith(f"unknown latent '{name}'; ")
    assert message.endswith("known: poincare, euclidean, lorentz")


@pytest.mark.parametrize("name", ["poincaree", "Poincare", "POINCARÉ", "pointcare", "poincar"])
def test_a_slip_is_answered_with_the_closest_name(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lookup(TABLE, name, what="latent")
    assert str(caught.value) == (
        f"unknown latent '{name}'; did you mean 'poincare'? known: poincare, euclidean, lorentz"
    )


@pytest.mark.parametrize("name", ["", "x", "torus"])
def test_nothing_is_suggested_where_nothing_is_close(name: str) -> None:
    assert did_you_mean(name, TABLE) == "known: poincare, euclidean, lorentz"


def test_the_error_is_one_of_ours_and_hides_the_look_up() -> None:
    with pytest.raises(HypgraphError) as caught:
        lookup(TABLE, "flat", what="latent")
    assert isinstance(caught.value, ValueError)
    assert caught.value.__suppress_context__


def test_capitals_in_known_names_are_matched_too() -> None:
    assert did_you_mean("cora", ["Cora", "Citeseer"]).startswith("did you mean 'Cora'?")
