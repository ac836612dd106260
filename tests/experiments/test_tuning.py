"""Searching settings by validation: what is searched, what is scored, and studies that are interrupted."""

import csv
import json
import math
import multiprocessing
import os
import shlex
import signal
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
import pytest
import torch

from hypgraph.config import RunConfig, load_config
from hypgraph.data import Graph
from hypgraph.exceptions import ConfigError, NumericalError, RunError
from hypgraph.experiments import link_prediction, seeds, trials
from hypgraph.experiments.link_data import load_data
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.experiments.search_space import SPACE, Choice, Range, Search, value_of
from hypgraph.experiments.trials import Trial, TrialEvent, score_settings
from hypgraph.experiments.tuning import TuningStudy
from hypgraph.training import LinkTask
from tests.experiments.programs import ForkServer
from tests.experiments.studies import QUICK, Settings, bowl, ignore, search_for, silent, study_of


@pytest.fixture(scope="module")
def karate() -> Graph:
    return load_data(load_config(overrides=QUICK).data)


@pytest.fixture
def objective(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Settings], float]], None]:
    """Puts a function of the settings in the place of training."""

    def put(function: Callable[[Settings], float]) -> None:
        def score(_search: Search, settings: Settings, _graph: Graph, _tell: trials.Tell) -> float:
            return function(settings)

        monkeypatch.setattr(trials, "score_settings", score)

    return put


# What is searched


def models() -> list[dict[str, Any]]:
    hyperbolic = [
        {"model.latent": latent, "model.posterior": posterior}
        for latent in ("poincare", "lorentz")
        for posterior in ("wrapped", "riemannian", "rown")
    ]
    return [{"model.latent": "euclidean"}, *hyperbolic, {"model.decoder": "inner-product", "model.dim": 2}]


@pytest.mark.parametrize("model", models(), ids=lambda model: "-".join(map(str, model.values())))
def test_the_space_is_one_for_every_latent_posterior_and_decoder(model: dict[str, Any]) -> None:
    search = Search.plan(load_config(overrides={**QUICK, **model}), trials=5, seed=100, seeds=2, final_seeds=0)
    assert search.space == SPACE
    assert not {key for key in SPACE if key.endswith((".c", ".latent", ".posterior", "seed"))}


def test_latent_spaces_are_tried_with_the_same_settings_until_the_scores_differ(
    tmp_path: Path, objective: Callable[[Callable[[Settings], float]], None]
) -> None:
    objective(bowl)
    _, hyperbolic = study_of(tmp_path / "p", search_for(4))
    _, euclidean = study_of(tmp_path / "e", search_for(4, model__latent="euclidean"))
    # The first are the defaults of each space.
    assert [trial.settings for trial in hyperbolic[1:]] == [trial.settings for trial in euclidean[1:]]
    assert len({json.dumps(trial.settings) for trial in hyperbolic}) == 4


def test_the_defaults_lie_in_the_space() -> None:
    for key, values in SPACE.items():
        default = value_of(RunConfig(), key)
        if isinstance(values, Choice):
            assert default in values.values
        else:
            assert values.low < default < values.high
            assert values.tidy(default) == default
            assert values.step is None or math.isclose(default / values.step, round(default / values.step))


def test_all_of_the_space_is_searched_evenly() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    distributions = {key: values.distribution() for key, values in SPACE.items()}
    settings = [search_for().tidy(study.ask(distributions).params) for _ in range(400)]
    for key, values in SPACE.items():
        tried = [setting[key] for setting in settings]
        if isinstance(values, Choice):
            counts = [tried.count(value) for value in values.values]
            assert sum(counts) == 400
            assert min(counts) > 0.7 * 400 / len(counts)
        elif values.step is not None:
            steps = round((values.high - values.low) / values.step)
            assert set(tried) == {round(values.low + values.step * i, 3) for i in range(steps + 1)}
        else:
            # a quarter of the draws in each quarter of the logarithm, within 4 standard deviations
            ends = [values.low * (values.high / values.low) ** (i / 4) for i in range(5)]
            assert values.low <= min(tried) < max(tried) <= values.high
            quarters = [sum(low <= value < high for value in tried) for low, high in pairwise(ends)]
            assert all(abs(count - 100) < 4 * math.sqrt(75) for count in quarters), key


