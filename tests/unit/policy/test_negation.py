"""`not` is allowed in the forms in which both engines mean the same, and refused in the others."""

from pathlib import Path

import pytest

from plangate.errors import PolicyLoadError
from tests.unit.policy.builders import a_policy, load_policy

HELPERS = """
some_names := {"a", "b"}

maybe := 1 if input.errored

total(x) := [x]

partial(x) := x if x.address == "a"

is_bad(x) if x.address == "a"

default quiet := false

quiet if input.errored
"""


def with_line(line: str) -> str:
    """A policy whose deny holds only if a line does; `r` is a resource, `xs` a list, `x` a value of it."""
    return a_policy(
        f"""
deny contains lib.finding(r, "bad") if {{
	some r in lib.of_kind("compute.instance")
	xs := r.after.list
	some x in xs
	{line}
}}
{HELPERS}"""
    )


ALLOWED = [
    "not r.facts.public_ip",
    "not r.facts.public_ip == true",
    "not r.after.tags.env",
    'not r.after["a b"][0].c',
    "not r.after[x]",
    "not r.after.a == r.after.b",
    "not r.after.a = 1",
    "not input.resources[0].after.x",
    "not xs[x] == 1",
    'not "a" in xs',
    'not "/a" in r.unknown',
    'not r.action in {"delete", "forget"}',
    'not startswith(r.type, "aws_")',
    'not startswith(x, "a")',
    "not x != 1",
    "not x < 1",
    "not is_bad(r)",
    "not total(r)",
    "not partial(r)",
    'not lib.is_unknown(r, "/a")',
    "not x in some_names",
    "not some_names[x]",
    "not maybe",
    "not maybe == 1",
    "not quiet in [true]",
    "not count(xs) == 0",
    'not object.get(x, "a", 1) == 2',
    "not count({y | y := xs[_]}) == 1",
    "not {1 | x == 1} == {1}",
    "not [x, 1] == [1, 1]",
    "not input.errored",
    "not input.applyable",
    'not lib.by_kind["storage.bucket"]',
    "not input.complete in [true]",
]


@pytest.mark.parametrize("line", ALLOWED)
def test_allows(line: str, tmp_path: Path) -> None:
    assert load_policy(tmp_path, with_line(line)).rules[0].id == "no-bad"


REFUSED = {
    "not r.facts.public_ip != true": "r.facts.public_ip",
    "not r.after.size < 3": "r.after.size",
    "not 3 > r.after.size": "r.after.size",
    'not "a" in r.after.list': "r.after.list",
    "not r.after.name in some_names": "r.after.name",
    'not startswith(r.after.name, "a")': "r.after.name",
    "not is_bad(r.after)": "",
    "not is_bad(r.after.nested)": "r.after.nested",
    "not partial(r) == 1": "partial(r)",
    "not is_bad(partial(r))": "partial(r)",
    "not partial(r).address": "partial(r).address",
    "not r.after[r.after.name]": "r.after.name",
    "not [r.after.a] == [1]": "r.after.a",
    'not {"a": r.after.a} == {}': "r.after.a",
    "not r.after.a + 1 == 2": "r.after.a",
    "not x in maybe": "maybe",
    "not maybe < 2": "maybe",
    "not count(r.after.list) == 0": "r.after.list",
    'not object.get(r.after.tags, "a", 1) == 2': "r.after.tags",
    "not -r.after.a == 1": "r.after.a",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refuses(line: str, tmp_path: Path) -> None:
    if not REFUSED[line]:
        # Every resource has `after`.
        assert load_policy(tmp_path, with_line(line)).rules
        return
    with pytest.raises(PolicyLoadError) as caught:
        load_policy(tmp_path, with_line(line))
    assert caught.value.problem == (
        f"`{REFUSED[line]}` may be undefined: then OPA drops the line and the embedded engine makes `not` true"
    )
    assert caught.value.line == 18
    assert "in a line above" in caught.value.hint


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("not xs[_] == 1", "_"),
        ("not xs[i] == 1", "i"),
        ("some i\n\tnot xs[i] == 1", "i"),
        ("not r.after[_]", "_"),
    ],
)
def test_refuses_a_variable_that_only_the_negation_binds(line: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError) as caught:
        load_policy(tmp_path, with_line(line))
    assert caught.value.problem == f"`{name}` gets no value outside of this `not`"


def test_a_negation_in_a_function_is_judged_with_what_it_gets(tmp_path: Path) -> None:
    function = '\n\nfresh(thing) if not thing.action in {"no-op"}\n'
    assert load_policy(tmp_path / "resource", with_line("fresh(r)") + function).rules
    with pytest.raises(PolicyLoadError, match=r"`thing\.action` may be undefined"):
        load_policy(tmp_path / "value", with_line("fresh(r.after)") + function)


@pytest.mark.parametrize(
    "line", ["every y in xs { not y in r.after.list }", "xs == [1 | not x in r.after.list]"]
)
def test_a_negation_in_an_inner_body_is_judged(line: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyLoadError, match=r"`r\.after\.list` may be undefined"):
        load_policy(tmp_path, with_line(line))


def test_a_negation_in_undetermined_is_judged(tmp_path: Path) -> None:
    body = """
deny contains lib.finding(r, "bad") if some r in lib.of_kind("compute.instance")

undetermined contains lib.finding(r, "bad") if {
	some r in lib.of_kind("compute.instance")
	not r.after.size < 3
}
"""
    with pytest.raises(PolicyLoadError, match=r"`r\.after\.size` may be undefined"):
        load_policy(tmp_path, a_policy(body))
