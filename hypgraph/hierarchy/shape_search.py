"""Find out which shape of a drawing suits a tree: try some, then vary the best ones, a property at a time."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hypgraph.hierarchy.judge import ENOUGH, Judge
from hypgraph.manifolds.functional.polar import Polar

__all__ = ["Tried", "search"]

# How many of the shapes given are varied, the best ones first.
STARTS = 3


class Tried(NamedTuple):
    """A drawing and how good it is.

    Attributes:
        shape: the named tuple of properties that it was made from.
        points: its coordinates.
        precision: mean average precision.
    """

    shape: Any
    points: Polar
    precision: float


def search(
    draw: Callable[[Any], Polar],
    judge: Judge,
    *,
    shapes: Sequence[Any],
    values: Mapping[str, Sequence[Any]],
    most: int,
) -> list[Tried]:
    """Drawings in the order in which they were tried, until one is perfect or none nearby is better.

    Args:
        draw: makes the drawing of a shape.
        judge: compares it with the graph.
        shapes: named tuples to begin with.
        values: of each property those to choose from, in order; a step goes to the one before or after.
        most: how many drawings are made.
    """
    tried: dict[Any, Tried] = {}

    def attempt(shape: Any) -> Tried:
        if shape not in tried:
            points = draw(shape)
            tried[shape] = Tried(shape, points, judge.precision(points))
        return tried[shape]

    def going_on() -> bool:
        return len(tried) < most and max(one.precision for one in tried.values()) < ENOUGH

    def varied(best: Tried, name: str) -> Tried:
        for step in (-1, 1):
            while going_on():
                position = values[name].index(getattr(best.shape, name)) + step
                if position not in range(len(values[name])):
                    break
                other = attempt(best.shape._replace(**{name: values[name][position]}))
                if other.precision <= best.precision:
                    break
                best = other
        return best

    for shape in shapes[:most]:
        if attempt(shape).precision >= ENOUGH:
            break
    for start in sorted(tried.values(), key=lambda one: -one.precision)[:STARTS]:
        best, unchanged = start, 0
        for name in itertools.cycle(values):
            if unchanged == len(values) or not going_on():
                break
            better = varied(best, name)
            best, unchanged = better, unchanged + 1 if better is best else 0
    return list(tried.values())
