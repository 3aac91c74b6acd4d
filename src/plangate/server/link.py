"""One end of a connection to another process of this server, for the event loop: questions out, answers in."""

import asyncio
from collections.abc import Callable
from typing import Any

from plangate.server.messages import BadFrameError, Frames, Message, frame


class LinkLostError(ConnectionError):
    """The other process is gone; what it was asked is not answered."""


class Link(asyncio.Protocol):
    """A connection with numbered questions. Every question has an answer or an error in the end.

    Args:
        on_other: Told what is no answer.
        on_lost: Told once that the connection is gone.
    """

    def __init__(
        self,
        on_other: Callable[["Link", Message], None] | None = None,
        on_lost: Callable[["Link"], None] | None = None,
    ) -> None:
        self._on_other = on_other
        self._on_lost = on_lost
        self._frames = Frames()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._until: dict[int, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._number = 0
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Questions can be asked."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def waiting(self) -> int:
        """Questions that are not answered yet."""
        return len(self._waiting)

    def next_number(self) -> int:
        """A number for a question."""
        self._number += 1
        return self._number

    def ask(self, number: int, message: Message, timeout_s: float | None = None) -> "asyncio.Future[Any]":
        """Send a question.

        Args:
            number: From `next_number`.
            message: The question.
            timeout_s: Seconds until the future raises `TimeoutError`, or a tenth more; ``None`` to wait on.

        Raises:
            LinkLostError: Also what the future raises, when the other process goes before it answers.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise LinkLostError("another process of this server is gone")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        if timeout_s is not None:
            self._until[number] = asyncio.get_running_loop().time() + timeout_s
            if self._timer is None:
                self._look_again(timeout_s)
        self._send(frame(message))
        return future

    def say(self, message: Message) -> None:
        """Send what needs no answer."""
        if self.is_open:
            self._send(frame(message))

    def close(self) -> None:
        """Close the connection; what was said before is sent."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _look_again(self, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(timeout_s / 10, self._give_up_late_ones, timeout_s)

    def _give_up_late_ones(self, timeout_s: float) -> None:
        """One timer looks after all questions: one for each would cost more than sending it."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        late = [number for number, until in self._until.items() if until <= now]
        for number in late:
            del self._until[number]
            future = self._waiting.pop(number)
            if not future.done():
                future.set_exception(TimeoutError())
        if self._until:
            self._look_again(timeout_s)

    def _send(self, data: bytes) -> None:
        """Send with whatever else comes in this turn of the loop: all that wait go out at once."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(data)

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        # On a connection that is gone, `connection_lost` answers for what was not sent.
        if outgoing and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(outgoing))

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is one

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        try:
            for message in self._frames.feed(data):
                number = getattr(message, "number", -1)
                future = self._waiting.pop(number, None)
                self._until.pop(number, None)
                if future is None:
                    if self._on_other is not None:
                        self._on_other(self, message)
                elif not future.done():
                    future.set_result(message)
        except BadFrameError:
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc
        self._transport = None
        waiting, self._waiting = self._waiting, {}
        self._until.clear()
        if self._timer is not None:
            self._timer.cancel()
        for future in waiting.values():
            if not future.done():
                future.set_exception(LinkLostError("another process of this server ended unexpectedly"))
                future.exception()  # whoever waits is told; when nobody does any more, nothing is printed
        if self._on_lost is not None:
            self._on_lost(self)
