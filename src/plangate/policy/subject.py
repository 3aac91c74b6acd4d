"""Which variable of a rule's body is the resource that its finding is about."""

from typing import Final

from plangate.policy.program import Program
from plangate.policy.syntax import Expr, Module, Rule

FINDING_FUNCTIONS: Final = frozenset({("plangate", "lib", "finding"), ("plangate", "lib", "finding_at")})
"""Functions whose finding has the address of their first argument."""


def subject_of(program: Program, module: Module, rule: Rule) -> str:
    """The variable that every finding of this definition takes its address from, or an empty string.

    Only a variable that exactly one line binds, with ``some x in …`` or ``x := …[_]``, has a value that is one
    resource at a time; the caller checks that the line does give resources.
    """
    if rule.value is None or len(rule.bodies) != 1:
        return ""
    query = rule.bodies[0].query
    finding = rule.value
    if finding.form == "var":
        sources = [
            statement.parts[0].parts[1]
            for statement in query
            if statement.form == "expr"
            and statement.parts[0].form == "assign"
            and statement.parts[0].value == ":="
            and statement.parts[0].parts[0].form == "var"
            and statement.parts[0].parts[0].value == finding.value
        ]
        if len(sources) != 1:
            return ""
        finding = sources[0]
    name = _first_argument(program, module, finding)
    if not name:
        return ""
    binders = 0
    for statement in query:
        if statement.form == "some" and name in statement.names:
            return ""
        if statement.form == "some-in":
            binders += any(
                pattern.form == "var" and pattern.value == name for pattern in statement.parts[:-1]
            )
        elif statement.form == "expr" and statement.parts[0].form == "assign":
            binders += statement.parts[0].parts[0].form == "var" and statement.parts[0].parts[0].value == name
    return name if binders == 1 else ""


def _first_argument(program: Program, module: Module, finding: Expr) -> str:
    if finding.form != "call" or len(finding.parts) < 2:  # noqa: PLR2004 - a function and an argument
        return ""
    kind, path = program.callee(module, finding.parts[0])
    first = finding.parts[1]
    if kind != "rule" or path not in FINDING_FUNCTIONS or first.form != "var":
        return ""
    return str(first.value)
