"""How freed memory is kept."""

import ctypes
import sys

__all__ = ["keep_freed_memory"]

# Of malloc.h; glibc has had these numbers since it has mallopt.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> bool:
    """Makes this process keep the memory that it frees, instead of returning it to the system at once.

    A training step allocates and frees the same megabytes each time. By default glibc hands such blocks back, and
    the system clears every page again before the next use: a tenth to a fifth of a step. Programs call this at
    their start; a library should not. Elsewhere than under glibc it does nothing.

    Returns:
        Whether it had an effect.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = {_MMAP_THRESHOLD: 1 << 30, _TRIM_THRESHOLD: (1 << 31) - 1, _TOP_PAD: 1 << 26}
    accepted = [mallopt(which, value) == 1 for which, value in settings.items()]
    return all(accepted)
