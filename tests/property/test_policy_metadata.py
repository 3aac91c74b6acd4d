"""METADATA is refused by hand exactly where the published schema refuses it."""

import json
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from plangate.model.kinds import KINDS
from plangate.policy.metadata import to_spec, validate
from tests.tools import ROOT

SCHEMA = json.loads((ROOT / "src" / "plangate" / "schemas" / "policy-metadata.v1.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

odd = st.sampled_from([None, True, 0, 1.5, "", " ", "text", [], {}, ["text"], {"a": 1}])
texts = st.sampled_from(["A good thing is true", "x"])


def sometimes(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly good values."""
    return st.one_of(good, good, good, odd)


custom = st.fixed_dictionaries(
    {
        "id": sometimes(st.sampled_from(["a-b", "a", "A", "a_b", "a-", "1a", "a--b"])),
        "severity": sometimes(st.sampled_from(["low", "critical", "HIGH"])),
        "enforcement": sometimes(st.sampled_from(["advisory", "mandatory", "deny"])),
        "remediation": sometimes(texts),
    },
    optional={
        "kinds": sometimes(st.lists(st.sampled_from([*KINDS, "vm"]), max_size=3)),
        "frameworks": sometimes(
            st.dictionaries(texts, sometimes(st.lists(sometimes(texts), max_size=2)), max_size=2)
        ),
        "on_unknown": sometimes(st.sampled_from(["deny", "oblige", "allow"])),
        "scope": sometimes(st.sampled_from(["resources", "changes", "plan", "package"])),
        "enforcment": texts,
    },
)
links = st.sampled_from(["https://example.org/a", "http://example.org/a", "ftp"])
related = st.one_of(
    links,
    st.fixed_dictionaries(
        {"ref": sometimes(links)}, optional={"description": sometimes(texts), "title": texts}
    ),
    odd,
)
documents = st.one_of(
    odd,
    st.fixed_dictionaries(
        {},
        optional={
            "title": sometimes(texts),
            "description": sometimes(texts),
            "custom": sometimes(custom),
            "scope": sometimes(st.sampled_from(["package", "rule"])),
            "related_resources": sometimes(st.lists(related, max_size=2)),
            "authors": odd,
            "author": odd,
        },
    ),
    st.builds(lambda inner: {"title": "t", "description": "d", "custom": inner}, custom),
)


@given(document=documents)
def test_both_refuse_or_neither(document: Any) -> None:
    refused = bool(validate(document))
    assert refused == (not VALIDATOR.is_valid(document))
    if not refused:
        spec, _ = to_spec(document, "policy.rego")
        assert spec.id == document["custom"]["id"]


def test_the_schema_knows_the_kinds_of_the_model() -> None:
    assert SCHEMA["properties"]["custom"]["properties"]["kinds"]["items"]["enum"] == list(KINDS), (
        "run: python scripts/shipped_index.py"
    )
