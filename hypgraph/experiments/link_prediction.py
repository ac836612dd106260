"""Link prediction from a configuration to a run folder: split, baselines, training, test, embeddings."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch

from hypgraph import __version__
from hypgraph.config import RunConfig
from hypgraph.data import EdgeSplit, Graph
from hypgraph.evaluation import LinkMetrics, hits_at_k, ranking_metrics, score_baselines
from hypgraph.exceptions import NumericalError, RunError
from hypgraph.experiments.environment import environment
from hypgraph.experiments.link_data import check_split, graph_counts, load_data, own_hits, split_of
from hypgraph.export import Embeddings
from hypgraph.files import write_json
from hypgraph.models import HYBRID, VGAE, HybridVGAE, build_vgae, decoder_name
from hypgraph.random import stream
from hypgraph.run_folder import RunFolder
from hypgraph.training import (
    EpochRecord,
    HybridTask,
    HybridTrainer,
    LinkTask,
    LinkTrainer,
    all_at_origin,
    deferred_interrupt,
    limited_threads,
    link_logits,
    load_checkpoint,
    resolve_device,
    save_checkpoint,
    score_links,
)

__all__ = ["Evaluation", "LinkPrediction", "OnEpoch", "evaluate_run", "open_run"]

OnEpoch = Callable[[EpochRecord], None]


@dataclass(frozen=True, eq=False)
class LinkPrediction:
    """One run, prepared: everything that can be refused has been, and nothing is on disk yet.

    Attributes:
        config: the resolved configuration.
        graph: the data.
        split: of its edges.
        task: the split on its device.
        trainer: at epoch 0.
    """

    config: RunConfig
    graph: Graph
    split: EdgeSplit
    task: LinkTask
    trainer: LinkTrainer

    @classmethod
    def prepare(
        cls,
        config: RunConfig,
        *,
        graph: Graph | None = None,
        split: EdgeSplit | None = None,
    ) -> "LinkPrediction":
        """Loads the data, splits it, and builds model and optimiser.

        Args:
            config: the run.
            graph: the data; loaded by ``config.data.name`` where it is not given.
            split: of the data's edges; drawn from the seed where it is not given.

        Raises:
            HypgraphError: for an unknown name, unusable data, or a device that is not there.
        """
        device = resolve_device(config.training.device)
        if graph is None:
            graph = load_data(config.data)
        if split is None:
            split = split_of(graph, config)
        else:
            changed = "the data have changed since the run began; train again"
            check_split(split, graph, config.data, source=config.data.name, remedy=changed)
        task = _task(config, graph, split, device)
        trainer = _trainer(config, task, directed=graph.directed)
        return cls(config, graph, split, task, trainer)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what training depends on: nodes, edges and features."""
        digest = hashlib.sha256(str(self.graph.num_nodes).encode())
        digest.update(self.graph.edge_index.numpy().tobytes())
        if self.graph.features is not None:
            for part in (self.graph.features.indptr, self.graph.features.indices, self.graph.features.data):
                digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def restore(self, folder: RunFolder) -> None:
        """Goes to the state of the checkpoint of ``folder``.

        Raises:
            RunError: if there is none, or it is damaged, of another version, of other data or of another model.
        """
        path, device = folder.checkpoint_file, self.task.positive.device
        state = load_checkpoint(path, fingerprint=self.fingerprint, device=device)
        try:
            self.trainer.load_state_dict(state)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
            raise RunError(f"{path}: the checkpoint does not fit the run's config.json; train again") from None

    def run(self, folder: RunFolder, on_epoch: OnEpoch) -> dict[str, Any]:
        """Trains from where the trainer is to the end, and fills ``folder``.

        Args:
            folder: a run folder of this configuration.
            on_epoch: sees each epoch.

        Returns:
            What ``summary.json`` holds.

        Raises:
            NumericalError: if a loss is not finite; the state before it is saved.
            KeyboardInterrupt: passed on, after the state is saved.
        """
        folder.keep_metrics(self.trainer.epoch)
        self.split.save(folder.split_file)

        def save() -> None:
            save_checkpoint(folder.checkpoint_file, self.trainer.state_dict(), fingerprint=self.fingerprint)

        if self.trainer.epoch == 0:
            save()
        with limited_threads(self.config.training.threads, num_nodes=self.graph.num_nodes):
            write_json(folder.environment_file, environment())
            self._train(folder, on_epoch, save)
            model = self.trainer.best_model()
            with torch.no_grad():
                posterior = model.encode(self.task.features, self.task.adjacency)
            Embeddings.from_posterior(posterior, self.graph.node_id).save_npz(folder.embeddings_file)
            summary = self._summary(model)
        write_json(folder.summary_file, summary)
        return summary

    def _train(self, folder: RunFolder, on_epoch: OnEpoch, save: Callable[[], None]) -> None:
        every = self.config.training.checkpoint_every
        with folder.metrics_file.open("a", encoding="utf-8") as metrics, deferred_interrupt() as interrupt:
            while not self.trainer.done:
                epoch = self.trainer.epoch
                try:
                    record = self.trainer.run_epoch()
                except NumericalError:
                    if self.trainer.epoch == epoch:  # else the weights have moved, and the last checkpoint stands
                        save()
                    raise
                metrics.write(json.dumps(record._asdict()) + "\n")
                metrics.flush()
                on_epoch(record)
                if record.epoch % every == 0 or interrupt.made or self.trainer.done:
                    save()
                interrupt.honour()

    def _summary(self, model: VGAE) -> dict[str, Any]:
        config, trainer, split = self.config, self.trainer, self.split
        val, test = score_links(model, self.task, self.task.val, self.task.test)
        sets = {
            "val": (split.val_edge_index, split.val_neg_edge_index),
            "test": (split.test_edge_index, split.test_neg_edge_index),
        }
        baselines = score_baselines(split.train_edge_index, split.num_nodes, self.graph.features, sets)
        return {
            "data": self.graph.name,
            "latent": config.model.latent,
            "dim": config.model.dim,
            "c": model.head.manifold.c_value,
            "learn_c": config.model.learn_c,
            "posterior": config.model.posterior,
            "prior": config.model.posterior if config.model.prior == "auto" else config.model.prior,
            "decoder": decoder_name(config.model, directed=self.graph.directed),
            "seed": config.training.seed,
            "device": str(self.task.positive.device),
            "epochs": trainer.epoch,
            "best_epoch": trainer.best.epoch if trainer.best else 0,
            "seconds": trainer.seconds,
            "all_at_origin": all_at_origin(model, self.task),
            "metrics": {"val": val._asdict(), "test": test._asdict()},
            "ranking": self.ranking(model),
            "ablation": self._ablation() if config.model.decoder == HYBRID else {},
            "baselines": {name: _figures(scores["val"], scores["test"]) for name, scores in baselines.items()},
            "graph": graph_counts(self.graph),
            "hypgraph": __version__,
        }

    def _ablation(self) -> dict[str, dict[str, Any]]:
        """What the two halves of the hybrid reach on this split, each trained by itself."""
        config, directed = self.config, self.graph.directed
        model = config.model.model_copy(update={"decoder": "auto"})
        halves = {
            "latent_only": _trainer(config.model_copy(update={"model": model}), self.task, directed=directed),
            "no_latent": _trainer(config, self.task, directed=directed, sees_latent=False),
        }
        result = {}
        for name, half in halves.items():
            try:
                while not half.done:
                    half.run_epoch()
            except NumericalError:  # a row less; the run itself is sound
                continue
            result[name] = _figures(*score_links(half.best_model(), self.task, self.task.val, self.task.test))
        return result

    def ranking(self, model: VGAE) -> dict[str, dict[str, float]]:
        """Hits@K and MRR where the negatives call for them: OGB's, or hard ones of each edge; else empty."""
        each, k = self.split.negatives_each, self.task.hits_at
        if not each and k is None:
            return {}
        result = {}
        for name, edges in (("val", self.task.val), ("test", self.task.test)):
            positive, negative = link_logits(model, self.task, *edges)
            if each:
                ranking = ranking_metrics(
                    [(positive, negative.view(-1, each))], ks=[k for k in (10, 50) if k < each]
                )
                hits = {f"hits@{k}": share for k, share in ranking.hits.items()}
                result[name] = {"mrr": ranking.mrr, **hits}
            else:
                assert k is not None
                result[name] = {f"hits@{k}": hits_at_k(positive, negative, k)}
        return result


