"""What gives way in a text, and to what."""

import base64
import json
from decimal import Decimal
from typing import Any

import pytest

from plangate.model.redaction import MAX_PIECE_CHARS, Redactor

KEY = b"k" * 16
SECRET = "hunter2hunter2"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"


def redactor(*secrets: str) -> Redactor:
    return Redactor(secrets, KEY)


def test_a_placeholder_is_stable_and_depends_on_the_key() -> None:
    mark = redactor().placeholder(SECRET)
    assert mark == redactor("other").placeholder(SECRET)
    assert mark.split(":")[0] == "hmac256"
    assert [len(part) for part in mark.split(":")] == [7, 8, 16]
    other = Redactor((), b"x" * 16).placeholder(SECRET)
    assert other.split(":")[1] != mark.split(":")[1]
    assert other.split(":")[2] != mark.split(":")[2]


def test_equal_secrets_stay_equal_wherever_they_stand() -> None:
    clean = redactor(SECRET)
    mark = clean.placeholder(SECRET)
    assert clean.text(f"a {SECRET} b {SECRET}, c") == f"a {mark} b {mark}, c"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"password={SECRET}\n".encode()).decode(),
        base64.b64encode(f"1{SECRET}".encode()).decode(),
        base64.b64encode(f"12{SECRET}3".encode()).decode(),
        f"prefix{SECRET}suffix",
        SECRET * 3,
    ],
)
def test_a_secret_is_recognized_in_every_writing(written: str) -> None:
    said = redactor(SECRET).text(f"found {written} there")
    assert "hmac256:" in said
    assert SECRET not in said
    if "==" not in written and written != SECRET:
        inner = base64.b64encode(SECRET.encode()).decode().rstrip("=")[:-1]
        assert inner not in said


def test_a_secret_that_is_base64_is_recognized_decoded() -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()
    assert redactor(encoded).text(f"it says {SECRET}") == f"it says {redactor().placeholder(SECRET)}"


def test_a_secret_of_several_lines_is_recognized_whole_by_line_and_quoted() -> None:
    secret = 'export A="hunter2"\n\nshort\nexport B=hunter3'
    clean = redactor(secret)
    assert clean.text(f"<{secret}>") == f"<{clean.placeholder(secret)}>"
    assert "hunter" not in clean.text(json.dumps({"script": secret}))
    assert "hunter" not in clean.text(repr(secret))
    assert "hunter3" not in clean.text("line 4 is export B=hunter3")
    assert clean.text("a short line") == "a short line"


def test_a_secret_longer_than_a_piece_gives_way_as_a_whole() -> None:
    secret = "".join(chr(33 + i * 7 % 90) for i in range(MAX_PIECE_CHARS * 5 + 17))
    clean = redactor(secret)
    assert clean.text(f"<{secret}>") == f"<{clean.placeholder(secret)}>"


def test_overlapping_secrets_leave_nothing_of_either() -> None:
    clean = redactor("abcdef", "defghi", "cde")
    assert clean.text("xabcdefghix") == f"x{clean.placeholder('abcdefghi')}x"
    assert clean.text("abcdefx") == f"{clean.placeholder('abcdef')}x"
    assert clean.text("abcdeX") == f"ab{clean.placeholder('cde')}X"


def test_the_longest_of_nested_secrets_gives_way() -> None:
    clean = redactor("pass", "password", "passw")
    assert clean.text("my password.") == f"my {clean.placeholder('password')}."


def test_a_secret_too_short_to_be_told_from_text_is_left() -> None:
    assert redactor("ab", "").text("about ab") == "about ab"


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "xoxb-1234567890-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        PEM,
        "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA and then cut off",
    ],
)
def test_what_looks_like_a_secret_gives_way_though_nothing_says_so(secret: str) -> None:
    clean = redactor()
    assert clean.text(f"found {secret}") == f"found {clean.placeholder(secret)}"


def test_the_password_in_a_url_gives_way() -> None:
    clean = redactor()
    assert (
        clean.text("see postgres://app:pw123@db/x") == f"see postgres://{clean.placeholder('app:pw123')}@db/x"
    )


@pytest.mark.parametrize(
    "text", ["AKIA is a prefix", "https://example.com:8080/path", "eyJ", "a@b.c", "BEGIN PRIVATE KEY"]
)
def test_ordinary_texts_stay(text: str) -> None:
    assert redactor().text(text) == text


# --- Values --------------------------------------------------------------------------------------------------


def test_sensitive_paths_are_masked_whatever_is_there() -> None:
    clean = redactor(SECRET)
    values = {"a": "xy", "b": [1, {"c": True}], "d": None, "e": {"f": {"g": 1}}, "h": "kept"}
    assert clean.values(values, ("/a", "/b/1/c", "/d", "/e", "/e/f/g", "/missing/x")) == {
        "a": clean.placeholder("xy"),
        "b": [1, {"c": clean.placeholder("True")}],
        "d": None,
        "e": clean.placeholder("{'f': {'g': 1}}"),
        "h": "kept",
    }
    assert clean.values(values, ("",)) == clean.placeholder(repr(values))


def test_secrets_outside_of_sensitive_paths_are_masked_in_texts_keys_and_numbers() -> None:
    clean = redactor(SECRET, "123456", "1.25")
    mark = clean.placeholder(SECRET)
    values: Any = {SECRET: f"is {SECRET}", "n": [123456, Decimal("1.25"), 7, True], "t": (SECRET,)}
    assert clean.values(values, ()) == {
        mark: f"is {mark}",
        "n": [clean.placeholder("123456"), clean.placeholder("1.25"), 7, True],
        "t": [mark],
    }


def test_a_path_with_escapes_is_the_key_that_it_names() -> None:
    clean = redactor()
    assert clean.values({"a/b": {"~": "x"}}, ("/a~1b/~0",)) == {"a/b": {"~": clean.placeholder("x")}}
