"""Graph convolutions against dense formulas and against PyTorch Geometric."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Tensor

from hypgraph.exceptions import ConfigError
from hypgraph.nn import GCNEncoder, SparseMatrix, normalised_adjacency
from hypgraph.nn.dropout import dropout
from tests.distributions.reference import seeded
from tests.nn.dense import transpose_of

NODES = 36  # two more than the karate club has: they are isolated


def karate() -> Tensor:
    return torch.tensor(sorted(nx.karate_club_graph().edges())).mT


def features(columns: int = 20) -> tuple[SparseMatrix, Tensor]:
    array = scipy.sparse.random_array((NODES, columns), density=0.3, rng=np.random.default_rng(0)).tocsr()
    return SparseMatrix.from_scipy(array), torch.from_numpy(array.toarray()).float()


def dense_adjacency() -> np.ndarray:
    graph = nx.Graph(nx.karate_club_graph().edges())
    graph.add_nodes_from(range(NODES))
    return nx.to_numpy_array(graph, nodelist=range(NODES)) + np.eye(NODES)


@pytest.mark.parametrize("normalisation", ["row", "symmetric"])
def test_the_adjacency_is_that_of_the_dense_formula(normalisation: str) -> None:
    full = dense_adjacency()
    degree = full.sum(1)
    if normalisation == "row":
        expected = np.diag(1 / degree) @ full
    else:
        expected = np.diag(degree**-0.5) @ full @ np.diag(degree**-0.5)
    adjacency = normalised_adjacency(karate(), NODES, normalisation=normalisation)
    assert adjacency.matrix.dtype == torch.float32
    np.testing.assert_allclose(adjacency.matrix.to_dense().numpy(), expected, rtol=1e-6, atol=0)
    np.testing.assert_allclose(transpose_of(adjacency).numpy(), expected.T, rtol=1e-6, atol=0)


def test_rows_are_means_by_default_and_isolated_nodes_keep_themselves() -> None:
    full = normalised_adjacency(karate(), NODES).matrix.to_dense()
    torch.testing.assert_close(full.sum(1), torch.ones(NODES))
    assert full[35, 35] == 1
    lonely = normalised_adjacency(torch.empty(2, 0, dtype=torch.long), 3).matrix.to_dense()
    assert torch.equal(lonely, torch.eye(3))


def test_an_unknown_normalisation_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"^unknown normalisation 'column'; known: row, symmetric$"):
        normalised_adjacency(karate(), NODES, normalisation="column")


def test_the_encoder_is_two_layers_of_gcnconv() -> None:
    from torch_geometric.nn import GCNConv

    sparse, dense = features()
    encoder = GCNEncoder(20, 16, 6, generator=seeded(0)).eval()
    first, second = GCNConv(20, 16), GCNConv(16, 6)
    with torch.no_grad():
        for bias in (encoder.bias0, encoder.bias1):
            bias.copy_(torch.randn(bias.shape, generator=seeded(1)))
        for layer, weight, bias in (
            (first, encoder.weight0, encoder.bias0),
            (second, encoder.weight1, encoder.bias1),
        ):
            layer.lin.weight.copy_(weight.mT)
            layer.bias.copy_(bias)
    edges = torch.cat([karate(), karate().flip(0)], dim=1)
    expected = second(first(dense, edges).relu(), edges)
    output = encoder(sparse, normalised_adjacency(karate(), NODES, normalisation="symmetric"))
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-5)
    ours = torch.autograd.grad(output.square().sum(), list(encoder.parameters()))
    theirs = torch.autograd.grad(
        expected.square().sum(), [first.lin.weight, first.bias, second.lin.weight, second.bias]
    )
    for our, their in zip(ours, theirs, strict=True):
        expected_gradient = their.mT if their.dim() == 2 else their
        torch.testing.assert_close(our, expected_gradient, rtol=1e-4, atol=1e-4)


def test_dropout_acts_before_both_layers_in_training_mode_only() -> None:
    sparse, _ = features()
    adjacency = normalised_adjacency(karate(), NODES)
    encoder = GCNEncoder(20, 16, 6, dropout=0.4, generator=seeded(0))
    generator = seeded(1)
    hidden = torch.relu(adjacency @ (sparse.dropout(0.4, generator=generator) @ encoder.weight0) + encoder.bias0)
    expected = adjacency @ (dropout(hidden, 0.4, generator=generator) @ encoder.weight1) + encoder.bias1
    torch.testing.assert_close(encoder(sparse, adjacency, generator=seeded(1)), expected)
    assert not torch.equal(encoder(sparse, adjacency, generator=seeded(2)), expected)
    encoder.eval()
    generator = seeded(1)
    before = generator.get_state()
    plain = encoder(sparse, adjacency, generator=generator)
    assert torch.equal(before, generator.get_state())
    without = GCNEncoder(20, 16, 6, dropout=0.0, generator=seeded(0))
    assert torch.equal(without(sparse, adjacency), plain)


def test_draws_come_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    sparse, _ = features()
    one, two, other = (GCNEncoder(20, 16, 6, generator=seeded(s)) for s in (0, 0, 1))
    one(sparse, normalised_adjacency(karate(), NODES), generator=seeded(0))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.weight0, two.weight0)
    assert torch.equal(one.weight1, two.weight1)
    assert not torch.equal(one.weight0, other.weight0)


def test_initial_weights_are_glorot_uniform_and_biases_zero() -> None:
    encoder = GCNEncoder(300, 40, 20, generator=seeded(0))
    for weight, fans in ((encoder.weight0, 340), (encoder.weight1, 60)):
        bound = (6 / fans) ** 0.5
        assert weight.abs().max() <= bound
        assert abs(weight.std().item() / (bound / 3**0.5) - 1) < 0.05
    assert not encoder.bias0.any()
    assert not encoder.bias1.any()
