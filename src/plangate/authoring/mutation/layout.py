"""Where a node of the syntax tree stands in the text, to the byte.

The engine's spans are made for messages: a text's span leaves out its quotes, an object's starts at its last key, an
expression's may leave out its brackets. An edit needs exact places. So only where a span *starts* is believed, and
only for names, numbers and texts; everything else follows from the tokens around these.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from plangate.policy.syntax import Expr, Module, Statement

_TOKEN: Final = re.compile(
    rb"""
    (?P<skip> \s+ | \#[^\n]* )
    | (?P<string> "(?:[^"\\\n]|\\.)*" | `[^`]*` )
    | (?P<word> [A-Za-z_]\w* )
    | (?P<number> \d+(?:\.\d+)?(?:[eE][+-]?\d+)? )
    | (?P<sign> := | == | != | <= | >= | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING: Final = {b"(": b")", b"[": b"]", b"{": b"}"}
_CLOSING: Final = frozenset(_OPENING.values())
_KEYWORDS: Final = frozenset({b"else", b"every", b"if", b"in", b"not", b"some"})


class Token(Struct, frozen=True):
    """One token: its place in bytes, its text, and whether it is a name or a keyword."""

    start: int
    end: int
    text: bytes
    word: bool


class Region(Struct, frozen=True):
    """Neighbouring tokens, by number, both ends included."""

    first: int
    last: int


class LayoutError(ValueError):
    """The text is not laid out as its syntax tree says; there is no safe place for an edit."""


def tokens(text: bytes) -> tuple[Token, ...]:
    """The tokens of a Rego text, without white space and comments."""
    return tuple(
        Token(found.start(), found.end(), found.group(), found.lastgroup == "word")
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "skip"
    )


class Layout:
    """The tokens of one module, with its nodes' places among them."""

    def __init__(self, module: Module) -> None:
        self.tokens: Final = tokens(module.encoded)
        self._starts: Final = [token.start for token in self.tokens]
        self._partner: Final = _partners(self.tokens)

    def text(self, number: int) -> bytes:
        """A token's text; empty before the first and after the last."""
        return self.tokens[number].text if 0 <= number < len(self.tokens) else b""

    def at(self, offset: int) -> int:
        """The token that an offset is in, or that follows it."""
        number = max(bisect_right(self._starts, offset) - 1, 0)
        if self.tokens[number].end <= offset:
            number += 1
        if number >= len(self.tokens):
            raise LayoutError
        return number

    def expr(self, expr: Expr) -> Region:  # noqa: PLR0911 - one arm per construct
        """Where an expression stands, without brackets around it.

        Raises:
            LayoutError: That cannot be told.
        """
        match expr.form:
            case "scalar":
                first = self.at(expr.start)
                return Region(first, first + 1 if self.text(first) == b"-" else first)
            case "var":
                return Region(self.at(expr.start), self.at(expr.start))
            case "ref":
                return self._reference(expr)
            case "call":
                name = self.expr(expr.parts[0])
                return Region(name.first, self._close(name.last + 1, b"("))
            case "array" | "set" | "object" | "array-compr" | "set-compr" | "object-compr":
                return self._brackets(expr)
            case _:
                region = self.span(map(self.outer, expr.parts))
                if expr.form == "operator" and len(expr.parts) == 1:
                    return self._balanced(Region(region.first - 1, region.last))
                return region

    def outer(self, expr: Expr) -> Region:
        """Where an expression stands, with the brackets that only group it."""
        region = self.expr(expr)
        while self._grouped(region):
            region = Region(region.first - 1, region.last + 1)
        return region

    def statement(self, statement: Statement) -> Region:
        """Where one line of a body stands, ``not``, ``some … in`` and ``every`` included."""
        first = self.at(statement.start)
        parts = [self.outer(part) for part in statement.parts]
        if statement.form == "every":
            start = self.span(parts).last + 1
            return Region(first, self._close(start, b"{"))
        return self.span([Region(first, first), *parts])

    def span(self, regions: Iterable[Region]) -> Region:
        """The smallest region that holds these and no half of a pair of brackets."""
        found = tuple(regions)
        return self._balanced(
            Region(min(region.first for region in found), max(region.last for region in found))
        )

    def bytes_of(self, region: Region) -> tuple[int, int]:
        """Start and end of a region in bytes."""
        return self.tokens[region.first].start, self.tokens[region.last].end

    def sign(self, expr: Expr) -> int:
        """The token of an operator between its two sides."""
        left, right = self.outer(expr.parts[0]), self.outer(expr.parts[1])
        for number in range(left.last + 1, right.first):
            if self.text(number) == expr.value.encode():
                return number
        raise LayoutError

    def _reference(self, expr: Expr) -> Region:
        first, last = self.expr(expr.parts[0]).first, self.expr(expr.parts[0]).last
        for step in expr.parts[1:]:
            if self.text(last + 1) == b".":
                last += 2
            else:
                last = self._close(last + 1, b"[")
                if not self.expr(step).last < last:
                    raise LayoutError
        return Region(first, last)

    def _brackets(self, expr: Expr) -> Region:
        kind = b"[" if expr.form.startswith("array") else b"{"
        if not expr.parts:
            first = self.at(expr.start)
            if self.text(first) == b"set":
                return Region(first, self._close(first + 1, b"("))
            return Region(first, self._close(first, kind))
        number, depth = self.outer(expr.parts[0]).first - 1, 0
        while number >= 0 and (depth or self.text(number) != kind):
            depth += (self.text(number) in _CLOSING) - (self.text(number) in _OPENING)
            number -= 1
        return Region(number, self._close(number, kind))

    def _close(self, number: int, opening: bytes) -> int:
        if self.text(number) != opening or number not in self._partner:
            raise LayoutError
        return self._partner[number]

    def _grouped(self, region: Region) -> bool:
        before = region.first - 1
        if self.text(before) != b"(" or self._partner.get(before) != region.last + 1:
            return False
        # `f(x)` and `x[0](y)` call something; `if (x)` and `== (x)` only group.
        calls = before > 0 and self.tokens[before - 1].end == self.tokens[before].start
        callee = self.tokens[before - 1]
        return not (calls and ((callee.word and callee.text not in _KEYWORDS) or callee.text == b"]"))

    def _balanced(self, region: Region) -> Region:
        if region.first < 0 or region.last >= len(self.tokens):
            raise LayoutError
        number, first, last = region.first, region.first, region.last
        while number <= last:
            partner = self._partner.get(number, number)
            if partner < first:
                # Whatever is between the two is part of it now, so that it starts again from there.
                first = number = partner
            last = max(last, partner)
            number += 1
        return Region(first, last)


def _partners(found: tuple[Token, ...]) -> dict[int, int]:
    partner: dict[int, int] = {}
    opened: list[int] = []
    for number, token in enumerate(found):
        if token.text in _OPENING:
            opened.append(number)
        elif token.text in _CLOSING:
            if not opened or _OPENING[found[opened[-1]].text] != token.text:
                raise LayoutError
            partner[number] = opened[-1]
            partner[opened.pop()] = number
    return partner
