"""Named streams of random numbers."""

import itertools

import pytest
import torch

from hypgraph.random import stream

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
