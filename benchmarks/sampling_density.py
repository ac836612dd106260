"""Time to draw from every node's posterior and weigh the draws, with gradients, beside PyG and torch.

    python benchmarks/sampling_density.py [--nodes 2708] [--turns 100] [--device cuda]

A step draws one point for each of N posteriors, evaluates log q - log p against the prior at the origin, and goes
back to centres and scales, through the density and through the points. Ours are in float64 with a scale a node, as
`hypgraph train` has them, or one for each direction; the points are wanted in coordinates, where training is
content with polar ones. `Normal` is torch's, in the same way; PyG's VGAE draws with `reparametrize` and has the
closed form `kl_loss` of flat space in place of two densities. One thread, CPU time; on a GPU, wall time with the
device waited for. The contenders take turns.
"""

import argparse
import warnings
from functools import partial

import torch
from torch import Tensor
from torch.distributions import Normal
from torch_geometric.nn import VGAE
from turns import Step, cells, clock_of, in_turns

from hypgraph.distributions import FAMILIES
from hypgraph.manifolds import MANIFOLDS, Manifold, Polar

OURS = {
    "wrapped normal, ball": ("wrapped", "poincare", 1),
    "wrapped normal, a scale each direction, ball": ("wrapped", "poincare", None),
    "Riemannian normal, ball": ("riemannian", "poincare", 1),
    "wrapped normal, Lorentz": ("wrapped", "lorentz", 1),
    "ours in flat space": ("wrapped", "euclidean", 1),
}
PYG, TORCH = "PyG VGAE: reparametrize, kl_loss; float32", "torch: Normal, float32"
DIMS = (16, 2)


class Leaves:
    """Centres and log-scales with gradients, and the weights that the draws meet on their way back."""

    def __init__(self, nodes: int, dim: int, scales: int, *, points: int, dtype: torch.dtype, device: str) -> None:
        generator = torch.Generator(device).manual_seed(0)
        options = {"generator": generator, "dtype": dtype, "device": device}
        self.mean = torch.randn(nodes, dim, **options).requires_grad_()  # type: ignore[call-overload]
        self.log_scale = (0.1 * torch.randn(nodes, scales, **options) - 1).requires_grad_()  # type: ignore[call-overload]
        self.weight: Tensor = torch.randn(nodes, points, **options) / nodes  # type: ignore[call-overload]

    def back(self, kl: Tensor, z: Tensor) -> None:
        self.mean.grad = self.log_scale.grad = None
        (kl + (z * self.weight).sum()).backward()


def step_of_ours(leaves: Leaves, family: str, manifold: Manifold, generator: torch.Generator) -> None:
    make = FAMILIES[family]
    scale = leaves.log_scale.exp()
    if "diagonal" not in make.scale_kinds:
        scale = scale.squeeze(-1)
    q = make(Polar.of(leaves.mean), scale, manifold, validate_args=False)
    p = make(None, scale.new_ones(()), manifold, validate_args=False)
    draw = q.rsample_polar(generator=generator)
    leaves.back((q.log_prob_of(draw) - p.log_prob_of(draw)).mean(), draw.value)


def step_of_torch(leaves: Leaves) -> None:
    q, p = Normal(leaves.mean, leaves.log_scale.exp(), validate_args=False), Normal(0.0, 1.0, validate_args=False)
    z = q.rsample()
    leaves.back((q.log_prob(z) - p.log_prob(z)).sum(-1).mean(), z)


def step_of_pyg(leaves: Leaves, model: VGAE = VGAE(torch.nn.Identity())) -> None:  # noqa: B008
    z = model.reparametrize(leaves.mean, leaves.log_scale)
    leaves.back(model.kl_loss(leaves.mean, leaves.log_scale), z)


def contenders(nodes: int, dim: int, device: str) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    for name, (family, latent, scales) in OURS.items():
        manifold = MANIFOLDS[latent](dim, 1.0)
        points = manifold.ambient_dim
        leaves = Leaves(nodes, dim, scales or dim, points=points, dtype=torch.float64, device=device)
        generator = torch.Generator(device).manual_seed(1)
        steps[name] = partial(step_of_ours, leaves, family, manifold, generator)
    for name, step, dtype in (
        (PYG, step_of_pyg, torch.float32),
        (TORCH, step_of_torch, torch.float32),
        ("torch: Normal, float64", step_of_torch, torch.float64),
    ):
        steps[name] = partial(step, Leaves(nodes, dim, dim, points=dim, dtype=dtype, device=device))
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=2708)
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.filterwarnings("ignore", message="`torch.jit.script.*` is deprecated", category=DeprecationWarning)
    clock, unit = clock_of(arguments.device)
    times = {
        dim: in_turns(contenders(arguments.nodes, dim, arguments.device), arguments.turns, clock) for dim in DIMS
    }
    columns = " | ".join(f"{unit}, d={dim} | ÷ PyG | ÷ Normal" for dim in DIMS)
    print(
        f"| N = {arguments.nodes:,}, median of {arguments.turns} | {columns} |\n|---|{'---:|' * (3 * len(DIMS))}"
    )
    for name in times[DIMS[0]]:
        print(f"| {name} | {' | '.join(cells(times[dim], name, [PYG, TORCH]) for dim in DIMS)} |")


if __name__ == "__main__":
    main()
