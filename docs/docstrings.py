"""Docstrings in the site: Sphinx's roles, :func:`~package.name`, as code, and examples as blocks of code."""

import re
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":(?:func|class|meth|mod|attr|data):`(~?)([^`]+)`")
EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


class Roles(Extension):
    """Brings every docstring into Markdown."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Is called for each object that is read."""
        if obj.docstring is not None:
            text = ROLE.sub(_code, obj.docstring.value)
            obj.docstring.value = EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", text)


def _code(match: re.Match[str]) -> str:
    short, name = match.groups()
    return f"`{name.rpartition('.')[2] if short else name}`"
