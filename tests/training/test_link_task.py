"""What the encoder sees and what the loss scores: training edges, and never a held-out one."""

import numpy as np
import pytest
import torch

from hypgraph.data import load_graph, split_edges
from hypgraph.random import stream
from hypgraph.training import LinkTask, input_features
from tests.nn.dense import transpose_of
from tests.training.karate import CPU, karate_split, karate_task


def as_set(pairs):
    return {(min(pair), max(pair)) for pair in pairs.T.tolist()}


def dense(sparse):
    return (sparse @ torch.eye(sparse.shape[1])).numpy()


def held_out(split):
    return as_set(split.val_edge_index) | as_set(split.test_edge_index)


@pytest.mark.parametrize("data", ["karate", "cora"])
@pytest.mark.parametrize("normalisation", ["row", "symmetric"])
def test_no_held_out_edge_is_in_the_adjacency_or_among_the_positives(data, normalisation):
    graph = load_graph(data)
    split = split_edges(graph, generator=stream(3, "split"))
    task = LinkTask.build(graph, split, normalisation=normalisation, device=CPU)
    rows = np.repeat(np.arange(graph.num_nodes), np.diff(task.adjacency.matrix.crow_indices().numpy()))
    columns = task.adjacency.matrix.col_indices().numpy()
    neighbours = {(int(u), int(v)) for u, v in zip(rows, columns, strict=True) if u < v}
    assert neighbours == as_set(split.train_edge_index) == as_set(task.positive)
    assert not neighbours & held_out(split)
    assert len(rows) == 2 * len(neighbours) + graph.num_nodes  # both directions, and a loop at each node


def test_the_transposed_adjacency_that_carries_the_gradient_holds_the_same_edges():
    task = karate_task()
    expected = task.adjacency.matrix.to_dense().T
    assert torch.equal(transpose_of(task.adjacency), expected)


def test_training_negatives_are_never_training_edges_but_may_be_held_out_ones():
    """To exclude held-out edges would tell the training which pairs they are."""
    split = karate_split()
    drawn = as_set(karate_task(split).negatives.sample(20_000, generator=stream(0, "test")))
    assert not drawn & as_set(split.train_edge_index)
    assert held_out(split) <= drawn
    assert all(u != v for u, v in drawn)


def test_what_is_held_out_is_what_the_split_holds_out():
    split = karate_split()
    task = karate_task(split)
    assert torch.equal(task.val[0], split.val_edge_index)
    assert torch.equal(task.val[1], split.val_neg_edge_index)
    assert torch.equal(task.test[0], split.test_edge_index)
    assert torch.equal(task.test[1], split.test_neg_edge_index)


def test_the_encoder_sees_what_is_asked_for():
    graph = load_graph("karate")
    task = LinkTask.build(graph, karate_split(), normalisation="row", device=CPU, inputs="degree")
    expected = input_features(graph, karate_split().train_edge_index, "degree").toarray()
    assert np.array_equal(dense(task.features), expected)
