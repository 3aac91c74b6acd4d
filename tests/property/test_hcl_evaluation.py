"""Theorems about reading Terraform source."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plangate.errors import PlanParseError
from plangate.model.plan import Plan
from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits, Options
from plangate.parsers.hcl.folder import SourceTree
from plangate.parsers.hcl.json_syntax import read_terraform_json
from plangate.parsers.hcl.native_syntax import read_native, read_template
from plangate.parsers.hcl.plan import parse
from tests.hcl_source import a_folder, plan_of, resources_of

VARIABLES = {
    "s": ("string", st.sampled_from(['"a"', '"b"', '""', '"1"', '"x-y"', "null"])),
    "n": ("number", st.sampled_from(["0", "1", "2", "3", "-1", "1.5", "null"])),
    "b": ("bool", st.sampled_from(["true", "false", "null"])),
    "l": ("list(string)", st.sampled_from(["[]", '["a"]', '["a", "b", "a"]', '["1", null]', "null"])),
    "m": ("map(string)", st.sampled_from(["{}", '{ a = "1" }', '{ a = "b", b = null }', "null"])),
    "a": ("any", st.sampled_from(['"a"', "1", "true", "[]", '["a", 1]', "{}", "{ a = { b = 1 } }", "null"])),
}
"""Variables: their type, and values to give them."""
LEAVES = [
    *(f"var.{name}" for name in VARIABLES),
    "1", "0", "2.5", "true", "false", "null", '"a"', '"b"', '"1"', '"true"', "[]", "{}",
    '["a", "b"]', "{ a = 1, b = 2 }", "local.x", "local.y", "local.z", "terraform_data.one.input",
    "terraform_data.one.id", "terraform_data.two[0].input", "terraform_data.two[*].input",
]  # fmt: skip
ONE: list[Callable[[str], str]] = [
    lambda a: f"!{a}",
    lambda a: f"(-{a})",
    lambda a: f"[{a}]",
    lambda a: f"{{ k = {a} }}",
    lambda a: f"{{ ({a}) = 1 }}",
    lambda a: f"{a}.a",
    lambda a: f"{a}[0]",
    lambda a: f'{a}["a"]',
    lambda a: f"{a}[*]",
    lambda a: f"{a}[*].a",
    lambda a: f'"<${{{a}}}>"',
    lambda a: f'"%{{ if {a} }}y%{{ else }}n%{{ endif }}"',
    lambda a: f'"%{{ for v in {a} }}${{v}},%{{ endfor }}"',
    lambda a: f"[for v in {a} : v]",
    lambda a: f"[for k, v in {a} : k]",
    lambda a: f'{{ for k, v in {a} : k => "${{v}}" }}',
    lambda a: f"{{ for v in {a} : v => 1... }}",
    *(
        (lambda a, f=f: f"{f}({a})")
        for f in (
            "length", "keys", "values", "toset", "tolist", "tostring", "tonumber", "tobool", "upper", "flatten",
            "distinct", "compact", "sort", "reverse", "jsonencode", "one", "can", "try", "sum", "abs", "not_there",
            "nonsensitive", "sensitive", "issensitive", "coalesce", "concat", "merge", "alltrue", "anytrue", "sha1",
        )
    ),
]  # fmt: skip
TWO: list[Callable[[str, str], str]] = [
    *((lambda a, b, o=o: f"({a} {o} {b})") for o in ("&&", "||", "==", "!=", "<", ">=", "+", "-", "*", "/", "%")),
    lambda a, b: f"[{a}, {b}]",
    lambda a, b: f"{{ a = {a}, b = {b} }}",
    lambda a, b: f"{a}[{b}]",
    lambda a, b: f"[for v in {a} : {b}]",
    lambda a, b: f"[for v in {a} : v if {b}]",
    lambda a, b: f"[for v in {a} : v == {b}]",
    lambda a, b: f'"${{{a}}}-${{{b}}}"',
    *(
        (lambda a, b, f=f: f"{f}({a}, {b})")
        for f in (
            "try", "coalesce", "concat", "merge", "contains", "element", "join", "max", "setunion", "zipmap",
            "coalescelist", "split", "format",
        )
    ),
]  # fmt: skip


def _three(parts: tuple[str, str, str]) -> str:
    return f"({parts[0]} ? {parts[1]} : {parts[2]})"


EXPRESSIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(ONE), inner).map(lambda made: made[0](made[1])),
        st.tuples(st.sampled_from(TWO), inner, inner).map(lambda made: made[0](made[1], made[2])),
        st.tuples(inner, inner, inner).map(_three),
    ),
    max_leaves=8,
)
GIVEN = st.fixed_dictionaries({}, optional={name: values for name, (_, values) in VARIABLES.items()})


def _source(expressions: list[str], count: str) -> dict[str, str]:
    x, y, z, at, block = expressions
    return {
        "variables.tf": "".join(
            f'variable "{name}" {{\n  type = {kind}\n}}\n' for name, (kind, _) in VARIABLES.items()
        ),
        "main.tf": f"""
