"""The words of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LATER: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What Pulumi's engine writes for a value that is known only after apply."""


@dataclass(frozen=True)
class Out:
    """An output of another resource of the same preview, known only after apply."""

    of: str


@dataclass(frozen=True)
class Row:
    """One resource: its name, its type, what the program sets, and what happens to it."""

    name: str
    token: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    op: str = "create"


Cases = Mapping[str, tuple[Row, ...]]
"""File name without its ending → resources."""
