"""The split of a configuration: from a file, hard negatives, and data sets that bring their own."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from hypgraph.config import load_config
from hypgraph.data import EdgeSplit
from hypgraph.evaluation import TrainingGraph, heart_negatives
from hypgraph.exceptions import ConfigError, DataError, RunError
from hypgraph.experiments.link_data import load_data, split_of, with_absolute_paths
from hypgraph.experiments.link_prediction import LinkPrediction, evaluate_run
from hypgraph.random import stream
from tests.data.ogb_archives import citation2, write_archive

DATA_ROOT = os.environ.get("HYPGRAPH_DATA")


def config(**overrides):
    return load_config(
        overrides={"data.name": "les-miserables", **{k.replace("__", "."): v for k, v in overrides.items()}}
    )


def as_set(pairs):
    return {tuple(sorted(pair)) for pair in pairs.T.tolist()}


def test_a_saved_split_is_the_split_of_every_seed(tmp_path):
    graph = load_data(config().data)
    split_of(graph, config()).save(tmp_path / "split.npz")
    for seed in (0, 1):
        again = split_of(graph, config(data__split=str(tmp_path / "split.npz"), training__seed=seed))
        assert again.test_edge_index.equal(split_of(graph, config()).test_edge_index)


def test_a_split_of_another_graph_is_refused(tmp_path):
    other = config(data__name="karate")
    split_of(load_data(other.data), other).save(tmp_path / "split.npz")
    with pytest.raises(RunError, match=r"split\.npz: is a split of another graph than les-miserables"):
        split_of(load_data(config().data), config(data__split=str(tmp_path / "split.npz")))


def test_hard_negatives_share_an_end_with_their_edge_are_no_edges_and_survive_saving(tmp_path):
    hard = config(data__negatives="heart", data__negatives_each=6)
    graph = load_data(hard.data)
    split = split_of(graph, hard)
    assert split.val_edge_index.equal(split_of(graph, config()).val_edge_index)
    own = split.test_neg_edge_index.view(2, -1, 6)
    for i, (u, v) in enumerate(split.test_edge_index.T.tolist()):
        for pair in own[:, i].T.tolist():
            assert {u, v} & set(pair)
    assert not as_set(split.test_neg_edge_index) & as_set(graph.edge_index)
    split.save(tmp_path / "split.npz")
    back = EdgeSplit.load(tmp_path / "split.npz")
    assert (back.negatives_each, back.is_of(graph)) == (6, True)
    assert back.test_neg_edge_index.equal(split.test_neg_edge_index)


def test_hard_negatives_are_chosen_by_the_training_edges_alone():
    hard = config(data__negatives="heart", data__negatives_each=6)
    graph = load_data(hard.data)
    split = split_of(graph, hard)
    everything = torch.cat([split.train_edge_index, split.val_edge_index, split.test_edge_index], dim=1)

    def chosen(seen):
        training, generator = TrainingGraph.from_edges(seen, graph.num_nodes), stream(0, "negatives")
        return [
            heart_negatives(training, edges, everything, count=6, generator=generator).flatten(1)
            for edges in (split.val_edge_index, split.test_edge_index)
        ]

    val, test = chosen(split.train_edge_index)
    assert split.val_neg_edge_index.equal(val)
    assert split.test_neg_edge_index.equal(test)
    assert not chosen(everything)[1].equal(test)


def test_ranks_of_validation_and_of_test_are_each_among_their_own_negatives():
    hard = config(data__negatives="heart", data__negatives_each=5, training__epochs=2, model__dim=2)
    run = LinkPrediction.prepare(hard)
    ranking = run.ranking(run.trainer.best_model())
    with torch.no_grad():
        model = run.trainer.best_model()
        loc = model.encode(run.task.features, run.task.adjacency).loc
        for which, edges in (("val", run.task.val), ("test", run.task.test)):
            positive, negative = (model.decode(loc, pairs).numpy() for pairs in edges)
            others = negative.reshape(-1, 5)
            rank = 1 + (others > positive[:, None]).sum(1) + (others == positive[:, None]).sum(1) / 2
            assert ranking[which]["mrr"] == pytest.approx((1 / rank).mean(), rel=1e-12)
    assert ranking["val"] != ranking["test"]


def test_hard_negatives_lead_to_ranks_in_the_summary(tmp_path):
    from hypgraph.run_folder import RunFolder

    hard = config(data__negatives="heart", data__negatives_each=20, training__epochs=2, model__dim=2)
    folder = RunFolder.create(tmp_path / "run", hard)
    summary = LinkPrediction.prepare(hard).run(folder, lambda _record: None)
    assert evaluate_run(folder).ranking == summary["ranking"]
    for which in ("val", "test"):
        assert set(summary["ranking"][which]) == {"mrr", "hits@10"}  # among 20 negatives, Hits@50 says nothing
        assert 0 < summary["ranking"][which]["mrr"] <= 1


def test_paths_of_a_configuration_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("g.csv").write_text("a,b\n")
    data = with_absolute_paths(config(data__name="g.csv", data__features="f.csv", data__split="s.npz")).data
    assert (data.name, data.features, data.split) == (
        str(tmp_path / "g.csv"),
        tmp_path / "f.csv",
        tmp_path / "s.npz",
    )


@pytest.mark.skipif(DATA_ROOT is None, reason="needs ogbl-ddi under HYPGRAPH_DATA")
def test_a_data_set_of_ogb_comes_with_its_split_and_refuses_other_negatives():
    ddi = config(data__name="ogbl-ddi")
    graph = load_data(ddi.data)
    split = split_of(graph, ddi)
    assert split.is_of(graph, held_out_elsewhere=True)
    assert split.train_edge_index.equal(graph.edge_index)
    counts = [
        part.shape[1] for part in (split.val_edge_index, split.val_neg_edge_index, split.test_neg_edge_index)
    ]
    assert counts == [133_489, 101_882, 95_599]
    assert torch.equal(
        split.train_edge_index, split_of(graph, config(data__name="ogbl-ddi", training__seed=5)).train_edge_index
    )
    with pytest.raises(ConfigError, match=r"^ogbl-ddi has a split with its own negatives"):
        split_of(graph, config(data__name="ogbl-ddi", data__negatives="heart"))


def test_a_split_that_leaks_is_refused(tmp_path):
    graph = load_data(config().data)
    split = split_of(graph, config())
    edges = graph.edge_index
    held_out_in_training = dataclasses.replace(split, train_edge_index=edges)
    edges_as_negatives = dataclasses.replace(split, test_neg_edge_index=split.train_edge_index[:, :25])
    for number, bad in enumerate((held_out_in_training, edges_as_negatives)):
        bad.save(tmp_path / f"{number}.npz")
        with pytest.raises(RunError, match="is a split of another graph"):
            split_of(graph, config(data__split=str(tmp_path / f"{number}.npz")))


def test_a_split_of_the_other_kind_of_graph_says_what_to_do_about_directions(tmp_path):
    graph = load_data(config().data)
    split = dataclasses.replace(split_of(graph, config()), directed=True)
    split.save(tmp_path / "split.npz")
    with pytest.raises(RunError, match=r"is a split of a directed graph; add --directed$"):
        split_of(graph, config(data__split=str(tmp_path / "split.npz")))


def test_a_split_with_hard_negatives_needs_the_flag_and_keeps_its_negatives(tmp_path):
    hard = config(data__negatives="heart", data__negatives_each=6)
    graph = load_data(hard.data)
    split = split_of(graph, hard)
    split.save(tmp_path / "split.npz")
    with pytest.raises(ConfigError, match=r"split\.npz: has hard negatives; add --negatives heart$"):
        split_of(graph, config(data__split=str(tmp_path / "split.npz")))
    again = split_of(graph, config(data__split=str(tmp_path / "split.npz"), data__negatives="heart"))
    assert again.test_neg_edge_index.equal(split.test_neg_edge_index)


def test_hard_negatives_of_a_split_from_a_file_are_the_same_for_every_seed(tmp_path):
    graph = load_data(config().data)
    split_of(graph, config()).save(tmp_path / "split.npz")
    hard = {"data__split": str(tmp_path / "split.npz"), "data__negatives": "heart", "data__negatives_each": 6}
    one, other = (split_of(graph, config(**hard, training__seed=seed)) for seed in (0, 1))
    assert one.test_neg_edge_index.equal(other.test_neg_edge_index)


def test_too_many_hard_negatives_name_the_setting():
    many = config(data__name="karate", data__negatives="heart", data__negatives_each=70)
    with pytest.raises(DataError, match=r"--set data\.negatives_each=N; it is 70"):
        split_of(load_data(many.data), many)


def test_ogbl_citation2_trains_on_its_own_split_and_is_ranked_as_ogb_does(tmp_path):
    """An archive laid out as OGB's, of six papers."""
    parts = citation2()
    features = np.arange(12.0).reshape(6, 2)
    write_archive(tmp_path / "ogb/citation-v2.zip", split="time", parts=parts, num_nodes=6, features=features)
    cited = config(data__name="ogbl-citation2", data__root=str(tmp_path), model__dim=2, training__epochs=2)
    graph = load_data(cited.data)
    split = split_of(graph, cited)
    assert split.is_of(graph, held_out_elsewhere=True)
    negative = split.test_neg_edge_index.view(2, -1, split.negatives_each)
    assert negative[1].tolist() == parts["test"]["target_node_neg"].tolist()
    assert (negative[0] == split.test_edge_index[0].unsqueeze(1)).all()
    run = LinkPrediction.prepare(cited)
    run.trainer.run_epoch()
    scores = run.ranking(run.trainer.best_model())
    assert 0 < scores["test"]["mrr"] <= 1
