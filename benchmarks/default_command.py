"""Time of the whole default command, by phases, beside 500 epochs of PyG's VGAE with validation after each.

    python benchmarks/default_command.py [--data cora] [--latent poincare] [--turns 5]

`hypgraph train` runs in a process of its own, as it is, but for clocks around its parts; so does the model of
`pyg_vgae.py`, with dense and with sparse features, on the same split. They take turns. One thread; CPU time, and
the wall time of the whole process. Imports are timed wherever they happen, and belong to no other phase.
"""

import argparse
import builtins
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, reduce, wraps
from pathlib import Path
from typing import Any
from unittest import mock

IMPORTS, REST = "imports", "everything else"
# Phases of `hypgraph train`, each with the functions that it is made of. The last one entered has the time.
PHASES = {
    "data, split, model": ["hypgraph.experiments.link_prediction:LinkPrediction.prepare"],
    "training": ["hypgraph.training:LinkTrainer.run_epoch"],
    "validation": ["hypgraph.training:LinkTrainer.validate"],
    "baselines": ["hypgraph.experiments.link_prediction:score_baselines"],
    "writing": [
        "hypgraph.run_folder:RunFolder.create",
        "hypgraph.data:EdgeSplit.save",
        "hypgraph.export:Embeddings.save_npz",
        "hypgraph.experiments.link_prediction:environment",
        "hypgraph.experiments.link_prediction:save_checkpoint",
        "hypgraph.experiments.link_prediction:write_json",
    ],
}
OURS, DENSE, SPARSE = "hypgraph train", "PyG VGAE, dense features", "PyG VGAE, sparse features"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class PhaseClock:
    """Seconds of each phase. Phases may lie within each other; the time is that of the innermost.

    Args:
        now: reads the clock; from 0, which is the start of the process.
        phase: the phase that everything outside the others belongs to, at first.
    """

    def __init__(self, now: Callable[[], float] = time.process_time, phase: str = IMPORTS) -> None:
        self.now = now
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.inside, self.since = [phase], 0.0

    def _book(self) -> None:
        now = self.now()
        self.seconds[self.inside[-1]] += now - self.since
        self.since = now

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._book()
        self.inside.append(name)
        try:
            yield
        finally:
            self._book()
            self.inside.pop()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            with self.phase(name):
                return function(*arguments, **options)

        return call

    @contextmanager
    def imports_apart(self) -> Iterator[None]:
        """Within it, each outermost import statement is in the phase of the imports."""
        plain = builtins.__import__

        def load(*arguments: Any, **options: Any) -> Any:
            if self.inside[-1] == IMPORTS:
                return plain(*arguments, **options)
            with self.phase(IMPORTS):
                return plain(*arguments, **options)

        with mock.patch.object(builtins, "__import__", load):
            yield


