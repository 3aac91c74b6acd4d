"""Terraform's own console is asked the same: every function must answer alike, or say that it does not know.

``hcl_functions.txt`` holds one expression a line. Further calls are put together at random, always the same ones.
"""

import json
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
from plangate.parsers.hcl.values import number
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

    def __init__(self, text: str) -> None:
        self._tokens = [(match.lastgroup, match[match.lastgroup or ""]) for match in self._matches(text)]
        self._tokens.append(("end", ""))

    @staticmethod
    def _matches(text: str) -> Iterator[re.Match[str]]:
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            assert match is not None, text[at:]
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
            return _ESCAPE.sub(self._unescaped, token[1:-1])
        if group == "word":
            if token in {"true", "false", "null"}:
                return {"true": True, "false": False, "null": None}[token]
            self._next()
            return FUNCTIONS[token](*self._until(")", self.value))
        if token == "-":
            return negate(self._operand())
        if token == "[":
            return tuple(self._until("]", self.value))
        assert token == "{"
        return dict(self._until("}", self._member))

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
    # NOTE: a console that is not given a terminal reads one expression a line.
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
    assert done.returncode == 0, done.stderr
    answer = done.stdout.strip()
    if answer == "(known after apply)":
        if len(expressions) == 1:
            return ["unknown"]
        middle = len(expressions) // 2
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
        return json.dumps(value, ensure_ascii=False).replace("\\b", "").replace("\\f", "").replace("${", "$${")
    return json.dumps(value)


def disagreements(expressions: Sequence[str], folder: Path) -> tuple[list[tuple[str, Any, str]], list[str]]:
    """Where the answers differ, and where ours is unknown."""
    wrong, unknown = [], []
    for expression, expected in zip(expressions, theirs(expressions, folder), strict=True):
        found = ours(expression)
        if found is UNKNOWN:
            if expected != "unknown":
                unknown.append(f"{expression} -> {expected}")
        elif found != expected:
            wrong.append((expression, found, expected))
    return wrong, unknown


def test_answers_what_terraform_answers(tmp_path: Path) -> None:
    wrong, unknown = disagreements(EXPRESSIONS, tmp_path)

    assert wrong == []
    # All of these are known there and not here, on purpose.
    assert unknown == []
