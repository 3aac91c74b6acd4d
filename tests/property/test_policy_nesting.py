"""The quick count of brackets says what a slow reading, one character after the other, says."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plangate.errors import PolicyLoadError
from plangate.policy.files import LoadLimits, refuse_deep_nesting

LIMITS = LoadLimits(max_nesting=4)
TEXTS = st.lists(st.sampled_from([*'([{)]}"`#\\\nx', "((((", "]]]]"]), max_size=40).map("".join)


def deep_line(text: str) -> int | None:
    """The line on which the limit is passed."""
    depth, line, inside = 0, 1, ""
    skip = False
    for character in text:
        line += character == "\n"
        if skip:
            skip = False
        elif inside == "#":
            inside = "" if character == "\n" else "#"
        elif inside == '"' and character == "\\":
            skip = True
        elif inside:
            inside = "" if character == inside or (inside == '"' and character == "\n") else inside
        elif character in '"`#':
            inside = character
        elif character in "([{":
            depth += 1
            if depth > LIMITS.max_nesting:
                return line
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return None


@given(TEXTS)
@example('"\\\n((((((')
@example("]]]]]]((((((")
@example("`((((((`")
def test_brackets_count_as_in_a_slow_reading(text: str) -> None:
    expected = deep_line(text)
    if expected is None:
        refuse_deep_nesting(text, "p.rego", LIMITS)
        return
    with pytest.raises(PolicyLoadError, match=f"p.rego:{expected}: nested more than 4"):
        refuse_deep_nesting(text, "p.rego", LIMITS)
