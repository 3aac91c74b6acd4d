"""The documents as programs: their blocks in order, and whether a command said what they say it says.

- ``console`` blocks are run line by line in one folder per document: ``$ `` starts a command, the rest is what it
  prints, on both streams. ``...`` stands for any text within a line, and on a line of its own for any lines.
- ``<!-- file: NAME -->`` before a block writes it to a file.
- ``<!-- run: COMMAND -->`` is run without being shown, and has to succeed.
- ``<!-- skip: REASON -->`` before a block leaves it out.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_PIECE = re.compile(
    r"^<!-- (?P<word>file|run|skip): (?P<what>.+?) -->$"
    r"|^```(?P<language>[a-z]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(Struct, frozen=True):
    """A code block, with the instruction that stands right before it."""

    line: int
    language: str
    text: str
    word: str = ""
    what: str = ""


def blocks(text: str) -> Iterator[Block]:
    """Every code block and every hidden command (``language`` is then ``run``), in order."""
    word, what = "", ""
    for piece in _PIECE.finditer(text):
        line = text.count("\n", 0, piece.start()) + 1
        if piece["word"] == "run":
            yield Block(line, "run", piece["what"])
        elif piece["word"]:
            word, what = piece["word"], piece["what"]
        else:
            yield Block(line, piece["language"], piece["text"], word, what)
            word, what = "", ""


class Step(Struct, frozen=True):
    """One command of a ``console`` block, and what it is said to print."""

    line: int
    command: str
    expected: str


def steps(block: Block) -> list[Step]:
    """The commands of a block, in order."""
    found: list[Step] = []
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        if line.startswith("$ "):
            found.append(Step(number, line[2:], ""))
        else:
            last = found.pop()
            found.append(Step(last.line, last.command, f"{last.expected}{line}\n"))
    return found


def pattern(expected: str) -> re.Pattern[str]:
    """What the output has to match as a whole."""
    lines = []
    for line in expected.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(r".*?".join(map(re.escape, line.split("..."))) + r"\n")
    return re.compile("".join(lines))


class Session:
    """A shell in a folder: it remembers where it is and how the last command ended."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env
        self.code = 0

    def run(self, command: str) -> str:
        """What a command prints on both streams."""
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.code})\n{command}"],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        self.code = done.returncode
        return done.stdout
