"""Verifying a log from its bytes and a public key alone, offline, without writing to it.

Everything is computed again from the records: the stored tree is only compared. The rules this module keeps:

1. A log verifies when there is no problem of any kind; it is never verified in part.
2. The checkpoint is read before the records, so a log that grows meanwhile still verifies.
3. A problem says which record it is about, where that is known; the rest of the log is looked at all the
   same.

What it cannot see without outside help: a folder whose log *and* checkpoint were both put back to an earlier,
equally genuine state. ``old_checkpoint``, a checkpoint that was kept elsewhere (every receipt carries one),
shows that.
"""

import contextlib
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from plangate.audit import anchor, merkle, sqlite_schema, strict_json
from plangate.audit import checkpoint as notes
from plangate.audit.base import MAX_RECORD_BYTES
from plangate.audit.bundle import read_bundle
from plangate.audit.checkpoint import Checkpoint
from plangate.audit.merkle import EMPTY_ROOT, Frontier
from plangate.audit.record import canonical
from plangate.audit.sqlite import FILE_NAME
from plangate.errors import AuditError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

MAX_PROBLEMS: Final = 100
"""Problems that are listed one by one; the rest is only counted."""

_NOT_ITS_HASH: Final = "its content and its stored hash do not belong together"
_NOT_THEIR_HASHES: Final = "its stored hashes of earlier records do not fit those records"


class Problem(Struct, frozen=True, kw_only=True):
    """Something that is not as it must be.

    Attributes:
        index: The record that it is about; ``None`` for the log as a whole.
        what: One sentence.
    """

    index: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.index is None else f"record {self.index}: {self.what}"


