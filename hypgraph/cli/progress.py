"""How training goes, on a line of the terminal; plain lines elsewhere."""

import sys
import time
from typing import Self

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from hypgraph.data import Graph
from hypgraph.experiments.link_prediction import LinkPrediction
from hypgraph.run_folder import RunFolder
from hypgraph.training import EpochRecord

__all__ = ["Progress", "counts_line"]

# Plain lines come this many times a run.
PLAIN_LINES = 10
REDRAW_SECONDS = 0.1


def counts_line(graph: Graph) -> str:
    """What a graph has, and what reading it has left out, in one line."""
    dropped = graph.self_loops_dropped + graph.duplicates_dropped
    return (
        f"{graph.name}: {graph.num_nodes:,} nodes"
        + (f" ({graph.num_isolated:,} isolated)" if graph.num_isolated else "")
        + f", {graph.num_edges:,} {'directed ' if graph.directed else ''}edge{'s' * (graph.num_edges != 1)}"
        + (f" ({dropped:,} self-loops and duplicates dropped)" if dropped else "")
        + (f", {graph.features.shape[1]:,} features" if graph.features is not None else ", no features")
    )


class Progress:
    """Shows epoch, loss, reconstruction, KL, validation AUC and epochs a second.

    Args:
        quiet: show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.console = Console(file=sys.stderr)
        self.live = Live(console=self.console, transient=True, auto_refresh=False)
        self.epochs = 0
        self.drawn = 0.0
        self.first_epoch: int | None = None
        self.started = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Clears the line."""
        self.live.stop()

    def on_run(self, folder: RunFolder, run: LinkPrediction) -> None:
        """A run begins, or goes on."""
        self.epochs, self.first_epoch = run.config.training.epochs, None
        if self.quiet:
            return
        graph, model, epoch = run.graph, run.config.model, run.trainer.epoch
        self.live.stop()
        typer.echo(counts_line(graph), err=True)
        for note in graph.notes:
            typer.echo(f"  {note}", err=True)
        start = f", from epoch {epoch}" if epoch else ""
        typer.echo(
            f"{model.latent} d={model.dim}, seed {run.config.training.seed}{start} -> {folder.path}", err=True
        )
        if self.console.is_terminal:
            self.live = Live(console=self.console, transient=True, auto_refresh=False)
            self.live.start()

    def on_epoch(self, record: EpochRecord) -> None:
        """An epoch is over."""
        if self.first_epoch is None:
            self.first_epoch, self.started = record.epoch, time.perf_counter()
        if self.quiet:
            return
        if self.live.is_started:
            now = time.perf_counter()
            if now - self.drawn < REDRAW_SECONDS:
                return
            self.drawn = now
            self.live.update(Text(self._line(record), overflow="ellipsis", no_wrap=True), refresh=True)
        elif record.epoch % max(1, self.epochs // PLAIN_LINES) == 0:
            typer.echo(self._line(record), err=True)

    def _line(self, record: EpochRecord) -> str:
        since = record.epoch - (self.first_epoch or 0)
        rate = f" {since / (time.perf_counter() - self.started):.0f} epochs/s" if since else ""
        return (
            f"epoch {record.epoch}/{self.epochs} loss {record.loss:.4f} "
            f"reconstruction {record.reconstruction:.4f} KL {record.kl:.1f} "
            f"val AUC {100 * record.val_auc:.1f}{rate}"
        )
