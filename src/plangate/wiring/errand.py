"""Work that mostly waits for another process, done in a thread while this one goes on."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Begun(Generic[Result]):
    """Work that another process has begun, to be waited for here: an `Errand` without a thread.

    Whatever waits last for it waits for everybody; it is not waited for twice.
    """

    def __init__(self, wait: Callable[[], Result]) -> None:
        self._wait: Callable[[], Result] | None = wait
        self._results: list[Result] = []
        self._problem: BaseException | None = None

    def wait(self) -> None:
        """Wait until it is done, whatever became of it."""
        wait, self._wait = self._wait, None
        if wait is None:
            return
        try:
            self._results.append(wait())
        except Exception as problem:  # noqa: BLE001 - handed to whoever wants the result
            self._problem = problem

    @property
    def is_going_on(self) -> bool:
        """Nobody has waited for it yet."""
        return self._wait is not None

    def result(self) -> Result:
        """Wait for what it gives.

        Raises:
            Exception: What it raised.
        """
        self.wait()
        if self._problem is not None:
            raise self._problem
        return self._results[0]


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
