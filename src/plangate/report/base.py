"""What a report is: the decision document in, text out. One file here per format, each in the registry."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

_UNFIT: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of what does not show, or shows as something else than it is."""
_KEPT: Final = frozenset(map(ord, "\t\n\r"))
"""White space, which `one_line` turns into spaces."""


class _Control(dict[int, int | None]):
    """A translation table that looks at each character once: `None` for what must go."""

    def __missing__(self, code: int) -> int | None:
        unfit = code not in _KEPT and unicodedata.category(chr(code)) in _UNFIT
        self[code] = None if unfit else code
        return self[code]


CONTROL: Final = _Control()
"""Drops characters that a hostile plan could steer a terminal with, or hide text behind: controls, directions of
writing, zero-width and unassigned ones, halves of surrogate pairs."""


class Style(Struct, frozen=True, kw_only=True):
    """How a report may look.

    Attributes:
        colour: Terminal colours; never in pipes or files.
        most: At most so many resources are listed per rule in reports for people.
    """

    colour: bool = False
    most: int = 20


Render = Callable[[Mapping[str, Any], Style], str]


def one_line(text: object) -> str:
    """A text fit for one line of a terminal: no control characters, no line breaks."""
    return " ".join(str(text).translate(CONTROL).split())
