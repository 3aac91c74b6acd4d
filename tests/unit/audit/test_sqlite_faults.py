"""Real faults: full disks, read-only folders, fsync that fails, processes that are killed.

One promise in all of them: what was acknowledged is there and verifies, and what is not durable is an error.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from plangate.audit.sqlite import FILE_NAME
from plangate.audit.verify import verify_log
from plangate.errors import AuditError
from tests.tools import ROOT
from tests.unit.audit.builders import a_log, a_record, a_signer

APPENDER: Final = """
import os, resource, sys, threading
from pathlib import Path
from plangate.errors import AuditError
from tests.unit.audit.builders import a_log, a_record

folder, name, limit, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
log = a_log(folder)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

def work(worker):
    for number in range(100_000):
        key = f"{name}-{worker}-{number}"
        try:
            log.append(a_record(key), idempotency_key=key)
        except AuditError as error:
            os.write(2, f"{error} | {error.hint}\\n".encode())
            return
        os.write(1, f"{key}\\n".encode())

started = [threading.Thread(target=work, args=(worker,)) for worker in range(threads)]
for thread in started: thread.start()
for thread in started: thread.join()
try:
    log.append(a_record("one more"), idempotency_key="one more")
except AuditError:
    os._exit(7)
os._exit(0)
"""

FAILING_FSYNC: Final = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int broken(void) { return access(getenv("BREAK_FSYNC"), F_OK) == 0; }
int fsync(int fd) { (void)fd; if (broken()) { errno = EIO; return -1; } return 0; }
int fdatasync(int fd) { (void)fd; if (broken()) { errno = EIO; return -1; } return 0; }
"""

ONE_BY_ONE: Final = """
import os, sys
from pathlib import Path
from plangate.errors import AuditError
from tests.unit.audit.builders import a_log, a_record

log = a_log(Path(sys.argv[1]))
log.append(a_record("before"), idempotency_key="before")
Path(os.environ["BREAK_FSYNC"]).touch()
for key in ("during", "again"):
    try:
        log.append(a_record(key), idempotency_key=key)
        print("written")
    except AuditError as error:
        print(error)
Path(os.environ["BREAK_FSYNC"]).unlink()
try:
    log.append(a_record("after"), idempotency_key="after")
    print("written")
except AuditError as error:
    print(error)
os._exit(0)
"""


def in_python(program: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check_everything_acknowledged_is_there(folder: Path, acknowledged: list[str]) -> None:
    verification = verify_log(folder, public_keys={a_signer().public_key})
    expected = ("does not fit the record schema", "idempotency key")  # these records are not real ones
    assert [p for p in verification.problems if not any(word in p.what for word in expected)] == []
    assert verification.checkpoint is not None
    with a_log(folder) as log:
        for key in acknowledged:
            found = log.find(key)
            assert found is not None
            assert found.record == a_record(key)


def test_a_process_killed_while_it_writes_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for round_ in range(3):
        process = in_python(APPENDER, tmp_path / "log", f"round{round_}", 0, 4)
        assert process.stdout is not None
        with process:
            acknowledged += [process.stdout.readline().strip() for _ in range(150 + 40 * round_)]
            process.send_signal(signal.SIGKILL)
            acknowledged += [line for line in process.stdout.read().splitlines(keepends=False) if line]
        assert process.returncode == -signal.SIGKILL
        check_everything_acknowledged_is_there(tmp_path / "log", acknowledged)
    assert len(acknowledged) >= 570
    with a_log(tmp_path / "log") as log:
        entry = log.append(a_record("afterwards"), idempotency_key="afterwards")
        assert entry.index >= len(acknowledged)


def test_a_full_disk_is_an_error_and_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    process = in_python(APPENDER, tmp_path / "log", "full", 200_000, 3)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 7, err  # nothing more is taken afterwards
    assert len(err.splitlines()) == 3
    assert all(
        "cannot write the audit log" in line or "earlier write failed" in line for line in err.splitlines()
    )
    acknowledged = out.splitlines()
    assert len(acknowledged) > 5
    check_everything_acknowledged_is_there(tmp_path / "log", acknowledged)


def test_a_store_without_room_says_that_the_disk_is_full(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log")
    log.append(a_record("1"), idempotency_key="1")
    log._db.execute("PRAGMA max_page_count = 1")  # SQLite's own word for a disk without room
    with pytest.raises(AuditError, match="full") as caught:
        log.append(a_record("x" * 50_000), idempotency_key="2")
    assert caught.value.hint == "the disk is full: nothing can be decided until there is room for the record"
    log.close()
    check_everything_acknowledged_is_there(tmp_path / "log", ["1"])


def test_a_failing_fsync_is_an_error_and_the_log_takes_nothing_more_until_opened_again(
    tmp_path: Path,
) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler to make fsync fail with")
    source, library = tmp_path / "fsync.c", tmp_path / "fsync.so"
    source.write_text(FAILING_FSYNC)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    process = in_python(
        ONE_BY_ONE, tmp_path / "log", LD_PRELOAD=str(library), BREAK_FSYNC=str(tmp_path / "broken")
    )
    out, err = process.communicate(timeout=60)
    first, *later = out.splitlines()
    assert (process.returncode, err) == (0, "")
    assert "cannot write the audit log: disk I/O error" in first
    assert later == [f"{tmp_path / 'log' / FILE_NAME}: an earlier write failed"] * 2
    check_everything_acknowledged_is_there(tmp_path / "log", ["before"])


@contextmanager
def as_somebody_who_cannot_write(folder: Path) -> Iterator[None]:
    """Without root's right to write anywhere; the folder and its files stay readable."""
    nobody = 65_534
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)
        return
    parents = [parent for parent in folder.parents if parent != Path("/")]
    before = {path: path.stat().st_mode for path in parents}
    for path in parents:
        path.chmod(before[path] | 0o011)
    os.chown(folder, nobody, -1)
    for path in folder.iterdir():
        os.chown(path, nobody, -1)
    folder.chmod(0o500)
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)
        folder.chmod(0o700)
        for path, mode in before.items():
            path.chmod(mode)


def test_a_folder_that_cannot_be_written_is_an_error_and_not_an_empty_log(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with a_log(folder) as log:
        log.append(a_record(), idempotency_key="1")
    with as_somebody_who_cannot_write(folder), pytest.raises(AuditError, match=str(folder)):
        a_log(folder).append(a_record(), idempotency_key="2")
    check_everything_acknowledged_is_there(folder, [])
    with a_log(folder) as log:
        assert log.size() == 1


def test_a_new_log_in_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir(0o700)
    with as_somebody_who_cannot_write(folder), pytest.raises(AuditError, match="cannot write"):
        a_log(folder)
    with as_somebody_who_cannot_write(folder), pytest.raises(AuditError, match="cannot make this folder"):
        a_log(folder / "below")


def test_a_log_whose_folder_is_gone_is_an_error(tmp_path: Path) -> None:
    log = a_log(tmp_path / "log")
    log.append(a_record("1"), idempotency_key="1")
    shutil.rmtree(tmp_path / "log")
    log._anchored_at = float("-inf")
    with pytest.raises(AuditError):
        log.append(a_record("2"), idempotency_key="2")
    log.close()
