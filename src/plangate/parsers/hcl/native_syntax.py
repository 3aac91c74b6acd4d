"""Terraform's own syntax (``*.tf``, ``*.tofu``, ``*.tfvars``, templates) to the syntax tree.

tree-sitter finds the structure. What its grammar reads otherwise than Terraform does is set right here: the text of
templates (it drops white space), the nesting of conditionals (it takes ``a ? b : c ? d : e`` from the left), names
that come twice. Where tree-sitter had to guess, the file is refused.

Source: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NoReturn

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser

from plangate.errors import PlanParseError
from plangate.model.plan import Location
from plangate.parsers.base import Limits
from plangate.parsers.hcl.syntax import (
    EMPTY,
    NULL,
    SPLAT_ITEM,
    At,
    Attr,
    Attribute,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    Literal,
    Name,
    Object,
    Splat,
    Tuple,
    Unary,
)
from plangate.parsers.hcl.templates import TemplateError, Token, template

_LANGUAGE: Final = Language(tree_sitter_hcl.language())
_OPERATORS: Final = frozenset({"||", "&&", "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%"})
_POSTFIX: Final = frozenset({"get_attr", "index", "splat"})
_HEREDOC_MARK: Final = "PLANGATE_TEMPLATE"
_NUMBER: Final = re.compile(r"[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_EXPONENT: Final = re.compile(rb"(?<![\w.-])[0-9]++[eE][+-]?[0-9]++(?![\w.])")
_ESCAPE: Final = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.|\Z))|([$%])\5\{', re.DOTALL)
_HEREDOC_ESCAPE: Final = re.compile(r"([$%])\1\{")
_PLAIN_ESCAPES: Final[Mapping[str, str]] = MappingProxyType(
    {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
)
_CONSTANTS: Final[Mapping[str, Literal]] = MappingProxyType(
    {"true": Literal(True), "false": Literal(False), "null": NULL}
)


def read_native(data: bytes, file: str, limits: Limits) -> Body:
    """One file.

    Args:
        data: UTF-8.
        file: Its name, for messages and places.
        limits: ``max_depth`` bounds the nesting, ``max_yaml_nodes`` the nodes.

    Raises:
        PlanParseError: Not well-formed; says where.
    """
    return _Reader(data, file, limits).file()


def read_template(text: str, file: str, limits: Limits) -> Expression:
    """A template, as `templatefile` reads one, or a string of the JSON syntax.

    Raises:
        PlanParseError: Not well-formed; says where.
    """
    if "${" not in text and "%{" not in text:
        return Literal(text)
    mark = _HEREDOC_MARK
    while mark in text:
        mark += "_"
    # A heredoc is the one place where a text with any characters is a template. Its first line is line 2, and the
    # line break before the mark is no part of the text.
    return _Reader(f"a=<<{mark}\n{text}\n{mark}\n".encode(), file, limits, first_line=0).whole_template()


class _Reader:
    """Reads one file.

    Args:
        data: Its bytes.
        file: Its name.
        limits: Bounds.
        first_line: Number of the first line.
    """

    def __init__(self, data: bytes, file: str, limits: Limits, *, first_line: int = 1) -> None:
        self._file = file
        self._limits = limits
        self._first_line = first_line
        try:
            data.decode()
        except UnicodeDecodeError as error:
            raise PlanParseError(
                file, f"not UTF-8 text: {error.reason}", at=f"byte {error.start}"
            ) from error
        self._data = data
        # The grammar has no `1e21`. It is read as a number of the same length; its text comes from the data as it is.
        read = _EXPONENT.sub(lambda found: b"0" * len(found.group()), data)
        self._root = Parser(_LANGUAGE).parse(read).root_node
        if self._root.descendant_count > limits.max_yaml_nodes:
            raise PlanParseError(file, f"more than {limits.max_yaml_nodes} syntax nodes")
        if self._root.has_error:
            self._refuse_error()

    def file(self) -> Body:
        for child in self._root.named_children:
            if child.type == "body":
                return self._body(child, 0)
            if child.type != "comment":
                self._refuse(child, "an object where blocks and attributes are expected")
        return EMPTY

    def whole_template(self) -> Expression:
        attribute = self._root.named_children[0].named_children[0]
        heredoc = attribute.named_children[1].named_children[0].named_children[0]
        return self._heredoc(heredoc, 0, whole=True)

    # Bodies

    def _body(self, node: Node, depth: int) -> Body:
        if depth > self._limits.max_depth:
            self._refuse(node, f"nested deeper than {self._limits.max_depth} levels")
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        last_line = -1
        for child in node.named_children:
            kind = child.type
            if kind == "comment":
                continue
            place = child.start_point
            if place.row == last_line:
                self._refuse(child, "a second definition on one line")
            last_line = child.end_point.row
            if kind == "attribute":
                name_node, value = self._attribute_parts(child)
                name = self._text(name_node)
                if name in attributes:
                    self._refuse(child, f"attribute {name[:100]} is set twice")
                attributes[name] = Attribute(name, self._expression(value, depth + 1), self._place(child))
            elif kind == "block":
                blocks.append(self._block(child, depth))
            else:
                self._refuse(child, "neither an attribute nor a block")
        return Body(attributes, tuple(blocks))

    def _attribute_parts(self, node: Node) -> tuple[Node, Node]:
        named = [child for child in node.named_children if child.type != "comment"]
        if len(named) != 2:  # noqa: PLR2004 - a name and a value
            self._refuse(node, "not an attribute")
        return named[0], named[1]

    def _block(self, node: Node, depth: int) -> Block:
        words: list[str] = []
        body = EMPTY
        for child in node.named_children:
            if child.type == "identifier":
                words.append(self._text(child))
            elif child.type == "string_lit":
                words.append(self._string(child))
            elif child.type == "body":
                body = self._body(child, depth + 1)
        return Block(words[0], tuple(words[1:]), body, self._place(node))

    # Expressions

    def _expression(self, node: Node, depth: int) -> Expression:
        """An ``expression`` node, or another that stands for one."""
        if depth > self._limits.max_depth:
            self._refuse(node, f"nested deeper than {self._limits.max_depth} levels")
        return self._operand(node.children, node, depth)

    def _operand(self, children: list[Node], node: Node, depth: int) -> Expression:
        """A row of nodes: what is read, then attributes, indexes and splats of it."""
        found: Expression | None = None
        for child in children:
            kind = child.type
            if kind in {"comment", "(", ")"}:
                continue
            if found is not None:
                if kind not in _POSTFIX:
                    self._refuse(child, "expected an operator or the end of the expression")
                found = self._postfix(found, child, depth)
                continue
            read = _PRIMARY.get(kind)
            if read is None:
                self._refuse(child, f"unexpected {kind.replace('_', ' ')}")
            found = read(self, child, depth)
        if found is None:
            self._refuse(node, "expected an expression")
        return found

    def _postfix(self, of: Expression, node: Node, depth: int) -> Expression:
        at = self._at(node)
        if node.type == "get_attr":
            return Attr(of, self._text(node.named_children[-1]), at)
        if node.type == "index":
            return self._index(of, node, depth)
        splat = node.named_children[0]
        each: Expression = Name(SPLAT_ITEM, at)
        steps = [child for child in splat.named_children if child.type in _POSTFIX]
        # After `.*` only attributes belong to each item; after `[*]` everything does.
        inner = len(steps)
        if splat.type == "attr_splat":
            inner = next((i for i, step in enumerate(steps) if not self._is_dotted(step)), inner)
        for step in steps[:inner]:
            each = self._postfix(each, step, depth)
        found: Expression = Splat(of, each, at)
        for step in steps[inner:]:
            found = self._postfix(found, step, depth)
        return found

    def _is_dotted(self, node: Node) -> bool:
        return node.type == "get_attr" or (
            node.type == "index" and node.named_children[0].type == "legacy_index"
        )

    def _index(self, of: Expression, node: Node, depth: int) -> Expression:
        inner = node.named_children[0]
        if inner.type == "legacy_index":
            return Index(of, self._number(inner, self._text(inner)[1:].strip()), self._at(node))
        key = next((child for child in inner.named_children if child.type == "expression"), None)
        if key is None:
            self._refuse(node, "expected an index")
        return Index(of, self._expression(key, depth + 1), self._at(node))

    def _inner(self, node: Node, depth: int) -> Expression:
        return self._expression(node, depth + 1)

    def _literal(self, node: Node, _depth: int) -> Expression:
        inner = node.named_children[0]
        if inner.type == "string_lit":
            return Literal(self._string(inner))
        text = self._text(inner)
        constant = _CONSTANTS.get(text)
        return constant if constant is not None else self._number(inner, text)

    def _variable(self, node: Node, _depth: int) -> Expression:
        return Name(self._text(node), self._at(node))

    def _conditional(self, node: Node, depth: int) -> Expression:
        parts = [child for child in node.named_children if child.type == "expression"]
        if len(parts) != 3:  # noqa: PLR2004
            self._refuse(node, "not a conditional")
        condition, yes, no = parts
        at = self._at(node)
        below = depth + 1
        if below > self._limits.max_depth:
            self._refuse(node, f"nested deeper than {self._limits.max_depth} levels")
        # The grammar nests `a ? b : c ? d : e` as `(a ? b : c) ? d : e`; the language means `a ? b : (c ? d : e)`.
        bare = [child for child in condition.children if child.type != "comment"]
        if len(bare) == 1 and bare[0].type == "conditional":
            return self._rotated(
                self._conditional(bare[0], below), self._inner(yes, below), self._inner(no, below), at
            )
        return Conditional(
            self._inner(condition, below), self._inner(yes, below), self._inner(no, below), at
        )

    def _rotated(self, first: Expression, yes: Expression, no: Expression, at: At) -> Expression:
        """``first ? yes : no``, where first is a conditional without parentheses: its last branch is the condition."""
        chain: list[Conditional] = []
        last = first
        while isinstance(last, Conditional) and last.at == at:
            chain.append(last)
            last = last.no
        found: Expression = Conditional(last, yes, no, at)
        for link in reversed(chain):
            found = Conditional(link.condition, link.yes, found, at)
        return found

    def _operation(self, node: Node, depth: int) -> Expression:
        inner = node.named_children[0]
        if depth > self._limits.max_depth:
            self._refuse(node, f"nested deeper than {self._limits.max_depth} levels")
        children = inner.children
        at = self._at(inner)
        if inner.type == "unary_operation":
            return Unary(children[0].type, self._operand(children[1:], inner, depth + 1), at)
        place = next((i for i, child in enumerate(children) if child.type in _OPERATORS), None)
        if place is None:
            self._refuse(inner, "expected an operator")
        left = self._operand(children[:place], inner, depth + 1)
        right = self._operand(children[place + 1 :], inner, depth + 1)
        return Binary(children[place].type, left, right, at)

    def _collection(self, node: Node, depth: int) -> Expression:
        inner = node.named_children[0]
        if inner.type == "tuple":
            return Tuple(
                tuple(
                    self._expression(child, depth + 1)
                    for child in inner.named_children
                    if child.type == "expression"
                )
            )
        items: list[tuple[Expression, Expression]] = []
        for element in inner.named_children:
            if element.type != "object_elem":
                continue
            key, value = (child for child in element.named_children if child.type == "expression")
            items.append((self._key(key, depth + 1), self._expression(value, depth + 1)))
        return Object(tuple(items), self._at(inner))

    def _key(self, node: Node, depth: int) -> Expression:
        """A key of an object: a bare name is its own text, anything else is an expression."""
        children = [child for child in node.children if child.type != "comment"]
        if children[0].type == "variable_expr":
            # `aws.west` is a key of the `providers` of a module; elsewhere Terraform refuses it.
            return Literal(self._text(children[0])) if len(children) == 1 else self._expression(node, depth)
        if len(children) == 1 and children[0].type == "literal_value":
            word = self._text(children[0])
            return Literal(word) if word in _CONSTANTS else self._expression(node, depth)
        return self._expression(node, depth)

    def _for(self, node: Node, depth: int) -> Expression:
        inner = node.named_children[0]
        intro = next(child for child in inner.named_children if child.type == "for_intro")
        names, source = self._loop(intro, depth)
        values = [child for child in inner.named_children if child.type == "expression"]
        condition = next((child for child in inner.named_children if child.type == "for_cond"), None)
        tests = condition.named_children if condition is not None else []
        test = next((child for child in tests if child.type == "expression"), None)
        is_object = inner.type == "for_object_expr"
        return For(
            *names,
            source,
            self._inner(values[0], depth) if is_object else None,
            self._inner(values[-1], depth),
            self._inner(test, depth) if test is not None else None,
            any(child.type == "ellipsis" for child in inner.children),
            self._at(node),
        )

    def _loop(self, intro: Node, depth: int) -> tuple[tuple[str, str], Expression]:
        """The names that a ``for`` binds, and what it walks over."""
        names = [self._text(child) for child in intro.named_children if child.type == "identifier"]
        source = next(child for child in intro.named_children if child.type == "expression")
        return ("" if len(names) == 1 else names[0], names[-1]), self._inner(source, depth)

    def _call(self, node: Node, depth: int) -> Expression:
        arguments: list[Expression] = []
        expand = False
        for child in node.named_children:
            if child.type != "function_arguments":
                continue
            arguments = [
                self._expression(argument, depth + 1)
                for argument in child.named_children
                if argument.type == "expression"
            ]
            expand = any(mark.type == "ellipsis" for mark in child.children)
        return Call(self._text(node.children[0]), tuple(arguments), expand, self._at(node))

    # Text

    def _template(self, node: Node, depth: int) -> Expression:
        inner = node.named_children[0]
        if inner.type == "heredoc_template":
            return self._heredoc(inner, depth + 1)
        children = inner.children
        return self._put_together(
            inner,
            list(self._tokens(children[1:-1], children[0].end_byte, children[-1].start_byte, depth + 1)),
        )

    def _heredoc(self, node: Node, depth: int, *, whole: bool = False) -> Expression:
        children = [child for child in node.children if child.type != "comment"]
        start = self._data.index(b"\n", children[1].end_byte) + 1
        end = self._data.rindex(b"\n", 0, children[-1].start_byte) + 1
        if whole:
            end -= 1
        tokens = self._tokens(children[2:-1], start, max(start, end), depth, lines=True)
        return self._put_together(node, list(tokens), dedent=self._text(children[0]) == "<<-")

    def _put_together(self, node: Node, tokens: list[Token], *, dedent: bool = False) -> Expression:
        try:
            return template(tokens, self._at(node), dedent=dedent)
        except TemplateError as error:
            line, column = error.args[1]
            raise PlanParseError(self._file, error.args[0], at=f"line {line} column {column}") from error

    def _tokens(
        self, children: list[Node], start: int, end: int, depth: int, *, lines: bool = False
    ) -> Iterator[Token]:
        """Tokens of the template that fills the bytes; what no ``${`` or ``%{`` covers is text."""
        if depth > self._limits.max_depth:
            raise PlanParseError(self._file, f"nested deeper than {self._limits.max_depth} levels")
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
        text = self._data[start:end].decode()
        if lines:
            text = _HEREDOC_ESCAPE.sub(r"\1{", text)
            yield from (Token(word="text", text=line) for line in _LINE.findall(text))
        else:
            yield Token(word="text", text=self._unescaped(text, start))

    def _token(self, node: Node, depth: int) -> Token:
        children = node.children
        inner = next((child for child in children if child.type == "expression"), None)
        word = _DIRECTIVES.get(node.type, "value")
        names, expression = ("", ""), NULL
        if word == "for":
            names, expression = self._loop(node, depth)
        elif inner is not None:
            expression = self._inner(inner, depth)
        elif word in {"value", "if"}:
            self._refuse(node, "expected an expression")
        return Token(
            word=word,
            names=names,
            expression=expression,
            before=children[1].type == "strip_marker",
            after=children[-2].type == "strip_marker" and len(children) > 3,  # noqa: PLR2004 - `${~` alone is before
            at=self._at(node),
        )

    def _string(self, node: Node) -> str:
        """Text in quotes, without anything inserted."""
        children = node.children
        start, end = children[0].end_byte, children[-1].start_byte
        return self._unescaped(self._data[start:end].decode(), start)

    def _unescaped(self, text: str, start: int) -> str:
        if "\n" in text:
            self._refuse_at(start, "a line break inside quotes (use a heredoc)")
        if "\\" not in text and "{" not in text:
            return text
        return _ESCAPE.sub(lambda found: self._escape(found, start), text)

    def _escape(self, found: re.Match[str], start: int) -> str:
        plain, short, long, other, marker = found.groups()
        if marker:
            return marker + "{"
        if plain:
            return _PLAIN_ESCAPES[plain]
        if other is None:
            code = int(short or long, 16)
            if code < 0x110000 and not 0xD800 <= code < 0xE000:  # noqa: PLR2004 - what Unicode has
                return chr(code)
        self._refuse_at(start, f"unknown escape {found.group()[:12]!r}")

    def _number(self, node: Node, text: str) -> Literal:
        if not _NUMBER.fullmatch(text) or len(text) > self._limits.max_number_digits:
            self._refuse(node, f"not a number: {text[:40]!r}")
        if text.isdecimal():
            return Literal(int(text))
        value = Decimal(text)
        if abs(value.adjusted()) > self._limits.max_number_digits:
            self._refuse(node, f"a number that is out of range: {text[:40]!r}")
        return Literal(int(value) if value == value.to_integral_value() else value)

    # Places

    def _text(self, node: Node) -> str:
        return self._data[node.start_byte : node.end_byte].decode()

    def _at(self, node: Node) -> At:
        point = node.start_point
        return point.row + self._first_line, point.column + 1

    def _place(self, node: Node) -> Location:
        line, column = self._at(node)
        return Location(file=self._file, line=line, column=column)

    def _refuse_error(self) -> NoReturn:
        """Say what is wrong at the first place where tree-sitter had to guess."""
        node = self._root
        while True:
            below = next((child for child in node.children if child.has_error or child.is_missing), None)
            if node.is_missing:
                self._refuse(node, f"expected {node.type.replace('_', ' ')}")
            if below is None or (node.is_error and not below.is_error and not below.is_missing):
                word = self._data[node.start_byte : node.end_byte].decode("utf-8", "replace").split("\n")[0]
                self._refuse(node, f"syntax error near {word[:40]!r}" if word else "syntax error")
            node = below

    def _refuse(self, node: Node, problem: str) -> NoReturn:
        self._refuse_at(node.start_byte, problem)

    def _refuse_at(self, offset: int, problem: str) -> NoReturn:
        before = self._data[:offset]
        line = before.count(b"\n") + self._first_line
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise PlanParseError(self._file, problem, at=f"line {line} column {column}")


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
_PRIMARY: Final[Mapping[str, Callable[[_Reader, Node, int], Expression]]] = MappingProxyType(
    {
        "expression": _Reader._inner,  # noqa: SLF001 - the table of its own methods
        "literal_value": _Reader._literal,  # noqa: SLF001
        "variable_expr": _Reader._variable,  # noqa: SLF001
        "conditional": _Reader._conditional,  # noqa: SLF001
        "operation": _Reader._operation,  # noqa: SLF001
        "collection_value": _Reader._collection,  # noqa: SLF001
        "for_expr": _Reader._for,  # noqa: SLF001
        "function_call": _Reader._call,  # noqa: SLF001
        "template_expr": _Reader._template,  # noqa: SLF001
    }
)
