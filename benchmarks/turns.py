"""Contenders that take turns in one process, so that a slow moment of the machine hits all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

Step = Callable[[], object]
Clock = Callable[[], float]
Times = Mapping[str, Sequence[float]]

WARM_UP = 5


def gpu_clock() -> float:
    """Wall seconds, once the device has done all that it was given."""
    import torch

    torch.cuda.synchronize()
    return time.perf_counter()


def clock_of(device: str) -> tuple[Clock, str]:
    """The clock of a device, and what its milliseconds are called."""
    return (gpu_clock, "ms") if device == "cuda" else (time.process_time, "CPU-ms")


def in_turns(contenders: Mapping[str, Step], turns: int, clock: Clock) -> dict[str, list[float]]:
    """Milliseconds of each contender in each turn, after a few turns that are not counted.

    Each turn begins with another contender, and every second one goes backwards, so that none always finds the
    caches as the same other one leaves them.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(WARM_UP + turns):
        first = turn // 2 % len(names)
        order = names[first:] + names[:first]
        for name in reversed(order) if turn % 2 else order:
            step = contenders[name]
            before = clock()
            step()
            after = clock()
            if turn >= WARM_UP:
                times[name].append(1e3 * (after - before))
    return times


def ratio(times: Times, one: str, other: str) -> float:
    """Median of the ratios within a turn."""
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))


def cells(times: Times, name: str, references: Sequence[str]) -> str:
    """The median of one contender and its ratios to others, as cells of a Markdown table."""
    ratios = (f"{ratio(times, name, other):.2f}" for other in references)
    return " | ".join([f"{statistics.median(times[name]):.2f}", *ratios])
