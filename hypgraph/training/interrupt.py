"""Ctrl-C between epochs instead of within one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["InterruptRequest", "deferred_interrupt"]


class InterruptRequest:
    """Whether Ctrl-C was pressed since the block began."""

    def __init__(self) -> None:
        self.made = False

    def honour(self) -> None:
        """Raises the KeyboardInterrupt that was held back, if there is one."""
        if self.made:
            raise KeyboardInterrupt


@contextmanager
def deferred_interrupt() -> Iterator[InterruptRequest]:
    """Within the block the first Ctrl-C only makes a request; a second one interrupts at once.

    An interrupt in the middle of an optimiser step would leave a state that no sequence of epochs leads to. Other
    threads than the main one, and programs that do not let Python handle SIGINT, are left as they are.
    """
    request = InterruptRequest()
    previous = signal.getsignal(signal.SIGINT)

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if request.made:
            raise KeyboardInterrupt
        request.made = True

    ours = threading.current_thread() is threading.main_thread() and previous is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, handle)
    try:
        yield request
    finally:
        if ours:
            signal.signal(signal.SIGINT, previous)
