"""CPU time of one training step on Cora: ours on each latent space, beside PyG's VGAE of PyG's own modules.

    python benchmarks/vgae_step.py [--device cuda]

One thread; on a GPU, wall time with the device waited for. The contenders take turns, so that a slow moment of the
machine hits all of them; the table has the median of each and the median of the ratios within a turn. A step is
fresh negatives, encoder, draw, loss, gradients and the optimiser, as in `hypgraph train`; the validation of each
epoch is timed apart.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import torch

from hypgraph.config import load_config
from hypgraph.experiments.link_prediction import LinkPrediction


def ours(latent: str, data: str, device: str) -> LinkPrediction:
    overrides = {"data.name": data, "model.latent": latent, "training.device": device}
    return LinkPrediction.prepare(load_config(overrides=overrides))


def pyg_vgae(run: LinkPrediction) -> Callable[[], None]:
    """As in PyG's documentation: dense features, GCNConv, inner-product decoder, its negative sampling."""
    from torch_geometric.nn import VGAE, GCNConv

    class Encoder(torch.nn.Module):
        def __init__(self, in_features: int, hidden: int, out_features: int) -> None:
            super().__init__()
            self.conv = GCNConv(in_features, hidden, cached=True)
            self.mu = GCNConv(hidden, out_features, cached=True)
            self.logstd = GCNConv(hidden, out_features, cached=True)

        def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            x = self.conv(x, edge_index).relu()
            return self.mu(x, edge_index), self.logstd(x, edge_index)

    positive = run.task.positive
    features = torch.as_tensor(run.graph.features.todense()).to(positive.device)
    edge_index = torch.cat([positive, positive.flip(0)], dim=1)
    config = run.config.model
    model = VGAE(Encoder(features.shape[1], config.hidden, config.dim)).to(positive.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step() -> None:
        model.train()
        optimizer.zero_grad()
        z = model.encode(features, edge_index)
        loss = model.recon_loss(z, positive) + model.kl_loss() / features.shape[0]
        loss.backward()
        optimizer.step()

    return step


def gpu_clock() -> float:
    torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="cora")
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="`torch.jit.script.*` is deprecated", category=DeprecationWarning)
    runs = {
        latent: ours(latent, arguments.data, arguments.device) for latent in ("poincare", "lorentz", "euclidean")
    }
    contenders: dict[str, Callable[[], object]] = {
        "ours, poincare": runs["poincare"].trainer.step,
        "ours, lorentz": runs["lorentz"].trainer.step,
        "ours, euclidean": runs["euclidean"].trainer.step,
        "PyG VGAE, dense features": pyg_vgae(runs["euclidean"]),
        "ours, poincare: validation": runs["poincare"].trainer.validate,
    }
    clock = time.process_time if arguments.device == "cpu" else gpu_clock
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(arguments.turns + 10):
        for name, step in contenders.items():
            before = clock()
            step()
            after = clock()
            if turn >= 10:
                times[name].append(1e3 * (after - before))
    reference = {"/ PyG": "PyG VGAE, dense features", "/ euclidean": "ours, euclidean"}
    config = runs["poincare"].config.model
    setting = f"{arguments.data}, d={config.dim}, {config.decoder}, {config.dtype} latents"
    device = torch.cuda.get_device_name() if arguments.device == "cuda" else "one thread"
    print(f"{setting}, {device}, torch {torch.__version__}\n")
    unit = "CPU-ms" if arguments.device == "cpu" else "ms"
    print(f"| {unit} a step, median of {arguments.turns} | ms | {' | '.join(reference)} |\n|---|---:|---:|---:|")
    for name, values in times.items():
        ratios = [
            statistics.median(a / b for a, b in zip(values, times[other], strict=True))
            for other in reference.values()
        ]
        print(f"| {name} | {statistics.median(values):.2f} | {' | '.join(f'{r:.2f}' for r in ratios)} |")


if __name__ == "__main__":
    main()
