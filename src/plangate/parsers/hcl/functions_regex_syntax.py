"""Regular expressions as Terraform reads them (RE2), compiled into a small program.

Python's own ``re`` is not used: its syntax and meaning differ in places, and on some patterns it needs exponential
time. What this reader does not know for certain is refused with `UnsupportedPatternError`, and the answer is then
unknown; `PatternError` is for what Terraform refuses too.

Source: https://developer.hashicorp.com/terraform/language/functions/regex and https://pkg.go.dev/regexp/syntax
"""

import re
from typing import Final

from plangate.parsers.hcl.functions_regex_classes import (
    LAST_CODE_POINT,
    PERL,
    POSIX,
    CharacterSet,
    Ranges,
    complement,
    folded,
)
from plangate.parsers.hcl.functions_regex_program import MAX_PROGRAM, Instruction, Node, Op, Program, Writer

MAX_PATTERN_CHARS: Final = 5_000
MAX_REPEAT: Final = 1_000
MAX_GROUP_DEPTH: Final = 100
_SINGLE: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_REPEAT: Final = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}")
_POSIX_NAME: Final = re.compile(r"\[:(\^?)([a-z]{1,8}):\]")
_PROPERTY: Final = re.compile(r"(?:([A-Z])|\{(\^?)([A-Z][a-z]?)\})")
_HEX: Final = re.compile(r"([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\}")
_NAME: Final = re.compile(r"P?<([A-Za-z0-9_]{1,100})>")
_FLAGS: Final = re.compile(r"([imsU]*)(?:-([imsU]+))?([:)])")


class PatternError(ValueError):
    """No pattern in Terraform either."""


class UnsupportedPatternError(Exception):
    """A pattern whose meaning is not certain here, or one that is too large."""


