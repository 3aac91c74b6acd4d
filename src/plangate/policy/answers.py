"""The engine's JSON turned into rule answers; undefined, cut short or odd-shaped is never an answer."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from plangate.decision.outcome import RuleSpec
from plangate.policy.base import Finding, RuleAnswer

MAX_FINDINGS = 100_000
"""Findings of one rule; more is an error of that rule."""


class AnswerError(ValueError):
    """What came back is not an answer to what was asked."""


def query_value(answer: bytes) -> Any:
    """The value of a query's only result.

    Raises:
        AnswerError: Not JSON, not the engine's shape, or undefined.
    """
    try:
        results = json.loads(answer)["result"]
        (result,) = results
        (expression,) = result["expressions"]
        return expression["value"]
    except KeyError as problem:
        raise AnswerError("undefined") from problem
    except (ValueError, TypeError, RecursionError) as problem:
        raise AnswerError("not a query result") from problem


def combined_answers(
    rules: Sequence[RuleSpec], handles_unknowns: frozenset[str], answer: bytes
) -> Iterator[RuleAnswer]:
    """Answers of all rules from the value of all queries at once.

    Raises:
        AnswerError: Not one value per rule.
    """
    values = query_value(answer)
    if not isinstance(values, list) or len(values) != len(rules):
        raise AnswerError("not one value per rule")
    return (_answer(rule, handles_unknowns, value) for rule, value in zip(rules, values, strict=True))


def rule_answer(rule: RuleSpec, handles_unknowns: frozenset[str], answer: bytes) -> RuleAnswer:
    """The answer of one rule from the value of its query alone (in an array of one).

    Undefined is the rule's error: a set that was loaded is never undefined.

    Raises:
        AnswerError: Not the engine's shape.
    """
    if answer.strip() == b"{}":
        return RuleAnswer(rule=rule.id, error="deny is undefined")
    values = query_value(answer)
    if not isinstance(values, list) or len(values) != 1:
        raise AnswerError("not one value")
    return _answer(rule, handles_unknowns, values[0])


def _answer(rule: RuleSpec, handles_unknowns: frozenset[str], value: Any) -> RuleAnswer:
    both = rule.id in handles_unknowns
    sets = 2 if both else 1
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
