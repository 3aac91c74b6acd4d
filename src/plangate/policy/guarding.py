"""Modules as the embedded engine gets them: with a guard around what is calculated with.

The texts are changed, never the lines: a guard stands on the line of what it guards. Where they go is found by
`plangate.policy.guard_edits`, and known already for the shipped policies.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from plangate.policy.exactness import GUARDS, GUARDS_PACKAGE
from plangate.policy.index import known_edits
from plangate.policy.letters import has_odd_letters, makes_letters

IN_REGO: Final = frozenset({"chars", "difference"})
"""Guards that are functions in Rego."""
OF_LETTERS: Final = frozenset({"cased", "chars"})
"""Guards that are needed only where there are odd letters (`plangate.policy.letters`)."""


class Edit(Struct, frozen=True, kw_only=True, array_like=True):
    """A guard around the bytes from ``start`` to ``end``; with the kind ``%v``, the letter of a verb to replace."""

    start: int
    end: int
    kind: str


class Guarded(Struct, frozen=True, kw_only=True):
    """Modules for the engine.

    Attributes:
        modules: ``(file name, text)``; with the guards for all but odd letters.
        lettered: The same with those for odd letters too.
        odd: The modules have odd letters themselves, or can make some.
        places: What the numbers in the guards stand for: ``file:line:column``.
        shifts: File to how far each line's columns have moved, without and with the guards for odd letters.
    """

    modules: tuple[tuple[str, str], ...]
    lettered: tuple[tuple[str, str], ...]
    odd: bool
    places: tuple[str, ...]
    shifts: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]

    def setup(self) -> dict[str, Any]:
        """What a worker is told of it."""
        return {
            "modules": self.lettered if self.odd else self.modules,
            "lettered": () if self.odd or self.lettered == self.modules else self.lettered,
            "places": self.places,
            "shifts": {name: both[self.odd] for name, both in self.shifts.items()},
            "lettered_shifts": {name: both[True] for name, both in self.shifts.items()},
        }


def guarded(modules: Sequence[tuple[str, str]], data: Mapping[str, Any], *, rego_v0: bool = False) -> Guarded:
    """The modules with their guards.

    Args:
        modules: ``(file name, text)`` of all that are evaluated.
        data: What is below ``data``.
        rego_v0: They are written in Rego v0.

    Raises:
        PolicyLoadError: One of them cannot be read, or not be guarded.
    """
    texts = tuple(text for _, text in modules)
    edits = [known_edits(text) for text in texts]
    if any(known is None for known in edits):
        # The parser and what reads its tree take longer to import than the shipped policies take to load.
        from plangate.policy.guard_edits import module_edits  # noqa: PLC0415

        edits = list(module_edits(modules, rego_v0=rego_v0))
    places: list[str] = []
    plain, lettered = [], []
    shifts: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for (name, text), found in zip(modules, edits, strict=True):
        every = tuple(Edit(start=start, end=end, kind=kind) for start, end, kind in found or ())
        some = tuple(edit for edit in every if edit.kind not in OF_LETTERS)
        first = len(places)
        places += (_place(name, text, edit) for edit in every)
        numbers = {edit: first + number for number, edit in enumerate(every)}
        lettered.append((name, edited(text, every, numbers)))
        plain.append((name, edited(text, some, numbers)) if some != every else lettered[-1])
        shifts[name] = _shifts(text, some, numbers), _shifts(text, every, numbers)
    own = ((f"{GUARDS_PACKAGE}.rego", GUARDS),) if places else ()
    return Guarded(
        modules=(*plain, *own) if plain != list(modules) else tuple(modules),
        lettered=(*lettered, *own) if lettered != list(modules) else tuple(modules),
        # Shipped policies have none, which a test sees to.
        odd=any(
            known_edits(text) is None and (has_odd_letters(text.encode()) or makes_letters(text))
            for text in texts
        )
        or has_odd_letters(repr(data).encode(errors="replace")),
        places=tuple(places),
        shifts=shifts,
    )


def _place(name: str, text: str, edit: Edit) -> str:
    line, column = _line_column(text.encode(), edit.start)
    return f"{name}:{line}:{column}"


def edited(text: str, edits: Sequence[Edit], numbers: Mapping[Edit, int]) -> str:
    """A text with its guards: outer ones begin before inner ones, and end after them."""
    content = text.encode()
    made: list[bytes] = []
    done = 0
    for at, length, what in _pieces(edits, numbers):
        made += (content[done:at], what)
        done = at + length
    return b"".join((*made, content[done:])).decode()


def _pieces(edits: Sequence[Edit], numbers: Mapping[Edit, int]) -> list[tuple[int, int, bytes]]:
    """What is put in: where, in place of how many bytes, and what; in order."""
    pieces: list[tuple[tuple[int, int, int, int], int, bytes]] = []
    for order, edit in enumerate(edits):
        if edit.kind == "%v":
            pieces.append(((edit.start, 1, 0, 0), edit.end - edit.start, b"v"))
            continue
        name = f"data.{GUARDS_PACKAGE}.{edit.kind}" if edit.kind in IN_REGO else f"plangate_{edit.kind}"
        # What ends at a place ends before anything begins there; inner ones end first and begin last.
        pieces.append(((edit.start, 1, -edit.end, -order), 0, f"{name}(".encode()))
        pieces.append(((edit.end, 0, -edit.start, order), 0, f", {numbers[edit]})".encode()))
    return [(at, length, what) for (at, *_), length, what in sorted(pieces)]


def _shifts(text: str, edits: Sequence[Edit], numbers: Mapping[Edit, int]) -> dict[str, list[list[int]]]:
    """Line to column and length of what is put in there, so that the engine's columns can be told as written."""
    content = text.encode()
    found: dict[str, list[list[int]]] = {}
    for at, length, what in _pieces(edits, numbers):
        if not length:
            line, column = _line_column(content, at)
            found.setdefault(str(line), []).append([column, len(what)])
    return found


def _line_column(content: bytes, at: int) -> tuple[int, int]:
    before = content[:at].decode(errors="replace")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
