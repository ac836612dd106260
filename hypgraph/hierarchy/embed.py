"""A graph drawn in hyperbolic space as well as the space allows."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

import torch

from hypgraph.distributions import WrappedNormal
from hypgraph.evaluation.node_pairs import Pairs, as_pairs
from hypgraph.evaluation.training_graph import TrainingGraph
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.hierarchy.cone_layout import cone_layout
from hypgraph.hierarchy.random_start import random_start
from hypgraph.hierarchy.refinement import Refinement, Schedule, lifted, proper, shrunk
from hypgraph.hierarchy.sarkar import sarkar
from hypgraph.hierarchy.spanning import Forest, spanning_forests
from hypgraph.hierarchy.uncertainty import fit_posterior
from hypgraph.manifolds import PoincareBall, Polar

__all__ = ["Candidate", "HierarchyEmbedding", "embed_hierarchy"]

# A start this good is kept as it is: what refinement could still move is a few of thousands of neighbours.
GOOD_ENOUGH = 0.9995
# Steps of refinement, all rounds together: the most, the fewest, and how many distances they may take in between.
MOST_STEPS, FEWEST_STEPS, DISTANCES = 1500, 600, 6e8
# Where no start is this good, smaller disks with the same directions compete too: there points find ways past
# each other. Nearly right drawings never gain by it.
FAIR, SHARES = 0.8, (0.5, 0.15)
# A run in the first round has at least so many steps.
FIRST_STEPS = 40
# What a run improved by less than this was too good for its steps: those of the next are a fifth as long.
LITTLE, SLOWER = 1e-3, 0.2


class _Round(NamedTuple):
    """What runs are called, how many there are at most, their share of all steps, and how each of them goes."""

    name: str
    runs: int
    share: float
    length: float
    beta: tuple[float, float]


ROUNDS = (
    _Round("refined", 1000, 0.3, 0.2, (1.5, 3.0)),
    _Round("again", 3, 0.3, 0.2, (1.5, 3.0)),
    _Round("further", 1, 0.4, 0.1, (2.0, 4.0)),
)

Progress: TypeAlias = Callable[[str], None]
Construction: TypeAlias = Callable[[Forest], Polar]


@dataclass(frozen=True)
class Candidate:
    """One of the drawings that were compared.

    Attributes:
        name: how it was made.
        mean_average_precision: of the reconstruction; ties count against it.
        seconds: how long it took.
    """

    name: str
    mean_average_precision: float
    seconds: float


@dataclass(frozen=True, eq=False)
class HierarchyEmbedding:
    """Where :func:`embed_hierarchy` puts the nodes.

    Attributes:
        manifold: the space.
        points: radius ``[N]`` and unit direction ``[N, d]`` about the origin, float64; √c · radius ≤ 36. Ball
            coordinates could not tell such points apart: take polar coordinates for every distance.
        posterior: with uncertainty, a wrapped normal around each of the points with one scale each.
        method: the name of the candidate that won.
        candidates: all that were compared, in the order in which they were made.
    """

    manifold: PoincareBall
    points: Polar
    posterior: WrappedNormal | None
    method: str
    candidates: tuple[Candidate, ...]

    @property
    def mean_average_precision(self) -> float:
        """That of the candidate that won."""
        return max(candidate.mean_average_precision for candidate in self.candidates)


class _Drawing(NamedTuple):
    name: str
    points: Polar
    quality: float
    pace: float = 1.0  # by which the lengths of steps are multiplied


class _Contest:
    """The best drawing so far; every candidate is timed, told and remembered."""

    def __init__(self, on_progress: Progress | None) -> None:
        self.candidates: list[Candidate] = []
        self._on_progress = on_progress
        self._best: _Drawing | None = None

    @property
    def best(self) -> _Drawing:
        assert self._best is not None
        return self._best

    @property
    def won(self) -> bool:
        return self._best is not None and self._best.quality >= GOOD_ENOUGH

    def tell(self, line: str) -> None:
        if self._on_progress is not None:
            self._on_progress(line)

    def enter(self, name: str, make: Callable[[], tuple[Polar, float]]) -> _Drawing:
        began = time.perf_counter()
        drawing = _Drawing(name, *make())
        seconds = time.perf_counter() - began
        self.candidates.append(Candidate(name, drawing.quality, seconds))
        self.tell(f"{name}: mAP {drawing.quality:.4f}, {seconds:.1f} s")
        if self._best is None or drawing.quality > self._best.quality:
            self._best = drawing
        return drawing


def embed_hierarchy(
    edge_index: Pairs,
    num_nodes: int,
    *,
    dim: int = 2,
    c: float = 1.0,
    directed: bool = False,
    uncertainty: bool = False,
    generator: torch.Generator,
    on_progress: Progress | None = None,
) -> HierarchyEmbedding:
    """Draw a graph so that the neighbours of each node are nearer than all others, as far as the space allows.

    Starts are constructions from spanning forests (Sarkar's, and a layout in cones), and from three dimensions on
    also a random one. Unless one of them is good enough, variants of them compete in rounds of refinement, each
    round with fewer and longer runs; see :class:`~hypgraph.hierarchy.refinement.Refinement`. The best drawing is
    kept, which may be an unrefined one. What is best is told by mean average precision of the reconstruction, with
    ties counted against the drawing. Nothing needs tuning: how long runs are depends on the number of nodes only.

    Args:
        edge_index: ``[2, E]``. Repetitions, directions and self-loops do not matter; a pair the other way round is
            the same edge.
        num_nodes: N. Nodes without edges are drawn too, where they disturb little.
        dim: of the space, at least 2.
        c: minus the sectional curvature; it only changes the unit of length.
        directed: pairs go from the lower node to the higher (child to parent) or all the other way, which helps to
            find spanning forests.
        uncertainty: also fit a scale around each point, see :func:`~hypgraph.hierarchy.uncertainty.fit_posterior`.
        generator: the same one draws the same picture.
        on_progress: gets a line for each candidate.

    Raises:
        ConfigError: if ``dim`` or ``c`` is not allowed.
        DataError: if no edge joins two nodes, or an edge names a node that is not there.

    >>> star = [[0, 0, 0], [1, 2, 3]]
    >>> drawing = embed_hierarchy(star, 4, generator=torch.Generator().manual_seed(0))
    >>> drawing.mean_average_precision
    1.0
    """
    if dim < 2:
        raise ConfigError(f"dim must be at least 2, got {dim}; a line has no room for branches")
    manifold = PoincareBall(dim, c=c)
    pairs = as_pairs(edge_index, num_nodes, name="edge_index")
    graph = TrainingGraph.from_edges(pairs, num_nodes)
    if not graph.adjacency.nnz:
        raise DataError("edge_index: holds no edge that joins two nodes; give a graph with at least one edge")
    contest = _Contest(on_progress)
    posterior = None
    with _one_thread():
        refinement = Refinement(graph, dim, generator)
        _compete(contest, refinement, list(_starts(contest, refinement, pairs, directed)))
        best = contest.best
        if uncertainty:
            posterior = fit_posterior(graph, best.points, c=c, generator=generator)
            contest.tell("scales fitted around the points")
    points = Polar(best.points.radius / c**0.5, best.points.direction)
    return HierarchyEmbedding(manifold, points, posterior, best.name, tuple(contest.candidates))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Blocks of rows are cut for one core; on a busy machine, waiting for a second thread can cost tenfold."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _starts(contest: _Contest, refinement: Refinement, pairs: Pairs, directed: bool) -> Iterator[_Drawing]:
    """The unrefined drawings."""
    constructions: dict[str, Construction] = {
        "sarkar": partial(sarkar, edge_index=pairs),
        "cones": partial(cone_layout, edge_index=pairs),
    }
    for forest_name, forest in spanning_forests(pairs, refinement.count, directed=directed).items():
        for name, construct in constructions.items():
            yield contest.enter(f"{name}, {forest_name}", partial(_constructed, construct, forest, refinement))
            if contest.won:
                return
    if refinement.dim > 2:
        yield contest.enter("random", partial(random_start, refinement))


def _compete(contest: _Contest, refinement: Refinement, starts: list[_Drawing]) -> None:
    """Rounds of refinement: many short runs, then a few from where the best of these ended, then one."""
    steps = min(MOST_STEPS, max(FEWEST_STEPS, int(DISTANCES / refinement.pairs_a_step)))
    field = list(_variants(starts))[: max(1, int(ROUNDS[0].share * steps / FIRST_STEPS))]
    for number, (name, runs, share, length, beta) in enumerate(ROUNDS):
        if number:
            field = sorted(field, key=lambda drawing: -drawing.quality)[:runs]
        for place, drawing in enumerate(field):
            if contest.won:
                return
            schedule = Schedule(int(share * steps / len(field)), length * drawing.pace, beta)
            run = partial(refinement.run, drawing.points, schedule, quality=drawing.quality)
            result = contest.enter(f"{drawing.name}, {name}", run)
            pace = drawing.pace if result.quality > drawing.quality + LITTLE else drawing.pace * SLOWER
            field[place] = result._replace(pace=pace)


def _variants(starts: list[_Drawing]) -> Iterator[_Drawing]:
    """The starts, the best one first, and then smaller ones, of which nobody has measured how good they are."""
    order = sorted(starts, key=lambda drawing: -drawing.quality)
    yield from order
    if order[0].quality < FAIR:
        for share in SHARES:
            for start in order:
                yield _Drawing(f"{start.name}, shrunk to {share:g}", shrunk(start.points, share), 0.0)


def _constructed(construct: Construction, forest: Forest, refinement: Refinement) -> tuple[Polar, float]:
    points = lifted(proper(construct(forest)), refinement.dim)
    return points, refinement.quality(points)
