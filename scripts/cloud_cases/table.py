"""The words of the tables."""

from dataclasses import dataclass, field
from typing import Any, Final

UNKNOWN: Final = "(known after apply)"
"""Set, to something that is known only after apply."""

COMPUTED: Final = "(computed)"
"""Not set; the provider says what it is after apply."""


@dataclass(frozen=True)
class Ref:
    """Set to an attribute of another resource, which is known only after apply: ``azurerm_public_ip.a.id``."""

    to: str


@dataclass(frozen=True)
class Set:
    """Set to an attribute of another resource, which is known already."""

    value: Any
    to: str


@dataclass(frozen=True)
class Planned:
    """One new resource: what it sets, and what the rule says of it; empty when the rule does not look at it."""

    values: dict[str, Any]
    expected: str = ""


@dataclass(frozen=True)
class Case:
    """One plan of one rule."""

    rule: str
    name: str
    resources: dict[str, Planned]
    settings: dict[str, Any] = field(default_factory=dict)
    provider: dict[str, Any] = field(default_factory=dict)


def case(rule: str, name: str, *resources: tuple[str, str, dict[str, Any]], **more: Any) -> Case:
    """A case from rows of address, expected outcome and values."""
    return Case(
        rule, name, {address: Planned(values, expected) for address, expected, values in resources}, **more
    )
