"""What training edges and node features say about a pair of nodes: nine numbers that a decoder may read."""

import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array

from hypgraph.data.feature_weights import is_binary, normalise_rows, scale_rows, tf_idf
from hypgraph.evaluation.graph_similarity import resource_allocation
from hypgraph.evaluation.node_pairs import Pairs, as_pairs, blocks, row_products
from hypgraph.evaluation.resolvent import scale_symmetrically
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.exceptions import ConfigError, DataError

__all__ = ["PairFeatures", "truncated_pagerank"]

Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

RESTART = 0.15
STEPS = 8
# Added before the logarithm. On Cora an edge scores near 0.1; of random pairs 37 % score 0, as no path of at most
# 8 edges joins them, and 21 % score between 1e-10 and 1e-6. This floor puts all of these side by side near its
# logarithm; a much smaller one would put "no path" far below the rest and let it set the scale of the column.
PAGERANK_FLOOR = 1e-6
ALLOCATION_FLOOR = 0.01

GRAPH_ONLY = ("log_pagerank", "sum_log_degree", "difference_log_degree", "log_resource_allocation")
WITH_FEATURES = (
    "log_pagerank",
    "cosine_x",
    "cosine_ax",
    "cosine_aax",
    "sum_log_degree",
    "difference_log_degree",
    "cosine_x_ax",
    "best_neighbour_cosine",
    "log_resource_allocation",
)

# Columns of the walk matrix at a time: an N×128 matrix in float32 takes 10 MB on PubMed.
SOURCES_A_BLOCK = 128
# Rows that are gathered for an inner product stay in the cache.
DENSE_PAIRS_A_BLOCK = 128
# Numbers in a dense slice of the propagated features, 64 MB in float32; two exist at a time.
DENSE_SIZE = 16_000_000
# All cosines are computed at once where they take at most 100 MB and about half a second.
COSINES_MOST_NODES = 5_000
COSINES_MOST_WORK = 1_000_000_000
# Pairs of an end and a neighbour of the other end that are compared at a time; a single pair may exceed it.
COMPARISONS_A_BLOCK = 500_000


