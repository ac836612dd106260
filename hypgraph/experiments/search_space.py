"""What ``hypgraph tune`` searches: one table of ranges, the same for every latent space and posterior."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypgraph.config import SECTIONS, RunConfig, toml_value
from hypgraph.exceptions import ConfigError, RunError
from hypgraph.experiments.link_data import own_hits, with_absolute_paths

if TYPE_CHECKING:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

__all__ = ["SPACE", "Choice", "Range", "Search", "space_table"]


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``: in steps, or, without a step, evenly in their logarithm.

    >>> print(Range(1, 20), "|", Range(0, 0.8, step=0.1))
    1 to 20, logarithmic | 0 to 0.8 in steps of 0.1
    """

    low: float
    high: float
    step: float | None = None

    def __str__(self) -> str:
        spacing = ", logarithmic" if self.step is None else f" in steps of {self.step:g}"
        return f"{self.low:g} to {self.high:g}{spacing}"

    def distribution(self) -> "FloatDistribution":
        """For optuna."""
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=self.step is None, step=self.step)

    def tidy(self, suggested: Any) -> Any:
        """The value that is trained with: three digits, so that a configuration holds all of it.

        >>> Range(1, 20).tidy(5.02137), Range(0, 0.8, step=0.1).tidy(0.1 + 0.2)
        (5.02, 0.3)
        """
        return float(f"{suggested:.3g}")


