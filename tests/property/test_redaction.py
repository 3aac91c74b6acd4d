"""*A secret appears in no output of the redactor*, however it is written and whatever stands around it."""

import base64
import json
import string
import time
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from plangate.model.redaction import MIN_CHARS, Redactor

KEY: Final = b"k" * 16
# Without the characters of placeholders: what stands for a secret may contain "256" or "hmac", and gives nothing away.
LETTERS: Final = string.ascii_uppercase + "ghijklnopqrstuvwxyz" + "ÄÖ€😀 \n\t\"'\\$%{}<>&=+/"
SECRETS: Final = st.text(LETTERS, min_size=MIN_CHARS, max_size=40)
TEXTS: Final = st.text(max_size=60)


def shown(secrets: list[str], text: str) -> str:
    return Redactor(secrets, KEY).text(text)


@given(st.lists(SECRETS, min_size=1, max_size=5), st.data())
def test_no_secret_is_left_in_a_text(secrets: list[str], data: st.DataObject) -> None:
    parts = data.draw(st.lists(TEXTS | st.sampled_from(secrets), max_size=8))
    said = shown(secrets, "".join(parts))
    assert [secret for secret in secrets if secret in said] == []


@given(st.text(LETTERS, min_size=8, max_size=700), TEXTS, TEXTS)
def test_no_secret_is_left_in_json_or_in_a_representation(secret: str, before: str, after: str) -> None:
    text = before + secret + after
    for written in (json.dumps(text), json.dumps(text, ensure_ascii=False), repr(secret)):
        said = shown([secret], written)
        assert json.dumps(secret)[1:-1] not in said
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in said
        assert repr(secret)[1:-1] not in said


@given(st.text(LETTERS, min_size=12, max_size=90), st.binary(max_size=9), st.binary(max_size=9))
def test_no_secret_is_left_in_what_was_encoded(secret: str, before: bytes, after: bytes) -> None:
    """Of base64 around a secret so little is left that the secret cannot be decoded from it."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        said = shown([secret], encode(before + secret.encode() + after).decode())
        for piece in said.split("hmac256:"):
            rest = piece[len("12345678:1234567812345678") :] if piece is not said else piece
            for cut in range(4):
                usable = rest[cut : cut + (len(rest) - cut) // 4 * 4].replace("-", "+").replace("_", "/")
                decoded = base64.b64decode(usable, validate=False)
                assert secret.encode()[:12] not in decoded


@given(st.lists(st.text(LETTERS, min_size=8, max_size=30), min_size=1, max_size=6), TEXTS)
def test_no_line_of_a_longer_secret_is_left(lines: list[str], around: str) -> None:
    secret = "\n".join(lines)
    for line in secret.splitlines():
        if len(line.strip()) >= 8:
            assert line not in shown([secret], f"{around}{line}{around}")


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | SECRETS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SECRETS, inner, max_size=3),
    max_leaves=10,
)


def texts_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *texts_in(item))]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []


@given(JSON, st.lists(SECRETS, max_size=4))
def test_no_secret_is_left_in_values(values: Any, secrets: list[str]) -> None:
    said = texts_in(Redactor(secrets, KEY).values(values, ()))
    assert [secret for secret in secrets if any(secret in text for text in said)] == []


@given(TEXTS, st.lists(SECRETS, max_size=4))
def test_redacting_twice_changes_nothing_more(text: str, secrets: list[str]) -> None:
    once = shown(secrets, text)
    assert shown(secrets, once) == once


@given(st.text("abc .,", max_size=60), st.lists(st.text("XYZ", min_size=3), max_size=4))
def test_a_text_without_secrets_stays_as_it_is(text: str, secrets: list[str]) -> None:
    assert shown(secrets, text) == text


def seconds_for(number: int) -> float:
    """Secrets that all begin alike, in a text that has the beginning everywhere."""
    secrets = [f"password-{i:06}-{'x' * (i % 50)}" for i in range(number)]
    text = "passwo password-0 " * number
    clean = Redactor(secrets, KEY)
    started = time.process_time()
    assert "hmac256" not in clean.text(text)
    return time.process_time() - started


def test_many_secrets_cost_no_more_than_the_text_is_long() -> None:
    """20,000 secrets at 20,000 places would be 400,000,000 comparisons; the bound is five times looser than linear."""
    assert seconds_for(20_000) < 50 * max(seconds_for(2_000), 0.01)


def test_a_text_that_almost_matches_everywhere_costs_no_more_than_it_is_long() -> None:
    for text, secret in (
        ("a" * 300_000, "a" * 100_000 + "b"),
        ("eyJ-" * 100_000, "x" * 8),
        ("-----BEGIN " * 50_000, "xyz"),
    ):
        started = time.process_time()
        shown([secret], text)
        assert time.process_time() - started < 20
