"""Training of the hybrid: fold by fold, resumable, blind to test edges, at chance on random graphs."""

import dataclasses
import io
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from torch import Tensor

from hypgraph.config import load_config
from hypgraph.data import EdgeSplit, Graph, split_edges
from hypgraph.evaluation import PairFeatures, TrainingGraph, link_metrics
from hypgraph.models import HybridVGAE, ScoredPairs, build_vgae
from hypgraph.nn import PairHead
from hypgraph.random import stream
from hypgraph.training import HybridTask, HybridTrainer, LinkTask, link_logits, score_links
from hypgraph.training.trainer import EpochRecord, LinkTrainer

CPU = torch.device("cpu")


def graph_of(drawn: nx.Graph, seed: int = 0) -> Graph:
    """With random binary features."""
    features = (np.random.default_rng(seed).random((len(drawn), 12)) < 0.3).astype(np.float32)
    edges = np.array(sorted(drawn.edges())).T
    return Graph.from_pairs("random", edges, node_id=np.arange(len(drawn)), features=features)


def communities() -> Graph:
    return graph_of(nx.stochastic_block_model([20, 20], [[0.3, 0.03], [0.03, 0.3]], seed=0))


def split_of(graph: Graph, seed: int = 0) -> EdgeSplit:
    return split_edges(graph, generator=stream(seed, "split"))


def trainer_of(
    graph: Graph,
    *assignments: str,
    split: EdgeSplit | None = None,
    seed: int = 0,
    sees_latent: bool = True,
) -> HybridTrainer:
    """At epoch 0; ``assignments`` are those of ``--set``."""
    config = load_config(assignments=["model.decoder=hybrid", "model.dim=3", "model.hidden=16", *assignments])
    split = split or split_of(graph, seed)
    normalisation = config.model.normalisation
    plain = LinkTask.build(graph, split, normalisation=normalisation, device=CPU)
    task = HybridTask.of(plain, graph, split, normalisation=normalisation, generator=stream(seed, "folds"))
    model = build_vgae(
        config.model,
        task.features.shape[1],
        num_pair_features=task.num_pair_features,
        sees_latent=sees_latent,
        generator=stream(seed, "init"),
    )
    assert isinstance(model, HybridVGAE)
    return HybridTrainer(model, task, config.training, generator=stream(seed, "train"))


def epochs(trainer: LinkTrainer, count: int) -> list[EpochRecord]:
    return [trainer.run_epoch() for _ in range(count)]


def weights_of(trainer: LinkTrainer) -> dict[str, Tensor]:
    return {**trainer.model.state_dict(), **trainer.averaged.state_dict(prefix="averaged.")}


