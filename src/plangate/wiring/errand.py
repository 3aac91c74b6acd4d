"""Work that mostly waits for another process, done in a thread while this one goes on."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Errand(Generic[Result]):
    """A function that runs in a thread from now on.

    The thread does not keep the process alive: whoever stops waiting for the result ends what it waits for.
    """

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._results: list[Result] = []
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as problem:  # noqa: BLE001 - handed to whoever waits
            self._problem = problem

    def wait(self) -> None:
        """Wait until the function is done, whatever became of it."""
        self._thread.join()

    @property
    def is_going_on(self) -> bool:
        """The function has not returned yet."""
        return self._thread.is_alive()

    def result(self) -> Result:
        """Wait for what the function returns.

        Raises:
            BaseException: What the function raised.
        """
        self._thread.join()
        if self._problem is not None:
            raise self._problem
        return self._results[0]
