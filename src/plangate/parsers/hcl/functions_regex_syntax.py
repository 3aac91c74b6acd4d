"""Regular expressions as Terraform reads them (RE2), compiled into a small program.

Python's own ``re`` is not used: its syntax and meaning differ in places, and on some patterns it needs exponential
time. What this reader does not know for certain is refused with `UnsupportedPatternError`, and the answer is then
unknown; `PatternError` is for what Terraform refuses too.

Source: https://developer.hashicorp.com/terraform/language/functions/regex and https://pkg.go.dev/regexp/syntax
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

MAX_PATTERN_CHARS: Final = 5_000
MAX_PROGRAM: Final = 20_000
MAX_REPEAT: Final = 1_000
MAX_GROUP_DEPTH: Final = 100
_LAST: Final = 0x10FFFF
_FOLDS_BEYOND_ASCII: Final = {"k": 0x212A, "s": 0x17F}
_PERL: Final = {
    "d": ((0x30, 0x39),),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "s": ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)),
}
_POSIX: Final = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "digit": ((0x30, 0x39),),
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": ((0x41, 0x5A),),
    "word": _PERL["w"],
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}
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


class Op(Enum):
    """What an instruction does."""

    CHARACTER = auto()
    SPLIT = auto()
    JUMP = auto()
    SAVE = auto()
    ASSERT = auto()
    MATCH = auto()


Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """Characters: code points, Unicode categories (by prefix, with whether that is negated), all maybe negated."""

    ranges: Ranges = ()
    categories: tuple[tuple[str, bool], ...] = ()
    negated: bool = False

    def has(self, character: str) -> bool:
        """Whether the character is one of these."""
        code = ord(character)
        found = any(first <= code <= last for first, last in self.ranges) or any(
            unicodedata.category(character).startswith(name) is not negated
            for name, negated in self.categories
        )
        return found is not self.negated


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step.

    Attributes:
        op: What it does.
        target: Of a jump; the first choice of a split; the slot of a save.
        other: The second choice of a split.
        characters: What a character must be one of.
        assertion: ``^``, ``$`` (lines), ``A``, ``z`` (text), ``b`` or ``B``.
    """

    op: Op
    target: int = 0
    other: int = 0
    characters: CharacterSet = CharacterSet()
    assertion: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled pattern; ``names[i]`` is the name of group i + 1, or empty."""

    code: tuple[Instruction, ...]
    names: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """Syntax: ``set``, ``assert``, ``group``, ``cat``, ``alt``, ``repeat``."""

    kind: str
    parts: list["_Node"] = field(default_factory=list)
    characters: CharacterSet = CharacterSet()
    text: str = ""
    index: int = 0
    least: int = 0
    most: int | None = 0
    greedy: bool = True
    size: int = 1

    @property
    def nullable(self) -> bool:
        """It can match the empty text."""
        if self.kind == "repeat":
            return not self.least or self.parts[0].nullable
        if self.kind == "alt":
            return any(part.nullable for part in self.parts)
        return self.kind == "assert" or (self.kind != "set" and all(part.nullable for part in self.parts))


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
    writer = _Writer()
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

    def whole(self) -> _Node:
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

    def _alternatives(self) -> _Node:
        branches = [self._sequence()]
        while self._ahead("|"):
            self._at += 1
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        return _Node("alt", branches, size=sum(branch.size + 2 for branch in branches))

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
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
        return _Node("cat", parts, size=1 + sum(part.size for part in parts))

    def _repeated(self, node: _Node) -> _Node:
        times = 0
        while (bounds := self._bounds()) is not None:
            times += 1
            if times > 1:
                raise PatternError("invalid regular expression pattern: invalid nested repetition operator")
            least, most = bounds
            lazy = self._ahead("?")
            self._at += lazy
            copies = max(least, most or 0, 1) + (most is None)
            node = _Node(
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

    def _atom(self) -> _Node | None:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        if character == ".":
            return _Node(
                "set",
                characters=CharacterSet(() if "s" in self._flags else ((10, 10),), negated=True),
            )
        if character in "^$":
            line = "m" in self._flags
            return _Node("assert", text=character if line else "A" if character == "^" else "z")
        if character in "*+?":
            raise PatternError("invalid regular expression pattern: missing argument to repetition operator")
        if character == "{" and _REPEAT.match(self._text, self._at - 1):
            raise PatternError("invalid regular expression pattern: missing argument to repetition operator")
        return self._literal(character)

    def _literal(self, character: str) -> _Node:
        return _Node("set", characters=CharacterSet(self._folded(((ord(character), ord(character)),))))

    def _folded(self, ranges: Ranges) -> Ranges:
        """The ranges with the other case, where case does not count."""
        if "i" not in self._flags:
            return ranges
        if any(last > 0x7F for _, last in ranges):
            raise UnsupportedPatternError("case folding beyond ASCII")
        found = list(ranges)
        for upper in range(0x41, 0x5B):
            lower = upper + 0x20
            if any(first <= upper <= last or first <= lower <= last for first, last in ranges):
                found += [(upper, upper), (lower, lower)]
                if beyond := _FOLDS_BEYOND_ASCII.get(chr(lower)):
                    found.append((beyond, beyond))
        return tuple(found)

    def _group(self) -> _Node | None:
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
        return _Node("group", [inner], index=index, size=inner.size + 2) if index else inner

    def _escape(self) -> _Node:
        character = self._take()
        if character in "AzbB":
            return _Node("assert", text=character)
        found = self._escaped(character)
        return _Node("set", characters=found)

    def _escaped(self, character: str) -> CharacterSet:
        """The characters that an escape stands for, in a class or out of it."""
        if character.lower() in _PERL:
            ranges = _PERL[character.lower()]
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
        if character == "x":
            match = _HEX.match(self._text, self._at)
            if match is None or int(match[1] or match[2], 16) > _LAST:
                raise PatternError("invalid regular expression pattern: invalid escape sequence")
            self._at = match.end()
            code = int(match[1] or match[2], 16)
        elif character in _SINGLE:
            code = _SINGLE[character]
        elif character.isascii() and not character.isalnum():
            code = ord(character)
        elif character == "0":
            raise UnsupportedPatternError("an octal escape")
        elif character in "123456789":
            if self._text[self._at : self._at + 1].isdecimal():
                raise UnsupportedPatternError("an octal escape")
            raise PatternError("invalid regular expression pattern: invalid escape sequence")
        else:
            raise PatternError("invalid regular expression pattern: invalid escape sequence")
        return CharacterSet(self._folded(((code, code),)))

    def _class(self) -> _Node:
        negated = self._ahead("^")
        self._at += negated
        ranges: list[tuple[int, int]] = []
        categories: list[tuple[str, bool]] = []
        first = True
        while first or not self._ahead("]"):
            first = False
            if match := _POSIX_NAME.match(self._text, self._at):
                if match[2] not in _POSIX:
                    raise PatternError("invalid regular expression pattern: invalid character class range")
                self._at = match.end()
                chosen = self._folded(_POSIX[match[2]])
                ranges += _complement(chosen) if match[1] else chosen
                continue
            low = self._class_member()
            if low.categories:
                categories += low.categories
                continue
            if len(low.ranges) != 1 or low.ranges[0][0] != low.ranges[0][1] or low.negated:
                ranges += _complement(low.ranges) if low.negated else low.ranges
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
        return _Node("set", characters=CharacterSet(tuple(ranges), tuple(categories), negated))

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


def _complement(ranges: Ranges) -> list[tuple[int, int]]:
    found, start = [], 0
    for first, last in sorted(ranges):
        if first > start:
            found.append((start, first - 1))
        start = max(start, last + 1)
    if start <= _LAST:
        found.append((start, _LAST))
    return found


class _Writer:
    """Writes the instructions of a syntax tree."""

    def __init__(self) -> None:
        self.code: list[Instruction] = []

    def write(self, node: _Node) -> None:
        if node.kind == "set":
            self.code.append(Instruction(Op.CHARACTER, characters=node.characters))
        elif node.kind == "assert":
            self.code.append(Instruction(Op.ASSERT, assertion=node.text))
        elif node.kind == "group":
            self.code.append(Instruction(Op.SAVE, 2 * node.index))
            self.write(node.parts[0])
            self.code.append(Instruction(Op.SAVE, 2 * node.index + 1))
        elif node.kind == "cat":
            for part in node.parts:
                self.write(part)
        elif node.kind == "alt":
            self._alternatives(node.parts)
        else:
            self._repeat(node)

    def _alternatives(self, branches: list[_Node]) -> None:
        jumps = []
        for branch in branches[:-1]:
            split = self._reserve()
            self.write(branch)
            jumps.append(self._reserve())
            self.code[split] = Instruction(Op.SPLIT, split + 1, len(self.code))
        self.write(branches[-1])
        for jump in jumps:
            self.code[jump] = Instruction(Op.JUMP, len(self.code))

    def _repeat(self, node: _Node) -> None:
        inner = node.parts[0]
        for _ in range(node.least - (node.most is None and node.least > 0)):
            self.write(inner)
        if node.most is None:
            # A star over what may be empty is "once or more, or not at all": that decides what its groups hold.
            if node.least:
                self._plus(inner, greedy=node.greedy)
            elif inner.nullable:
                self._optional(lambda: self._plus(inner, greedy=node.greedy), greedy=node.greedy)
            else:
                start = self._reserve()
                self.write(inner)
                self.code.append(Instruction(Op.JUMP, start))
                self._choose(start, greedy=node.greedy)
            return
        splits = []
        for _ in range(node.most - node.least):
            splits.append(self._reserve())
            self.write(inner)
        for split in splits:
            self._choose(split, greedy=node.greedy)

    def _plus(self, inner: _Node, *, greedy: bool) -> None:
        start = len(self.code)
        self.write(inner)
        after = len(self.code) + 1
        self.code.append(
            Instruction(Op.SPLIT, start, after) if greedy else Instruction(Op.SPLIT, after, start)
        )

    def _optional(self, write: Callable[[], None], *, greedy: bool) -> None:
        split = self._reserve()
        write()
        self._choose(split, greedy=greedy)

    def _choose(self, split: int, *, greedy: bool) -> None:
        """Go on after the split, or past everything that is written so far."""
        inside, past = split + 1, len(self.code)
        self.code[split] = Instruction(Op.SPLIT, *((inside, past) if greedy else (past, inside)))

    def _reserve(self) -> int:
        self.code.append(Instruction(Op.MATCH))
        return len(self.code) - 1
