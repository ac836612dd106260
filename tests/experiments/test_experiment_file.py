"""Experiment files: the cells that they spell out, and one line for whatever is wrong in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hypgraph.exceptions import ConfigError
from hypgraph.experiments import experiment_file
from hypgraph.experiments.experiment import Experiment, load_experiment, shown
from hypgraph.experiments.experiment_file import experiment_names
from tests.experiments.fake_kind import EXPERIMENT, FakeKind

KINDS = {"fake": FakeKind}
Load = Callable[..., Experiment]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads an experiment file with this text, after replacements ``old, new, old, new``."""

    def load_text(text: str, *replacements: str) -> Experiment:
        for old, new in zip(replacements[::2], replacements[1::2], strict=True):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "test.toml"
        path.write_text(text, encoding="utf-8")
        return load_experiment(path, kinds=KINDS)

    return load_text


def values(experiment: Experiment, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(cell.values[key] for key in keys) for cell in experiment.cells]


def test_the_cells_are_the_product_of_each_block_and_the_union_of_the_blocks(load: Load) -> None:
    experiment = load(EXPERIMENT)
    euclidean = [("euclidean", None, dim, 4) for dim in (2, 5)]
    poincare = [("poincare", c, dim, 4) for c in (0.1, 1.2) for dim in (2, 5)]
    assert values(experiment, "latent", "c", "dim", "epochs") == euclidean + poincare


def test_a_cell_is_named_by_what_the_file_states_of_it_and_others_do_not_share(load: Load) -> None:
    experiment = load(EXPERIMENT)
    assert experiment.columns == ("latent", "dim", "c")
    assert experiment.cells[0].name == "latent=euclidean dim=2"
    assert experiment.cells[-1].name == "latent=poincare dim=5 c=1.2"


def test_a_value_of_the_grid_goes_over_one_of_the_settings(load: Load) -> None:
    experiment = load(EXPERIMENT, "[settings]", "[settings]\ndim = 7", "dim = [2, 5]\n\n[[grid]]", "\n[[grid]]")
    assert values(experiment, "dim") == [(7,), (2,), (5,), (2,), (5,)]
    assert experiment.cells[0].name == "latent=euclidean dim=7"


def test_a_grid_value_need_not_be_a_list(load: Load) -> None:
    assert values(load(EXPERIMENT, "c = [0.1, 1.2]", "c = 1"), "c")[-1] == (1.0,)


def test_seeds_count_up_from_the_first(load: Load) -> None:
    assert load(EXPERIMENT).seeds == (0, 1, 2)
    assert load(EXPERIMENT, "seeds = 3", "seeds = 2\nfirst_seed = 10").seeds == (10, 11)


def test_one_measure_may_be_taken_twice_under_two_names(load: Load) -> None:
    twice = '[[measures]]\nmeasure = "likelihood"\nname = "rough"\n\n[table]'
    measures = load(EXPERIMENT, "[table]", twice).measures
    options = [(one.name, one.measure, one.options.model_dump()) for one in measures]
    assert options == [("likelihood", "likelihood", {"draws": 5}), ("rough", "likelihood", {"draws": 10})]


REFERENCE = '\n[[reference]]\ncell = { latent = "poincare", c = 1.2 }\nvalue = 5\ntrust = "quoted"\nsource = "A"\n'


def test_a_reference_belongs_to_every_cell_that_has_its_settings(load: Load) -> None:
    experiment = load(EXPERIMENT + REFERENCE)
    assert {cell.name: one.value for cell, one in experiment.references.items()} == {
        "latent=poincare dim=2 c=1.2": 5.0,
        "latent=poincare dim=5 c=1.2": 5.0,
    }


COMPARISON = '\n[comparison]\nagainst = { latent = "euclidean" }\nsame = ["dim"]\n'


