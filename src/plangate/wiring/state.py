"""Keys and log of one gate, in its state folder."""

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plangate.audit.event_records import key_rotated
from plangate.audit.keys import RedactionKey, SigningKey, redaction_key, signing_key
from plangate.audit.record import Actor, ActorKind, Stamp, stamp
from plangate.audit.sqlite import FILE_NAME as LOG_FILE
from plangate.audit.sqlite import SqliteLog
from plangate.errors import UsageError
from plangate.settings import Settings
from plangate.wiring.choices import Choices, now

if TYPE_CHECKING:
    from plangate.audit.verify import Verification

DEFAULT_STATE_DIR: Final = ".plangate"


class State(Struct, frozen=True, kw_only=True):
    """Keys and log of one gate. ``made`` lists files that this run created."""

    folder: Path
    log: SqliteLog
    log_key: SigningKey
    receipt_key: SigningKey
    redaction: RedactionKey

    @property
    def made(self) -> tuple[Path, ...]:
        """Key files that did not exist before, for the user to know of."""
        keys = (self.log_key, self.receipt_key, self.redaction)
        return tuple(key.path for key in keys if key.created)


def state_folder(settings: Settings, choices: Choices) -> Path:
    """Where keys and log live: flag, ``PLANGATE_STATE_DIR``, settings, ``.plangate`` beside the settings."""
    named = choices.state_dir or (Path(value) if (value := os.environ.get("PLANGATE_STATE_DIR")) else None)
    if named is not None:
        return named.absolute()
    return (settings.folder / (settings.values.state_dir or DEFAULT_STATE_DIR)).absolute()


@contextmanager
def open_state(folder: Path) -> Iterator[State]:
    """Keys and log of a state folder, made on first use.

    Raises:
        AuditError: They cannot be made, read or trusted.
    """
    log_key = signing_key(folder, "log")
    receipt_key = signing_key(folder, "receipt")
    redaction = redaction_key(folder)
    # Every log has a name of its own, as C2SP asks: that of its key.
    log = SqliteLog(folder, signer=log_key, origin=log_key.name)
    try:
        state = State(folder=folder, log=log, log_key=log_key, receipt_key=receipt_key, redaction=redaction)
        for role, key in (("log", log_key), ("receipt", receipt_key)):
            record = key_rotated(stamp(now(), os.urandom(10), actor()), role=role, public_key=key.public_key)
            # Also after a crash between making the key and recording it.
            if log.find(record.idempotency_key) is None:
                log.append(record.encode(), idempotency_key=record.idempotency_key)
        yield state
    finally:
        log.close()


def actor() -> Actor:
    """Who runs this: the CI system's word, or the account's name."""
    for variable in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR"):
        if os.environ.get("CI") and (name := os.environ.get(variable)):
            return Actor(kind=ActorKind.SERVICE, name=name[:200])
    try:
        return Actor(kind=ActorKind.USER, name=getpass.getuser())
    except (OSError, KeyError, ImportError):
        return Actor(kind=ActorKind.USER, name=f"uid {os.getuid()}")


def fresh_stamp(who: Actor) -> Stamp:
    """A record stamp for this moment."""
    return stamp(now(), os.urandom(10), who)


def stored_records(folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Index and content of the records of a log, in order; also of a copy that is only readable.

    Raises:
        UsageError: There is no log in this folder.
        AuditError: It cannot be read.
    """
    from plangate.audit.reading import read_records  # noqa: PLC0415

    if not (folder / LOG_FILE).is_file():
        raise UsageError(f"{folder}: no log here", hint="--state-dir or PLANGATE_STATE_DIR names its folder")
    yield from read_records(folder)


def export_log(folder: Path, output: Path) -> int:
    """Write all records and a fresh checkpoint to a file that must not be there yet; the number of records.

    Raises:
        UsageError: There is no log in this folder, or the file cannot be written.
        AuditError: The log cannot be read.
    """
    from plangate.audit.bundle import write_bundle  # noqa: PLC0415

    if not (folder / LOG_FILE).is_file():
        raise UsageError(f"{folder}: no log here", hint="--state-dir or PLANGATE_STATE_DIR names its folder")
    with open_state(folder) as state:
        try:
            with output.open("xb") as file:
                return write_bundle(state.log, file)
        except FileExistsError as error:
            raise UsageError(f"{output}: exists already") from error
        except OSError as error:
            raise UsageError(f"{output}: cannot be written: {error.strerror}") from error


def verify_log(
    folder: Path, *, keys: Sequence[Path], bundle: Path | None, checkpoint: Path | None
) -> "Verification":
    """Hold a log, or an exported one, against its checkpoints. Writes nothing.

    Raises:
        UsageError: A file cannot be read.
    """
    from plangate.audit.keys import public_key_file  # noqa: PLC0415
    from plangate.audit.verify import verify_bundle  # noqa: PLC0415
    from plangate.audit.verify import verify_log as verify  # noqa: PLC0415

    if bundle is None and not (folder / LOG_FILE).is_file():
        raise UsageError(f"{folder}: no log here", hint="--state-dir or PLANGATE_STATE_DIR names its folder")
    try:
        older = None if checkpoint is None else checkpoint.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{checkpoint}: the checkpoint cannot be read") from error
    trusted = [public_key_file(path)[1] for path in keys or (folder / "log.pub",)]
    if bundle is not None:
        return verify_bundle(bundle, public_keys=trusted, old_checkpoint=older)
    return verify(folder, public_keys=trusted, old_checkpoint=older)
