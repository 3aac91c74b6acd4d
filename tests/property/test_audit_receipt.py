"""A receipt that was touched in any way is refused with a sentence."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.audit.receipt import verify_receipt
from plangate.errors import ReceiptError
from tests.unit.audit.builders import NOW, PLAN, a_log, a_receipt, a_signer


@cache
def receipt() -> bytes:
    with TemporaryDirectory() as folder, a_log(Path(folder) / "log") as log:
        return a_receipt(log)


def check(content: bytes) -> None:
    verify_receipt(
        content,
        plan_sha256=PLAN,
        environment="prod",
        audience="terraform",
        now=NOW + timedelta(minutes=1),
        trusted_keys={a_signer(2).public_key},
        log_public_keys={a_signer(1).public_key},
    )


@given(st.data())
def test_no_flipped_bit_goes_unnoticed(data: st.DataObject) -> None:
    genuine = receipt()
    check(genuine)
    at = data.draw(st.integers(0, len(genuine) - 1))
    bit = data.draw(st.sampled_from([1 << n for n in range(8)]))
    changed = genuine[:at] + bytes([genuine[at] ^ bit]) + genuine[at + 1 :]
    if _is_only_the_hint(genuine, at):
        return  # the key id outside of the signed payload is not believed, so it proves nothing either
    with pytest.raises(ReceiptError):
        check(changed)


@given(st.data())
def test_no_part_of_a_receipt_passes_for_the_whole(data: st.DataObject) -> None:
    genuine = receipt()
    start = data.draw(st.integers(0, len(genuine)))
    stop = data.draw(st.integers(start, len(genuine)))
    if (start, stop) != (0, len(genuine)):
        with pytest.raises(ReceiptError):
            check(genuine[start:stop])


@given(st.binary(max_size=500) | st.text(max_size=500).map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_are_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(ReceiptError):
        check(content)


def _is_only_the_hint(genuine: bytes, at: int) -> bool:
    def spans() -> Iterator[range]:
        start = genuine.index(b'"keyid":"')
        yield range(start, genuine.index(b'"', start + 9))

    return any(at in span for span in spans())
