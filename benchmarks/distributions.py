"""CPU time of a training step of a VAE on vectors, by latent distribution, and of the Riemannian parts of it.

    python benchmarks/distributions.py [--turns 60] [--device cuda]

The step: a batch of 128 vectors of 784 numbers, an encoder with 600 hidden units, one draw, a gyroplane layer of
600 units (in flat space that is a linear layer) and a linear layer to 784 logits, Bernoulli likelihood, one-draw
Monte Carlo KL, fused Adam with amsgrad: the network of the experiment `mnist`, with its scales: one for each
direction, or one for the Riemannian normal. Latents are float64, in flat space too; `torch` is the same network of
torch's own modules and distributions in float32 throughout. One thread; on a GPU, wall time with the device waited
for. The contenders take turns, so that a slow moment of the machine hits all of them; the table has the median of
each, and the median of the ratios within a turn.

The second table has the Riemannian normal's own part, draws and log-densities with gradients, B = 128 and d = 20,
beside the way of the paper's code: the normaliser as an alternating series of error functions, and draws by
rejection under a hull of tangents at 20 points (Gilks and Wild 1992), written with whole tensors.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits

from hypgraph.distributions import RiemannianNormal
from hypgraph.manifolds import PoincareBall
from hypgraph.models import build_vae
from hypgraph.training.memory import keep_freed_memory
from hypgraph.training.vae_trainer import VAETrainer

BATCH, PIXELS, HIDDEN = 128, 784, 600
Step = Callable[[], object]
LATENTS = {
    "euclidean": {"latent": "euclidean", "posterior": "wrapped", "scales": "diagonal"},
    "wrapped": {"latent": "poincare", "posterior": "wrapped", "scales": "diagonal"},
    "riemannian": {"latent": "poincare", "posterior": "riemannian"},
}


class TorchNetwork(nn.Module):
    """The same in flat space, of torch's own parts."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * dim))
        self.decoder = nn.Sequential(nn.Linear(dim, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS))

    def loss(self, x: Tensor, _generator: torch.Generator) -> Tensor:
        mean, log_scale = self.encoder(x).chunk(2, dim=-1)
        posterior, prior = Normal(mean, log_scale.exp(), validate_args=False), Normal(0.0, 1.0)
        z = posterior.rsample()
        kl = (posterior.log_prob(z) - prior.log_prob(z)).sum(-1)
        reconstruction = binary_cross_entropy_with_logits(self.decoder(z), x, reduction="none").sum(-1)
        return (reconstruction + kl).mean()


def step_of_torch(network: TorchNetwork, x: Tensor, generator: torch.Generator) -> Step:
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4, amsgrad=True, fused=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        network.loss(x, generator).backward()
        optimizer.step()

    return step


def steps(dim: int, device: str) -> dict[str, Step]:
    generator = torch.Generator(device).manual_seed(0)
    x = torch.rand(BATCH, PIXELS, generator=generator, device=device)
    contenders = {"torch": step_of_torch(TorchNetwork(dim).to(device), x, generator)}
    for name, options in LATENTS.items():
        model = build_vae(PIXELS, dim=dim, hidden=HIDDEN, likelihood="bernoulli", **options).to(device)  # type: ignore[arg-type]
        trainer = VAETrainer(model, x, batch_size=BATCH, lr=5e-4, generator=generator)
        contenders[name] = partial(trainer.step, x)
    return contenders


def in_turns(contenders: dict[str, Step], turns: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    for step in contenders.values():
        for _ in range(5):
            step()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, step in contenders.items():
            started = clock()
            step()
            times[name].append(1e3 * (clock() - started))
    return times


def ratio(times: dict[str, list[float]], one: str, other: str) -> float:
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))


def riemannian_part(dim: int, c: float, device: str) -> Step:
    scale = torch.linspace(0.2, 1.5, BATCH, dtype=torch.float64, device=device).requires_grad_()
    ball, generator = PoincareBall(dim, c), torch.Generator(device).manual_seed(0)

    def step() -> None:
        scale.grad = None
        q = RiemannianNormal(None, scale, ball, validate_args=False)
        q.log_prob_of(q.rsample_polar(generator=generator)).sum().backward()

    return step


