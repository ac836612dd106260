"""What a trained run says about edges: those that it was not shown, and those that the graph has not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from torch import Tensor

from hypgraph.data import NonEdgeSampler
from hypgraph.exceptions import ConfigError
from hypgraph.experiments.link_prediction import LinkPrediction, open_run
from hypgraph.models import VGAE, HybridVGAE
from hypgraph.neighbors import Neighbors
from hypgraph.run_folder import RunFolder
from hypgraph.training import limited_threads, link_logits

__all__ = ["HeldOutEdges", "ScoredEdges", "finished_run", "held_out_edges", "predicted_edges"]

# Pairs that are all scored, some seconds; a hybrid computes features of each, which takes ten times as long.
_ALL_PAIRS, _ALL_PAIRS_HYBRID = 12_500_000, 1_000_000
_PAIRS_A_BLOCK, _ROWS_A_BLOCK = 1_000_000, 5_000
_NEAREST, _MOST_NODES_NEAREST, _HUB = 30, 30_000, 100


@dataclass(frozen=True, eq=False)
class ScoredEdges:
    """Pairs of nodes and what the model gives them.

    Attributes:
        edge_index: ``[2, E]``, u < v or from u to v in a directed graph.
        probability: ``[E]``, of an edge, by the logistic function of the logit. Training shows as many edges as
            non-edges: it is the probability where one pair of two is an edge, not among all pairs of the graph.
        scope: which pairs were considered, in words.
    """

    edge_index: Tensor
    probability: Tensor
    scope: str


@dataclass(frozen=True, eq=False)
class HeldOutEdges(ScoredEdges):
    """Validation edges, then test edges, and whether the model finds them.

    Attributes:
        is_test: ``[E]``; the others are for validation.
        found: ``[E]``, whether the probability is above ``threshold``.
        threshold: the probability that tells validation edges from validation non-edges best.
    """

    is_test: Tensor
    found: Tensor
    threshold: float


def finished_run(folder: RunFolder) -> LinkPrediction:
    """The run of ``folder`` at its end, with its data, split and best weights.

    Raises:
        RunError: if it is not a run of one seed of ``hypgraph train``, is not finished, or its data have changed.
    """
    folder.check_one_seed()
    folder.summary()
    run = open_run(folder)
    run.restore(folder)
    return run


def held_out_edges(run: LinkPrediction) -> HeldOutEdges:
    """The edges that were kept from training, with their probabilities.

    An edge counts as found above the logit that maximises accuracy on validation: the mean of the shares of
    validation edges above it and of validation negatives not above it, which is plain accuracy where there are as
    many of both. Of several such thresholds, halfway between two logits, it is the one nearest 0. Test edges
    play no part in it.

    Args:
        run: at its end, see :func:`finished_run`.
    """
    val, val_negative = run.task.val
    with limited_threads(run.config.training.threads, num_nodes=run.graph.num_nodes):
        logits = link_logits(run.trainer.best_model(), run.task, val, val_negative, run.task.test[0])
    seen, negative, test = (part.double() for part in logits)
    cut = _best_cut(seen.numpy(), negative.numpy())
    both = torch.cat([seen, test])
    return HeldOutEdges(
        edge_index=torch.cat([val, run.task.test[0]], dim=1).cpu(),
        probability=torch.sigmoid(both),
        scope=f"{len(seen)} validation and {len(test)} test edges",
        is_test=torch.arange(len(both)) >= len(seen),
        found=both > cut,
        threshold=float(torch.sigmoid(torch.tensor(cut, dtype=torch.float64))),
    )


def _best_cut(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """The logit above which a pair counts as an edge."""
    values = np.unique(np.concatenate([positive, negative]))
    cuts = np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])
    above = 1 - np.searchsorted(np.sort(positive), cuts, side="right") / len(positive)
    accuracy = above + np.searchsorted(np.sort(negative), cuts, side="right") / len(negative)
    best = cuts[accuracy >= accuracy.max() - 1e-12]
    return float(best[np.abs(best).argmin()])


def predicted_edges(run: LinkPrediction, *, count: int) -> ScoredEdges:
    """The pairs that look most like edges among those that are none: neither training, validation nor test edges.

    Up to 12.5 million pairs, those of 5,000 nodes (a million for a hybrid, which needs features of each pair), all
    are scored. In larger graphs the candidates are pairs two hops apart by way of a node of at most 100
    neighbours and, up to 30,000 nodes, each node with the 30 nearest to it in the latent space; ``scope`` says
    which.

    Args:
        run: at its end, see :func:`finished_run`.
        count: how many pairs, at least 1; fewer where the graph has not so many.

    Returns:
        The most probable first; equals in lexicographic order.

    Raises:
        ConfigError: if ``count`` is not positive.
    """
    if count < 1:
        raise ConfigError(f"count must be at least 1, got {count}")
    model, graph = run.trainer.best_model(), run.graph
    known = _known_edges(run)
    sampler = NonEdgeSampler(known, graph.num_nodes, directed=graph.directed)
    hybrid = isinstance(model, HybridVGAE)
    with limited_threads(run.config.training.threads, num_nodes=graph.num_nodes), torch.no_grad():
        if sampler.num_non_edges <= (_ALL_PAIRS_HYBRID if hybrid else _ALL_PAIRS):
            scope = f"all {sampler.num_non_edges:,} pairs that are no edges"
            ranks = torch.arange(sampler.num_non_edges)
            blocks: Iterator[Tensor] = map(sampler.non_edge, ranks.split(_PAIRS_A_BLOCK))
        else:
            near = graph.num_nodes <= _MOST_NODES_NEAREST
            scope = f"pairs two hops apart by way of a node of at most {_HUB} neighbours"
            scope += f", and the {_NEAREST} nodes nearest to each" if near else ""
            nearest = _nearest(run, model) if near else csr_array((graph.num_nodes, graph.num_nodes))
            blocks = _candidates(known, nearest, directed=graph.directed)
        pairs, logits = _top(run, model, blocks, count)
    return ScoredEdges(pairs, torch.sigmoid(logits), scope)


def _known_edges(run: LinkPrediction) -> Tensor:
    """All edges, each once in order; some data sets have the held-out ones in the split alone."""
    split, size = run.split, run.graph.num_nodes
    parts = (run.graph.edge_index, split.train_edge_index, split.val_edge_index, split.test_edge_index)
    pairs = torch.cat(parts, dim=1)
    if not run.graph.directed:
        pairs = pairs.sort(dim=0).values
    pairs = pairs[:, pairs[0] != pairs[1]]
    keys = torch.unique(pairs[0] * size + pairs[1])
    return torch.stack([keys // size, keys % size])


def _top(run: LinkPrediction, model: VGAE, blocks: Iterator[Tensor], count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` pairs of the highest logits, of blocks in lexicographic order."""
    pairs, logits = torch.empty(2, 0, dtype=torch.long), torch.empty(0, dtype=torch.float64)
    for block in blocks:
        for part in block.split(_PAIRS_A_BLOCK, dim=1):
            (scored,) = link_logits(model, run.task, part.to(run.task.positive.device))
            pairs, logits = torch.cat([pairs, part], dim=1), torch.cat([logits, scored.double()])
            best = logits.sort(descending=True, stable=True).indices[:count]
            pairs, logits = pairs[:, best], logits[best]
    return pairs, logits