def test_what_the_user_gives_is_held_fixed(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[model]\ngain = 5.0\n[training]\nseed = 3\nlr = 0.02\n[data]\nname = "karate"\n')
    config = load_config(file, overrides={"model.dim": 2}, assignments=["model.nonnegative=false"])
    search = Search.plan(config, trials=1, seed=100, seeds=1, final_seeds=0)
    # a default that is given is given
    assert SPACE.keys() - search.space.keys() == {"model.gain", "training.lr", "model.nonnegative"}
    run = search.config_of({**search.defaults, "model.hidden": 64}, seed=100)
    assert (run.training.lr, run.model.gain, run.model.dim, run.model.hidden) == (0.02, 5.0, 2, 64)
    assert (run.training.seed, run.training.seeds) == (100, 1)


def test_a_configuration_that_holds_everything_leaves_nothing_to_search() -> None:
    settings = {key: value_of(RunConfig(), key) for key in SPACE}
    config = load_config(overrides={**QUICK, **settings})
    with pytest.raises(ConfigError, match="nothing is left to search"):
        Search.plan(config, trials=1, seed=100, seeds=1, final_seeds=0)


def test_the_command_of_a_search_makes_it_again() -> None:
    search = search_for(7, seeds=3, final_seeds=4, data__val_fraction=0.2, model__c=2.0, model__posterior="rown")
    program, verb, *arguments = shlex.split(search.command())
    assert (program, verb) == ("hypgraph", "tune")
    options = list(zip(arguments[::2], arguments[1::2], strict=True))
    flags = {flag: value for flag, value in options if flag != "--set"}
    assert {flag: flags.pop(flag) for flag in ("--trials", "--seeds", "--seed", "--final-seeds")} == {
        "--trials": "7",
        "--seeds": "3",
        "--seed": "100",
        "--final-seeds": "4",
    }
    keys = {
        "--data": "data.name",
        "--latent": "model.latent",
        "--dim": "model.dim",
        "--posterior": "model.posterior",
    }
    overrides = {keys[flag]: value for flag, value in flags.items()}
    again = load_config(overrides=overrides, assignments=[text for flag, text in options if flag == "--set"])
    assert again == search.config


# What is scored


def test_a_score_is_the_mean_of_what_training_on_each_seed_validates(
    tmp_path: Path, karate: Graph, train: Callable[..., Path]
) -> None:
    search = search_for(seeds=3)
    settings = {**search.defaults, "model.gain": 2.0, "model.hidden": 16}
    expected = []
    for seed in (100, 101, 102):
        path = train(
            tmp_path / f"run-{seed}",
            f"training.seed={seed}",
            "training.epochs=3",
            "model.gain=2.0",
            "model.hidden=16",
        )
        val = json.loads((path / "summary.json").read_text())["metrics"]["val"]
        expected.append((val["auc"] + val["ap"]) / 2)
    assert len(set(expected)) > 1
    assert score_settings(search, settings, karate, silent) == pytest.approx(fmean(expected), rel=1e-12)


def test_data_with_a_metric_of_their_own_are_scored_by_it(karate: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_prediction, "own_hits", lambda _config: 2)
    search = search_for(seeds=2, data__val_fraction=0.2)
    expected = []
    for seed in search.search_seeds:
        run = LinkPrediction.prepare(search.config_of(search.defaults, seed), graph=karate)
        while not run.trainer.done:
            run.trainer.run_epoch()
        expected.append(run.ranking(run.trainer.best_model())["val"]["hits@2"])
    assert 0 < fmean(expected) <= 1
    assert score_settings(search, search.defaults, karate, silent) == pytest.approx(fmean(expected), rel=1e-12)


def test_the_test_edges_are_never_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, expected = study_of(tmp_path / "as-is", search_for(2))
    build = LinkTask.build
    nowhere = torch.full((2, 5), 10**6)  # no such node: whoever scores it fails

    def poisoned(*arguments: Any, **options: Any) -> LinkTask:
        return replace(build(*arguments, **options), test=(nowhere, nowhere))

    monkeypatch.setattr(LinkTask, "build", poisoned)
    _, ended = study_of(tmp_path / "poisoned", search_for(2))
    assert ended == expected
    with pytest.raises((IndexError, RuntimeError)):
        seeds.train(load_config(overrides=QUICK), tmp_path / "run", Silent())


class Silent:
    def on_run(self, *_arguments: object) -> None:
        pass

    def on_epoch(self, _record: object) -> None:
        pass


def test_the_first_trial_is_the_defaults(tmp_path: Path, karate: Graph) -> None:
    search = search_for(2, model__gain=4.0)
    study, ended = study_of(tmp_path / "study", search)
    assert ended[0].number == 0
    assert ended[0].settings == {key: value_of(RunConfig(), key) for key in SPACE if key != "model.gain"}
    assert ended[0].score == score_settings(search, {}, karate, silent)
    best = study.best(ended)
    assert best.score is not None
    assert ended[0].score is not None
    assert best.score >= ended[0].score


# What is chosen


def test_the_best_is_chosen_and_the_earliest_of_several() -> None:
    study = TuningStudy(Path("study"), search_for(), "")
    scores = [0.5, None, 0.75, 0.7, 0.75]
    ended = [Trial(number, {}, score) for number, score in enumerate(scores)]
    assert study.best(ended).number == 2
    assert study.best(ended[::-1]).number == 2


def test_the_files_of_a_study_agree_with_its_trials(
    tmp_path: Path, objective: Callable[[Callable[[Settings], float]], None]
) -> None:
    objective(bowl)
    search = search_for(6, data__val_fraction=0.2, training__seed=7)
    study, ended = study_of(tmp_path / "study", search)
    best = max(ended, key=lambda trial: bowl(trial.settings))
    config = load_config(study.best_file)
    assert config.training.seed == 0
    assert config == search.config_of(best.settings, 0)
    assert config.data.val_fraction == 0.2
    comment = study.best_file.read_text().splitlines()[:2]
    assert comment[0].startswith(f"# Trial {best.number} of 6, by validation: mean (AUC + AP) / 2 of ")
    assert f"{100 * bowl(best.settings):.2f} % on seeds 100 to 101." in comment[0]
    assert comment[1] == f"# {search.command()}"
    with study.trials_file.open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["score"]) for row in rows] == [bowl(trial.settings) for trial in ended]
    for row, trial in zip(rows, ended, strict=True):
        values = {key: json.loads(row[key]) if key != "model.normalisation" else row[key] for key in SPACE}
        assert values == trial.settings
    kept = json.loads((study.path / "config.json").read_text())
    assert kept["space"] == {key: str(values) for key, values in SPACE.items()}
    assert {path.name for path in study.path.iterdir()} == {
        ".lock",
        "best.toml",
        "config.json",
        "study.db",
        "trials.csv",
    }


