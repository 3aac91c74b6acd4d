"""What has to change so that a resource is as its template wants it.

Rules this module keeps:
1. What the template says and AWS tells is compared; AWS may say more than the template inside of an object.
2. A property that the template leaves out is compared with the handler's default, if it has one.
3. What AWS never tells (write-only, and not read by the handler either) is not compared here.
4. A value that is not known yet may be any: it is a change.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from plangate.executor.aws.base import Handler, Properties
from plangate.executor.aws.schemas import Schema
from plangate.model.values import UNKNOWN


def changed_properties(
    handler: Handler, schema: Schema, actual: Properties, wanted: Properties
) -> frozenset[str]:
    """Names of the top-level properties that differ.

    Args:
        handler: Of the type.
        schema: Of the type: says which lists have no order, and what is write-only.
        actual: As AWS says it is.
        wanted: As the template says, with `UNKNOWN` where that is not known yet.
    """
    return frozenset(
        name for name in {*wanted, *handler.defaults} if not _is_same(handler, schema, name, actual, wanted)
    )


def _is_same(handler: Handler, schema: Schema, name: str, actual: Properties, wanted: Properties) -> bool:
    if f"/{name}" in schema.write_only and name not in actual:
        return True
    if name not in wanted:
        if name in actual and actual[name] == handler.defaults[name]:
            return True
        return name not in actual or _alike(handler, schema, name, handler.defaults[name], actual[name])
    if wanted[name] is UNKNOWN:
        return False
    if name not in actual:
        # Saying the default, or nothing at all, is the same.
        return bool(wanted[name] == handler.defaults.get(name, ...)) or _is_empty(wanted[name])
    return _alike(handler, schema, name, wanted[name], actual[name])


def _alike(handler: Handler, schema: Schema, name: str, wanted: Any, actual: Any) -> bool:
    special = None if holds_unknown(wanted) else handler.same(name, wanted, actual)
    if special is not None:
        return special
    return _covers(wanted, actual, f"/{name}", schema.unordered, schema.write_only)


def covers(wanted: Any, actual: Any) -> bool:
    """Whether the actual value has everything that the wanted one says, with every list in its order."""
    return _covers(wanted, actual, "", frozenset(), frozenset())


def _covers(wanted: Any, actual: Any, at: str, unordered: frozenset[str], untold: frozenset[str]) -> bool:
    """Whether the actual value has everything that the wanted one says."""
    if wanted is UNKNOWN:
        return False
    if isinstance(wanted, Mapping):
        return isinstance(actual, Mapping) and all(
            f"{at}/{key}" in untold
            or (
                _covers(value, actual[key], f"{at}/{key}", unordered, untold)
                if key in actual
                else _is_empty(value)
            )
            for key, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        if not isinstance(actual, list | tuple) or len(wanted) != len(actual):
            return False
        item = f"{at}/*"
        if at in unordered:
            return _pairs(wanted, actual, item, unordered, untold)
        return all(_covers(w, a, item, unordered, untold) for w, a in zip(wanted, actual, strict=True))
    return bool(_plain(wanted) == _plain(actual))


def _pairs(
    wanted: Sequence[Any], actual: Sequence[Any], at: str, unordered: frozenset[str], untold: frozenset[str]
) -> bool:
    """Whether every wanted item has an actual one of its own."""
    left = list(actual)
    for value in wanted:
        match = next((i for i, item in enumerate(left) if _covers(value, item, at, unordered, untold)), None)
        if match is None:
            return False
        del left[match]
    return True


def _plain(value: Any) -> Any:
    """Texts of numbers and truths are the same as those, as everywhere in templates."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value)).normalize()
        return format(number, "f")
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple | Mapping) and len(value) == 0)


def holds_unknown(value: Any) -> bool:
    """Whether some part of a value is not known yet."""
    if isinstance(value, Mapping):
        return any(holds_unknown(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(holds_unknown(each) for each in value)
    return value is UNKNOWN


def without(properties: Properties, names: Iterable[str]) -> Properties:
    """Properties less some."""
    left_out = frozenset(names)
    return {name: value for name, value in properties.items() if name not in left_out}
