"""A whole log in one text file, for somebody who has neither the store nor this program.

The first line is ``{"checkpoint":…,"schema":"plangate.dev/log-bundle/v1"}``; every further line is one
record's exact bytes, in order (canonical JSON has no line breaks). So a leaf hash is the SHA-256 of a zero
byte and a line, and the checkpoint covers exactly the records that follow.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from plangate.audit import checkpoint as notes
from plangate.audit import strict_json
from plangate.audit.base import MAX_RECORD_BYTES, Log
from plangate.audit.record import canonical
from plangate.errors import AuditError

BUNDLE_SCHEMA: Final = "plangate.dev/log-bundle/v1"
_MAX_HEADER_BYTES: Final = 4 * notes.MAX_NOTE_BYTES


def write_bundle(log: Log, file: BinaryIO) -> int:
    """Write a log's records and a fresh checkpoint over them.

    Returns:
        The number of records.
    """
    note = log.checkpoint()
    size = notes.parse(note).size
    file.write(canonical({"schema": BUNDLE_SCHEMA, "checkpoint": note}) + b"\n")
    file.writelines(entry.record + b"\n" for entry in log.entries(0, size))
    return size


def read_bundle(file: BinaryIO, name: str) -> tuple[str, Iterator[bytes]]:
    """Read a bundle, verifying nothing.

    Returns:
        The checkpoint's note, and the records one by one as the file is read.

    Raises:
        AuditError: Not a bundle; while iterating, a line that is longer than a record can be, or not ended.
    """
    try:
        header = strict_json.loads(file.readline(_MAX_HEADER_BYTES))
    except strict_json.StrictJsonError as error:
        raise AuditError(f"{name}: first line: {error}") from error
    if not isinstance(header, dict) or header.get("schema") != BUNDLE_SCHEMA:
        raise AuditError(f"{name}: not an exported audit log ({BUNDLE_SCHEMA})")
    note = header.get("checkpoint")
    if not isinstance(note, str):
        raise AuditError(f"{name}: no checkpoint")
    return note, _lines(file, name)


def _lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    while line := file.readline(MAX_RECORD_BYTES + 1):
        if not line.endswith(b"\n"):
            raise AuditError(f"{name}: a line that is too long or was cut off")
        yield line[:-1]
