"""Time of one training step on a graph: ours on each latent space, beside PyG's VGAE of PyG's own modules.

    python benchmarks/vgae_step.py [--data cora,citeseer,pubmed] [--hidden 32] [--device cuda]

PubMed is found through HYPGRAPH_DATA. One thread, CPU time; on a GPU, wall time with the device waited for. The
contenders take turns; the tables have the median of each and the medians of the ratios within a turn. A step is
fresh negatives, encoder, draw, loss, gradients and the optimiser, as in `hypgraph train`; the validation of each
epoch is timed apart. PyG's model is that of `pyg_vgae.py`, with dense and with sparse features.
"""

import argparse
import warnings
from functools import partial
from typing import Any

import torch
from turns import Step, cells, clock_of, in_turns

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
LARGE = 10_000  # nodes


def trainers(data: str, arguments: argparse.Namespace) -> tuple[LinkPrediction, dict[str, LinkTrainer]]:
    """The data and split, and a trainer of each latent space on them."""
    runs: dict[str, LinkPrediction] = {}
    first: LinkPrediction | None = None
    for name, (latent, posterior) in OURS.items():
        overrides = {
            "data.name": data,
            "model.latent": latent,
            "model.posterior": posterior,
            "model.dim": arguments.dim,
            "model.decoder": arguments.decoder,
            "model.hidden": arguments.hidden,
            "training.device": arguments.device,
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="cora,citeseer", help="names with commas between them")
    parser.add_argument("--turns", type=int, default=100, help=f"a quarter of them beyond {LARGE:,} nodes")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dim", type=int)
    parser.add_argument("--decoder")
    parser.add_argument("--hidden", type=int, help="width of our encoders; PyG's has 32")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="`torch.jit.script.*` is deprecated", category=DeprecationWarning)
    clock, unit = clock_of(arguments.device)
    where = torch.cuda.get_device_name() if arguments.device == "cuda" else "one thread"
    for data in arguments.data.split(","):
        run, steps = contenders(data, arguments)
        turns = arguments.turns if run.graph.num_nodes < LARGE else max(1, arguments.turns // 4)
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
