"""The engine's JSON turned into rule answers; undefined, cut short or odd-shaped is never an answer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from plangate.decision.outcome import RuleSpec
from plangate.errors import EngineError
from plangate.policy.base import Finding, RuleAnswer

MAX_FINDINGS = 100_000
"""Findings of one rule; more is an error of that rule."""


_SILENT: Final[Mapping[int, list[list[Any]]]] = {1: [[]], 2: [[], []]}
"""The answers of rules that found nothing, by the number of sets: nearly all answers."""


class AnswerError(ValueError):
    """What came back is not an answer to what was asked."""


class Reply(Struct, frozen=True, kw_only=True):
    """What the engine says to one query: a value, or why there is none."""

    value: Any = None
    error: str = ""


def query_values(answer: bytes, count: int) -> list[Any]:
    """The value of a query that is an array of so many others.

    Raises:
        AnswerError: Not JSON, not the engine's shape, undefined, or not so many.
    """
    try:
        results = msgspec.json.decode(answer)["result"]
        (result,) = results
        (expression,) = result["expressions"]
        values = expression["value"]
    except KeyError as problem:
        raise AnswerError("undefined") from problem
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as problem:
        raise AnswerError("not a query result") from problem
    if not isinstance(values, list) or len(values) != count:
        raise AnswerError(f"not {count} values")
    return values


def rule_answers(
    rules: Sequence[RuleSpec], handles_unknowns: frozenset[str], replies: Sequence[Reply]
) -> tuple[RuleAnswer, ...]:
    """Answers of all rules, in their order, from one reply each.

    Raises:
        EngineError: A reply is no pair of sets, so it is not an answer to what was asked.
    """
    try:
        return tuple(
            RuleAnswer(rule=rule.id, error=reply.error)
            if reply.error
            else _answer(rule, handles_unknowns, reply.value)
            for rule, reply in zip(rules, replies, strict=True)
        )
    except AnswerError as problem:
        raise EngineError(f"the policy engine gave garbage instead of an answer: {problem}") from problem


def _answer(rule: RuleSpec, handles_unknowns: frozenset[str], value: Any) -> RuleAnswer:
    both = rule.id in handles_unknowns
    sets = 2 if both else 1
    if value == _SILENT[sets]:
        return RuleAnswer(rule=rule.id)
    if (
        not isinstance(value, list)
        or len(value) != sets
        or not all(isinstance(found, list) for found in value)
    ):
        raise AnswerError(f"rule {rule.id}: not {sets} sets")
    try:
        return RuleAnswer(
            rule=rule.id,
            deny=_findings("deny", value[0]),
            undetermined=_findings("undetermined", value[1]) if both else (),
        )
    except AnswerError as problem:
        return RuleAnswer(rule=rule.id, error=str(problem))


def _findings(name: str, found: list[Any]) -> tuple[Finding, ...]:
    if len(found) > MAX_FINDINGS:
        raise AnswerError(f"{name} holds more than {MAX_FINDINGS} findings")
    return tuple(_finding(name, item) for item in found)


def _finding(name: str, item: Any) -> Finding:
    """A finding is exactly ``{address, message, path?}``, all texts: anything else is the rule's error."""
    if (
        not isinstance(item, dict)
        or not {"address", "message"} <= item.keys() <= {"address", "message", "path"}
        or not all(isinstance(text, str) for text in item.values())
        or not item["message"].strip()
        or (item.get("path", "") and not item["path"].startswith("/"))
    ):
        raise AnswerError(
            f"{name} holds something that is not a finding {{address, message, path}}: {json.dumps(item)[:200]}"
        )
    return Finding(address=item["address"], message=item["message"], path=item.get("path", ""))
