"""``hypgraph baselines`` and ``hypgraph compare`` on the command line."""

import json
import re
from pathlib import Path

import pytest

from hypgraph.cli import baselines as verb
from tests.cli.program import hypgraph, tree


def test_the_figures_are_those_that_train_prints(here: Path, karate_run: Path) -> None:
    outcome = hypgraph("baselines", "--data", "karate", "--seeds", 1, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    result = json.loads(outcome.out)
    expected = json.loads((karate_run / "summary.json").read_text())["baselines"]
    assert set(result["baselines"]) == set(expected)
    for key, figures in expected.items():
        assert result["baselines"][key]["test"]["auc"]["values"] == [figures["auc"]]
        assert result["baselines"][key]["val"]["ap"]["values"] == [figures["val"]["ap"]]
    assert tree(here) == {}


def test_ten_seeds_are_the_default_and_the_table_fits_a_terminal() -> None:
    outcome = hypgraph("baselines", "--data", "karate")
    assert outcome.code == 0
    assert "mean and 95 % interval of 10 seeds" in outcome.out
    row = next(line for line in outcome.out.splitlines() if line.startswith("Katz"))
    assert len(re.findall(r"\d+\.\d±\d+\.\d", row)) == 6
    assert max(map(len, outcome.out.splitlines())) <= 80
    for words in ("attachment", "personalised", "not for this graph: cosine ÂX"):
        assert words in outcome.out


def test_several_data_sets_are_a_table_each_and_a_list_in_json() -> None:
    options = ["baselines", "--data", "karate", "--data", "tree:depth=5", "--seeds", 2]
    outcome = hypgraph(*options)
    assert [line.split(",")[0] for line in outcome.out.splitlines() if line.startswith("Baselines on")] == [
        "Baselines on karate",
        "Baselines on tree:depth=5",
    ]
    assert [table["data"] for table in json.loads(hypgraph(*options, "--json").out)] == ["karate", "tree:depth=5"]


def test_the_file_is_made_anew_by_the_command_that_it_names(here: Path) -> None:
    options = ["--data", "karate", "--seeds", 2, "--seed", 3, "--set", "data.test_fraction=0.2"]
    assert hypgraph("baselines", *options, "--data-root", here, "--out", "t.md").code == 0
    text = (here / "t.md").read_text()
    command = re.search(r"Made by `hypgraph (.*)`", text).group(1).split()  # type: ignore[union-attr]
    assert str(here) not in text
    (here / "t.md").write_text("# Baselines\n")
    assert hypgraph(*command).code == 0
    assert (here / "t.md").read_text() == text
    assert [path.name for path in here.iterdir()] == ["t.md"]


def test_slow_rows_are_told_of_on_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "QUIET_FOR", 0.0)
    outcome = hypgraph("baselines", "--data", "karate", "--seeds", 2, "--json")
    lines = outcome.err.splitlines()
    assert len(lines) == 12
    assert lines[-1] == "karate: split 2 of 2, personalised PageRank done"
    json.loads(outcome.out)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "karat"], ["'karat'", "did you mean 'karate'?"]),
        (["--data", "karate", "--data", "gone.csv"], ["gone.csv", "no such file"]),
        (["--data", "karate", "--seeds", 0], ["training.seeds", "got 0"]),
        (["--out", "."], ["--out", "folder"]),
        (["--out", "nowhere/t.md"], ["nowhere", "no folder"]),
        (["--set", "data.val_fraction=2"], ["data.val_fraction"]),
    ],
    ids=["typing error", "no file", "no seeds", "folder", "no folder", "fraction"],
)
def test_a_bad_option_is_one_line_and_leaves_nothing(options: list[object], words: list[str], here: Path) -> None:
    line = hypgraph("baselines", *options).error
    for word in words:
        assert word in line
    assert tree(here) == {}


@pytest.mark.parametrize(
    ("verb", "flag"),
    [
        (["baselines", "--data", "karate"], "--out"),
        (["experiment", "table", "trees"], "--file"),
        (["tune", "--data", "karate"], "--write"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    verb: list[str], flag: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("hypgraph.cli.paths.TemporaryFile", refuse)
    line = hypgraph(*verb, flag, "table.md").error
    assert line == f"hypgraph: {flag} table.md: cannot be written (Permission denied); choose another place\n"
    assert tree(here) == {}


def test_a_file_that_is_no_table_is_not_replaced(here: Path) -> None:
    (here / "mine.md").write_text("my notes")
    assert "mine.md" in hypgraph("baselines", "--data", "karate", "--seeds", 1, "--out", "mine.md").error
    assert tree(here) == {"mine.md": b"my notes"}


@pytest.fixture
def two_sets(here: Path) -> Path:
    for name, *options in (("a", "--dim", 2), ("b", "--dim", 3), ("c", "--dim", 3, "--seed", 1)):
        quick = ["--data", "karate", "--epochs", 3, "--seeds", 3, "--out", name, "-q"]
        assert hypgraph("train", *quick, *options).code == 0
    return here


def test_compare_shows_both_their_difference_and_p(two_sets: Path) -> None:
    before = tree(two_sets)
    outcome = hypgraph("compare", "a", "b")
    assert (outcome.code, outcome.err) == (0, "")
    assert tree(two_sets) == before
    plain = json.loads(hypgraph("compare", "a", "b", "--json").out)
    assert (plain["a"], plain["b"], plain["seeds"]) == ("a", "b", [0, 1, 2])
    for which in ("val", "test"):
        for metric in ("auc", "ap"):
            row = next(line for line in outcome.out.splitlines() if f"{which} {metric.upper()}" in line)
            figures = plain["metrics"][which][metric]
            difference = figures["difference"]
            assert f"{100 * figures['a']['mean']:.2f} ± {100 * figures['a']['half_width95']:.2f}" in row
            assert f"{100 * figures['b']['mean']:.2f} ± {100 * figures['b']['half_width95']:.2f}" in row
            assert f"{100 * difference['mean']:+.2f} ± {100 * difference['half_width95']:.2f}" in row
            assert f"{difference['p_value']:.3f}" in row
    for words in (
        "A: a (poincare d=2, crofton)",
        "B: b (poincare d=3, gyroplane)",
        "corrected resampled t-test",
    ):
        assert words in outcome.out


def test_compare_says_which_seeds_it_leaves_out(two_sets: Path) -> None:
    outcome = hypgraph("compare", "a", "c")
    assert outcome.code == 0
    assert outcome.err == "Not both have finished the seeds 0, 3; compared are 1, 2.\n"
    assert "interval of 2 seeds" in outcome.out
    assert two_sets.exists()


def test_what_cannot_be_compared_is_one_line(two_sets: Path) -> None:
    assert "no such run folder" in hypgraph("compare", "a", "nothing").error
    assert "two or more in common" in hypgraph("compare", "a", "b/seed-0").error
    config = two_sets / "b/config.json"
    config.write_text(config.read_text().replace('"karate"', '"cora"'))
    assert "only runs on the same data compare" in hypgraph("compare", "a", "b").error
