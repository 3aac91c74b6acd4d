"""What a pattern is compiled into: instructions that say what comes next, and in which order choices are tried."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from msgspec import Struct, field

from plangate.parsers.hcl.functions_regex_classes import NO_CHARACTERS, CharacterSet

MAX_PROGRAM: Final = 20_000
"""Instructions."""


class Op(Enum):
    """What an instruction does."""

    CHARACTER = auto()
    SPLIT = auto()
    JUMP = auto()
    SAVE = auto()
    ASSERT = auto()
    MATCH = auto()


class Instruction(Struct, frozen=True):
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
    characters: CharacterSet = NO_CHARACTERS
    assertion: str = ""


class Program(Struct, frozen=True):
    """A compiled pattern; ``names[i]`` is the name of group i + 1, or empty."""

    code: tuple[Instruction, ...]
    names: tuple[str, ...]


class Node(Struct):
    """Syntax: ``set``, ``assert``, ``group``, ``cat``, ``alt``, ``repeat``."""

    kind: str
    parts: list["Node"] = field(default_factory=list)
    characters: CharacterSet = NO_CHARACTERS
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


class Writer:
    """Writes the instructions of a syntax tree."""

    def __init__(self) -> None:
        self.code: list[Instruction] = []

    def write(self, node: Node) -> None:
        """Append the instructions of a node."""
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

    def _alternatives(self, branches: list[Node]) -> None:
        jumps = []
        for branch in branches[:-1]:
            split = self._reserve()
            self.write(branch)
            jumps.append(self._reserve())
            self.code[split] = Instruction(Op.SPLIT, split + 1, len(self.code))
        self.write(branches[-1])
        for jump in jumps:
            self.code[jump] = Instruction(Op.JUMP, len(self.code))

    def _repeat(self, node: Node) -> None:
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

    def _plus(self, inner: Node, *, greedy: bool) -> None:
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
