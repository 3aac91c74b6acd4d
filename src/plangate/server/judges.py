"""The judges of one process that answers: which are there, who is asked next, and what happens when one ends.

Whatever becomes of a judge, a question gets its answer or an `EngineError`; nothing else is taken for an answer.
"""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from plangate.errors import EngineError
from plangate.server.link import Link, LinkLostError
from plangate.server.messages import Hello, Message

WINDOW: Final = 8
"""Questions that one judge is sent before it has answered: enough that it never waits for the next."""
_ATTEMPTS: Final = 3


class _Judge:
    """One judge that is connected."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.hello: Hello | None = None
        self.asked: deque[int] = deque()
        self.leaving = False


class Judges:
    """Asks judges, each at most `WINDOW` questions ahead.

    Args:
        on_hello: Told when a judge of a generation has come.
    """

    def __init__(self, on_hello: Callable[[int], None]) -> None:
        self._on_hello = on_hello
        self._judges: dict[Link, _Judge] = {}
        self._free: deque[asyncio.Future[None]] = deque()
        self._server: asyncio.AbstractServer | None = None
        self.generation = 0
        self.policies: Mapping[str, Mapping[str, Any]] = {}
        self.query_sha256 = ""
        self.query_modules: list[tuple[str, str]] = []
        self.enforcements: Mapping[str, Mapping[str, str]] = {}

    async def listen(self, sock: Any) -> None:
        """Take judges that come on a listening Unix socket."""
        self._server = await asyncio.get_running_loop().create_unix_server(self._newcomer, sock=sock)

    def count(self, generation: int | None = None) -> int:
        """Judges of a generation, by default of the one that judges now."""
        wanted = self.generation if generation is None else generation
        return sum(
            judge.hello is not None and judge.hello.generation == wanted for judge in self._judges.values()
        )

    def activate(self, generation: int) -> None:
        """Ask only judges of this generation from now on; the others finish what they were asked."""
        self.generation = generation
        for judge in list(self._judges.values()):
            if judge.hello is None:
                continue
            if judge.hello.generation == generation:
                self._learn(judge.hello)
            elif judge.hello.generation < generation:
                judge.leaving = True
                if not judge.asked:
                    judge.link.close()
        self._wake()

    async def ask(self, question: Callable[[int], Message], deadline_s: float) -> Any:
        """Ask one of the judges.

        Args:
            question: Makes the question with this number.
            deadline_s: Seconds for everything. The judge that works on the question by then is ended.

        Raises:
            EngineError: There is no answer.
        """
        try:
            async with asyncio.timeout(deadline_s):
                for _ in range(_ATTEMPTS):
                    judge = await self._next()
                    with contextlib.suppress(_NotYoursError):
                        return await self._asked(judge, question)
        except TimeoutError as error:
            raise EngineError(f"judging took longer than {round(deadline_s, 3):g} s and was ended") from error
        raise EngineError("the processes that judge ended unexpectedly, one after the other")

    async def _asked(self, judge: _Judge, question: Callable[[int], Message]) -> Any:
        number = judge.link.next_number()
        judge.asked.append(number)
        try:
            return await judge.link.ask(number, question(number))
        except LinkLostError as error:
            if judge.asked and judge.asked[0] != number:
                raise _NotYoursError from error  # it was at work on another question
            raise EngineError("the process that judges ended unexpectedly") from error
        except asyncio.CancelledError:
            # The deadline, or a caller that is gone. A judge that is stuck on this question is of no more use.
            if judge.asked and judge.asked[0] == number:
                self._end(judge)
            raise
        finally:
            with contextlib.suppress(ValueError):
                if judge.link.is_open:
                    judge.asked.remove(number)
            if judge.leaving and not judge.asked:
                judge.link.close()
            self._wake()

    async def _next(self) -> _Judge:
        while True:
            free = [
                judge
                for judge in self._judges.values()
                if judge.hello is not None
                and judge.hello.generation == self.generation
                and judge.link.is_open
                and len(judge.asked) < WINDOW
            ]
            if free:
                return min(free, key=lambda judge: len(judge.asked))
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._free.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done():
                    self._wake()  # the turn that it was given is somebody else's
                raise

    def _wake(self) -> None:
        while self._free:
            waiter = self._free.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    @staticmethod
    def _end(judge: _Judge) -> None:
        if judge.hello is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(judge.hello.pid, signal.SIGKILL)
        judge.link.close()

    # --- coming and going

    def _newcomer(self) -> Link:
        link = Link(self._heard, self._lost)
        self._judges[link] = _Judge(link)
        return link

    def _heard(self, link: Link, message: Message) -> None:
        judge = self._judges.get(link)
        if judge is None or not isinstance(message, Hello):
            return
        if message.generation < self.generation:
            link.close()  # it comes back from before
            return
        judge.hello = message
        if message.generation == self.generation:
            self._learn(message)
        self._on_hello(message.generation)
        for _ in range(WINDOW):
            self._wake()

    def _lost(self, link: Link) -> None:
        self._judges.pop(link, None)

    def _learn(self, hello: Hello) -> None:
        self.policies = hello.policies
        self.query_sha256 = hello.query_sha256
        self.query_modules = list(hello.query_modules)
        self.enforcements = hello.enforcements


class _NotYoursError(Exception):
    """The judge ended while it was at work on another question: this one can be asked again."""
