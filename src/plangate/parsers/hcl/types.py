"""Type constraints of variables: what ``type = list(object({ name = string, size = optional(number, 1) }))`` says.

The evaluator turns the syntax into nested tuples, `type_of` checks them and `convert` applies the result.

==============================================  =====================================================================
Terraform                                       nested tuples
==============================================  =====================================================================
``string``, ``number``, ``bool``, ``any``       ``("string",)``, ``("number",)``, ``("bool",)``, ``("any",)``
``list(T)``, ``set(T)``, ``map(T)``             ``("list", T)``, ``("set", T)``, ``("map", T)``
``tuple([A, B])``                               ``("tuple", (A, B))``
``object({ a = A, b = optional(B, value) })``   ``("object", {"a": A, "b": ("optional", B, value)})``
``optional(B)``                                 ``("optional", B)``
==============================================  =====================================================================

Source: https://developer.hashicorp.com/terraform/language/expressions/type-constraints
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.values import (
    MapValue,
    Value,
    is_known,
    items_of,
    kind,
    set_of,
    to_bool,
    to_number,
    to_text,
    unify,
)

MAX_TYPE_DEPTH: Final = 60
Form: TypeAlias = tuple[Any, ...]
"""Nested tuples, see the table above."""


class Attribute(Struct, frozen=True, kw_only=True):
    """An attribute of an object type.

    Attributes:
        type: Of its value.
        optional: It may be left out; then it is `default`.
        default: Also taken for null.
    """

    type: "Type"
    optional: bool = False
    default: Value = None


class Type(Struct, frozen=True, kw_only=True):
    """A type constraint.

    Attributes:
        name: ``string``, ``number``, ``bool``, ``any``, ``list``, ``set``, ``map``, ``tuple`` or ``object``.
        element: Of a list, set or map.
        elements: Of a tuple.
        attributes: Of an object.
        has_any: There is an ``any`` inside: all items of a collection must then be made one type.
    """

    name: str
    element: "Type | None" = None
    elements: tuple["Type", ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    has_any: bool = False


ANY: Final = Type(name="any", has_any=True)
STRING: Final = Type(name="string")
NUMBER: Final = Type(name="number")
BOOL: Final = Type(name="bool")
_PLAIN: Final = {"any": ANY, "string": STRING, "number": NUMBER, "bool": BOOL}
# Before Terraform 0.12 one wrote `list` and `map`; they still mean this.
_BARE: Final = {"list", "map", "set"}


def collection(name: str, element: Type) -> Type:
    """``list(element)``, ``set(element)`` or ``map(element)``."""
    return Type(name=name, element=element, has_any=element.has_any)


def type_of(form: Form, *, depth: int = MAX_TYPE_DEPTH) -> Type:
    """The type that nested tuples say.

    Raises:
        ValueError: No type, or one nested deeper than `MAX_TYPE_DEPTH`.
    """
    if not depth:
        raise ValueError("a type that is nested too deeply")
    match form:
        case (str() as name,) if name in _PLAIN:
            return _PLAIN[name]
        case (str() as name,) if name in _BARE:
            return collection(name, ANY)
        case ("list" | "set" | "map" as name, tuple() as element):
            return collection(name, type_of(element, depth=depth - 1))
        case ("tuple", [*members]):
            elements = tuple(type_of(member, depth=depth - 1) for member in members)
            return Type(name="tuple", elements=elements, has_any=any(e.has_any for e in elements))
        case ("object", Mapping() as members):
            attributes = {name: _attribute(member, depth - 1) for name, member in members.items()}
            return Type(
                name="object",
                attributes=attributes,
                has_any=any(attribute.type.has_any for attribute in attributes.values()),
            )
    raise ValueError("not a type constraint")


def _attribute(form: Form, depth: int) -> Attribute:
    match form:
        case ("optional", tuple() as inner):
            return Attribute(type=type_of(inner, depth=depth), optional=True)
        case ("optional", tuple() as inner, default):
            wanted = type_of(inner, depth=depth)
            return Attribute(type=wanted, optional=True, default=convert(default, wanted))
    return Attribute(type=type_of(form, depth=depth))


def convert(value: Value, wanted: Type) -> Value:
    """The value converted to a type; what is unknown stays unknown, and left-out attributes get their defaults.

    Raises:
        ValueError: It cannot be converted; a sentence that shows no value.
        ValueTooLargeError: See `plangate.parsers.hcl.values.is_known`.
    """
    is_known(value)
    return _convert(value, wanted, "")


def _convert(value: Value, wanted: Type, at: str) -> Value:
    if value is None or value is UNKNOWN or wanted.name == "any":
        return value
    try:
        return _CONVERSIONS[wanted.name](value, wanted, at)
    except _PlacedError:
        raise
    except ValueError as error:
        raise _PlacedError(f"{at}: {error}" if at else str(error)) from error


class _PlacedError(ValueError):
    """Says already where the problem is."""


def _refuse(value: Value, wanted: Type) -> ValueError:
    return ValueError(f"{wanted.name} required, not {kind(value)}")


def _members(value: Value, wanted: Type, at: str) -> list[Value]:
    """The items of a collection that becomes a list or set, converted and of one type."""
    if kind(value) not in {"tuple", "list", "set"} or wanted.element is None:
        raise _refuse(value, wanted)
    items = [_convert(item, wanted.element, f"{at}[{i}]") for i, item in enumerate(items_of(value))]
    return unify(items) if wanted.has_any and not _is_uniform(value, wanted) else items


def _is_uniform(value: Value, wanted: Type) -> bool:
    """It is a collection whose items have one type already, and keep it."""
    return kind(value) in {"list", "set", "map"} and wanted.element is ANY


def _list(value: Value, wanted: Type, at: str) -> Value:
    return _members(value, wanted, at)


def _set(value: Value, wanted: Type, at: str) -> Value:
    return set_of(_members(value, wanted, at))


def _map(value: Value, wanted: Type, at: str) -> Value:
    if not isinstance(value, dict) or wanted.element is None:
        raise _refuse(value, wanted)
    items = [_convert(item, wanted.element, f"{at}[{name!r:.60}]") for name, item in value.items()]
    if wanted.has_any and not _is_uniform(value, wanted):
        items = unify(items)
    return MapValue(zip(value, items, strict=True))


def _tuple(value: Value, wanted: Type, at: str) -> Value:
    if not isinstance(value, list | tuple):
        raise _refuse(value, wanted)
    if len(value) != len(wanted.elements):
        raise ValueError(f"a tuple of {len(wanted.elements)} items is required, not of {len(value)}")
    return tuple(
        _convert(item, element, f"{at}[{i}]")
        for i, (item, element) in enumerate(zip(value, wanted.elements, strict=True))
    )


def _object(value: Value, wanted: Type, at: str) -> Value:
    if not isinstance(value, dict):
        raise _refuse(value, wanted)
    made = {}
    for name, attribute in wanted.attributes.items():
        given = value.get(name)
        if name not in value and not attribute.optional:
            raise ValueError(f"attribute {name!r:.60} is required")
        made[name] = (
            attribute.default if given is None else _convert(given, attribute.type, f"{at}.{name:.60}")
        )
    return made


_CONVERSIONS: Final[Mapping[str, Callable[[Value, Type, str], Value]]] = {
    "string": lambda value, _wanted, _at: to_text(value),
    "number": lambda value, _wanted, _at: to_number(value),
    "bool": lambda value, _wanted, _at: to_bool(value),
    "list": _list,
    "set": _set,
    "map": _map,
    "tuple": _tuple,
    "object": _object,
}
