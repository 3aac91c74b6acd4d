"""Evaluates the expressions of one Azure template: parameters, variables, loops, and what resources refer to.

What depends on the deployment (its resource group, the state of other resources) is `UNKNOWN`. Evaluating more never
makes a known value another one.

Source: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field

from plangate.model.values import UNKNOWN, pointer
from plangate.parsers.azure_expressions import Call, Expression, Literal, Member, is_expression, parsed
from plangate.parsers.azure_functions import apply
from plangate.parsers.terraform_values import leaves

_IDS: Final[Mapping[str, int]] = {
    "resourceid": 0,
    "subscriptionresourceid": 0,
    "tenantresourceid": 0,
    "extensionresourceid": 1,
}
"""Functions that name a resource, each with how many arguments come before its type at least."""
_SECURE: Final = frozenset({"securestring", "secureobject"})
MAX_COPIES: Final = 10_000
CHARS_PER_NODE: Final = 64
"""Characters of made text that count as one value."""


class TooMuchError(ValueError):
    """A template that evaluates to more than it may."""


class ResourceId(Struct, frozen=True):
    """The id of a resource: its type in lower case and its whole name, of which parts may be unknown."""

    type: str
    name: str | None


class Budget(Struct):
    """How many values evaluation may still make."""

    left: int

    def spend(self, number: int) -> None:
        """Raises `TooMuchError` when there are not as many left."""
        self.left -= number
        if self.left < 0:
            raise TooMuchError


class Seen(Struct):
    """What evaluating one value came across.

    Attributes:
        ids: JSON Pointer → resources that the value there is made of, and whether it is the id of one.
        secure: JSON Pointers of values that a secure parameter is part of.
    """

    ids: dict[str, list[tuple[ResourceId, bool]]] = field(default_factory=dict)
    secure: set[str] = field(default_factory=set)


class Evaluator:
    """Parameters and variables of one template.

    Args:
        template: The template.
        given: Values of parameters, by name in lower case.
        budget: Shared by all templates of one input.
    """

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, Any], budget: Budget) -> None:
        self._parameters = _by_lower_name(template.get("parameters"))
        self._variables = _by_lower_name(template.get("variables"))
        self._given = given
        self.budget = budget
        self._known: dict[tuple[str, str], tuple[Any, int, bool]] = {}
        self._open: set[tuple[str, str]] = set()
        self._ids: list[ResourceId] = []
        self._is_secure = False
        self.secrets: set[str] = set()

    def value(self, value: Any, loops: Mapping[str, int], seen: Seen | None, at: str = "") -> Any:
        """The value with everything in it evaluated, and ``copy`` properties expanded.

        Args:
            value: As the template has it.
            loops: Index of every loop by name; ``""`` is the innermost one.
            seen: Filled with what values are made of. Without it, ids of resources stay `ResourceId`.
            at: JSON Pointer of the value.

        Raises:
            TooMuchError: It would be more than the budget has left.
        """
        self.budget.spend(1)
        if isinstance(value, str):
            return self._text(value, loops, seen, at) if value.startswith("[") else value
        if isinstance(value, list):
            return [self.value(item, loops, seen, f"{at}/{index}") for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        found = {
            key: self.value(item, loops, seen, at + pointer(key))
            for key, item in value.items()
            if not (key == "copy" and isinstance(item, list))
        }
        copies = value.get("copy")
        for each in copies if isinstance(copies, list) else ():
            if isinstance(each, dict) and isinstance(name := each.get("name"), str):
                found[name] = self._copied(each, name, loops, seen, at + pointer(name))
        return found

    def count(self, loop: Any, loops: Mapping[str, int]) -> int | None:
        """How often a loop runs; ``None`` when that is not known."""
        number = self.value(loop.get("count") if isinstance(loop, dict) else None, loops, Seen())
        known = isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MAX_COPIES
        return number if known else None

    def _copied(
        self, each: Mapping[str, Any], name: str, loops: Mapping[str, int], seen: Seen | None, at: str
    ) -> Any:
        count = self.count(each, loops)
        if count is None:
            return UNKNOWN
        return [
            self.value(each.get("input"), {**loops, "": index, name.lower(): index}, seen, f"{at}/{index}")
            for index in range(count)
        ]

    def _text(self, text: str, loops: Mapping[str, int], seen: Seen | None, at: str) -> Any:
        if text.startswith("[["):
            return text[1:]
        if not is_expression(text):
            return text
        tree = parsed(text)
        if tree is None:
            return UNKNOWN
        outer = self._ids, self._is_secure
        self._ids, self._is_secure = [], False
        found = self._evaluated(tree, loops)
        ids, secure = self._ids, self._is_secure
        self._ids, self._is_secure = [*outer[0], *ids], outer[1] or secure
        if seen is None:
            return found
        if secure:
            seen.secure.add(at)
        if isinstance(found, ResourceId):
            seen.ids[at] = [(found, True)]
            return UNKNOWN
        self._spread(found, at, seen)
        found = _plain(found)
        if ids and at not in seen.ids and found is UNKNOWN:
            seen.ids[at] = [(each, False) for each in dict.fromkeys(ids)]
        return found

    def _spread(self, value: Any, at: str, seen: Seen) -> None:
        """Note the ids inside of a list or object that one expression gave."""
        pending = [(value, at)]
        while pending:
            item, path = pending.pop()
            if isinstance(item, ResourceId):
                seen.ids[path] = [(item, True)]
            elif isinstance(item, list):
                pending += [(below, f"{path}/{index}") for index, below in enumerate(item)]
            elif isinstance(item, dict):
                pending += [(below, path + pointer(key)) for key, below in item.items()]

    def _evaluated(self, tree: Expression, loops: Mapping[str, int]) -> Any:
        self.budget.spend(1)
        if isinstance(tree, Literal):
            return tree.value
        if isinstance(tree, Member):
            return _member(self._evaluated(tree.of, loops), self._evaluated(tree.key, loops))
        arguments = [self._evaluated(argument, loops) for argument in tree.arguments]
        found = self._called(tree, arguments, loops)
        self.budget.spend(_size(found))
        return found

    def _called(self, tree: Call, arguments: list[Any], loops: Mapping[str, int]) -> Any:
        name = tree.name
        if name in ("parameters", "variables"):
            key = arguments[0] if len(arguments) == 1 else None
            return self._named(name, key.lower()) if isinstance(key, str) else UNKNOWN
        if name == "copyindex":
            return _index(arguments, loops)
        if name in _IDS:
            found = _id_of(arguments[_IDS[name] :])
            if found is not None:
                self._ids.append(found)
            return UNKNOWN if found is None else found
        if name == "reference" or name.startswith("list"):
            # What a resource turns out to be, or its keys.
            self._is_secure |= name != "reference"
            return UNKNOWN
        return apply(name, arguments)

    def _named(self, kind: str, name: str) -> Any:
        """A parameter or variable, evaluated once."""
        key = kind, name
        if key not in self._known:
            if key in self._open:
                return UNKNOWN  # it is made of itself, which Azure refuses
            self._open.add(key)
            outer = self._is_secure
            self._is_secure = False
            found = self._parameter(name) if kind == "parameters" else self._variable(name)
            self._known[key] = found, _size(found), self._is_secure
            self._is_secure = outer
            self._open.discard(key)
        found, size, secure = self._known[key]
        self._is_secure |= secure
        self.budget.spend(size)
        return found

    def _parameter(self, name: str) -> Any:
        declared = self._parameters.get(name)
        if not isinstance(declared, dict):
            return UNKNOWN
        kind = str(declared.get("type", "")).lower()
        if name in self._given:
            found = _typed(self._given[name], kind)
        elif "defaultValue" in declared:
            found = self.value(declared["defaultValue"], {}, None)
        else:
            found = UNKNOWN
        if kind in _SECURE:
            self._is_secure = True
            self.secrets |= leaves(_shown(found))
        return found

    def _variable(self, name: str) -> Any:
        if name in self._variables:
            return self.value(self._variables[name], {}, None)
        copies = self._variables.get("copy")
        for each in copies if isinstance(copies, list) else ():
            if isinstance(each, dict) and str(each.get("name", "")).lower() == name:
                return self._copied(each, name, {}, None, "")
        return UNKNOWN


def _by_lower_name(value: Any) -> dict[str, Any]:
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _typed(value: Any, kind: str) -> Any:
    """A parameter that was given as text, as its type has it."""
    if not isinstance(value, str) or kind in ("string", "securestring"):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return UNKNOWN
    expected = {"int": int, "bool": bool, "array": list, "object": dict, "secureobject": dict}.get(kind)
    return found if type(found) is expected else UNKNOWN


def _member(value: Any, key: Any) -> Any:
    if isinstance(value, dict) and isinstance(key, str):
        if key in value:
            return value[key]
        return next((item for name, item in value.items() if name.lower() == key.lower()), UNKNOWN)
    if isinstance(value, list) and isinstance(key, int) and not isinstance(key, bool):
        return value[key] if 0 <= key < len(value) else UNKNOWN
    return UNKNOWN


def _index(arguments: Sequence[Any], loops: Mapping[str, int]) -> Any:
    """``copyIndex()``, ``copyIndex(offset)``, ``copyIndex('loop')`` and ``copyIndex('loop', offset)``."""
    name = arguments[0].lower() if arguments and isinstance(arguments[0], str) else ""
    rest = arguments[1:] if name else arguments
    offset = rest[0] if rest else 0
    if name not in loops or isinstance(offset, bool) or not isinstance(offset, int):
        return UNKNOWN
    return loops[name] + offset


def _id_of(arguments: Sequence[Any]) -> ResourceId | None:
    """The resource that the arguments name: subscription and group, when given, then its type and its names."""
    for index, argument in enumerate(arguments):
        if isinstance(argument, str) and "/" in argument and "." in argument.partition("/")[0]:
            names = arguments[index + 1 : index + 1 + argument.count("/")]
            known = len(names) == argument.count("/") and all(isinstance(name, str) for name in names)
            return ResourceId(argument.lower(), "/".join(names) if known else None)
    return None


def _plain(value: Any) -> Any:
    """The value with `UNKNOWN` for ids of resources, which depend on where they are deployed."""
    if isinstance(value, ResourceId):
        return UNKNOWN
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _shown(value: Any) -> Any:
    """The parts of a value that are known."""
    return [item for item in _all(value) if isinstance(item, str | int)]


def _size(value: Any) -> int:
    """How many values one value is; long text counts as several."""
    return sum(1 + (len(item) // CHARS_PER_NODE if isinstance(item, str) else 0) for item in _all(value))


def _all(value: Any) -> Iterator[Any]:
    pending = [value]
    while pending:
        item = pending.pop()
        yield item
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            pending += item.values()