# What goes wrong


def test_a_setting_with_which_training_diverges_fails_its_trial_alone(
    tmp_path: Path, objective: Callable[[Callable[[Settings], float]], None]
) -> None:
    def diverge(settings: Settings) -> float:
        if settings["model.hidden"] == RunConfig().model.hidden:
            raise NumericalError("loss is nan at epoch 3;\n try a lower --lr")
        return bowl(settings)

    objective(diverge)
    study, ended = study_of(tmp_path / "study", search_for(6))
    assert len(ended) == 6
    failed = [trial for trial in ended if trial.score is None]
    assert failed == [trial for trial in ended if trial.settings["model.hidden"] == RunConfig().model.hidden]
    assert ended[0] in failed
    assert failed[0].error == "loss is nan at epoch 3; try a lower --lr"
    assert study.best(ended).score is not None
    _, graph = again = TuningStudy.open(study.path)
    assert again[0].run(graph, jobs=1, on_event=ignore) == ended  # a failed trial is not tried again


def test_training_that_really_diverges_is_a_failed_trial(tmp_path: Path) -> None:
    study, ended = study_of(tmp_path / "study", search_for(2, training__lr=1e30, training__epochs=20))
    assert [trial.score for trial in ended] == [None, None]
    assert all("at epoch" in trial.error for trial in ended)
    assert not study.best_file.exists()
    with pytest.raises(RunError, match=r"none of 2 trials came to its end; the first: .* at epoch"):
        study.best(ended)


