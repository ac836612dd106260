"""Freed memory: in a process of its own, since the settings hold for good."""

import ctypes
import subprocess
import sys
import textwrap

import pytest

from hypgraph.training import memory


class OtherLibrary:
    """A C library without mallopt."""


class Recorder:
    def __init__(self, answers: dict[int, int]) -> None:
        self.calls: list[tuple[int, int]] = []
        self.answers = answers

    def mallopt(self, which: int, value: int) -> int:
        self.calls.append((which, value))
        return self.answers.get(which, 1)


@pytest.mark.parametrize("platform", ["darwin", "win32", "emscripten"])
def test_elsewhere_than_on_linux_nothing_is_touched(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: pytest.fail("the C library was opened"))
    assert memory.keep_freed_memory() is False


def test_a_library_without_the_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: OtherLibrary())
    assert memory.keep_freed_memory() is False


@pytest.mark.parametrize("refused", [None, -1, -2, -3])
def test_it_says_whether_every_setting_was_taken_and_asks_for_each(
    refused: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Recorder({} if refused is None else {refused: 0})
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert memory.keep_freed_memory() is (refused is None)
    assert sorted(which for which, _ in library.calls) == [-3, -2, -1]
    assert all(0 < value < 2**31 for _, value in library.calls)  # a C int


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc")
def test_freed_blocks_of_megabytes_come_back_without_new_pages() -> None:
    program = textwrap.dedent(
        """
        import ctypes, resource, runpy, sys

        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        libc.free.argtypes = [ctypes.c_void_p]

        def faults():
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            for _ in range(20):
                blocks = [libc.malloc(4 << 20) for _ in range(4)]
                for block in blocks:
                    ctypes.memset(block, 1, 4 << 20)
                for block in blocks:
                    libc.free(block)
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

        if sys.argv[1] == "keep":
            print(int(runpy.run_path(sys.argv[2])["keep_freed_memory"]()))
        else:  # what glibc does before it has seen such blocks
            print(libc.mallopt(-3, 128 << 10))
        print(faults())
        """
    )
    taken, count = _run(program, "keep")
    if not taken:
        pytest.skip("this C library has no such settings")
    _, usual = _run(program, "usual")
    assert count < usual / 4


def _run(program: str, how: str) -> tuple[bool, int]:
    done = subprocess.run(
        [sys.executable, "-c", program, how, memory.__file__],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    taken, count = done.stdout.split()
    return taken == "1", int(count)
