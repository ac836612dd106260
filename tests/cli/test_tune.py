"""``hypgraph tune``."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hypgraph.cli import tune as tune_verb
from hypgraph.config import RunConfig, load_config
from hypgraph.exceptions import NumericalError
from hypgraph.experiments import trials
from hypgraph.experiments.search_space import SPACE, space_table
from tests.cli.program import Outcome, hypgraph, tree

ROOT = Path(__file__).parents[2]
QUICK = ["--data", "karate", "--dim", 3, "--set", "training.epochs=2", "--set", "training.device=cpu"]


def tune(*arguments: object) -> Outcome:
    return hypgraph("tune", *QUICK, *arguments)


def table_rows(text: str) -> dict[str, list[str]]:
    """The cells of a printed table, by the first of a row."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    return {first: rest for first, *rest in rows}


def test_a_study_ends_with_the_choice_beside_the_defaults_and_what_to_do_next(here: Path) -> None:
    outcome = tune("--trials", 3, "--out", "study", "--latent", "euclidean")
    assert outcome.code == 0
    with (here / "study/trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    scores = [float(row["score"]) for row in rows]
    finals = [float(row["final"]) for row in rows]
    best = rows[finals.index(max(finals))]
    lines = outcome.err.splitlines()
    assert lines[0].startswith("karate, euclidean d=3, wrapped, ")
    assert lines[0].endswith(": validation (AUC + AP) / 2 on seeds 100 to 101 -> study")
    for number in range(3):
        pattern = rf"trial {number}: {100 * scores[number]:.2f}, [\d.]+ s \({number + 1} of 3 trials\)"
        assert re.fullmatch(pattern, lines[1 + number])
        pattern = rf"final, trial {number}: {100 * finals[number]:.2f}, [\d.]+ s \({number + 1} of 3\)"
        assert re.fullmatch(pattern, lines[4 + number])
    assert len(lines) == 7
    printed = table_rows(outcome.out)
    assert printed["validation score, %"] == [f"{100 * scores[0]:.2f}", f"{100 * float(best['score']):.2f}"]
    assert printed["in the final, %"] == [f"{100 * finals[0]:.2f}", f"{100 * max(finals):.2f}"]
    assert {key: printed[key][1] for key in SPACE} == {key: best[key] for key in SPACE}
    assert {key: printed[key][0] for key in SPACE} == {key: rows[0][key] for key in SPACE}
    assert "\n3 trials\n5 seeds of 3 validation edges: so few that" in outcome.out
    assert outcome.out.endswith("Next:\n  hypgraph train --config study/best.toml --seeds 10\n")
    for verb in (["evaluate", "study"], ["train", "--resume", "study"]):
        line = hypgraph(*verb).error
        assert line.endswith(
            "a study of hypgraph tune, not a run; train what it chose: hypgraph train --config study/best.toml\n"
        )
    config = load_config(here / "study/best.toml")
    assert (config.model.latent, config.model.dim, config.training.epochs) == ("euclidean", 3, 2)
    assert config.model.gain == float(best["model.gain"])
    assert hypgraph("train", "--config", "study/best.toml", "--quiet", "--out", "run").code == 0


def test_seeds_that_chose_are_not_those_of_the_report_that_is_suggested() -> None:
    out = tune("--trials", 2, "--seeds", 1, "--seed", 3, "--final-seeds", 2, "--out", "study").out
    assert out.endswith("Next:\n  hypgraph train --config study/best.toml --seed 6 --seeds 10\n")


def test_data_with_one_split_are_not_searched_the_better_for_more_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypgraph.experiments.link_data.has_own_split", lambda _name: True)
    out = tune("--trials", 1, "--seeds", 2, "--out", "study").out
    line = next(line for line in out.splitlines() if "validation edges" in line)
    assert line == "One split of 3 validation edges: so few that what does best on them does so by luck as well"


def test_the_choice_is_written_where_it_is_wanted(here: Path) -> None:
    assert tune("--trials", 1, "--out", "s", "--write", "mine.toml", "--quiet") == Outcome(0, "mine.toml\n", "")
    assert (here / "mine.toml").read_bytes() == (here / "s/best.toml").read_bytes()
    # and a file that stands there stays until there is another to put in its place
    (here / "old.toml").write_text("precious")
    options = ["--trials", 1, "--seed", 7, "--seeds", 1, "--write", "old.toml"]
    line = tune(*options, "--out", "t").error
    assert line == (
        "hypgraph: --write old.toml: exists; choose another path, or add --force to replace it at the end\n"
    )
    assert not (here / "t").exists()
    assert tune(*options, "--set", "training.lr=1e30", "--set", "training.epochs=20", "--force").code == 2
    assert (here / "old.toml").read_text() == "precious"
    assert tune(*options, "--out", "t", "--force").code == 0
    assert "on seeds 7 to 7." in (here / "old.toml").read_text()


def test_the_folder_is_named_for_data_and_latent_and_never_one_that_stands(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune_verb.time, "strftime", lambda _format: "20260102-030405")
    assert (
        tune("--trials", 1, "--seeds", 1, "--quiet").out
        == "results/tune-karate-poincare-20260102-030405/best.toml\n"
    )
    assert tune("--trials", 1, "--seeds", 1, "--quiet").out == (
        "results/tune-karate-poincare-20260102-030405-2/best.toml\n"
    )
    assert len(list((here / "results").iterdir())) == 2


def test_a_finished_study_can_be_asked_for_more_and_says_again_what_it_chose(here: Path) -> None:
    assert tune("--trials", 1, "--seeds", 1, "--out", "s", "--quiet").code == 0
    outcome = hypgraph("tune", "--resume", "s", "--trials", 2)
    assert outcome.code == 0
    assert [line[:8] for line in outcome.err.splitlines()] == ["karate, ", "trial 1:", "final, t", "final, t"]
    before = (here / "s/best.toml").read_bytes()
    again = hypgraph("tune", "--resume", "s")
    assert again.out == outcome.out
    assert len(again.err.splitlines()) == 1
    assert (here / "s/best.toml").read_bytes() == before


def test_ctrl_c_gives_the_command_that_goes_on_with_its_options(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_arguments: object) -> float:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trials, "score_settings", interrupt)
        outcome = tune("--trials", 2, "--out", "my study", "--write", "a.toml", "--quiet")
    assert outcome == Outcome(
        130,
        "",
        "Stopped. Go on with: "
        "hypgraph tune --resume 'my study' --trials 2 --final-seeds 5 --write a.toml --quiet\n",
    )
    resumed = hypgraph("tune", "--resume", "my study", "--trials", 2, "--write", "a.toml", "--quiet")
    assert resumed == Outcome(0, "a.toml\n", "")
    assert (here / "a.toml").is_file()


