"""``regex``, ``regexall`` and the pattern form of ``replace``, in time linear in the text.

The matcher tries choices in order, as a backtracking one does, and so finds the same match and groups; but it never
enters one instruction at one place twice, since what failed there fails again. A call may take `MAX_STEPS` such
steps; one that needs more is unknown.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_base import MAX_TEXT_CHARS, TEXT, Function, check_size
from plangate.parsers.hcl.functions_regex_program import Instruction, Op, Program
from plangate.parsers.hcl.functions_regex_syntax import PatternError, UnsupportedPatternError, compile_pattern
from plangate.parsers.hcl.values import Value

MAX_STEPS: Final = 400_000
"""Instructions at places of the text, in one call: well under a second."""
_WORD: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
Groups = list[int | None]
"""Start and end of the match, then of each group."""


class _TooManyStepsError(Exception):
    """The budget is used up."""


class _Search:
    """A program and a text; the budget is shared by all matches."""

    def __init__(self, program: Program, text: str) -> None:
        self._code = program.code
        self._slots = 2 * len(program.names) + 2
        self._text = text
        self._steps = 0

    def all(self) -> Iterator[Groups]:
        """Every match from left to right. An empty one right after another does not count."""
        start, last_end = 0, -1
        while start <= len(self._text):
            found = self._first(start)
            if found is None:
                return
            begin, end = found[0] or 0, found[1] or 0
            if begin != end or begin != last_end:
                yield found
            last_end = end
            start = end if end > begin else end + 1

    def _first(self, start: int) -> Groups | None:
        """The leftmost match from a place on."""
        seen: set[tuple[int, int]] = set()
        for begin in range(start, len(self._text) + 1):
            if (found := self._match(begin, seen)) is not None:
                return found
        return None

    def _match(self, begin: int, seen: set[tuple[int, int]]) -> Groups | None:
        groups: Groups = [None] * self._slots
        groups[0] = begin
        # Either an instruction at a place, or (as a negative number) a slot to set back when its choice failed.
        todo: list[tuple[int, int | None]] = [(0, begin)]
        while todo:
            index, place = todo.pop()
            if index < 0:
                groups[-index] = place
                continue
            end = self._follow(index, place or 0, groups, todo, seen)
            if end is not None:
                groups[1] = end
                return groups
        return None

    def _follow(
        self,
        index: int,
        place: int,
        groups: Groups,
        todo: list[tuple[int, int | None]],
        seen: set[tuple[int, int]],
    ) -> int | None:
        """Go on until it matches (its end) or fails; choices that are left go to `todo`."""
        while (index, place) not in seen:
            seen.add((index, place))
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise _TooManyStepsError
            step = self._code[index]
            index += 1
            if step.op is Op.CHARACTER:
                if place >= len(self._text) or not step.characters.has(self._text[place]):
                    return None
                place += 1
            elif step.op is Op.SPLIT:
                todo.append((step.other, place))
                index = step.target
            elif step.op is Op.JUMP:
                index = step.target
            elif step.op is Op.SAVE:
                todo.append((-step.target, groups[step.target]))
                groups[step.target] = place
            elif step.op is Op.MATCH:
                return place
            elif not self._holds(step, place):
                return None
        return None

    def _holds(self, step: Instruction, place: int) -> bool:
        text = self._text
        match step.assertion:
            case "A":
                return place == 0
            case "z":
                return place == len(text)
            case "^":
                return place == 0 or text[place - 1] == "\n"
            case "$":
                return place == len(text) or text[place] == "\n"
        before = place > 0 and text[place - 1] in _WORD
        after = place < len(text) and text[place] in _WORD
        return (before is not after) is (step.assertion == "b")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Program | PatternError | UnsupportedPatternError:
    try:
        return compile_pattern(pattern)
    except (PatternError, UnsupportedPatternError) as error:
        return error


def _program(pattern: str) -> Program | None:
    """The program, or None if its meaning is not certain.

    Raises:
        PatternError: Not a pattern.
    """
    found = _compiled(pattern)
    if isinstance(found, PatternError):
        raise PatternError(str(found))
    return found if isinstance(found, Program) else None


def _captured(program: Program, text: str, groups: Groups) -> Value:
    """A match as Terraform gives it: the text, the groups as a tuple, or the named groups as an object."""
    if not program.names:
        return text[groups[0] : groups[1]]
    held = [
        None if groups[2 * i] is None else text[groups[2 * i] : groups[2 * i + 1]]
        for i in range(1, len(program.names) + 1)
    ]
    if any(program.names):
        return dict(zip(program.names, held, strict=True))
    return tuple(held)


def _check_names(program: Program) -> None:
    if any(program.names) and not all(program.names):
        raise PatternError("a pattern with both named and unnamed groups")


def _regex(pattern: str, text: str) -> Value:
    program = _program(pattern)
    if program is None:
        return UNKNOWN
    _check_names(program)
    try:
        groups = next(_Search(program, text).all(), None)
    except _TooManyStepsError:
        return UNKNOWN
    if groups is None:
        raise ValueError("pattern did not match any part of the given string")
    return _captured(program, text, groups)


def _regexall(pattern: str, text: str) -> Value:
    program = _program(pattern)
    if program is None:
        return UNKNOWN
    _check_names(program)
    try:
        return [_captured(program, text, groups) for groups in _Search(program, text).all()]
    except _TooManyStepsError:
        return UNKNOWN


def replace_pattern(text: str, pattern: str, replacement: str) -> Value:
    """The text with every match replaced; ``$1``, ``${1}`` and ``${name}`` in the replacement are groups.

    Raises:
        PatternError: Not a pattern.
        ValueTooLargeError: The result is too long.
    """
    program = _program(pattern)
    if program is None:
        return UNKNOWN
    template = list(_template(replacement, program.names))
    pieces: list[str] = []
    size = last = 0
    try:
        for groups in _Search(program, text).all():
            begin, end = groups[0] or 0, groups[1] or 0
            made = [text[last:begin], *(_filled(part, text, groups) for part in template)]
            size += sum(map(len, made))
            check_size(size, MAX_TEXT_CHARS)
            pieces += made
            last = end
    except _TooManyStepsError:
        return UNKNOWN
    return "".join(pieces) + text[last:]


def _filled(part: str | int, text: str, groups: Groups) -> str:
    if isinstance(part, str):
        return part
    if groups[2 * part] is None:
        return ""
    return text[groups[2 * part] : groups[2 * part + 1]]


def _template(replacement: str, names: tuple[str, ...]) -> Iterator[str | int]:
    """Texts and group numbers. A name takes as many letters, digits and underscores as there are."""
    rest = replacement
    while rest:
        before, sign, rest = rest.partition("$")
        yield before
        if not sign:
            return
        if rest.startswith("$"):
            yield "$"
            rest = rest[1:]
            continue
        braced = rest.startswith("{")
        body = rest[1:] if braced else rest
        length = next((i for i, c in enumerate(body) if not (c.isalnum() or c == "_")), len(body))
        name, after = body[:length], body[length:]
        if not name or (braced and not after.startswith("}")):
            yield "$"
            continue
        rest = after[1:] if braced else after
        if name.isascii() and name.isdecimal():
            if len(name) <= len(str(len(names))) and int(name) <= len(names):
                yield int(name)
        elif name in names:
            yield names.index(name) + 1


FUNCTIONS: Final = (
    Function(name="regex", run=_regex, parameters=(TEXT, TEXT)),
    Function(name="regexall", run=_regexall, parameters=(TEXT, TEXT)),
)
