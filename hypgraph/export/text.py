"""Words and numbers in text formats, some of which cannot hold every character."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from numpy.typing import NDArray

__all__ = ["BLANKS", "LINE_BREAKS", "NOT_IN_XML", "encodable", "percent_encoded", "rows_of"]

BLANKS = r"[\s\x00-\x1f\x7f-\x9f]"
"""What ends a word: all white space of Unicode, and control characters."""
LINE_BREAKS = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
"""What ends a cell or a line of a table that knows no quotes: tab, line breaks and control characters."""
NOT_IN_XML = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What XML 1.0 has no way to write."""

_BLOCK = 4096


def percent_encoded(words: Sequence[str], forbidden: str) -> tuple[list[str], int]:
    """``words`` with forbidden characters as ``%XX``, byte by byte of UTF-8; and how many words changed.

    Where a word has one, a ``%`` that looks like the start of such a code is written ``%25`` in all words. So
    distinct words stay distinct, and :func:`urllib.parse.unquote` gives each back. Else all stay as they are.

    Args:
        words: any text.
        forbidden: a regular expression that matches one character.

    >>> percent_encoded(["New York", "New%20York", "100%"], BLANKS)
    (['New%20York', 'New%2520York', '100%'], 2)
    >>> percent_encoded(["caf%C3%A9", "100%"], BLANKS)
    (['caf%C3%A9', '100%'], 0)
    """
    search = re.compile(forbidden).search
    if not any(map(search, words)):
        return list(words), 0
    unsafe = re.compile(f"{forbidden}|%(?=[0-9A-Fa-f]{{2}})")
    encoded = [unsafe.sub(lambda match: quote(match[0]), word) for word in words]
    return encoded, sum(old != new for old, new in zip(words, encoded, strict=True))


def encodable(words: Sequence[str], forbidden: str, *, what: str, reason: str) -> tuple[list[str], list[str]]:
    """:func:`percent_encoded`, and a line that tells of it where a word changed.

    Args:
        words: any text.
        forbidden: as there.
        what: what the words are: ``"ids"``.
        reason: why they are changed: ``"word2vec ends a word at a blank"``.
    """
    encoded, changed = percent_encoded(words, forbidden)
    if not changed:
        return encoded, []
    example = next(new for old, new in zip(words, encoded, strict=True) if old != new)
    note = (
        f"{reason}: {changed} of {len(words)} {what} are percent-encoded, such as {example}; "
        "urllib.parse.unquote gives all back"
    )
    return encoded, [note]


def rows_of(matrix: NDArray[Any]) -> Iterator[list[float]]:
    """The rows of ``matrix [N, k]`` as lists of Python's numbers, made a block at a time."""
    for start in range(0, len(matrix), _BLOCK):
        yield from matrix[start : start + _BLOCK].tolist()
