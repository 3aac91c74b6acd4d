"""Type constraints and what they make of values."""

from typing import Any

import pytest

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.types import convert, type_of
from plangate.parsers.hcl.values import MapValue, SetValue, equal


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (5, ("string",), "5"),
        ("5", ("number",), 5),
        ("true", ("bool",), True),
        ((1, UNKNOWN), ("list", ("string",)), ["1", UNKNOWN]),
        (("b", "a", "b"), ("set", ("string",)), SetValue(("a", "b"))),
        ({"a": 1}, ("map", ("string",)), MapValue(a="1")),
        ((1, "x"), ("list", ("any",)), ["1", "x"]),
        ({"a": None}, ("object", {"a": ("optional", ("number",), "7")}), {"a": 7}),
        ({"a": UNKNOWN}, ("object", {"a": ("optional", ("number",), 7)}), {"a": UNKNOWN}),
        ({"more": 1}, ("object", {"a": ("optional", ("number",))}), {"a": None}),
    ],
)
def test_converts_as_terraform_does(value: Any, form: tuple[Any, ...], expected: Any) -> None:
    found = convert(value, type_of(form))

    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("value", "form", "problem"),
    [
        ("hunter2", ("number",), "^a number is required$"),
        ({}, ("object", {"a": ("string",)}), "attribute 'a' is required"),
        (({"a": ()},), ("list", ("object", {"a": ("string",)})), r"\[0\].a: string required, not tuple"),
        ((1, True), ("list", ("any",)), "all items must have the same type"),
    ],
)
def test_says_what_does_not_fit_and_where(value: Any, form: tuple[Any, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        convert(value, type_of(form))


@pytest.mark.parametrize("form", [("nope",), (), ("list", "list"), ("tuple", 5), "string"])
def test_refuses_what_is_no_type(form: Any) -> None:
    with pytest.raises(ValueError, match="not a type constraint"):
        type_of(form)


def test_refuses_a_type_that_is_nested_too_deeply() -> None:
    form: tuple[Any, ...] = ("string",)
    for _ in range(100):
        form = ("list", form)
    with pytest.raises(ValueError, match="nested too deeply"):
        type_of(form)


def test_equality_does_not_convert_and_does_not_guess() -> None:
    assert equal(1, "1") is False
    assert equal((1,), [1]) is False
    assert equal((1, UNKNOWN), (2, UNKNOWN)) is False
    assert equal(None, UNKNOWN) is UNKNOWN
    assert equal([], []) is UNKNOWN
