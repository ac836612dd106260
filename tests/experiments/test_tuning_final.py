"""The final of a study: who is in it, and that it alone chooses."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hypgraph.config import load_config
from hypgraph.data import Graph
from hypgraph.exceptions import NumericalError, RunError
from hypgraph.experiments import trials
from hypgraph.experiments.search_space import Search
from hypgraph.experiments.trials import TrialEvent
from hypgraph.experiments.tuning import TuningStudy
from tests.experiments.studies import Settings, bowl, ignore, search_for, study_of

Score = Callable[[Search, Settings], float]


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Callable[[Score], list[tuple[list[int], float]]]:
    """Puts a function of the seeds and settings in the place of training; gives the list of what it was asked."""

    def put(function: Score) -> list[tuple[list[int], float]]:
        asked: list[tuple[list[int], float]] = []

        def score(search: Search, settings: Settings, _graph: Graph, _tell: trials.Tell) -> float:
            asked.append((list(search.search_seeds), settings["model.gain"]))
            return function(search, settings)

        monkeypatch.setattr(trials, "score_settings", score)
        return asked

    return put


def contrary(search: Search, settings: Settings) -> float:
    """A bowl on the search seeds, and the less the gain the better on others."""
    return bowl(settings) if search.seed == 100 else 1 - settings["model.gain"] / 20


def test_the_defaults_and_the_best_three_meet_on_fresh_seeds_and_the_final_alone_chooses(
    tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    asked = rounds(contrary)
    study, ended = study_of(tmp_path / "study", search_for(8, final_seeds=3))
    others = sorted(ended[1:], key=lambda trial: bowl(trial.settings), reverse=True)
    finalists = sorted([ended[0], *others[:3]], key=lambda trial: trial.number)
    assert asked[8:] == [([102, 103, 104], trial.settings["model.gain"]) for trial in finalists]
    finals = [trial for trial in ended if trial.final is not None]
    assert finals == finalists
    assert [trial.final for trial in finals] == [1 - trial.settings["model.gain"] / 20 for trial in finals]
    best = min(finals, key=lambda trial: trial.settings["model.gain"])
    assert best != max(ended, key=lambda trial: bowl(trial.settings))  # or the test shows nothing
    assert study.best(ended) == best
    assert load_config(study.best_file) == study.search.config_of(best.settings, 0)
    comment = study.best_file.read_text().splitlines()
    assert comment[1] == (
        f"# In the final {100 * (best.final or 0):.2f} % on seeds 102 to 104; "
        f"the defaults: {100 * (ended[0].final or 0):.2f} %."
    )
    assert comment[2] == f"# {study.search.command()}"
    with study.trials_file.open() as file:
        column = [row["final"] for row in csv.DictReader(file)]
    assert column == ["" if trial.final is None else str(trial.final) for trial in ended]


def test_a_final_that_was_interrupted_goes_on_where_it_stopped(
    tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    def cut(search: Search, settings: Settings) -> float:
        if len(asked) == 8:  # in the second of the final
            raise KeyboardInterrupt
        return contrary(search, settings)

    asked = rounds(cut)
    study, graph = TuningStudy.create(tmp_path / "cut", search_for(6, final_seeds=3))
    with pytest.raises(KeyboardInterrupt):
        study.run(graph, jobs=1, on_event=ignore)
    study, graph = TuningStudy.open(study.path)
    events: list[TrialEvent] = []
    ended = study.run(graph, jobs=1, on_event=events.append)
    assert len(asked) == 6 + 4 + 1
    done = [(event.round, event.ended, event.total) for event in events if event.stage == "done"]
    assert done == [("final", 2, 4), ("final", 3, 4), ("final", 4, 4)]
    rounds(contrary)
    whole, expected = study_of(tmp_path / "whole", search_for(6, final_seeds=3))
    assert ended == expected
    for name in ("trials.csv", "best.toml"):
        assert (study.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_more_trials_lead_to_the_choice_of_a_study_that_had_them_from_the_start(
    tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    rounds(contrary)
    study, _ = study_of(tmp_path / "study", search_for(5, final_seeds=3))
    study, graph = TuningStudy.open(study.path, trials=10)
    ended = study.run(graph, jobs=1, on_event=ignore)
    whole, expected = study_of(tmp_path / "whole", search_for(10, final_seeds=3))
    assert [trial.settings for trial in ended] == [trial.settings for trial in expected]
    once_best = [trial for trial in ended if trial.final is not None and trial not in study.finalists(ended)]
    assert once_best  # or the test shows nothing
    assert study.best(ended) == whole.best(expected)
    assert study.best_file.read_bytes() == whole.best_file.read_bytes()


def test_what_fails_in_the_final_is_not_chosen_nor_tried_again(
    tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    def diverge(search: Search, settings: Settings) -> float:
        if search.seed > 100 and settings != study.search.defaults:
            raise NumericalError("loss is nan at epoch 3")
        return bowl(settings)

    asked = rounds(diverge)
    study, graph = TuningStudy.create(tmp_path / "study", search_for(6, final_seeds=3))
    events: list[TrialEvent] = []
    ended = study.run(graph, jobs=1, on_event=events.append)
    assert [event.text for event in events if event.stage == "failed"] == ["loss is nan at epoch 3"] * 3
    assert study.best(ended) == ended[0] != max(ended, key=lambda trial: bowl(trial.settings))
    assert all(trial.score is not None for trial in ended)
    again, graph = TuningStudy.open(study.path)
    assert again.run(graph, jobs=1, on_event=ignore) == ended
    assert len(asked) == 6 + 4


def test_a_study_that_had_no_final_can_be_given_one(
    tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    asked = rounds(contrary)
    study, ended = study_of(tmp_path / "study", search_for(4))
    file = study.path / "config.json"
    kept = json.loads(file.read_text())
    del kept["final_seeds"]  # as the first version wrote it
    file.write_text(json.dumps(kept))
    again, graph = TuningStudy.open(study.path)
    assert again.run(graph, jobs=1, on_event=ignore) == ended
    for count in (2, 3):  # the scores of one final say nothing in another
        again, graph = TuningStudy.open(study.path, final_seeds=count)
        ended = again.run(graph, jobs=1, on_event=ignore)
        assert [seeds for seeds, _ in asked[-4:]] == [list(range(102, 102 + count))] * 4
    assert len(asked) == 4 + 8
    assert study.best_file.read_text().count("--final-seeds 3") == 1
    assert TuningStudy.open(study.path)[0].run(graph, jobs=1, on_event=ignore) == ended


@pytest.mark.parametrize(("number", "final_seeds"), [(1, 3), (4, 0)], ids=["one trial", "no seeds"])
def test_without_a_rival_or_seeds_there_is_no_final(
    number: int, final_seeds: int, tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    asked = rounds(contrary)
    study, ended = study_of(tmp_path / "study", search_for(number, final_seeds=final_seeds))
    assert len(asked) == number
    assert [trial.final for trial in ended] == [None] * number
    assert study.best(ended) == max(ended, key=lambda trial: bowl(trial.settings))
    assert "final" not in study.best_file.read_text().splitlines()[1].partition("--final-seeds")[0]


def test_where_all_finalists_fail_none_is_chosen(
    tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    def diverge(search: Search, settings: Settings) -> float:
        if search.seed > 100:
            raise NumericalError(f"loss is nan at epoch {len(asked)}")
        return bowl(settings)

    asked = rounds(diverge)
    study, ended = study_of(tmp_path / "study", search_for(6, final_seeds=3))
    assert all(trial.score is not None for trial in ended)
    with pytest.raises(RunError, match=r"none of 4 finalists came to its end; the first: loss is nan at epoch 7$"):
        study.best(ended)
    assert not study.best_file.exists()
    with study.trials_file.open() as file:
        errors = [row["error"] for row in csv.DictReader(file)]
    assert [error for error in errors if error] == [
        f"in the final: loss is nan at epoch {n}" for n in (7, 8, 9, 10)
    ]


def test_what_was_lost_for_want_of_memory_is_tried_again(
    tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    def hungry(search: Search, settings: Settings) -> float:
        if len(asked) in (2, 8):  # of the search, and of the final
            raise MemoryError
        return contrary(search, settings)

    asked = rounds(hungry)
    study, ended = study_of(tmp_path / "study", search_for(6, final_seeds=3))
    assert [trial.number for trial in ended if trial.lost] == [1]
    assert [trial.error for trial in ended if trial.lost] == ["not enough memory; try fewer --jobs"]
    assert sum(bool(trial.final_error) for trial in ended) == 1
    rounds(contrary)
    study, graph = TuningStudy.open(study.path)
    again = study.run(graph, jobs=1, on_event=ignore)
    _, expected = study_of(tmp_path / "whole", search_for(6, final_seeds=3))
    assert again[1] == expected[1]
    finalists = study.finalists(again)
    assert [trial.final for trial in finalists] == [1 - trial.settings["model.gain"] / 20 for trial in finalists]
    assert not any(trial.error or trial.final_error for trial in again)


def test_while_the_final_of_more_trials_goes_on_the_choice_of_the_last_one_stands(
    tmp_path: Path, rounds: Callable[[Score], list[tuple[list[int], float]]]
) -> None:
    def cut(search: Search, settings: Settings) -> float:
        if search.seed > 100:
            raise KeyboardInterrupt
        return contrary(search, settings)

    rounds(contrary)
    study, ended = study_of(tmp_path / "study", search_for(5, final_seeds=3))
    before = study.best(ended)
    rounds(cut)
    study, graph = TuningStudy.open(study.path, trials=10)
    with pytest.raises(KeyboardInterrupt):
        study.run(graph, jobs=1, on_event=ignore)
    assert load_config(study.best_file) == study.search.config_of(before.settings, 0)
    assert study.best_file.read_text().startswith(f"# Trial {before.number} of 10")
