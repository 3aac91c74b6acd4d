"""Numbers that the embedded engine would change are found, and others leave the quick way open."""

import pytest

from plangate.policy.numbers import InexactNumberError, needs_exact_input, with_whole_numbers


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"{}", False),
        (b'{"a": 18446744073709551615}', False),
        (b'{"a": -9223372036854775808}', False),
        (b'{"a": 18446744073709551616}', True),
        (b'{"a": -9223372036854775809}', True),
        (b"[1,123456789012345678901234567890]", True),
        (b"[1,\n 123456789012345678901234567890\n]", True),
        (b'{"a": 123456789012345678901234567890, "b": 1}', True),
        (b" 123456789012345678901234567890 ", True),
        (b"123456789012345678901234567890", True),
        (b'{"a": "sha256:000000000000000000000000000000ab"}', False),
        (b'{"a": "18446744073709551616"}', False),
        (b'{"a": ":18446744073709551616"}', False),
        (b'{"a": 0.1, "b": 1.7976931348623157e+308, "c": 5e-324, "d": 100.0}', False),
        (b'{"a": 0.30000000000000004}', False),
        (b'{"a": 1.50000000000000000000000}', False),
    ],
)
def test_an_integer_beyond_64_bits_needs_another_way(document: bytes, expected: bool) -> None:
    assert needs_exact_input(document) is expected


@pytest.mark.parametrize(
    "number", ["0.33333333333333333333", "1.00000000000000000001", "123456789012345678.5"]
)
def test_a_decimal_with_more_digits_than_a_double_is_refused(number: str) -> None:
    with pytest.raises(InexactNumberError, match=number.replace(".", r"\.")):
        needs_exact_input(f'{{"a": {number}}}'.encode())


def test_an_enormous_integer_is_refused() -> None:
    with pytest.raises(ValueError, match="digits"):
        needs_exact_input(b"[" + b"9" * 10_000 + b"]")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b'{"a":1.0}', b'{"a":1}'),
        (b'{"a":[1.00, 2.50],"b":"5.0]"}', b'{"a":[1,2.50],"b":"5.0]"}'),
        (b"[1e3]", b"[1000]"),
        (b"[1.5E+1]", b"[15]"),
        (b"-2.0", b"-2"),
        (b'{"a":  10.0 }', b'{"a":10}'),
        (b"[1E+20]", b"[100000000000000000000]"),
    ],
)
def test_whole_numbers_are_written_without_a_point(document: bytes, expected: bytes) -> None:
    assert with_whole_numbers(document) == expected


@pytest.mark.parametrize(
    "document",
    [
        b"{}",
        b'{"a": 1.5, "b": "1.0"}',
        b'{"a":"1.0,"}',
        b'["3e3]"]',
        b"[1e-3]",
        b"[1e999999999]",
        b'{"a": 1, "a": "2.0,"}',
    ],
)
def test_a_document_without_such_numbers_stays_byte_for_byte(document: bytes) -> None:
    assert with_whole_numbers(document) is document


def test_what_is_no_json_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        with_whole_numbers(b'{"a": 1.0, ]')
