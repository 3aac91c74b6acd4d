"""The receipt beside a plan: there after an allow that was told, and never left over from an earlier look."""

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from plangate.audit.receipt_terms import MAX_RECEIPT_BYTES
from plangate.cli import streams
from plangate.errors import UsageError

if TYPE_CHECKING:
    from plangate.gate import Decision
    from plangate.wiring import Session


class ReceiptFile:
    """Where a check puts its receipt. Leaving without `keep` leaves no file.

    Args:
        path: The file, or ``None`` to write none.

    Raises:
        UsageError: Something else than a receipt lies there, or it cannot be removed.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept = False
        self._written = False
        if path is None:
            return
        # Before anything else, so that no failure on the way leaves an earlier receipt to be taken for this one's.
        self._remove(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is not None and self._written and not self._kept:
            self._remove(self._path)

    def write(self, session: "Session", decision: "Decision") -> None:
        """Write the receipt, if the decision is an allow.

        Raises:
            ReceiptError: It would not verify.
            UsageError: It cannot be written there.
        """
        from plangate.decision.decide import Result

        if self._path is None or decision.judgement.result is not Result.ALLOW:
            return
        from plangate.wiring.approval import receipt_for

        data = receipt_for(session, decision)
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(data)
            temporary.replace(self._path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise UsageError(
                f"{self._path}: the receipt cannot be written: {error.strerror}",
                hint="--receipt FILE puts it elsewhere, --no-receipt goes without",
            ) from error
        self._written = True

    def keep(self) -> None:
        """The decision was told: a receipt stays, and its place is said."""
        self._kept = True
        if self._written:
            streams.say(f"receipt: {self._path}\n")

    @staticmethod
    def _remove(path: Path) -> None:
        try:
            with path.open("rb") as file:
                looks_right = b'"payloadType"' in file.read(MAX_RECEIPT_BYTES)
            if not looks_right:
                raise UsageError(
                    f"{path}: not a receipt, and so not replaced",
                    hint="--receipt FILE names the receipt's file",
                )
            path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            raise UsageError(
                f"{path}: an earlier receipt cannot be removed: {error.strerror}",
                hint="--receipt FILE puts the new one elsewhere, --no-receipt goes without",
            ) from error
