"""``hypgraph experiment``."""

import csv
import shlex
from pathlib import Path

import pytest

from hypgraph.experiments import experiment_file
from hypgraph.experiments.kinds import KINDS
from tests.cli.program import Outcome, hypgraph, tree
from tests.experiments.fake_kind import EXPERIMENT, FakeKind

GRID = EXPERIMENT[EXPERIMENT.index("[[grid]]") : EXPERIMENT.index("[[measures]]")]


@pytest.fixture(autouse=True)
def trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment ``trees`` that comes with the package."""
    monkeypatch.setitem(KINDS, "fake", FakeKind)
    folder = tmp_path / "configs"
    folder.mkdir()
    monkeypatch.setattr(experiment_file, "bundled_configs", lambda: folder)
    (folder / "trees.toml").write_text(EXPERIMENT)
    (folder / "cora.toml").write_text('[data]\nname = "cora"\n')
    return folder / "trees.toml"


def cells_that(trees: Path, *does: str) -> None:
    """Gives the experiment a cell for each thing to do."""
    trees.write_text(EXPERIMENT.replace(GRID, f"[[grid]]\ndoes = {list(does)}\n"))


def experiment(*arguments: object) -> Outcome:
    return hypgraph("experiment", *arguments)


def test_list_names_the_experiments_that_come_with_the_package() -> None:
    assert experiment("list") == Outcome(0, "trees  A test.\n", "")


def test_run_says_what_each_cell_came_to_and_what_to_do_next(here: Path) -> None:
    outcome = experiment("run", "trees")
    assert outcome.code == 0
    lines = outcome.err.splitlines()
    # iwae is 50 + dim + c + seed²/2: over seeds 0 to 2 its mean is 5/6 above 52, its interval 2.6 wide to a side
    assert lines[0].startswith("latent=euclidean dim=2: 52.8 ± 2.6, 0.")
    assert [line[line.index("(") :] for line in lines] == [f"({done} of 6 cells)" for done in range(1, 7)]
    assert outcome.out == "Results: results/experiments\nNext: hypgraph experiment table trees\n"
    assert len(list((here / "results/experiments").iterdir())) == 6


def test_run_again_does_nothing_again(here: Path) -> None:
    experiment("run", "trees", "--seeds", 1)
    before = tree(here)
    outcome = experiment("run", "trees", "--seeds", 1)
    assert outcome.err == "6 of 6 cells are done already\n"
    assert tree(here) == before


def test_quiet_prints_the_folder_alone() -> None:
    assert experiment("run", "trees", "--quiet", "--out", "mine") == Outcome(0, "mine\n", "")


def test_a_file_of_the_user_is_an_experiment_too(here: Path) -> None:
    (here / "mine.toml").write_text(EXPERIMENT)
    outcome = experiment(
        "run", "mine.toml", "--set", "epochs=2", "--set", "likelihood.draws=3", "--out", "my results"
    )
    assert outcome.code == 0
    options = "mine.toml --set epochs=2 --set likelihood.draws=3 --out 'my results'"
    assert outcome.out.endswith(f"Next: hypgraph experiment table {options}\n")
    arguments = shlex.split(outcome.out.splitlines()[-1])[3:]
    markdown = experiment(*arguments).out
    assert "52.8 ± 2.6" in markdown
    assert f"Made by `hypgraph experiment run {options}`" in markdown


def test_a_dry_run_lists_what_is_left_and_makes_nothing(here: Path) -> None:
    outcome = experiment("run", "trees", "--dry-run")
    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 6
    assert outcome.out.splitlines()[0] == "latent=euclidean dim=2: 3 to train, 3 to measure"
    assert list(here.iterdir()) == []
    experiment("run", "trees", "--seeds", 2)
    assert "dim=5: 1 to train, 1 to measure\n" in experiment("run", "trees", "--dry-run").out
    assert "dim=5: done\n" in experiment("run", "trees", "--dry-run", "--seeds", 2).out


def test_a_trial_run_lies_apart(here: Path) -> None:
    outcome = experiment("run", "trees", "--smoke")
    assert outcome.code == 0
    assert outcome.out == "Results: results/experiments/smoke\nNext: hypgraph experiment table trees --smoke\n"
    assert [path.name for path in (here / "results/experiments").iterdir()] == ["smoke"]
    assert "52.2 ± 3.2" in experiment("table", "trees", "--smoke").out  # of seeds 0 and 1
    assert "52.2" not in experiment("table", "trees").out


@pytest.mark.slow
def test_several_cells_run_at_a_time_in_processes_of_their_own(trees: Path) -> None:
    cells_that(trees, "train", "nan")
    outcome = experiment("run", "trees", "--jobs", 2)
    assert outcome.code == 0
    lines = sorted(outcome.err.splitlines())
    assert lines[0].startswith("does=nan: not finite (seed 1), ")
    assert lines[1].startswith("does=train: 52.8 ± 2.6, ")
    assert {line[-14:] for line in lines} == {"(1 of 2 cells)", "(2 of 2 cells)"}


def test_the_table_goes_to_a_file_as_markdown_or_csv(here: Path) -> None:
    experiment("run", "trees", "--quiet")
    assert experiment("table", "trees", "--file", "trees.md") == Outcome(0, "trees.md\n", "")
    assert (here / "trees.md").read_text() == experiment("table", "trees").out
    assert experiment("table", "trees").out.startswith("# trees\n\nA test.\n")
    assert experiment("table", "trees", "--format", "csv", "--file", "trees.csv").code == 0
    with (here / "trees.csv").open() as file:
        assert [line["mean"] for line in csv.DictReader(file)][:2] == ["52.83333333", "5.283333333"]


def test_a_table_can_be_made_before_anything_is_run(here: Path) -> None:
    assert "| – |" in experiment("table", "trees").out
    assert list(here.iterdir()) == []


def test_failed_cells_are_named_at_the_end_and_the_exit_code_is_1(trees: Path) -> None:
    cells_that(trees, "diverge", "train")
    outcome = experiment("run", "trees", "--quiet")
    assert outcome == Outcome(
        1, "results/experiments\n", "hypgraph: does=diverge: seed 1, epoch 2: the loss is nan\n"
    )
    outcome = experiment("run", "trees")
    assert outcome.code == 1
    assert "does=diverge: failed" in outcome.err
    assert "1 of 2 cells are done already" in outcome.err


@pytest.mark.parametrize("name", ["trees", "./it's mine.toml"])
def test_ctrl_c_gives_the_command_that_goes_on(name: str, trees: Path, here: Path) -> None:
    cells_that(trees, "train", "interrupt")
    (here / "it's mine.toml").write_text(trees.read_text())
    outcome = experiment("run", name, "--seeds", 2, "--out", "my results", "--device", "cpu")
    assert outcome.code == 130
    last = outcome.err.splitlines()[-1]
    assert last.startswith("Stopped. Go on with: hypgraph experiment run ")
    program, *arguments = shlex.split(last.removeprefix("Stopped. Go on with: "))
    assert program == "hypgraph"
    assert hypgraph(*arguments).code == 0
    assert hypgraph(*arguments, "--dry-run").out == "does=train: done\ndoes=interrupt: done\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "tree"], ["experiment 'tree'", "did you mean 'trees'?"]),
        (["run", "cora"], ["experiment 'cora'", "trees"]),
        (["run", "nowhere.toml"], ["nowhere.toml", "no such experiment file"]),
        (["run"], ["NAME|FILE"]),
        (["run", "trees", "--jobs", 0], ["--jobs 0"]),
        (["run", "trees", "--jobs", "many"], ["--jobs"]),
        (["run", "trees", "--seeds", 0], ["--seeds 0"]),
        (["run", "trees", "--device", "gpu"], ["device 'gpu'", "cuda"]),
        (["run", "trees", "--set", "epoch=3"], ["'epoch'", "did you mean 'epochs'?"]),
        (["run", "trees", "--set", "dim=3"], ["--set dim=3", "grid"]),
        (["run", "trees", "--set", "does=no-data"], ["mnist is not here", "HYPGRAPH_DATA"]),
        (["run", "trees", "--set", "does=no-data", "--jobs", 2], ["mnist is not here"]),
        (["run", "trees", "--out", "/dev/null/here"], ["--out /dev/null/here"]),
        (["table", "trees", "--format", "html"], ["format 'html'", "markdown, csv"]),
        (["table", "trees", "--file", "no/where/trees.md"], ["--file no/where/trees.md", "there is no folder"]),
        (["table", "tree"], ["did you mean 'trees'?"]),
        (["rnu", "trees"], ["'rnu'"]),
    ],
    ids=lambda value: " ".join(map(str, value))[:40],
)
def test_bad_input_is_one_line_and_nothing_is_made(arguments: list[object], words: list[str], here: Path) -> None:
    line = experiment(*arguments).error
    assert [word for word in words if word not in line] == [], line
    assert list(here.iterdir()) == []


def test_a_bad_experiment_file_is_one_line(trees: Path, here: Path) -> None:
    trees.write_text(EXPERIMENT.replace("c = [0.1, 1.2]", "c = [0.1, 0.1]"))
    for arguments in (["run", "trees"], ["run", "trees", "--dry-run"], ["table", "trees"]):
        assert "two grid cells are the same: latent=poincare c=0.1 dim=2" in experiment(*arguments).error
    assert list(here.iterdir()) == []


def test_data_lie_under_the_data_root(tmp_path: Path) -> None:
    assert experiment("run", "trees", "--set", "does=no-data", "--data-root", tmp_path, "--quiet").code == 0


def test_without_a_verb_the_help_is_shown() -> None:
    text = experiment().out
    assert [verb for verb in ("list", "run", "table") if f"\n  {verb} " not in text] == []
