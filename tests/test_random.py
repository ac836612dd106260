"""Named streams of random numbers, and normal numbers from them."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats

from hypgraph.random import StackedGenerators, each_generator, shifted, standard_normal, stream, uniform

NAMES = ["split", "init", "train", "eval"]
PUBLISHED = [374788079615300020, 3330654677893223573, 1382848523564605726, 8965547861372702070]


def numbers(seed: int, name: str, count: int = 4000) -> torch.Tensor:
    return torch.randn(count, dtype=torch.float64, generator=stream(seed, name))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_and_name_give_the_same_numbers(name: str) -> None:
    assert torch.equal(numbers(3, name), numbers(3, name))


def test_streams_of_different_names_or_seeds_are_uncorrelated() -> None:
    streams = torch.stack([numbers(seed, name) for seed in (-1, 0, 1, 2, 10**30) for name in NAMES])
    correlation = torch.corrcoef(streams) - torch.eye(len(streams), dtype=torch.float64)
    assert correlation.abs().max() < 4.5 / 4000**0.5


def test_seeds_and_names_do_not_run_into_each_other() -> None:
    seeds = [
        stream(seed, name).initial_seed()
        for seed, name in itertools.product(range(-50, 50), [*NAMES, "", "1", "/"])
    ]
    assert len(set(seeds)) == len(seeds)
    assert stream(1, "1/split").initial_seed() != stream(11, "split").initial_seed()


def test_drawing_from_one_stream_leaves_the_others_and_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    split = stream(0, "split")
    alone = torch.randperm(10, generator=split)
    torch.rand(1000, generator=stream(0, "train"))
    assert torch.equal(torch.randperm(10, generator=stream(0, "split")), alone)
    assert torch.equal(before, torch.get_rng_state())


def test_the_global_seed_does_not_matter() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        one = numbers(0, "init")
        torch.manual_seed(2)
        assert torch.equal(numbers(0, "init"), one)


def test_seeds_are_the_published_ones() -> None:
    """A change here changes every split and every result that was ever reported."""
    assert [stream(0, name).initial_seed() for name in NAMES] == PUBLISHED


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")], ids=repr)
def test_a_stream_lives_on_its_device(device: str | torch.device) -> None:
    assert stream(0, "train", device=device).device == torch.device("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_stream_on_a_gpu_draws_there() -> None:
    one, again = (torch.rand(9, device="cuda", generator=stream(0, "train", device="cuda")) for _ in range(2))
    assert torch.equal(one, again)


# --- normal numbers ---


def normal(shape: tuple[int, ...], *, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return standard_normal(shape, dtype=dtype, generator=stream(seed, "train"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normal_numbers_are_normal_and_independent(dtype: torch.dtype) -> None:
    rows, columns = 4000, 7
    x = normal((rows, columns), dtype=dtype).double().numpy()
    for k in range(columns):
        assert stats.kstest(x[:, k], stats.norm.cdf).pvalue > 1e-3
    flat = x.ravel()
    for dependent in (flat, flat**2, np.abs(flat)):
        half = len(flat) // 2
        for lag in (1, 2, columns, half):
            assert abs(np.corrcoef(dependent[:-lag], dependent[lag:])[0, 1]) < 4.5 / (len(flat) - lag) ** 0.5
    assert abs(stats.kurtosis(flat)) < 4 * (24 / len(flat)) ** 0.5
    assert flat.max() > 3.5
    assert flat.min() < -3.5


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 5), (0,), (4, 0), (1, 1, 7)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normal_numbers_have_the_shape_and_precision_asked_for(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x = normal(shape, dtype=dtype)
    assert x.shape == shape
    assert x.dtype == dtype
    assert x.is_contiguous()
    assert torch.isfinite(x).all()


def test_normal_numbers_come_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    one, again, other = (normal((9,), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normal_numbers_are_finite_for_every_uniform_number(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    """Zero comes once in 2^24 numbers of float32, one never."""
    largest = 1 - torch.finfo(dtype).eps / 2
    ends = torch.tensor([[0.0, 0.0, largest, largest], [0.0, largest, 0.0, largest]], dtype=dtype)
    monkeypatch.setattr(torch, "rand", lambda *_args, **_options: ends.clone())
    x = standard_normal((8,), dtype=dtype)
    assert torch.isfinite(x).all()
    assert 5.7 < x.abs().max() < 8.6


# --- several generators as one ---


def stacked(seeds: tuple[int, ...], axis: int = 0) -> StackedGenerators:
    return StackedGenerators([stream(seed, "train") for seed in seeds], axis)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("rest", [(), (1,), (2, 4), (3, 5), (1, 7), (0, 2)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("draw", [uniform, standard_normal])
def test_a_slice_of_stacked_draws_is_what_its_generator_draws_alone(
    draw: Callable[..., torch.Tensor], dtype: torch.dtype, rest: tuple[int, ...], axis: int
) -> None:
    seeds = (5, 0, 11)
    axis = min(axis, len(rest))
    shape = (*rest[:axis], len(seeds), *rest[axis:])
    generator = stacked(seeds, axis)
    # Twice: what is drawn next is also what would have come next.
    first, second = (draw(shape, dtype=dtype, generator=generator) for _ in range(2))
    assert first.shape == shape
    assert first.dtype == dtype
    for number, seed in enumerate(seeds):
        single = stream(seed, "train")
        for together in (first, second):
            assert torch.equal(together.select(axis, number), draw(rest, dtype=dtype, generator=single))


def test_stacked_draws_leave_other_generators_alone() -> None:
    before = torch.get_rng_state()
    standard_normal((2, 3), dtype=torch.float64, generator=stacked((0, 1)))
    uniform((2, 3), generator=stacked((0, 1)))
    assert torch.equal(before, torch.get_rng_state())


def test_further_axes_in_front_shift_the_axis_and_each_generator_gets_its_views() -> None:
    generator = stacked((0, 1), 1)
    moved = shifted(generator, 2)
    assert isinstance(moved, StackedGenerators)
    assert (moved.axis, moved.generators, len(moved)) == (3, generator.generators, 2)
    assert shifted(None, 2) is None
    single = stream(0, "train")
    assert shifted(single, 2) is single
    x, y = torch.zeros(3, 2), torch.arange(6).view(3, 2)
    for number, (own, (at, other)) in enumerate(each_generator(generator, x, y)):
        assert own is generator.generators[number]
        assert torch.equal(other, y[:, number])
        at.fill_(number + 1)
    assert torch.equal(x, torch.tensor([[1.0, 2.0]]).expand(3, 2))
    assert [(own, len(views)) for own, views in each_generator(single, x, y)] == [(single, 2)]


def test_a_shape_that_has_not_as_many_slices_as_generators_is_refused() -> None:
    for draw in (uniform, standard_normal):
        with pytest.raises(ValueError, match="generators"):
            draw((2, 3), dtype=torch.float64, generator=stacked((0, 1, 2)))