def _task(config: RunConfig, graph: Graph, split: EdgeSplit, device: torch.device) -> LinkTask:
    model, data = config.model, config.data
    inputs = data.features if isinstance(data.features, str) else "own"
    task = LinkTask.build(
        graph,
        split,
        normalisation=model.normalisation,
        device=device,
        inputs=inputs,
        hits_at=own_hits(data),
    )
    if model.decoder != HYBRID:
        return task
    seen = replace(graph, features=None) if data.features == "none" else graph
    generator = stream(config.training.seed, "folds")
    return HybridTask.of(task, seen, split, normalisation=model.normalisation, inputs=inputs, generator=generator)


def _trainer(config: RunConfig, task: LinkTask, *, directed: bool, sees_latent: bool = True) -> LinkTrainer:
    seed, device = config.training.seed, task.positive.device
    model = build_vgae(
        config.model,
        task.features.shape[1],
        directed=directed,
        num_pair_features=task.num_pair_features if isinstance(task, HybridTask) else 0,
        sees_latent=sees_latent,
        generator=stream(seed, "init"),
    ).to(device)
    generator = stream(seed, "train", device=device)
    if isinstance(model, HybridVGAE) and isinstance(task, HybridTask):
        return HybridTrainer(model, task, config.training, generator=generator)
    return LinkTrainer(model, task, config.training, generator=generator)


def _figures(val: LinkMetrics, test: LinkMetrics) -> dict[str, Any]:
    return {**test._asdict(), "val": val._asdict()}


def open_run(folder: RunFolder) -> LinkPrediction:
    """The run of ``folder`` at epoch 0, on the split that it has saved."""
    split = EdgeSplit.load(folder.split_file) if folder.split_file.exists() else None
    return LinkPrediction.prepare(folder.config(), split=split)


class Evaluation(NamedTuple):
    """What a finished run reaches, computed anew from its data, split and best weights.

    Attributes:
        metrics: of ``"val"`` and ``"test"``.
        ranking: Hits@K and MRR where the negatives call for them; else empty.
    """

    metrics: dict[str, LinkMetrics]
    ranking: dict[str, dict[str, float]]


def evaluate_run(folder: RunFolder) -> Evaluation:
    """Scores a finished run.

    Raises:
        RunError: if the run is not finished, its files are damaged, or the data have changed.
    """
    folder.summary()
    run = open_run(folder)
    run.restore(folder)
    with limited_threads(run.config.training.threads, num_nodes=run.graph.num_nodes):
        model = run.trainer.best_model()
        val, test = score_links(model, run.task, run.task.val, run.task.test)
        return Evaluation({"val": val, "test": test}, run.ranking(model))
