"""Texts of a plan in Markdown: they are shown, and are no markup."""

import re

from hypothesis import given
from hypothesis import strategies as st

from plangate.server.contracts.run_task_answers import escaped

MARKS = r"[\\`*_{}\[\]()<>#+\-.!|~&:@$]"


@given(st.text(max_size=200))
def test_nothing_in_a_text_is_markup(text: str) -> None:
    shown = escaped(text)
    assert shown.isprintable()
    # Whatever has a meaning in Markdown or HTML has a backslash before it.
    rest = re.sub(rf"\\{MARKS}", "", shown)
    assert re.search(MARKS, rest) is None


def test_links_and_tags_are_shown_as_they_are() -> None:
    assert escaped("[x](https://e)\n<script>") == r"\[x\]\(https\://e\) \<script\>"
