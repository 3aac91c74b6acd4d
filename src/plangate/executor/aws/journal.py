"""What this gate did in AWS, and is about to do: written down before each call, so that a crash leaves no riddle.

One SQLite file in the state folder. It holds identifiers and digests, and no values of properties.

Rules this module keeps:
1. A step is intended, durably, before its first call, and done after its last one.
2. Only the holder of the environment's newest lease writes: an older one that wakes up again is refused.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Self

import msgspec
from msgspec import Struct

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Owner
from plangate.executor.aws.planning import Known

FILE_NAME: Final = "journal.sqlite"
INTERRUPTED: Final = "interrupted"
_BUSY_MS: Final = 30_000
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS leases (environment TEXT PRIMARY KEY, fence INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, environment TEXT NOT NULL, stack TEXT NOT NULL, plan TEXT NOT NULL, ended TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS steps (
    run TEXT NOT NULL, step TEXT NOT NULL, done INTEGER NOT NULL, identifier TEXT NOT NULL, PRIMARY KEY (run, step)
) STRICT;
CREATE TABLE IF NOT EXISTS resources (
    environment TEXT NOT NULL, stack TEXT NOT NULL, identifier TEXT NOT NULL, type TEXT NOT NULL,
    logical_id TEXT NOT NULL, deletion_policy TEXT NOT NULL, depends_on TEXT NOT NULL, hidden TEXT NOT NULL,
    leaving INTEGER NOT NULL, forgotten INTEGER NOT NULL, PRIMARY KEY (environment, stack, type, identifier)
) STRICT;
"""


class RunRow(Struct, frozen=True, kw_only=True):
    """A run that was begun.

    Attributes:
        run: The decision's id.
        owner: What it changes.
        plan: Digest of its plan.
        ended: ``succeeded``, ``failed``, ``interrupted`` or empty while it is open, or was killed.
    """

    run: str
    owner: Owner
    plan: str
    ended: str

    @property
    def cut_off(self) -> bool:
        """It was stopped, or is still at work."""
        return self.ended in {"", INTERRUPTED}


class StepRow(Struct, frozen=True, kw_only=True):
    """A step that was intended. ``identifier`` is empty until something is known of what it made."""

    step: str
    done: bool
    identifier: str


