"""A file is as many inputs as conftest makes of it; what conftest would read otherwise is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.parsers.base import Input, Limits
from plangate.parsers.conftest_documents import MAX_INPUTS, combined, read_raw


def inputs(text: str, name: str = "file.yaml") -> list[Any]:
    data = text.encode()
    found = read_raw(Input(name=name, data=data, sha256="", size=len(data)), Limits())
    assert [json.loads(each.data, parse_float=Decimal) for each in found] == [each.value for each in found]
    return [each.value for each in found]


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("plan.json", '{"a": 1}', [{"a": 1}]),
        ("plan.json", '[{"a": 1}, 2]', [{"a": 1}, 2]),
        ("plan.json", "\ufeff{}", [{}]),
        ("tfplan", '{"a": 1.5}', [{"a": Decimal("1.5")}]),
        ("-", "a: yes", [{"a": True}]),
        ("-", '{"a": "yes"}', [{"a": "yes"}]),
        ("file.yml", "- 1\n- b\n", [1, "b"]),
        ("file.yaml", "---\na: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("file.yaml", "# words\n---\na: 1\n", [None, {"a": 1}]),
        ("file.yaml", "# words\n--- # more\na: 1\n", [{"a": 1}]),
        ("file.yaml", "a: 1\n---\n- 2\n---\n", [{"a": 1}, [2], None]),
        ("file.yaml", "a: 1\r\n---\r\nb: 2\r\n", [{"a": 1}, {"b": 2}]),
        ("file.yaml", "%YAML 1.1\n---\na: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
    ],
)
def test_a_file_is_as_many_inputs_as_conftest_makes_of_it(name: str, text: str, values: list[Any]) -> None:
    assert inputs(text, name) == values


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("main.tf", "{}", "conftest reads this with its HCL2 parser, which plangate does not have"),
        ("a/Dockerfile", "{}", "conftest reads this with its Dockerfile parser, which plangate does not have"),
        ("Dockerfile.json", "{}", "conftest reads this with its Dockerfile parser, which plangate does not have"),
        (".dockerignore", "a", "conftest reads this with its ignore parser, which plangate does not have"),
        ("settings.toml", "a = 1", "conftest reads this with its TOML parser, which plangate does not have"),
        ("notes.txt", "a: 1", "conftest has no parser for a file with this name"),
        ("list.json", "[]", "an empty list, of which conftest judges nothing"),
        ("a.yaml", "a: 1\n--- \nb: 2", "conftest would judge only the first of several documents"),
        ("a.yaml", "~\n---\t# two\nb: 2", "conftest would judge only the first of several documents"),
        ("a.yaml", "a: 1\n...\nb: 2", "conftest would judge only the first of several documents"),
        ("a.yaml", "a: !Ref b", "conftest leaves out the tag !Ref"),
        ("n.json", '{"a": 9007199254740993}', "conftest would round the number 9007199254740993"),
        ("n.json", '{"a": [0.12345678901234567890]}', "conftest would round the number 0.12345678901234567890"),
        ("n.json", '{"a": 1e999}', "conftest would round the number 1E+999"),
        ("many.json", f"[{','.join('1' * (MAX_INPUTS + 1))}]", f"(limit: {MAX_INPUTS})"),
    ],
)  # fmt: skip
def test_what_conftest_would_read_otherwise_is_refused(name: str, text: str, problem: str) -> None:
    with pytest.raises(PlanParseError) as caught:
        inputs(text, name)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "number", ["9007199254740992", "1e22", "0.1", "-123456789012", "100000000000000000000"]
)
def test_numbers_that_a_double_holds_are_kept(number: str) -> None:
    assert inputs(f"[{number}]", "n.json") == [json.loads(number, parse_float=Decimal)]


def test_combined_files_are_a_list_by_path() -> None:
    def read(name: str, text: str) -> Any:
        return name, read_raw(Input(name=name, data=text.encode(), sha256="", size=0), Limits())

    one = combined([read("b.json", '{"b": 1}'), read("a.yaml", "a: 1\n---\na: 2\n")])
    assert one.value == json.loads(one.data)
    assert one.value == [
        {"path": "a.yaml", "contents": {"a": 1}},
        {"path": "a.yaml", "contents": {"a": 2}},
        {"path": "b.json", "contents": {"b": 1}},
    ]
