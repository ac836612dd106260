"""Time and recall of the nearest neighbours: exact, approximate, and all distances in float64.

    python benchmarks/neighbors.py [--points 20000] [--dims 2 5 16] [--radii 12 36] [-k 10] [--no-approximate]

One thread, CPU time, medians of the turns. Radii uniform, directions uniform. All points are asked for their k
nearest others; of all distances and of recalls only ``--rows`` of them, as these take a hundred times longer.
Recall is the share of what is found that is no further away than the k-th nearest. The approximate search pays
for building its graph first, which stands in a column of its own.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from hypgraph.manifolds import Manifold, PoincareBall, Polar
from hypgraph.neighbors import Neighbors

Found = tuple[torch.Tensor, torch.Tensor]


class Measured(NamedTuple):
    build: float  # s
    search: float  # µs a query
    recall: float


def random_points(count: int, dim: int, largest: float) -> Polar:
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    radius = largest * torch.rand(count, generator=generator, dtype=torch.float64)
    return Polar(radius, direction / torch.linalg.vector_norm(direction, dim=1, keepdim=True))


def all_distances(points: Polar, manifold: Manifold, rows: list[int], k: int) -> Found:
    """The k nearest others from every distance, one row at a time."""
    distance, index = torch.empty(len(rows), k).double(), torch.empty(len(rows), k, dtype=torch.int64)
    for place, row in enumerate(rows):
        lengths = manifold.dist_polar(Polar(points.radius[row], points.direction[row]), points)
        lengths[row] = torch.inf
        distance[place], index[place] = torch.topk(lengths, k, largest=False)
    return distance, index


def recall(found: Found, rows: list[int], expected: Found) -> float:
    return float((found[0][rows] <= expected[0][:, -1:] * (1 + 1e-12)).double().mean())


def timed(step: Callable[..., Found], *arguments: object) -> tuple[float, Found]:
    before = time.process_time()
    found = step(*arguments)
    return time.process_time() - before, found


def measure(
    method: str, points: Polar, manifold: Manifold, k: int, rows: list[int], expected: Found, turns: int
) -> Measured:
    count, measured = len(points.radius), []
    for _ in range(turns):
        before = time.process_time()
        neighbors = Neighbors(points, manifold, method=method)
        build = time.process_time() - before
        search, found = timed(neighbors.query_nodes, range(count), k)
        measured.append(Measured(build, 1e6 * search / count, recall(found, rows, expected)))
    return Measured(*(statistics.median(part) for part in zip(*measured, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--dims", type=int, nargs="+", default=[2, 5, 16])
    parser.add_argument("--radii", type=float, nargs="+", default=[12.0, 36.0])
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--no-approximate", action="store_true", help="without usearch and numba")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    methods = ["exact"] if arguments.no_approximate else ["exact", "approximate"]
    if not arguments.no_approximate:  # the first one compiles the metric
        for dim in arguments.dims:
            Neighbors(random_points(2, dim, 1.0), PoincareBall(dim), method="approximate")
    print(f"{arguments.points:,} points, k={arguments.k}, one thread, torch {torch.__version__}\n")
    print("| d | radius | method | build, s | µs a query | recall |\n|---:|---:|---|---:|---:|---:|")
    rows = torch.randperm(arguments.points, generator=torch.Generator().manual_seed(1))[: arguments.rows].tolist()
    for dim in arguments.dims:
        for largest in arguments.radii:
            points, manifold = random_points(arguments.points, dim, largest), PoincareBall(dim)
            spent, expected = timed(all_distances, points, manifold, rows, arguments.k)
            for method in methods:
                cells = measure(method, points, manifold, arguments.k, rows, expected, arguments.turns)
                figures = f"{cells.build:.2f} | {cells.search:.0f} | {cells.recall:.4f}"
                print(f"| {dim} | {largest:g} | {method} | {figures} |", flush=True)
            print(f"| {dim} | {largest:g} | all distances | 0.00 | {1e6 * spent / len(rows):.0f} | 1.0000 |")


if __name__ == "__main__":
    main()
