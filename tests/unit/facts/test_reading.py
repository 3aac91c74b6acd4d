from decimal import Decimal
from typing import Any

import pytest

from plangate.facts.base import Native, agreed, blocks_in, flag, texts, whole_number
from plangate.facts.links import MAX_POSSIBLE
from plangate.model.graph import Graph
from plangate.model.plan import Action, Resource
from plangate.model.values import UNKNOWN
from tests.builders import a_reference, a_resource, facts_of


def native(resource: Resource) -> Native:
    return Native(resource, resource.planned, Graph([resource]))


@pytest.mark.parametrize(
    ("action", "configured", "expected"),
    [
        (Action.CREATE, frozenset({"other"}), None),
        (Action.REPLACE, frozenset({"other"}), None),
        (Action.CREATE, frozenset({"x"}), UNKNOWN),
        # Of something that exists, an unknown value is one that changes to nobody knows what.
        (Action.UPDATE, frozenset({"other"}), UNKNOWN),
        # Without the configuration, nobody knows whether it was set.
        (Action.CREATE, None, UNKNOWN),
    ],
)
def test_an_unknown_attribute_is_not_set_only_when_the_configuration_leaves_it_out(
    action: Action, configured: frozenset[str] | None, expected: object
) -> None:
    resource = a_resource(values={"x": UNKNOWN}, action=action, configured=configured)
    assert native(resource).setting("x") is expected


def test_an_unknown_inner_attribute_is_set_when_an_expression_reads_something_for_it() -> None:
    blocks = {"options": [{"a": UNKNOWN, "b": UNKNOWN}]}
    resource = a_resource(
        values=blocks, references=(a_reference("/options/a", "aws_vpc.main"),), unresolved=("/options/c",)
    )
    options = resource.planned["options"][0]
    assert (
        native(resource).inner(options, "options", "a"),
        native(resource).inner(options, "options", "b"),
    ) == (UNKNOWN, None)
    assert native(resource).inner({"c": UNKNOWN}, "options", "c") is UNKNOWN


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), ("true", True), ("false", False), (None, "default"), ("", "default"),
     (UNKNOWN, UNKNOWN), (1, UNKNOWN), ("yes", UNKNOWN), ([], UNKNOWN), ({}, UNKNOWN)],
)  # fmt: skip
def test_a_flag_is_yes_no_its_default_or_unknown(value: object, expected: object) -> None:
    assert flag(value, default="default") == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(22, 22), ("22", 22), ("-1", -1), (Decimal(22), 22), (22.0, 22), (None, None), (22.5, UNKNOWN), (True, UNKNOWN),
     ("", UNKNOWN), ("x", UNKNOWN), ("9" * 50, UNKNOWN), (float("inf"), UNKNOWN), (Decimal("NaN"), UNKNOWN),
     ([], UNKNOWN), (UNKNOWN, UNKNOWN)],
)  # fmt: skip
def test_a_whole_number_is_read_exactly_or_not_at_all(value: object, expected: object) -> None:
    assert whole_number(value) == expected


def test_a_block_of_which_nothing_is_known_has_every_attribute_unknown() -> None:
    blocks: Any = blocks_in([{"a": 1}, UNKNOWN, 3])
    assert [block.get("a") for block in blocks] == [1, UNKNOWN, UNKNOWN]
    assert (blocks_in(None), blocks_in({"a": 1}), blocks_in("x"), blocks_in(UNKNOWN)) == (
        (),
        ({"a": 1},),
        UNKNOWN,
        UNKNOWN,
    )


def test_a_list_of_texts_keeps_what_is_unknown_in_it() -> None:
    assert (texts(["a", UNKNOWN, 1]), texts("a"), texts(None), texts({})) == (
        ("a", UNKNOWN, UNKNOWN),
        ("a",),
        (),
        UNKNOWN,
    )


def test_values_agree_only_when_there_are_some_and_all_are_the_same() -> None:
    assert (agreed([True, True]), agreed([True, False]), agreed([]), agreed([UNKNOWN, True])) == (
        True,
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
    )


def test_too_many_possible_links_are_unknown_and_not_walked() -> None:
    subnets = [
        a_resource(f"aws_subnet.s[{n}]", {"id": UNKNOWN, "map_public_ip_on_launch": False}, index=n)
        for n in range(MAX_POSSIBLE + 1)
    ]
    machine = a_resource(
        values={"subnet_id": UNKNOWN}, references=(a_reference("/subnet_id", "aws_subnet.s", exact=False),)
    )
    assert facts_of(machine, *subnets)["public_ip"] is UNKNOWN
    assert facts_of(machine, *subnets[:3])["public_ip"] is False