def test_a_cell_is_compared_with_the_one_that_shares_a_key_with_it(load: Load) -> None:
    pairs = [(cell.name, other.name) for cell, other in load(EXPERIMENT + COMPARISON).comparisons]
    assert pairs == [
        (f"latent=poincare dim={dim} c={c}", f"latent=euclidean dim={dim}") for c in (0.1, 1.2) for dim in (2, 5)
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "fake"', 'kind = "fak"', ["unknown kind 'fak'", "did you mean 'fake'?"]),
        ('kind = "fake"\n', "", ["no experiment file", "no kind", "--config"]),
        ('description = "A test."', "", ["'description' is missing"]),
        ("seeds = 3", "seed = 3", ["unknown key 'seed'", "did you mean 'seeds'?"]),
        ("seeds = 3", "seeds = 0", ["seeds", "greater than or equal to 1", "0"]),
        ("epochs = 4", "epoch = 4", ["[settings]", "unknown key 'epoch'", "did you mean 'epochs'?"]),
        ("epochs = 4", "epochs = [4, 5]", ["[settings] epochs", "list", "[[grid]]"]),
        ("epochs = 4", 'epochs = "many"', ["epochs", "integer", "many", "cell latent=euclidean dim=2"]),
        ("c = [0.1, 1.2]", "curvature = [1]", ["block 2", "unknown key 'curvature'"]),
        ("c = [0.1, 1.2]", "c = []", ["block 2", "c is an empty list"]),
        ("c = [0.1, 1.2]", 'c = ["flat"]', ["cell latent=poincare c=flat dim=2", "number", "flat"]),
        ("c = [0.1, 1.2]", "c = [1, 1.0]", ["two grid cells are the same: latent=poincare c=1 dim=2"]),
        ('latent = "poincare"', 'latent = "poincaree"', ["latent", "'euclidean' or 'poincare'", "poincaree"]),
        (
            'latent = "poincare"',
            'latent = "euclidean"',
            ["cell latent=euclidean c=0.1", "c belongs to the latent"],
        ),
        ('latent = "euclidean"\ndim = [2, 5]\n', "", ["block 1", "empty"]),
        (
            'measure = "likelihood"',
            'measure = "likelyhood"',
            ["measure 'likelyhood'", "did you mean 'likelihood'?"],
        ),
        ("draws = 5", "drawz = 5", ["likelihood", "unknown key 'drawz'", "did you mean 'draws'?"]),
        ("draws = 5", 'draws = 5\n[[measures]]\nmeasure = "likelihood"', ["likelihood", "name"]),
        ('"likelihood.iwae"', '"accuracy.mean"', ["[table]", "'accuracy.mean'", "likelihood"]),
        ('"likelihood.iwae"', '"likelihood"', ["[table]", "measure.figure"]),
        ('"likelihood.iwae"', '"likelihood.iwae"\nalso = ["accuracy.mean"]', ["[table]", "'accuracy.mean'"]),
        ('"likelihood.iwae"', '"likelihood.iwae"\nacros = "dim"', ["table.acros", "did you mean 'across'?"]),
        ('"likelihood.iwae"', '"likelihood.iwae"\nacross = "dimm"', ["across", "'dimm'", "did you mean 'dim'?"]),
        ("[smoke]\n", "[smoke]\nepoks = 1\n", ["[smoke]", "'epoks'", "did you mean 'epochs'?"]),
        ("[smoke]\n", "[smoke]\ntable = 3\n", ["[smoke] table", "[smoke.table]"]),
        ("[smoke]\n", "[smoke.measures.accuracy]\n", ["smoke.measures", "'accuracy'", "likelihood"]),
        ("[smoke]", "[smoke", ["malformed", "line"]),
        ("[smoke]\n", f"{REFERENCE}[smoke]\n".replace("1.2", "7"), ["[[reference]] number 1", "c=7", "no cell"]),
        ("[smoke]\n", f"{REFERENCE}[smoke]\n".replace("c =", "cc ="), ["[[reference]] number 1", "'cc'"]),
        ("[smoke]\n", f"{REFERENCE}{REFERENCE}[smoke]\n", ["[[reference]] number 2", "dim=2 c=1.2", "already"]),
        ("[smoke]\n", f"{REFERENCE}[smoke]\n".replace("value = 5", ""), ["number 1", "value", "failed"]),
        ("[smoke]\n", f"{REFERENCE}failed = true\n[smoke]\n", ["number 1", "value", "failed"]),
        (
            "[smoke]\n",
            f"{REFERENCE}[smoke]\n".replace("quoted", "sure"),
            ["reference.1.trust", "'verified'", "sure"],
        ),
        ("[smoke]\n", f"{COMPARISON}[smoke]\n".replace("same", "#"), ["[comparison]", "2 cells", "nothing"]),
        (
            "[smoke]\n",
            f"{COMPARISON}[smoke]\n".replace('["dim"]', '["c", "dim"]'),
            ["[comparison]", "0 cells", "c"],
        ),
        ("[smoke]\n", f"{COMPARISON}[smoke]\n".replace('["dim"]', '["dims"]'), ["[comparison] same", "'dims'"]),
        ("[smoke]\n", f"{COMPARISON}[smoke]\n".replace("latent", "laten"), ["[comparison] against", "'laten'"]),
        (
            "[smoke]\n",
            "[comparison]\nagainst = { data = 'trees' }\n[smoke]\n",
            ["[comparison]", "compares nothing"],
        ),
        ("[smoke]\n", "[comparison]\nagainst = {}\n[smoke]\n", ["comparison.against", "at least 1"]),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_line(load: Load, old: str, new: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(EXPERIMENT, old, new)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [word for word in words if word not in line] == [], line


GRID = EXPERIMENT[EXPERIMENT.index("[[grid]]") : EXPERIMENT.index("[[measures]]")]
MEASURES = EXPERIMENT[EXPERIMENT.index("[[measures]]") : EXPERIMENT.index("[table]")]


@pytest.mark.parametrize(
    ("part", "key", "words"), [(GRID, "grid", "the grid is empty"), (MEASURES, "measures", "nothing is measured")]
)
def test_a_file_without_cells_or_without_measures_is_refused(load: Load, part: str, key: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"'{key}' is missing"):
        load(EXPERIMENT, part, "")
    with pytest.raises(ConfigError, match=words):
        load(EXPERIMENT, part, "", "seeds = 3", f"seeds = 3\n{key} = []")


def test_a_setting_may_be_changed_and_the_grid_stays(load: Load) -> None:
    before = load(EXPERIMENT)
    changed = before.with_changes(assignments=["epochs=9", "data=digits"])
    assert {(cell.values["epochs"], cell.values["data"]) for cell in changed.cells} == {(9, "digits")}
    assert values(changed, "latent", "c", "dim") == values(before, "latent", "c", "dim")
    assert changed.changes == ("--set", "epochs=9", "--set", "data=digits")


def test_an_option_of_a_measure_may_be_changed(load: Load) -> None:
    changed = load(EXPERIMENT).with_changes(assignments=["likelihood.draws=7"])
    assert [measure.options.model_dump() for measure in changed.measures] == [{"draws": 7}]


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("epochs", ["--set epochs", "key=value"]),
        ("epoch=3", ["setting 'epoch'", "did you mean 'epochs'?"]),
        ("epochs=many", ["epochs", "integer", "many"]),
        ("epochs=[1, 2]", ["--set epochs=[1, 2]", "list", "grid"]),
        ("dim=3", ["--set dim=3", "grid has values of dim"]),
        ("likelihood.drawz=3", ["'drawz'", "did you mean 'draws'?"]),
        ("likely.draws=3", ["measure 'likely'", "did you mean 'likelihood'?"]),
    ],
)
def test_a_change_that_is_not_allowed_is_refused(load: Load, assignment: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(EXPERIMENT).with_changes(assignments=[assignment])
    assert [word for word in words if word not in str(caught.value)] == [], caught.value


def test_the_number_of_seeds_may_be_changed(load: Load) -> None:
    assert load(EXPERIMENT).with_changes(seeds=5).seeds == (0, 1, 2, 3, 4)
    with pytest.raises(ConfigError, match="--seeds 0"):
        load(EXPERIMENT).with_changes(seeds=0)


def test_a_trial_run_has_two_seeds_and_the_settings_of_its_section(load: Load) -> None:
    trial = load(EXPERIMENT + REFERENCE + "[smoke.measures.likelihood]\ndraws = 1\n").with_changes(smoke=True)
    assert trial.seeds == (0, 1)
    assert {cell.values["epochs"] for cell in trial.cells} == {1}
    assert len(trial.cells) == 6
    assert trial.measures[0].options.model_dump() == {"draws": 1}
    assert trial.references == {}
    assert load(EXPERIMENT).with_changes(smoke=True, seeds=1).seeds == (0,)


def test_a_trial_run_may_have_a_table_of_its_own(load: Load) -> None:
    also = load(EXPERIMENT, "[smoke]\n", 'also = ["likelihood.kl"]\n\n[smoke.table]\nalso = []\n\n[smoke]\n')
    trial = also.with_changes(smoke=True)
    assert (also.file.table.also, trial.file.table.also) == (("likelihood.kl",), ())
    assert also.file.table.value == trial.file.table.value == "likelihood.iwae"
    wrong = load(EXPERIMENT + "[smoke.table]\nalsoo = []\n")
    with pytest.raises(ConfigError, match=r"\[smoke\.table\].*did you mean 'also'"):
        wrong.with_changes(smoke=True)


def test_a_trial_run_makes_one_cell_of_those_that_its_settings_make_equal(load: Load) -> None:
    trial = load(EXPERIMENT + "c = 0.5\n" + COMPARISON).with_changes(smoke=True)
    # c is a key of the second block alone, and goes to no other
    assert values(trial, "latent", "c", "dim") == [
        ("euclidean", None, 2),
        ("euclidean", None, 5),
        ("poincare", 0.5, 2),
        ("poincare", 0.5, 5),
    ]
    assert len(trial.comparisons) == 2
    assert len(load(EXPERIMENT + "dim = 3\n" + COMPARISON).with_changes(smoke=True).cells) == 3


def test_a_value_on_the_command_line_goes_over_that_of_a_trial_run(load: Load) -> None:
    trial = load(EXPERIMENT).with_changes(smoke=True, assignments=["epochs=6"])
    assert {cell.values["epochs"] for cell in trial.cells} == {6}


def test_experiments_are_told_from_run_configurations_by_their_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment_file, "bundled_configs", lambda: tmp_path)
    (tmp_path / "trees.toml").write_text(EXPERIMENT)
    (tmp_path / "cora.toml").write_text('[data]\nname = "cora"\n')
    assert experiment_names() == {"trees": "A test."}
    assert load_experiment("trees", kinds=KINDS).name == "trees"
    with pytest.raises(ConfigError, match="unknown experiment 'tree'; did you mean 'trees'"):
        load_experiment("tree", kinds=KINDS)
    with pytest.raises(ConfigError, match="unknown experiment 'cora'"):
        load_experiment("cora", kinds=KINDS)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such experiment file"):
        load_experiment(str(tmp_path / "nowhere.toml"), kinds=KINDS)


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_of_the_package_can_be_loaded_and_tried(name: str) -> None:
    experiment = load_experiment(name)
    assert experiment.with_changes(smoke=True).cells
    assert "\n" not in experiment.file.description


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (1.0, "1"), (5000, "5000"), (False, "no"), (None, "–"), ("linear", "linear")]
)
def test_settings_are_shown_without_superfluous_digits(value: object, text: str) -> None:
    assert shown(value) == text
