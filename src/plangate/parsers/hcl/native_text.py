"""One source file and tree-sitter's nodes of it: places, names, numbers, and all that is text.

tree-sitter's grammar drops the white space of templates, so that text is what stands between the nodes, taken from
the file itself.
"""

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NoReturn

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser

from plangate.errors import PlanParseError
from plangate.model.plan import Location
from plangate.parsers.base import Limits
from plangate.parsers.hcl.syntax import NULL, At, Expression, Literal
from plangate.parsers.hcl.templates import TemplateError, Token, template
from plangate.parsers.hcl.values import ValueTooLargeError
from plangate.parsers.hcl.values import number as exact
from plangate.parsers.hcl.values import text as normal

_LANGUAGE: Final = Language(tree_sitter_hcl.language())
_NO_CODE: Final = 0x110000
"""Where Unicode ends."""
MAX_NAME_CHARS: Final = 1000
_READ_BYTES: Final = 65_536
_MAX_GUESSED_BYTES: Final = 16_384
"""How far tree-sitter may read on after an error, to find its end."""
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""Of one source file. People write them."""
_NUMBER: Final = re.compile(r"[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_EXPONENT: Final = re.compile(rb"(?<![\w.-])[0-9]++[eE][+-]?[0-9]++(?![\w.])")
_ESCAPE: Final = re.compile(
    r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.|\Z))|([$%])\5\{', re.DOTALL
)
_HEREDOC_ESCAPE: Final = re.compile(r"([$%])\1\{")
_PLAIN_ESCAPES: Final[Mapping[str, str]] = MappingProxyType(
    {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
)
_MISSING: Final[Mapping[str, str]] = MappingProxyType(
    {"}": "}", "]": "]", ")": ")", "identifier": "an expression", "quoted_template_end": "the end of a text"}
)
"""What tree-sitter says is missing, where that helps; its other guesses do not."""
_LINE: Final = re.compile(r"[^\n]*+\n|[^\n]++")
_DIRECTIVES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "template_if_intro": "if",
        "template_else_intro": "else",
        "template_if_end": "endif",
        "template_for_start": "for",
        "template_for_end": "endfor",
    }
)


class SourceFile:
    """One file.

    Args:
        data: Its bytes.
        file: Its name.
        limits: Bounds.
        first_line: Number of the first line.

    Raises:
        PlanParseError: Not UTF-8, too large, or not well-formed.
    """

    def __init__(self, data: bytes, file: str, limits: Limits, *, first_line: int = 1) -> None:
        self.file = file
        self.limits = limits
        self._first_line = first_line
        if len(data) > MAX_FILE_BYTES:
            raise PlanParseError(file, f"{len(data)} bytes (limit for source: {MAX_FILE_BYTES})")
        try:
            data.decode()
        except UnicodeDecodeError as error:
            raise PlanParseError(file, f"not UTF-8 text: {error.reason}", at=f"byte {error.start}") from error
        self.data = data
        # The grammar has no `1e21`. It is read as a number of the same length; its text comes from the data as it is.
        read = _EXPONENT.sub(lambda found: b"0" * len(found.group()), data)
        self.root = self._parsed(read)
        if self.root.descendant_count > limits.max_yaml_nodes:
            raise PlanParseError(file, f"more than {limits.max_yaml_nodes} syntax nodes")
        if self.root.has_error:
            self._refuse_error()

    def _parsed(self, data: bytes) -> Node:
        """The root of the tree. Once there is an error, tree-sitter is not let go on guessing for long.

        On text that is no source it would take a thousand times the text's size in memory.
        """
        first: list[int] = []

        def stops(offset: int, has_error: bool) -> bool:  # noqa: FBT001 - tree-sitter calls it
            if has_error:
                first.append(offset)
            return bool(first) and offset - first[0] > _MAX_GUESSED_BYTES

        parser = Parser(_LANGUAGE)
        try:
            tree = parser.parse(
                lambda offset, _point: data[offset : offset + _READ_BYTES], progress_callback=stops
            )
        except ValueError:
            self._refuse_at(first[0] if first else 0, "syntax error, here or a little before")
        return tree.root_node

    @abstractmethod
    def inner(self, node: Node, depth: int) -> Expression:
        """The expression of a node that is inside of another."""

    @abstractmethod
    def loop(self, intro: Node, depth: int) -> tuple[tuple[str, str], Expression]:
        """The names that a ``for`` binds (key or empty, and value), and what it walks over."""

    # Text

    def template(self, node: Node, depth: int) -> Expression:
        """The expression that a template or heredoc is."""
        inner = node.named_children[0]
        if inner.type == "heredoc_template":
            return self.heredoc(inner, depth + 1)
        children = inner.children
        return self._put_together(
            inner,
            list(self._tokens(children[1:-1], children[0].end_byte, children[-1].start_byte, depth + 1)),
        )

    def heredoc(self, node: Node, depth: int, *, whole: bool = False) -> Expression:
        """A heredoc; `whole` leaves out the line break before its end mark."""
        children = [child for child in node.children if child.type != "comment"]
        start = self.data.index(b"\n", children[1].end_byte) + 1
        end = self.data.rindex(b"\n", 0, children[-1].start_byte) + 1
        if whole:
            end -= 1
        tokens = self._tokens(children[2:-1], start, max(start, end), depth, lines=True)
        return self._put_together(node, list(tokens), dedent=self.text(children[0]) == "<<-")

    def _put_together(self, node: Node, tokens: list[Token], *, dedent: bool = False) -> Expression:
        try:
            return template(tokens, self.at(node), dedent=dedent)
        except TemplateError as error:
            line, column = error.args[1]
            raise PlanParseError(self.file, error.args[0], at=f"line {line} column {column}") from error

    def _tokens(
        self, children: list[Node], start: int, end: int, depth: int, *, lines: bool = False
    ) -> Iterator[Token]:
        """Tokens of the template that fills the bytes; what no ``${`` or ``%{`` covers is text."""
        if depth > self.limits.max_depth:
            raise PlanParseError(self.file, f"nested deeper than {self.limits.max_depth} levels")
        for child in self._directives(children):
            yield from self._texts(start, child.start_byte, lines=lines)
            yield self._token(child, depth)
            start = child.end_byte
        yield from self._texts(start, end, lines=lines)

    def _directives(self, children: list[Node]) -> Iterator[Node]:
        """Every ``${…}`` and ``%{…}`` in order, without their nesting."""
        pending = children[::-1]
        while pending:
            node = pending.pop()
            if node.type in _DIRECTIVES or node.type == "template_interpolation":
                yield node
            elif node.type in {"template_directive", "template_if", "template_for"}:
                pending += node.children[::-1]

    def _texts(self, start: int, end: int, *, lines: bool) -> Iterator[Token]:
        if start >= end:
            return
        text = normal(self.data[start:end].decode())
        if lines:
            text = _HEREDOC_ESCAPE.sub(r"\1{", text)
            yield from (Token(word="text", text=line) for line in _LINE.findall(text))
        else:
            yield Token(word="text", text=self._unescaped(text, start))

    def _token(self, node: Node, depth: int) -> Token:
        children = node.children
        inner = next((child for child in children if child.type == "expression"), None)
        word = _DIRECTIVES.get(node.type, "value")
        names = "", ""
        expression: Expression = NULL
        if word == "for":
            names, expression = self.loop(node, depth)
        elif inner is not None:
            expression = self.inner(inner, depth)
        elif word in {"value", "if"}:
            self.refuse(node, "expected an expression")
        return Token(
            word=word,
            names=names,
            expression=expression,
            before=children[1].type == "strip_marker",
            after=children[-2].type == "strip_marker" and len(children) > 3,  # noqa: PLR2004 - `${~` alone is before
            at=self.at(node),
        )

    def string(self, node: Node) -> str:
        """Text in quotes, without anything inserted."""
        children = node.children
        start, end = children[0].end_byte, children[-1].start_byte
        return self._unescaped(normal(self.data[start:end].decode()), start)

    def _unescaped(self, text: str, start: int) -> str:
        if "\n" in text:
            self._refuse_at(start, "a line break inside quotes (use a heredoc)")
        if "\\" not in text and "{" not in text:
            return text
        bare = text.replace("$${", "").replace("%%{", "")
        if "${" in bare or "%{" in bare:
            # A label, where the language has no templates.
            self._refuse_at(start, "a template where only plain text can stand")
        return normal(_ESCAPE.sub(lambda found: self._escape(found, start), text))

    def _escape(self, found: re.Match[str], start: int) -> str:
        plain, short, long, other, marker = found.groups()
        if marker:
            return marker + "{"
        if plain:
            return _PLAIN_ESCAPES[plain]
        code = int(short or long, 16) if other is None else _NO_CODE
        if code >= _NO_CODE or 0xD800 <= code < 0xE000:  # noqa: PLR2004 - halves of surrogate pairs
            self._refuse_at(start, f"unknown escape {found.group()[:12]!r}")
        return chr(code)

    def number(self, node: Node, text: str) -> Literal:
        """A number, exact."""
        if not _NUMBER.fullmatch(text) or len(text) > self.limits.max_number_digits:
            self.refuse(node, "not a number")
        try:
            # In the one form that a number has: `1.50` is 1.5.
            return Literal(exact(int(text) if text.isdecimal() else Decimal(text)))
        except ValueTooLargeError:
            self.refuse(node, "a number that is out of range")

    # Places and names

    def named(self, node: Node) -> str:
        """A name that is written in a node."""
        name = self.text(node)
        self.check_name(node, name)
        return name

    def check_name(self, node: Node, name: str) -> None:
        """Names come again in every pointer and address."""
        if len(name) > MAX_NAME_CHARS:
            self.refuse(node, f"a name of {len(name)} characters (limit: {MAX_NAME_CHARS})")

    def text(self, node: Node) -> str:
        """What is written in a node."""
        return self.data[node.start_byte : node.end_byte].decode()

    def at(self, node: Node) -> At:
        """Line and column of a node."""
        point = node.start_point
        return point.row + self._first_line, point.column + 1

    def place(self, node: Node) -> Location:
        """The place of a node."""
        line, column = self.at(node)
        return Location(file=self.file, line=line, column=column)

    def _refuse_error(self) -> NoReturn:
        """Say what is wrong at the first place where tree-sitter had to guess."""
        node = self.root
        while True:
            below = next((child for child in node.children if child.has_error or child.is_missing), None)
            if node.is_missing:
                word = _MISSING.get(node.type)
                self.refuse(node, f"syntax error: expected {word}" if word else "syntax error")
            if below is None or (node.is_error and not below.is_error and not below.is_missing):
                # Without what stands there: it may be a secret whose quotes are not closed.
                self.refuse(node, "syntax error")
            node = below

    def refuse(self, node: Node, problem: str) -> NoReturn:
        """Refuse the file for a node."""
        self._refuse_at(node.start_byte, problem)

    def _refuse_at(self, offset: int, problem: str) -> NoReturn:
        before = self.data[:offset]
        line = max(before.count(b"\n") + self._first_line, 1)
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise PlanParseError(self.file, problem, at=f"line {line} column {column}")
