"""Records are canonical, fit their schema and fit their size, whatever is in the decision."""

import json
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from plangate.audit.base import MAX_RECORD_BYTES
from plangate.audit.decision_record import _cut, _is_short, decision_record, document_sha256
from plangate.audit.record import canonical
from plangate.audit.strict_json import loads
from plangate.errors import AuditError
from tests.unit.audit.builders import a_decision, a_stamp, an_outcome
from tests.unit.audit.schema import problems_of

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def documents(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


ITEMS = st.lists(st.dictionaries(KEYS, SCALARS, max_size=4), max_size=200)
OUTCOMES = st.lists(
    st.builds(
        an_outcome,
        rule=st.text(max_size=2_000),
        address=st.text(max_size=2_000),
        outcome=st.sampled_from(["pass", "fail", "unknown", "error", "not_applicable"]),
        effect=st.sampled_from(["none", "denies", "blocks", "warns"]),
        message=st.text(),
    ),
    max_size=30,
).map(lambda some: some * 20)


@given(documents(SCALARS | NUMBERS))
def test_canonical_json_is_what_rfc_8785_says(document: object) -> None:
    assert canonical(document) == rfc8785.dumps(document)  # type: ignore[arg-type]


@given(documents(SCALARS | NUMBERS), st.dictionaries(KEYS, SCALARS, max_size=3))
def test_a_body_that_was_encoded_before_changes_nothing(body: object, rest: dict[str, Any]) -> None:
    document = {**rest, "body": body}
    assert canonical(document, canonical(body)) == canonical(document)


@given(documents(SCALARS | st.text("ab", min_size=60, max_size=70)))
def test_what_is_short_is_not_changed_by_cutting(value: object) -> None:
    assert not _is_short(value, 64) or _cut(value, 64) == value


@given(documents(SCALARS))
def test_what_is_written_reads_back_as_it_was(document: object) -> None:
    assert loads(canonical(document)) == document


@given(OUTCOMES, ITEMS, ITEMS, st.text(), st.lists(st.text(), max_size=300))
def test_every_decision_has_a_record_that_fits(
    outcomes: list[dict[str, Any]],
    obligations: list[dict[str, Any]],
    waivers: list[dict[str, Any]],
    name: str,
    unmodelled: list[str],
) -> None:
    document = a_decision(
        result="deny",
        outcomes=outcomes,
        obligations=obligations,
        waivers=waivers,
        environment=name,
        unmodelled=unmodelled,
    )
    try:
        digest = document_sha256(document)
    except AuditError:  # a lone surrogate in a text: the gate writes none, and nothing is recorded of one
        return
    encoded = decision_record(a_stamp(), document).encode()
    read = loads(encoded)
    assert isinstance(read, dict)
    assert len(encoded) <= MAX_RECORD_BYTES
    assert problems_of(read) == []
    assert canonical(read) == encoded
    assert read["body"]["decision_sha256"] == digest
    for kept, whole in (("obligations", obligations), ("waivers", waivers), ("unmodelled", unmodelled)):
        assert len(read["body"][kept]) + read["body"]["truncated"].get(kept, 0) == len(whole)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: json.dumps(text).encode()))
def test_arbitrary_bytes_are_json_in_one_reading_or_refused(content: bytes) -> None:
    try:
        document = loads(content)
    except ValueError:
        return
    assert document == json.loads(content)
