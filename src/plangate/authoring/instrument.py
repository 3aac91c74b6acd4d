"""Lines put into the text of a module before other lines, so that a run tells what it meets there.

What is put in stands on the line that it belongs to: all line numbers stay as they are.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from plangate.policy.syntax import Module, Statement

MARK: Final = f"plangate {secrets.token_hex(16)} "
"""What a line printed by us begins with. A test cannot know it, so it cannot say it either."""

SEEN: Final = f"plangate {secrets.token_hex(16)} "
"""Likewise, for what rules were seen to give."""

_COMMENT: Final = re.compile(rb"#[^\n]*")


class Instrumented:
    """One module's text with more lines in it."""

    def __init__(self, module: Module) -> None:
        self._source = module.encoded
        self._inserted: dict[int, list[str]] = {}
        self._closed: list[int] = []
        self._alone: dict[int, Statement] = {}
        for rule in module.rules:
            for body in rule.bodies:
                if body.query and b"{" not in _COMMENT.sub(
                    b"", self._source[body.start : body.query[0].start]
                ):
                    # `test_x if line` without brackets holds one line only.
                    self._alone[id(body.query[0])] = body.query[0]

    def before(self, statement: Statement, line: str) -> None:
        """Put a line before a statement of any body of the module."""
        lines = self._inserted.setdefault(statement.start, [])
        if not lines and id(statement) in self._alone:
            lines.append("{ ")
            self._closed.append(statement.end)
        lines.append(f"{line}; ")

    def text(self) -> str:
        """The whole text."""
        edits = [(at, 0, "".join(lines)) for at, lines in self._inserted.items()]
        edits += [(at, 1, " }") for at in self._closed]
        content = self._source
        for at, _, what in sorted(edits, reverse=True):
            content = content[:at] + what.encode() + content[at:]
        return content.decode()


def modifiers(module: Module, statement: Statement) -> str:
    """The ``with …`` of a statement as it is written, with a space before it; empty without one."""
    if not statement.mods:
        return ""
    first = statement.mods[0][0].start
    start = module.encoded.rindex(b"with", 0, first)
    return " " + module.encoded[start : statement.end].decode()


def with_texts(modules: Iterable[tuple[str, str]], texts: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The modules with other texts for some of them."""
    return tuple((name, texts.get(name, text)) for name, text in modules)


def own_print(line: str, mark: str = MARK) -> str | None:
    """What a line said that we put in, without its mark and place; ``None`` for a line with another mark or none."""
    _, found, said = line.partition(mark)
    return said if found else None
