"""One run at a time in an environment.

On one machine a file lock does it: it is gone when its holder is. For teams an object in S3 does, written only if it
is not there: it names its holder and the time until which it counts, and whoever finds it out of date takes over. S3
refuses the second of two writers with 412, or with 409 while the first one is under way, which says nothing of who
holds it. A write without an answer may have been carried out: whose the object is by now is read in it.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct

from plangate.errors import ExecutionError
from plangate.executor.aws.clients import Aws, code_of, is_ambiguous, said

_LOOK_S: Final = 0.5
_MOST_BYTES: Final = 4096
_GONE: Final = frozenset({"NoSuchKey", "404"})
_CONFLICT: Final = frozenset({"ConditionalRequestConflict", "409"})
_REFUSED: Final = frozenset({"PreconditionFailed", "412"}) | _CONFLICT


class Lock(Protocol):
    """Held by one at a time."""

    def held(self, environment: str, wait_s: float) -> AbstractContextManager[Callable[[], None]]:
        """A context in which it is held, with a function that raises when it is not any more.

        Raises:
            ExecutionError: Another one holds it, also after this many seconds.
        """


class FileLock:
    """For runs on one machine.

    Args:
        folder: The state folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self, environment: str, wait_s: float) -> Iterator[Callable[[], None]]:
        """See `Lock.held`."""
        name = environment.encode().hex()[:120]
        with (self._folder / f"lock-{name}").open("a+b") as file:
            deadline = time.monotonic() + wait_s
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() >= deadline:
                        file.seek(0)
                        holder = file.read(200).decode(errors="replace") or "another process"
                        raise _refusal(environment, holder) from None
                time.sleep(_LOOK_S)
            file.truncate(0)
            file.write(f"process {os.getpid()}".encode())
            file.flush()
            try:
                yield _nothing  # the file stays locked as long as this process lives
            finally:
                file.truncate(0)


def _nothing() -> None:
    return


class _Lease(Struct, kw_only=True):
    tag: str
    fence: int
    until: float
    lost: bool = False


class BucketLock:
    """For runs on many machines.

    Args:
        aws: Connections.
        bucket: Name of a bucket that all of them may write to.
        prefix: Of the objects.
        good_for_s: Seconds that a holder has without a sign of life; it gives one three times as often.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        aws: Aws,
        bucket: str,
        *,
        prefix: str = "plangate/locks/",
        good_for_s: float = 120.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = aws.client("s3")
        self._bucket = bucket
        self._prefix = prefix
        self._good_for_s = good_for_s
        self._now = now
        self._id = uuid.uuid4().hex

    @contextmanager
    def held(self, environment: str, wait_s: float) -> Iterator[Callable[[], None]]:
        """See `Lock.held`."""
        key = f"{self._prefix}{environment}"
        deadline = time.monotonic() + wait_s
        while (taken := self._taken(key)) is None:
            if time.monotonic() >= deadline:
                raise _refusal(environment, self._holder(key))
            time.sleep(_LOOK_S)
        lease = _Lease(tag=taken[0], fence=taken[1], until=self._now() + self._good_for_s)
        stop = threading.Event()
        renewal = threading.Thread(target=self._renew, args=(key, lease, stop), daemon=True)
        renewal.start()

        def check() -> None:
            if lease.lost or self._now() >= lease.until:
                raise ExecutionError(f"another run may hold {environment} now, so this one stops")

        try:
            yield check
        finally:
            stop.set()
            renewal.join()
            self._let_go(key, lease)

    def _taken(self, key: str) -> tuple[str, int] | None:
        """The entity tag of our object and its fence, if it is ours now."""
        try:
            return self._put(key, 1, IfNoneMatch="*"), 1
        except Exception as error:
            if code_of(error) not in _REFUSED and not is_ambiguous(error):
                raise ExecutionError(f"the lock in {self._bucket} cannot be taken: {said(error)}") from error
        try:
            tag, body = self._there(key)
            if body.get("id") == self._id:
                return tag, int(body["fence"])
            if float(body["expires"]) > self._now():
                return None
            fence = int(body["fence"]) + 1
            return self._put(key, fence, IfMatch=tag), fence
        except Exception as error:
            if code_of(error) in _REFUSED | _GONE:
                return None
            raise ExecutionError(f"the lock in {self._bucket} cannot be read: {said(error)}") from error

    def _there(self, key: str) -> tuple[str, dict[str, Any]]:
        found = self._client.get_object(Bucket=self._bucket, Key=key)
        body = json.loads(found["Body"].read(_MOST_BYTES))
        if not isinstance(body, dict):
            raise ExecutionError(f"{key} is no lock")
        return str(found["ETag"]), body

    def _put(self, key: str, fence: int, **condition: str) -> str:
        holder = f"{socket.gethostname()} process {os.getpid()}"
        body = {"holder": holder, "id": self._id, "expires": self._now() + self._good_for_s, "fence": fence}
        made = self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=json.dumps(body).encode(),
            ContentType="application/json",
            **condition,
        )
        return str(made["ETag"])

    def _renew(self, key: str, lease: "_Lease", stop: threading.Event) -> None:
        while not stop.wait(self._good_for_s / 3):
            until = self._now() + self._good_for_s
            try:
                lease.tag = self._put(key, lease.fence, IfMatch=lease.tag)
                lease.until = until
            except Exception as error:  # noqa: BLE001 - without an answer it runs out by itself
                if code_of(error) in _CONFLICT or is_ambiguous(error):
                    continue
                if code_of(error) in _REFUSED | _GONE and not self._still_ours(key, lease):
                    lease.lost = True
                    return

    def _still_ours(self, key: str, lease: "_Lease") -> bool:
        """Whether what was refused is over a sign of life of our own that nobody told us of."""
        try:
            tag, body = self._there(key)
            if body.get("id") != self._id or body.get("fence") != lease.fence:
                return False
            lease.tag, lease.until = tag, float(body["expires"])
        except Exception:  # noqa: BLE001 - nobody says that it is
            return False
        return True

    def _let_go(self, key: str, lease: "_Lease") -> None:
        """Let it run out at once; the object stays, for the next fence to be higher."""
        if lease.lost:
            return
        self._good_for_s, kept = 0.0, self._good_for_s
        with suppress(Exception):  # it runs out by itself
            self._put(key, lease.fence, IfMatch=lease.tag)
        self._good_for_s = kept

    def _holder(self, key: str) -> str:
        try:
            body = json.loads(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read(_MOST_BYTES))
            return str(body["holder"])[:200]
        except Exception:  # noqa: BLE001 - only for the message
            return "somebody else"


def _refusal(environment: str, holder: str) -> ExecutionError:
    return ExecutionError(
        f"{environment} is being changed by {holder}; nothing ran",
        hint="wait for it with --lock-timeout, or look at `plangate status`",
    )
