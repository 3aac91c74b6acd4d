"""Tests with cases: which cases were tried, also those that do not hold.

``test_x[case] if { some case, tc in {…}; … }`` is true for the cases that hold and says nothing of the others. So a
rule is made that stops where a case has its name: the lines of the body up to the one that gives the last of the
variables in the head a value. That is where ``opa test`` counts a case as well.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from plangate.authoring.suite import FoundTest
from plangate.policy.syntax import Expr, Statement, children, statement_exprs


def cases_rule(test: FoundTest) -> str:
    """Rego for the set of names, each an array, of the cases that a test tries."""
    source = test.module.encoded
    names = ", ".join(source[key.start : key.end].decode() for key in test.keys)
    if not test.rule.bodies:
        return f"{{[{names}]}}"
    query = test.rule.bodies[0].query
    wanted = {name for key in test.keys for name in variables(key)}
    last = max((_first_use(query, name) for name in wanted), default=-1)
    lines = [source[line.start : line.end].decode() for line in query[: last + 1]]
    # A query needs a line; without variables in the head, the case is there whatever the body says.
    return "{[" + names + "] | " + "; ".join(lines or ["true"]) + "}"


def name_of(key: Any) -> str:
    """A computed key as people read it: a text as it is, anything else as JSON."""
    return key if isinstance(key, str) else json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def _first_use(query: Iterable[Statement], name: str) -> int:
    """The first line that has a variable in it, or -1. A line that only declares it does not count."""
    for index, statement in enumerate(query):
        if statement.form == "some":
            continue
        if name in statement.names or any(name in variables(part) for part in statement_exprs(statement)):
            return index
    return -1


def variables(expr: Expr) -> Iterator[str]:
    """Every name in an expression."""
    for part in children(expr):
        if part.form == "var":
            yield part.value
