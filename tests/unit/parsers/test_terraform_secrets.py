"""Which texts of a plan must never be shown."""

import base64
from typing import Any

import pytest

from plangate.parsers.terraform_secrets import SECRET_NAMES, SECRET_NAMES_BY_TYPE
from tests.plan_documents import a_document, an_entry, read

SECRET = "hunter2hunter2"


def secrets(*entries: dict[str, Any], **root: Any) -> frozenset[str]:
    return read(a_document(*entries, **root)).secrets


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(
    ("value", "shadow", "found"),
    [
        ({"a": SECRET, "b": "public"}, {"a": True}, {SECRET}),
        ({"a": [SECRET, "public"]}, {"a": [True, False]}, {SECRET}),
        ({"a": {"b": [{"c": SECRET}]}}, {"a": {"b": [{"c": True}]}}, {SECRET}),
        ({"a": {"b": SECRET, "c": 123456, "d": True, "e": None}}, {"a": True}, {SECRET, "123456"}),
        ({"a": SECRET, "b": "other"}, True, {SECRET, "other"}),
        ({"a": SECRET}, {"a": [True]}, {SECRET}),
        ({"a": "ab", "b": 12}, True, set()),
        ({"a": SECRET}, {"a": False, "b": True}, set()),
        ({"a": SECRET}, {}, set()),
    ],
)
def test_what_a_shadow_marks_is_secret(side: str, value: Any, shadow: Any, found: set[str]) -> None:
    change = {side: value, f"{side}_sensitive": shadow}
    assert secrets(an_entry(actions="update", **change)) == found


@pytest.mark.parametrize("name", sorted(SECRET_NAMES))
@pytest.mark.parametrize("side", ["before", "after"])
def test_some_names_carry_secrets_though_nothing_marks_them(name: str, side: str) -> None:
    change: dict[str, Any] = {side: {name: SECRET, "ami": "public"}}
    assert SECRET in secrets(an_entry(actions="update", **change))


@pytest.mark.parametrize(
    ("native_type", "names"), sorted((t, sorted(n)) for t, n in SECRET_NAMES_BY_TYPE.items())
)
def test_some_names_carry_secrets_in_some_types(native_type: str, names: list[str]) -> None:
    for name in names:
        assert secrets(an_entry(f"{native_type}.x", after={name: {"k": SECRET}})) == {SECRET}
    assert (
        secrets(an_entry("aws_instance.x", after={"value": SECRET, "data": SECRET, "result": SECRET}))
        == set()
    )


@pytest.mark.parametrize("name", ["user_data", "user_data_base64", "custom_data"])
def test_user_data_is_secret_as_it_stands_and_decoded(name: str) -> None:
    script = f"#!/bin/sh\nexport PASSWORD={SECRET}\n"
    encoded = base64.b64encode(script.encode()).decode()
    assert secrets(an_entry(after={name: encoded})) == {encoded, script}
    assert secrets(an_entry(after={name: script})) == {script}
    assert secrets(an_entry(after={name: None})) == set()


def test_a_secret_name_deeper_down_is_left_to_the_shadow() -> None:
    assert secrets(an_entry(after={"block": {"password": SECRET}})) == set()


def test_sensitive_variables_and_outputs_are_secret() -> None:
    configuration = {
        "root_module": {
            "variables": {"p": {"sensitive": True, "default": "default-secret"}, "q": {"default": "public"}},
        }
    }
    variables = {"p": {"value": SECRET}, "q": {"value": "public too"}}
    assert secrets(configuration=configuration, variables=variables) == {SECRET, "default-secret"}
    outputs = {"o": {"sensitive": True, "value": {"k": SECRET}}, "n": {"sensitive": False, "value": "public"}}
    assert secrets(planned_values={"outputs": outputs}) == {SECRET}
    assert secrets(prior_state={"values": {"outputs": outputs}}) == {SECRET}
    change = {"actions": ["create"], "before": None, "after": SECRET, "after_sensitive": True}
    assert secrets(output_changes={"o": change}) == {SECRET}


def test_sensitive_values_of_states_and_of_drift_are_secret() -> None:
    resource = {
        "type": "a_b",
        "values": {"a": SECRET, "password": "named-secret"},
        "sensitive_values": {"a": True},
    }
    values = {"root_module": {"child_modules": [{"resources": [resource]}]}}
    assert secrets(prior_state={"values": values}) == {SECRET, "named-secret"}
    assert secrets(planned_values=values) == {SECRET, "named-secret"}
    drift = an_entry(actions="update", before={"a": SECRET}, before_sensitive={"a": True})
    assert secrets(resource_drift=[drift]) == {SECRET}


@pytest.mark.parametrize(
    "odd", [1, "x", [], None, {"root_module": []}, {"outputs": [1]}, {"root_module": {"resources": {}}}]
)
def test_a_state_of_another_shape_has_no_secrets(odd: Any) -> None:
    assert secrets(planned_values=odd, prior_state={"values": odd}) == set()
    assert secrets(prior_state=odd) == set()