def _candidates(known: Tensor, nearest: csr_array, *, directed: bool) -> Iterator[Tensor]:
    """Blocks of pairs that are no ``known`` edges: two hops apart, or ``nearest`` to one another."""
    size = nearest.shape[0]
    source, target = known.numpy()
    edges = csr_array((np.ones(len(source), dtype=np.int32), (source, target)), shape=(size, size))
    adjacency = csr_array(edges + edges.T)
    few = (np.diff(adjacency.indptr) <= _HUB).astype(np.int32)
    onward = csr_array(diags_array(few, dtype=np.int32) @ adjacency)
    near = csr_array(nearest + nearest.T)
    keys = source * size + target
    for start in range(0, size, _ROWS_A_BLOCK):
        rows = slice(start, start + _ROWS_A_BLOCK)
        joined = csr_array(adjacency[rows] @ onward + near[rows])
        joined.sort_indices()
        u, v = joined.nonzero()
        u = u.astype(np.int64) + start
        pairs = np.stack([u, v.astype(np.int64)])[:, (u != v) if directed else (u < v)]
        wanted = pairs[0] * size + pairs[1]
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        yield torch.from_numpy(pairs[:, keys[at] != wanted])


def _nearest(run: LinkPrediction, model: VGAE) -> csr_array:
    """Ones ``[N, N]`` at the nodes nearest to each node, by the distance of the posteriors' centres."""
    posterior = model.encode(run.task.features, run.task.adjacency)
    points = posterior.loc if posterior.center is None else posterior.center
    neighbours = Neighbors(points, posterior.manifold)
    size = len(neighbours)
    _, columns = neighbours.query_nodes(torch.arange(size), min(_NEAREST, size - 1))
    place = np.repeat(np.arange(size), columns.shape[1]), columns.flatten().numpy()
    return csr_array((np.ones(columns.numel(), dtype=np.int32), place), shape=(size, size))
