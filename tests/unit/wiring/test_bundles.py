"""Sequence numbers of bundles only ever grow, as far as the log of this gate knows."""

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.audit.base import AlreadyRecordedError, Entry
from plangate.audit.event_records import policy_activation_key
from plangate.audit.keys import signing_key
from plangate.audit.memory import InMemoryLog
from plangate.audit.record import Actor, ActorKind, Stamp, stamp
from plangate.audit.sqlite import SqliteLog
from plangate.decision.document import PolicyBundle
from plangate.errors import AuditError, PolicyLoadError, UsageError
from plangate.settings import parse_settings
from plangate.wiring.bundles import bundle_sources, remember
from tests.unit.audit.schema import problems_of
from tests.unit.gate.doubles import a_log


def a_bundle(sequence: int | None, *, name: str = "acme", content: str = "", **fields: Any) -> PolicyBundle:
    """A bundle whose content follows from its number."""
    sha256 = (content or f"{(sequence or 0) % 16:x}") * 64
    said: dict[str, Any] = {"revision": f"r{sequence}", "key_id": "release", "monotonic": True} | fields
    return PolicyBundle(name=name, sha256=sha256, sequence=sequence, **said)


def a_stamp() -> Stamp:
    return stamp(datetime(2026, 11, 23, tzinfo=UTC), os.urandom(10), Actor(kind=ActorKind.USER, name="ci"))


def use(log: Any, *bundles: PolicyBundle) -> tuple[str, ...]:
    return remember(log, bundles, a_stamp)


def test_the_first_use_is_said_and_recorded() -> None:
    log = a_log()
    assert use(log, a_bundle(7)) == (
        "bundle acme: first use with this state folder; from now on nothing older than sequence 7",
    )
    (record,) = [json.loads(entry.record) for entry in log.entries()]
    assert problems_of(record) == []
    assert record["body"] == {
        "name": "acme",
        "sequence": 7,
        "revision": "r7",
        "sha256": "7" * 64,
        "key_id": "release",
    }


def test_the_same_bundle_again_is_fine_and_writes_nothing() -> None:
    log = a_log()
    use(log, a_bundle(7))
    assert use(log, a_bundle(7)) == ()
    assert log.size() == 1


def test_a_newer_one_is_recorded_and_an_older_one_is_refused_then() -> None:
    log = a_log()
    use(log, a_bundle(7))
    assert use(log, a_bundle(9)) == ()
    assert log.size() == 2
    for older in (7, 8, 0):
        with pytest.raises(PolicyLoadError) as caught:
            use(log, a_bundle(older))
        assert str(caught.value) == f"bundle acme: sequence {older} is older than 9, which was in use here"
    assert log.size() == 2


def test_the_same_number_with_other_content_is_refused() -> None:
    log = a_log()
    use(log, a_bundle(7))
    with pytest.raises(PolicyLoadError, match="sequence 7 was in use here with other content"):
        use(log, a_bundle(7, content="f"))


def test_each_bundle_has_numbers_of_its_own() -> None:
    log = a_log()
    use(log, a_bundle(9), a_bundle(3, name="other"))
    assert use(log, a_bundle(4, name="other"), a_bundle(9)) == ()


def test_a_bundle_that_need_not_grow_is_not_remembered() -> None:
    log = a_log()
    assert (
        use(log, a_bundle(7, monotonic=False), a_bundle(3, monotonic=False), a_bundle(None, monotonic=False))
        == ()
    )
    assert log.size() == 0


def test_a_monotonic_bundle_without_a_number_is_refused_here_too() -> None:
    with pytest.raises(PolicyLoadError, match="no sequence number"):
        use(a_log(), a_bundle(None))


@given(numbers=st.lists(st.integers(0, 40), max_size=30))
def test_what_is_in_use_never_gets_older(numbers: list[int]) -> None:
    log, highest = a_log(), -1
    for number in numbers:
        try:
            use(log, a_bundle(number))
        except PolicyLoadError:
            assert number < highest
        else:
            assert number >= highest
            highest = number
    assert log.size() == len({max(numbers[: n + 1]) for n in range(len(numbers))})


def test_another_process_that_is_faster_is_seen() -> None:
    """Both looked when nothing was there; the other one wrote a newer number first."""
    log = a_log()

    class Slow(InMemoryLog):
        def __init__(self) -> None:
            self.first = True

        def find(self, idempotency_key: str) -> Any:
            return log.find(idempotency_key)

        def append(self, record: bytes, *, idempotency_key: str, must_be_new: bool = False) -> Entry:
            if self.first:
                self.first = False
                use(log, a_bundle(9))
            return log.append(record, idempotency_key=idempotency_key, must_be_new=must_be_new)

    with pytest.raises(PolicyLoadError, match="sequence 7 is older than 9"):
        use(Slow(), a_bundle(7))
    assert log.size() == 1
    assert use(Slow(), a_bundle(11)) == ()


