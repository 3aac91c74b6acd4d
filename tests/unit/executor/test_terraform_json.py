import msgspec
import pytest

from plangate.executor.terraform_json import ShownPlan


def a_plan(**fields: object) -> ShownPlan:
    return msgspec.json.decode(msgspec.json.encode({"format_version": "1.2"} | fields), type=ShownPlan)


def a_change(address: str, *actions: str, mode: str = "managed", **fields: object) -> dict[str, object]:
    return {"address": address, "mode": mode, "change": {"actions": actions} | fields}


def test_every_change_must_be_reported_step_by_step() -> None:
    plan = a_plan(
        resource_changes=[
            a_change("a", "create", after_unknown={"id": True}),
            a_change("b", "delete", "create"),
            a_change("c", "create", "delete"),
            a_change("d", "delete"),
            a_change("d", "delete", deposed="abc"),
            a_change("e", "update", after_unknown={"list": [False, {}]}),
            a_change("f", "no-op"),
            a_change("g", "forget"),
            a_change("h", "create", "forget"),
            a_change("data.i", "read", mode="data"),
        ]
    )

    assert plan.steps() == [
        ("a", "create"),
        ("b", "delete"),
        ("b", "create"),
        ("c", "create"),
        ("c", "delete"),
        ("d", "delete"),
        ("d", "delete"),
        ("e", "update"),
        ("h", "create"),
    ]


@pytest.mark.parametrize("shadow", [True, {"a": True}, {"a": [False, {"b": True}]}])
def test_an_update_that_may_turn_out_to_be_none_need_not_be_reported(shadow: object) -> None:
    assert a_plan(resource_changes=[a_change("a", "update", after_unknown=shadow)]).steps() == []


def test_everything_that_a_new_plan_would_change_is_listed() -> None:
    plan = a_plan(
        resource_changes=[
            a_change("a", "no-op"),
            a_change("b", "no-op", importing={"id": "x"}),
            a_change("c", "delete", "create"),
            a_change("d", "forget"),
            a_change("e", "something-new"),
            a_change("data.f", "read", mode="data"),
        ],
        output_changes={"z": {"actions": ["update"]}, "y": {"actions": ["no-op"]}},
    )

    assert plan.wanted() == [
        ("b", "import"),
        ("c", "delete/create"),
        ("d", "forget"),
        ("e", "something-new"),
        ("output z", "update"),
    ]


def test_variables_are_handed_on_exactly_as_they_were_written() -> None:
    text = b'{"format_version":"1.2","variables":{"a":{"value":1.10},"b":{},"c":{"value":{"x":[null,"\\u00fc"]}}}}'

    assert msgspec.json.decode(text, type=ShownPlan).variable_values() == (
        b'{"a":1.10,"b":null,"c":{"x":[null,"\\u00fc"]}}'
    )


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b'{"format_version":"1.2","resource_changes":[{}]}', b"\xff"]
)
def test_what_is_not_a_plan_is_not_read(text: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        msgspec.json.decode(text, type=ShownPlan)
