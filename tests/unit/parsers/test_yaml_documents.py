import json
import re
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import PlanParseError
from plangate.parsers.base import Documents, Input, Limits
from plangate.parsers.yaml_documents import read_yaml


def read(text: str | bytes, **limits: int) -> Documents:
    data = text if isinstance(text, bytes) else text.encode()
    return read_yaml(Input(name="a.yaml", data=data, sha256="", size=len(data)), Limits(**limits))


def value(text: str) -> Any:
    (only,) = read(text).values
    return only


def refusal(text: str | bytes, **limits: int) -> str:
    with pytest.raises(PlanParseError) as caught:
        read(text, **limits)
    return str(caught.value)


def test_words_mean_what_the_kubernetes_tools_read() -> None:
    text = (
        "[yes, Off, ~, null, 0777, 0x1F, 0b11, 1_000, -3, 1e3, .5, 1.50, 2001-01-01, 22:22, =, 'yes', y, +12]"
    )
    assert value(text) == [
        True, False, None, None, 511, 31, 3, 1000, -3, Decimal(1000), Decimal("0.5"), Decimal("1.50"),
        "2001-01-01", "22:22", "=", "yes", "y", 12,
    ]  # fmt: skip


def test_keys_are_text_as_json_would_have_them() -> None:
    assert value("{on: 1, 2: b, ~: c, 'on': d}".replace(", 'on': d", "")) == {
        "true": 1,
        "2": "b",
        "null": "c",
    }


def test_several_documents_are_kept_in_order_and_empty_ones_left_out() -> None:
    assert read("a: 1\n---\n---\n# nothing\n---\n- b\n").values == ({"a": 1}, ["b"])


def test_merge_keys_are_expanded_and_written_keys_win() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  c: 3\n"
    assert value(text)["z"] == {"c": 3, "a": 1, "b": 1}


def test_a_merge_key_after_other_keys_adds_to_them() -> None:
    assert value("{c: 1, <<: {a: 2}, b: 3}") == {"c": 1, "a": 2, "b": 3}


def test_a_quoted_merge_key_is_a_key() -> None:
    assert value("'<<': {a: 1}") == {"<<": {"a": 1}}


def test_short_tags_are_their_long_forms_and_are_reported_with_their_place() -> None:
    found = read("a: !Ref b\nc: !GetAtt d.e.f\ng: !If [h, !Sub '${i}', !Ref AWS::NoValue]\n")
    assert found.values[0] == {
        "a": {"Ref": "b"},
        "c": {"Fn::GetAtt": ["d", "e.f"]},
        "g": {"Fn::If": ["h", {"Fn::Sub": "${i}"}, {"Ref": "AWS::NoValue"}]},
    }
    assert found.tags == {"!Ref": (1, 4), "!GetAtt": (2, 4), "!If": (3, 4), "!Sub": (3, 12)}


