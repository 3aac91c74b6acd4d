"""Files that are whole or not there, and nobody else's."""

import os
import stat
from pathlib import Path

import pytest

from plangate.audit import private_files
from plangate.errors import AuditError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_made_once_and_left_alone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert private_files.create(path, b"first")
    assert not private_files.create(path, b"second")
    assert private_files.read(path, max_bytes=10) == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(tmp_path) == ["file"]


def test_a_replacement_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(AuditError, match="cannot write"):
        private_files.replace(tmp_path / "file", b"new")
    assert names(tmp_path) == ["file"]


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "file").symlink_to(tmp_path / "target")
    private_files.replace(tmp_path / "file", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not (tmp_path / "file").is_symlink()


def test_a_file_that_is_not_there_is_nothing_and_one_that_is_too_big_is_an_error(tmp_path: Path) -> None:
    assert private_files.read(tmp_path / "none", max_bytes=1) is None
    (tmp_path / "big").write_bytes(b"12")
    with pytest.raises(AuditError, match="more than 1 bytes"):
        private_files.read(tmp_path / "big", max_bytes=1)


def test_folders_above_a_new_one_are_private_whatever_the_umask_says(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private_files.make_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(old)
    made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700] * 3
    assert (tmp_path / "a" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_gets_nothing_put_in(tmp_path: Path) -> None:
    private_files.make_folder(tmp_path)
    assert names(tmp_path) == []


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(AuditError):
            private_files.make_folder(path)
        with pytest.raises(AuditError), private_files.locked(path):
            pass
