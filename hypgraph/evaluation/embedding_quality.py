"""How well the positions of nodes tell the graph: reconstruction, distortion, and what the radius stands for.

All distances between points are taken from polar coordinates, which are exact at any radius; in ball coordinates
distortion near the boundary would measure rounding.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import shortest_path
from scipy.special import stdtrit

from hypgraph.evaluation.intervals import MeanInterval
from hypgraph.evaluation.node_pairs import Pairs
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.exceptions import ConfigError, DataError, NumericalError
from hypgraph.manifolds import Manifold, Polar

__all__ = ["EmbeddingQuality", "checked_points", "embedding_quality", "rank_correlation"]

# All pairs up to here; 2048 nodes take some seconds.
EXACT_UP_TO = 2048
SOURCES_SAMPLED = 1024
# Numbers in the largest temporary array, differences of directions.
NUMBERS_A_BLOCK = 1 << 22
# Ratios of distances that are kept for the best scale and its distortion.
RATIOS_KEPT = 1 << 23
# Points that are symmetric have distances that differ in the last bits; an order by those is noise.
TRUSTED_DECIMALS = 12


@dataclass(frozen=True)
class EmbeddingQuality:
    """What :func:`embedding_quality` measures. Intervals are 95 %; a half-width of 0 means exact.

    Attributes:
        mean_average_precision: reconstruction: rank all other nodes by distance from a node; the average
            precision of its neighbours, averaged over nodes that have any; 1 is perfect. The mean over all
            orders of tied nodes.
        mean_rank: mean over edges, from both ends, of the neighbour's rank among those that are no neighbours,
            ties counted half (Nickel & Kiela 2017); 1 is perfect.
        distortion: mean over connected pairs of |d_h/d_g - 1|, with d_h the distance of the points and d_g the
            shortest path (Sala et al. 2018).
        scaled_distortion: the same with s·d_h for d_h, s = ``scale``. In hyperbolic space a scale is a curvature.
            Its interval takes the scale as given, which at the minimum makes no difference to first order.
        scale: the s > 0 that makes ``scaled_distortion`` smallest; NaN if all points coincide.
        worst_distortion: max d_h/d_g over min d_h/d_g (Sala et al. 2018), the same at any scale; at least 1, and
            ∞ if two connected nodes coincide. When sampled, of the pairs seen: a lower bound (NaN if none was).
        near_boundary: share of points with a radius above ``boundary_fraction`` of the largest that coordinates
            hold, ``manifold.max_radius``.
        radius_degree: Spearman correlation of radius with degree; hierarchies make it negative. NaN if either is
            constant.
        radius_depth: Spearman correlation of radius with depth, or None where no depth was given.
        num_nodes: N.
        num_sources: from how many nodes distances were compared.
    """

    mean_average_precision: MeanInterval
    mean_rank: MeanInterval
    distortion: MeanInterval
    scaled_distortion: MeanInterval
    scale: float
    worst_distortion: float
    near_boundary: float
    radius_degree: float
    radius_depth: float | None
    num_nodes: int
    num_sources: int


class _PerSource(NamedTuple):
    """One row a source: sums that ratios of means are made of."""

    precision: NDArray[np.float64]
    rank_sum: NDArray[np.float64]
    degree: NDArray[np.int64]
    ratios: NDArray[np.float64]  # [m, T], NaN where no path joins the two
    worst: float


def embedding_quality(
    edge_index: Pairs,
    points: Polar,
    manifold: Manifold,
    *,
    sample: int | None = None,
    generator: torch.Generator | None = None,
    depth: ArrayLike | torch.Tensor | None = None,
    boundary_fraction: float = 0.9,
) -> EmbeddingQuality:
    """Compare distances of points with the graph that they should represent.

    Rows of distances are made a block at a time, so that memory does not grow with N². Sampled figures come from
    all other nodes as seen from ``sample`` random ones; their intervals are those of a ratio of means over
    sources drawn without replacement (Cochran 1977, section 6). Beyond 8 million pairs the distortions use
    random targets of each source. Ranks take distances that agree to 12 decimals for ties.

    Args:
        edge_index: ``(2, E)``; directions, repetitions and self-loops do not matter.
        points: one a node: radius ``[N]``, direction ``[N, d]``, about the origin of ``manifold``.
        manifold: where they lie.
        sample: how many nodes to compare from, at least 2; N or more is all. By default all up to 2048 nodes,
            1024 beyond.
        generator: for the sample; needed when sampling.
        depth: ``[N]``, the depth of each node in its hierarchy; NaN where it is not known.
        boundary_fraction: see ``near_boundary``; in (0, 1].

    Raises:
        DataError: if shapes do not fit, or there is no edge.
        NumericalError: if a point is not finite.
        ConfigError: if ``sample`` is below 2, sampling has no generator, or the fraction is not in (0, 1].

    >>> from hypgraph.manifolds import Euclidean
    >>> line = Euclidean(1).to_polar(torch.tensor([[-1.0], [0.0], [1.0]], dtype=torch.float64))
    >>> result = embedding_quality([[0, 1], [1, 2]], line, Euclidean(1))
    >>> result.mean_average_precision.mean, result.distortion.mean, result.worst_distortion
    (1.0, 0.0, 1.0)
    """
    largest_radius = float(manifold.max_radius(points.radius.dtype))
    points = checked_points(points)
    count = len(points.radius)
    graph = TrainingGraph.from_edges(edge_index, count)
    if not graph.adjacency.nnz:
        raise DataError("edge_index: holds no edge that joins two nodes; there is nothing to reconstruct")
    if not 0.0 < boundary_fraction <= 1.0:
        raise ConfigError(f"boundary_fraction: {boundary_fraction} is not in (0, 1]; 0.9 is usual")
    sources = _sources(count, sample, generator)
    rows = _compare(graph, points, manifold, sources, generator)

    known = np.isfinite(rows.ratios)
    pairs = known.sum(axis=1)
    scale = _best_scale(rows.ratios[known])
    targets_sampled = rows.ratios.shape[1] < count
    population = math.inf if targets_sampled else count
    plain = np.nansum(np.abs(rows.ratios - 1.0), axis=1)
    scaled = np.nansum(np.abs(scale * rows.ratios - 1.0), axis=1) if math.isfinite(scale) else 1.0 * pairs
    radius = points.radius.cpu().numpy()
    return EmbeddingQuality(
        mean_average_precision=_ratio_of_means(rows.precision, rows.degree > 0, count),
        mean_rank=_ratio_of_means(rows.rank_sum, rows.degree, count),
        distortion=_ratio_of_means(plain, pairs, population),
        scaled_distortion=_ratio_of_means(scaled, pairs, population),
        scale=scale,
        worst_distortion=rows.worst,
        near_boundary=float(np.mean(radius > boundary_fraction * largest_radius)),
        radius_degree=rank_correlation(radius, graph.degree),
        radius_depth=None if depth is None else _with_depth(radius, depth),
        num_nodes=count,
        num_sources=len(sources),
    )


def rank_correlation(x: NDArray[np.floating], y: NDArray[np.floating] | NDArray[np.int64]) -> float:
    """Spearman's rank correlation, ties given their mean rank; NaN if either is constant.

    >>> round(rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([5, 5, 7])), 6)
    0.866025
    """
    ranks_x, ranks_y = (_mean_ranks(values) for values in (x, y))
    spread = math.sqrt(float(ranks_x @ ranks_x) * float(ranks_y @ ranks_y))
    return float(ranks_x @ ranks_y) / spread if spread else math.nan


def _mean_ranks(values: NDArray[np.floating] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Ranks with ties at their mean, less the mean of all."""
    _, position, uses = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(uses) - (uses - 1) / 2.0
    centered: NDArray[np.float64] = ranks[position] - (len(values) + 1) / 2.0
    return centered


