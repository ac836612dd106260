"""What a cell of an experiment does: how it is trained, and what is measured of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CellKind", "Context"]


@dataclass(frozen=True)
class Context:
    """What surrounds a computation and does not change its result, other than by rounding.

    Attributes:
        device: ``"cpu"`` or ``"cuda"``.
        threads: how many processor threads torch has; they are set already.
        data_root: folder for data outside the project, or None for the environment variable's.
        progress: is told in a few words how far the computation is.
    """

    device: str
    threads: int
    data_root: Path | None
    progress: Callable[[str], None]


class CellKind(ABC):
    """One sort of experiment: what its cells have for settings, how they train, and what is measured.

    A kind keeps no state: all that it knows of a cell lies in the cell's folder. Objects of it are pickled, to be
    used in other processes. Files of the folder whose names begin with a point, ``settings.json``,
    ``training-time.json`` and ``seed-<number>.<measure>-<digest>.json`` belong to the runner.
    """

    settings_model: ClassVar[type[BaseModel]]
    """Settings of a cell: closed and frozen. Its validators raise ConfigError for settings that contradict."""
    measure_models: ClassVar[Mapping[str, type[BaseModel]]]
    """Options of each measure by its name: closed, frozen, with defaults, and a class of its own for each."""

    figures: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What each measure gives, where that is known before: names of figures, with * for any ending."""
    shares: ClassVar[tuple[float, float] | None] = None
    """Of training and test in splits of one data set, where seeds draw such splits: the sets overlap, and paired
    differences are corrected for that."""

    def shares_of(self, settings: Any) -> tuple[float, float] | None:
        """:attr:`shares` for a cell; None where its data have one split for every seed."""
        del settings
        return self.shares

    @abstractmethod
    def check(self, settings: Any, measures: Sequence[Any], *, data_root: Path | None) -> None:
        """Refuses what cannot be computed, before anything is.

        Args:
            settings: of a cell, an object of ``settings_model``.
            measures: the options of what is to be measured, objects of classes of ``measure_models``.
            data_root: as in :class:`Context`.

        Raises:
            HypgraphError: one line: data that are not here, or do not fit the settings or the measures.
        """

    @abstractmethod
    def train(self, settings: Any, seeds: Sequence[int], folder: Path, *, context: Context) -> None:
        """Trains a cell from each of ``seeds``, going on from what an earlier call has left in ``folder``.

        Raises:
            KeyboardInterrupt: once the state is saved.
            HypgraphError: if training fails.
        """

    @abstractmethod
    def is_trained(self, folder: Path, seed: int) -> bool:
        """Whether ``seed`` has been trained to its end. ``folder`` need not exist."""

    @abstractmethod
    def measure(self, settings: Any, options: Any, seed: int, folder: Path, *, context: Context) -> dict[str, Any]:
        """Figures of one trained seed by their names: numbers, or lists of numbers.

        ``options`` is an object of one of the classes of ``measure_models``, which tells what to measure.
        """

    @abstractmethod
    def draw(self, settings: Any, seed: int, folder: Path, *, data_root: Path | None) -> "dict[str, Figure]":
        """Pictures of one trained seed by their names; none where a kind has nothing to draw."""
