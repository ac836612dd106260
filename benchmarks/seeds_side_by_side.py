"""Time of a training step for many seeds side by side, against one seed after the other.

    python benchmarks/seeds_side_by_side.py [--seeds 10] [--turns 40]

The network and batch of the experiment `trees`: 64 vectors of 50 numbers, 200 hidden units, two latent dimensions,
c = 1.2, gyroplane decoder, Adam with amsgrad. One thread, CPU time. A turn takes one step of the stack and one of
the single model; the table has the median of each and the throughput, seeds · single ÷ stack, median of the turns.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from hypgraph.models import build_vae, stack_models
from hypgraph.random import StackedGenerators, stream
from hypgraph.training.memory import keep_freed_memory
from hypgraph.training.vae_trainer import VAETrainer

BATCH, FEATURES, HIDDEN = 64, 50, 200
LATENTS = {
    "Euclidean": {"latent": "euclidean", "posterior": "wrapped", "scales": "diagonal"},
    "wrapped": {"latent": "poincare", "posterior": "wrapped", "scales": "diagonal", "c": 1.2},
    "Riemannian": {"latent": "poincare", "posterior": "riemannian", "c": 1.2},
}


def stepper(options: dict[str, object], seeds: int) -> Callable[[], object]:
    models = [build_vae(FEATURES, hidden=HIDDEN, generator=stream(s, "init"), **options) for s in range(seeds)]  # type: ignore[arg-type]
    generators = [stream(seed, "train") for seed in range(seeds)]
    x = torch.randn(seeds, BATCH, FEATURES, generator=stream(0, "data"))
    single = seeds == 1
    trainer = VAETrainer(
        models[0] if single else stack_models(models),
        x[0] if single else x,
        batch_size=BATCH,
        lr=1e-3,
        generator=generators[0] if single else StackedGenerators(generators),
    )
    return lambda: trainer.step(trainer.data)


def milliseconds(step: Callable[[], object], repeat: int) -> float:
    started = time.process_time()
    for _ in range(repeat):
        step()
    return 1e3 * (time.process_time() - started) / repeat


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--turns", type=int, default=40)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    print(f"| ms a step | one seed | {arguments.seeds} seeds | throughput |\n|---|---:|---:|---:|")
    for name, options in LATENTS.items():
        one, many = stepper(options, 1), stepper(options, arguments.seeds)
        milliseconds(one, 20), milliseconds(many, 20)
        times = [(milliseconds(one, 5), milliseconds(many, 5)) for _ in range(arguments.turns)]
        single, stack = (statistics.median(column) for column in zip(*times, strict=True))
        throughput = statistics.median(arguments.seeds * a / b for a, b in times)
        print(f"| {name} | {single:.2f} | {stack:.2f} | {throughput:.1f} |")


if __name__ == "__main__":
    main()
