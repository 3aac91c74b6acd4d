"""Whether properties are what a type's schema allows, and the same with texts turned into what the schema says.

Patterns and formats are left to AWS: they are regular expressions of others, and would run on any text.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

from plangate.executor.aws.base import Properties
from plangate.executor.aws.difference import holds_unknown
from plangate.executor.aws.schemas import Schema
from plangate.model.values import UNKNOWN, pointer

_LEFT_TO_AWS: Final = ("pattern", "patternProperties", "format", "$ref")
_MOST: Final = 20
_DEPTH: Final = 64


def problems_of(schema: Schema, properties: Properties) -> Iterator[tuple[str, str]]:
    """What is wrong with properties: JSON Pointer and problem, sorted, the first 20. Unknown values may be anything."""
    values = coerced(schema, properties)
    document = {**schema.document, "type": "object"}
    document.pop("patternProperties", None)
    if not document.get("additionalProperties"):
        document["additionalProperties"] = False
    found = (
        (pointer(*error.absolute_path) if error.absolute_path else "", _said(error))
        for error in _validator()(document).iter_errors(values)
    )
    for index, problem in enumerate(sorted(set(found))):
        if index == _MOST:
            return
        yield problem


def _said(error: Any) -> str:
    """A problem without values, which may be secret."""
    expected = error.validator_value
    match error.validator:
        case "required":
            missing = [name for name in expected if name not in error.instance]
            return f"{', '.join(missing)} is missing"
        case "additionalProperties":
            known = error.schema.get("properties", {})
            extra = [name for name in error.instance if name not in known]
            return f"no such property: {', '.join(sorted(extra))[:200]}{_closest(extra, known)}"
        case "type":
            return f"expected {expected}, found {_kind(error.instance)}"
        case "enum":
            return f"expected one of {', '.join(map(str, expected))[:300]}"
        case "oneOf" | "anyOf" | "allOf" | "not" | "dependencies" | "dependentExcluded" | "requiredXor":
            return f"the schema's rule {error.validator} does not hold"
        case _:
            return f"{error.validator}: expected {str(expected)[:100]}"


def _closest(extra: list[str], known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(extra[0], known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, list | tuple):
        return "array"
    return (
        "number"
        if isinstance(value, int | float | Decimal)
        else "string"
        if isinstance(value, str)
        else "null"
    )


@cache
def _validator() -> Any:
    """Draft 7, as AWS's schemas are, for which `UNKNOWN` is anything."""
    from jsonschema import Draft7Validator, validators  # noqa: PLC0415

    alike = Draft7Validator.VALIDATORS["uniqueItems"]  # two that are not known may turn out different

    def tolerant(check: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
            if instance is UNKNOWN or (check is alike and holds_unknown(instance)):
                return ()
            return check(validator, value, instance, schema) or ()

        return wrapped

    rules = {
        name: tolerant(check)
        for name, check in Draft7Validator.VALIDATORS.items()
        if name not in _LEFT_TO_AWS
    }
    # Two values that are not known yet need not be the same.
    rules["uniqueItems"] = _distinct(rules["uniqueItems"])
    checker = Draft7Validator.TYPE_CHECKER.redefine(
        "number", lambda _, value: isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    ).redefine("array", lambda _, value: isinstance(value, list | tuple))
    extend: Any = validators.extend
    extended = extend(Draft7Validator, rules, type_checker=checker)
    return extend(extended, dict.fromkeys(("pattern", "format"), _nothing))


def _distinct(check: Callable[..., Any]) -> Callable[..., Any]:
    """Items that differ, as far as they are known."""

    def wrapped(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        known = instance
        if isinstance(instance, list | tuple):
            known = [each for each in instance if not holds_unknown(each)]
        return check(validator, value, known, schema) or ()

    return wrapped


def _nothing(*_: Any) -> tuple[()]:
    return ()


def coerced(schema: Schema, properties: Properties) -> dict[str, Any]:
    """Properties as the schema's types want them: ``"80"`` where a number belongs is 80, and the other way round.

    CloudFormation does so, since parameters are always texts.
    """
    definitions = schema.document.get("definitions", {})
    return {
        name: _coerced(value, schema.document.get("properties", {}).get(name, {}), definitions, 0)
        for name, value in properties.items()
    }


def _coerced(value: Any, node: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> Any:
    if depth > _DEPTH or value is UNKNOWN:
        return value
    reference = node.get("$ref")
    if isinstance(reference, str):
        return _coerced(value, definitions.get(reference.rpartition("/")[2], {}), definitions, depth + 1)
    kind = node.get("type")
    kinds = [kind] if isinstance(kind, str) else kind or []
    if isinstance(value, Mapping):
        members = node.get("properties", {})
        return {
            key: _coerced(item, members.get(key, {}), definitions, depth + 1) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_coerced(item, node.get("items", {}), definitions, depth + 1) for item in value]
    return _plain(value, kinds)


def _plain(value: Any, kinds: list[str]) -> Any:
    if isinstance(value, str) and "string" not in kinds:
        if "boolean" in kinds and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        return _number(value, kinds) if {"integer", "number"} & set(kinds) else value
    if kinds == ["string"] and isinstance(value, bool):
        return "true" if value else "false"
    if kinds == ["string"] and isinstance(value, int | Decimal):
        return str(value)
    return float(value) if isinstance(value, Decimal) else value  # boto3 takes no Decimal


def _number(text: str, kinds: list[str]) -> Any:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        return text
    if number == number.to_integral_value():
        return int(number)
    return float(number) if "number" in kinds else text
