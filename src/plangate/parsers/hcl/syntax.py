"""The syntax tree that both of Terraform's syntaxes become. Plain data: nothing here is evaluated.

Literals carry no position. Whatever can fail while it is evaluated has one (line and column, from 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from plangate.model.plan import Location

At: TypeAlias = tuple[int, int]
"""Line and column, from 1."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text, a number, true, false or null."""

    value: str | int | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Template:
    """Text put together from parts; a part that is not text becomes text."""

    parts: tuple["Expression", ...]
    at: At


@dataclass(frozen=True, slots=True)
class TemplateFor:
    """``%{for}``: its body once for each member, one after the other."""

    key: str
    value: str
    source: "Expression"
    body: "Expression"
    at: At


@dataclass(frozen=True, slots=True)
class Name:
    """The first name of a traversal: ``var``, ``local``, a resource type, a name that a ``for`` binds."""

    name: str
    at: At


@dataclass(frozen=True, slots=True)
class Attr:
    """``of.name``."""

    of: "Expression"
    name: str
    at: At


@dataclass(frozen=True, slots=True)
class Index:
    """``of[key]``."""

    of: "Expression"
    key: "Expression"
    at: At


@dataclass(frozen=True, slots=True)
class Splat:
    """``of[*]`` and what follows: ``each`` with `SPLAT_ITEM` bound to every item."""

    of: "Expression"
    each: "Expression"
    at: At


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; with ``expand`` the last argument is a list of arguments."""

    name: str
    arguments: tuple["Expression", ...]
    expand: bool
    at: At


@dataclass(frozen=True, slots=True)
class Conditional:
    """``condition ? yes : no``."""

    condition: "Expression"
    yes: "Expression"
    no: "Expression"
    at: At


@dataclass(frozen=True, slots=True)
class Unary:
    """``-operand`` or ``!operand``."""

    operator: str
    operand: "Expression"
    at: At


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``."""

    operator: str
    left: "Expression"
    right: "Expression"
    at: At


@dataclass(frozen=True, slots=True)
class Tuple:
    """``[…]``."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Object:
    """``{…}``; keys are expressions that become text."""

    items: tuple[tuple["Expression", "Expression"], ...]
    at: At


@dataclass(frozen=True, slots=True)
class For:
    """``[for …]``, or ``{for …}`` when ``key`` is given; ``grouped`` for ``…``."""

    key_name: str
    value_name: str
    source: "Expression"
    key: "Expression | None"
    value: "Expression"
    condition: "Expression | None"
    grouped: bool
    at: At


Expression: TypeAlias = (
    Literal
    | Template
    | TemplateFor
    | Name
    | Attr
    | Index
    | Splat
    | Call
    | Conditional
    | Unary
    | Binary
    | Tuple
    | Object
    | For
)

SPLAT_ITEM = "[*]"
"""The name that a splat binds. No identifier looks like it."""
NULL = Literal(None)


@dataclass(frozen=True, slots=True)
class Attribute:
    """``name = value`` of a body."""

    name: str
    value: Expression
    place: Location


@dataclass(frozen=True, slots=True)
class Body:
    """What stands between braces, or in a file.

    Attributes:
        attributes: By name; a name comes once.
        blocks: In the order in which they are written.
    """

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    blocks: tuple["Block", ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """``type "label" … { body }``."""

    type: str
    labels: tuple[str, ...]
    body: Body
    place: Location


EMPTY = Body()


def wording(expression: Expression) -> tuple[str, ...]:
    """The names of a traversal without instance keys (``var.x.y`` → ``var``, ``x``, ``y``); empty for anything else."""
    names: list[str] = []
    while True:
        if isinstance(expression, Attr):
            names.append(expression.name)
            expression = expression.of
        elif isinstance(expression, Index):
            expression = expression.of
        elif isinstance(expression, Name):
            return (expression.name, *reversed(names))
        else:
            return ()
