"""How CloudFormation's properties become the attributes of the Terraform provider: tables, and what carries them out.

Rules this module keeps:
1. Names are compared without regard to case, so that the same table serves Pulumi's ``aws-native`` types.
2. A property that a table does not name is left out; one that it names is never lost, also not as an unknown.
3. An unknown attribute points at a resource exactly as the property did, or counts as set by something not known.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

from plangate.facts.base import Raw, Values
from plangate.model.plan import Reference
from plangate.model.values import UNKNOWN, AllUnknown, pointer_tokens


class Coded(Struct, frozen=True):
    """A property whose value is written in another way.

    Attributes:
        name: The attribute.
        value: The property's known value → the attribute's. An unknown one stays unknown, null is left out.
    """

    name: str
    value: Callable[[Raw], Raw]


class Block(Struct, frozen=True, dict=True):
    """A property that is an object, or a list of objects: nested blocks.

    Attributes:
        name: The block's name; empty for an object whose members are attributes of what is around it.
        members: Its own properties.
    """

    name: str
    members: "Mapping[str, Attribute]"

    @cached_property
    def table(self) -> "Table":
        """Its members, by lower-case name."""
        return Table(self.members)


Attribute: TypeAlias = str | Coded | Block
"""What a property becomes; text is the attribute's name, for a value that is the same."""

Move: TypeAlias = tuple[str, str]
"""A property's JSON Pointer and an attribute's that it (also) becomes, both without list indexes."""


class Table:
    """Properties of one object and what they become."""

    def __init__(self, members: Mapping[str, Attribute]) -> None:
        self._by_name = {name.lower(): (name, attribute) for name, attribute in members.items()}

    def attributes(self, values: Values) -> dict[str, Any]:
        """The attributes that an object's properties become. One that is written in two cases is unknown."""
        found: dict[str, Any] = {}
        seen: set[str] = set()
        for key, value in values.items():
            lower = key.lower()
            _, attribute = self._by_name.get(lower, ("", None))
            if attribute is None or value is None:
                continue
            if lower in seen:
                found |= dict.fromkeys(_names_of(attribute), UNKNOWN)
                continue
            seen.add(lower)
            if isinstance(attribute, Block):
                found |= _block(attribute, value)
            elif isinstance(attribute, Coded):
                found[attribute.name] = UNKNOWN if value is UNKNOWN else attribute.value(value)
            else:
                found[attribute] = _yes_or_no(value)
        return found

    def names(self) -> Iterator[str]:
        """Every attribute at the top."""
        for _, attribute in self._by_name.values():
            yield from _names_of(attribute)

    def path(self, tokens: tuple[str, ...]) -> str | None:
        """A property's pointer as the attribute has it; ``None`` for one that has no attribute."""
        if not tokens:
            return ""
        _, attribute = self._by_name.get(tokens[0].lower(), ("", None))
        if attribute is None:
            return None
        if isinstance(attribute, Block):
            below = attribute.table.path(tokens[1:])
            return None if below is None else (f"/{attribute.name}" if attribute.name else "") + below
        name = attribute if isinstance(attribute, str) else attribute.name
        return "".join(f"/{token}" for token in (name, *tokens[1:]))

    def written(self, tokens: tuple[str, ...]) -> str | None:
        """An attribute's pointer as the property has it; list indexes stay where they are."""
        if not tokens:
            return ""
        if tokens[0].isdecimal():
            below = self.written(tokens[1:])
            return None if below is None else f"/{tokens[0]}{below}"
        for name, attribute in self._by_name.values():
            if isinstance(attribute, Block):
                inner = tokens[1:] if attribute.name == tokens[0] else tokens if not attribute.name else None
                below = None if inner is None else attribute.table.written(inner)
                if below is not None:
                    return f"/{name}{below}"
            elif (attribute if isinstance(attribute, str) else attribute.name) == tokens[0]:
                return f"/{name}"
        return None


def _names_of(attribute: Attribute) -> Iterator[str]:
    """Attributes at the top that one property becomes."""
    if isinstance(attribute, Block) and not attribute.name:
        yield from attribute.table.names()
    else:
        yield attribute if isinstance(attribute, str) else attribute.name


def _yes_or_no(value: Raw) -> Raw:
    """CloudFormation reads ``"True"`` as true."""
    return value.lower() if isinstance(value, str) and value.lower() in {"true", "false"} else value


def _block(block: Block, value: Raw) -> dict[str, Any]:
    table = block.table
    if block.name:
        if isinstance(value, list | tuple):
            return {block.name: [_members(table, item) for item in value]}
        return {block.name: _members(table, value)}
    if isinstance(value, Mapping) and not isinstance(value, AllUnknown):
        return table.attributes(value)
    return dict.fromkeys(table.names(), UNKNOWN)


