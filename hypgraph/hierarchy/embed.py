"""A graph drawn in hyperbolic space as well as the space allows."""

import time
from collections.abc import Callable, Iterator
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
MOST_STEPS, FEWEST_STEPS, DISTANCES = 3000, 600, 1.3e9
# The radii of a start, as shares of what they were: on a smaller disk points find the way past each other.
SHARES = (1.0, 0.5, 0.15)
# How many steps a variant runs at least before it is compared with others, and how many go into the second round.
FIRST_STEPS, SEMIFINALISTS = 40, 4
WARM, HOT = (1.0, 2.0), (1.5, 3.0)

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


class _Contest:
    """The best drawing so far; every candidate is timed, told and remembered."""

    def __init__(self, on_progress: Progress | None) -> None:
        self.candidates: list[Candidate] = []
        self._tell = on_progress or (lambda line: None)
        self._best: _Drawing | None = None

    @property
    def best(self) -> _Drawing:
        assert self._best is not None
        return self._best

    @property
    def won(self) -> bool:
        return self._best is not None and self._best.quality >= GOOD_ENOUGH

    def enter(self, name: str, make: Callable[[], tuple[Polar, float]]) -> _Drawing:
        began = time.perf_counter()
        drawing = _Drawing(name, *make())
        seconds = time.perf_counter() - began
        self.candidates.append(Candidate(name, drawing.quality, seconds))
        self._tell(f"{name}: mAP {drawing.quality:.4f}, {seconds:.1f} s")
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

    Starts are constructions from spanning forests (Sarkar's, and a layout in cones), and in three dimensions or more
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
    refinement = Refinement(graph, dim, generator)
    _compete(contest, refinement, list(_starts(contest, refinement, pairs, directed)))
    best = contest.best
    posterior = None
    if uncertainty:
        posterior = fit_posterior(graph, best.points, c=c, generator=generator)
        (on_progress or (lambda line: None))("scales fitted around the points")
    points = Polar(best.points.radius / c**0.5, best.points.direction)
    return HierarchyEmbedding(manifold, points, posterior, best.name, tuple(contest.candidates))


def _starts(contest: _Contest, refinement: Refinement, pairs: Pairs, directed: bool) -> Iterator[_Drawing]:
    """The unrefined drawings."""
    constructions: dict[str, Construction] = {"sarkar": partial(sarkar, edge_index=pairs), "cones": cone_layout}
    for forest_name, forest in spanning_forests(pairs, refinement.count, directed=directed).items():
        for name, construct in constructions.items():
            yield contest.enter(f"{name}, {forest_name}", partial(_constructed, construct, forest, refinement))
    if refinement.dim > 2 and not contest.won:
        yield contest.enter("random", partial(random_start, refinement))


def _compete(contest: _Contest, refinement: Refinement, starts: list[_Drawing]) -> None:
    """Rounds of refinement: many short runs, then few from where the best of these ended, then one."""
    steps = int(min(MOST_STEPS, max(FEWEST_STEPS, DISTANCES / refinement.pairs_a_step)))
    field = list(_variants(starts))[: max(1, steps // (3 * FIRST_STEPS))]
    for name, size, beta in (("refined", len(field), WARM), ("again", SEMIFINALISTS, WARM), ("further", 1, HOT)):
        field = sorted(field, key=lambda drawing: -drawing.quality)[:size] if name != "refined" else field
        schedule = Schedule(steps // (3 * len(field)), beta=beta)
        for place, drawing in enumerate(field):
            if contest.won:
                return
            field[place] = contest.enter(
                f"{drawing.name}, {name}", partial(refinement.run, drawing.points, schedule)
            )


def _variants(starts: list[_Drawing]) -> Iterator[_Drawing]:
    """The starts on disks of several sizes; the better a start is, the earlier its variants come."""
    order = sorted(starts, key=lambda drawing: -drawing.quality)
    turns = [(rank + 2 * size, rank, size) for rank in range(len(order)) for size in range(len(SHARES))]
    for _, rank, size in sorted(turns):
        start, share = order[rank], SHARES[size]
        name = start.name if share == 1.0 else f"{start.name}, shrunk to {share:g}"
        yield _Drawing(name, shrunk(start.points, share), start.quality)


def _constructed(construct: Construction, forest: Forest, refinement: Refinement) -> tuple[Polar, float]:
    points = lifted(proper(construct(forest)), refinement.dim)
    return points, refinement.quality(points)
