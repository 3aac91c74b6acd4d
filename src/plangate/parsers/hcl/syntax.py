"""The syntax tree that both of Terraform's syntaxes become. Plain data: nothing here is evaluated.

Literals carry no position. Whatever can fail while it is evaluated has one (line and column, from 1).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct, field

from plangate.model.plan import Location

At: TypeAlias = tuple[int, int]
"""Line and column, from 1."""


class Literal(Struct, frozen=True):
    """Text, a number, true, false or null."""

    value: str | int | Decimal | bool | None


class Template(Struct, frozen=True):
    """Text put together from parts; a part that is not text becomes text."""

    parts: tuple["Expression", ...]
    at: At


class TemplateFor(Struct, frozen=True):
    """``%{for}``: its body once for each member, one after the other."""

    key: str
    value: str
    source: "Expression"
    body: "Expression"
    at: At


class Name(Struct, frozen=True):
    """The first name of a traversal: ``var``, ``local``, a resource type, a name that a ``for`` binds."""

    name: str
    at: At


class Attr(Struct, frozen=True):
    """``of.name``."""

    of: "Expression"
    name: str
    at: At


class Index(Struct, frozen=True):
    """``of[key]``."""

    of: "Expression"
    key: "Expression"
    at: At


class Splat(Struct, frozen=True):
    """``of[*]`` and what follows: ``each`` with `SPLAT_ITEM` bound to every item."""

    of: "Expression"
    each: "Expression"
    at: At


class Call(Struct, frozen=True):
    """A function call; with ``expand`` the last argument is a list of arguments."""

    name: str
    arguments: tuple["Expression", ...]
    expand: bool
    at: At


class Conditional(Struct, frozen=True):
    """``condition ? yes : no``."""

    condition: "Expression"
    yes: "Expression"
    no: "Expression"
    at: At


class Unary(Struct, frozen=True):
    """``-operand`` or ``!operand``."""

    operator: str
    operand: "Expression"
    at: At


class Binary(Struct, frozen=True):
    """``left operator right``."""

    operator: str
    left: "Expression"
    right: "Expression"
    at: At


class Tuple(Struct, frozen=True):
    """``[…]``."""

    items: tuple["Expression", ...]


class Object(Struct, frozen=True):
    """``{…}``; keys are expressions that become text."""

    items: tuple[tuple["Expression", "Expression"], ...]
    at: At


class For(Struct, frozen=True):
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


class Attribute(Struct, frozen=True):
    """``name = value`` of a body."""

    name: str
    value: Expression
    place: Location


class Body(Struct, frozen=True):
    """What stands between braces, or in a file.

    Attributes:
        attributes: By name; a name comes once.
        blocks: In the order in which they are written.
    """

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    blocks: tuple["Block", ...] = ()


class Block(Struct, frozen=True):
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
