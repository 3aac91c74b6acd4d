"""What is wrong with policies, collected: the gate tells the first problem and refuses, an author wants all of them.

Both go through the same check with the same collector, so they cannot disagree about whether a policy is accepted.
"""

from types import TracebackType

from plangate.errors import PolicyLoadError


class Problems:
    """Load errors in the order in which they were come across, each once."""

    def __init__(self) -> None:
        self.errors: list[PolicyLoadError] = []
        self._seen: set[str] = set()

    def note(self, error: PolicyLoadError, code: str = "") -> None:
        """Keep an error.

        Args:
            error: What is wrong, and where.
            code: What kind of problem it is, unless the error says so itself.
        """
        error.code = error.code or code
        if str(error) not in self._seen:
            self._seen.add(str(error))
            self.errors.append(error)

    def part(self, code: str) -> "Part":
        """A part of the check, for ``with``: its first error ends this part, and not the whole check."""
        return Part(self, code)

    def raise_first(self) -> None:
        """End here if anything is wrong.

        Raises:
            PolicyLoadError: The first problem.
        """
        if self.errors:
            raise self.errors[0]


class Part:
    """See `Problems.part`."""

    def __init__(self, problems: Problems, code: str) -> None:
        self._problems = problems
        self._code = code

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, PolicyLoadError):
            return False
        self._problems.note(error, self._code)
        return True
