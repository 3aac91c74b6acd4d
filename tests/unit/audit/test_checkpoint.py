"""Signed notes: the format other tools read, and everything that is not it."""

import base64

import pytest
from msgspec.structs import replace

from plangate.audit import checkpoint as notes
from plangate.audit.checkpoint import Checkpoint
from plangate.errors import AuditError
from tests.unit.audit.builders import ORIGIN, a_signer

SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
CHECKPOINT = Checkpoint(origin=ORIGIN, size=42, root=bytes(range(32)))
SIGNER = a_signer()


def test_the_key_id_of_gos_checksum_database_is_the_published_one() -> None:
    name, public_key = notes.parse_verifier_key(SUMDB)
    assert (name, notes.key_id(name, public_key).hex()) == ("sum.golang.org", "033de0ae")
    assert notes.verifier_key(name, public_key) == SUMDB


def test_the_example_note_of_gos_note_package_verifies() -> None:
    # Source: https://pkg.go.dev/golang.org/x/mod/sumdb/note
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    name, public_key = notes.parse_verifier_key(vkey)
    decoded = base64.b64decode(line)
    assert decoded[:4] == notes.key_id(name, public_key) == bytes.fromhex("c74f20a3")
    assert notes.is_signed(text.encode(), decoded[4:], public_key)


def test_the_text_is_origin_size_and_root_on_a_line_each() -> None:
    assert CHECKPOINT.text() == f"{ORIGIN}\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"


def test_a_signed_checkpoint_reads_back_as_it_was() -> None:
    extended = replace(CHECKPOINT, extensions=("witness 1", "witness 2"))
    for checkpoint in (CHECKPOINT, extended):
        note = notes.sign(checkpoint, SIGNER)
        assert notes.parse(note) == checkpoint
        assert notes.verify(note, public_keys=[SIGNER.public_key], origin=ORIGIN) == checkpoint


def test_the_signature_covers_the_text_with_its_last_newline() -> None:
    note = notes.sign(CHECKPOINT, SIGNER)
    text, line = note.split("\n\n")
    prefix, name, encoded = line.strip().split(" ")
    decoded = base64.b64decode(encoded)
    assert (prefix, name, decoded[:4]) == ("—", ORIGIN, notes.key_id(ORIGIN, SIGNER.public_key))
    assert notes.is_signed(f"{text}\n".encode(), decoded[4:], SIGNER.public_key)


def test_every_flipped_character_of_the_text_or_signature_is_refused() -> None:
    note = notes.sign(CHECKPOINT, SIGNER)
    for at in range(len(note)):
        flipped = note[:at] + chr(ord(note[at]) ^ 1) + note[at + 1 :]
        with pytest.raises(AuditError):
            notes.verify(flipped, public_keys=[SIGNER.public_key])


def test_a_note_of_a_key_that_is_not_trusted_is_refused() -> None:
    note = notes.sign(CHECKPOINT, SIGNER)
    for trusted in ([], [a_signer(9).public_key], [b""]):
        with pytest.raises(AuditError, match="not signed by a trusted key"):
            notes.verify(note, public_keys=trusted)


def test_a_note_of_another_log_is_refused() -> None:
    note = notes.sign(CHECKPOINT, SIGNER)
    with pytest.raises(AuditError, match="of another log"):
        notes.verify(note, public_keys=[SIGNER.public_key], origin="plangate.dev/log/other")


def test_signatures_of_keys_we_do_not_know_are_ignored() -> None:
    cosigned = (
        notes.sign(CHECKPOINT, SIGNER) + "— witness.example " + base64.b64encode(bytes(68)).decode() + "\n"
    )
    assert notes.verify(cosigned, public_keys=[SIGNER.public_key]) == CHECKPOINT


