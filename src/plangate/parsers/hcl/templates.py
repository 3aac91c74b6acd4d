"""Puts templates together: strip markers, indentation of heredocs, and the nesting of ``%{if}`` and ``%{for}``.

A template comes as a flat row of tokens. As in Terraform, the text of a heredoc is one token a line, so that a strip
marker takes away no more than the rest of its line and the line break.

Source: https://developer.hashicorp.com/terraform/language/expressions/strings
"""

from collections.abc import Iterable
from typing import TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from plangate.parsers.hcl.syntax import NULL, At, Conditional, Expression, Literal, Template, TemplateFor


class Token(Struct, frozen=True, kw_only=True):
    """Text, or one ``${…}`` or ``%{…}``.

    Attributes:
        word: ``text``, ``value``, ``if``, ``else``, ``endif``, ``for`` or ``endfor``.
        text: Of a text, with its escapes replaced.
        expression: What is inserted, tested or walked over.
        names: What a ``for`` binds: key (or empty) and value.
        before: Strips white space before it.
        after: Strips white space after it.
        at: Where it stands.
    """

    word: str
    text: str = ""
    expression: Expression = NULL
    names: tuple[str, str] = ("", "")
    before: bool = False
    after: bool = False
    at: At = (0, 0)


class TemplateError(ValueError):
    """Directives that do not nest. ``args``: the sentence, and where."""


def template(tokens: Iterable[Token], at: At, *, dedent: bool = False) -> Expression:
    """The expression that tokens make; a lone ``${…}`` is what it holds, whatever its type.

    Raises:
        TemplateError: A directive that is not closed, or closed twice.
    """
    row = _stripped(list(tokens))
    if dedent:
        row = _dedented(row)
    row = [token for token in row if token.word != "text" or token.text]
    if len(row) == 1 and row[0].word == "value":
        return row[0].expression
    parts, index = _nested(row, 0, ("",))
    if index != len(row):
        raise TemplateError(f"%{{{row[index].word}}} that closes nothing", row[index].at)
    return _joined(parts, at)


def _stripped(row: list[Token]) -> list[Token]:
    for index, token in enumerate(row):
        if token.word != "text":
            continue
        text = token.text
        if index and row[index - 1].after:
            text = text.lstrip()
        if index + 1 < len(row) and row[index + 1].before:
            text = text.rstrip()
        row[index] = replace(token, text=text)
    return row


def _dedented(row: list[Token]) -> list[Token]:
    """Take the least indentation of all lines that are not blank away from each of them."""
    lines: list[int] = []
    least: int | None = None
    starts = True
    for index, token in enumerate(row):
        if starts:
            starts = False
            spaces: int | None = 0
            if token.word == "text":
                rest = token.text.lstrip()
                if not rest and token.text.endswith("\n"):
                    spaces = None
                else:
                    spaces = len(token.text) - len(rest)
                    lines.append(index)
            if spaces is not None:
                least = spaces if least is None else min(least, spaces)
        if token.word == "text" and token.text.endswith("\n"):
            starts = True
    for index in lines:
        row[index] = replace(row[index], text=row[index].text[least or 0 :])
    return row


def _nested(row: list[Token], index: int, closing: tuple[str, ...]) -> tuple[list[Expression], int]:
    """The parts up to a closing word, and the index of that word."""
    parts: list[Expression] = []
    while index < len(row):
        token = row[index]
        if token.word in closing or token.word in {"else", "endif", "endfor"}:
            return parts, index
        if token.word == "text":
            parts.append(Literal(token.text))
        elif token.word == "value":
            parts.append(token.expression)
        elif token.word == "if":
            yes, index = _nested(row, index + 1, ("else", "endif"))
            no: list[Expression] = []
            if index < len(row) and row[index].word == "else":
                no, index = _nested(row, index + 1, ("endif",))
            _expect(row, index, "endif", token)
            parts.append(
                Conditional(token.expression, _joined(yes, token.at), _joined(no, token.at), token.at)
            )
        else:
            body, index = _nested(row, index + 1, ("endfor",))
            _expect(row, index, "endfor", token)
            parts.append(TemplateFor(*token.names, token.expression, _joined(body, token.at), token.at))
        index += 1
    return parts, index


def _expect(row: list[Token], index: int, word: str, opened: Token) -> None:
    if index >= len(row) or row[index].word != word:
        raise TemplateError(f"%{{{opened.word}}} without its %{{{word}}}", opened.at)


def _joined(parts: list[Expression], at: At) -> Expression:
    """One expression of parts; texts that follow each other (the lines of a heredoc) become one."""
    row: list[Expression] = []
    for part in parts:
        last = row[-1] if row else None
        if _is_text(part) and _is_text(last):
            row[-1] = Literal(f"{last.value}{part.value}")
        else:
            row.append(part)
    if not row:
        return Literal("")
    return row[0] if len(row) == 1 and _is_text(row[0]) else Template(tuple(row), at)


def _is_text(part: Expression | None) -> TypeGuard[Literal]:
    return isinstance(part, Literal) and isinstance(part.value, str)
