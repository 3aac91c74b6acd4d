"""Addresses, and the patterns that stand for several instances."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.model.address import joined, patterns, steps


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("aws_subnet.a", [("aws_subnet.a", "")]),
        ("aws_subnet.a[0]", [("aws_subnet.a", "[0]")]),
        ('aws_subnet.a["x.y[1]/\\"é\\\\"]', [("aws_subnet.a", '["x.y[1]/\\"é\\\\"]')]),
        ("data.aws_ami.a", [("data.aws_ami.a", "")]),
        ("module.m.aws_subnet.a", [("module.m", ""), ("aws_subnet.a", "")]),
        (
            'module.m["a.b"].module.n[3].data.aws_ami.a[0]',
            [("module.m", '["a.b"]'), ("module.n", "[3]"), ("data.aws_ami.a", "[0]")],
        ),
        ("module.data.aws_subnet.a", [("module.data", ""), ("aws_subnet.a", "")]),
    ],
)
def test_an_address_is_a_row_of_steps(address: str, expected: list[tuple[str, str]]) -> None:
    assert steps(address) == expected
    assert joined(steps(address)) == address


def test_patterns_leave_out_keys_from_the_last_one_on() -> None:
    assert patterns("aws_subnet.a") == ("aws_subnet.a",)
    assert patterns('module.m["a"].module.n.aws_subnet.a[0]') == (
        'module.m["a"].module.n.aws_subnet.a[0]',
        'module.m["a"].module.n.aws_subnet.a',
        "module.m.module.n.aws_subnet.a",
    )


NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,5}", fullmatch=True).filter(
    lambda name: name not in {"module", "data"}
)
KEYS = st.one_of(
    st.just(""),
    st.integers(0, 999).map(lambda n: f"[{n}]"),
    st.text(max_size=6).map(lambda t: '["' + t.replace("\\", "\\\\").replace('"', '\\"') + '"]'),
)
ADDRESSES = st.tuples(
    st.lists(st.tuples(NAMES.map(lambda name: f"module.{name}"), KEYS), max_size=3),
    st.tuples(
        st.tuples(st.sampled_from(["", "data."]), NAMES, NAMES).map(lambda p: f"{p[0]}{p[1]}.{p[2]}"), KEYS
    ),
).map(lambda parts: [*parts[0], parts[1]])


@given(ADDRESSES)
def test_steps_and_joined_are_inverse_for_any_instance_key(parts: list[tuple[str, str]]) -> None:
    assert steps(joined(parts)) == parts


@given(ADDRESSES)
def test_every_pattern_of_an_address_covers_it_and_the_last_one_has_no_keys(
    parts: list[tuple[str, str]],
) -> None:
    address = joined(parts)
    found = patterns(address)
    assert found[0] == address
    assert found[-1] == joined([(name, "") for name, _ in parts])
    assert len(found) == len(set(found)) == 1 + sum(1 for _, key in parts if key)


@given(st.text(alphabet='ab.[]"\\0 ', max_size=40))
def test_any_text_at_all_has_steps_and_patterns(text: str) -> None:
    steps(text)
    assert patterns(text)[0] == text
