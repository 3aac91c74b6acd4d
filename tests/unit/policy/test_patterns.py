"""Regular expressions are allowed where Go and Rust understand the same, and refused elsewhere."""

import pytest

from plangate.policy.patterns import regex_problem

ALIKE = [
    "",
    "^a+$",
    "^[0-9]{12}$",
    "^arn:aws:iam::[0-9]+:role/(a|b)-[^/]*$",
    "(?i)admin",
    "(?P<name>a)",
    "(?:a|b)?c",
    "a*?b+?c??",
    "a{2,}b{,2}"[:5],
    "[a-z&]"[:4] + "]",
    "[[:alpha:]_-]",
    r"\.\*\+\?\(\)\|\[\]\{\}\^\$\-\/\@",
    r"\n\r\t\f\v",
    "é+",
    "[é-ü]",
]


@pytest.mark.parametrize("pattern", ALIKE)
def test_allows(pattern: str) -> None:
    assert regex_problem(pattern) == ""


DIFFERENT = [
    r"\d",
    r"\w",
    r"\s",
    r"\b",
    r"\D",
    r"[\d]",
    r"[\w-]",
    r"\pL",
    r"\Qa\E",
    r"\x41",
    r"\u00e9",
    r"\z",
    r"\A",
    r"\1",
    r"\<a",
    "\\",
    "[a&&b]",
    "[a--b]",
    "[a~~b]",
    "[&]",
    "[[a]",
    "[]a]",
    "[a",
    "[[:foo:]]",
    "[[:word:]]",
    "(?x)a b",
    "(?U)a",
    "(?=a)",
    "(?<name>a)",
    "(?R)a",
    "a**",
    "a++",
    "a{2}{3}",
    "a{1001}",
    "a{2,1}",
    "a{",
    "{",
    "}",
    "*a",
    "^*",
    "a|*",
    "(*a)",
]


@pytest.mark.parametrize("pattern", DIFFERENT)
def test_refuses(pattern: str) -> None:
    assert regex_problem(pattern) != ""


def test_says_what_to_write_instead() -> None:
    assert regex_problem(r"^\D$").endswith("write [^0-9]")
    assert regex_problem(r"^\w$").endswith("write [0-9A-Za-z_]")
    assert regex_problem(r"\S").endswith(r"write [^ \t\n\f\r]")
