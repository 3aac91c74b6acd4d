"""What the double cannot tell about tables, by stubs."""

from typing import Any, Final

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Condition, Found, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers.dynamodb import Table
from tests.aws_stub import stub_aws, stubbed

__all__ = ["stub_aws"]

ARN: Final = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders"
MARK: Final = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="It", token=token_of("one"))
KEY: Final = [{"AttributeName": "id", "KeyType": "HASH"}]
DEFINITIONS: Final = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "a", "b")]


def _index(name: str) -> dict[str, Any]:
    return {
        "IndexName": f"by-{name}",
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }


def _add_table(stub: Any, **said: Any) -> None:
    """Four answers, as a table is asked for."""
    table = {"TableName": "orders", "TableArn": ARN, "TableStatus": "ACTIVE", "KeySchema": KEY, **said}
    stub.add_response("describe_table", {"Table": table})
    stub.add_response("list_tags_of_resource", {"Tags": []})
    backups = {"ContinuousBackupsStatus": "ENABLED"}
    stub.add_response("describe_continuous_backups", {"ContinuousBackupsDescription": backups})
    stub.add_response("describe_time_to_live", {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        ({}, Condition.READY),
        ({"TableStatus": "UPDATING"}, Condition.BUSY),
        ({"GlobalSecondaryIndexes": [{**_index("a"), "IndexStatus": "CREATING"}]}, Condition.BUSY),
        ({"SSEDescription": {"Status": "UPDATING"}}, Condition.BUSY),
        ({"TableStatus": "INACCESSIBLE_ENCRYPTION_CREDENTIALS"}, Condition.FAILED),
    ],
)
def test_a_state_of_dynamodb_is_one_of_ours(
    stub_aws: Aws, said: dict[str, Any], condition: Condition
) -> None:
    with stubbed(stub_aws, "dynamodb") as stub:
        _add_table(stub, **said)
        assert Table().read(stub_aws, ["orders"])["orders"].condition is condition


def test_a_change_that_has_to_wait_is_left_for_the_next_update(stub_aws: Aws) -> None:
    found = Found(identifier="orders", properties={}, attributes={"Arn": ARN})
    wanted = {"AttributeDefinitions": DEFINITIONS, "GlobalSecondaryIndexes": [_index("a"), _index("b")]}
    with stubbed(stub_aws, "dynamodb") as stub:
        _add_table(stub)
        stub.add_response(
            "update_table",
            {},
            {
                "TableName": "orders",
                "AttributeDefinitions": DEFINITIONS,
                "GlobalSecondaryIndexUpdates": [{"Create": _index("a")}],
            },
        )
        stub.add_client_error("update_table", "ResourceInUseException", "Table is being updated")
        Table().update(stub_aws, found, wanted, frozenset({"GlobalSecondaryIndexes"}))


def test_a_first_change_that_is_refused_is_an_error(stub_aws: Aws) -> None:
    found = Found(identifier="orders", properties={}, attributes={"Arn": ARN})
    with stubbed(stub_aws, "dynamodb") as stub:
        _add_table(stub)
        stub.add_client_error("update_table", "ResourceInUseException", "Table is being updated")
        with pytest.raises(Exception, match="Table is being updated"):
            Table().update(
                stub_aws, found, {"DeletionProtectionEnabled": True}, frozenset({"DeletionProtectionEnabled"})
            )


def test_a_protected_table_is_not_deleted(stub_aws: Aws) -> None:
    with stubbed(stub_aws, "dynamodb") as stub:
        _add_table(stub, DeletionProtectionEnabled=True)
        found = Table().read(stub_aws, ["orders"])["orders"]
        with pytest.raises(ExecutionError, match="protected against deletion"):
            Table().delete(stub_aws, found)


def test_an_alias_for_the_key_is_refused(stub_aws: Aws) -> None:
    wanted = {"SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": "alias/shop"}}
    with stubbed(stub_aws, "dynamodb"), pytest.raises(ExecutionError, match="expected the ARN or the id"):
        Table().create(stub_aws, wanted, MARK)
