"""Terraform's own syntax (``*.tf``, ``*.tofu``, ``*.tfvars``, templates) to the syntax tree.

tree-sitter finds the structure. What its grammar reads otherwise than Terraform does is set right here: the text of
templates (it drops white space), the nesting of conditionals (it takes ``a ? b : c ? d : e`` from the left), names
that come twice. Where tree-sitter had to guess, the file is refused.

Source: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tree_sitter import Node

from plangate.parsers.base import Limits
from plangate.parsers.hcl.native_text import SourceFile
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

_OPERATORS: Final = frozenset({"||", "&&", "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%"})
_POSTFIX: Final = frozenset({"get_attr", "index", "splat"})
_HEREDOC_MARK: Final = "PLANGATE_TEMPLATE"
_CONSTANTS: Final[Mapping[str, Literal]] = MappingProxyType(
    {"true": Literal(value=True), "false": Literal(value=False), "null": NULL}
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
    return _Reader(data, file, limits).body_of_file()


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


class _Reader(SourceFile):
    """Reads one file."""

    def body_of_file(self) -> Body:
        for child in self.root.named_children:
            if child.type == "body":
                return self._body(child, 0)
            if child.type != "comment":
                self.refuse(child, "an object where blocks and attributes are expected")
        return EMPTY

    def whole_template(self) -> Expression:
        attribute = self.root.named_children[0].named_children[0]
        heredoc = attribute.named_children[1].named_children[0].named_children[0]
        return self.heredoc(heredoc, 0, whole=True)

    # Bodies

    def _body(self, node: Node, depth: int) -> Body:
        if depth > self.limits.max_depth:
            self.refuse(node, f"nested deeper than {self.limits.max_depth} levels")
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        last_line = -1
        for child in node.named_children:
            kind = child.type
            if kind == "comment":
                continue
            place = child.start_point
            if place.row == last_line:
                self.refuse(child, "a second definition on one line")
            last_line = child.end_point.row
            if kind == "attribute":
                name_node, value = self._attribute_parts(child)
                name = self.named(name_node)
                if name in attributes:
                    self.refuse(child, f"attribute {name[:100]} is set twice")
                attributes[name] = Attribute(name, self._expression(value, depth + 1), self.place(child))
            elif kind == "block":
                blocks.append(self._block(child, depth))
            else:
                self.refuse(child, "neither an attribute nor a block")
        return Body(attributes, tuple(blocks))

    def _attribute_parts(self, node: Node) -> tuple[Node, Node]:
        named = [child for child in node.named_children if child.type != "comment"]
        if len(named) != 2:  # noqa: PLR2004 - a name and a value
            self.refuse(node, "not an attribute")
        return named[0], named[1]

    def _block(self, node: Node, depth: int) -> Block:
        words: list[str] = []
        body = EMPTY
        for child in node.named_children:
            if child.type == "identifier":
                words.append(self.named(child))
            elif child.type == "string_lit":
                words.append(self.string(child))
                self.check_name(child, words[-1])
            elif child.type == "body":
                body = self._body(child, depth + 1)
        return Block(words[0], tuple(words[1:]), body, self.place(node))

    # Expressions

    def _expression(self, node: Node, depth: int) -> Expression:
        """An ``expression`` node, or another that stands for one."""
        if depth > self.limits.max_depth:
            self.refuse(node, f"nested deeper than {self.limits.max_depth} levels")
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
                    self.refuse(child, "expected an operator or the end of the expression")
                found = self._postfix(found, child, depth)
                continue
            read = _PRIMARY.get(kind)
            if read is None:
                self.refuse(child, f"unexpected {kind.replace('_', ' ')}")
            found = read(self, child, depth)
        if found is None:
            self.refuse(node, "expected an expression")
        return found

    def _postfix(self, of: Expression, node: Node, depth: int) -> Expression:
        at = self.at(node)
        if node.type == "get_attr":
            return Attr(of, self.text(node.named_children[-1]), at)
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
            return Index(of, self.number(inner, self.text(inner)[1:].strip()), self.at(node))
        key = next((child for child in inner.named_children if child.type == "expression"), None)
        if key is None:
            self.refuse(node, "expected an index")
        return Index(of, self._expression(key, depth + 1), self.at(node))

    def inner(self, node: Node, depth: int) -> Expression:
        return self._expression(node, depth + 1)

    def _literal(self, node: Node, _depth: int) -> Expression:
        inner = node.named_children[0]
        if inner.type == "string_lit":
            return Literal(self.string(inner))
        text = self.text(inner)
        constant = _CONSTANTS.get(text)
        return constant if constant is not None else self.number(inner, text)

    def _variable(self, node: Node, _depth: int) -> Expression:
        return Name(self.text(node), self.at(node))

    def _conditional(self, node: Node, depth: int) -> Expression:
        parts = [child for child in node.named_children if child.type == "expression"]
        if len(parts) != 3:  # noqa: PLR2004
            self.refuse(node, "not a conditional")
        condition, yes, no = parts
        at = self.at(node)
        below = depth + 1
        if below > self.limits.max_depth:
            self.refuse(node, f"nested deeper than {self.limits.max_depth} levels")
        # The grammar nests `a ? b : c ? d : e` as `(a ? b : c) ? d : e`; the language means `a ? b : (c ? d : e)`.
        bare = [child for child in condition.children if child.type != "comment"]
        if len(bare) == 1 and bare[0].type == "conditional":
            return self._rotated(
                self._conditional(bare[0], below), self.inner(yes, below), self.inner(no, below), at
            )
        return Conditional(self.inner(condition, below), self.inner(yes, below), self.inner(no, below), at)

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
        if depth > self.limits.max_depth:
            self.refuse(node, f"nested deeper than {self.limits.max_depth} levels")
        children = inner.children
        at = self.at(inner)
        if inner.type == "unary_operation":
            return Unary(children[0].type, self._operand(children[1:], inner, depth + 1), at)
        place = next((i for i, child in enumerate(children) if child.type in _OPERATORS), None)
        if place is None:
            self.refuse(inner, "expected an operator")
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
        return Object(tuple(items), self.at(inner))

    def _key(self, node: Node, depth: int) -> Expression:
        """A key of an object: a bare name is its own text, anything else is an expression."""
        children = [child for child in node.children if child.type != "comment"]
        if children[0].type == "variable_expr":
            # `aws.west` is a key of the `providers` of a module; elsewhere Terraform refuses it.
            return Literal(self.text(children[0])) if len(children) == 1 else self._expression(node, depth)
        if len(children) == 1 and children[0].type == "literal_value":
            word = self.text(children[0])
            return Literal(word) if word in _CONSTANTS else self._expression(node, depth)
        return self._expression(node, depth)

    def _for(self, node: Node, depth: int) -> Expression:
        inner = node.named_children[0]
        intro = next(child for child in inner.named_children if child.type == "for_intro")
        names, source = self.loop(intro, depth)
        values = [child for child in inner.named_children if child.type == "expression"]
        condition = next((child for child in inner.named_children if child.type == "for_cond"), None)
        tests = condition.named_children if condition is not None else []
        test = next((child for child in tests if child.type == "expression"), None)
        is_object = inner.type == "for_object_expr"
        return For(
            *names,
            source,
            self.inner(values[0], depth) if is_object else None,
            self.inner(values[-1], depth),
            self.inner(test, depth) if test is not None else None,
            any(child.type == "ellipsis" for child in inner.children),
            self.at(node),
        )

    def loop(self, intro: Node, depth: int) -> tuple[tuple[str, str], Expression]:
        """The names that a ``for`` binds, and what it walks over."""
        names = [self.text(child) for child in intro.named_children if child.type == "identifier"]
        source = next(child for child in intro.named_children if child.type == "expression")
        return ("" if len(names) == 1 else names[0], names[-1]), self.inner(source, depth)

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
        return Call(self.text(node.children[0]), tuple(arguments), expand, self.at(node))


_PRIMARY: Final[Mapping[str, Callable[[_Reader, Node, int], Expression]]] = MappingProxyType(
    {
        "expression": _Reader.inner,
        "literal_value": _Reader._literal,  # noqa: SLF001 - the table of its own methods
        "variable_expr": _Reader._variable,  # noqa: SLF001
        "conditional": _Reader._conditional,  # noqa: SLF001
        "operation": _Reader._operation,  # noqa: SLF001
        "collection_value": _Reader._collection,  # noqa: SLF001
        "for_expr": _Reader._for,  # noqa: SLF001
        "function_call": _Reader._call,  # noqa: SLF001
        "template_expr": _Reader.template,
    }
)