def test_failed_trials_are_told_of_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(_search: object, settings: dict[str, object], *_rest: object) -> float:
        if settings["model.hidden"] == RunConfig().model.hidden:
            raise NumericalError("loss is nan at epoch 1")
        return 0.5

    monkeypatch.setattr(trials, "score_settings", diverge)
    outcome = tune("--trials", 4, "--out", "s")
    assert outcome.code == 0
    failed = [line for line in outcome.err.splitlines() if "failed: loss is nan at epoch 1, " in line]
    assert failed[0].startswith("trial 0: ")
    assert f"\n4 trials, {len(failed)} of them failed\n" in outcome.out
    assert table_rows(outcome.out)["validation score, %"] == ["failed", "50.00"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--trials", 0], ["--trials 0", "1 or more"]),
        (["--trials", "many"], ["--trials"]),
        (["--seeds", 0], ["--seeds 0", "1 or more"]),
        (["--seed", -1], ["--seed -1", "0 or more"]),
        (["--final-seeds", -1], ["--final-seeds -1", "0 or more"]),
        (["--jobs", 0], ["--jobs 0", "at least one"]),
        (["--latent", "poincaree"], ["latent", "did you mean 'poincare'?"]),
        (["--data", "coar"], ["data set 'coar'", "did you mean 'cora'?"]),
        (["--set", "model.gian=3"], ["model.gian", "did you mean 'gain'?"]),
        (["--set", "training.seed=3"], ["--set training.seed=3", "give --seed"]),
        (["--set", "training.seeds=3"], ["--set training.seeds=3", "give --seeds"]),
        (["--set", "training.device=gpu"], ["training.device", "gpu"]),
        (["--config", "nowhere.toml"], ["nowhere.toml", "no such"]),
        (["--out", "full"], ["--out full", "not a run folder"]),
        (["--out", "/dev/null/here"], ["--out /dev/null/here"]),
        (["--write", "no/where.toml"], ["--write no/where.toml", "there is no folder"]),
        (["--write", "full"], ["--write full", "is a folder"]),
        (["--force"], ["--force", "--write"]),
        (["--resume", "full"], ["leave out --data"]),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_is_not_allowed_is_refused_before_anything_is_made(
    arguments: list[object], words: list[str], here: Path
) -> None:
    (here / "full").mkdir()
    (here / "full" / "file").write_text("mine")
    before = tree(here)
    line = tune(*arguments).error
    assert all(word in line for word in words), line
    assert tree(here) == before


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["--seed", 3], "--seed"),
        (["--seeds", 3], "--seeds"),
        (["--latent", "lorentz"], "--latent"),
        (["--out", "t"], "--out"),
        (["--config", "a.toml"], "--config"),
        (["--set", "model.dim=2"], "--set"),
        (["--data-root", "t"], "--data-root"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_resuming_takes_what_is_searched_from_the_study(arguments: list[object], flag: str) -> None:
    assert hypgraph("tune", "--resume", "s", *arguments).error.endswith(f"leave out {flag}\n")


def test_a_study_that_has_lost_its_trials_is_not_begun_anew_over_them(here: Path) -> None:
    assert tune("--trials", 1, "--out", "study").code == 0
    (here / "study/study.db").unlink()
    before = tree(here)
    assert (
        "study.db, which kept its trials, is gone; begin a new study"
        in hypgraph("tune", "--resume", "study").error
    )
    assert tree(here) == before


def test_only_the_folder_of_a_study_can_be_gone_on_with(karate_run: Path, here: Path) -> None:
    assert "no-study: is not the folder of a study" in hypgraph("tune", "--resume", "no-study").error
    before = tree(karate_run)
    assert "is not of a study" in hypgraph("tune", "--resume", karate_run).error
    assert tree(karate_run) == before
    assert list(here.iterdir()) == []


def test_help_names_what_the_verb_adds() -> None:
    text = " ".join(hypgraph("tune", "--help").out.replace(",", " ").split())
    flags = "data latent dim posterior decoder trials seeds seed final-seeds jobs out config set write force"
    flags += " resume quiet"
    assert [flag for flag in flags.split() if f"--{flag} " not in text] == []
    assert "[default: 20]" in text
    assert "[default: 100]" in text


def test_optuna_is_imported_by_this_verb_alone_and_nothing_warns(here: Path) -> None:
    code = (
        "import sys\nfrom hypgraph.cli import main\ntry: main()\n"
        "finally: print(*[name for name in ('optuna', 'sqlalchemy', 'torch') if name in sys.modules])"
    )

    def program(*arguments: str) -> str:
        command = [sys.executable, "-W", "error", "-c", code, *arguments]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120, check=True)
        assert done.stderr == ""
        return done.stdout.splitlines()[-1]

    assert program("tune", "--help") == ""
    assert program("tune", *map(str, QUICK), "--trials", "1", "--quiet") == "optuna sqlalchemy torch"


def test_the_readme_shows_the_space_that_is_searched() -> None:
    assert space_table() in (ROOT / "README.md").read_text(encoding="utf-8")
