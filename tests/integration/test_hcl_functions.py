"""Terraform's own console is asked the same: every function must answer alike, or say that it does not know.

``hcl_functions.txt`` holds one expression a line. Further calls are put together at random, always the same ones.
"""

import json
import math
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions import FUNCTIONS, FunctionError, TooLargeError
from plangate.parsers.hcl.functions_arithmetic import add, divide, modulo, multiply, negate, subtract
from plangate.parsers.hcl.values import number, number_text, text
from tests.hcl_values import NUMBERS, OBJECTS, ROWS, TEXTS
from tests.terraform_project import environment, the_tool

pytestmark = pytest.mark.terraform

EXPRESSIONS: Final = (Path(__file__).parent / "hcl_functions.txt").read_text(encoding="utf-8").splitlines()
ERROR: Final = "!error"
_TOKEN: Final = re.compile(
    r'\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?(?:e[0-9]+)?)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_]\w*)'
    r"|(?P<sign>[-+*/%()\[\]{},=]))"
)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": add, "-": subtract, "*": multiply, "/": divide, "%": modulo
}  # fmt: skip


class Reader:
    """Evaluates calls over literals; an operator takes all that stands left of it."""

    def __init__(self, source: str) -> None:
        self._tokens = [(match.lastgroup, match[match.lastgroup or ""]) for match in self._matches(source)]
        self._tokens.append(("end", ""))

    @staticmethod
    def _matches(source: str) -> Iterator[re.Match[str]]:
        at = 0
        while at < len(source.rstrip()):
            match = _TOKEN.match(source, at)
            assert match is not None, source[at:]
            yield match
            at = match.end()

    def value(self) -> Any:
        found = self._operand()
        while self._tokens[0][1] in _OPERATORS and self._tokens[0][0] == "sign":
            operator = _OPERATORS[self._next()[1]]
            found = operator(found, self._operand())
        return found

    def _next(self) -> tuple[str | None, str]:
        return self._tokens.pop(0)

    def _operand(self) -> Any:
        group, token = self._next()
        if group == "number":
            return number(Decimal(token))
        if group == "string":
            return text(_ESCAPE.sub(self._unescaped, token[1:-1]).replace("$${", "${"))
        if group == "word":
            return self._named(token)
        if token == "-":
            return negate(self._operand())
        return tuple(self._until("]", self.value)) if token == "[" else dict(self._until("}", self._member))

    def _named(self, name: str) -> Any:
        if name in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[name]
        self._next()
        return FUNCTIONS[name](*self._until(")", self.value))

    def _member(self) -> tuple[str, Any]:
        group, token = self._next()
        name = _ESCAPE.sub(self._unescaped, token[1:-1]) if group == "string" else token
        assert self._next()[1] == "="
        return name, self.value()

    def _until(self, end: str, read: Callable[[], Any]) -> list[Any]:
        found = []
        while self._tokens[0][1] != end or self._tokens[0][0] != "sign":
            found.append(read())
            if self._tokens[0] == ("sign", ","):
                self._next()
        self._next()
        return found

    @staticmethod
    def _unescaped(match: re.Match[str]) -> str:
        if code := match[1] or match[2]:
            return chr(int(code, 16))
        return {"n": "\n", "r": "\r", "t": "\t"}.get(match[3], match[3])


def ours(expression: str) -> Any:
    """The JSON of our answer, `ERROR`, or UNKNOWN."""
    try:
        return FUNCTIONS["jsonencode"](Reader(expression).value())
    except TooLargeError:
        return UNKNOWN
    except (FunctionError, ValueError):
        return ERROR