class Journal:
    """The journal of one gate.

    Args:
        folder: The state folder.

    Raises:
        ExecutionError: It cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._lease: tuple[str, int] | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                folder / FILE_NAME, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000
            )
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_TABLES)
            (folder / FILE_NAME).chmod(0o600)
        except (OSError, sqlite3.Error) as error:
            raise ExecutionError(f"the journal in {folder} cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the lease ---

    def lease(self, environment: str) -> int:
        """Become the one who writes for an environment: a number higher than any before."""
        with self._lock, self._transaction():
            self._database.execute(
                "INSERT INTO leases VALUES (?, 1) ON CONFLICT DO UPDATE SET fence = fence + 1", (environment,)
            )
            with closing(
                self._database.execute("SELECT fence FROM leases WHERE environment = ?", (environment,))
            ) as rows:
                fence = int(rows.fetchone()[0])
            self._lease = (environment, fence)
            return fence

    def _newest(self, environment: str) -> int:
        query = "SELECT max(fence) FROM leases WHERE environment = ?"
        with closing(self._database.execute(query, (environment,))) as rows:
            return int(rows.fetchone()[0] or 0)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction of the newest holder.

        Raises:
            ExecutionError: Another one holds the lease now, or the journal cannot be written.
        """
        with self._lock:
            try:
                with self._transaction():
                    if self._lease is None:
                        raise ExecutionError(
                            "the journal is written by whoever holds the environment's lock only"
                        )
                    environment, fence = self._lease
                    with closing(
                        self._database.execute(
                            "SELECT fence FROM leases WHERE environment = ?", (environment,)
                        )
                    ) as rows:
                        newest = rows.fetchone()
                    if newest is None or newest[0] != fence:
                        raise ExecutionError(
                            f"another run holds {environment} now, so this one stops",
                            hint="look at `plangate status`",
                        )
                    yield self._database
            except sqlite3.Error as error:
                raise ExecutionError(f"the journal cannot be written: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _rows(self, query: str, arguments: tuple[str, ...]) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                with closing(self._database.execute(query, arguments)) as rows:
                    return list(rows.fetchall())
            except sqlite3.Error as error:
                raise ExecutionError(f"the journal cannot be read: {error}") from error

    # --- runs ---

    def begin(self, run: str, owner: Owner, plan: str) -> None:
        """A run begins, or goes on."""
        with self._writing() as database:
            database.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, '') ON CONFLICT DO UPDATE SET ended = ''",
                (run, owner.environment, owner.stack, plan),
            )

    def end(self, run: str, result: str) -> None:
        """A run ended, one way or the other."""
        with self._writing() as database:
            database.execute("UPDATE runs SET ended = ? WHERE run = ?", (result, run))

    def runs(self, environment: str) -> list[RunRow]:
        """The runs of an environment, newest first."""
        found = self._rows(
            "SELECT run, environment, stack, plan, ended FROM runs WHERE environment = ? ORDER BY rowid DESC",
            (environment,),
        )
        return [
            RunRow(
                run=str(r[0]),
                owner=Owner(environment=str(r[1]), stack=str(r[2])),
                plan=str(r[3]),
                ended=str(r[4]),
            )
            for r in found
        ]

    # --- steps ---

    def intend(self, run: str, step: str) -> StepRow | None:
        """A step is about to be made; what is known of an earlier try of it."""
        with self._writing() as database:
            earlier = database.execute(
                "SELECT done, identifier FROM steps WHERE run = ? AND step = ?", (run, step)
            ).fetchone()
            database.execute("INSERT INTO steps VALUES (?, ?, 0, '') ON CONFLICT DO NOTHING", (run, step))
        if earlier is None:
            return None
        return StepRow(step=step, done=bool(earlier[0]), identifier=str(earlier[1]))

    def made(
        self, run: str, step: str, identifier: str, owner: Owner, known: Known, old: Known | None = None
    ) -> None:
        """A step made a resource, which need not be ready yet; ``old`` is what it replaces."""
        with self._writing() as database:
            database.execute(
                "UPDATE steps SET identifier = ? WHERE run = ? AND step = ?", (identifier, run, step)
            )
            if old is not None:
                _remember(database, owner, old)
            _remember(database, owner, known)

    def done(self, run: str, step: str) -> None:
        """A step is done."""
        with self._writing() as database:
            database.execute("UPDATE steps SET done = 1 WHERE run = ? AND step = ?", (run, step))

    def steps(self, run: str) -> Mapping[str, StepRow]:
        """The steps of a run that were intended, by name."""
        found = self._rows("SELECT step, done, identifier FROM steps WHERE run = ?", (run,))
        return {str(r[0]): StepRow(step=str(r[0]), done=bool(r[1]), identifier=str(r[2])) for r in found}

    # --- resources ---

    def remember(self, owner: Owner, known: Known) -> None:
        """A resource is ours, as this says."""
        with self._writing() as database:
            _remember(database, owner, known)

    def forget(self, owner: Owner, type_name: str, identifier: str) -> None:
        """A resource is gone."""
        with self._writing() as database:
            database.execute(
                "DELETE FROM resources WHERE (environment, stack, type, identifier) = (?, ?, ?, ?)",
                (owner.environment, owner.stack, type_name, identifier),
            )

    def let_go(self, owner: Owner, known: Known) -> None:
        """A resource stays, and is not ours any more."""
        with self._writing() as database:
            _remember(database, owner, known)
            database.execute(
                "UPDATE resources SET forgotten = 1 WHERE (environment, stack, type, identifier) = (?, ?, ?, ?)",
                (owner.environment, owner.stack, known.type, known.identifier),
            )

    def known(self, owner: Owner) -> list[Known]:
        """The resources that are ours, by identifier."""
        return [known for known, forgotten in self._resources(owner) if not forgotten]

    def forgotten(self, owner: Owner) -> frozenset[tuple[str, str]]:
        """Type and identifier of what was let go."""
        return frozenset((k.type, k.identifier) for k, forgotten in self._resources(owner) if forgotten)

    def stacks(self, environment: str) -> list[str]:
        """The stacks of an environment that have resources, sorted."""
        query = "SELECT DISTINCT stack FROM resources WHERE environment = ? ORDER BY stack"
        return [str(row[0]) for row in self._rows(query, (environment,))]

    def _resources(self, owner: Owner) -> list[tuple[Known, bool]]:
        found = self._rows(
            "SELECT logical_id, type, identifier, deletion_policy, depends_on, leaving, hidden, forgotten"
            " FROM resources WHERE environment = ? AND stack = ? ORDER BY identifier",
            (owner.environment, owner.stack),
        )
        return [
            (
                Known(
                    logical_id=str(row[0]),
                    type=str(row[1]),
                    identifier=str(row[2]),
                    deletion_policy=str(row[3]),
                    depends_on=msgspec.json.decode(str(row[4]), type=tuple[str, ...]),
                    leaving=bool(row[5]),
                    hidden=msgspec.json.decode(str(row[6]), type=dict[str, str]),
                ),
                bool(row[7]),
            )
            for row in found
        ]


def _remember(database: sqlite3.Connection, owner: Owner, known: Known) -> None:
    database.execute(
        "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (
            owner.environment,
            owner.stack,
            known.identifier,
            known.type,
            known.logical_id,
            known.deletion_policy,
            msgspec.json.encode(known.depends_on).decode(),
            msgspec.json.encode(known.hidden).decode(),
            int(known.leaving),
        ),
    )
