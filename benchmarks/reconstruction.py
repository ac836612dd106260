"""Time to rank all nodes from every node: mean average precision and mean rank, exact.

    python benchmarks/reconstruction.py [--nodes 5000 20000] [--dim 2] [--turns 3]

One thread, CPU seconds, medians of the turns. Random pairs of nodes, as many as twice the nodes, so that the
mean degree is 4; radii uniform up to 36. Beside it what the plain way takes, distances and a sort of each row,
estimated from a fiftieth of the rows.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from hypgraph.evaluation import reconstruction
from hypgraph.manifolds import Euclidean, Manifold, PoincareBall, Polar

LARGEST_RADIUS = 36.0


def random_points(count: int, dim: int, generator: torch.Generator) -> Polar:
    radius = LARGEST_RADIUS * torch.rand(count, generator=generator, dtype=torch.float64)
    direction = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    return Polar(radius, direction / torch.linalg.vector_norm(direction, dim=1, keepdim=True))


def plainly(points: Polar, manifold: Manifold, rows: int) -> None:
    for row in range(rows):
        distance = manifold.dist_polar(Polar(points.radius[row], points.direction[row]), points)
        np.argsort(distance.numpy().round(12))


def seconds(step: Callable[..., object], *arguments: object) -> float:
    before = time.process_time()
    step(*arguments)
    return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[5000, 20_000])
    parser.add_argument("--dim", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"mean degree 4, d={arguments.dim}, one thread, torch {torch.__version__}\n")
    print("| nodes | space | s | ns a pair | distances and a sort, s |\n|---:|---|---:|---:|---:|")
    for count in arguments.nodes:
        generator = torch.Generator().manual_seed(0)
        points = random_points(count, arguments.dim, generator)
        pairs = torch.randint(count, (2, 2 * count), generator=generator)
        for manifold in (PoincareBall(arguments.dim), Euclidean(arguments.dim)):
            ours, plain, rows = [], [], max(1, count // 50)
            for _ in range(arguments.turns):
                ours.append(seconds(reconstruction, pairs, points, manifold))
                plain.append(seconds(plainly, points, manifold, rows) * count / rows)
            middle = statistics.median(ours)
            cells = f"{middle:.2f} | {1e9 * middle / count**2:.1f} | {statistics.median(plain):.1f}"
            print(f"| {count:,} | {manifold.name} | {cells} |")


if __name__ == "__main__":
    main()
