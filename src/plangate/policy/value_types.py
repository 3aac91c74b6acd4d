"""Which type the value of an expression certainly has, as far as that can be read off the policy.

Nothing is known of what a plan holds, of parameters, and of variables that get their value in more than one place.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from plangate.policy.program import Program, head_path
from plangate.policy.scopes import pattern_names
from plangate.policy.syntax import Expr, Module, Rule, rule_exprs, rule_statements

_RESULTS: Final[Mapping[str, str]] = {
    name: kind
    for kind, names in {
        "number": """abs bits.and bits.negate bits.or bits.rsh bits.xor ceil count floor indexof product round
            semver.compare strings.count sum time.parse_duration_ns to_number""",
        "string": """base64.decode base64.encode base64url.decode base64url.encode base64url.encode_no_pad concat
            format_int hex.decode hex.encode lower regex.replace replace sprintf strings.reverse substring trim
            trim_left trim_prefix trim_right trim_space trim_suffix type_name upper""",
        "boolean": """base64.is_valid contains endswith glob.match is_array is_boolean is_null is_number is_object
            is_set is_string net.cidr_contains net.cidr_is_valid object.subset regex.match startswith
            strings.any_prefix_match strings.any_suffix_match""",
        "array": """array.concat array.reverse array.slice indexof_n numbers.range numbers.range_step
            regex.find_all_string_submatch_n regex.find_n sort split""",
        "object": "object.filter object.remove object.union object.union_n",
        "set": "graph.reachable intersection net.cidr_expand object.keys union",
    }.items()
    for name in names.split()
}  # fmt: skip

_FORMS: Final[Mapping[str, str]] = {
    "array": "array", "array-compr": "array", "object": "object", "object-compr": "object",
    "set": "set", "set-compr": "set", "in": "boolean",
}  # fmt: skip


class ValueTypes:
    """The certain types of one rule's expressions, by the names that ``type_name`` gives."""

    def __init__(self, program: Program, module: Module, rule: Rule) -> None:
        self.program = program
        self.module = module
        self.given = _given_once(rule)

    def of(self, expr: Expr) -> str:
        """The type of an expression, or an empty string when it may have several."""
        if expr.form in _FORMS:
            return _FORMS[expr.form]
        match expr.form:
            case "scalar":
                return _scalar(expr.value)
            case "operator":
                return self._operator(expr)
            case "call":
                kind, path = self.program.callee(self.module, expr.parts[0])
                return _RESULTS.get(".".join(path), "") if kind == "builtin" else ""
            case "var":
                return self._name(expr.value)
            case _:
                return ""

    def _operator(self, expr: Expr) -> str:
        if expr.value in {"|", "&"}:
            return "set"
        if expr.value in {"+", "*", "/", "%"} or len(expr.parts) == 1:
            return "number"
        if expr.value == "-":
            return next((kind for kind in map(self.of, expr.parts) if kind in {"number", "set"}), "")
        return "boolean"

    def _name(self, name: str) -> str:
        if name in self.given:
            # A name that is asked for while it is looked at stands for itself.
            value, self.given[name] = self.given[name], None
            found = self.of(value) if value is not None else ""
            self.given[name] = value
            return found
        path = self.program.global_path(self.module, name)
        definitions = self.program.rules.get(path[1:], ()) if path is not None and path[0] == "data" else ()
        forms = {(item.rule.form, bool(head_path(item.rule)[1])) for item in definitions}
        return "set" if forms == {("set", False)} else ""


def _scalar(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case _:
            return "number"


def _given_once(rule: Rule) -> dict[str, Expr | None]:
    """Names that a rule gives values to: the expression, or ``None`` where there are several or it is no plain one."""
    given: dict[str, Expr | None] = {}
    for name, value in _assignments(rule):
        # What is assigned to itself in two places (`x := count(x)` in two bodies) has no one value either.
        given[name] = value if name not in given else None
    return given


def _assignments(rule: Rule) -> Iterator[tuple[str, Expr | None]]:
    for arg in rule.args:
        yield from ((name, None) for name in pattern_names(arg))
    for statement in rule_statements(rule):
        yield from ((name, None) for name in statement.names)
        if statement.form == "some-in":
            for pattern in statement.parts[:-1]:
                yield from ((name, None) for name in pattern_names(pattern))
    for expr in rule_exprs(rule):
        if expr.form == "assign" and expr.value == ":=" and expr.parts[0].form == "var":
            yield expr.parts[0].value, expr.parts[1]
        elif expr.form == "assign":
            for side in expr.parts[: 1 if expr.value == ":=" else 2]:
                yield from ((name, None) for name in pattern_names(side))
