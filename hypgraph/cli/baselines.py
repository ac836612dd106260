"""``hypgraph baselines``."""

import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hypgraph.cli.options import ConfigFile, DataRoot, Set, described
from hypgraph.cli.paths import check_writable
from hypgraph.config import RunConfig, load_config
from hypgraph.exceptions import ConfigError

if TYPE_CHECKING:
    from hypgraph.experiments.baselines import BaselineTable

__all__ = ["baselines"]

# Off a terminal a line comes this often, in seconds.
QUIET_FOR = 10.0


def baselines(
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="A data set or a file; may be repeated. [default: cora]"),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="How many splits.")] = 10,
    seed: Annotated[int | None, described("training.seed")] = None,
    trained: Annotated[
        bool,
        typer.Option(
            "--trained", help="Also train a VGAE with a Euclidean latent space, as --config and --set say."
        ),
    ] = False,
    config: ConfigFile = None,
    assignments: Set = None,
    data_root: DataRoot = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the tables to a Markdown file too.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON with fractions in [0, 1]; a list for several data sets.")
    ] = False,
) -> None:
    """Score what a trained model should beat, on the splits that train makes."""
    overrides = {
        "data.root": data_root and str(data_root.absolute()),
        "training.seed": seed,
        "training.seeds": seeds,
    }
    configs = [
        load_config(config, overrides={**overrides, "data.name": name}, assignments=assignments or ())
        for name in data or (None,)
    ]

    from hypgraph.data import resolve_data
    from hypgraph.experiments.baselines import TITLE, markdown, run_baselines
    from hypgraph.files import whole_file

    if out is not None:
        _check_out(out, TITLE)
    for one in configs:
        resolve_data(one.data.name, data_root=one.data.root)
    tables = []
    for one in configs:
        with _Progress(one.data.name, one.training.seed, one.training.seeds) as progress:
            tables.append(run_baselines(one, trained=trained, on_score=progress.on_score))
        if not as_json:
            _print(tables[-1])
    if as_json:
        plain = [table.as_json() for table in tables]
        typer.echo(json.dumps(plain if len(plain) > 1 else plain[0], indent=2))
    if out is not None:
        with whole_file(out) as temporary:
            temporary.write_text(markdown(tables, _command(configs, out, trained=trained)), encoding="utf-8")


def _check_out(out: Path, title: str) -> None:
    """Refuses a place that cannot be written, and a file that is not an earlier table."""
    if out.is_dir():
        raise ConfigError(f"--out {out}: is a folder; name a file in it")
    check_writable(out)
    if out.exists() and not out.read_bytes().startswith(title.encode()):
        raise ConfigError(f"--out {out}: exists and is not a table of baselines; choose another name")


def _print(table: "BaselineTable") -> None:
    from rich.console import Console
    from rich.table import Table

    from hypgraph.experiments.baselines import LABELS, METRICS, SETS, percent

    seeds = table.seeds
    what = f"mean and 95 % interval of {len(seeds)} seeds" if len(seeds) > 1 else f"seed {seeds[0]}"
    edges, non_edges = (f"{100 * share:.1f} %" for share in table.isolated)
    caption = (
        f"conn: without the {edges} of test edges and {non_edges} of non-edges that touch a node isolated in "
        "the training graph"
    )
    if table.left_out:
        caption += f"\nnot for this graph: {', '.join(table.left_out)}"
    view = Table(
        title=f"Baselines on {table.graph.name}, % ({what})",
        title_justify="left",
        title_style="bold",
        caption=caption,
        caption_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    view.add_column("")
    # Seven columns fit a terminal of 80 characters only if each is as narrow as its figures.
    for column in ("val AUC", "val AP", "test AUC", "test AP", "conn AUC", "conn AP"):
        view.add_column(column, justify="right", no_wrap=True)
    for key in table.figures:
        cells = [
            percent(table.interval(key, which, metric)).replace(" ", "") for which in SETS for metric in METRICS
        ]
        view.add_row(LABELS[key], *cells)
    Console().print(view)


class _Progress:
    """Says on standard error what is done: on a terminal one line that changes, else a line every ten seconds."""

    def __init__(self, name: str, first: int, seeds: int) -> None:
        from rich.console import Console

        self.name, self.first, self.seeds = name, first, seeds
        self.console = Console(file=sys.stderr)
        self.status = self.console.status(f"{name}: loading") if self.console.is_terminal else None
        self.said = time.monotonic()

    def __enter__(self) -> "_Progress":
        if self.status is not None:
            self.status.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.status is not None:
            self.status.stop()

    def on_score(self, seed: int, label: str) -> None:
        """A baseline is scored."""
        line = f"{self.name}: split {seed - self.first + 1} of {self.seeds}, {label} done"
        if self.status is not None:
            self.status.update(line)
        elif time.monotonic() - self.said >= QUIET_FOR:
            self.said = time.monotonic()
            typer.echo(line, err=True)


def _command(configs: Sequence[RunConfig], out: Path, *, trained: bool) -> str:
    """The command that makes ``out``, without where the data lie on this machine."""
    config, plain = configs[0], RunConfig()
    if trained:
        config, plain = config.in_flat_space(), plain.in_flat_space()
    given, training = config.model_dump(mode="json"), config.training
    parts = [part for config in configs for part in ("--data", config.data.name)]
    parts += ["--seeds", str(training.seeds)]
    if training.seed != plain.training.seed:
        parts += ["--seed", str(training.seed)]
    parts += ["--trained"] if trained else []
    said = {"data": {"name", "root"}, "training": {"seed", "seeds", "device", "threads"}, "model": {"latent"}}
    for section, keys in said.items():
        if section == "data" or trained:  # the rest does not matter to rows that are not trained
            for key, default in getattr(plain, section).model_dump(mode="json", exclude=keys).items():
                if given[section][key] != default:
                    parts += ["--set", f"{section}.{key}={json.dumps(given[section][key])}"]
    return shlex.join(["hypgraph", "baselines", *parts, "--out", str(out)])
