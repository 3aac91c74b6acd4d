"""Sets of characters that a regular expression names: classes, ranges, categories, and letters of either case."""

import unicodedata
from typing import Final

from msgspec import Struct

LAST_CODE_POINT: Final = 0x10FFFF
_FOLDS_BEYOND_ASCII: Final = {"k": 0x212A, "s": 0x17F}
PERL: Final = {
    "d": ((0x30, 0x39),),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "s": ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)),
}
POSIX: Final = {
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
    "word": PERL["w"],
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}
_LAST_ASCII: Final = 0x7F


Ranges = tuple[tuple[int, int], ...]


class CharacterSet(Struct, frozen=True):
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


NO_CHARACTERS: Final = CharacterSet()


def folded(ranges: Ranges) -> Ranges | None:
    """The characters and their other cases, or None beyond ASCII, where a letter may have several."""
    if any(last > _LAST_ASCII for _, last in ranges):
        return None
    found = list(ranges)
    for upper in range(0x41, 0x5B):
        lower = upper + 0x20
        if any(first <= upper <= last or first <= lower <= last for first, last in ranges):
            found += [(upper, upper), (lower, lower)]
            if beyond := _FOLDS_BEYOND_ASCII.get(chr(lower)):
                found.append((beyond, beyond))
    return tuple(found)


def complement(ranges: Ranges) -> list[tuple[int, int]]:
    """All other characters."""
    found, start = [], 0
    for first, last in sorted(ranges):
        if first > start:
            found.append((start, first - 1))
        start = max(start, last + 1)
    if start <= LAST_CODE_POINT:
        found.append((start, LAST_CODE_POINT))
    return found
