"""What people hand in by mistake is refused with a sentence that says what it is."""

import codecs
import json
from typing import Any

import pytest

from plangate.parsers.base import Limits
from tests.plan_documents import a_document, an_entry, read, refusal


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "empty document (expected a plan)"),
        (b"", "empty document (expected a plan)"),
        (b" \n\t", "empty document (expected a plan)"),
        (codecs.BOM_UTF8, "empty document (expected a plan)"),
        (
            {"format_version": "1.0", "terraform_version": "1.5.0"},
            "not a Terraform plan: no planned_values and no resource_changes (found: format_version",
        ),
        ({"format_version": "1.0", "values": {}}, "this is a state, not a plan"),
        ({"version": 4, "serial": 1, "lineage": "x", "resources": []}, "this is a state, not a plan"),
        ({"@level": "info", "@message": "x"}, "this is the message stream of `terraform plan -json`, not a plan"),
        (b'{"@level":"info"}\n{"@level":"info"}\n', "this is the message stream of `terraform plan -json`, not a plan"),
        ({"plan_format_version": "1.2", "resource_changes": []},
         "this is a redacted plan of a remote run, which hides values and configuration"),
        ([], "expected an object, found a list"),
        ("plan", "expected an object, found text"),
        (7, "expected an object, found a number"),
        (None, "expected an object, found nothing"),
        (b"resource {}", "line 1 column 1: not JSON: expecting value"),
        (b'{"a":\n 1,}', "line 2 column "),
        (b'{"a": "\xff"}', "byte 7: not utf-8 text: invalid start byte"),
    ],
)  # fmt: skip
def test_what_is_not_a_plan_is_called_by_its_name(document: Any, sentence: str) -> None:
    assert refusal(document).removeprefix("plan.json: ").startswith(sentence)


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.2", "1.99", "1.123456789"])
def test_a_minor_version_that_we_have_not_seen_is_read(version: str) -> None:
    assert read(a_document(an_entry(), format_version=version)).source.format_version == version


@pytest.mark.parametrize(
    "version",
    [
        "2.0",
        "0.0",
        "1",
        "1.",
        ".1",
        "01.0",
        "1.0.0",
        "-1.0",
        "1.x",
        "",
        "\u0661.\u0660",
        "9" * 5000 + ".0",
        "1.0 ",
    ],
)
def test_a_version_that_we_do_not_know_is_refused(version: str) -> None:
    assert (
        f'line 1 (/format_version): unsupported version "{version[:20]}" (supported: 0.1 to 1.x)'
        in refusal(a_document(format_version=version))
    )


@pytest.mark.parametrize("version", [None, 1.2, 1, ["1.2"], True])
def test_a_version_that_is_not_text_is_no_version(version: Any) -> None:
    assert "missing, so this is no plan we can trust" in refusal(a_document(format_version=version))


def test_unknown_members_do_not_matter() -> None:
    entry = an_entry(entry={"new_thing": {"a": [1]}}, new_member=True)
    assert len(read(a_document(entry, relevant_attributes=[], timestamp="x", new={})).resources) == 1


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_every_unicode_encoding_is_read(mark: bytes, encoding: str) -> None:
    text = json.dumps(a_document(an_entry(after={"name": "Zürich 🏔"})), ensure_ascii=False)
    (resource,) = read(mark + text.encode(encoding)).resources
    assert resource.after == {"name": "Zürich 🏔"}


@pytest.mark.parametrize(
    "member",
    ["resource_changes", "resource_drift", "checks", "deferred_changes", "action_invocations"],
)
@pytest.mark.parametrize("value", [{"a": 1}, "x", 1, True])
def test_a_list_has_to_be_a_list(member: str, value: Any) -> None:
    assert f"(/{member}): expected a list" in refusal(a_document(**{member: value}))


@pytest.mark.parametrize("member", ["configuration", "variables", "output_changes"])
@pytest.mark.parametrize("value", [["a"], "x", 1, True])
def test_an_object_has_to_be_an_object(member: str, value: Any) -> None:
    assert f"(/{member}): expected an object" in refusal(a_document(**{member: value}))


def test_a_complaint_names_the_line() -> None:
    document = json.dumps(a_document(an_entry("a_b.c"), an_entry("a_b.d", "explode")), indent=1)
    line = document.splitlines().index('     "explode"')  # the list opens on the line before, counted from 1
    assert refusal(document.encode()).startswith(
        f"plan.json: line {line} (/resource_changes/1/change/actions): unknown action ['explode']"
    )


def test_a_document_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert refusal(b"{" * 11, Limits(max_plan_bytes=10)) == "plan.json: 11 bytes (limit: 10)"
