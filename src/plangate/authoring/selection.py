"""Which tests to run, by words: ``fail and not (public or absent)``.

A word selects the tests that have it in their name, whatever its case. ``not`` binds stronger than ``and``, which binds
stronger than ``or``.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from plangate.errors import UsageError

Select = Callable[[str], bool]

_TOKEN: Final = re.compile(r"[()]|[^\s()]+")
_WORDS: Final = frozenset({"and", "or", "not", "(", ")"})
_MOST_DEPTH: Final = 50


def selection(expression: str) -> Select:
    """What an expression selects, by the names of tests.

    Raises:
        UsageError: It is empty, or makes no sense.
    """
    parser = _Parser(expression)
    select = parser.any_of(0)
    if parser.next is not None:
        raise parser.error(f'"{parser.next}" is one too many')
    return select


class _Parser:
    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens: Iterator[str] = iter(_TOKEN.findall(expression))
        self.next = next(self.tokens, None)

    def error(self, problem: str) -> UsageError:
        return UsageError(
            f"-k {self.expression!r}: {problem}",
            hint="words with and, or, not and brackets: 'fail and not public'",
        )

    def take(self) -> str:
        found, self.next = self.next, next(self.tokens, None)
        if found is None:
            raise self.error("a word is missing")
        return found

    def any_of(self, depth: int) -> Select:
        found = [self.all_of(depth)]
        while self.next == "or":
            self.take()
            found.append(self.all_of(depth))
        return lambda name: any(select(name) for select in found)

    def all_of(self, depth: int) -> Select:
        found = [self.one(depth)]
        while self.next == "and":
            self.take()
            found.append(self.one(depth))
        return lambda name: all(select(name) for select in found)

    def one(self, depth: int) -> Select:
        if depth > _MOST_DEPTH:
            raise self.error(f"more than {_MOST_DEPTH} brackets or nots deep")
        word = self.take()
        if word == "not":
            inner = self.one(depth + 1)
            return lambda name: not inner(name)
        if word == "(":
            inner = self.any_of(depth + 1)
            if self.take() != ")":
                raise self.error("a bracket is not closed")
            return inner
        if word in _WORDS:
            raise self.error(f'a word is missing before "{word}"')
        wanted = word.lower()
        return lambda name: wanted in name.lower()