def compile_pattern(pattern: str) -> Program:
    """The program of a pattern.

    Raises:
        PatternError: It is none.
        UnsupportedPatternError: Its meaning is not certain here, or it is too large.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        raise UnsupportedPatternError("a long pattern")
    reader = _PatternReader(pattern)
    tree = reader.whole()
    if tree.size > MAX_PROGRAM:
        raise UnsupportedPatternError("a large pattern")
    writer = Writer()
    writer.write(tree)
    writer.code.append(Instruction(Op.MATCH))
    return Program(tuple(writer.code), tuple(reader.names))


class _PatternReader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._flags: frozenset[str] = frozenset()
        self._depth = 0
        self.names: list[str] = []

    def whole(self) -> Node:
        tree = self._alternatives()
        if self._at < len(self._text):
            raise PatternError("invalid regular expression pattern: unexpected )")
        return tree

    def _ahead(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self) -> str:
        if self._at >= len(self._text):
            raise PatternError("invalid regular expression pattern: it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _alternatives(self) -> Node:
        branches = [self._sequence()]
        while self._ahead("|"):
            self._at += 1
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        return Node("alt", branches, size=sum(branch.size + 2 for branch in branches))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            if self._ahead(r"\Q"):
                end = self._text.find(r"\E", self._at)
                quoted = self._text[self._at + 2 : end if end >= 0 else None]
                self._at = end + 2 if end >= 0 else len(self._text)
                parts.extend(self._literal(character) for character in quoted)
                if not quoted:
                    continue
            else:
                atom = self._atom()
                if atom is None:
                    continue
                parts.append(atom)
            parts[-1] = self._repeated(parts[-1])
        return Node("cat", parts, size=1 + sum(part.size for part in parts))

    def _repeated(self, node: Node) -> Node:
        times = 0
        while (bounds := self._bounds()) is not None:
            times += 1
            if times > 1:
                raise PatternError("invalid regular expression pattern: invalid nested repetition operator")
            least, most = bounds
            lazy = self._ahead("?")
            self._at += lazy
            copies = max(least, most or 0, 1) + (most is None)
            node = Node(
                "repeat",
                [node],
                least=least,
                most=most,
                greedy=lazy is ("U" in self._flags),
                size=1 + copies * (node.size + 2),
            )
            if node.size > MAX_PROGRAM:
                raise UnsupportedPatternError("a large pattern")
        return node

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._ahead(sign):
                self._at += 1
                return bounds
        match = _REPEAT.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        least = int(match[1])
        most = int(match[3]) if match[3] else None if match[2] else least
        if least > MAX_REPEAT or (most is not None and not least <= most <= MAX_REPEAT):
            raise PatternError("invalid regular expression pattern: invalid repeat count")
        return least, most

    def _atom(self) -> Node | None:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        if character == ".":
            return Node(
                "set",
                characters=CharacterSet(() if "s" in self._flags else ((10, 10),), negated=True),
            )
        if character in "^$":
            line = "m" in self._flags
            return Node("assert", text=character if line else "A" if character == "^" else "z")
        if character in "*+?":
            raise PatternError("invalid regular expression pattern: missing argument to repetition operator")
        if character == "{" and _REPEAT.match(self._text, self._at - 1):
            raise PatternError("invalid regular expression pattern: missing argument to repetition operator")
        return self._literal(character)

    def _literal(self, character: str) -> Node:
        return Node("set", characters=CharacterSet(self._folded(((ord(character), ord(character)),))))

    def _folded(self, ranges: Ranges) -> Ranges:
        """The ranges with the other case, where case does not count."""
        if "i" not in self._flags:
            return ranges
        found = folded(ranges)
        if found is None:
            raise UnsupportedPatternError("case folding beyond ASCII")
        return found

    def _group(self) -> Node | None:
        self._depth += 1
        if self._depth > MAX_GROUP_DEPTH:
            raise UnsupportedPatternError("deeply nested groups")
        before, index = self._flags, 0
        if self._ahead("?"):
            self._at += 1
            if name := _NAME.match(self._text, self._at):
                self._at = name.end()
                if name[1] in self.names:
                    raise PatternError("invalid regular expression pattern: duplicate capture group name")
                self.names.append(name[1])
                index = len(self.names)
            else:
                match = _FLAGS.match(self._text, self._at)
                if match is None:
                    raise PatternError("invalid regular expression pattern: invalid or unsupported syntax (?")
                self._at = match.end()
                self._flags = (before | set(match[1])) - set(match[2] or "")
                if match[3] == ")":
                    self._depth -= 1
                    return None
        else:
            self.names.append("")
            index = len(self.names)
        inner = self._alternatives()
        if not self._ahead(")"):
            raise PatternError("invalid regular expression pattern: missing closing )")
        self._at += 1
        self._flags = before
        self._depth -= 1
        return Node("group", [inner], index=index, size=inner.size + 2) if index else inner

    def _escape(self) -> Node:
        character = self._take()
        if character in "AzbB":
            return Node("assert", text=character)
        found = self._escaped(character)
        return Node("set", characters=found)

    def _escaped(self, character: str) -> CharacterSet:
        """The characters that an escape stands for, in a class or out of it."""
        if character.lower() in PERL:
            ranges = PERL[character.lower()]
            if "i" in self._flags and character.lower() == "w":
                ranges = self._folded(ranges)
            return CharacterSet(ranges, negated=character.isupper())
        if character in "pP":
            match = _PROPERTY.match(self._text, self._at)
            if match is None or "i" in self._flags:
                raise UnsupportedPatternError("a Unicode class")
            self._at = match.end()
            name = match[1] or match[3]
            if name[0] not in "CLMNPSZ" or name == "C":
                raise UnsupportedPatternError("a Unicode class")
            return CharacterSet(categories=((name, (character == "P") is not bool(match[2])),))
        code = self._code_point(character)
        return CharacterSet(self._folded(((code, code),)))

    def _code_point(self, character: str) -> int:
        """The one character that an escape stands for."""
        if character == "x":
            match = _HEX.match(self._text, self._at)
            if match and int(match[1] or match[2], 16) <= LAST_CODE_POINT:
                self._at = match.end()
                return int(match[1] or match[2], 16)
        elif character in _SINGLE:
            return _SINGLE[character]
        elif character.isascii() and not character.isalnum():
            return ord(character)
        elif character == "0" or (character.isdecimal() and self._text[self._at : self._at + 1].isdecimal()):
            raise UnsupportedPatternError("an octal escape")
        raise PatternError("invalid regular expression pattern: invalid escape sequence")

    def _class(self) -> Node:
        negated = self._ahead("^")
        self._at += negated
        ranges: list[tuple[int, int]] = []
        categories: list[tuple[str, bool]] = []
        first = True
        while first or not self._ahead("]"):
            first = False
            if match := _POSIX_NAME.match(self._text, self._at):
                if match[2] not in POSIX:
                    raise PatternError("invalid regular expression pattern: invalid character class range")
                self._at = match.end()
                chosen = self._folded(POSIX[match[2]])
                ranges += complement(chosen) if match[1] else chosen
                continue
            low = self._class_member()
            if low.categories:
                categories += low.categories
                continue
            if len(low.ranges) != 1 or low.ranges[0][0] != low.ranges[0][1] or low.negated:
                ranges += complement(low.ranges) if low.negated else low.ranges
                continue
            start = end = low.ranges[0][0]
            if self._ahead("-") and not self._ahead("-]"):
                self._at += 1
                high = self._class_member()
                if len(high.ranges) != 1 or high.ranges[0][0] != high.ranges[0][1] or high.negated:
                    raise PatternError("invalid regular expression pattern: invalid character class range")
                end = high.ranges[0][0]
                if end < start:
                    raise PatternError("invalid regular expression pattern: invalid character class range")
            ranges += self._folded(((start, end),))
        self._at += 1
        return Node("set", characters=CharacterSet(tuple(ranges), tuple(categories), negated))

    def _class_member(self) -> CharacterSet:
        character = self._take()
        if character != "\\":
            return CharacterSet(((ord(character), ord(character)),))
        flags, self._flags = self._flags, self._flags - {"i"}
        following = self._take()
        if following in "pPdDwWsS" and "i" in flags:
            self._flags = flags
        found = self._escaped(following)
        self._flags = flags
        return found