@dataclass(frozen=True)
class Choice:
    """One of some values.

    >>> print(Choice((True, False)))
    true or false
    """

    values: tuple[str | int | bool, ...]

    def __str__(self) -> str:
        *most, last = (value if isinstance(value, str) else json.dumps(value) for value in self.values)
        return f"{', '.join(most)} or {last}" if most else last

    def distribution(self) -> "CategoricalDistribution":
        """For optuna."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def tidy(self, suggested: Any) -> Any:
        """The value itself."""
        return suggested


# That it is one table is what makes a comparison of latent spaces fair. ``model.c`` is not in it: a length matters
# only beside 1/sqrt(c), so the gain and the initial scale search what c would, and c would be one number more for
# the hyperbolic spaces alone.
SPACE: dict[str, Range | Choice] = {
    "model.gain": Range(1, 20),
    "model.dropout": Range(0, 0.8, step=0.1),
    "model.initial_scale": Range(0.02, 0.5),
    "model.nonnegative": Choice((True, False)),
    "model.hidden": Choice((16, 32, 64, 128)),
    "model.normalisation": Choice(("row", "symmetric")),
    "model.beta": Range(0.01, 10),
    "training.lr": Range(0.003, 0.03),
    "training.weight_decay": Range(1e-5, 1e-2),
}

# Written into the chosen configuration whether they were given or not: what the settings were chosen for.
_STATED = ("data.name", "model.latent", "model.dim", "model.posterior", "model.decoder")
# Keys that have flags of their own.
_FLAGS = {"data.name": "--data", "data.root": "--data-root", **{key: f"--{key[6:]}" for key in _STATED[1:]}}
# The search has seeds of its own.
_SEEDS = ("training.seed", "training.seeds")


def space_table() -> str:
    """The space as a table in Markdown."""
    curved = RunConfig()
    flat = curved.in_flat_space()
    rows = [
        f"| `{key}` | {values} | {Choice((value_of(curved, key),))} | {Choice((value_of(flat, key),))} |"
        for key, values in SPACE.items()
    ]
    head = ["| setting | searched | default | of a Euclidean latent |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def value_of(config: RunConfig, key: str) -> Any:
    """The value of ``section.name``."""
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


@dataclass(frozen=True)
class Search:
    """What is searched and what is held fixed.

    Attributes:
        config: what is held fixed, and the defaults of what is searched.
        given: the keys that the user gave; none of them is searched.
        trials: how many settings are tried, the defaults among them.
        seed: the first search seed; also of the choice of settings.
        seeds: how many search seeds a setting is scored on.
        final_seeds: how many seeds more the best settings and the defaults are scored on; 0 for no final.
    """

    config: RunConfig
    given: tuple[str, ...]
    trials: int
    seed: int
    seeds: int
    final_seeds: int

    @classmethod
    def plan(cls, config: RunConfig, *, trials: int, seed: int, seeds: int, final_seeds: int) -> "Search":
        """A search around ``config``; what it was given explicitly is held fixed.

        Raises:
            ConfigError: if a number is not allowed, or nothing is left to search.
            HypgraphError: if the data are unknown or not there.
        """
        _check_counts(at_least=1, trials=trials, seeds=seeds)
        _check_counts(at_least=0, seed=seed, final_seeds=final_seeds)
        given = tuple(
            f"{section}.{name}"
            for section, model in SECTIONS.items()
            for name in model.model_fields
            if name in getattr(config, section).model_fields_set and f"{section}.{name}" not in _SEEDS
        )
        if set(SPACE) <= set(given):
            raise ConfigError("nothing is left to search: --config and --set hold all settings that tune searches")
        return cls(with_absolute_paths(config), given, trials, seed, seeds, final_seeds)

    def with_counts(self, trials: int | None, final_seeds: int | None) -> "Search":
        """The same search with another number of trials or of seeds of its final, where one is given.

        Raises:
            ConfigError: if one is not allowed.
        """
        trials = self.trials if trials is None else trials
        final_seeds = self.final_seeds if final_seeds is None else final_seeds
        _check_counts(at_least=1, trials=trials)
        _check_counts(at_least=0, final_seeds=final_seeds)
        return replace(self, trials=trials, final_seeds=final_seeds)

    def of_final(self) -> "Search":
        """The same on the seeds of the final, which follow those of the search."""
        return replace(self, seed=self.seed + self.seeds, seeds=self.final_seeds)

    @property
    def space(self) -> dict[str, Range | Choice]:
        """The part of :data:`SPACE` that is searched."""
        return {key: values for key, values in SPACE.items() if key not in self.given}

    @property
    def defaults(self) -> dict[str, Any]:
        """The settings of the first trial."""
        return {key: value_of(self.config, key) for key in self.space}

    @property
    def search_seeds(self) -> range:
        """The seeds that every setting is scored on."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def metric(self) -> str:
        """By what settings are chosen, on validation."""
        hits = own_hits(self.config.data)
        return "(AUC + AP) / 2" if hits is None else f"Hits@{hits}"

    def tidy(self, suggested: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that are trained with, of those that the sampler suggested."""
        return {key: values.tidy(suggested[key]) for key, values in self.space.items()}

    def config_of(self, settings: Mapping[str, Any], seed: int) -> RunConfig:
        """The run with these settings from one seed."""
        sections = self.config.model_dump()
        for key, value in {**settings, "training.seed": seed, "training.seeds": 1}.items():
            section, name = key.split(".")
            sections[section][name] = value
        return RunConfig.model_validate(sections)

    def command(self) -> str:
        """The command that makes this search."""
        given: list[str] = []
        held = self.config.model_dump(mode="json")
        for key in dict.fromkeys(("data.name", "model.latent", *self.given)):
            section, name = key.split(".")
            value = held[section][name]
            text = value if isinstance(value, str) and toml_value(value) == value else _toml(value)
            if value is not None:
                given += [_FLAGS[key], str(value)] if key in _FLAGS else ["--set", f"{key}={text}"]
        counts = ["--trials", self.trials, "--seeds", self.seeds, "--seed", self.seed]
        counts += ["--final-seeds", self.final_seeds]
        return shlex.join(["hypgraph", "tune", *given, *map(str, counts)])

    def toml(self, settings: Mapping[str, Any]) -> str:
        """A configuration file with these settings and all that was held fixed; seeds are left to who uses it."""
        config = self.config_of(settings, self.seed)
        written = {*self.given, *_STATED, *settings}
        values = config.model_dump(mode="json")
        lines = []
        for section in values:
            part = {name: value for name, value in values[section].items() if f"{section}.{name}" in written}
            rows = [f"{name} = {_toml(value)}" for name, value in part.items() if value is not None]
            lines += [f"[{section}]", *rows, ""] if rows else []
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """What the folder of a study keeps."""
        return {
            "trials": self.trials,
            "seed": self.seed,
            "seeds": self.seeds,
            "final_seeds": self.final_seeds,
            "metric": self.metric,
            "given": list(self.given),
            "space": {key: str(values) for key, values in self.space.items()},
            "config": self.config.model_dump(mode="json"),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], path: Path) -> "Search":
        """What :meth:`to_json` made, read from ``path``.

        Raises:
            RunError: if it is something else, or of a version that searched another space.
        """
        try:
            config = RunConfig.model_validate(values["config"])
            final_seeds = values.get("final_seeds", 0)  # the first version had no final
            search = cls(
                config, tuple(values["given"]), values["trials"], values["seed"], values["seeds"], final_seeds
            )
            space = values["space"]
        except (KeyError, TypeError, ValueError):
            raise RunError(
                f"{path}: is not of a study; 'hypgraph tune' prints the path of the one it makes"
            ) from None
        if space != search.to_json()["space"]:
            raise RunError(f"{path}: another version of hypgraph searched another space; begin a new study")
        return search


def _check_counts(*, at_least: int, **counts: int) -> None:
    for name, count in counts.items():
        if count < at_least:
            raise ConfigError(f"--{name.replace('_', '-')} {count}: must be {at_least} or more")


def _toml(value: object) -> str:
    """What JSON writes of strings, numbers and booleans is TOML too, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
