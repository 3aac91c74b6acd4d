"""Keys in the state folder: made once, private, and never replaced behind anybody's back."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rich.pretty
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from plangate.audit.checkpoint import is_signed, verifier_key
from plangate.audit.keys import key_id, public_key_file, redaction_key, signing_key
from plangate.errors import AuditError
from tests.tools import ROOT


def test_a_key_is_made_on_first_use_and_found_on_the_second(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "keys"
    first = signing_key(folder, "log")
    second = signing_key(folder, "log")
    assert (first.created, second.created) == (True, False)
    assert first.public_key == second.public_key
    assert first.path == folder / "log.pem"
    assert first.name == second.name == f"plangate.dev/log/{key_id(first.public_key)[:16]}"
    assert is_signed(b"message", second.sign(b"message"), first.public_key)


def test_files_and_folder_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    signing_key(folder, "log")
    redaction_key(folder)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {
        "keys": 0o700,
        ".gitignore": 0o600,
        "log.pem": 0o600,
        "log.pub": 0o644,
        "redaction.key": 0o600,
    }


def test_a_new_folder_keeps_its_keys_out_of_git_and_an_old_one_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o700)
    for folder in (tmp_path / "new", tmp_path / "old"):
        signing_key(folder, "log")
    assert (tmp_path / "new" / ".gitignore").read_text() == "*\n"
    assert not (tmp_path / "old" / ".gitignore").exists()


def test_the_private_key_is_pkcs8_that_other_programs_read(tmp_path: Path) -> None:
    key = signing_key(tmp_path, "log")
    loaded = load_pem_private_key(key.path.read_bytes(), None)
    assert isinstance(loaded, Ed25519PrivateKey)
    assert loaded.public_key().public_bytes_raw() == key.public_key


def test_a_key_that_another_program_made_is_used(tmp_path: Path) -> None:
    made = Ed25519PrivateKey.generate()
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / "log.pem"
    path.touch(0o600)
    path.write_bytes(pem)
    key = signing_key(tmp_path, "log")
    assert (key.created, key.public_key) == (False, made.public_key().public_bytes_raw())


def test_the_public_half_is_a_verifier_key_of_the_same_name(tmp_path: Path) -> None:
    key = signing_key(tmp_path, "log", note_name="example.com/log")
    assert public_key_file(tmp_path / "log.pub") == ("example.com/log", key.public_key)
    assert (tmp_path / "log.pub").read_text() == verifier_key("example.com/log", key.public_key) + "\n"


def test_a_public_half_that_is_not_the_private_keys_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path, "log")
    other = signing_key(tmp_path / "other", "log")
    (tmp_path / "log.pub").write_text(verifier_key(other.name, other.public_key) + "\n")
    with pytest.raises(AuditError, match="not the public half"):
        signing_key(tmp_path, "log")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o666])
def test_a_key_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    key = signing_key(tmp_path, "log")
    redacting = redaction_key(tmp_path)
    for path, load in (
        (key.path, lambda: signing_key(tmp_path, "log")),
        (redacting.path, lambda: redaction_key(tmp_path)),
    ):
        path.chmod(mode)
        with pytest.raises(AuditError, match="others can"):
            load()


def _link(path: Path) -> None:
    path.rename(path.with_suffix(".away"))
    path.symlink_to(path.with_suffix(".away"))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("spoil", [_link, _folder, _pipe])
def test_a_key_that_is_no_plain_file_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(signing_key(tmp_path, "log").path)
    with pytest.raises(AuditError, match=r"symbolic link|not a regular file"):
        signing_key(tmp_path, "log")


def test_a_dangling_link_is_no_invitation_to_make_a_key(tmp_path: Path) -> None:
    (tmp_path / "log.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditError, match="symbolic link"):
        signing_key(tmp_path, "log")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    folder.chmod(0o770)
    with pytest.raises(AuditError, match="others can write to this folder") as caught:
        signing_key(folder, "log")
    assert caught.value.hint == f"chmod 700 {folder}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN RSA KEY-----\nMC4CAQAwBQYDK2VwBCIEI" + b"A" * 43 + b"\n-----END RSA KEY-----\n",
        b"x" * 5_000,
    ],
)
def test_a_broken_key_is_an_error_and_stays_where_it_is(tmp_path: Path, content: bytes) -> None:
    for name, load in (
        ("log.pem", lambda: signing_key(tmp_path, "log")),
        ("redaction.key", lambda: redaction_key(tmp_path)),
    ):
        path = tmp_path / name
        path.touch(0o600)
        path.write_bytes(content)
        with pytest.raises(AuditError):
            load()
        assert path.read_bytes() == content


def test_the_redaction_key_stays_the_same_and_its_id_tells_nothing_else(tmp_path: Path) -> None:
    first, second = redaction_key(tmp_path), redaction_key(tmp_path)
    assert (first.created, second.created) == (True, False)
    assert first.secret == second.secret
    assert len(first.secret) == 32
    assert len(first.key_id) == 8
    assert first.key_id not in first.secret.hex()


def test_no_key_shows_in_its_repr(tmp_path: Path) -> None:
    key, redacting = signing_key(tmp_path, "log"), redaction_key(tmp_path)
    assert repr(key._seed) not in repr(key)
    assert repr(redacting.secret) not in repr(redacting)
    drawn = [rich.pretty.pretty_repr(each) for each in (key, redacting)]
    assert [secret for secret in (key._seed, redacting.secret) if repr(secret) in "".join(drawn)] == []


def test_first_runs_at_the_same_time_end_up_with_one_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from plangate.audit.keys import signing_key\n"
        "key = signing_key(Path(sys.argv[1]), 'log'); print(key.created, key.public_key.hex())"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "keys")],
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    said = [process.communicate(timeout=60)[0].split() for process in running]
    assert sorted(created for created, _ in said) == ["False"] * 5 + ["True"]
    assert {public_key for _, public_key in said} == {signing_key(tmp_path / "keys", "log").public_key.hex()}
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [".gitignore", "log.pem", "log.pub"]


@pytest.mark.parametrize("content", [None, b"\xff", b"nonsense\n"])
def test_a_public_key_file_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "log.pub"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AuditError):
        public_key_file(path)