def theirs(expressions: Sequence[str], folder: Path) -> list[str]:
    """What the console says, from as few processes as can be."""
    line = ", ".join(f'try(jsonencode({expression}), "{ERROR}")' for expression in expressions)
    middle = len(expressions) // 2
    # NOTE: a console that is not given a terminal reads one expression a line, and no line beyond 64 KiB.
    if len(line.encode()) > 50_000:
        return theirs(expressions[:middle], folder) + theirs(expressions[middle:], folder)
    done = subprocess.run(
        [str(the_tool("terraform").path), "console"],
        input=f"jsonencode([{line}])\n",
        cwd=folder,
        env=environment(NO_COLOR="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    answer = done.stdout.strip()
    if answer == "(known after apply)":
        if len(expressions) == 1:
            return ["unknown"]
        return theirs(expressions[:middle], folder) + theirs(expressions[middle:], folder)
    # The console's string literals have a few escapes that JSON has not.
    plain = re.sub(r"\\x([0-9a-f]{2})", r"\\u00\1", answer)
    found: list[str] = json.loads(json.loads(plain))
    return found


def literal(value: Any) -> str:
    """A value as it is written in Terraform's language."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(name)} = {literal(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, str):
        return (
            json.dumps(value, ensure_ascii=False).replace("\\b", "").replace("\\f", "").replace("${", "$${")
        )
    return json.dumps(value) if value is None or isinstance(value, bool) else number_text(value)


def _nearly(expression: str, found: str, expected: str) -> bool:
    """The last digit of a logarithm or a root is the machine's."""
    return (
        expression.startswith(("log(", "pow("))
        and ERROR not in {found, expected}
        and math.isclose(float(found), float(expected), rel_tol=1e-14)
    )


def disagreements(expressions: Sequence[str], folder: Path) -> tuple[list[tuple[str, Any, str]], list[str]]:
    """Where the answers differ, and where ours is unknown."""
    wrong, unknown = [], []
    for expression, expected in zip(expressions, theirs(expressions, folder), strict=True):
        found = ours(expression)
        if found is UNKNOWN:
            if expected != "unknown":
                unknown.append(f"{expression} -> {expected}")
        elif found != expected and not _nearly(expression, found, expected):
            wrong.append((expression, found, expected))
    return wrong, unknown


def test_answers_what_terraform_answers(tmp_path: Path) -> None:
    wrong, unknown = disagreements(EXPRESSIONS, tmp_path)

    assert wrong == []
    # Known there and not here: folded YAML, unusual encodings, numbers without an end.
    assert len(unknown) < 60


# --- Calls put together at random -------------------------------------------------------------------------

# Asked one by one in the table: they are not answered here, or a null argument makes the whole answer unknown.
_NOT_AT_RANDOM: Final = frozenset(
    {"base64gzip", "bcrypt", "pathexpand", "plantimestamp", "rsadecrypt", "timestamp", "uuid"}
)


def random_calls(seed: int, count: int) -> list[str]:
    """Calls of all functions in turn, most with arguments of the right kind."""
    chance = random.Random(seed)  # noqa: S311 -- a test that is the same each time
    names = sorted(FUNCTIONS.keys() - _NOT_AT_RANDOM)
    return [_random_call(chance, names[i % len(names)]) for i in range(count)]


def _random_call(chance: random.Random, name: str) -> str:
    function = FUNCTIONS[name]
    parameters = list(function.parameters)
    if function.least is not None and chance.random() < 0.5:
        parameters = parameters[: max(function.least, 1)]
    while function.rest is not None and (
        len(parameters) < (function.least or 0) or (len(parameters) < 4 and chance.random() < 0.6)
    ):
        parameters.append(function.rest)
    return f"{name}({', '.join(_random_argument(chance, parameter.type.name, name) for parameter in parameters)})"


def _random_argument(chance: random.Random, wanted: str, name: str) -> str:
    pools: dict[str, Sequence[Any]] = {
        "string": TEXTS, "number": NUMBERS, "bool": (True, False), "list": ROWS, "set": ROWS, "map": OBJECTS
    }  # fmt: skip
    if chance.random() < 0.05 or wanted not in pools:
        wanted = chance.choice(list(pools) if not name.startswith("format") else ["string", "number", "list"])
    value = literal(chance.choice(pools[wanted]))
    if chance.random() < 0.25:
        wrap = {"list": ("tolist", "toset"), "set": ("tolist", "toset"), "map": ("tomap",)}.get(wanted)
        value = f"{chance.choice(wrap)}({value})" if wrap else value
    return value


def test_answers_random_calls_as_terraform_does(tmp_path: Path) -> None:
    wrong, unknown = disagreements(random_calls(1, 1500), tmp_path)

    assert wrong == []
    assert len(unknown) < 100
