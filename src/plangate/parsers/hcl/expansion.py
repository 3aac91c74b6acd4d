"""``count`` and ``for_each``: which instances there are, and what each of them calls itself.

Source: https://developer.hashicorp.com/terraform/language/meta-arguments/for_each
"""

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.evaluate import evaluate, item_of
from plangate.parsers.hcl.operators import converted
from plangate.parsers.hcl.origins import Opaque, is_unknown
from plangate.parsers.hcl.run import EvaluationError
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.syntax import Block, Literal
from plangate.parsers.hcl.values import SetValue, to_number


class Expansion(Struct, frozen=True):
    """The instances of a block.

    Attributes:
        kind: ``one`` (not counted), ``count``, ``each``, or ``unknown``.
        names: For each key, the names that are bound in the instance. `None` is the key of one, and of unknown ones.
    """

    kind: str
    names: Mapping[int | str | None, Mapping[str, Any]] = field(default_factory=dict)


_ONE = Expansion("one", {None: {}})


def expand(block: Block, scope: Scope) -> Expansion:
    """The instances that a resource, data source or module call makes.

    Raises:
        PlanParseError: More of them than the limits allow.
    """
    attributes = block.body.attributes
    counted, each = attributes.get("count"), attributes.get("for_each")
    given = counted or each
    if given is None:
        return _ONE if _is_enabled(block) else Expansion("unknown", {None: {}})
    if counted is not None and each is not None:
        scope.run.refuse(given.place, "count and for_each together")
    try:
        value = evaluate(given.value, scope.within(given.place.file))
        return _counted(value, block, scope) if counted is not None else _each(value)
    except EvaluationError:
        return _unknown_count() if counted is not None else _unknown_each(UNKNOWN)


def _is_enabled(block: Block) -> bool:
    """Whether OpenTofu's ``enabled`` is not there, or plainly true; anything else is not known here."""
    given = [inner.body.attributes.get("enabled") for inner in block.body.blocks if inner.type == "lifecycle"]
    return all(attribute is None or attribute.value == Literal(value=True) for attribute in given)


def _counted(value: Any, block: Block, scope: Scope) -> Expansion:
    number = converted(to_number, value)
    if is_unknown(number):
        return _unknown_count()
    if not isinstance(number, int) or number < 0:
        raise EvaluationError("a count that is not a whole number")
    scope.run.spend(number, block.place)
    if number > scope.run.limits.max_resources:
        scope.run.refuse(block.place, f"{number} instances (limit: {scope.run.limits.max_resources})")
    return Expansion("count", {index: {"count": {"index": index}} for index in range(number)})


def _each(value: Any) -> Expansion:
    if isinstance(value, dict):
        return Expansion("each", {key: _bound(key, value[key]) for key in sorted(value)})
    if isinstance(value, SetValue) and all(isinstance(item, str) for item in value.items):
        return Expansion("each", {item: _bound(item, item) for item in value.items})
    if is_unknown(value) or isinstance(value, Opaque):
        return _unknown_each(value)
    raise EvaluationError("for_each needs a map, or a set of strings")


def _bound(key: Any, value: Any) -> Mapping[str, Any]:
    return {"each": {"key": key, "value": value}}


def _unknown_count() -> Expansion:
    return Expansion("unknown", {None: {"count": {"index": UNKNOWN}}})


def _unknown_each(value: Any) -> Expansion:
    item = value.whole() if isinstance(value, Opaque) else value
    return Expansion("unknown", {None: _bound(UNKNOWN, item_of(item, UNKNOWN))})


def address_of(module: str, name: str, key: int | str | None) -> str:
    """The address of an instance in a module instance."""
    index = "" if key is None else f"[{key}]" if isinstance(key, int) else f"[{_quoted(key)}]"
    return f"{module}.{name}{index}" if module else f"{name}{index}"


def _quoted(key: str) -> str:
    """A key as Terraform writes it: templates would begin with ``${``, so that is doubled."""
    return json.dumps(key, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
