"""Where an expression is evaluated: the names that it can read, and the file it stands in."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from plangate.parsers.hcl.run import EvaluationError, Run, where
from plangate.parsers.hcl.syntax import At

Lookup = Callable[[str], Any]
"""The value or handle that a first name stands for. Raises an `EvaluationError` for none."""


class Scope:
    """Names of a module, and those bound around the expression.

    Args:
        run: Shared by everything.
        lookup: For names that nothing binds.
        folder: Folder of the module, for paths that functions take.
        file: The file, for messages.
        names: Bound by ``for``, ``each``, ``count``, ``self`` and ``dynamic``.
    """

    __slots__ = ("_file", "_lookup", "_names", "folder", "run")

    def __init__(
        self, run: Run, lookup: Lookup, folder: str, file: str, names: Mapping[str, Any] | None = None
    ) -> None:
        self.run = run
        self.folder = folder
        self._lookup = lookup
        self._file = file
        self._names = names or {}

    def child(self, names: Mapping[str, Any]) -> "Scope":
        """The same with more names."""
        return Scope(self.run, self._lookup, self.folder, self._file, {**self._names, **names})

    def only(self, names: Mapping[str, Any], file: str) -> "Scope":
        """Only these names, as in a template file."""
        return Scope(self.run, _nothing, self.folder, file, names)

    def within(self, file: str) -> "Scope":
        """The same in another file."""
        return Scope(self.run, self._lookup, self.folder, file, self._names)

    def name(self, name: str, _at: At) -> Any:
        """What a first name stands for."""
        names = self._names
        return names[name] if name in names else self._lookup(name)

    def type_of(self, variable: str) -> str:
        """The plain type that a variable of the module is declared with, or empty."""
        declared: Callable[[str], str] = self._lookup("var").declared
        return declared(variable)

    def spend(self, nodes: int) -> None:
        """See `Run.spend`."""
        self.run.spend(nodes, self._file)

    def spend_walk(self, size: int) -> None:
        """See `Run.spend_walk`."""
        self.run.spend_walk(size, self._file)

    def spend_text(self, text: str, at: At) -> str:
        """See `Run.spend_text`."""
        return self.run.spend_text(text, where(self._file, at))

    def add_secrets(self, value: Any, at: At) -> None:
        """See `Run.add_secrets`."""
        self.run.add_secrets(value, where(self._file, at))

    def refuse(self, at: At, problem: str, *, hint: str = "") -> NoReturn:
        """See `Run.refuse`."""
        self.run.refuse(where(self._file, at), problem, hint=hint)


def _nothing(name: str) -> Any:
    raise EvaluationError(f"no variable {name[:100]!r} here")