def _with_depth(radius: NDArray[np.float64], depth: ArrayLike | torch.Tensor) -> float:
    values = np.asarray(depth.detach().cpu() if isinstance(depth, torch.Tensor) else depth, dtype=np.float64)
    if values.shape != radius.shape:
        raise DataError(f"depth: has shape {values.shape} for {len(radius)} nodes; give one number a node")
    known = ~np.isnan(values)
    return rank_correlation(radius[known], values[known])


def checked_points(points: Polar) -> Polar:
    """``points`` in float64, which their distances need, or an error."""
    radius, direction = points.radius.detach().double(), points.direction.detach().double()
    if radius.ndim != 1 or direction.ndim != 2 or len(direction) != len(radius):
        raise DataError(
            f"points: radius {tuple(radius.shape)} and direction {tuple(direction.shape)} do not fit; "
            "need (N,) and (N, d)"
        )
    if undefined := int((~(torch.isfinite(radius) & torch.isfinite(direction).all(dim=1))).sum()):
        raise NumericalError(
            f"points: {undefined} of {len(radius)} are not finite; look for a model that diverged "
            "(a lower learning rate often helps)"
        )
    return Polar(radius, direction)


def _sources(count: int, sample: int | None, generator: torch.Generator | None) -> NDArray[np.int64]:
    """The nodes to compare from, in ascending order."""
    if sample is None:
        sample = count if count <= EXACT_UP_TO else SOURCES_SAMPLED
    if sample >= count:
        return np.arange(count)
    if sample < 2:
        raise ConfigError(f"sample: {sample} is too few, an interval needs at least 2 nodes; 1024 are usual")
    if generator is None:
        raise ConfigError(f"generator: none was given, but {sample} of {count} nodes are drawn; give a generator")
    chosen = torch.randperm(count, generator=generator, device=generator.device)[:sample]
    return np.sort(chosen.cpu().numpy())