class Verification(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        size: Records that were read.
        root: Root hash that was computed over them.
        checkpoint: The signed checkpoint they were held against; ``None`` when there is none that is valid.
        types: How many records of each type.
        problems: What is wrong, `MAX_PROBLEMS` at most.
        more_problems: How many are not listed.
    """

    size: int
    root: bytes
    checkpoint: Checkpoint | None
    types: tuple[tuple[str, int], ...]
    problems: tuple[Problem, ...]
    more_problems: int = 0

    @property
    def ok(self) -> bool:
        """Nothing at all is wrong."""
        return not self.problems and not self.more_problems and self.checkpoint is not None

    def require(self) -> None:
        """Raise unless everything is as it must be.

        Raises:
            AuditError: The first problem, and how many there are.
        """
        if not self.ok:
            count = len(self.problems) + self.more_problems
            first = str(self.problems[0]) if self.problems else "no valid checkpoint"
            raise AuditError(f"audit log: does not verify: {first} ({count} problems)")


class _Row(Struct, frozen=True, kw_only=True):
    """A record as found. ``idempotency_key`` and ``hashes`` are ``None`` where only records are stored."""

    index: Any
    record: Any
    idempotency_key: Any = None
    hashes: Any = None


class _Findings(Struct):
    problems: list[Problem] = field(default_factory=list)
    more: int = 0

    def add(self, what: str, index: int | None = None) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(index=index, what=what))
        else:
            self.more += 1


def verify_log(
    folder: Path,
    *,
    public_keys: Collection[bytes],
    origin: str | None = None,
    old_checkpoint: str | None = None,
) -> Verification:
    """Verify the SQLite log in a folder against the checkpoint beside it.

    Args:
        folder: Where ``log.sqlite3`` and ``checkpoint`` are.
        public_keys: The log keys that are trusted, 32 bytes each.
        origin: The name that the log must have; any when not given.
        old_checkpoint: A signed note that was kept elsewhere: the log must have grown from it.
    """
    findings = _Findings()
    note: str | None = None
    try:
        note = anchor.read_note(folder / anchor.FILE_NAME)
        if note is None:
            findings.add("the signed checkpoint is missing")
    except AuditError as error:
        findings.add(str(error))
    path = folder / FILE_NAME
    try:
        with contextlib.closing(sqlite_schema.connect_reading(path)) as db:
            return _verify(
                _rows(db, path, findings),
                findings,
                note=note,
                old_note=old_checkpoint,
                public_keys=public_keys,
                origin=origin,
            )
    except (*sqlite_schema.ERRORS, AuditError) as error:
        findings.add(f"{path}: cannot be read: {error}")
        return _result(findings, Frontier(), None, Counter())


def verify_bundle(
    path: Path,
    *,
    public_keys: Collection[bytes],
    origin: str | None = None,
    old_checkpoint: str | None = None,
) -> Verification:
    """Verify an exported log (see `plangate.audit.bundle`). Arguments as for `verify_log`."""
    findings = _Findings()
    try:
        with path.open("rb") as file:
            note, records = read_bundle(file, path.name)
            rows = (_Row(index=index, record=record) for index, record in enumerate(records))
            return _verify(
                rows,
                findings,
                note=note,
                old_note=old_checkpoint,
                public_keys=public_keys,
                origin=origin,
                exact=True,
            )
    except (OSError, AuditError) as error:
        findings.add(f"{path}: cannot be read: {error}")
        return _result(findings, Frontier(), None, Counter())


def _verify(
    rows: Iterable[_Row],
    findings: _Findings,
    *,
    note: str | None,
    old_note: str | None,
    public_keys: Collection[bytes],
    origin: str | None,
    exact: bool = False,
) -> Verification:
    """Compute the tree over ``rows`` and compare it with every checkpoint on the way."""
    checkpoint = _trusted(note, "the checkpoint", findings, public_keys, origin)
    older = _trusted(old_note, "the older checkpoint", findings, public_keys, origin)
    if checkpoint and older and checkpoint.origin != older.origin:
        findings.add("the older checkpoint is of another log")
    roots = {0: EMPTY_ROOT}
    wanted = {item.size for item in (checkpoint, older) if item is not None}
    validator = _validator()
    types: Counter[str] = Counter()
    keys: set[bytes] = set()
    frontier = Frontier()
    for row in rows:
        if row.index != frontier.size:
            findings.add(f"expected record {frontier.size} here, found {row.index}", frontier.size)
        if not isinstance(row.record, bytes):
            findings.add("not bytes", frontier.size)
            break  # nothing after it can be placed in the tree
        frontier, nodes = frontier.append(merkle.leaf_hash(row.record))
        index = frontier.size - 1
        if row.hashes is not None and row.hashes != b"".join(nodes):
            # The row's first hash is of its own record; those after it also cover records before.
            own = row.hashes[: len(nodes[0])] != nodes[0]
            findings.add(_NOT_ITS_HASH if own else _NOT_THEIR_HASHES, index)
        _check_record(row, index, findings, validator, types, keys)
        if frontier.size in wanted:
            roots[frontier.size] = frontier.root()
    for name, item in (("the checkpoint", checkpoint), ("the older checkpoint", older)):
        if item is not None:
            _compare(item, name, findings, frontier.size, roots)
    if exact and checkpoint is not None and checkpoint.size < frontier.size:
        findings.add(f"{frontier.size - checkpoint.size} records are not covered by the checkpoint")
    return _result(findings, frontier, checkpoint, types)


def _compare(
    checkpoint: Checkpoint, name: str, findings: _Findings, size: int, roots: Mapping[int, bytes]
) -> None:
    missing = checkpoint.size - size
    if missing > 0:
        findings.add(f"{name} was signed over {checkpoint.size} records, {missing} are missing")
    elif roots[checkpoint.size] != checkpoint.root:
        findings.add(f"the first {checkpoint.size} records are not those that {name} was signed over")


def _trusted(
    note: str | None, name: str, findings: _Findings, public_keys: Collection[bytes], origin: str | None
) -> Checkpoint | None:
    if note is None:
        return None
    try:
        return notes.verify(note, public_keys=public_keys, origin=origin)
    except AuditError as error:
        findings.add(f"{name}: {error}")
        return None


def _check_record(
    row: _Row,
    index: int,
    findings: _Findings,
    validator: "Draft202012Validator",
    types: Counter[str],
    keys: set[bytes],
) -> None:
    """Whether one record's bytes are a record, written in the one way that is allowed."""
    if len(row.record) > MAX_RECORD_BYTES:
        findings.add(f"{len(row.record)} bytes (at most {MAX_RECORD_BYTES})", index)
        return
    try:
        document = strict_json.loads(row.record)
        rewritten = canonical(document)
    except (strict_json.StrictJsonError, AuditError) as error:
        findings.add(str(error), index)
        return
    if rewritten != row.record:
        findings.add("not canonical JSON", index)
    first = next(iter(validator.iter_errors(document)), None)
    if first is not None:
        findings.add(f"/{'/'.join(map(str, first.absolute_path))}: does not fit the record schema", index)
        return
    if not isinstance(document, dict):  # the schema has said so already
        return
    types[document["type"]] += 1
    key: str = document["idempotency_key"]
    if row.idempotency_key is not None and row.idempotency_key != key:
        findings.add("stored under another idempotency key than its own", index)
    digest = hashlib.sha256(key.encode()).digest()[:16]
    if digest in keys:
        findings.add(f"the idempotency key {key!r} is there twice", index)
    keys.add(digest)


def _result(
    findings: _Findings, frontier: Frontier, checkpoint: Checkpoint | None, types: Counter[str]
) -> Verification:
    return Verification(
        size=frontier.size,
        root=frontier.root(),
        checkpoint=checkpoint,
        types=tuple(sorted(types.items())),
        problems=tuple(findings.problems),
        more_problems=findings.more,
    )


def _rows(db: sqlite3.Connection, path: Path, findings: _Findings) -> Iterator[_Row]:
    """Every stored record in order, from one snapshot."""
    db.execute("BEGIN")
    try:
        sqlite_schema.check(db, path)
    except AuditError as error:
        findings.add(str(error))
    for (message,) in db.execute("PRAGMA integrity_check(10)"):
        if message != "ok":
            findings.add(f"the file is damaged: {message}")
    try:
        for index, key, hashes, record in db.execute(
            "SELECT leaf_index, idempotency_key, hashes, record FROM entry ORDER BY leaf_index"
        ):
            yield _Row(index=index, record=record, idempotency_key=key or "", hashes=hashes or b"")
    except sqlite_schema.ERRORS as error:
        findings.add(f"the file is damaged: {error}")


def _validator() -> "Draft202012Validator":
    from jsonschema import Draft202012Validator  # noqa: PLC0415  (60 ms that only this command needs)

    schema = json.loads((resources.files("plangate") / "schemas" / "record.v1.json").read_text("utf-8"))
    return Draft202012Validator(schema)
