"""Replies counted as conftest counts them, and refused where conftest would count something as passed in silence."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from plangate.policy.answers import MAX_FINDINGS, Reply
from plangate.policy.conftest.base import ConftestPolicies, ConftestRule, RuleSaid

_MESSAGE: Final = "msg"
_LOCATION: Final = "_loc"


class ShapeError(ValueError):
    """A rule gave something that is no finding."""


class FileSaid(Struct, frozen=True, kw_only=True):
    """What all rules said of one file.

    Attributes:
        rules: One for each rule of the policies, in their order.
        results: Conftest's own report: one object for each namespace, in their order. Empty when a rule failed:
            conftest then reports nothing at all.
    """

    rules: Sequence[RuleSaid]
    results: Sequence[Mapping[str, Any]]


class _Count(Struct, kw_only=True, eq=False):
    """One namespace's report while it is counted."""

    successes: int
    warnings: list[Mapping[str, Any]]
    failures: list[Mapping[str, Any]]
    exceptions: list[Mapping[str, Any]]

    @property
    def found(self) -> int:
        return len(self.warnings) + len(self.failures) + len(self.exceptions)


def file_said(policies: ConftestPolicies, name: str, replies: Sequence[Sequence[Reply]]) -> FileSaid:
    """What the rules said of a file.

    Args:
        policies: Who was asked.
        name: The file, as it is reported.
        replies: For each input in the file, one reply per rule, then one per namespace with exceptions.
    """
    asked = [_one_input(policies, each) for each in replies]
    together = [_together(rule, [said[index] for said in asked]) for index, rule in enumerate(policies.rules)]
    if any(said.error for said in together):
        return FileSaid(rules=together, results=())
    results = []
    for namespace in policies.namespaces:
        total = _Count(successes=0, warnings=[], failures=[], exceptions=[])
        for said in asked:
            _add(total, [each for each in said if each.rule.namespace == namespace])
        results.append(_report(name, namespace, total))
    return FileSaid(rules=together, results=results)


def _one_input(policies: ConftestPolicies, replies: Sequence[Reply]) -> list[RuleSaid]:
    rules = policies.rules
    exceptions = dict(zip(policies.exceptions, replies[len(rules) :], strict=True))
    return [
        _said(rule, reply, exceptions.get(rule.namespace))
        for rule, reply in zip(rules, replies[: len(rules)], strict=True)
    ]


def _said(rule: ConftestRule, reply: Reply, exception: Reply | None) -> RuleSaid:
    if exception is not None and exception.error:
        return RuleSaid(rule=rule, error=f"its exceptions failed: {exception.error}")
    if reply.error:
        return RuleSaid(rule=rule, error=reply.error)
    value = reply.value
    defined = rule.is_set or bool(value)
    if not rule.is_set:
        value = value[0] if value else []
    try:
        results = _results(rule, value)
        excepted = _times_excepted(rule, exception.value) if exception is not None else 0
    except ShapeError as problem:
        return RuleSaid(rule=rule, error=str(problem))
    if excepted:
        return RuleSaid(rule=rule, excepted=excepted, lifted=results)
    return RuleSaid(rule=rule, results=results, defined=defined)


def _results(rule: ConftestRule, found: Any) -> list[Mapping[str, Any]]:
    if not isinstance(found, list):
        raise ShapeError(
            f"it is neither a set nor a list, which conftest counts as passed: {json.dumps(found)[:200]}"
        )
    if len(found) > MAX_FINDINGS:
        raise ShapeError(f"it holds more than {MAX_FINDINGS} findings")
    return [_result(rule, item) for item in found]


def _result(rule: ConftestRule, item: Any) -> Mapping[str, Any]:
    """A finding as conftest reports it. What it would leave out, or take for a pass, is the rule's error."""
    fields = item if isinstance(item, dict) else {_MESSAGE: item}
    message = fields.get(_MESSAGE)
    if not isinstance(message, str):
        raise ShapeError(f"it holds something that is neither a text nor has a msg: {json.dumps(item)[:200]}")
    if not message:
        raise ShapeError("it holds an empty message, which conftest counts as passed")
    result: dict[str, Any] = {_MESSAGE: message}
    if location := _location(fields.get(_LOCATION)):
        result["loc"] = location
    metadata = {key: value for key, value in fields.items() if key not in {_MESSAGE, _LOCATION}}
    return result | {"metadata": _sorted(metadata | {"query": rule.query})}


def _location(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        return {}
    file, line = found.get("file"), found.get("line")
    location: dict[str, Any] = {"file": file} if isinstance(file, str) and file else {}
    if isinstance(line, int | float) and not isinstance(line, bool):
        location["line"] = line
    return location


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _times_excepted(rule: ConftestRule, found: Any) -> int:
    """How often ``exception[_][_]`` is the rule's name: conftest reports one exception for each."""
    key = rule.exception_key
    return sum(
        1 for inner in _members(found) for each in _members(inner) for last in _members(each) if last == key
    )


def _members(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _together(rule: ConftestRule, said: Sequence[RuleSaid]) -> RuleSaid:
    """One rule's word on all inputs of a file."""
    error = next((each.error for each in said if each.error), "")
    if error:
        return RuleSaid(rule=rule, error=error)
    return RuleSaid(
        rule=rule,
        results=tuple(result for each in said for result in each.results),
        excepted=sum(each.excepted for each in said),
        lifted=tuple(result for each in said for result in each.lifted),
    )


def _add(total: _Count, said: Sequence[RuleSaid]) -> None:
    """Count one input. A rule that finds nothing is a success; so is every definition beyond what was counted."""
    counted = _Count(successes=0, warnings=[], failures=[], exceptions=[])
    for each in said:
        if each.excepted:
            counted.exceptions += [{_MESSAGE: each.rule.exception_query}] * each.excepted
        elif not each.results:
            counted.successes += each.defined
        elif each.rule.is_warning:
            counted.warnings += each.results
        else:
            counted.failures += each.results
    definitions = sum(each.rule.definitions for each in said)
    total.successes += max(counted.successes, definitions - counted.found)
    total.warnings += counted.warnings
    total.failures += counted.failures
    total.exceptions += counted.exceptions


def _report(name: str, namespace: str, total: _Count) -> Mapping[str, Any]:
    report: dict[str, Any] = {"filename": name, "namespace": namespace, "successes": total.successes}
    for key in ("warnings", "failures", "exceptions"):
        if found := getattr(total, key):
            report[key] = found
    return report
