"""How the cells of a VAE experiment are trained and measured."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from pydantic import BaseModel
from typing_extensions import override

from hypgraph.evaluation.latent_classification import classify_codes
from hypgraph.evaluation.marginal_likelihood import marginal_likelihood
from hypgraph.exceptions import ConfigError, DataError, NumericalError, RunError
from hypgraph.experiments.cell_kind import CellKind, Context
from hypgraph.experiments.vae_data import VectorData, load_vectors
from hypgraph.experiments.vae_settings import ClassifyOptions, LikelihoodOptions, VAESettings
from hypgraph.files import whole_file
from hypgraph.manifolds import Polar
from hypgraph.models import VAE, build_vae, stack_models, unstack_model
from hypgraph.random import StackedGenerators, stream
from hypgraph.training import deferred_interrupt, limited_threads, load_checkpoint, save_checkpoint
from hypgraph.training.vae_trainer import VAERecord, VAETrainer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["VAEKind", "load_vae"]

SAVE_SECONDS = 60.0
_CODE_ROWS = 4096


class VAEKind(CellKind):
    """VAEs on synthetic trees and images; many seeds of a small network train side by side."""

    settings_model: ClassVar[type[BaseModel]] = VAESettings
    measure_models: ClassVar[dict[str, type[BaseModel]]] = {
        "likelihood": LikelihoodOptions,
        "classify": ClassifyOptions,
    }
    figures: ClassVar[dict[str, tuple[str, ...]]] = {
        "likelihood": ("iwae", "elbo", "kl", "kl_error", "pulled_in", "points"),
        "classify": ("accuracy", "trainings.*", "class_*"),
    }

    @override
    def check(self, settings: VAESettings, measures: Sequence[Any], *, data_root: Path | None) -> None:
        """Builds the model and looks for the data."""
        try:
            data = load_vectors(settings, 0, data_root=data_root)
        except DataError as error:
            raise DataError(f"{error}; or try --set data=digits, which come along") from None
        _build(settings, data, 0)
        for options in measures:
            points = getattr(options, "points", None) or 0
            if points > len(data.test):
                raise ConfigError(f"points is {points}, but {settings.data} has {len(data.test):,} test vectors")

    @override
    def is_trained(self, folder: Path, seed: int) -> bool:
        return _weights_file(folder, seed).is_file()

    @override
    def train(self, settings: VAESettings, seeds: Sequence[int], folder: Path, *, context: Context) -> None:
        """Trains the seeds, side by side where that pays."""
        with limited_threads(_threads(settings, context), num_nodes=0):
            for group in _groups(settings, seeds, folder, context.device):
                _train_group(settings, group, folder, context)

    @override
    def measure(
        self, settings: VAESettings, options: Any, seed: int, folder: Path, *, context: Context
    ) -> dict[str, Any]:
        data = load_vectors(settings, seed, data_root=context.data_root)
        model = load_vae(settings, seed, folder, data=data, device=context.device)
        with limited_threads(_threads(settings, context), num_nodes=0):
            if isinstance(options, ClassifyOptions):
                return _classify(model, data, options, seed)
            return _likelihood(model, data, options, seed, context)

    @override
    def draw(
        self, settings: VAESettings, seed: int, folder: Path, *, data_root: Path | None
    ) -> "dict[str, Figure]":
        """The latent space where it has two dimensions, samples and reconstructions of images."""
        from hypgraph.experiments.vae_pictures import draw_vae

        data = load_vectors(settings, seed, data_root=data_root)
        space = settings.latent if settings.c is None else f"{settings.latent}, {settings.family}"
        title = f"{settings.data}: {space}, seed {seed}"
        return draw_vae(load_vae(settings, seed, folder, data=data), settings, data, seed, title=title)


def load_vae(
    settings: VAESettings, seed: int, folder: Path, *, data: VectorData, device: str | torch.device = "cpu"
) -> VAE:
    """The trained model of a seed, in evaluation mode.

    Raises:
        RunError: if it is missing or damaged.
    """
    model = _build(settings, data, seed).to(device)
    state = _load(_weights_file(folder, seed), torch.device(device))
    model.load_state_dict(state)
    return model.eval()


def _load(path: Path, device: torch.device) -> dict[str, Any]:
    remedy = "remove it and run the experiment again"
    return load_checkpoint(path, fingerprint=path.parent.name, device=device, remedy=remedy)


def _build(settings: VAESettings, data: VectorData, seed: int) -> VAE:
    isotropic = settings.scales == "isotropic" or (settings.scales == "auto" and settings.family == "riemannian")
    return build_vae(
        data.train.shape[-1],
        latent=settings.latent,
        dim=settings.dim,
        c=settings.c or 0.0,
        posterior=settings.family,
        scales="isotropic" if isotropic else "diagonal",
        gain=settings.gain,
        initial_scale=settings.initial_scale,
        prior_scale=settings.prior_scale,
        decoder=settings.decoder,
        likelihood=data.likelihood,
        hidden=settings.hidden,
        data_mean=data.train.mean(0) if data.likelihood == "bernoulli" else None,
        generator=stream(seed, "init"),
    )


def _groups(settings: VAESettings, seeds: Sequence[int], folder: Path, device: str) -> Iterator[tuple[int, ...]]:
    """The seeds that train together; first those of a training that was stopped."""
    left = list(seeds)
    for file in sorted(folder.glob("training-*.pt")):
        group = tuple(int(number) for number in file.stem.split("-")[1:])
        missing = {seed for seed in group if not _weights_file(folder, seed).is_file()}
        if not missing:
            file.unlink()
        elif missing <= set(left):
            left = [seed for seed in left if seed not in group]
            yield group
    size = _side_by_side(settings, device)
    for start in range(0, len(left), size):
        yield tuple(left[start : start + size])


def _small(settings: VAESettings) -> bool:
    """Whether a step is bound by the number of tensor operations; else it is by arithmetic."""
    return settings.data in ("trees", "digits")


def _side_by_side(settings: VAESettings, device: str) -> int:
    """How many seeds."""
    return 20 if _small(settings) or device != "cpu" else 1


def _threads(settings: VAESettings, context: Context) -> int:
    """One for a small network: waiting for a second costs more than it does, on a busy machine many times more."""
    return 1 if _small(settings) else context.threads


def _train_group(settings: VAESettings, seeds: tuple[int, ...], folder: Path, context: Context) -> None:
    checkpoint = folder / f"training-{'-'.join(map(str, seeds))}.pt"
    sets = [load_vectors(settings, seed, data_root=context.data_root) for seed in seeds]
    own_data = settings.data == "trees"
    vectors = torch.stack([each.train for each in sets]) if own_data else sets[0].train
    models = [_build(settings, data, seed) for data, seed in zip(sets, seeds, strict=True)]
    device = torch.device(context.device)
    trainer = VAETrainer(
        stack_models(models).to(device),
        vectors.to(device),
        batch_size=settings.batch_size,
        lr=settings.lr,
        beta=settings.beta,
        draws=settings.draws,
        generator=StackedGenerators([stream(seed, "train", device=device) for seed in seeds]),
        names=[f"seed {seed}" for seed in seeds],
    )
    records: list[list[list[float]]] = []
    if checkpoint.is_file():
        state = _load(checkpoint, device)
        if state["device"] != device.type:
            raise RunError(
                f"{checkpoint}: is of a training on {state['device']}; go on with --device {state['device']}, "
                "or remove it"
            )
        trainer.load_state_dict(state["trainer"])
        records = state["records"]
    saved = time.monotonic()
    with deferred_interrupt() as interrupt:
        while trainer.epoch < settings.epochs:
            epoch = trainer.run_epoch()
            records.append([list(record) for record in epoch])
            context.progress(_progress(settings, seeds, epoch))
            if trainer.epoch < settings.epochs and (interrupt.made or time.monotonic() - saved > SAVE_SECONDS):
                state = {"trainer": trainer.state_dict(), "records": records, "device": device.type}
                save_checkpoint(checkpoint, state, fingerprint=folder.name)
                saved = time.monotonic()
                interrupt.honour()
        for number, seed in enumerate(seeds):
            if _weights_file(folder, seed).is_file():  # written before a kill, and perhaps measured since
                continue
            _save_metrics(folder / f"metrics-{seed:03d}.jsonl", [epoch[number] for epoch in records])
            weights = unstack_model(trainer.model, number).state_dict()
            save_checkpoint(_weights_file(folder, seed), weights, fingerprint=folder.name)
        checkpoint.unlink(missing_ok=True)
        interrupt.honour()


def _progress(settings: VAESettings, seeds: Sequence[int], epoch: Sequence[VAERecord]) -> str:
    loss = sum(record.loss for record in epoch) / len(epoch)
    who = f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {seeds[0]}"
    return f"{who}: epoch {epoch[0].epoch}/{settings.epochs}, loss {loss:.2f}"


def _save_metrics(path: Path, records: Sequence[Sequence[float]]) -> None:
    lines = [json.dumps(dict(zip(VAERecord._fields, record, strict=True))) for record in records]
    with whole_file(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _weights_file(folder: Path, seed: int) -> Path:
    return folder / f"weights-{seed:03d}.pt"


def _likelihood(
    model: VAE, data: VectorData, options: LikelihoodOptions, seed: int, context: Context
) -> dict[str, Any]:
    test = data.test
    if options.points is not None:
        test = test[torch.randperm(len(test), generator=stream(options.subset_seed, "points"))[: options.points]]
    device = next(model.parameters()).device
    bounds = marginal_likelihood(
        model,
        test.to(device),
        draws=options.draws,
        generator=stream(seed, "eval", device=device),
        on_points=lambda count: context.progress(f"seed {seed}: {count} of {len(test)} test vectors"),
    )
    kl, kl_error = bounds.mean_kl
    figures = {
        "iwae": -float(bounds.iwae.mean()),
        "elbo": -float(bounds.elbo.mean()),
        "kl": kl,
        **({"kl_error": kl_error} if options.draws > 1 else {}),
        "pulled_in": float(bounds.pulled_in.mean()),
        "points": len(test),
    }
    wrong = [name for name, value in figures.items() if not math.isfinite(value)]
    if wrong:
        raise NumericalError(f"seed {seed}: {', '.join(wrong)} of the test points not finite")
    return figures


def _classify(model: VAE, data: VectorData, options: ClassifyOptions, seed: int) -> dict[str, Any]:
    train, test = (_codes(model, vectors) for vectors in (data.train, data.test))
    result = classify_codes(
        train,
        data.train_labels,
        test,
        data.test_labels,
        model.head.manifold,
        trainings=options.trainings,
        hidden=options.hidden,
        epochs=options.epochs,
        seed=seed,
    )
    shares = zip(result.per_class.tolist(), result.counts.tolist(), strict=True)
    per_class = {f"class_{number}": share for number, (share, count) in enumerate(shares) if count}
    return {"accuracy": float(result.average.mean()), "trainings": result.average.tolist(), **per_class}


@torch.no_grad()
def _codes(model: VAE, vectors: torch.Tensor) -> Polar:
    """The centres of the posteriors, on the CPU."""
    device = next(model.parameters()).device
    parts = [model.encode(part.to(device)).center for part in vectors.split(_CODE_ROWS)]
    radius, direction = zip(*(part for part in parts if part is not None), strict=True)
    return Polar(torch.cat(radius).cpu(), torch.cat(direction).cpu())
