"""What people read when a rule fails: the reason, where it is, and nothing that they do not need."""

from pathlib import Path
from typing import Final

import pytest

from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.builders import a_plan_from, case_file

FIXTURES: Final = Path(__file__).resolve().parents[3] / "fixtures" / "rules"


def said(rule: str, case: str, address: str) -> tuple[str, str]:
    plan = a_plan_from(case_file(FIXTURES / rule.replace("-", "_"), case))
    outcomes, _ = evaluate(plan, {rule: RULES[rule]}, {})
    return next((outcome.message, outcome.path) for outcome in outcomes if outcome.address == address)


@pytest.mark.parametrize(
    ("case", "address", "reason"),
    [
        ("fail_says_yes", "aws_instance.web", "it asks for one"),
        ("fail_subnet_gives_addresses", "aws_instance.web", "its subnet gives them"),
        ("fail_elastic_address", "aws_instance.web", "an elastic address is tied to it"),
        (
            "fail_elastic_address_for_interface",
            "aws_instance.web",
            "an elastic address is tied to its network interface",
        ),
        ("fail_template_gives_addresses", "aws_instance.web", "its template asks for one"),
        ("fail_template_gives_addresses", "aws_launch_template.web", "it asks for one"),
        ("fail_group_in_public_subnet", "aws_autoscaling_group.web", "one of its subnets gives them"),
        (
            "absent_subnet_is_the_default_one",
            "aws_instance.web",
            "it names no subnet, and default subnets give them",
        ),
    ],
)
def test_a_public_address_is_explained(case: str, address: str, reason: str) -> None:
    assert said("instance-no-public-ip", case, address) == (f"it gets a public address: {reason}", "")


def test_an_open_port_is_shown_where_it_is_written() -> None:
    assert said("ingress-no-open-admin-ports", "fail_range_includes_rdp", "aws_security_group.web") == (
        "it lets the whole internet in to port 3389",
        "/ingress/0/cidr_blocks",
    )
    assert said("ingress-no-open-admin-ports", "fail_ipv6", "aws_security_group.web") == (
        "it lets the whole internet in to port 22",
        "/ingress/0/ipv6_cidr_blocks",
    )


def test_a_replacement_says_what_forces_it() -> None:
    assert said("no-stateful-destroy", "fail_replaced", "aws_dynamodb_table.orders") == (
        "it holds data and is replaced by a new, empty one; it is replaced because /name changes",
        "/name",
    )


def test_a_large_change_says_what_is_too_much() -> None:
    assert said("blast-radius", "fail_many_deleted", "")[0] == "it destroys 11 resources (at most 10)"
    assert said("blast-radius", "fail_large_part_deleted", "")[0] == (
        "it destroys 6 of 20 existing resources (at most 25 %)"
    )


def test_a_program_that_runs_is_named_with_its_resource() -> None:
    assert said("no-provisioners", "fail_local_exec", "terraform_data.setup")[0] == (
        "it runs a local-exec provisioner while the change is applied"
    )


def test_a_provider_that_is_not_allowed_is_named() -> None:
    assert said("allowed-providers", "fail_one_letter_off", "")[0] == (
        "provider registry.terraform.io/hashic0rp/aws is not allowed"
    )
