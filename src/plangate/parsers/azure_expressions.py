"""The expressions of Azure templates: ``[concat(parameters('name'), '-web')]``, read into a tree.

Text that is no well-formed expression is `None`, which whoever evaluates it must take for unknown.

Source: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions
"""

import re
from typing import Final, TypeAlias

from msgspec import Struct

MAX_EXPRESSION_DEPTH: Final = 60
_TOKEN: Final = re.compile(
    r"\s*+(?:(?P<text>'[^']*+(?:''[^']*+)*+')|(?P<number>-?[0-9]{1,18}+)(?![0-9A-Za-z_])|(?P<word>[A-Za-z_][A-Za-z0-9_]*+)"
    r"|(?P<mark>[()\[\].,]))"
)


class Literal(Struct, frozen=True):
    """A text or a whole number."""

    value: str | int


class Call(Struct, frozen=True):
    """A function of its arguments; its name in lower case."""

    name: str
    arguments: "tuple[Expression, ...]"


class Member(Struct, frozen=True):
    """A property of an object, or an item of a list."""

    of: "Expression"
    key: "Expression"


Expression: TypeAlias = Literal | Call | Member


def is_expression(text: str) -> bool:
    """Whether a text is an expression. ``[[`` begins a text with a bracket."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def parsed(text: str) -> Expression | None:
    """The tree of an expression's text, with its brackets; ``None`` when it is not well-formed."""
    reader = _Reader(text[1:-1])
    try:
        found = reader.expression(0)
    except _BrokenError:
        return None
    return found if reader.at_end() else None


class _BrokenError(ValueError):
    """Not an expression."""


class _Reader:
    """Reads one expression from left to right, each character once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._next = _TOKEN.match(text)

    def at_end(self) -> bool:
        return self._next is None and not self._text[self._at :].strip()

    def expression(self, depth: int) -> Expression:
        if depth > MAX_EXPRESSION_DEPTH:
            raise _BrokenError
        found = self._start(depth)
        # Members are read in a loop: a tree of them is as deep as there are.
        members = 0
        while self._peek() in {".", "["}:
            members += 1
            if members > MAX_EXPRESSION_DEPTH:
                raise _BrokenError
            found = Member(found, self._key(depth))
        return found

    def _start(self, depth: int) -> Expression:
        group, lexeme = self._take()
        if group == "text":
            return Literal(lexeme[1:-1].replace("''", "'"))
        if group == "number":
            return Literal(int(lexeme))
        if group != "word":
            raise _BrokenError
        name = lexeme
        # A function of the template's own: ``namespace.function()``.
        while self._peek() == ".":
            self._take()
            group, lexeme = self._take()
            if group != "word":
                raise _BrokenError
            name += f".{lexeme}"
        return Call(name.lower(), self._arguments(depth))

    def _arguments(self, depth: int) -> tuple[Expression, ...]:
        self._expect("(")
        found: list[Expression] = []
        while self._peek() != ")":
            if found:
                self._expect(",")
            found.append(self.expression(depth + 1))
        self._expect(")")
        return tuple(found)

    def _key(self, depth: int) -> Expression:
        _, mark = self._take()
        if mark == ".":
            group, lexeme = self._take()
            if group != "word":
                raise _BrokenError
            return Literal(lexeme)
        key = self.expression(depth + 1)
        self._expect("]")
        return key

    def _peek(self) -> str:
        return "" if self._next is None else self._next.group().strip()

    def _take(self) -> tuple[str, str]:
        if self._next is None:
            raise _BrokenError
        group, lexeme = str(self._next.lastgroup), self._next.group(str(self._next.lastgroup))
        self._at = self._next.end()
        self._next = _TOKEN.match(self._text, self._at)
        return group, lexeme

    def _expect(self, mark: str) -> None:
        group, lexeme = self._take()
        if group != "mark" or lexeme != mark:
            raise _BrokenError
