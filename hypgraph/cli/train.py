"""``hypgraph train``."""

import shlex
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from hypgraph.cli.options import ConfigFile, DataRoot, Set, described
from hypgraph.cli.paths import new_folder
from hypgraph.config import RunConfig, load_config
from hypgraph.exceptions import ConfigError

__all__ = ["train"]


def train(
    data: Annotated[
        str | None,
        typer.Option("--data", help="A data set or a simulation (hypgraph data list), or a file. [default: cora]"),
    ] = None,
    source_col: Annotated[str | None, described("data.source_col", metavar="COLUMN")] = None,
    target_col: Annotated[str | None, described("data.target_col", metavar="COLUMN")] = None,
    directed: Annotated[bool | None, described("data.directed", flag=True)] = None,
    features: Annotated[str | None, described("data.features", metavar="FILE|none|degree|learned")] = None,
    split: Annotated[Path | None, described("data.split", metavar="FILE")] = None,
    negatives: Annotated[str | None, described("data.negatives")] = None,
    latent: Annotated[str | None, described("model.latent")] = None,
    dim: Annotated[int | None, described("model.dim")] = None,
    c: Annotated[float | None, described("model.c")] = None,
    learn_c: Annotated[bool | None, described("model.learn_c", flag=True)] = None,
    posterior: Annotated[str | None, described("model.posterior")] = None,
    prior: Annotated[str | None, described("model.prior")] = None,
    prior_scale: Annotated[float | None, described("model.prior_scale")] = None,
    decoder: Annotated[str | None, described("model.decoder")] = None,
    epochs: Annotated[int | None, described("training.epochs")] = None,
    patience: Annotated[int | None, described("training.patience")] = None,
    lr: Annotated[float | None, described("training.lr")] = None,
    seed: Annotated[int | None, described("training.seed")] = None,
    seeds: Annotated[int | None, described("training.seeds")] = None,
    device: Annotated[str | None, described("training.device")] = None,
    compile_step: Annotated[bool | None, described("training.compile", flag=True)] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="The run folder to make. [default: results/<data>-<latent>-<time>-<seed>]",
        ),
    ] = None,
    config: ConfigFile = None,
    assignments: Set = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume", metavar="RUN", help="Go on with a run that was stopped; takes no options but --quiet."
        ),
    ] = None,
    data_root: DataRoot = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the path of the run.")] = False,
) -> None:
    """Train on a graph; print test AUC and AP beside baselines."""
    overrides = {
        "data.name": data,
        "data.root": data_root and str(data_root.absolute()),
        "data.source_col": source_col,
        "data.target_col": target_col,
        "data.directed": directed,
        "data.features": features,
        "data.split": split and str(split),
        "data.negatives": negatives,
        "model.latent": latent,
        "model.dim": dim,
        "model.c": c,
        "model.learn_c": learn_c,
        "model.posterior": posterior,
        "model.prior": prior,
        "model.prior_scale": prior_scale,
        "model.decoder": decoder,
        "training.epochs": epochs,
        "training.patience": patience,
        "training.lr": lr,
        "training.seed": seed,
        "training.seeds": seeds,
        "training.device": device,
        "training.compile": compile_step,
    }
    if resume is not None:
        given = [key for key, value in overrides.items() if value is not None]
        if given or out or config or assignments:
            key = given[0] if given else "out" if out else "config" if config else "set"
            flag = {"data.name": "data", "data.root": "data-root"}.get(key, key.rpartition(".")[2]).replace(
                "_", "-"
            )
            raise ConfigError(f"--resume takes everything from the run's config.json; leave out --{flag}")
        _run(None, resume, quiet=quiet)
    else:
        resolved = load_config(config, overrides=overrides, assignments=assignments or ())
        _run(resolved, out or default_folder(resolved), quiet=quiet)


def _run(config: RunConfig | None, path: Path, *, quiet: bool) -> None:
    """Trains ``config`` into the new folder ``path``; without ``config``, goes on with the run at ``path``."""
    from hypgraph.cli.progress import Progress
    from hypgraph.cli.report import print_result
    from hypgraph.experiments import seeds
    from hypgraph.run_folder import RunFolder
    from hypgraph.training.compiled_step import CompilationWarning
    from hypgraph.training.memory import keep_freed_memory

    keep_freed_memory()
    with Progress(quiet=quiet) as progress, warnings.catch_warnings():
        show = warnings.showwarning
        noted: set[str] = set()

        def in_a_line(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if not issubclass(category, CompilationWarning):
                show(message, category, *rest, **more)
            elif not quiet and str(message) not in noted:  # once, not for each seed and ablation
                noted.add(str(message))
                progress.console.print(f"Note: {message}", highlight=False, markup=False, soft_wrap=True)

        warnings.simplefilter("always", CompilationWarning)
        warnings.showwarning = in_a_line
        try:
            if config is None:
                summary: dict[str, Any] = seeds.resume(RunFolder.open(path), progress)
            else:
                summary = seeds.train(config, path, progress)
        except KeyboardInterrupt:
            progress.close()
            started = (path / "config.json").is_file()
            then = f" Go on with: hypgraph train --resume {shlex.quote(str(path))}" if started else ""
            typer.echo(f"Stopped.{then}", err=True)
            raise typer.Exit(130) from None
    if quiet:
        typer.echo(path)
    else:
        print_result(summary, path)


def default_folder(config: RunConfig) -> Path:
    """``results/<data>-<latent>-<time>-<seed>``, a number behind it where that stands already."""
    return new_folder(config.data.name, config.model.latent, suffix=f"-{config.training.seed}")
