"""Bounds, refusals and errors of functions; what they answer is compared with Terraform's console elsewhere."""

import time
from decimal import Decimal
from typing import Any

import pytest

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions import EVALUATORS, FUNCTIONS, FunctionError, TooLargeError
from plangate.parsers.hcl.types import convert, type_of
from plangate.parsers.hcl.values import MapValue, SetValue, ValueTooLargeError, equal, plain


def call(name: str, *arguments: Any) -> Any:
    return FUNCTIONS[name](*arguments)


def endless() -> Any:
    value: Any = "a"
    for _ in range(60):
        value = (value, value)
    return value


def test_the_evaluators_own_functions_are_not_here() -> None:
    assert EVALUATORS.isdisjoint(FUNCTIONS)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("length", ([UNKNOWN, 1],), 2),
        ("merge", ({"a": 1}, UNKNOWN), UNKNOWN),
        ("contains", ((UNKNOWN, "a"), "a"), True),
        ("contains", ((UNKNOWN, "a"), "b"), UNKNOWN),
        ("coalesce", (None, "", "a", UNKNOWN), "a"),
        ("coalesce", (1, UNKNOWN), UNKNOWN),
        ("join", (",", ("a", UNKNOWN)), UNKNOWN),
        ("element", ((1, UNKNOWN), 2), 1),
        ("lookup", ({"a": 1, "b": UNKNOWN}, "a", 2), 1),
        ("lookup", (MapValue(), "a", "none"), "none"),
        ("lookup", (MapValue(), "a", "5"), UNKNOWN),
        ("toset", (("a", UNKNOWN),), UNKNOWN),
        ("tolist", ((1, UNKNOWN),), [UNKNOWN, UNKNOWN]),
        ("timestamp", (), UNKNOWN),
        ("bcrypt", ("x",), UNKNOWN),
        ("toset", (("b", "a", "b"),), SetValue(("a", "b"))),
    ],
)
def test_is_as_precise_as_is_sound(name: str, arguments: tuple[Any, ...], expected: Any) -> None:
    found = call(name, *arguments)

    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("indent", (2**40, "a")),
        ("format", ("%999999999d", 1)),
        ("replace", ("a" * 100_000, "a", "b" * 100_000)),
        ("join", ("x" * 100_000, ("",) * 100_000)),
        ("setproduct", (("a",) * 2_000, ("b",) * 2_000)),
        ("sum", ((Decimal("0.1"),) * 20_000,)),
        ("parseint", ("1" * 5_000, 10)),
        ("tonumber", ("1e99999999",)),
        ("yamldecode", ("[" * 5_000 + "]" * 5_000,)),
        ("jsonencode", (endless(),)),
        ("flatten", (endless(),)),
    ],
)
def test_a_result_without_bound_is_refused(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TooLargeError):
        call(name, *arguments)


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["l0: &l0 [a, b]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(TooLargeError):
        call("yamldecode", chr(10).join(lines))


@pytest.mark.parametrize("use", [plain, lambda v: convert(v, type_of(("any",))), lambda v: equal(v, v)])
def test_values_that_share_their_parts_without_bound_are_refused(use: Any) -> None:
    with pytest.raises(ValueTooLargeError):
        use(endless())


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a+a+)+y", "(.*)*(.*)*(.*)*z"])
def test_no_pattern_takes_long(pattern: str) -> None:
    start = time.process_time()

    found = call("regexall", pattern, "a" * 20_000 + "b")

    assert time.process_time() - start < 10
    assert found is UNKNOWN or found == []


@pytest.mark.parametrize("pattern", ["[[:alpha:]]{1000}{2}", "(?=a)", "a**"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(FunctionError):
        call("regex", pattern, "a")


@pytest.mark.parametrize("pattern", ["\\p{Greek}", "(?i)é", "((a{100}){100}){100}"])
def test_a_pattern_that_is_not_certain_is_unknown(pattern: str) -> None:
    assert call("regex", pattern, "a") is UNKNOWN


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("tonumber", ("hunter2",)),
        ("jsondecode", ('{"hunter2"',)),
        ("cidrhost", ("hunter2", 1)),
        ("cidrhost", ("10.0.0.0.hunter2/8", 1)),
        ("regex", ("hunter2[", "x")),
        ("timeadd", ("hunter2", "1h")),
        ("base64decode", ("hunter2!",)),
    ],
)
def test_an_error_shows_no_value(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(FunctionError) as refused:
        call(name, *arguments)
    assert "hunter2" not in str(refused.value)
