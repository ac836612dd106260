"""Ctrl-C waits for the end of the epoch."""

import os
import signal
import threading

import pytest

from hypgraph.training import deferred_interrupt


@pytest.fixture(autouse=True)
def default_handler():
    """As in a program started from a terminal, whatever started the tests."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def test_without_ctrl_c_nothing_happens():
    with deferred_interrupt() as interrupt:
        interrupt.honour()
        assert not interrupt.made
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_first_ctrl_c_waits_until_it_is_honoured():
    with deferred_interrupt() as interrupt:
        press_ctrl_c()
        assert interrupt.made  # and the block goes on
        with pytest.raises(KeyboardInterrupt):
            interrupt.honour()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_interrupts_at_once():
    with deferred_interrupt():
        press_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()  # after the block one is enough


def test_a_program_with_its_own_handler_keeps_it():
    pressed = []
    signal.signal(signal.SIGINT, lambda *_: pressed.append(1))
    with deferred_interrupt() as interrupt:
        press_ctrl_c()
        assert pressed == [1]
        assert not interrupt.made


def test_another_thread_than_the_main_one_may_train():
    errors = []

    def train():
        try:
            with deferred_interrupt() as interrupt:
                interrupt.honour()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert errors == []
