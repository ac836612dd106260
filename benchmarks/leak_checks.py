"""Is a good figure a leak? The same runs with what they know taken away.

    python benchmarks/leak_checks.py --data cora [--config FILE] [--decoder hybrid] [--seeds 10]

A row each: the run as it is; its latents exchanged between the nodes, which leaves chance (for the hybrid
decoder, what the pair features know); training anew with the rows of the features exchanged, which leaves what the
edges tell; the test pairs that touch no node isolated in the training graph, and how well the number of such ends
alone tells edges from non-edges. That no scored edge is in the graph that scores it is counted, not assumed.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from hypgraph.config import RunConfig, load_config
from hypgraph.evaluation import LinkMetrics, link_metrics, mean_interval
from hypgraph.experiments.link_data import load_data, split_of
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.models import VGAE, HybridVGAE
from hypgraph.random import stream
from hypgraph.training import HybridTask, link_logits
from hypgraph.training.memory import keep_freed_memory


def train(config: RunConfig, *, exchanged_features: bool = False) -> LinkPrediction:
    """A run to its end; with ``exchanged_features`` each node has the features of another."""
    graph = load_data(config.data)
    split = split_of(graph, config)
    if exchanged_features and graph.features is not None:
        order = torch.randperm(graph.num_nodes, generator=stream(config.training.seed, "exchange"))
        graph = replace(graph, features=graph.features[order.numpy()])
    run = LinkPrediction.prepare(config, graph=graph, split=split)
    while not run.trainer.done:
        run.trainer.run_epoch()
    return run


def with_exchanged_latents(model: VGAE, run: LinkPrediction) -> LinkMetrics:
    with torch.no_grad():
        loc = model.encode(run.task.features, run.task.adjacency).loc
        loc = loc[torch.randperm(len(loc), generator=stream(run.config.training.seed, "exchange"))]
        logits = []
        for pairs in run.task.test:
            logit = model.decode(loc, pairs)
            if isinstance(model, HybridVGAE) and isinstance(run.task, HybridTask):
                logit = model.pair_head(run.task.features_of(pairs), logit)
            logits.append(logit)
    return link_metrics(*logits)


def known_edges(run: LinkPrediction) -> int:
    """How many validation and test edges are in the adjacency or among the training edges."""
    count = run.graph.num_nodes

    def numbers(pairs: torch.Tensor) -> torch.Tensor:
        low, high = pairs.sort(dim=0).values
        return low * count + high

    matrix = run.task.adjacency.matrix
    rows = torch.repeat_interleave(torch.arange(count), matrix.crow_indices().diff())
    seen = torch.cat([numbers(torch.stack([rows, matrix.col_indices()])), numbers(run.task.positive)])
    held_out = torch.cat([numbers(run.task.val[0]), numbers(run.task.test[0])])
    return int(torch.isin(held_out, seen).sum())


def check(job: tuple[RunConfig, int]) -> dict[str, Any]:
    torch.set_num_threads(1)
    keep_freed_memory()
    config, seed = job
    config = config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})
    run = train(config)
    model = run.trainer.best_model()
    logits = link_logits(model, run.task, *run.task.test)
    isolated = torch.bincount(run.task.positive.flatten(), minlength=run.graph.num_nodes) == 0
    ends = [isolated[pairs].sum(dim=0) for pairs in run.task.test]
    connected = [count == 0 for count in ends]
    rows = {
        "as it is": link_metrics(*logits),
        "latents exchanged between the nodes": with_exchanged_latents(model, run),
        "no pair with an isolated end": link_metrics(
            *(logit[kept] for logit, kept in zip(logits, connected, strict=True))
        ),
        "the number of isolated ends instead of the run": link_metrics(*(count.double() for count in ends)),
    }
    if run.graph.features is not None:
        shuffled = train(config, exchanged_features=True)
        task = shuffled.task
        rows["trained with features exchanged"] = link_metrics(
            *link_logits(shuffled.trainer.best_model(), task, *task.test)
        )
    return {
        "rows": rows,
        "known": known_edges(run),
        "isolated": [1 - kept.double().mean().item() for kept in connected],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--decoder")
    parser.add_argument("--dim", type=int)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    overrides = {"data.name": arguments.data, "model.decoder": arguments.decoder, "model.dim": arguments.dim}
    config = load_config(arguments.config, overrides={**overrides, "training.device": "cpu"})
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(check, [(config, seed) for seed in range(arguments.seeds)]))
    model = config.model
    print(f"{config.data.name}, {model.latent} d={model.dim}, decoder {model.decoder}, {len(results)} seeds\n")
    print("| | test AUC | test AP |\n|---|---:|---:|")
    for name in results[0]["rows"]:
        metrics = [result["rows"][name] for result in results]
        cells = [mean_interval([100 * metric[part] for metric in metrics]) for part in (0, 1)]
        print(f"| {name} | " + " | ".join(f"{cell.mean:.1f} ± {cell.half_width:.1f}" for cell in cells) + " |")
    edges, others = (100 * mean_interval([result["isolated"][part] for result in results]).mean for part in (0, 1))
    print(f"\nHeld-out edges in the graph that scores them: {sum(result['known'] for result in results)}.")
    print(f"{edges:.1f} % of test edges and {others:.1f} % of test non-edges touch an isolated node.")


if __name__ == "__main__":
    main()