locals {{
  x = {x.replace("local.", "var.").replace("var.x", "1").replace("var.y", "2").replace("var.z", "3")}
  y = {y.replace("local.y", "4").replace("local.z", "5")}
  z = {z.replace("local.z", "6")}
}}
resource "terraform_data" "one" {{
  input = "one"
}}
resource "terraform_data" "two" {{
  count = 2
  input = count.index
}}
resource "terraform_data" "it" {{
  input = [local.x, local.y, local.z, {at}]
  block {{
    v = {block}
  }}
}}
resource "terraform_data" "counted" {{
  count = {count}
}}
resource "terraform_data" "each" {{
  for_each = {at}
  input    = each.value
}}
module "m" {{
  source = "./m"
  v      = {at}
  w      = {block}
}}
output "o" {{
  value = [module.m.v, module.m.w]
}}
""",
        "m/main.tf": 'variable "v" {}\nvariable "w" {\n  type = list(string)\n}\n'
        'output "v" {\n  value = var.v\n}\noutput "w" {\n  value = var.w\n}\n',
    }


def _contradicts(less: Any, more: Any) -> bool:
    """Whether what was known with less is another thing with more.

    What is unknown with more is an expression that Terraform refuses for these variables: nothing is planned then.
    """
    if less is UNKNOWN or more is UNKNOWN:
        return False
    if isinstance(less, dict) and isinstance(more, dict):
        # What turns out to be null is not set.
        return any(_contradicts(less.get(key), more.get(key)) for key in less.keys() | more.keys())
    if isinstance(less, list) and isinstance(more, list):
        return len(less) != len(more) or any(_contradicts(a, b) for a, b in zip(less, more, strict=True))
    return type(less) is not type(more) or bool(less != more)


def _plan(tmp: Path, files: dict[str, str], variables: dict[str, str]) -> Plan | None:
    try:
        return plan_of(
            tmp, files, variables={n: v.strip('"') if n == "s" else v for n, v in variables.items()}
        )
    except PlanParseError:
        return None


@settings(max_examples=300)
@given(
    expressions=st.lists(EXPRESSIONS, min_size=5, max_size=5),
    count=EXPRESSIONS,
    variables=GIVEN,
    kept=st.sets(st.sampled_from(sorted(VARIABLES))),
)
def test_evaluating_more_never_turns_unknown_into_a_wrong_known(
    tmp_path_factory: pytest.TempPathFactory,
    expressions: list[str],
    count: str,
    variables: dict[str, str],
    kept: set[str],
) -> None:
    variables = {name: value for name, value in variables.items() if not (name == "s" and value == "null")}
    folder = tmp_path_factory.mktemp("hcl")
    files = _source(expressions, count)
    more = _plan(folder, files, variables)
    less = _plan(folder, files, {name: value for name, value in variables.items() if name in kept})
    assume(more is not None and less is not None)
    assert more is not None
    assert less is not None
    known = resources_of(more)
    for resource in less.resources:
        if not resource.address.startswith(("terraform_data.it", "terraform_data.one", "terraform_data.two")):
            # With less known there may be one for all instances; then its values must hold for each of them.
            instances = [r for r in more.resources if r.address.startswith(resource.address)]
            assert resource.index is None or instances
        else:
            instances = [known[resource.address]]
        for instance in instances:
            for name, value in resource.planned.items():
                # What turns out to be null is not set.
                assert not _contradicts(value, instance.planned.get(name)), (
                    name,
                    value,
                    dict(instance.planned),
                )
    for one, other in zip(less.outputs, more.outputs, strict=True):
        assert not _contradicts(one.after, other.after)


@settings(max_examples=60)
@given(expressions=st.lists(EXPRESSIONS, min_size=5, max_size=5), variables=GIVEN, random=st.randoms())
def test_the_order_of_files_and_blocks_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, expressions: list[str], variables: dict[str, str], random: Any
) -> None:
    files = _source(expressions, "1")
    blocks = (files["variables.tf"] + files["main.tf"]).split("\n}\n")
    blocks = [block + "\n}\n" for block in blocks if block.strip()]
    plans = []
    for shuffled in (False, True):
        if shuffled:
            random.shuffle(blocks)
        names = [random.choice("abc") for _ in blocks] if shuffled else ["a"] * len(blocks)
        made: dict[str, str] = {}
        for name, block in zip(names, blocks, strict=True):
            made[f"{name}.tf"] = made.get(f"{name}.tf", "") + block
        plans.append(
            _plan(tmp_path_factory.mktemp("hcl"), made | {"m/main.tf": files["m/main.tf"]}, variables)
        )
    one, other = plans
    assert (one is None) == (other is None)
    if one is None or other is None:
        return
    first, second = resources_of(one), resources_of(other)
    assert first.keys() == second.keys()
    for address, resource in first.items():
        assert dict(resource.planned) == dict(second[address].planned)
        assert resource.references == second[address].references
        assert resource.unresolved == second[address].unresolved
        assert resource.sensitive == second[address].sensitive
    assert one.outputs == other.outputs


WORDS = st.lists(
    st.sampled_from(
        ["resource", '"a"', '"b"', "{", "}", "\n", "=", "a", "1", "1e5", "[", "]", "(", ")", "${", "%{", "~", "<<E",
         "<<-E", "E", "?", ":", "for", "in", "if", "endif", "endfor", ".", "*", ",", "...", "=>", "==", "-", "!", "\\",
         '"', "#", "/*"]
    )
)  # fmt: skip


@given(
    text=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        WORDS.map(lambda words: " ".join(words).encode()),
        WORDS.map(lambda words: "".join(words).encode()),
    )
)
def test_arbitrary_bytes_give_a_plan_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    for name in ("main.tf", "main.tf.json"):
        folder = a_folder(tmp_path_factory.mktemp("hcl"), {name: text})
        try:
            plan = parse(SourceTree(folder, Limits()), "", "source", Options(), Limits())
        except PlanParseError:
            continue
        assert plan.source.format == "terraform-source"


@given(text=st.one_of(st.text(max_size=100), WORDS.map("".join)))
def test_every_text_is_a_template_or_refused(text: str) -> None:
    try:
        read_template(text, "t", Limits())
    except PlanParseError:
        return


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=60))
def test_text_in_quotes_says_what_was_quoted(text: str) -> None:
    quoted = "".join(f"\\U{ord(char):08x}" for char in text)
    (attribute,) = read_native(f'a = "{quoted}"\n'.encode(), "f", Limits()).attributes.values()
    (other,) = read_terraform_json(b'{"a": "x"}', "f", Limits()).attributes.values()
    assert attribute.name == other.name
    assert attribute.value.value == unicodedata.normalize("NFC", text)  # type: ignore[union-attr]
