"""Untrained link predictors from the training edges alone: common neighbours, personalised PageRank."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from hypgraph.evaluation.node_pairs import Pairs, as_pairs, blocks, row_products
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.exceptions import ConfigError

__all__ = ["common_neighbours", "personalised_pagerank"]

# A block of iterates is N × 32 numbers: wide enough to reuse the sparse matrix, narrow enough for the cache.
SOURCES_A_BLOCK = 32


def common_neighbours(graph: TrainingGraph, pairs: Pairs) -> NDArray[np.float64]:
    """Number of common neighbours, |Γ(u) ∩ Γ(v)| = (A²)_uv (Liben-Nowell & Kleinberg 2003).

    Args:
        graph: training edges.
        pairs: shape ``(2, P)``.

    Returns:
        Counts as floats, shape ``(P,)``.

    >>> common_neighbours(TrainingGraph.from_edges([[0, 1], [1, 2]], 4), [[0, 0], [2, 3]])
    array([1., 0.])
    """
    return row_products(graph.adjacency, as_pairs(pairs, graph.num_nodes))


def personalised_pagerank(
    graph: TrainingGraph, pairs: Pairs, *, restart: float = 0.15, tolerance: float = 1e-12
) -> NDArray[np.float64]:
    """Personalised PageRank in both directions, P_uv + P_vu.

    P = α (I − (1 − α) D⁻¹A)⁻¹: row u holds where a random walk from u is found that returns to u with
    probability α before each step (Page et al. 1999; as a link predictor Liben-Nowell & Kleinberg 2003).

    On an undirected graph P = D^-½ S D^½ with S = α (I − (1 − α) D^-½ A D^-½)⁻¹ symmetric, so one column of S
    serves both directions and one end point of each pair is enough. The columns come from Chebyshev
    semi-iteration (Golub & Varga 1961), a third of the steps that power iteration takes.

    Args:
        graph: training edges.
        pairs: two different nodes each, shape ``(2, P)``.
        restart: α, in (0, 1).
        tolerance: bound on the error of S_uv; the score's is √(d_u/d_v) + √(d_v/d_u) times that.

    Returns:
        Scores, shape ``(P,)``; exactly 0 where no path joins the two, and so for isolated nodes.

    Raises:
        ConfigError: if ``restart`` or ``tolerance`` is outside (0, 1).

    >>> personalised_pagerank(TrainingGraph.from_edges([[0], [1]], 3), [[0, 0], [1, 2]]).round(6)
    array([0.918919, 0.      ])
    """
    for name, value in (("restart", restart), ("tolerance", tolerance)):
        if not 0.0 < value < 1.0:
            raise ConfigError(f"{name}: {value} is not strictly between 0 and 1; leave it out for the default")
    nodes = as_pairs(pairs, graph.num_nodes)
    component = connected_components(graph.adjacency, directed=False)[1]
    joined = np.flatnonzero(component[nodes[0]] == component[nodes[1]])
    u, v = nodes[:, joined]
    # Starting each walk at the end point that more pairs share leaves fewer columns to compute.
    uses = np.bincount(np.concatenate([u, v]), minlength=graph.num_nodes)
    source, target = np.where(uses[u] >= uses[v], (u, v), (v, u))
    sources, column = np.unique(source, return_inverse=True)

    root_degree = np.sqrt(np.maximum(graph.degree, 1))
    walk = _scaled_symmetrically(graph.adjacency, math.sqrt(1.0 - restart) / root_degree)
    between = np.zeros(len(joined))
    for block in blocks(len(sources), SOURCES_A_BLOCK):
        wanted = np.flatnonzero((column >= block.start) & (column < block.stop))
        solution = _solve_shifted(walk, sources[block], spectral_radius=1.0 - restart, tolerance=tolerance)
        between[wanted] = restart * solution[target[wanted], column[wanted] - block.start]
    ratio = root_degree[u] / root_degree[v]
    scores = np.zeros(nodes.shape[1])
    scores[joined] = between * (ratio + 1.0 / ratio)
    return scores


def _scaled_symmetrically(matrix: csr_array, scale: NDArray[np.float64]) -> csr_array:
    """diag(scale) M diag(scale)."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    data = matrix.data * scale[row] * scale[matrix.indices]
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _solve_shifted(
    matrix: csr_array, sources: NDArray[np.int64], *, spectral_radius: float, tolerance: float
) -> NDArray[np.float64]:
    """Columns of (I − M)⁻¹ for a symmetric M with spectrum in [−ρ, ρ], ρ < 1, by Chebyshev semi-iteration.

    For b the unit vector at each of ``sources``, x₀ = 0, x₁ = b, x_{k+1} = ω (M x_k + b) + (1 − ω) x_{k−1}
    with ω = 1/(1 − ¼ρ²ω) from one step to the next. After k steps the error is at most 2 σ^k ‖x‖ with
    σ = ρ/(1 + √(1 − ρ²)), and ‖x‖ ≤ 1/(1 − ρ); ``tolerance`` is 2 σ^k.
    """
    sigma = spectral_radius / (1.0 + math.sqrt(1.0 - spectral_radius**2))
    steps = max(1, math.ceil(math.log(0.5 * tolerance) / math.log(sigma)))
    columns = np.arange(len(sources))
    previous = np.zeros((matrix.shape[0], len(sources)))
    current = previous.copy()
    current[sources, columns] = 1.0
    omega = 2.0
    for _ in range(steps - 1):
        omega = 1.0 / (1.0 - 0.25 * spectral_radius**2 * omega)
        following = (omega * matrix) @ current
        following[sources, columns] += omega
        previous *= 1.0 - omega
        following += previous
        previous, current = current, following
    return current
