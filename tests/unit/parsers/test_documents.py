"""JSON is read strictly, exactly, and at a bounded cost."""

import json
from decimal import Decimal
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.parsers.base import Limits
from plangate.parsers.documents import position_of, read_json


def value_of(text: str | bytes, **limits: int) -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return read_json(data, "f", Limits(**limits))[0]


def complaint(text: str | bytes, **limits: int) -> str:
    with pytest.raises(PlanParseError) as caught:
        value_of(text, **limits)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-0", 0),
        ("1.10", Decimal("1.10")),
        ("1e2", Decimal("1e2")),
        ("0e999999999", 0),
        ("0.1", Decimal("0.1")),
        ("18446744073709551617", 18446744073709551617),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\\\ud800"', "\\ud800"),
        ('"\\u0000"', "\0"),
        ('{"a":{"a":1}}', {"a": {"a": 1}}),
        ('[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}]),
    ],
)
def test_values_stay_exact(text: str, value: Any) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":1,\n "a":2}', 'f: line 2 column 2: duplicate key "a"'),
        ('{"a":1,"\\u0061":2}', 'f: line 1 column 8: duplicate key "\\u0061"'),
        ('[{"b":{"a":[1,{"x":0}],"c":"{","a":2}}]', 'f: line 1 column 32: duplicate key "a"'),
        ("[1,NaN]", "f: line 1 column 4: NaN is not JSON"),
        ('{"a":Infinity}', "f: line 1 column 6: Infinity is not JSON"),
        ("[-Infinity]", "f: line 1 column 2: -Infinity is not JSON"),
        ('["\\ud800"]', "f: line 1 column 2: text with half of a surrogate pair"),
        ('{"\\udc00":1}', "f: line 1 column 2: text with half of a surrogate pair"),
        ("[1e999999999]", "f: line 1 column 2: number with an exponent that is out of range (limit: 1000)"),
        ("[1e-1001]", "f: line 1 column 2: number with an exponent that is out of range (limit: 1000)"),
        (
            "[1e99999999999999999999]",
            "f: line 1 column 2: number with an exponent that is out of range (limit: 1000)",
        ),
        ("[" + "9" * 1001 + "]", "f: line 1 column 2: number with 1001 characters (limit: 1000)"),
        ("[0." + "9" * 1000 + "]", "f: line 1 column 2: number with 1002 characters (limit: 1000)"),
        ('"\t"', "f: line 1 column 2: not JSON: invalid control character at"),
        ("[1] x", "f: line 1 column 5: not JSON: extra data"),
        ("[01]", "f: line 1 column 3: not JSON: expecting ',' delimiter"),
    ],
)
def test_what_json_does_not_allow_is_refused_with_its_place(text: str, message: str) -> None:
    assert complaint(text) == message


def test_the_number_of_digits_is_a_setting_with_an_end() -> None:
    assert value_of("9" * 4300, max_number_digits=100_000) == 10**4300 - 1
    assert "number with 4301 characters (limit: 4300)" in complaint("9" * 4301, max_number_digits=100_000)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_depth_is_bounded_exactly(opening: str) -> None:
    levels = opening.count("[") + opening.count("{")
    fits = 120 // levels
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    assert value_of(opening * fits + "1" + closing * fits) is not None
    assert complaint(opening * (fits + 1) + "1" + closing * (fits + 1)) == (
        f"f: line 1 column {1 + fits * len(opening)}: nested deeper than 120 levels"
    )


def test_brackets_in_texts_are_not_depth() -> None:
    text = json.dumps(["[" * 1000, '\\"[' * 1000, "{[\\"])
    assert value_of(text) == json.loads(text)


def test_a_limit_beyond_what_can_be_read_ends_in_a_refusal() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert complaint(deep, max_depth=1_000_000) == "f: nested too deeply to be read"
    unclosed = '[{"a": "\\' * 50_000
    assert complaint(unclosed, max_depth=1_000_000).startswith("f: ")


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("", (1, 1)),
        ("/a", (1, 7)),
        ("/b", (2, 7)),
        ("/b/1", (3, 2)),
        ("/b/1/c~1d", (3, 9)),
        ("/b/1/c~1d/~0", (3, 14)),
        ("/b/2", (0, 0)),
        ("/b/x", (0, 0)),
        ("/a/b", (0, 0)),
        ("/missing", (0, 0)),
    ],
)
def test_a_pointer_has_a_line_and_a_column(pointer: str, place: tuple[int, int]) -> None:
    text = '{ "a":[],\n "b": [1.5e3 ,\n {"c/d":{"~":"x\\"]"}}]}'
    assert position_of(text, pointer) == place