class PairFeatures:
    """Features φ of pairs of nodes, for the decoder that also sees the graph.

    Columns, in the order of ``names``; X are the node features (binary ones weighted by tf-idf, then rows of
    length 1), Â = D̃^-½ (A + I) D̃^-½, both as in
    :func:`~hypgraph.evaluation.feature_similarity.cosine_propagated_features`:

    1. ``log_pagerank``: log(10⁻⁶ + s), s the symmetric personalised PageRank of 8 steps, see
       :func:`truncated_pagerank`;
    2. ``cosine_x``, ``cosine_ax``, ``cosine_aax``: cosines of the rows of X, ÂX and Â²X;
    3. ``sum_log_degree``, ``difference_log_degree``: log(1 + d_u) + log(1 + d_v), |log(1 + d_u) − log(1 + d_v)|;
    4. ``cosine_x_ax``: mean of cos(x_u, (ÂX)_v) and cos(x_v, (ÂX)_u);
    5. ``best_neighbour_cosine``: mean of max cos(x_u, x_k) over the neighbours k ≠ u of v, 0 where there are none,
       and the same with the ends exchanged;
    6. ``log_resource_allocation``: log(0.01 + Σ 1/d_z) over the common neighbours z.

    A graph without features has the columns of 1, 3 and 6. A cosine with a row of zeros is 0.

    A pair that is a training edge is scored with itself in the graph: to learn from training edges, hold them out
    of the graph first, fold by fold. What depends on X alone is computed once and shared by :meth:`on`.

    Args:
        graph: training edges, and node features or None.

    >>> graph = TrainingGraph.from_edges([[0, 1], [1, 2]], 4)
    >>> features = PairFeatures(graph)
    >>> features.names
    ('log_pagerank', 'sum_log_degree', 'difference_log_degree', 'log_resource_allocation')
    >>> features.of([[0, 0], [2, 3]]).round(2)
    array([[ -1.26,   1.39,   0.  ,  -0.67],
           [-13.82,   0.69,   0.69,  -4.61]], dtype=float32)
    """

    def __init__(self, graph: TrainingGraph) -> None:
        self.graph = graph
        self._contents = None if graph.features is None else _Contents(graph.features)

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns are, F names."""
        return GRAPH_ONLY if self._contents is None else WITH_FEATURES

    def on(self, graph: TrainingGraph) -> "PairFeatures":
        """The same nodes and node features with other training edges.

        Args:
            graph: its features may be left out; where given they must be those of this graph.

        Raises:
            DataError: if the number of nodes or the features differ.

        >>> whole = TrainingGraph.from_edges([[0, 1], [1, 2]], 3, [[1.0], [1.0], [1.0]])
        >>> fold = TrainingGraph.from_edges([[0], [1]], 3)
        >>> PairFeatures(whole).on(fold).of([[1], [2]]).shape
        (1, 9)
        """
        if graph.num_nodes != self.graph.num_nodes:
            raise DataError(
                f"graph: has {graph.num_nodes} nodes, the pair features were made for {self.graph.num_nodes}; "
                "give other edges of the same nodes"
            )
        if graph.features is not None and not _same(graph.features, self.graph.features):
            raise DataError(
                "graph: its features are not those that the pair features were made for; "
                "leave them out, or make new pair features"
            )
        other = PairFeatures.__new__(PairFeatures)
        other.graph, other._contents = graph, self._contents
        return other

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """φ of each pair, as it is, not standardised.

        Args:
            pairs: two different nodes each, shape ``(2, P)``; the order within a pair does not matter, and neither
                do the other pairs.

        Returns:
            Finite, shape ``(P, F)``.

        Raises:
            DataError: if ``pairs`` are not pairs of the graph's nodes.
        """
        # The lower number first: either order then gives the same bytes.
        nodes = np.sort(as_pairs(pairs, self.graph.num_nodes), axis=0)
        log_degree = np.log1p(self.graph.degree)
        low, high = log_degree[nodes]
        score = truncated_pagerank(self.graph, nodes)
        columns: dict[str, Floats] = {
            "log_pagerank": np.log(PAGERANK_FLOOR + score),
            "sum_log_degree": low + high,
            "difference_log_degree": np.abs(low - high),
            "log_resource_allocation": np.log(ALLOCATION_FLOOR + resource_allocation(self.graph, nodes)),
        }
        if self._contents is not None:
            columns |= _cosines(self.graph.adjacency, self._contents, nodes)
        return np.stack([columns[name] for name in self.names], axis=1).astype(np.float32)


def truncated_pagerank(
    graph: TrainingGraph, pairs: Pairs, *, restart: float = RESTART, steps: int = STEPS
) -> NDArray[np.float64]:
    """Personalised PageRank in both directions, of walks of at most ``steps`` edges: P_uv + P_vu.

    P = D^-½ S D^½ with S = α Σ_{ℓ=0..n} ((1 − α) D^-½ A D^-½)^ℓ: the first n + 1 terms of the series that
    :func:`~hypgraph.evaluation.graph_similarity.personalised_pagerank` sums to its limit, in float32.

    With Y = (1 − α) D^-½ A D^-½ and Q_n = Σ_{ℓ≤n} Y^ℓ, the entries wanted are those of Q_n = I + Y + Y² Q_{n−2}.
    Of Q_{n−2} only the column of one end of each pair is computed, by Horner's rule from the sparse Q_2; the other
    end reads it through its row of Y². So n = 8 takes four products with a dense block.

    Args:
        graph: training edges.
        pairs: shape ``(2, P)``.
        restart: α, in (0, 1).
        steps: n, at least 4.

    Returns:
        Scores, shape ``(P,)``; 0 where no path of at most n edges joins the two. Nothing cancels, so that rounding
        changes a score by a few 1e-6 of its size at n = 8, and by more with many more steps.

    Raises:
        ConfigError: if ``restart`` or ``steps`` is out of range.

    >>> truncated_pagerank(TrainingGraph.from_edges([[0], [1]], 3), [[0, 0], [1, 2]], steps=100).round(5)
    array([0.91892, 0.     ])
    """
    if not 0.0 < restart < 1.0:
        raise ConfigError(f"restart: {restart} is not strictly between 0 and 1; leave it out for {RESTART}")
    if steps < 4:
        raise ConfigError(f"steps: {steps} is too few, needs at least 4; leave it out for {STEPS}")
    u, v = as_pairs(pairs, graph.num_nodes)
    degree = graph.degree
    root_degree = np.sqrt(np.maximum(degree, 1))
    walk = scale_symmetrically(graph.adjacency, math.sqrt(1.0 - restart) / root_degree).astype(np.float32)
    # Which end has its column computed depends on the pair alone, and is never an isolated one without need.
    source, target = np.where(degree[u] >= degree[v], (u, v), (v, u))
    joined = np.flatnonzero((degree[target] > 0) | (source == target))
    between = np.zeros(len(u))
    between[joined] = _walk_sums(walk, source[joined], target[joined], steps)
    ratio = root_degree[u] / root_degree[v]
    scores: NDArray[np.float64] = restart * between * (ratio + 1.0 / ratio)
    return scores


def _walk_sums(
    walk: csr_array, source: NDArray[np.int64], target: NDArray[np.int64], steps: int
) -> NDArray[np.float64]:
    """Entries (target, source) of Q_n = Σ_{ℓ≤n} Y^ℓ for a symmetric Y; see :func:`truncated_pagerank`."""
    two_steps = walk @ walk
    unit = eye_array(walk.shape[0], dtype=np.float32, format="csr")
    one, start = csr_array(unit + walk), csr_array(unit + walk + two_steps)
    sources, column = np.unique(source, return_inverse=True)
    order = np.argsort(column, kind="stable")
    bounds = np.searchsorted(column[order], np.arange(0, len(sources) + SOURCES_A_BLOCK, SOURCES_A_BLOCK))
    sums = np.zeros(len(source))
    for block, low, high in zip(blocks(len(sources), SOURCES_A_BLOCK), bounds[:-1], bounds[1:], strict=True):
        wanted = order[low:high]
        summed = start[sources[block]].T.toarray(order="C")
        for _ in range(steps - 4):
            summed = walk @ summed
            summed[sources[block], np.arange(summed.shape[1])] += 1.0
        at = column[wanted] - block.start
        owner, nodes, weight = _entries_of_rows(two_steps, target[wanted])
        sums[wanted] = np.bincount(owner, weight * summed[nodes, at[owner]], minlength=len(wanted))
    sums += one[target, source]
    return sums


class _Contents:
    """What node features say without the graph, shared by all training graphs on the same nodes.

    Attributes:
        weighted: X, tf-idf and rows of length 1 where it is binary; else over its largest entry. float32.
        unit: rows of X with length 1 or 0.
        length: lengths of the rows of ``weighted``, ``(N,)``.
    """

    def __init__(self, features: csr_array) -> None:
        largest = np.abs(features.data).max(initial=0.0)
        # No cosine depends on the scale; with a largest entry of 1 no square is too large for float32.
        if largest and is_binary(features):
            weighted = normalise_rows(tf_idf(features))
        else:
            weighted = features / (largest if largest else 1.0)
        self.weighted = csr_array(weighted)
        self.unit = normalise_rows(self.weighted)
        self.length = np.sqrt(np.asarray(self.weighted.multiply(self.weighted).sum(axis=1)))
        self._all = self._all_cosines()

    def cosines(self, u: NDArray[np.int64], v: NDArray[np.int64]) -> Floats:
        """cos(x_u, x_v), ``(P,)``."""
        if self._all is None:
            return row_products(self.unit, np.stack([u, v]))
        return self._all[u, v]

    def _all_cosines(self) -> NDArray[np.float32] | None:
        num_nodes = self.unit.shape[0]
        if num_nodes > COSINES_MOST_NODES or self.unit.nnz * num_nodes > COSINES_MOST_WORK:
            return None
        unit = self.unit.astype(np.float32)
        cosines = np.empty((num_nodes, num_nodes), dtype=np.float32)
        for block in blocks(num_nodes, 512):
            cosines[:, block] = unit @ unit[block].T.toarray(order="C")
        return cosines


def _cosines(adjacency: csr_array, contents: _Contents, nodes: NDArray[np.int64]) -> dict[str, Floats]:
    """The columns that compare features, each ``(P,)``."""
    root = 1.0 / np.sqrt(np.diff(adjacency.indptr) + 1.0)
    with_loops = csr_array(adjacency + eye_array(adjacency.shape[0], format="csr"))
    propagation = scale_symmetrically(with_loops, root)
    length, once, twice = _propagated_cosines(propagation, contents.weighted, nodes)
    # (ÂX)_v is a sum over v and its neighbours, so that cos(x_u, (ÂX)_v) is one of cosines of rows of X.
    to_sum = scale_rows(propagation, 1.0 / np.where(length > 0.0, length, np.inf))
    to_sum.data *= contents.length[to_sum.indices]
    itself = np.zeros(nodes.shape[1])
    cross, best = np.zeros_like(itself), np.zeros_like(itself)
    for u, v in (nodes, nodes[::-1]):
        for block in _blocks_of_work(np.diff(to_sum.indptr)[v], COMPARISONS_A_BLOCK):
            owner, neighbour, weight = _entries_of_rows(to_sum, v[block])
            cosine = contents.cosines(u[block][owner], neighbour)
            # No row is empty: each holds v itself.
            start = np.flatnonzero(np.diff(owner, prepend=-1))
            is_v = neighbour == v[block][owner]
            itself[block] = cosine[is_v]
            cross[block] += 0.5 * np.add.reduceat(weight * cosine, start)
            among = np.where(is_v | (neighbour == u[block][owner]), -np.inf, cosine)
            highest = np.maximum.reduceat(among, start)
            best[block] += 0.5 * np.where(np.isneginf(highest), 0.0, highest)
    return {
        "cosine_x": itself,
        "cosine_ax": once,
        "cosine_aax": twice,
        "cosine_x_ax": cross,
        "best_neighbour_cosine": best,
    }


def _propagated_cosines(
    propagation: csr_array, features: csr_array, nodes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lengths of the rows of ÂX, ``(N,)``, and cosines of the rows of ÂX and of Â²X for each pair, ``(P,)``.

    The products are dense, and are formed and used a few columns at a time.
    """
    propagation = propagation.astype(np.float32)
    propagated = csr_array(propagation @ features.astype(np.float32))
    num_nodes, num_features = features.shape
    squares = np.zeros((2, num_nodes))
    products = np.zeros((2, nodes.shape[1]))
    for columns in blocks(num_features, max(1, DENSE_SIZE // max(num_nodes, 1))):
        dense = propagated[:, columns].toarray(order="C")
        for hop in range(2):
            if hop == 1:
                dense = propagation @ dense
            squares[hop] += np.einsum("nf,nf->n", dense, dense)
            for block in blocks(nodes.shape[1], DENSE_PAIRS_A_BLOCK):
                u, v = nodes[:, block]
                products[hop, block] += np.einsum("pf,pf->p", dense[u], dense[v])
    lengths = np.sqrt(squares)
    u, v = nodes
    both = lengths[:, u] * lengths[:, v]
    once, twice = np.divide(products, both, out=np.zeros_like(products), where=both > 0.0)
    return lengths[0], once, twice


def _entries_of_rows(
    matrix: csr_array, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Stored entries of the given rows, one after the other: position in ``rows``, column and value."""
    counts = np.diff(matrix.indptr)[rows].astype(np.int64)
    owner = np.repeat(np.arange(len(rows)), counts)
    first = matrix.indptr[rows] - (np.cumsum(counts) - counts)
    entry = first[owner] + np.arange(len(owner))
    return owner, matrix.indices[entry].astype(np.int64), matrix.data[entry]


def _blocks_of_work(work: NDArray[np.integer], most: int) -> Iterator[slice]:
    """Slices that cover ``range(len(work))`` in order, each with a sum of at most ``most`` or of length 1.

    >>> [(block.start, block.stop) for block in _blocks_of_work(np.array([2, 2, 1, 1, 9, 0]), 4)]
    [(0, 2), (2, 4), (4, 5), (5, 6)]
    """
    total = np.cumsum(work, dtype=np.int64)
    start = 0
    while start < len(work):
        done = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, done + most, side="right")))
        yield slice(start, stop)
        start = stop


def _same(one: csr_array, other: csr_array | None) -> bool:
    if other is None or one.shape != other.shape or one.nnz != other.nnz:
        return one is other
    equal = (np.array_equal(getattr(one, part), getattr(other, part)) for part in ("indptr", "indices", "data"))
    return one is other or all(equal)
