"""The log, as the processes that answer see it: everything goes through the one that writes."""

import asyncio
from typing import Any

from plangate.audit.base import AlreadyRecordedError, Entry
from plangate.errors import AuditError
from plangate.server.link import Link, LinkLostError
from plangate.server.messages import Append, Call, Message, Refused, Returned, Written


class LogClient:
    """Appends records and asks about the log.

    Args:
        path: The log writer's socket.
        timeout_s: Seconds after which an answer is given up: it is then not known whether a record was written,
            which counts as not written.
    """

    def __init__(self, path: str, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._link: Link | None = None
        self._connecting = asyncio.Lock()

    async def append(self, record: bytes, key: str, *, must_be_new: bool = False) -> Entry:
        """Write a record, durably.

        Raises:
            AlreadyRecordedError: ``must_be_new``, and the key is there.
            AuditError: It is not written, or nobody knows whether it is.
        """
        link = await self._connected()
        number = link.next_number()
        answer = await self._answer(
            link, number, Append(number=number, record=record, key=key, must_be_new=must_be_new)
        )
        if isinstance(answer, Written):
            return Entry(index=answer.index, size=answer.size, root=answer.root, leaf_hash=answer.leaf_hash)
        raise _problem(answer)

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Anything else about the log: see `plangate.server.log_writer`.

        Raises:
            AuditError: There is no answer.
        """
        link = await self._connected()
        number = link.next_number()
        answer = await self._answer(link, number, Call(number=number, name=name, arguments=arguments))
        if isinstance(answer, Returned):
            return answer.value
        raise _problem(answer)

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()

    async def _answer(self, link: Link, number: int, message: Message) -> Message:
        try:
            answer: Message = await link.ask(number, message, self._timeout_s)
        except TimeoutError as error:
            raise AuditError(f"the log did not answer within {self._timeout_s:g} s") from error
        except LinkLostError as error:
            raise AuditError("the process that writes the log ended unexpectedly") from error
        return answer

    async def _connected(self) -> Link:
        if self._link is not None and self._link.is_open:
            return self._link
        async with self._connecting:
            if self._link is None or not self._link.is_open:
                try:
                    async with asyncio.timeout(self._timeout_s):
                        _, self._link = await asyncio.get_running_loop().create_unix_connection(
                            Link, self._path
                        )
                except (OSError, TimeoutError) as error:
                    raise AuditError("the process that writes the log cannot be reached") from error
        return self._link


def _problem(answer: Message) -> AuditError:
    if not isinstance(answer, Refused):
        return AuditError("the log gave an answer to another question")
    kind = AlreadyRecordedError if answer.is_repeat else AuditError
    return kind(answer.message, hint=answer.hint)
