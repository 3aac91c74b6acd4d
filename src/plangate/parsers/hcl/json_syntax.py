"""Terraform's JSON syntax (``*.tf.json``) to the syntax tree: strings are templates, ``//`` is a comment.

Without the provider's schema an object may be a nested block or an argument; it is read as an argument, but for the
blocks that the language itself has. What reads blocks takes either.

Source: https://developer.hashicorp.com/terraform/language/syntax/json
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NoReturn

from plangate.errors import PlanParseError
from plangate.model.plan import Location
from plangate.model.values import pointer
from plangate.parsers.base import Limits
from plangate.parsers.documents import read_json
from plangate.parsers.hcl.native_syntax import read_template
from plangate.parsers.hcl.native_text import MAX_NAME_CHARS
from plangate.parsers.hcl.syntax import Attribute, Block, Body, Expression, Literal, Object, Tuple
from plangate.parsers.hcl.values import ValueTooLargeError
from plangate.parsers.hcl.values import number as exact
from plangate.parsers.hcl.values import text as normal

_Schema = Mapping[str, tuple[int, str]]
"""Names of blocks: how many labels they have, and the schema of what is inside."""
_SCHEMAS: Final[Mapping[str, _Schema]] = MappingProxyType(
    {
        "file": {
            "action": (2, ""),
            "check": (1, "check"),
            "data": (2, "resource"),
            "ephemeral": (2, "resource"),
            "import": (0, ""),
            "locals": (0, ""),
            "module": (1, ""),
            "moved": (0, ""),
            "output": (1, ""),
            "provider": (1, ""),
            "removed": (0, "resource"),
            "resource": (2, "resource"),
            "terraform": (0, "terraform"),
            "variable": (1, "variable"),
        },
        "resource": {
            "connection": (0, ""),
            "dynamic": (1, "dynamic"),
            "lifecycle": (0, ""),
            "provisioner": (1, "resource"),
        },
        "check": {"data": (2, "resource")},
        "dynamic": {"content": (0, "resource")},
        "terraform": {"required_providers": (0, "")},
        "variable": {},
        "": {},
    }
)
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}:,]|\n|[^\s"\[\]{}:,]++', re.DOTALL)


def read_terraform_json(data: bytes, file: str, limits: Limits) -> Body:
    """One ``*.tf.json`` file.

    Raises:
        PlanParseError: Not JSON, or not of the shape that the language asks for; says where.
    """
    value, text = read_json(data, file, limits)
    reader = _Reader(file, _places(text), limits)
    return reader.body(value, "", "file")


def read_json_values(data: bytes, file: str, limits: Limits) -> Mapping[str, Attribute]:
    """The arguments of a ``*.tfvars.json`` file; its strings are plain text.

    Raises:
        PlanParseError: Not a JSON object.
    """
    value, text = read_json(data, file, limits)
    reader = _Reader(file, _places(text), limits)
    if not isinstance(value, dict):
        reader.refuse("", "expected an object of variables")
    return {
        name: Attribute(name, reader.plain(item), reader.place(pointer(name))) for name, item in value.items()
    }


class _Reader:
    """Reads one document.

    Args:
        file: Its name.
        places: Line and column of every member, by JSON Pointer.
        limits: For the templates inside.
    """

    def __init__(self, file: str, places: Mapping[str, tuple[int, int]], limits: Limits) -> None:
        self._file = file
        self._places = places
        self._limits = limits

    def body(self, value: Any, at: str, schema: str) -> Body:
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for item, where in self._objects(value, at):
            for name, inner in item.items():
                here = where + pointer(name)
                if name == "//":
                    continue
                known = _SCHEMAS[schema].get(name)
                if known is not None:
                    blocks += self._blocks(name, inner, here, known[0], known[1], ())
                elif name in attributes:
                    self.refuse(here, f"argument {name[:100]!r} is set twice")
                elif len(name) > MAX_NAME_CHARS:
                    self.refuse(where, f"a name of {len(name)} characters (limit: {MAX_NAME_CHARS})")
                else:
                    # A declaration of a variable is read where nothing is evaluated: a default is what stands there.
                    # What may be a nested block of a provider may have comments; any other object has members.
                    nested = schema in ("resource", "dynamic")
                    value = (
                        self.plain(inner)
                        if schema == "variable"
                        else self._expression(inner, here, comments=nested)
                    )
                    attributes[name] = Attribute(name, value, self.place(here))
        return Body(attributes, tuple(blocks))

    def _blocks(
        self, kind: str, value: Any, at: str, labels: int, schema: str, given: tuple[str, ...]
    ) -> Iterator[Block]:
        if labels:
            for item, where in self._objects(value, at):
                for name, inner in item.items():
                    if len(name) > MAX_NAME_CHARS:
                        self.refuse(where, f"a name of {len(name)} characters (limit: {MAX_NAME_CHARS})")
                    if name != "//":
                        here = where + pointer(name)
                        yield from self._blocks(kind, inner, here, labels - 1, schema, (*given, name))
            return
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._blocks(kind, item, f"{at}/{index}", 0, schema, given)
            return
        yield Block(kind, given, self.body(value, at, schema), self.place(at))

    def _objects(self, value: Any, at: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        """An object, or each object of a list."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._objects(item, f"{at}/{index}")
        elif isinstance(value, dict):
            yield value, at
        elif value is not None:
            self.refuse(at, "expected an object")

    def _expression(self, value: Any, at: str, *, comments: bool) -> Expression:
        if isinstance(value, str):
            return self._template(value, at)
        if isinstance(value, list):
            return Tuple(
                tuple(self._expression(item, f"{at}/{i}", comments=comments) for i, item in enumerate(value))
            )
        if isinstance(value, dict):
            items = [
                (self._template(key, at), self._expression(item, at + pointer(key), comments=comments))
                for key, item in value.items()
                if key != "//" or not comments
            ]
            return Object(tuple(items), self._at(at))
        return self._scalar(value)

    def plain(self, value: Any) -> Expression:
        if isinstance(value, list):
            return Tuple(tuple(self.plain(item) for item in value))
        if isinstance(value, dict):
            return Object(tuple((Literal(k), self.plain(v)) for k, v in value.items()), (0, 0))
        return self._scalar(value)

    def _scalar(self, value: Any) -> Literal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return Literal(normal(value) if isinstance(value, str) else value)
        try:
            return Literal(exact(value))
        except ValueTooLargeError as error:
            raise PlanParseError(self._file, "a number that is out of range") from error

    def _template(self, text: str, at: str) -> Expression:
        try:
            return read_template(normal(text), self._file, self._limits)
        except PlanParseError as error:
            line, column = self._at(at)
            raise PlanParseError(
                self._file, f"not a template: {error.problem}", at=f"line {line} column {column}"
            ) from error

    def _at(self, at: str) -> tuple[int, int]:
        return self._places.get(at, (1, 1))

    def place(self, at: str) -> Location:
        line, column = self._at(at)
        return Location(file=self._file, line=line, column=column)

    def refuse(self, at: str, problem: str) -> NoReturn:
        line, column = self._at(at)
        raise PlanParseError(self._file, problem, at=f"line {line} column {column}")


