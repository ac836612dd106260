"""Numbering of pairs and sampling of non-edges."""

import itertools
import time
from collections import Counter

import networkx as nx
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from hypgraph.data import NonEdgeSampler, PairNumbering, load_graph
from hypgraph.exceptions import DataError
from hypgraph.random import stream


@st.composite
def graphs(draw, max_nodes=12):
    """A number of nodes and some of its pairs, from none to all, in any order."""
    num_nodes = draw(st.integers(0, max_nodes))
    pairs = list(itertools.combinations(range(num_nodes), 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return num_nodes, torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T


def as_set(pairs):
    return {tuple(pair) for pair in pairs.T.tolist()}


def non_edges_by_enumeration(num_nodes, edge_index):
    return sorted(set(itertools.combinations(range(num_nodes), 2)) - as_set(edge_index))


@pytest.mark.parametrize("num_nodes", range(8))
def test_pairs_are_numbered_in_lexicographic_order(num_nodes):
    numbering = PairNumbering(num_nodes)
    pairs = torch.tensor(list(itertools.combinations(range(num_nodes), 2)), dtype=torch.int64).reshape(-1, 2).T
    numbers = torch.arange(pairs.shape[1])
    assert numbering.num_pairs == len(numbers)
    assert numbering.encode(pairs).equal(numbers)
    assert numbering.decode(numbers).equal(pairs)


@pytest.mark.parametrize("num_nodes", [2, 3, 1000, 3_000_000])
def test_the_numbering_is_exact_at_both_ends_of_every_row_of_a_large_graph(num_nodes):
    numbering = PairNumbering(num_nodes)
    u = torch.arange(num_nodes - 1)
    first = u * num_nodes - u * (u + 1) // 2  # one more than the last of the row before
    last = first + num_nodes - 2 - u
    assert numbering.decode(first).equal(torch.stack([u, u + 1]))
    assert numbering.decode(last).equal(torch.stack([u, torch.full_like(u, num_nodes - 1)]))
    assert last[-1] == numbering.num_pairs - 1


@pytest.mark.parametrize("num_nodes", [-1, 3_037_000_501])
def test_a_number_of_nodes_whose_pairs_do_not_fit_is_an_error(num_nodes):
    with pytest.raises(DataError, match="num_nodes is"):
        PairNumbering(num_nodes)


@given(graphs())
def test_the_ranks_enumerate_all_non_edges_in_order(graph):
    num_nodes, edge_index = graph
    sampler = NonEdgeSampler(edge_index, num_nodes)
    expected = non_edges_by_enumeration(num_nodes, edge_index)
    assert sampler.num_non_edges == len(expected)
    assert sampler.non_edge(torch.arange(len(expected))).T.tolist() == [list(pair) for pair in expected]


@given(graphs(), st.integers(0, 50), st.integers(0, 2**31))
def test_samples_are_non_edges(graph, count, seed):
    num_nodes, edge_index = graph
    sampler = NonEdgeSampler(edge_index, num_nodes)
    if count and not sampler.num_non_edges:
        with pytest.raises(DataError, match="every pair"):
            sampler.sample(count, generator=stream(seed, "t"))
        return
    drawn = sampler.sample(count, generator=stream(seed, "t"))
    assert drawn.shape == (2, count)
    assert as_set(drawn) <= set(non_edges_by_enumeration(num_nodes, edge_index))


@given(graphs(), st.integers(0, 70), st.integers(0, 2**31))
def test_distinct_samples_are_distinct_non_edges_or_an_error(graph, count, seed):
    num_nodes, edge_index = graph
    sampler = NonEdgeSampler(edge_index, num_nodes)
    if count > sampler.num_non_edges:
        with pytest.raises(
            DataError, match=rf"cannot draw {count} distinct non-edges.* it has {sampler.num_non_edges}$"
        ):
            sampler.sample_distinct(count, generator=stream(seed, "t"))
        return
    drawn = sampler.sample_distinct(count, generator=stream(seed, "t"))
    assert drawn.shape == (2, count)
    assert len(as_set(drawn)) == count
    assert as_set(drawn) <= set(non_edges_by_enumeration(num_nodes, edge_index))


def small_graph():
    oracle = nx.gnm_random_graph(9, 16, seed=3)
    return torch.tensor(sorted(tuple(sorted(edge)) for edge in oracle.edges)).T


def test_sample_is_uniform_over_the_enumerated_non_edges():
    edge_index = small_graph()
    expected = non_edges_by_enumeration(9, edge_index)
    drawn = NonEdgeSampler(edge_index, 9).sample(40_000, generator=stream(0, "uniform"))
    counted = Counter(tuple(pair) for pair in drawn.T.tolist())
    assert scipy.stats.chisquare([counted[pair] for pair in expected]).pvalue > 1e-3


@pytest.mark.parametrize("count", [2, 10])  # below and above a quarter of the 20 non-edges: both ways to draw
def test_distinct_sampling_is_uniform_over_non_edges_at_every_position(count):
    edge_index = small_graph()
    expected = non_edges_by_enumeration(9, edge_index)
    sampler, generator = NonEdgeSampler(edge_index, 9), stream(0, "uniform")
    draws = torch.stack([sampler.sample_distinct(count, generator=generator) for _ in range(4000)])
    for position in (0, count - 1):
        counted = Counter(tuple(pair) for pair in draws[:, :, position].tolist())
        assert scipy.stats.chisquare([counted[pair] for pair in expected]).pvalue > 1e-3


def test_distinct_sampling_is_uniform_over_pairs_of_non_edges():
    # Eight non-edges, two of them drawn: 28 sets, and the order of the two is as good as a coin.
    pairs = torch.tensor(list(itertools.combinations(range(6), 2))).T
    sampler, generator = NonEdgeSampler(pairs[:, 8:], 6), stream(1, "uniform")
    assert sampler.num_non_edges == 8
    for count in (1, 2):
        counted = Counter(
            tuple(map(tuple, sampler.sample_distinct(count, generator=generator).T.tolist())) for _ in range(6000)
        )
        orders = list(itertools.permutations(non_edges_by_enumeration(6, pairs[:, 8:]), count))
        assert scipy.stats.chisquare([counted[order] for order in orders]).pvalue > 1e-3


def test_a_large_sparse_graph_needs_memory_for_the_count_only():
    # 5e11 pairs: anything of that size would not fit.
    num_nodes = 1_000_000
    path = torch.stack([torch.arange(num_nodes - 1), torch.arange(1, num_nodes)])
    drawn = NonEdgeSampler(path, num_nodes).sample_distinct(10_000, generator=stream(0, "large"))
    assert len(as_set(drawn)) == 10_000
    assert bool((drawn[1] - drawn[0] >= 2).all())
    assert scipy.stats.kstest(drawn[1] / num_nodes, lambda x: x**2).pvalue > 1e-3  # P(max ≤ x) = x²


def test_the_same_generator_state_gives_the_same_sample():
    sampler = NonEdgeSampler(small_graph(), 9)
    for draw in (sampler.sample, sampler.sample_distinct):
        assert draw(5, generator=stream(4, "t")).equal(draw(5, generator=stream(4, "t")))


@pytest.mark.parametrize("pairs", [[[1], [0]], [[1], [1]], [[0], [9]], [[-1], [2]], [[0, 0], [1, 1]]])
def test_edges_that_are_not_canonical_are_an_error(pairs):
    with pytest.raises(DataError, match="edge_index"):
        NonEdgeSampler(torch.tensor(pairs), 9)


class ReadsNothingBack(TorchDispatchMode):
    """Fails on the operations that would make a GPU wait for the host."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name()
        assert not any(part in name for part in ("_local_scalar_dense", "nonzero", "unique", "masked_select")), (
            name
        )
        return func(*args, **(kwargs or {}))


def test_sample_reads_nothing_back_to_the_host():
    sampler, generator = NonEdgeSampler(small_graph(), 9), stream(0, "t")
    with ReadsNothingBack():
        sampler.sample(100, generator=generator)
        with pytest.raises(AssertionError):  # the check can fail
            bool(torch.ones(1).all())


def test_training_negatives_for_cora_take_about_half_a_millisecond():
    graph = load_graph("cora")
    sampler, generator = NonEdgeSampler(graph.edge_index, graph.num_nodes), stream(0, "t")
    times = []
    for _ in range(50):
        before = time.process_time()
        sampler.sample(4500, generator=generator)
        times.append(time.process_time() - before)
    assert sorted(times)[5] < 2e-3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_sample_on_a_gpu_does_not_synchronise():
    sampler = NonEdgeSampler(small_graph().cuda(), 9)
    generator = stream(0, "t", device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        drawn = sampler.sample(100, generator=generator)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert as_set(drawn.cpu()) <= set(non_edges_by_enumeration(9, small_graph()))