def _members(table: Table, value: Raw) -> Raw:
    if isinstance(value, AllUnknown) or not isinstance(value, Mapping):
        return value if isinstance(value, AllUnknown) else UNKNOWN
    return table.attributes(value)


class Part(Struct, frozen=True):
    """What the provider has as a resource of its own beside another one.

    Attributes:
        type: The provider's type.
        link: Its attribute that points at the other one.
        values: Its other attributes.
    """

    type: str
    link: str
    values: Values


class Twin(Struct, frozen=True, kw_only=True, dict=True):
    """What a CloudFormation type is to the Terraform provider.

    Attributes:
        type: The provider's type, or how to tell from the values.
        members: Its properties.
        adjust: Changes attributes that a table cannot make: properties, attributes so far.
        parts: Resources of their own that its properties become.
        moves: Further attributes that references in a property become.
        tags: ``Tags``, or ``TagSpecifications`` where they stand there; empty for a type that has none, ``?`` where
            that is not known.
    """

    type: str | Callable[[Values], str]
    members: Mapping[str, Attribute] = field(default_factory=dict)
    adjust: Callable[[Values, dict[str, Any]], None] | None = None
    parts: Callable[[Values], Iterable[Part]] | None = None
    moves: tuple[Move, ...] = ()
    tags: str = "Tags"

    @cached_property
    def table(self) -> Table:
        """Its properties, by lower-case name."""
        return Table(self.members)


def member(value: Raw, name: str) -> Raw:
    """A member of a property's value, in any case; ``None`` when it is not there, `UNKNOWN` when that is not known."""
    if value is UNKNOWN or isinstance(value, AllUnknown):
        return UNKNOWN
    if not isinstance(value, Mapping):
        return None
    lower = name.lower()
    found = [item for key, item in value.items() if key.lower() == lower]
    return found[0] if len(found) == 1 else UNKNOWN if found else None


def listed(value: Raw) -> list[Any] | None:
    """A property that is a list; one object is a list of one, nothing is empty. ``None`` when it is not known."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [value]
    return list(value) if isinstance(value, list | tuple) else None


def moved_path(table: Table, moves: Iterable[Move], at: str) -> set[str]:
    """All attributes, by pointer, that a property at a pointer becomes."""
    tokens = pointer_tokens(at)
    own = table.path(tokens) if tokens else None
    found = {own} if own else set()
    lower = at.lower()
    for source, target in moves:
        origin = source.lower()
        if lower == origin:
            found.add(target)
        elif lower.startswith(origin + "/"):
            found.add(target + "".join(f"/{snake(token)}" for token in pointer_tokens(at[len(source) :])))
    return found


def snake(name: str) -> str:
    """``DBSubnetGroup`` as ``db_subnet_group``."""
    found: list[str] = []
    for index, letter in enumerate(name):
        following = name[index + 1 : index + 2]
        starts = letter.isupper() and index > 0 and (not name[index - 1].isupper() or following.islower())
        found.append(("_" if starts and name[index - 1].isalnum() else "") + letter.lower())
    return "".join(found)


def unknown_places(values: Values) -> Iterator[str]:
    """JSON Pointers, without list indexes, of all unknown values."""
    pending: list[tuple[str, Any]] = [("", values)]
    while pending:
        at, value = pending.pop()
        if value is UNKNOWN:
            yield at
        elif isinstance(value, Mapping):
            pending += [(f"{at}/{key}", item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            pending += [(at, item) for item in value]


_ATTRIBUTE_NAMES: Final[Mapping[str, str]] = {
    "": "id",
    "ref": "id",
    "arn": "arn",
    "id": "id",
    "groupid": "id",
    "subnetid": "id",
    "vpcid": "id",
    "instanceid": "id",
    "networkinterfaceid": "id",
    "volumeid": "id",
    "allocationid": "id",
    "launchtemplateid": "id",
    "prefixlistid": "id",
    "policyarn": "arn",
    "listenerarn": "arn",
    "loadbalancerarn": "arn",
    "functionarn": "arn",
    "keyid": "key_id",
    "name": "name",
    "groupname": "name",
    "dependson": "depends_on",
}
"""Attributes (``Fn::GetAtt``) that name the resource; any other one does not point at it."""


def edge_attribute(reference: Reference) -> str:
    """What a reference reads, as the provider calls it."""
    return _ATTRIBUTE_NAMES.get(reference.attribute.lower(), snake(reference.attribute.replace(".", "_")))
