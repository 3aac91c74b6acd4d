"""Mutants that are known to survive, each with a reason: a ``# SURVIVORS`` block in the policy's test file.

YAML in comments, as METADATA is. An entry that explains no survivor any more is an error: it would hide the next one.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from plangate.authoring.mutation.operators import Mutant, Operator
from plangate.errors import PolicyLoadError
from plangate.policy import strict_yaml

HEADING: Final = "# SURVIVORS"
_FIELDS: Final = frozenset({"operator", "line", "becomes", "reason", "mutants"})
_REQUIRED: Final = ("operator", "line", "reason")


class Explained(Struct, frozen=True, kw_only=True):
    """One entry: which survivors, and why no test can or need notice them.

    Attributes:
        operator: Theirs.
        line: The policy's line that they change, without the white space around it.
        becomes: The line as the mutant has it; empty for all mutants of this operator on this line.
        reason: For people.
        mutants: How many survivors these are.
        file: The test file that says so.
        at: The line of the block there.
    """

    operator: Operator
    line: str
    becomes: str
    reason: str
    mutants: int
    file: str
    at: int

    def covers(self, mutant: Mutant, text: str) -> bool:
        """Whether this is about a mutant.

        Args:
            mutant: Of the policy that the test file is about.
            text: That policy, unchanged.
        """
        return (
            mutant.operator == self.operator
            and self.line == line_of(text, mutant.line)
            and self.becomes in {"", line_of(mutant.apply(text), mutant.line)}
        )


def line_of(text: str, number: int) -> str:
    """A line of a text without the white space around it; lines count from 1."""
    return text.split("\n")[number - 1].strip()


def read_survivors(file: str, text: str) -> tuple[Explained, ...]:
    """The entries of a test file; none if it has no such block.

    Raises:
        PolicyLoadError: Two blocks, or one that is not a list of whole entries.
    """
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if line.strip() == HEADING]
    if not starts:
        return ()
    if len(starts) > 1:
        raise PolicyLoadError(file, f"two blocks {HEADING}", line=starts[1] + 1)
    at = starts[0] + 1
    block: list[str] = []
    for line in lines[at:]:
        if not line.startswith("#"):
            break
        block.append(line[1:])
    try:
        entries = strict_yaml.parse("\n".join(block))
    except strict_yaml.StrictYamlError as problem:
        raise PolicyLoadError(file, f"{HEADING} is not YAML: {problem}", line=at + problem.line) from problem
    if not isinstance(entries, list) or not entries:
        raise PolicyLoadError(file, f"{HEADING} must be a list of {{{', '.join(_REQUIRED)}}}", line=at)
    return tuple(_entry(file, at, entry) for entry in entries)


def _entry(file: str, at: int, entry: Any) -> Explained:
    problem = _problem(entry)
    if problem:
        raise PolicyLoadError(file, f"{HEADING}: {problem}", line=at)
    return Explained(
        operator=Operator(entry["operator"]),
        line=entry["line"].strip(),
        becomes=entry.get("becomes", "").strip(),
        reason=" ".join(entry["reason"].split()),
        mutants=entry.get("mutants", 1),
        file=file,
        at=at,
    )


def _problem(entry: Any) -> str:  # noqa: PLR0911 - one line per thing that can be wrong
    if not isinstance(entry, dict):
        return "an entry must be a mapping"
    for name in entry:
        if name not in _FIELDS:
            return f'unknown field "{name}" (known: {", ".join(sorted(_FIELDS))})'
    for name in _REQUIRED:
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            return f'"{name}" must be a text that is not empty'
    if entry["operator"] not in tuple(Operator):
        return f'unknown operator "{entry["operator"]}" (known: {", ".join(Operator)})'
    if not isinstance(entry.get("becomes", ""), str):
        return '"becomes" must be a text'
    count = entry.get("mutants", 1)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        return '"mutants" must be a whole number above 0'
    return ""


def stale(explained: Explained, survivors: Sequence[Mutant], text: str) -> str:
    """What is wrong with an entry now that all mutants were tried, or an empty string.

    Args:
        explained: The entry.
        survivors: The mutants of its policy that survived.
        text: That policy, unchanged.
    """
    found = sum(explained.covers(mutant, text) for mutant in survivors)
    if found == explained.mutants:
        return ""
    what = f"{explained.operator} on `{explained.line}`"
    if not found:
        return f"no mutant survives by {what}: take the entry out"
    return f"{found} mutants survive by {what}, and the entry explains {explained.mutants}"
