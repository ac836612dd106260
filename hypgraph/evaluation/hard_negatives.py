"""Hard negatives for evaluation, after HeaRT (Li et al. 2023, arXiv 2306.10453).

Random non-edges are easy: most lie far apart, and counting common neighbours finds them out. HeaRT ranks each
positive among non-edges that share an end with it and that untrained heuristics find likely.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hypgraph.data.feature_weights import normalise_rows, scale_rows
from hypgraph.evaluation.graph_similarity import personalised_pagerank
from hypgraph.evaluation.node_pairs import Pairs, as_pairs, blocks
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.exceptions import ConfigError, DataError

__all__ = ["heart_negatives"]

# Rows of candidates are dense; a block of them has this many entries.
CANDIDATES_A_BLOCK = 1 << 21
# Scores that agree to 12 decimals tie: symmetric candidates differ by rounding alone.
TRUSTED_DECIMALS = 12
# As in HeaRT, smaller probabilities count as 0; there the cut is 10⁻⁵.
SMALLEST_PAGERANK = 1e-8


def heart_negatives(
    train_graph: TrainingGraph,
    edges: Pairs,
    all_edges: Pairs,
    *,
    count: int,
    generator: torch.Generator,
    directed: bool = False,
) -> torch.Tensor:
    """For each positive (a, b), K/2 hard non-edges (a, ·) and K/2 hard non-edges (·, b).

    The candidates at a are the nodes that are not a and not joined to it by any edge, be it for training,
    validation or test. Three heuristics score a candidate v, from the training edges and features alone:
    resource allocation Σ 1/deg over common neighbours, personalised PageRank from a (restart 0.15; below 10⁻⁸
    it counts as 0), and, where the graph has features, their cosine. Within a heuristic the rank of v is the
    number of candidates with a positive score of at least its own; all candidates without a positive score share
    the rank after the last of those. The hardest are those with the least mean rank over the heuristics; ties
    are broken at random, once for each node, so that edges with a common end share negatives there.

    This is the procedure of the paper, with three differences from its code: candidates without any score are
    drawn without replacement, so that negatives are distinct; test edges are no negatives either; and PageRank is
    not cut at 10⁻⁵. Where an end has fewer than K/2 candidates the other end makes up for it.

    Time grows with the number of distinct ends times (N log N + E); memory does not grow with N².

    Args:
        train_graph: training edges, and features or None.
        edges: positives, shape ``(2, P)``.
        all_edges: every edge of the whole graph, shape ``(2, E)``; ``edges`` need not be repeated in it.
        count: K, negatives a positive, at least 1. Of an odd K the first end gets one more.
        generator: breaks ties.
        directed: whether (a, b) differs from (b, a): then (a, v) is a candidate unless it is an edge in this
            direction. The heuristics take the training edges as undirected in any case.

    Returns:
        int64 ``[2, P, K]``: for each positive first its pairs (a, v), the hardest first, then its pairs (v, b).
        They are distinct; ``negatives.flatten(1)`` has the shape of an ``edge_label_index``.

    Raises:
        DataError: if an edge names a node that is not there or joins a node to itself, or the ends of a positive
            have fewer than K candidates together.
        ConfigError: if ``count`` is below 1.

    >>> train = TrainingGraph.from_edges([[0, 0, 1], [1, 2, 3]], 6)
    >>> heart_negatives(train, [[2], [3]], [[0, 0, 1], [1, 2, 3]], count=2, generator=torch.Generator()).tolist()
    [[[2, 0]], [[1, 3]]]
    """
    if count < 1:
        raise ConfigError(f"count: {count} negatives are too few; use at least 1, 500 are usual")
    size = train_graph.num_nodes
    positives = as_pairs(edges, size, name="edges")
    if loops := int(np.count_nonzero(positives[0] == positives[1])):
        raise DataError(f"edges: {loops} join a node to itself, which has no negatives; drop them")
    if not positives.shape[1]:
        return torch.empty((2, 0, count), dtype=torch.int64)
    everything = np.concatenate([positives, as_pairs(all_edges, size, name="all_edges")], axis=1)
    # Row v: what can be no candidate for (v, ·); row N + v of a directed graph: for (·, v).
    taken = _taken(everything, size) if directed else _taken(np.hstack([everything, everything[::-1]]), size)
    ends = positives + np.array([[0], [size if directed else 0]])
    keys, row = np.unique(ends, return_inverse=True)
    row = row.reshape(2, -1)

    heuristics = _heuristics(train_graph)
    chosen = np.empty((len(keys), min(count, size)), dtype=np.int64)
    available = np.empty(len(keys), dtype=np.int64)
    for block in blocks(len(keys), max(1, CANDIDATES_A_BLOCK // size)):
        nodes = keys[block] % size
        candidate = _candidates(taken, keys[block], nodes)
        hardness = torch.rand(candidate.shape, generator=generator, dtype=torch.float64, device=generator.device)
        total = hardness.cpu().numpy()  # below 1: decides between equal sums of ranks
        for heuristic in heuristics:
            total += _ranks(heuristic(nodes).round(TRUSTED_DECIMALS), candidate)
        total[~candidate] = np.inf
        chosen[block] = _smallest(total, chosen.shape[1])
        available[block] = candidate.sum(axis=1)
    return _assembled(positives, chosen, available, row, count)


def _taken(edges: NDArray[np.int64], size: int) -> csr_array:
    """Both directions, one below the other, as a matrix of ``(2N, N)``."""
    u, v = edges
    ones = np.ones(2 * len(u), dtype=np.int8)
    matrix = csr_array((ones, (np.concatenate([u, v + size]), np.concatenate([v, u]))), shape=(2 * size, size))
    matrix.data[:] = 1
    return matrix


def _candidates(taken: csr_array, keys: NDArray[np.int64], nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of all N nodes, ``[B, N]``, may be the other end of a negative."""
    candidate: NDArray[np.bool_] = taken[keys].toarray() == 0
    candidate[np.arange(len(nodes)), nodes] = False
    return candidate


