"""Small studies on the karate graph."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypgraph.config import load_config
from hypgraph.experiments.search_space import Search
from hypgraph.experiments.trials import Trial, TrialEvent
from hypgraph.experiments.tuning import TuningStudy

QUICK = {"data.name": "karate", "model.dim": 3, "training.epochs": 3, "training.device": "cpu"}
Settings = Mapping[str, Any]


def search_for(number: int = 3, *, seed: int = 100, seeds: int = 2, final_seeds: int = 0, **given: Any) -> Search:
    overrides = {**QUICK, **{key.replace("__", "."): value for key, value in given.items()}}
    return Search.plan(
        load_config(overrides=overrides), trials=number, seed=seed, seeds=seeds, final_seeds=final_seeds
    )


def ignore(_event: TrialEvent) -> None:
    pass


def silent(_text: str) -> None:
    pass


def study_of(path: Path, search: Search, *, jobs: int = 1) -> tuple[TuningStudy, list[Trial]]:
    study, graph = TuningStudy.create(path, search)
    return study, study.run(graph, jobs=jobs, on_event=ignore)


def bowl(settings: Settings) -> float:
    """Best at a gain of 3 and a dropout of 0.2."""
    return 1 - abs(math.log(settings["model.gain"] / 3)) / 10 - abs(settings["model.dropout"] - 0.2)
