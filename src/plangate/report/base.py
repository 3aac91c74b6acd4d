"""What a report is: the decision document in, text out. One file here per format, each in the registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

CONTROL: Final = {code: None for code in (*range(9), 11, 12, *range(14, 32), *range(127, 160), 0x2028, 0x2029)} | {
    code: None for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
}
"""Characters that a hostile plan could steer a terminal with, or hide text behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
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
