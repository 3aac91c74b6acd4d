import json
from typing import Any

import pytest

from plangate.model.values import UNKNOWN
from plangate.parsers.base import Limits
from plangate.parsers.pulumi_values import (
    Found,
    PropertyReader,
    ValueProblemError,
    overlaid,
    without_unknown,
)
from tests.pulumi_documents import SECRET, SIGNATURE, UNKNOWN_TEXT, urn


def read(value: Any) -> tuple[Any, Found]:
    found = Found()
    return PropertyReader(Limits()).read({"p": value}, found)["p"], found


@pytest.mark.parametrize(
    "text",
    [
        UNKNOWN_TEXT,
        f"arn:aws:s3:::{UNKNOWN_TEXT}/*",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "[unknown]",
        "output<string>",
        "computed<unknown>",
        "Calling __str__ on an Output[T] is not supported.",
        "Calling [toString] on an [Output<T>] is not supported.",
    ],
)
def test_what_stands_for_a_value_known_only_after_apply_is_unknown(text: str) -> None:
    assert read(text)[0] is UNKNOWN
    assert read([text]) == ([UNKNOWN], Found())


def test_ordinary_text_stays_as_it_is() -> None:
    assert read("output<of the press> is text")[0] == "output<of the press> is text"


def test_a_hidden_secret_is_unknown_and_sensitive() -> None:
    assert read("[secret]") == (UNKNOWN, Found(sensitive={"/p"}))
    assert read({SIGNATURE: SECRET, "ciphertext": "AAABAA=="}) == (UNKNOWN, Found(sensitive={"/p"}))


def test_a_secret_that_is_shown_is_its_value_and_remembered() -> None:
    value = {SIGNATURE: SECRET, "plaintext": json.dumps({"user": "root", "password": "hunter22"})}
    assert read(value) == (
        {"user": "root", "password": "hunter22"},
        Found(sensitive={"/p"}, secrets={"root", "hunter22"}),
    )


def test_a_secret_whose_text_cannot_be_read_is_unknown_and_still_remembered() -> None:
    value = {SIGNATURE: SECRET, "plaintext": "[" * 500}
    assert read(value) == (UNKNOWN, Found(sensitive={"/p"}, secrets={"[" * 500}))


def test_a_reference_to_a_resource_is_its_id_and_an_edge() -> None:
    reference = {SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": urn("web"), "id": "i-1"}
    assert read(reference) == ("i-1", Found(references={"/p": (urn("web"),)}))
    assert read({**reference, "id": UNKNOWN_TEXT})[0] is UNKNOWN
    with pytest.raises(ValueProblemError, match="without its URN"):
        read({SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e"})


def test_an_output_without_a_value_is_unknown_and_a_secret_one_is_sensitive() -> None:
    output = {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "dependencies": [urn("web")]}
    assert read(output) == (UNKNOWN, Found(references={"/p": (urn("web"),)}))
    assert read({**output, "value": "hunter22", "secret": True}) == (
        "hunter22",
        Found(sensitive={"/p"}, secrets={"hunter22"}, references={"/p": (urn("web"),)}),
    )


def test_an_asset_is_what_it_is_made_of_and_bytes_are_unknown() -> None:
    asset = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "hash": "aa", "text": "print()"}
    assert read(asset)[0] == {"hash": "aa", "text": "print()"}
    assert read({SIGNATURE: "803fd3297a5875dc03ca845dda5d2a98", "value": "/w=="})[0] is UNKNOWN


@pytest.mark.parametrize("signature", ["f00", None, 1, [], {}])
def test_a_signature_that_is_not_known_is_a_problem(signature: Any) -> None:
    with pytest.raises(ValueProblemError, match="signature"):
        read({SIGNATURE: signature})


def test_notes_of_the_bridge_are_no_properties() -> None:
    assert read({"__defaults": ["a"], "a": 1, "__meta": "x"})[0] == {"a": 1}


def test_pointers_that_would_need_more_than_their_bound_are_a_problem() -> None:
    reader = PropertyReader(Limits(max_plan_bytes=100))
    with pytest.raises(ValueProblemError, match="longer paths"):
        reader.read({"k" * 60: ["[secret]", "[secret]"]}, Found())
    with pytest.raises(ValueProblemError, match="longer paths"):
        PropertyReader(Limits(max_plan_bytes=100)).unknown_in({"k" * 60: [UNKNOWN, UNKNOWN]})


def test_what_is_above_wins_member_by_member_and_a_list_as_a_whole() -> None:
    base = {"a": {"x": 1, "y": 2}, "l": [1, 2], "only": 0}
    assert overlaid(base, {"a": {"x": 9}, "l": [3]}) == {"a": {"x": 9, "y": 2}, "l": [3], "only": 0}


def test_unknown_members_are_left_out_and_unknown_items_keep_their_place() -> None:
    assert without_unknown({"a": UNKNOWN, "b": [1, UNKNOWN, {"c": UNKNOWN}]}) == {"b": [1, None, {}]}
    known = {"a": [{"b": 1}]}
    assert without_unknown(known) is known