def test_a_number_that_cannot_be_recorded_is_not_taken() -> None:
    class Contested(InMemoryLog):
        def __init__(self) -> None:
            pass

        def find(self, idempotency_key: str) -> None:
            assert idempotency_key == policy_activation_key("acme", 1)

        def append(self, record: bytes, *, idempotency_key: str, must_be_new: bool = False) -> Entry:
            raise AlreadyRecordedError(f"{idempotency_key}: taken, {len(record)} bytes, {must_be_new}")

    with pytest.raises(AuditError, match="its sequence could not be recorded"):
        use(Contested(), a_bundle(7))


def test_many_at_once_agree_on_one_order(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, signer=signing_key(tmp_path, "log"), origin="x")
    outcomes: dict[int, bool] = {}

    def run(number: int) -> None:
        try:
            use(log, a_bundle(number))
            outcomes[number] = True
        except PolicyLoadError:
            outcomes[number] = False

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded = [json.loads(entry.record)["body"]["sequence"] for entry in log.entries()]
    assert recorded == sorted(recorded)
    assert recorded[-1] == 15
    assert {number for number, taken in outcomes.items() if taken} == set(recorded)
    log.close()


# --- What was seen cannot be read ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"body": 7}',
        b'{"body": {"name": "other", "sequence": 1, "sha256": "x"}}',
        b'{"body": {"name": "acme", "sequence": "1", "sha256": "x"}}',
        b'{"body": {"name": "acme", "sequence": 1}}',
    ],
)
def test_a_record_that_cannot_be_read_is_no_first_use(body: bytes) -> None:
    log = a_log()
    log.append(body or b"\xff", idempotency_key=policy_activation_key("acme", 1))
    with pytest.raises(AuditError, match="the log's record of its sequence cannot be read"):
        use(log, a_bundle(7))


def test_a_log_that_fails_is_no_first_use(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, signer=signing_key(tmp_path, "log"), origin="x")
    log.close()
    with pytest.raises(AuditError, match="the log is closed"):
        use(log, a_bundle(7))


def test_a_log_put_back_from_an_older_copy_is_noticed(tmp_path: Path) -> None:
    """Rolling back the numbers means rolling back the log, and its checkpoint says how long it was."""

    def open_log() -> SqliteLog:
        return SqliteLog(tmp_path, signer=signing_key(tmp_path, "log"), origin="x")

    log = open_log()
    use(log, a_bundle(7))
    log.close()
    copies = {path: path.read_bytes() for path in tmp_path.glob("log.sqlite3*")}
    log = open_log()
    use(log, a_bundle(9))
    log.close()
    for path in tmp_path.glob("log.sqlite3*"):
        path.unlink()
    for path, content in copies.items():
        path.write_bytes(content)
    with pytest.raises(AuditError, match="records are missing"):
        open_log()


# --- Settings ------------------------------------------------------------------------------------------------


SETTINGS = """
version: 1
bundles:
  acme:
    path: dist/acme.tar.gz
    keys:
      release: {file: release.pub, algorithm: ES256}
    scope: prod
    monotonic: true
    min_sequence: 3
  plain:
    path: plain.tar.gz
    unsafe_unsigned: true
"""


def test_settings_become_sources_with_their_keys(tmp_path: Path) -> None:
    (tmp_path / "release.pub").write_bytes(b"key")
    acme, plain = bundle_sources(parse_settings(SETTINGS.encode(), "plangate.yaml", tmp_path))
    assert (acme.root, acme.name) == (tmp_path / "dist/acme.tar.gz", "acme")
    assert acme.trust is not None
    assert (acme.trust.name, acme.trust.scope, acme.trust.monotonic, acme.trust.min_sequence) == (
        "acme",
        "prod",
        True,
        3,
    )
    assert {name: (key.algorithm, key.content, key.file) for name, key in acme.trust.keys.items()} == {
        "release": ("ES256", b"key", "release.pub")
    }
    assert plain.trust is not None
    assert (plain.trust.keys, plain.trust.monotonic, plain.trust.min_sequence) == ({}, False, None)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda _: None, "the key cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "the key cannot be read: Is a directory"),
        (lambda path: path.write_bytes(b""), "0 bytes are no key"),
        (lambda path: path.write_bytes(b"x" * 70_000), "65537 bytes are no key"),
    ],
)
def test_a_key_that_cannot_be_read_is_no_reason_to_go_without(
    tmp_path: Path, make: Callable[[Path], Any], problem: str
) -> None:
    make(tmp_path / "release.pub")
    with pytest.raises(UsageError) as caught:
        bundle_sources(parse_settings(SETTINGS.encode(), "plangate.yaml", tmp_path))
    assert str(caught.value) == f"{tmp_path / 'release.pub'}: {problem}"


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = SETTINGS.replace("ES256", "HS256").encode()
    (tmp_path / "release.pub").write_bytes(b"x" * 32)
    (tmp_path / "release.pub").chmod(0o604)
    with pytest.raises(UsageError, match="others can read this secret \\(mode 0604\\)"):
        bundle_sources(parse_settings(secret, "plangate.yaml", tmp_path))
    (tmp_path / "release.pub").chmod(0o600)
    assert len(bundle_sources(parse_settings(secret, "plangate.yaml", tmp_path))) == 2
