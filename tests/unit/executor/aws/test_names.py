"""Names that are made, and arguments that fit."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import ExecutionError
from plangate.executor.aws.arguments import fitting, only
from plangate.executor.aws.base import Mark, Owner, token_of
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.names import generated_name
from tests.aws_stub import stub_aws

__all__ = ["stub_aws"]


@given(stack=st.text(max_size=80), name=st.text(max_size=80), limit=st.integers(20, 255), lower=st.booleans())
def test_a_made_name_is_one_that_every_service_takes(
    stack: str, name: str, limit: int, *, lower: bool
) -> None:
    mark = Mark(owner=Owner(environment="prod", stack=stack), logical_id=name, token=token_of(stack, name))
    made = generated_name(mark, limit, lower=lower)
    assert len(made) <= limit
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)+", made)
    assert made.endswith(f"-{mark.token[:12]}")
    assert not lower or made == made.lower()


@pytest.mark.parametrize(
    ("operation", "given_", "fits"),
    [
        (
            "CreateDBInstance",
            {"AllocatedStorage": "50", "MultiAZ": "true"},
            {"AllocatedStorage": 50, "MultiAZ": True},
        ),
        ("CreateDBInstance", {"Port": Decimal(5432), "DBName": 12}, {"Port": 5432, "DBName": "12"}),
        ("CreateDBInstance", {"Port": "x", "MultiAZ": "yes"}, {"Port": "x", "MultiAZ": "yes"}),
        ("CreateDBInstance", {"Port": "1.5", "Other": "1"}, {"Port": "1.5", "Other": "1"}),
        (
            "CreateDBInstance",
            {"Tags": [{"Key": "a", "Value": True}, {"Key": "b", "Value": 1}]},
            {"Tags": [{"Key": "a", "Value": "true"}, {"Key": "b", "Value": "1"}]},
        ),
    ],
)
def test_values_are_of_the_kind_that_an_operation_wants(
    stub_aws: Aws, operation: str, given_: dict[str, Any], fits: dict[str, Any]
) -> None:
    made = fitting(stub_aws.client("rds"), operation, given_)
    assert made == fits
    assert {name: type(value) for name, value in made.items()} == {
        name: type(value) for name, value in fits.items()
    }


def test_what_an_object_may_not_hold_is_named() -> None:
    with pytest.raises(ExecutionError, match="Code: Zip is not supported"):
        only("Code", {"Zip": 1}, "ZipFile")
    with pytest.raises(ExecutionError, match="Code: expected an object, found str"):
        only("Code", "text", "ZipFile")
