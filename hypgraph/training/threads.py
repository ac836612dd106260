"""How many processor threads torch uses."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["limited_threads"]

# Below this, a second thread gains little on an idle machine, and on a busy one waiting for it can cost tenfold.
SMALL_GRAPH = 10_000


@contextmanager
def limited_threads(wanted: int, *, num_nodes: int) -> Iterator[None]:
    """Within the block torch uses ``wanted`` threads; 0 means one for a small graph, else torch's own number."""
    before = torch.get_num_threads()
    torch.set_num_threads(wanted or (1 if num_nodes < SMALL_GRAPH else before))
    try:
        yield
    finally:
        torch.set_num_threads(before)