def test_places_are_those_of_keys_and_items() -> None:
    places = read("a:\n  b:\n    - c\n    - d: 1\ne: &e {f: 2}\ng: *e\n").places[0]
    assert [places.at(p) for p in ("", "/a/b", "/a/b/1", "/a/b/1/d", "/g", "/g/f", "/nowhere", "/a/b/9")] == [
        (1, 1), (2, 3), (4, 7), (4, 7), (6, 1), (5, 8), (0, 0), (0, 0),
    ]  # fmt: skip
    assert places.below("/a/b") == {"0": (3, 7), "1": (4, 7)}
    assert places.below("") == {"a": (1, 1), "e": (5, 1), "g": (6, 1)}
    assert places.below("/a/b/0") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "a.yaml: line 2 column 1: duplicate key 'a'"),
        ("on: 1\ntrue: 2\n", "a.yaml: line 2 column 1: duplicate key 'true'"),
        (
            "a: !!python/object/apply:os.getcwd []\n",
            "unknown tag tag:yaml.org,2002:python/object/apply:os.getcwd",
        ),
        ("a: !vault x\n", "a.yaml: line 1 column 4: unknown tag !vault"),
        ("a: !!int x\n", "line 1 column 4: not a value for the tag !!int"),
        ("? [a]\n: b\n", "line 1 column 3: a key that is not text"),
        ("a: &x [*x]\n", "line 1 column 8: alias inside of its own anchor: *x"),
        ("a: *nowhere\n", "alias of an anchor that is not there: *nowhere"),
        ("x: &x 1\n---\na: *x\n", "line 3 column 4: alias of an anchor that is not there: *x"),
        ("a: .inf\n", "line 1 column 4: .inf is not a number that a plan can hold"),
        ("a: [1\n", "a.yaml: line 2 column 1: not YAML: while parsing a flow sequence"),
        ("a: b: c\n", "line 1 column 5: not YAML: mapping values are not allowed in this context"),
        ("a: 1e99999\n", "line 1 column 4: number with an exponent that is out of range"),
        # Kubernetes' reader lets `<<` replace what stands before it, and others do not.
        ("a: &a {b: 1}\nc: {b: 2, <<: *a}\n", "line 2 column 15: `<<` after the key 'b' that it has too"),
        ("a: &a {b: 1}\nc: {<<: *a, <<: {b: 2}}\n", "line 2 column 23: a second `<<` in one mapping"),
        ("kind: !!binary UG9k\n", "line 1 column 7: the tag !!binary, which readers take differently"),
        ("<<: 1\n", "line 1 column 5: `<<` expects a mapping, or a list of mappings"),
        ("", "a.yaml: empty document (expected a plan)"),
        ("---\n# only this\n", "a.yaml: empty document (expected a plan)"),
        ("a: \x01\n", "not YAML: control characters are not allowed"),
        (b"a: \xff\n", "a.yaml: byte 3: not utf-8 text"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_its_place(text: str | bytes, said: str) -> None:
    assert said in refusal(text)


def test_a_template_that_is_not_rendered_is_called_by_its_name() -> None:
    with pytest.raises(PlanParseError) as caught:
        read("name: {{ .Release.Name }}\n")
    assert "has not been rendered" in caught.value.hint


def test_aliases_count_as_often_as_they_are_used() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "line 8 column 8: more than 20000 nodes with its aliases expanded" in refusal(
        bomb, max_yaml_nodes=20_000
    )
    assert len(read(bomb).values[0]["i"]) == 4


def test_merges_count_as_often_as_they_are_used() -> None:
    base = "base: &b {" + ", ".join(f"k{i}: 1" for i in range(100)) + "}\n"
    users = "".join(f"u{i}: {{<<: *b}}\n" for i in range(100))
    assert "nodes with its aliases expanded" in refusal(base + users, max_yaml_nodes=10_000)


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "a:\n "])
def test_deep_nesting_is_refused_before_anything_recurses(opening: str) -> None:
    assert "nested deeper than 120 levels" in refusal(opening * 300 if "\n" not in opening else _stairs(300))


def _stairs(depth: int) -> str:
    return "".join(f"{' ' * i}a:\n" for i in range(depth))


def test_an_alias_cannot_nest_deeper_than_the_limit() -> None:
    inner = "x: &x " + "[" * 80 + "]" * 80 + "\n"
    assert "nested deeper than 120 levels" in refusal(inner + "y: " + "[" * 60 + "*x" + "]" * 60 + "\n")


def test_a_hundred_thousand_open_brackets_do_not_end_the_process() -> None:
    assert "nested deeper" in refusal("[" * 100_000)


def test_utf_16_is_read() -> None:
    assert read("a: ä\n".encode("utf-16")).values == ({"a": "ä"},)


# PyYAML writes 1E5 without quotes because to it that is text; to Kubernetes it is a number.
texts = st.text(st.characters(codec="utf-8"), max_size=10).filter(
    lambda text: not re.match(r"[-+.]*[0-9]", text)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(json_values.filter(lambda v: v is not None))
def test_theorem_what_is_written_as_yaml_is_read_back(document: Any) -> None:
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True)
    assert value(text) == json.loads(json.dumps(document))
