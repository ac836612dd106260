"""Improve an embedding step by step: candidates that compete, the best iterate kept."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from hypgraph.evaluation.reconstruction import reconstruction
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.hierarchy.placement import LARGEST_RADIUS
from hypgraph.hierarchy.polar_adam import PolarAdam
from hypgraph.hierarchy.softmax_loss import NeighbourSoftmax
from hypgraph.manifolds import PoincareBall, Polar
from hypgraph.manifolds.functional.polar import translate_polar

__all__ = ["Refinement", "Schedule", "lifted", "proper", "rows_a_step", "shaken", "shrunk"]

# Pairs of nodes whose distances one step takes, at most; a larger graph takes some rows of the matrix at a time.
PAIRS_A_STEP = 16_000_000
# The quality is measured once in so many steps, which costs what a few steps cost; and at most so often.
STEPS_A_MEASUREMENT, MEASUREMENTS = 25, 40
# How far points are moved apart at the start, so that those which coincide can part.
SHAKE = 1e-3


class Schedule(NamedTuple):
    """How a run of the optimiser goes.

    Attributes:
        steps: how many.
        length: typical length of the first step (curvature -1); it falls to zero along half a cosine.
        beta: inverse temperature at the start and at the end; it rises in proportion.
    """

    steps: int
    length: float = 0.1
    beta: tuple[float, float] = (1.0, 2.0)


class Refinement:
    """Runs of :class:`~hypgraph.hierarchy.polar_adam.PolarAdam` on the softmax loss; curvature -1.

    Args:
        graph: at least one edge.
        dim: of the space.
        generator: draws the rows of each step where the graph is large.

    Attributes:
        graph, dim, generator: as given.
        count: the number of nodes N.
        rows: how many rows of the distance matrix a step takes.
        pairs_a_step: how many distances.
    """

    def __init__(self, graph: TrainingGraph, dim: int, generator: torch.Generator) -> None:
        self._loss = NeighbourSoftmax(graph)
        self.graph, self.dim, self.generator = graph, dim, generator
        self._edge_index = np.stack(graph.adjacency.nonzero())
        self._space = PoincareBall(dim)
        self.count = graph.num_nodes
        self.rows = rows_a_step(self.count)
        self.pairs_a_step = self.rows * self.count

    def quality(self, points: Polar) -> float:
        """Mean average precision of the reconstruction, ties counted against it."""
        return reconstruction(self._edge_index, points, self._space).mean_average_precision

    def run(self, start: Polar, schedule: Schedule, *, quality: float | None = None) -> tuple[Polar, float]:
        """The best iterate of a run, the start included, and its mean average precision.

        Args:
            start: where the points lie first.
            schedule: how the run goes.
            quality: of the start, where it is known; 0 leaves the start out.
        """
        best, quality = start, self.quality(start) if quality is None else quality
        optimizer = PolarAdam(shaken(start, SHAKE, generator=self.generator))
        every = max(STEPS_A_MEASUREMENT, schedule.steps // MEASUREMENTS)
        if self.rows < self.count:  # a measurement costs as much as dozens of steps
            every = schedule.steps
        low, high = schedule.beta
        batches = self.batches()
        for step in range(schedule.steps):
            done = step / schedule.steps
            _, gradient = self._loss(optimizer.points, low + (high - low) * done, next(batches))
            optimizer.step(gradient, schedule.length * (1 + math.cos(math.pi * done)) / 2)
            left = schedule.steps - step - 1
            if left == 0 or (left >= every // 2 and (step + 1) % every == 0):
                reached = self.quality(optimizer.points)
                if reached > quality:
                    best, quality = optimizer.points, reached
        return best, quality

    def batches(self) -> Iterator[torch.Tensor | None]:
        """Rows for each step: all, or parts of a permutation until it is used up, and then of another."""
        while True:
            if self.rows == self.count:
                yield None
                continue
            order = torch.randperm(self.count, generator=self.generator)
            for begin in range(0, self.count - self.rows + 1, self.rows):
                yield order[begin : begin + self.rows]


def rows_a_step(count: int) -> int:
    """How many rows of the matrix of distances of ``count`` nodes one step takes."""
    return min(count, max(64, PAIRS_A_STEP // count))


def proper(points: Polar) -> Polar:
    """The same points with unit directions, that of the origin being an axis, and no radius past the largest."""
    length = points.direction.norm(dim=1, keepdim=True)
    axis = torch.zeros_like(points.direction)
    axis[:, 0] = 1.0
    direction = torch.where(length > 0, points.direction / torch.where(length > 0, length, 1.0), axis)
    return Polar(points.radius.clamp(max=LARGEST_RADIUS), direction)


def shaken(points: Polar, length: float, *, generator: torch.Generator) -> Polar:
    """Each point moved by a normal vector of this standard deviation an axis."""
    noise = torch.randn(points.direction.shape, generator=generator, dtype=points.direction.dtype)
    return proper(translate_polar(points, Polar.of(length * noise), c=1.0))


def shrunk(points: Polar, factor: float) -> Polar:
    """The same directions at radii that are ``factor`` of what they were: what is near can then change places."""
    return Polar(points.radius * factor, points.direction)


def lifted(points: Polar, dim: int) -> Polar:
    """The same points on a plane (or whatever they span) through the origin of a space of ``dim`` dimensions."""
    missing = dim - points.direction.shape[1]
    return Polar(points.radius, torch.nn.functional.pad(points.direction, (0, missing)))