def _compare(
    graph: TrainingGraph,
    points: Polar,
    manifold: Manifold,
    sources: NDArray[np.int64],
    generator: torch.Generator | None,
) -> _PerSource:
    count = graph.num_nodes
    columns = min(count, max(2, RATIOS_KEPT // len(sources)))
    if columns < count and generator is None:
        raise ConfigError(
            f"generator: none was given, but {columns} targets of each of {len(sources)} nodes are drawn; "
            "give a generator"
        )
    precision, rank_sum = np.zeros((2, len(sources)))
    ratios = np.empty((len(sources), columns))
    smallest, largest = math.inf, -math.inf
    for rows, distance in _distance_rows(points, manifold, sources):
        nodes = sources[rows]
        steps = shortest_path(graph.adjacency, method="D", unweighted=True, indices=nodes)
        with np.errstate(divide="ignore", invalid="ignore"):  # a node and itself: 0/0
            ratio = np.where(np.isfinite(steps) & (steps > 0), distance / steps, np.nan)
        if np.isfinite(ratio).any():
            smallest, largest = min(smallest, float(np.nanmin(ratio))), max(largest, float(np.nanmax(ratio)))
        if columns < count and generator is not None:
            draw = torch.randint(count, (len(nodes), columns), generator=generator, device=generator.device)
            ratio = np.take_along_axis(ratio, draw.cpu().numpy(), axis=1)
        ratios[rows] = ratio
        distance[np.arange(len(nodes)), nodes] = np.inf  # a node is not its own candidate
        neighbour = graph.adjacency[nodes].toarray() > 0
        precision[rows], rank_sum[rows] = _reconstruction(distance.round(TRUSTED_DECIMALS), neighbour)
    worst = math.nan if not largest >= smallest else largest / smallest if smallest > 0 else math.inf
    return _PerSource(precision, rank_sum, graph.degree[sources], ratios, worst)


def _distance_rows(
    points: Polar, manifold: Manifold, sources: NDArray[np.int64]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Distances ``[B, N]`` from the sources to all points, a block at a time."""
    step = max(1, NUMBERS_A_BLOCK // max(1, points.direction.numel()))
    for start in range(0, len(sources), step):
        rows = slice(start, start + step)
        nodes = torch.from_numpy(sources[rows]).to(points.radius.device)
        here = Polar(points.radius[nodes, None], points.direction[nodes, None])
        with torch.no_grad():
            distance = manifold.dist_polar(here, points)
        yield rows, distance.cpu().numpy()


def _reconstruction(
    distance: NDArray[np.float64], neighbour: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average precision of each row's neighbours (0 where it has none), and the sum of their ranks.

    In a group of t tied nodes with m neighbours, after c nodes with p neighbours, each place i = 1..t holds a
    neighbour with chance m/t, and then (i-1)(m-1)/(t-1) others are expected before it in the group; so the group
    adds (m/t) Σ_i (p + 1 + (i-1)(m-1)/(t-1))/(c+i) to the sum of precisions (McSherry & Najork 2008).
    """
    height, width = distance.shape
    order = np.argsort(distance, axis=1)
    ordered = np.take_along_axis(distance, order, axis=1)
    hit = np.take_along_axis(neighbour, order, axis=1).ravel()
    first = np.ones((height, width), dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    start = np.flatnonzero(first)
    row, before = np.divmod(start, width)
    size = np.diff(start, append=height * width)
    found = np.add.reduceat(hit, start, dtype=np.int64)
    found_before = np.cumsum(found) - found
    found_before -= found_before[np.searchsorted(row, np.arange(height))][row]

    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, width + 1))])
    reciprocals = np.where(size == 1, 1.0 / (before + 1), harmonic[before + size] - harmonic[before])
    others = (found - 1) / np.maximum(size - 1, 1)
    precision = found / size * ((found_before + 1) * reciprocals + others * (size - (before + 1) * reciprocals))
    rank = 1.0 + (before - found_before) + (size - found) / 2.0
    degree = np.maximum(neighbour.sum(axis=1), 1)
    return (
        np.bincount(row, precision, minlength=height) / degree,
        np.bincount(row, found * rank, minlength=height).astype(np.float64),
    )


def _best_scale(ratios: NDArray[np.float64]) -> float:
    """The s > 0 with the least Σ |s x - 1|: 1/s is the median of the ratios x, each weighted by itself.

    The slope Σ ±x changes its sign where the ratios above 1/s weigh as much as those below.
    """
    ascending = np.sort(ratios)
    weight = np.cumsum(ascending)
    if not len(weight) or weight[-1] <= 0.0:
        return math.nan
    return float(1.0 / ascending[np.searchsorted(weight, 0.5 * weight[-1])])


def _ratio_of_means(
    numerator: NDArray[np.float64], denominator: NDArray[np.int64] | NDArray[np.bool_], population: float
) -> MeanInterval:
    """Σ y / Σ x over sampled rows, with the 95 % interval of its linearisation; exact if all rows are there."""
    total = float(denominator.sum())
    if not total:
        return MeanInterval(math.nan, math.nan)
    ratio = float(numerator.sum()) / total
    count = len(numerator)
    if count >= population:
        return MeanInterval(ratio, 0.0)
    rest = numerator - ratio * denominator
    variance = (1.0 - count / population) * float(rest @ rest) / (count - 1) / count
    return MeanInterval(ratio, float(stdtrit(count - 1, 0.975)) * math.sqrt(variance) * count / total)
