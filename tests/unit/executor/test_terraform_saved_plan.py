import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.executor.terraform_saved_plan import Making, Mode, how_it_was_made

LIMIT = 1_000_000
FORMAT = b"\x08\x03"


def a_field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def a_saved_plan(message: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("tfplan", message)
    return out.getvalue()


def test_reads_mode_targets_and_workspace() -> None:
    backend = a_field(1, b"local") + a_field(2, b"\x80\x81") + a_field(3, "blü".encode())
    message = (
        FORMAT
        + a_field(17, 1)
        + a_field(3, b"anything")
        + a_field(5, b"a.b")
        + a_field(5, b'c.d["x"]')
        + b"\x65\x00\x00\x00\x00"  # field 12, fixed 32 bits
        + b"\x61\x00\x00\x00\x00\x00\x00\x00\x00"  # the same in 64
        + a_field(13, backend)
    )

    assert how_it_was_made(a_saved_plan(message), max_bytes=LIMIT) == Making(
        mode=Mode.DESTROY, targets=("a.b", 'c.d["x"]'), workspace="blü", backend=backend
    )


def test_a_plain_plan_has_neither() -> None:
    assert how_it_was_made(a_saved_plan(FORMAT), max_bytes=LIMIT) == Making(
        mode=Mode.NORMAL, targets=(), workspace=""
    )


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x08\x04",  # another format
        FORMAT + a_field(17, 3),  # an unknown mode
        FORMAT + a_field(17, b"1"),
        FORMAT + a_field(5, b"\xff"),  # not text
        FORMAT + b"\x2a\x05ab",  # cut short
        FORMAT + b"\x80" * 12,
        FORMAT + b"\x0b",  # a group
        b"x" * (LIMIT + 1),
    ],
)
def test_anything_unexpected_is_not_known(message: bytes) -> None:
    assert how_it_was_made(a_saved_plan(message), max_bytes=LIMIT) is None


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_not_known_or_read(data: bytes) -> None:
    assert how_it_was_made(data, max_bytes=LIMIT) is None
    found = how_it_was_made(a_saved_plan(FORMAT + data), max_bytes=LIMIT)
    assert found is None or isinstance(found, Making)