def series_part(dim: int, c: float, device: str) -> Step:
    """Normaliser by the alternating series, radius by adaptive rejection under tangents at 20 points."""
    scale = torch.linspace(0.2, 1.5, BATCH, dtype=torch.float64, device=device).requires_grad_()
    generator, root = torch.Generator(device).manual_seed(0), math.sqrt(c)
    k = torch.arange(dim, dtype=torch.float64, device=device)
    n = torch.tensor(dim - 1.0, dtype=torch.float64, device=device)
    log_binomial = torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
    sign, rate = 1 - 2 * (k % 2), (dim - 1 - 2 * k) * root

    def log_normalizer(sigma: Tensor) -> Tensor:
        x = rate * sigma.unsqueeze(-1)
        term = log_binomial + x.square() / 2 + torch.log1p(torch.erf(x / math.sqrt(2)))
        top = term.amax(-1, keepdim=True).detach()
        total = (sign * torch.exp(term - top)).sum(-1)
        constant = 0.5 * math.log(math.pi / 2) - (dim - 1) * math.log(2 * root)
        return torch.log(sigma) + torch.log(total) + top.squeeze(-1) + constant

    def log_density(r: Tensor, sigma: Tensor) -> Tensor:
        return -(r / sigma).square() / 2 + (dim - 1) * torch.log(torch.sinh(root * r) / root)

    @torch.no_grad()
    def draw(sigma: Tensor) -> Tensor:
        top = (dim - 1) * root * sigma.square() + sigma * math.sqrt(dim)
        points = torch.linspace(0.05, 2.0, 20, dtype=torch.float64, device=device) * top.unsqueeze(-1)
        height = log_density(points, sigma.unsqueeze(-1))
        slope = (dim - 1) * root / torch.tanh(root * points) - points / sigma.unsqueeze(-1).square()
        cross = height.diff() - (points * slope).diff()
        cuts = cross / -slope.diff()
        ends = torch.cat([torch.zeros_like(cuts[:, :1]), cuts, 4 * points[:, -1:]], dim=-1)
        level = height.amax(-1, keepdim=True)
        low, high = ((height + slope * (end - points) - level).exp() for end in (ends[:, :-1], ends[:, 1:]))
        mass = ((high - low) / slope).clamp(min=0)
        r, pending = torch.zeros_like(sigma), torch.ones_like(sigma, dtype=torch.bool)
        while bool(pending.any()):
            piece = torch.multinomial(mass, 1, generator=generator)
            u, v = torch.rand(2, len(sigma), 1, dtype=torch.float64, device=device, generator=generator)
            a, left, x = (t.gather(-1, piece) for t in (slope, low, points))
            span = a * mass.gather(-1, piece)
            candidate = x + (torch.log(left + u * span) + level - height.gather(-1, piece)) / a
            hull = height.gather(-1, piece) + a * (candidate - x)
            accept = (torch.log(v) < log_density(candidate, sigma.unsqueeze(-1)) - hull).squeeze(-1) & pending
            r = torch.where(accept, candidate.squeeze(-1), r)
            pending = pending & ~accept
        return r

    def cdf_gradient(r: Tensor, sigma: Tensor) -> Tensor:
        """dr/dσ by implicit reparameterisation, the CDF again as a series."""
        with torch.enable_grad():
            s = sigma.detach().requires_grad_()
            x = rate * s.unsqueeze(-1)
            shifted = (r.unsqueeze(-1) / s.unsqueeze(-1) - x) / math.sqrt(2)
            term = log_binomial + x.square() / 2
            top = term.amax(-1, keepdim=True).detach()
            weight = sign * torch.exp(term - top)
            part = (weight * (torch.erf(x / math.sqrt(2)) + torch.erf(shifted))).sum(-1)
            whole = (weight * (1 + torch.erf(x / math.sqrt(2)))).sum(-1)
            (slope,) = torch.autograd.grad((part / whole).sum(), s)
        return -slope / torch.exp(log_density(r, sigma) - log_normalizer(sigma)).clamp(min=1e-300)

    def step() -> None:
        scale.grad = None
        r = draw(scale.detach())
        r = r + cdf_gradient(r, scale.detach()).detach() * (scale - scale.detach())
        (log_density(r, scale) - log_normalizer(scale)).sum().backward()

    return step


def gpu_clock() -> float:
    torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    keep_freed_memory()
    device = arguments.device
    clock = gpu_clock if device == "cuda" else time.process_time
    print("| ms a step | torch | euclidean | wrapped | riemannian | wrapped ÷ euclidean | riemannian ÷ wrapped |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    share = 0.0
    for dim in (2, 5, 10, 20):
        times = in_turns(steps(dim, device), arguments.turns, clock)
        cells = [f"{statistics.median(values):.2f}" for values in times.values()]
        ratios = [ratio(times, "wrapped", "euclidean"), ratio(times, "riemannian", "wrapped")]
        print(f"| d = {dim} | {' | '.join(cells)} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
        share = statistics.median(times["riemannian"])
    parts = {"exact": riemannian_part(20, 1.0, device), "series": series_part(20, 1.0, device)}
    times = in_turns(parts, 4 * arguments.turns, clock)
    print("\n| draw, log Z and gradients, B = 128, d = 20 | ms | of the step |\n|---|---:|---:|")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"| {name} | {median:.2f} | {100 * median / share:.0f} % |")


if __name__ == "__main__":
    main()