def heads_of(trainer: LinkTrainer) -> list[PairHead]:
    """Of the model that is trained, and of its average."""
    models = trainer.model, trainer.best_model()
    return [model.pair_head for model in models if isinstance(model, HybridVGAE)]


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def saved_and_loaded(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded


def test_each_epoch_scores_the_next_fold_in_the_graph_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of(communities())
    task, model = trainer.task, trainer.model
    seen: list[tuple[Any, ...]] = []
    real_encode, real_objective = model.encode, model.hybrid_objective

    def encode(features: Any, adjacency: Any, **options: Any) -> Any:
        seen.append((features, adjacency))
        return real_encode(features, adjacency, **options)

    def objective(posterior: Any, positive: Tensor, negative: Tensor, scored: ScoredPairs, **options: Any) -> Any:
        seen[-1] += (positive, negative, scored)
        return real_objective(posterior, positive, negative, scored, **options)

    monkeypatch.setattr(model, "encode", encode)
    monkeypatch.setattr(model, "hybrid_objective", objective)
    for _ in range(23):
        trainer.step()
    assert len(seen) == 23
    train = set(map(tuple, task.positive.T.tolist()))
    for epoch, (features, adjacency, positive, negative, scored) in enumerate(seen):
        fold = task.folds[epoch % 10]
        assert features is task.features
        assert adjacency is fold.adjacency
        assert torch.equal(scored.positive, fold.positive)
        u, v = scored.positive
        assert not adjacency.matrix.to_dense()[u, v].any()
        # The latent logit goes by all training edges, and as many other pairs
        assert torch.equal(positive, task.positive)
        assert negative.shape == positive.shape
        assert not set(map(tuple, negative.T.tolist())) & train
    assert not torch.equal(seen[0][3], seen[1][3])
    assert not torch.equal(seen[0][4].negative, seen[10][4].negative)


def test_features_are_standardised_by_edges_and_as_many_of_the_pools() -> None:
    trainer = trainer_of(communities())
    folds = trainer.task.folds
    # The pools have twenty pairs an edge, in random order
    pools = np.concatenate([fold.pool_features.double().numpy() for fold in folds])
    edges = np.concatenate([fold.positive_features.double().numpy() for fold in folds])
    chosen = pools[::20]
    assert len(chosen) == len(edges) == trainer.task.positive.shape[1]
    both = np.concatenate([edges, chosen])
    for head in heads_of(trainer):
        np.testing.assert_allclose(head.mean.numpy(), both.mean(0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(head.std.numpy(), both.std(0), rtol=1e-5)
    assert abs(trainer.model.pair_head.mean[0].item() - pools[:, 0].mean()) > 0.1  # edges do count


def test_training_leaves_the_standardisation_alone() -> None:
    trainer = trainer_of(communities())
    before = trainer.model.pair_head.mean.clone(), trainer.model.pair_head.std.clone()
    epochs(trainer, 3)
    for head in heads_of(trainer):
        assert torch.equal(head.mean, before[0])
        assert torch.equal(head.std, before[1])


@pytest.mark.parametrize("sees_latent", [True, False])
@pytest.mark.parametrize("at", [1, 12])
def test_a_trainer_restored_from_its_state_goes_on_bit_by_bit(at: int, sees_latent: bool) -> None:
    graph = communities()
    whole = trainer_of(graph, sees_latent=sees_latent)
    expected = epochs(whole, 15)
    stopped = trainer_of(graph, sees_latent=sees_latent)
    assert epochs(stopped, at) == expected[:at]
    state = saved_and_loaded(stopped.state_dict())
    other = trainer_of(graph, sees_latent=sees_latent)
    with torch.no_grad():  # other weights and other randomness, to be replaced
        for value in [*other.model.state_dict().values(), *other.averaged.state_dict().values()]:
            value.add_(1)
    other.generator.manual_seed(99)
    other.load_state_dict(state)
    assert epochs(other, 15 - at) == expected[at:]
    assert same(weights_of(other), weights_of(whole))
    assert same(other.best_model().state_dict(), whole.best_model().state_dict())


def test_the_same_seed_gives_the_same_numbers_and_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(1)
    first = epochs(trainer_of(communities()), 4)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert epochs(trainer_of(communities()), 4) == first
    assert torch.equal(torch.get_rng_state(), state)
    split = split_of(communities())
    assert epochs(trainer_of(communities(), split=split, seed=7), 4) != first


@pytest.mark.parametrize("sees_latent", [True, False])
@pytest.mark.parametrize("change", ["fewer", "other pairs", "labels exchanged", "not in the graph"])
def test_nothing_about_the_test_edges_moves_a_weight(change: str, sees_latent: bool) -> None:
    graph = communities()
    split = split_of(graph)
    edges, others = split.test_edge_index, split.test_neg_edge_index
    match change:
        case "fewer":
            edges, others = edges[:, :1], others[:, :2]
        case "other pairs":
            edges, others = others, split.training_negatives().sample(5, generator=stream(9, "pairs"))
        case "labels exchanged":
            edges, others = others, edges
    other_graph = graph
    if change == "not in the graph":
        known = torch.cat([split.train_edge_index, split.val_edge_index], dim=1)
        other_graph = Graph.from_pairs("known", known, node_id=graph.node_id, features=graph.features)
        assert other_graph.num_edges == graph.num_edges - edges.shape[1]
    other_split = dataclasses.replace(split, test_edge_index=edges, test_neg_edge_index=others)
    left = trainer_of(graph, split=split, sees_latent=sees_latent)
    right = trainer_of(other_graph, split=other_split, sees_latent=sees_latent)
    assert epochs(left, 3) == epochs(right, 3)  # the validation's figures too
    assert same(weights_of(left), weights_of(right))
    assert same(left.best_model().state_dict(), right.best_model().state_dict())


def test_validation_edges_move_no_weight_but_choose_the_epoch() -> None:
    split = split_of(communities())
    swapped = dataclasses.replace(
        split, val_edge_index=split.val_neg_edge_index, val_neg_edge_index=split.val_edge_index
    )
    left, right = (trainer_of(communities(), split=one) for one in (split, swapped))
    for one, two in zip(epochs(left, 4), epochs(right, 4), strict=True):
        assert one[:5] == two[:5]  # epoch, loss and its terms
        assert one.val_auc == pytest.approx(1 - two.val_auc)
    assert same(weights_of(left), weights_of(right))


def random_graph_aucs(seeds: range, sees_latent: bool, *, leak: bool = False) -> list[float]:
    """Test AUC on random graphs, of 90 edges and 90 non-edges each; where it leaks, test edges are trained on."""
    aucs = []
    for seed in seeds:
        graph = graph_of(nx.gnm_random_graph(70, 900, seed=seed), seed)
        split = split_of(graph, seed)
        if leak:
            everything = torch.cat([split.train_edge_index, split.test_edge_index], dim=1)
            order = (everything[0] * 70 + everything[1]).argsort()
            split = dataclasses.replace(split, train_edge_index=everything[:, order])
        quick = ("model.dropout=0", "training.lr=0.03")
        trainer = trainer_of(graph, *quick, split=split, seed=seed, sees_latent=sees_latent)
        epochs(trainer, 20)
        (test,) = score_links(trainer.best_model(), trainer.task, trainer.task.test)
        aucs.append(test.auc)
    return aucs


@pytest.mark.parametrize("sees_latent", [True, False])
def test_where_there_is_nothing_to_learn_test_edges_score_at_chance(sees_latent: bool) -> None:
    """Given the training edges of a random graph, its other edges and non-edges are one random lot.

    So the standard error is that of the rank sum of Mann and Whitney, with labels that are exchangeable. Far from
    0.5 is a leak on either side: the head learns from edges outside its graph, and may take one inside for none.
    """
    error = ((90 + 90 + 1) / (12 * 90 * 90)) ** 0.5
    aucs = random_graph_aucs(range(6), sees_latent)
    assert abs(np.mean(aucs) - 0.5) < 4 * error / 6**0.5, aucs
    leaked = random_graph_aucs(range(4), sees_latent, leak=True)
    assert abs(np.mean(leaked) - 0.5) > 6 * error / 4**0.5, leaked


def trained(sees_latent: bool) -> HybridTrainer:
    trainer = trainer_of(communities(), "training.lr=0.05", sees_latent=sees_latent)
    epochs(trainer, 12)
    return trainer


def head_logits(model: HybridVGAE, features: np.ndarray, latent: np.ndarray | None) -> np.ndarray:
    """ℓ + b + α·φ̂ + W₁ relu(W₀ [φ̂, ℓ/3] + b₀) + b₁."""
    weights = {name: value.double().numpy() for name, value in model.pair_head.state_dict().items()}
    standard = (features - weights["mean"]) / weights["std"]
    logit = np.zeros(len(standard)) if latent is None else latent
    inputs = np.concatenate([standard, logit[:, None] / 3], axis=1)
    hidden = np.maximum(inputs @ weights["inner.weight"].T + weights["inner.bias"], 0)
    outer = hidden @ weights["outer.weight"].T + weights["outer.bias"]
    return np.asarray(logit + weights["bias"] + standard @ weights["alpha"] + outer[:, 0])


@pytest.mark.parametrize("sees_latent", [True, False])
def test_logits_are_the_heads_of_features_and_latents_at_loc(sees_latent: bool) -> None:
    trainer = trained(sees_latent)
    task, model = trainer.task, trainer.model
    strangers = task.negatives.sample(31, generator=stream(0, "strangers"))
    sets = (task.test[1], strangers, task.val[0], task.positive[:, :9])
    found = link_logits(model, task, *sets)
    assert model.training
    model.eval()
    whole = PairFeatures(TrainingGraph.from_edges(task.positive, 40, task.pair_features.graph.features))
    with torch.no_grad():
        loc = model.encode(task.features, task.adjacency).loc
        for pairs, logits in zip(sets, found, strict=True):
            latent = model.decode(loc, pairs).numpy() if sees_latent else None
            expected = head_logits(model, whole.of(pairs).astype(np.float64), latent)
            np.testing.assert_allclose(logits.double().numpy(), expected, rtol=1e-4, atol=1e-4)
            assert np.abs(expected).max() > 0.1
            if latent is not None:
                assert np.abs(expected - latent).max() > 0.05  # the head has learnt


@pytest.mark.parametrize("sees_latent", [True, False])
def test_latents_shuffled_over_the_nodes_matter_to_a_head_that_sees_them_alone(
    sees_latent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = trained(sees_latent)
    task, model = trainer.task, trainer.model
    before = link_logits(model, task, *task.test)
    order = torch.randperm(40, generator=stream(0, "order"))
    real = model.decode
    monkeypatch.setattr(model, "decode", lambda z, pairs: real(z, order[pairs]))
    after = link_logits(model, task, *task.test)
    for one, two in zip(before, after, strict=True):
        assert torch.equal(one, two) == (not sees_latent)


def test_without_the_latent_only_the_head_is_trained() -> None:
    trainer = trainer_of(communities(), "training.weight_decay=0.1", sees_latent=False)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    records = epochs(trainer, 3)
    for name, value in trainer.model.state_dict().items():
        fixed = not name.startswith("pair_head.") or name in ("pair_head.mean", "pair_head.std")
        assert torch.equal(value, before[name]) == fixed, name
    assert all(record.kl == record.pulled_in == 0 and record.loss == record.reconstruction for record in records)


@pytest.mark.parametrize("sees_latent", [True, False])
def test_scores_are_the_metrics_of_the_logits(sees_latent: bool) -> None:
    trainer = trained(sees_latent)
    task, model = trainer.task, trainer.best_model()
    val, test = score_links(model, task, task.val, task.test)
    for metrics, sets in ((val, task.val), (test, task.test)):
        assert metrics == link_metrics(*link_logits(model, task, *sets))
    assert trainer.best is not None
    assert val == trainer.best.val
