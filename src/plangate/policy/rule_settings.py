"""Settings of Rego rules: typed by METADATA, chosen in ``plangate.yaml``, read as ``data.plangate.settings.<slug>``.

A policy never lacks a setting: each has a default in METADATA, which the settings file may replace.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from plangate.errors import UsageError
from plangate.policy.base import PolicySet
from plangate.policy.index import is_recorded

Schemas = Mapping[str, Mapping[str, Any]]
"""The JSON Schema of each setting of one rule, by name; each with its ``default``."""

_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})


def default_settings(rules: Iterable[tuple[str, Schemas]]) -> dict[str, Any]:
    """What stands below ``data`` when nothing is chosen: ``{"plangate": {"settings": {slug: {name: value}}}}``.

    Args:
        rules: Slug (as the package ends) and schemas of each rule.
    """
    found = {
        slug: {name: _whole(schema["default"]) for name, schema in schemas.items()}
        for slug, schemas in rules
        if schemas
    }
    return {"plangate": {"settings": found}} if found else {}


def schemas_problem(schemas: Schemas) -> str:
    """What is wrong with a rule's schemas, e.g. a default that they refuse; or an empty string."""
    if is_recorded(schemas):
        return ""
    import jsonschema  # noqa: PLC0415 - only rules with settings pay for it, when they are checked

    for name, schema in schemas.items():
        if _refers(schema):
            return f"{name}: $ref is not allowed: write the schema out"
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as problem:
            return f"{name}: not a JSON Schema: {problem.message[:300]}"
        if wrong := _problem(schema, schema["default"]):
            return f"{name}.default{wrong}"
    return ""


def _refers(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return not _REFERENCES.isdisjoint(schema) or any(map(_refers, schema.values()))
    return isinstance(schema, list) and any(map(_refers, schema))


def _problem(schema: Mapping[str, Any], value: Any) -> str:
    """Where a value is wrong and why (``.days: -1 is less than the minimum of 0``), or an empty string."""
    import jsonschema  # noqa: PLC0415 - as above

    from plangate.policy.numbers import InexactNumberError, needs_exact_input  # noqa: PLC0415 - as above

    error = next(jsonschema.Draft202012Validator(dict(schema)).iter_errors(value), None)
    if error is not None:
        return f"{''.join(f'.{step}' for step in error.path)}: {error.message[:300]}"
    try:
        inexact = needs_exact_input(json.dumps([value]).encode())
    except InexactNumberError as problem:
        return f": the policy engine cannot hold the number {problem} exactly"
    return ": the policy engine cannot hold an integer beyond 64 bits exactly" if inexact else ""


def _whole(value: Any) -> Any:
    """A value in which whole numbers are written as such: see `plangate.policy.numbers.with_whole_numbers`."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _whole(item) for key, item in value.items()}
        case list():
            return [_whole(item) for item in value]
        case _:
            return value


def with_settings(policies: PolicySet, chosen: Mapping[str, Mapping[str, Any]], where: str) -> PolicySet:
    """The policies with what was chosen in place of the defaults. Their digest says so.

    Args:
        policies: The policies.
        chosen: Rule id to values by name. Rules that are not among the policies are left alone.
        where: The settings file, for messages.

    Raises:
        UsageError: A setting that the rule does not have, or a value that its schema refuses.
    """
    known: dict[str, dict[str, Any]] = dict(policies.data.get("plangate", {}).get("settings", {}))
    changed = False
    for rule_id, values in sorted(chosen.items()):
        if rule_id not in policies.packages or not values:
            continue
        schemas = policies.settings.get(rule_id, {})
        for name, value in values.items():
            place = f"{where}: rules.{rule_id}.settings.{name}"
            if name not in schemas:
                raise UsageError(
                    f"{place}: this policy has no such setting",
                    hint=f"it has: {', '.join(schemas)}" if schemas else "it has no settings",
                )
            if wrong := _problem(schemas[name], value):
                raise UsageError(f"{place}{wrong}")
        slug = policies.packages[rule_id].rpartition(".")[2]
        known[slug] = {**known[slug], **{name: _whole(value) for name, value in values.items()}}
        changed = True
    if not changed:
        return policies
    said = json.dumps([policies.sha256, known], sort_keys=True, ensure_ascii=False)
    return replace(
        policies,
        data=MappingProxyType({**policies.data, "plangate": {"settings": known}}),
        sha256=hashlib.sha256(said.encode()).hexdigest(),
    )
