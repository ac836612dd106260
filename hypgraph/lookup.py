"""From names to objects: a plain dict beside the things it names, and one function to look in it."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from hypgraph.exceptions import ConfigError

__all__ = ["did_you_mean", "lookup"]

T = TypeVar("T")


def did_you_mean(name: str, known: Mapping[str, object] | list[str]) -> str:
    """The end of an error message: the closest known name, then all of them.

    >>> did_you_mean("poincaree", ["euclidean", "poincare"])
    "did you mean 'poincare'? known: euclidean, poincare"
    """
    close = get_close_matches(name.lower(), list(known), n=1)
    guess = f"did you mean '{close[0]}'? " if close else ""
    return f"{guess}known: {', '.join(known)}"


def lookup(table: Mapping[str, T], name: str, *, what: str) -> T:
    """The object that ``table`` holds under ``name``.

    Args:
        table: names to objects.
        name: the name that the user gave.
        what: what the table holds, for the message: ``"latent"``, ``"data set"``.

    Raises:
        ConfigError: if the name is unknown; the message suggests the closest one and lists all.

    >>> lookup({"poincare": 1}, "poincare", what="latent")
    1
    """
    try:
        return table[name]
    except KeyError:
        raise ConfigError(f"unknown {what} '{name}'; {did_you_mean(name, table)}") from None