def test_centres_that_all_lie_at_the_origin_fail_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "all_at_origin", lambda _model, task: task.val is not None)
    _, ended = study_of(tmp_path / "study", search_for(1))
    assert ended[0].score is None
    assert ended[0].error == "all centres lie at the origin with seed 100"


def test_a_study_that_was_interrupted_goes_on_to_the_same_trials(
    tmp_path: Path, objective: Callable[[Callable[[Settings], float]], None]
) -> None:
    calls = 0

    def interrupted(settings: Settings) -> float:
        nonlocal calls
        calls += 1
        if calls in (1, 13):  # in trial 0, and in trial 11, once settings depend on scores
            raise KeyboardInterrupt
        return bowl(settings)

    objective(interrupted)
    study, graph = TuningStudy.create(tmp_path / "cut", search_for(13))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            study.run(graph, jobs=1, on_event=ignore)
        study, graph = TuningStudy.open(study.path)
    assert calls == 13
    ended = study.run(graph, jobs=1, on_event=ignore)
    assert calls == 13 + 2  # those that were missing, and no other
    objective(bowl)
    whole, expected = study_of(tmp_path / "whole", search_for(13))
    assert ended == expected
    for name in ("trials.csv", "best.toml"):
        assert (study.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_more_trials_go_on_where_fewer_ended(
    tmp_path: Path, objective: Callable[[Callable[[Settings], float]], None]
) -> None:
    objective(bowl)
    study, first = study_of(tmp_path / "study", search_for(2))
    more, graph = TuningStudy.open(study.path, trials=4)
    seen: list[TrialEvent] = []
    ended = more.run(graph, jobs=1, on_event=seen.append)
    assert ended[:2] == first
    assert [(event.stage, event.trial.number, event.ended) for event in seen] == [
        ("start", 2, 0),
        ("done", 2, 3),
        ("start", 3, 0),
        ("done", 3, 4),
    ]
    assert TuningStudy.open(study.path)[0].search.trials == 4


@pytest.mark.slow
def test_the_choice_gets_better_than_chance_with_what_has_been_seen(
    tmp_path: Path, objective: Callable[[Callable[[Settings], float]], None]
) -> None:
    objective(bowl)
    _, ended = study_of(tmp_path / "study", search_for(40))
    scores = [bowl(trial.settings) for trial in ended]
    assert fmean(scores[20:]) > fmean(scores[1:11]) + 0.05


def test_a_study_is_at_work_in_one_process_only(
    tmp_path: Path, objective: Callable[[Callable[[Settings], float]], None]
) -> None:
    study, graph = TuningStudy.create(tmp_path / "study", search_for(1))

    def meddle(_settings: Settings) -> float:
        with pytest.raises(RunError, match="another process is at this study"):
            study.run(graph, jobs=1, on_event=ignore)
        return 0.5

    objective(meddle)
    assert study.run(graph, jobs=1, on_event=ignore)[0].score == 0.5


def test_a_study_of_other_data_or_another_space_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edges = tmp_path / "edges.csv"
    edges.write_text("".join(f"{i},{(i + 1) % 30}\n{i},{(i * 7 + 3) % 30}\n" for i in range(30)))
    study, _ = TuningStudy.create(tmp_path / "study", search_for(data__name=str(edges)))
    TuningStudy.open(study.path)
    with edges.open("a") as file:
        file.write("0,15\n")
    with pytest.raises(RunError, match="the data have changed"):
        TuningStudy.open(study.path)
    monkeypatch.setitem(SPACE, "model.gain", Range(1, 30))
    with pytest.raises(RunError, match="another space; begin a new study"):
        TuningStudy.open(study.path)


def test_a_damaged_study_is_refused_in_one_line(tmp_path: Path) -> None:
    study, graph = TuningStudy.create(tmp_path / "study", search_for(1))
    (study.path / "study.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(RunError, match=r"study\.db: damaged.*begin a new study") as caught:
        study.run(graph, jobs=1, on_event=ignore)
    assert "\n" not in str(caught.value)


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    study, ended = study_of(tmp_path / "a?b#1 50% it's one", search_for(1))
    assert len(ended) == 1
    assert (study.path / "study.db").is_file()


# Several at a time, and Ctrl-C


@pytest.mark.slow
def test_trials_in_processes_are_those_of_one_process(tmp_path: Path) -> None:
    _, one = study_of(tmp_path / "one", search_for(4, final_seeds=1))
    _, two = study_of(tmp_path / "two", search_for(4, final_seeds=1), jobs=2)
    assert [trial.settings for trial in two] == [trial.settings for trial in one]
    assert [trial.score for trial in two] == pytest.approx([trial.score for trial in one], rel=1e-6)
    assert [trial.final for trial in two] == pytest.approx([trial.final for trial in one], rel=1e-6)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_process_that_is_killed_fails_its_trial_and_another_takes_its_place(tmp_path: Path) -> None:
    study, graph = TuningStudy.create(tmp_path / "study", search_for(4))
    killed = False

    def kill_one(event: TrialEvent) -> None:
        nonlocal killed
        if event.stage == "start" and not killed:
            killed = True
            child = multiprocessing.active_children()[0]
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)

    ended = study.run(graph, jobs=2, on_event=kill_one)
    failed = [trial for trial in ended if trial.score is None]
    assert len(ended) == 4
    assert len(failed) == 1
    assert "was killed by SIGKILL; perhaps for want of memory" in failed[0].error


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)], ids=["Ctrl-C", "kill"]
)
def test_a_stopped_program_goes_on_to_the_same_trials(
    number: signal.Signals, jobs: int, tmp_path: Path, programs: ForkServer
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    options = ["--data", "karate", "--dim", 2, "--trials", 4, "--seeds", 1, "--final-seeds", 1]
    options += ["--set", "training.epochs=120", "--set", "training.device=cpu"]
    program = programs.start("tune", *options, "--jobs", jobs, "--out", "it's one", cwd=here)
    file = here / "it's one" / "trials.csv"
    program.wait_until(lambda: file.exists() and len(file.read_text().splitlines()) >= 2)
    program.send(number)
    stopped = program.wait()
    command = (
        f"hypgraph tune --resume 'it'\"'\"'s one' --trials 4 --final-seeds 1{' --jobs 2' if jobs == 2 else ''}"
    )
    if number == signal.SIGINT:
        assert stopped.code == 130
        assert stopped.err.splitlines()[-1] == f"Stopped. Go on with: {command}"
        assert "Traceback" not in stopped.err
    assert 2 <= len(file.read_text().splitlines()) < 5
    assert programs.run(*shlex.split(command)[1:], cwd=here).code == 0
    if jobs == 1:
        whole, _ = study_of(tmp_path / "whole", TuningStudy.open(file.parent)[0].search)
        assert file.read_bytes() == whole.trials_file.read_bytes()
    assert len(file.read_text().splitlines()) == 5
