"""What conftest policies say of one file, as outcomes and as conftest's own report.

A rule's findings are fails. A rule that an exception lifted is not applicable, and another rule says out loud that it
was lifted. A rule that found nothing, where it could have read a value that is not known yet, is unknown; only what is
left is a pass. A rule that could not be evaluated, or gave what is no finding, is an error.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from plangate.decision.outcome import Outcome, RuleSpec, Status
from plangate.model.plan import Location
from plangate.policy.conftest.base import ConftestPolicies, RuleSaid, exception_spec
from plangate.policy.conftest.engine import ConftestEngine
from plangate.policy.conftest.results import file_said
from plangate.policy.conftest.unknown import unknown_paths
from plangate.policy.outcomes import MAX_DENIALS
from plangate.policy.program import Path

_MOST_NAMED: Final = 5
"""Unknown values that a message names before it says how many more there are."""


class File(Struct, frozen=True, kw_only=True):
    """One file for conftest policies.

    Attributes:
        name: As it is reported; empty for standard input.
        base: Its name without folders, for ``data.conftest.file.name``.
        folder: The folder that it is in, for ``data.conftest.file.dir``.
        inputs: Its inputs: each as a value and as JSON.
    """

    name: str
    base: str
    folder: str
    inputs: Sequence[tuple[Any, bytes]]


class Judged(Struct, frozen=True, kw_only=True):
    """The outcomes of all rules for one file, and conftest's report of it: empty when a rule failed."""

    outcomes: tuple[Outcome, ...]
    results: tuple[Mapping[str, Any], ...]


def judge(
    policies: ConftestPolicies,
    engine: ConftestEngine,
    file: File,
    unknown: Collection[Path] | None,
    deadline_s: float,
) -> Judged:
    """Ask all rules about a file.

    Args:
        policies: The rules.
        engine: Has loaded them.
        file: What to judge.
        unknown: Places in it whose values are not known yet; ``None`` to look for them.
        deadline_s: Seconds for each input.

    Raises:
        EngineError: No answers.
    """
    where = {"name": file.base, "dir": file.folder}
    replies = [engine.ask(data, where, deadline_s) for _, data in file.inputs]
    if unknown is None:
        unknown = frozenset().union(*(unknown_paths(value) for value, _ in file.inputs))
    said = file_said(policies, file.name, replies)
    outcomes = [outcome for each in said.rules for outcome in _outcomes(policies, each, unknown)]
    outcomes += _exceptions(policies, said.rules)
    return Judged(outcomes=tuple(outcomes), results=tuple(said.results))


def failed(specs: Mapping[str, RuleSpec], problem: str) -> tuple[Outcome, ...]:
    """Every rule failed for the same reason."""
    return tuple(Outcome(rule=rule, address="", status=Status.ERROR, message=problem) for rule in specs)


def _outcomes(policies: ConftestPolicies, said: RuleSaid, unknown: Collection[Path]) -> Iterator[Outcome]:
    rule = said.rule

    def outcome(status: Status, message: str = "", location: Location | None = None) -> Outcome:
        return Outcome(
            rule=rule.spec.id, address="", status=status, message=message, location=location, checkable=False
        )

    if said.error:
        yield outcome(Status.ERROR, f"the rule failed: {said.error}")
        return
    for result in said.results[:MAX_DENIALS]:
        yield outcome(Status.FAIL, result["msg"], _place(result.get("loc")))
    if len(said.results) > MAX_DENIALS:
        yield outcome(Status.FAIL, f"and {len(said.results) - MAX_DENIALS} more findings of this rule")
    if said.results:
        return
    touched = set(rule.reads.touched(unknown))
    if said.excepted:
        touched |= set(policies.exceptions[rule.namespace].touched(unknown))
    if touched:
        yield outcome(Status.UNKNOWN, _depends(sorted(touched)))
    elif said.excepted:
        yield outcome(Status.NOT_APPLICABLE, f"lifted by {rule.exception_query}")
    else:
        yield outcome(Status.PASS)


def _exceptions(policies: ConftestPolicies, said: Sequence[RuleSaid]) -> Iterator[Outcome]:
    """For each namespace with exceptions: which rules they lifted, and what these had found."""
    for namespace in policies.exceptions:
        rule = exception_spec(namespace).id
        mine = [each for each in said if each.rule.namespace == namespace]
        errors = [each for each in mine if each.error]
        lifted = [each for each in mine if each.excepted]
        for each in lifted:
            found = len(each.lifted)
            first = f", first: {each.lifted[0]['msg']}" if found else ""
            yield Outcome(
                rule=rule, address="", status=Status.FAIL if found else Status.NOT_APPLICABLE, checkable=False,
                message=f"{each.rule.exception_query} lifts {each.rule.query}, which found {found}{first}",
            )  # fmt: skip
        if errors:
            yield Outcome(
                rule=rule, address="", status=Status.ERROR, message=f"a rule failed: {errors[0].rule.query}"
            )
        elif not lifted:
            yield Outcome(rule=rule, address="", status=Status.PASS)


def _place(found: Any) -> Location | None:
    if not found:
        return None
    line = found.get("line")
    return Location(file=found.get("file", ""), line=line if isinstance(line, int) and line > 0 else 0)


def _depends(touched: Sequence[str]) -> str:
    more = len(touched) - _MOST_NAMED
    named = ", ".join(touched[:_MOST_NAMED])
    return f"depends on what is known only after apply: {named}{f' and {more} more' if more > 0 else ''}"
