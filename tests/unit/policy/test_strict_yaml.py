"""YAML is read as any reader would, or not at all."""

import pytest

from plangate.policy.strict_yaml import StrictYamlError, parse


def test_reads_plain_values() -> None:
    text = (
        "a: text\nb: 12\nc: -1.5\nd: true\ne: null\nf: [1, '2']\ng:\n  h: >-\n    folded\n    text\n'1': x\n"
    )
    assert parse(text) == {
        "a": "text", "b": 12, "c": -1.5, "d": True, "e": None, "f": [1, "2"], "g": {"h": "folded text"}, "1": "x",
    }  # fmt: skip


def test_nothing_is_nothing() -> None:
    assert parse("") is None


REFUSED = {
    "a: yes": "'yes' is read differently by different YAML readers: put it in quotes",
    "a: Off": "'Off' is read differently by different YAML readers: put it in quotes",
    "a: 0777": "'0777' is read differently by different YAML readers: put it in quotes",
    "a: 0x1F": "'0x1F' is read differently by different YAML readers: put it in quotes",
    "a: 1_000": "'1_000' is read differently by different YAML readers: put it in quotes",
    "a: 1:30": "'1:30' is read differently by different YAML readers: put it in quotes",
    "a: .inf": "'.inf' is read differently by different YAML readers: put it in quotes",
    "a: 2024-01-01": "'2024-01-01' is read differently by different YAML readers: put it in quotes",
    "<<: {a: 1}": "'<<' is read differently by different YAML readers: put it in quotes",
    "1: a": "the key 1 must be a text: put it in quotes",
    "a: &x 1\nb: *x": "aliases are not allowed",
    "a: !!set {b}": "the tag tag:yaml.org,2002:set is not allowed",
    "a: !!python/object:os.system {}": "the tag tag:yaml.org,2002:python/object:os.system is not allowed",
    "a: 1\na: 2": '"a" is written twice',
    "a: [": "did not find expected node content",
    "a: 1\n--- \nb: 2": "but found another document",
    "\tx: 1": "found character that cannot start any token",
    "[" * 60 + "]" * 60: "nested more than 50 levels deep",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refuses(text: str) -> None:
    with pytest.raises(StrictYamlError) as caught:
        parse(text)
    assert str(caught.value) == REFUSED[text]
    assert caught.value.line >= 1


def test_names_the_line() -> None:
    with pytest.raises(StrictYamlError) as caught:
        parse("a: 1\nb:\n  c: on\n")
    assert caught.value.line == 3