_MAX_POINTER_CHARS: Final = 64_000_000
"""Of all pointers of one document. Without a bound, long keys above many items would be quadratic."""


def _places(text: str) -> Mapping[str, tuple[int, int]]:
    """Line and column of every member's key and of every item, by JSON Pointer; the text is well-formed."""
    walk = _Walk()
    line, start = 1, 0
    for match in _TOKEN.finditer(text):
        lexeme = match.group()
        if lexeme == "\n":
            line, start = line + 1, match.end()
        elif lexeme != ":":
            walk.step(lexeme, (line, match.start() - start + 1))
    return walk.found


class _Walk:
    """Where one walk over a text is.

    Attributes:
        found: The places so far.
    """

    def __init__(self) -> None:
        self.found: dict[str, tuple[int, int]] = {}
        # For each open object or list: its pointer, and the index of its item or `None` in an object.
        self._open: list[tuple[str, int | None]] = []
        self._here = ""
        self._awaits_key = False
        self._left = _MAX_POINTER_CHARS

    def step(self, lexeme: str, at: tuple[int, int]) -> None:
        """Go on over a string, a word, a bracket or a comma."""
        if lexeme == ",":
            outer, index = self._open[-1]
            self._awaits_key = index is None
            if index is not None:
                self._open[-1] = outer, index + 1
                self._here = f"{outer}/{index + 1}"
        elif lexeme in "]}":
            self._here = self._open.pop()[0]
            self._awaits_key = False
        elif self._awaits_key:
            self._here = self._open[-1][0] + pointer(json.loads(lexeme))
            self._awaits_key = False
            self._note(at)
        else:
            self._note(at)
            if lexeme in "[{":
                self._open.append((self._here, 0 if lexeme == "[" else None))
                self._awaits_key = lexeme == "{"
                self._here += "/0" if lexeme == "[" else ""

    def _note(self, at: tuple[int, int]) -> None:
        self._left -= len(self._here)
        if self._left >= 0:
            self.found.setdefault(self._here, at)