def _heuristics(graph: TrainingGraph) -> list[Callable[[NDArray[np.int64]], NDArray[np.float64]]]:
    """Functions from B nodes to their scores with all N nodes, ``[B, N]``."""
    degree = np.maximum(graph.degree, 1)
    shared = scale_rows(graph.adjacency, 1.0 / degree)

    def resource_allocation(nodes: NDArray[np.int64]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = (graph.adjacency[nodes] @ shared).toarray()
        return scores

    def pagerank(nodes: NDArray[np.int64]) -> NDArray[np.float64]:
        source = np.repeat(nodes, graph.num_nodes)
        target = np.tile(np.arange(graph.num_nodes), len(nodes))
        both = personalised_pagerank(graph, np.stack([source, target]), tolerance=SMALLEST_PAGERANK / 100)
        # d_u P_uv = d_v P_vu, so that the sum of both tells each.
        scores = both * degree[target] / (degree[source] + degree[target])
        return np.where(scores < SMALLEST_PAGERANK, 0.0, scores).reshape(len(nodes), -1)

    if graph.features is None:
        return [resource_allocation, pagerank]
    directions = normalise_rows(graph.features)

    def cosine(nodes: NDArray[np.int64]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = (directions[nodes] @ directions.T).toarray()
        return scores

    return [resource_allocation, pagerank, cosine]


def _ranks(scores: NDArray[np.float64], candidate: NDArray[np.bool_]) -> NDArray[np.int64]:
    """In each row, how many candidates have a positive score that is at least as high; ``[B, N]``.

    Without a positive score, one more than have one.
    """
    values = np.where(candidate & (scores > 0.0), scores, 0.0)
    order = np.argsort(-values, axis=1)
    descending = np.take_along_axis(values, order, axis=1)
    width = values.shape[1]
    last = np.full(values.shape, width)
    changes = descending[:, 1:] != descending[:, :-1]
    last[:, :-1][changes] = np.broadcast_to(np.arange(1, width), changes.shape)[changes]
    at_least = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    scored = np.count_nonzero(values, axis=1)[:, None]
    result = np.empty(values.shape, dtype=np.int64)
    np.put_along_axis(result, order, np.where(descending > 0.0, at_least, scored + 1), axis=1)
    return result


def _smallest(total: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The columns of the ``count`` smallest entries of each row, in ascending order of the entries."""
    columns = np.argpartition(total, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(total, columns, axis=1), axis=1)
    return np.take_along_axis(columns, order, axis=1)


def _assembled(
    positives: NDArray[np.int64],
    chosen: NDArray[np.int64],
    available: NDArray[np.int64],
    row: NDArray[np.int64],
    count: int,
) -> torch.Tensor:
    """Pairs ``[2, P, K]`` from the chosen nodes of each end's row."""
    first, second = available[row]
    if (lacking := np.flatnonzero(first + second < count)).size:
        worst = lacking[0]
        a, b = positives[:, worst]
        raise DataError(
            f"count: {count} negatives are too many for {lacking.size} edges; the first is ({a}, {b}): only "
            f"{first[worst] + second[worst]} non-edges share an end with it; every edge has "
            f"{(first + second).min()} of them: ask for no more"
        )
    from_first = np.minimum(np.maximum(count - count // 2, count - second), first)[:, None]
    place = np.arange(count)
    at_first = place < from_first
    width = chosen.shape[1] - 1
    partner_of_first = chosen[row[0][:, None], np.minimum(place, width)]
    partner_of_second = chosen[row[1][:, None], np.clip(place - from_first, 0, width)]
    negatives = np.stack(
        [
            np.where(at_first, positives[0][:, None], partner_of_second),
            np.where(at_first, partner_of_first, positives[1][:, None]),
        ]
    )
    return torch.from_numpy(negatives)
