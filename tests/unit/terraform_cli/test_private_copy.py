import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from plangate.terraform_cli import MAX_LOCK_BYTES, private_copy

DATA = b"plan" * 100_000


@pytest.mark.parametrize("memory", [True, False])
def test_holds_exactly_the_bytes_and_nothing_afterwards(memory: bool) -> None:
    with private_copy(DATA, memory=memory) as copy:
        found = (Path(copy.path).read_bytes(), copy.sha256())

    assert found == (DATA, hashlib.sha256(DATA).hexdigest())
    assert not Path(copy.path).exists()


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no sealed memory")
def test_sealed_memory_cannot_be_changed_by_anybody() -> None:
    with private_copy(DATA) as copy:
        (descriptor,) = copy.pass_fds
        assert copy.sealed
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"x", 0)
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 0)
        with pytest.raises(PermissionError):
            Path(copy.path).write_bytes(b"x")
        assert copy.sha256() == hashlib.sha256(DATA).hexdigest()


def test_the_file_that_takes_its_place_is_the_owners_alone() -> None:
    with private_copy(DATA, memory=False) as copy:
        path = Path(copy.path)
        modes = [f"{p.stat().st_mode & 0o777:o}" for p in (path, path.parent)]
        path.chmod(0o600)
        path.write_bytes(b"swapped")
        changed = copy.sha256()

    assert modes == ["400", "700"]
    assert changed == hashlib.sha256(b"swapped").hexdigest()


def a_zip(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("memory", [True, False])
def test_the_lock_file_is_that_of_the_plan(memory: bool) -> None:
    with private_copy(a_zip(".terraform.lock.hcl", b"lock"), memory=memory) as copy:
        assert copy.lock_file() == b"lock"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a zip",
        a_zip("tfplan", b"plan"),
        a_zip("../.terraform.lock.hcl", b"lock"),
        a_zip(".terraform.lock.hcl", b" " * (MAX_LOCK_BYTES + 1)),
        a_zip(".terraform.lock.hcl", b"lock").replace(b"lock.hcl", b"luck.hcl", 1),
    ],
    ids=["empty", "no zip", "none", "elsewhere", "too long", "two names"],
)
def test_a_plan_whose_lock_file_cannot_be_read_has_none(data: bytes) -> None:
    with private_copy(data) as copy:
        assert copy.lock_file() is None