def test_one_invalid_signature_of_a_trusted_key_spoils_the_note() -> None:
    forged = notes.key_id(ORIGIN, SIGNER.public_key) + bytes(64)
    note = notes.sign(CHECKPOINT, SIGNER)
    for spoilt in (
        f"{note}— {ORIGIN} {base64.b64encode(forged).decode()}\n",
        f"{note}— {ORIGIN} {base64.b64encode(forged[:40]).decode()}\n",
    ):
        with pytest.raises(AuditError, match="is not valid"):
            notes.verify(spoilt, public_keys=[SIGNER.public_key])


def test_a_key_signs_under_any_name_because_its_bytes_are_what_counts() -> None:
    text = CHECKPOINT.text()
    signature = notes.key_id("another.name", SIGNER.public_key) + SIGNER.sign(text.encode())
    note = f"{text}\n— another.name {base64.b64encode(signature).decode()}\n"
    assert notes.verify(note, public_keys=[SIGNER.public_key]) == CHECKPOINT


GOOD = notes.sign(CHECKPOINT, SIGNER)
ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        GOOD[:-1],
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("— ", "-- "),
        GOOD.replace("\n42\n", "\n042\n"),
        GOOD.replace("\n42\n", "\n-42\n"),
        GOOD.replace("\n42\n", "\n٤٢\n"),
        GOOD.replace("\n42\n", f"\n{2**63}\n"),
        GOOD.replace("\n42\n", f"\n{'9' * 5000}\n"),
        GOOD.replace("\n42\n", "\n"),
        GOOD.replace(ROOT, ROOT[:-4]),
        GOOD.replace(ROOT, ROOT[:-1]),
        GOOD.replace(ROOT, ROOT[:-2] + "9="),
        GOOD.replace(ROOT, "!" + ROOT[1:]),
        GOOD.replace(ORIGIN, "two words"),
        GOOD.replace(ORIGIN, "plus+sign"),
        GOOD.replace(ORIGIN, ""),
        GOOD.replace(ORIGIN, "tab\there"),
        GOOD.replace(ORIGIN, "lone\udc80surrogate"),
        GOOD.replace(ROOT, ROOT + "\n"),
        GOOD + "— x AAAA\n",
        GOOD + "— x !!\n",
        GOOD + "— x\n",
        GOOD + "junk\n",
        GOOD + GOOD[GOOD.index("—") :] * notes.MAX_SIGNATURES,
        GOOD.replace(ROOT, ROOT + "\n" + "x" * notes.MAX_NOTE_BYTES),
    ],
)
def test_what_is_not_written_in_the_one_allowed_way_is_refused(note: str) -> None:
    for read in (notes.parse, lambda text: notes.verify(text, public_keys=[SIGNER.public_key])):
        with pytest.raises(AuditError):
            read(note)


@pytest.mark.parametrize(
    "checkpoint",
    [
        replace(CHECKPOINT, origin=""),
        replace(CHECKPOINT, origin="a b"),
        replace(CHECKPOINT, origin="a\n9\nb"),
        replace(CHECKPOINT, size=-1),
        replace(CHECKPOINT, size=2**63),
        replace(CHECKPOINT, root=b"short"),
        replace(CHECKPOINT, extensions=("",)),
        replace(CHECKPOINT, extensions=("two\nlines",)),
    ],
)
def test_a_checkpoint_that_would_read_back_differently_is_not_signed(checkpoint: Checkpoint) -> None:
    with pytest.raises(AuditError):
        notes.sign(checkpoint, SIGNER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sum.golang.org",
        SUMDB.replace("033de0ae", "033de0af"),
        SUMDB.replace("sum.golang.org", "sum.golang.com"),
        SUMDB[:-4],
        SUMDB.replace("+Ac4z", "+As4z"),
        SUMDB[:-1] + "!",
    ],
)
def test_a_verifier_key_that_contradicts_itself_is_refused(text: str) -> None:
    with pytest.raises(AuditError):
        notes.parse_verifier_key(text)


def test_bytes_that_are_no_key_verify_nothing() -> None:
    assert not notes.is_signed(b"message", bytes(64), bytes(32))
    assert not notes.is_signed(b"message", bytes(64), b"\xff" * 32)
    assert not notes.is_signed(b"message", bytes(63), SIGNER.public_key)
