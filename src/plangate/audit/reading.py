"""Reading the records of a log without opening it for writing: no keys are needed, and nothing is changed.

What is read this way is not verified: `plangate.audit.verify` does that.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plangate.audit import sqlite_schema
from plangate.audit.sqlite import FILE_NAME
from plangate.errors import AuditError

_HINT = "`plangate audit verify` says what is wrong with the log"


def read_records(folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Index and content of every record in a folder's log, in order.

    Raises:
        AuditError: It cannot be read, or a record is not what a log holds.
    """
    path = folder / FILE_NAME
    try:
        with contextlib.closing(sqlite_schema.connect_reading(path)) as db:
            for index, record in db.execute("SELECT leaf_index, record FROM entry ORDER BY leaf_index"):
                yield index, _content(path, index, record)
    except sqlite_schema.ERRORS as error:
        raise AuditError(f"{path}: cannot be read: {error}", hint=_HINT) from error


def _content(path: Path, index: object, record: object) -> dict[str, Any]:
    try:
        content = json.loads(record) if isinstance(record, bytes) else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("body"), dict):
        raise AuditError(f"{path}: record {index} is damaged", hint=_HINT)
    return content
