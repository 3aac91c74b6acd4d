"""What an adapter is: it turns one native type into a kind and its facts. Pure functions, no I/O.

An adapter gives every fact of its kind (`plangate.model.kinds`). Defaults are applied where the provider
documents them, with the link beside the code; what nobody documents is `UNKNOWN`, never a guess. An attribute
of the wrong type is `UNKNOWN` too: an adapter reads any JSON without raising.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct

from plangate.model.graph import Graph, references_at
from plangate.model.plan import Action, Resource
from plangate.model.values import UNKNOWN, AllUnknown, Tri, Unknown, pointer

Raw: TypeAlias = Any
"""A native value: any JSON, with `UNKNOWN` for what is known only after apply."""

Values = Mapping[str, Any]
"""Attribute values with `UNKNOWN` leaves: ``planned``, or ``before`` for a resource that goes."""

Blocks = tuple[Values, ...]
"""Nested blocks in order. A block of which nothing is known has every attribute, each `UNKNOWN`."""

REGISTRY: Final = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/"
AZURE: Final = "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/"
AZURE_3: Final = "https://registry.terraform.io/providers/hashicorp/azurerm/3.117.1/docs/resources/"
"""The last version that had the types which are gone since."""
GOOGLE: Final = "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/"


class Native(Struct, frozen=True):
    """One resource as its adapter reads it: values with the plan's graph around them."""

    resource: Resource
    values: Values
    graph: Graph

    def setting(self, name: str) -> Raw:
        """An attribute as the author left it: its value, ``None`` when not set, or `UNKNOWN`.

        A computed attribute that the author did not set is unknown in the plan of a new object, although it
        will follow a documented default. It counts as not set when the configuration is there and does not
        name it.

        NOTE: Not for nested blocks. Terraform leaves ``dynamic`` blocks out of the configuration it writes
        into a plan, so a block that it does not name may still be set; see `may_be_unset`.
        """
        value = self.values.get(name)
        return None if value is UNKNOWN and self._not_configured(name) else value

    def blocks(self, name: str) -> Blocks | Unknown:
        """The nested blocks of a name; `UNKNOWN` when not even their number is known."""
        return blocks_in(self.values.get(name))

    def may_be_unset(self, name: str) -> bool:
        """An unknown block that the configuration does not name: left out, or written with ``dynamic``.

        Such a block may take a default only where the default is the worse case, so that a mistake denies.
        """
        return self.values.get(name) is UNKNOWN and self._not_configured(name)

    def inner(self, block: Values, *path: str) -> Raw:
        """An attribute inside a block, ``None`` when it seems not to be set, or `UNKNOWN`.

        An unknown attribute that no expression sets follows its default. Only for defaults that are the worse
        case: an expression without references (``uuid()``) cannot be told from none.

        Args:
            block: The block, from `blocks`.
            path: The block's name, then names of blocks inside it, and the attribute last.
        """
        value = block.get(path[-1])
        return None if value is UNKNOWN and not self.is_written(*path) else value

    def is_written(self, *path: str) -> bool:
        """Whether some expression sets this attribute. True when the plan does not carry its configuration."""
        if self.resource.configured is None or path[0] not in self.resource.configured:
            return True
        at = pointer(*path)
        unresolved = any(
            at == p or p.startswith(at + "/") or at.startswith(p + "/") for p in self.resource.unresolved
        )
        return unresolved or bool(references_at(self.resource, at)) or self.resource.action is Action.UPDATE

    def _not_configured(self, name: str) -> bool:
        resource = self.resource
        return (
            resource.configured is not None
            and name not in resource.configured
            and resource.action in {Action.CREATE, Action.REPLACE}
        )


Adapt = Callable[[Native], dict[str, Any]]


class Adapter(Struct, frozen=True, kw_only=True):
    """How one native type is normalized.

    Attributes:
        kind: The kind it becomes.
        adapt: One resource → all facts of the kind.
        docs: Provider documentation that it follows.
    """

    kind: str
    adapt: Adapt
    docs: str


class Translated(Struct, frozen=True, kw_only=True):
    """A resource of another tool as the Terraform provider would have it, so that one adapter serves both.

    Attributes:
        resource: The same address, values before and after, references; the provider's type and attribute names.
            An attribute that is not set is left out, as in a source that sets nothing.
        parts: What the provider has as resources of their own beside it (a bucket's public access block), each with
            an exact reference to it. Their addresses need only be unlike any other.
        path_of: The JSON Pointer of an attribute as the provider has it → as it is written.
        whole: Its tags are said in full: where there are none, its type cannot have any.
    """

    resource: Resource
    parts: tuple[Resource, ...] = ()
    path_of: Callable[[str], str] = str
    whole: bool = False


Translate = Callable[[Resource], Translated | None]
"""A resource → what it is to the provider, or ``None`` for a type that has no translation."""


def native_of(resource: Resource, graph: Graph) -> Native:
    """A linked resource, to be read like the one being adapted."""
    return Native(resource, resource.planned if resource.after is not None else resource.before or {}, graph)


def blocks_in(value: Raw) -> Blocks | Unknown:
    """Nested blocks from a value: a list of objects, one object, or nothing."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return (value,)
    if not isinstance(value, list | tuple):
        return UNKNOWN
    return tuple(item if isinstance(item, Mapping) else AllUnknown() for item in value)


def flag(value: Raw, *, default: Tri) -> Tri:
    """A yes or no; null is the default, anything that is neither yes nor no is `UNKNOWN`.

    The provider writes some flags that may be null as text.
    """
    if value is None or value == "":
        return default
    if value is True or value == "true":
        return True
    return False if value is False or value == "false" else UNKNOWN


def text(value: Raw) -> str | Unknown:
    """Text, empty for null; `UNKNOWN` for anything else."""
    if value is None:
        return ""
    return value if isinstance(value, str) else UNKNOWN


def has_text(value: Raw) -> bool:
    """Whether a value is text that is not empty; an unknown one is not."""
    return isinstance(value, str) and value != ""


def texts(value: Raw) -> tuple[str | Unknown, ...] | Unknown:
    """A list of text whose items may be `UNKNOWN`; one text is a list of one, null is empty."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        return UNKNOWN
    return tuple(item if isinstance(item, str) else UNKNOWN for item in value)


def whole_number(value: Raw) -> int | Unknown | None:
    """A whole number, also from text; ``None`` for null, `UNKNOWN` for anything else."""
    if value is None:
        return None
    if isinstance(value, bool):
        return UNKNOWN
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        digits = value.removeprefix("-")
        return int(value) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else UNKNOWN  # noqa: PLR2004
    try:
        return int(value) if value == int(value) else UNKNOWN
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return UNKNOWN


def agreed(values: Iterable[Any]) -> Raw:
    """The one value that all have, `UNKNOWN` when they differ or when there are none."""
    listed = list(values)
    return (
        listed[0] if listed and all(value is listed[0] or value == listed[0] for value in listed) else UNKNOWN
    )
