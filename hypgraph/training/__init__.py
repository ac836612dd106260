"""The training loops, their checkpoints and devices."""

from hypgraph.training.checkpoint import load_checkpoint, save_checkpoint
from hypgraph.training.device import resolve_device
from hypgraph.training.hybrid_task import Fold, HybridTask
from hypgraph.training.hybrid_trainer import HybridTrainer
from hypgraph.training.input_features import INPUTS, input_features
from hypgraph.training.interrupt import deferred_interrupt
from hypgraph.training.link_task import LinkTask
from hypgraph.training.threads import limited_threads
from hypgraph.training.trainer import Best, EpochRecord, LinkTrainer, all_at_origin, link_logits, score_links
from hypgraph.training.vae_trainer import VAERecord, VAETrainer

__all__ = [
    "INPUTS",
    "Best",
    "EpochRecord",
    "Fold",
    "HybridTask",
    "HybridTrainer",
    "LinkTask",
    "LinkTrainer",
    "VAERecord",
    "VAETrainer",
    "all_at_origin",
    "deferred_interrupt",
    "input_features",
    "limited_threads",
    "link_logits",
    "load_checkpoint",
    "resolve_device",
    "save_checkpoint",
    "score_links",
]
