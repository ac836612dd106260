"""Time of one training step on a graph: ours on each latent space, beside PyG's VGAE of PyG's own modules.

    python benchmarks/vgae_step.py [--data cora,citeseer,pubmed] [--hidden 32] [--compile] [--device cuda]

PubMed is found through HYPGRAPH_DATA. One thread, CPU time; on a GPU, wall time with the device waited for. The
contenders take turns; the tables have the median of each and the medians of the ratios within a turn. A step is
fresh negatives, encoder, draw, loss, gradients and the optimiser, as in `hypgraph train`; the validation of each
epoch is timed apart. PyG's model is that of `pyg_vgae.py`, with dense and with sparse features.

`--compile` adds our steps with the dense part compiled, and how long the first of them takes, which compiles. On a
GPU our step is also replayed as a CUDA graph, and the time that it would take if nothing counted but the memory is
said: the bytes that its operations read and write, one by one, divided by the bandwidth of a large copy.
"""

import argparse
import time
import warnings
from functools import partial
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from turns import Step, cells, clock_of, gpu_clock, in_turns

from hypgraph.config import load_config
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.models import decoder_name
from hypgraph.training import LinkTrainer

OURS = {
    "poincare, wrapped": ("poincare", "wrapped"),
    "poincare, riemannian": ("poincare", "riemannian"),
    "lorentz, wrapped": ("lorentz", "wrapped"),
    "euclidean": ("euclidean", "wrapped"),
}
DENSE, SPARSE, FLAT = "PyG VGAE, dense features", "PyG VGAE, sparse features", "ours, euclidean"
COMPILED, CAPTURED = "poincare, wrapped, compiled", "poincare, wrapped, captured"
LARGE = 10_000  # nodes


class Traffic(TorchDispatchMode):
    """Bytes that the operations within read and write; views move none."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            tensors = [part for part in tree_leaves((args, kwargs, result)) if isinstance(part, torch.Tensor)]
            strided = (part for part in tensors if part.layout == torch.strided)
            self.bytes += sum(part.numel() * part.element_size() for part in strided)
        return result


def trainers(data: str, arguments: argparse.Namespace) -> tuple[LinkPrediction, dict[str, LinkTrainer]]:
    """The data and split, and a trainer of each latent space on them."""
    runs: dict[str, LinkPrediction] = {}
    first: LinkPrediction | None = None
    ours = dict(OURS)
    if arguments.compile:
        ours[COMPILED] = ours["poincare, wrapped"]
    if arguments.device == "cuda":
        ours[CAPTURED] = ours["poincare, wrapped"]
    for name, (latent, posterior) in ours.items():
        overrides = {
            "data.name": data,
            "model.latent": latent,
            "model.posterior": posterior,
            "model.dim": arguments.dim,
            "model.decoder": arguments.decoder,
            "model.hidden": arguments.hidden,
            "training.device": arguments.device,
            "training.compile": name == COMPILED,
            "training.capture": name == CAPTURED,
        }
        shared: dict[str, Any] = {"graph": first.graph, "split": first.split} if first else {}
        runs[name] = LinkPrediction.prepare(load_config(overrides=overrides), **shared)
        first = first or runs[name]
    assert first is not None
    return first, {name: run.trainer for name, run in runs.items()}


def contenders(data: str, arguments: argparse.Namespace) -> tuple[LinkPrediction, dict[str, Step]]:
    from pyg_vgae import PygTraining

    run, ours = trainers(data, arguments)
    dim, positive = run.config.model.dim, run.task.positive
    pyg = {
        name: PygTraining(run.graph.features, positive, dim=dim, sparse=name == SPARSE, device=arguments.device)
        for name in (DENSE, SPARSE)
    }
    steps: dict[str, Step] = {f"ours, {name}": trainer.step for name, trainer in ours.items()}
    steps |= {name: training.step for name, training in pyg.items()}
    steps |= {f"validation: ours, {name}": ours[name].validate for name in list(ours)[:1]}
    steps |= {f"validation: {DENSE}": partial(pyg[DENSE].score, *run.task.val)}
    return run, steps


def bandwidth() -> float:
    """Bytes a second that the GPU reads and writes in a large copy."""
    source = torch.empty(1 << 28, dtype=torch.float32, device="cuda")
    target = torch.empty_like(source)
    target.copy_(source)
    before = gpu_clock()
    for _ in range(10):
        target.copy_(source)
    return 10 * 2 * source.numel() * source.element_size() / (gpu_clock() - before)


def remarks(steps: dict[str, Step], arguments: argparse.Namespace) -> None:
    """Runs the first steps, and says of them what a table of times does not."""
    if arguments.compile:
        started = time.perf_counter()
        steps[f"ours, {COMPILED}"]()
        print(f"the first compiled step takes {time.perf_counter() - started:.1f} s\n")
    if arguments.device == "cuda":
        with Traffic() as traffic:
            steps["ours, poincare, wrapped"]()
        limit = 1e3 * traffic.bytes / bandwidth()
        print(
            f"a step of ours, poincare, wrapped, moves {traffic.bytes / 1e6:.1f} MB: {limit:.3f} ms at the least\n"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="cora,citeseer", help="names with commas between them")
    parser.add_argument("--turns", type=int, default=100, help=f"a quarter of them beyond {LARGE:,} nodes")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dim", type=int)
    parser.add_argument("--decoder")
    parser.add_argument("--hidden", type=int, help="width of our encoders; PyG's has 32")
    parser.add_argument("--compile", action="store_true", help="our step with the dense part compiled, too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="`torch.jit.script.*` is deprecated", category=DeprecationWarning)
    clock, unit = clock_of(arguments.device)
    where = torch.cuda.get_device_name() if arguments.device == "cuda" else "one thread"
    for data in arguments.data.split(","):
        run, steps = contenders(data, arguments)
        turns = arguments.turns if run.graph.num_nodes < LARGE else max(1, arguments.turns // 4)
        remarks(steps, arguments)
        times = in_turns(steps, turns, clock)
        model = run.config.model
        decoder = decoder_name(model, directed=run.graph.directed)
        setting = f"d={model.dim}, hidden {model.hidden}, {decoder}, {model.dtype} latents"
        print(f"{data}, {setting}, {where}, torch {torch.__version__}\n")
        print(f"| {unit} a step, median of {turns} | ms | ÷ PyG dense | ÷ PyG sparse | ÷ our euclidean |")
        print("|---|---:|---:|---:|---:|")
        for name in steps:
            print(f"| {name} | {cells(times, name, [DENSE, SPARSE, FLAT])} |")
        print()


if __name__ == "__main__":
    main()