def measure_ours(clock: PhaseClock, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Runs the command into ``folder``."""
    from hypgraph.cli.app import app

    with ExitStack() as stack:
        for phase, names in PHASES.items():
            for name in names:
                module, _, path = name.partition(":")
                *outer, attribute = path.split(".")
                target = reduce(getattr, outer, importlib.import_module(module))
                timed = clock.timed(phase, getattr(target, attribute))
                stack.enter_context(mock.patch.object(target, attribute, timed))
        stack.enter_context(clock.imports_apart())
        with clock.phase(REST):
            app(train_arguments(arguments, folder), prog_name="hypgraph", standalone_mode=False)
    summary = json.loads((folder / "summary.json").read_text())
    return {"epochs": summary["epochs"], **summary["metrics"]["test"]}


def train_arguments(arguments: argparse.Namespace, folder: Path) -> list[str]:
    options = {"data": arguments.data, "latent": arguments.latent, "device": "cpu", "out": str(folder)}
    if arguments.epochs:
        options["epochs"] = str(arguments.epochs)
    return ["train", *(part for name, value in options.items() for part in (f"--{name}", value))]


def measure_pyg(
    clock: PhaseClock, arguments: argparse.Namespace, _folder: Path, *, sparse: bool
) -> dict[str, Any]:
    """Trains PyG's model; the last weights are its result, as in its example."""
    import torch
    from pyg_vgae import EPOCHS, PygTraining

    from hypgraph.config import load_config
    from hypgraph.experiments.link_data import load_data, split_of

    config = load_config(overrides={"data.name": arguments.data})
    torch.manual_seed(config.training.seed)
    epochs = arguments.epochs or EPOCHS
    with clock.imports_apart(), clock.phase(REST):
        with clock.phase("data, split, model"):
            graph = load_data(config.data)
            split = split_of(graph, config)
            positive, dim = split.train_edge_index, config.model.dim
            training = PygTraining(graph.features, positive, dim=dim, sparse=sparse)
        for _ in range(epochs):
            with clock.phase("training"):
                training.step()
            with clock.phase("validation"):
                training.score(split.val_edge_index, split.val_neg_edge_index)
        auc, ap = training.score(split.test_edge_index, split.test_neg_edge_index)
    return {"epochs": epochs, "auc": auc, "ap": ap}


CONTENDERS: dict[str, Callable[[PhaseClock, argparse.Namespace, Path], dict[str, Any]]] = {
    OURS: measure_ours,
    DENSE: partial(measure_pyg, sparse=False),
    SPARSE: partial(measure_pyg, sparse=True),
}


def measure(name: str) -> dict[str, Any]:
    """Runs one contender in a process of its own; its phases in CPU seconds, its wall seconds and its result."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "times.json"
        command = [sys.executable, __file__, *sys.argv[1:], "--measure", name, str(out)]
        started = time.perf_counter()
        done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True)
        wall = time.perf_counter() - started
        if done.returncode:
            sys.exit(f"{name} failed:\n{done.stderr}")
        return {**json.loads(out.read_text()), "wall": wall}


def measure_here(name: str, arguments: argparse.Namespace, out: Path) -> None:
    clock = PhaseClock()
    result = CONTENDERS[name](clock, arguments, out.parent / "run")
    out.write_text(json.dumps({**result, "phases": clock.seconds}))


def in_phase(phase: str, run: dict[str, Any]) -> float:
    return float(run["phases"].get(phase, 0.0))


def after_imports(run: dict[str, Any]) -> float:
    return float(sum(seconds for phase, seconds in run["phases"].items() if phase != IMPORTS))


def row(name: str, columns: list[str]) -> str:
    return f"| {name} | {' | '.join(columns)} |"


def report(runs: dict[str, list[dict[str, Any]]]) -> str:
    """The table of Markdown: medians, and the ratio to PyG's model within a turn."""

    def medians(value: Callable[[dict[str, Any]], float]) -> list[str]:
        return [f"{statistics.median(map(value, several)):.2f}" for several in runs.values()]

    def ratios(value: Callable[[dict[str, Any]], float], other: str) -> list[str]:
        pairs = (zip(several, runs[other], strict=True) for several in runs.values())
        return [f"{statistics.median(value(one) / value(two) for one, two in pair):.2f}" for pair in pairs]

    turns = len(runs[OURS])
    lines = [row(f"CPU-s, median of {turns}", list(runs)), f"|---|{'---:|' * len(runs)}"]
    lines += [row(phase, medians(partial(in_phase, phase))) for phase in (*PHASES, REST)]
    lines.append(row("**after imports**", [f"**{median}**" for median in medians(after_imports)]))
    lines += [row(f"÷ {other}", ratios(after_imports, other)) for other in (DENSE, SPARSE)]
    lines.append(row("Python and imports", medians(partial(in_phase, IMPORTS))))
    lines.append(row("wall seconds of the whole process", medians(lambda run: run["wall"])))
    lines.append(row("epochs", [str(several[0]["epochs"]) for several in runs.values()]))
    scores = ((several[0]["auc"], several[0]["ap"]) for several in runs.values())
    lines.append(row("test AUC / AP of the run, %", [f"{100 * auc:.1f} / {100 * ap:.1f}" for auc, ap in scores]))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="cora")
    parser.add_argument("--latent", default="poincare")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="for a quick look; as many as is usual where not given")
    parser.add_argument("--measure", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        name, out = arguments.measure
        measure_here(name, arguments, Path(out))
        return
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    for _ in range(arguments.turns):
        for name in CONTENDERS:
            runs[name].append(measure(name))
    print(f"`hypgraph train --data {arguments.data} --latent {arguments.latent}`, one thread\n")
    print(report(runs))


if __name__ == "__main__":
    main()
