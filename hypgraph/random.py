"""One seed, several named streams of random numbers; and several seeds that are computed as one.

Each stream is seeded from the seed and its own name alone, so that drawing more from one (more epochs, say)
never changes another (the split). Library code never seeds or reads torch's global generator.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Generator", "StackedGenerators", "each_generator", "shifted", "standard_normal", "stream", "uniform"]


def stream(seed: int, name: str, *, device: str | torch.device = "cpu") -> torch.Generator:
    """A generator for the stream ``name`` of ``seed``.

    Args:
        seed: any integer.
        name: what the numbers are for: ``"split"``, ``"init"``, ``"train"``, ``"eval"``.
        device: where the numbers are drawn. Different devices give different numbers.

    >>> torch.rand(1, generator=stream(0, "split")).equal(torch.rand(1, generator=stream(0, "split")))
    True
    >>> torch.rand(1, generator=stream(0, "split")).equal(torch.rand(1, generator=stream(0, "init")))
    False
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator(device=device).manual_seed(int.from_bytes(digest[:8], "little") >> 1)


class StackedGenerators:
    """A generator for each slice of what is drawn, for runs that are computed as one.

    Slice i along ``axis`` is what generator i alone would have drawn, so a run draws the same numbers whether it
    is computed alone or beside others.

    Args:
        generators: one a slice, on the device of what is drawn.
        axis: of the batch; leading sample axes come before it.

    >>> both = uniform((2, 3), generator=StackedGenerators([stream(0, "train"), stream(1, "train")]))
    >>> both[1].equal(uniform((3,), generator=stream(1, "train")))
    True
    """

    def __init__(self, generators: Sequence[torch.Generator], axis: int = 0) -> None:
        self.generators, self.axis = tuple(generators), axis

    def __len__(self) -> int:
        return len(self.generators)


Generator = torch.Generator | StackedGenerators
"""Where random numbers come from."""


def shifted(generator: Generator | None, axes: int) -> Generator | None:
    """The generator for draws that have so many more axes in front."""
    if isinstance(generator, StackedGenerators):
        return StackedGenerators(generator.generators, generator.axis + axes)
    return generator


def each_generator(
    generator: Generator | None, *tensors: Tensor
) -> Iterator[tuple[torch.Generator | None, tuple[Tensor, ...]]]:
    """Every single generator, with the views of ``tensors`` that are its own."""
    if not isinstance(generator, StackedGenerators):
        yield generator, tensors
        return
    for number, single in enumerate(generator.generators):
        yield single, tuple(tensor.select(generator.axis, number) for tensor in tensors)


def uniform(
    shape: tuple[int, ...] | torch.Size,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str = "cpu",
    generator: Generator | None = None,
) -> Tensor:
    """Independent numbers, uniform on [0, 1)."""
    if not isinstance(generator, StackedGenerators):
        return torch.rand(shape, dtype=dtype, device=device, generator=generator)
    return _stacked(torch.Tensor.uniform_, shape, generator, dtype, device)


def standard_normal(
    shape: tuple[int, ...] | torch.Size,
    *,
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
    generator: Generator | None = None,
) -> Tensor:
    """Independent standard normal numbers.

    On the CPU by the transform of Box and Muller 1958 over whole arrays: ``torch.randn`` goes number by number in
    float64 and takes twice as long.
    """
    if torch.device(device).type != "cpu":
        if isinstance(generator, StackedGenerators):
            return _stacked(torch.Tensor.normal_, shape, generator, dtype, device)
        return torch.randn(shape, dtype=dtype, device=device, generator=generator)
    if not isinstance(generator, StackedGenerators):
        return _box_muller((), math.prod(shape), dtype, generator).view(shape)
    _check_stack(shape, generator)
    rest = _without(shape, generator.axis)
    every = StackedGenerators(generator.generators)
    slices = _box_muller((len(every),), math.prod(rest), dtype, every).reshape(len(every), *rest)
    return slices.movedim(0, generator.axis)


def _box_muller(lead: tuple[int, ...], count: int, dtype: torch.dtype, generator: Generator | None) -> Tensor:
    radius, angle = uniform((*lead, 2, (count + 1) // 2), dtype=dtype, generator=generator).unbind(-2)
    radius, angle = (-2 * torch.log1p(-radius)).sqrt_(), 2 * math.pi * angle
    return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], dim=-1)[..., :count]


def _check_stack(shape: tuple[int, ...] | torch.Size, generator: StackedGenerators) -> None:
    if shape[generator.axis] != len(generator):
        raise ValueError(
            f"{len(generator)} generators for axis {generator.axis} of shape {tuple(shape)}; give one a slice"
        )


def _stacked(
    fill: Any, shape: tuple[int, ...] | torch.Size, generator: StackedGenerators, dtype: Any, device: Any
) -> Tensor:
    _check_stack(shape, generator)
    drawn = torch.empty((len(generator), *_without(shape, generator.axis)), dtype=dtype, device=device)
    for slot, single in zip(drawn, generator.generators, strict=True):
        fill(slot, generator=single)
    return drawn.movedim(0, generator.axis)


def _without(shape: tuple[int, ...] | torch.Size, axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])
