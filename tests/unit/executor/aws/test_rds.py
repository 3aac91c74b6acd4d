"""What the double over HTTP cannot tell about databases: by stubs of AWS's answers."""

from typing import Any, Final

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.base import MARK_CREATION, Condition, Found, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers.rds import DBInstance, is_version
from plangate.executor.aws.handlers.rds_groups import DBSubnetGroup
from tests.aws_stub import stub_aws, stubbed

__all__ = ["stub_aws"]

MARK: Final = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="Db", token=token_of("one"))
ARN: Final = "arn:aws:rds:eu-central-1:111122223333:db:orders"


def _described(aws: Aws, **said: Any) -> Found:
    item = {"DBInstanceIdentifier": "orders", "DBInstanceArn": ARN, "DBInstanceStatus": "available", **said}
    with stubbed(aws, "rds") as stub:
        stub.add_response("describe_db_instances", {"DBInstances": [item]})
        return DBInstance().read(aws, ["orders"])["orders"]


def test_other_subnets_and_their_description_go_in_one_call(stub_aws: Aws) -> None:
    found = Found(identifier="data", properties={}, attributes={})
    wanted = {"DBSubnetGroupDescription": "three zones", "SubnetIds": ["subnet-1", "subnet-2"]}
    with stubbed(stub_aws, "rds") as stub:
        stub.add_response(
            "modify_db_subnet_group",
            {},
            {
                "DBSubnetGroupName": "data",
                "DBSubnetGroupDescription": "three zones",
                "SubnetIds": ["subnet-1", "subnet-2"],
            },
        )
        DBSubnetGroup().update(stub_aws, found, wanted, frozenset(wanted))


def test_a_database_without_a_word_on_it_is_not_public(stub_aws: Aws) -> None:
    with stubbed(stub_aws, "rds") as stub:
        stub.add_response(
            "create_db_instance",
            {"DBInstance": {"DBInstanceIdentifier": "orders"}},
            {
                "DBInstanceIdentifier": "orders",
                "DBInstanceClass": "db.t4g.micro",
                "Engine": "postgres",
                "AllocatedStorage": 20,
                "PubliclyAccessible": False,
                "VpcSecurityGroupIds": ["sg-1"],
                "MasterUserSecretKmsKeyId": "key-1",
                "ManageMasterUserPassword": True,
                "EnablePerformanceInsights": True,
                "Tags": [{"Key": key, "Value": MARK.tags[key]} for key in sorted(MARK.tags)],
            },
        )
        made = DBInstance().create(
            stub_aws,
            {
                "DBInstanceIdentifier": "Orders",
                "DBInstanceClass": "db.t4g.micro",
                "Engine": "postgres",
                "AllocatedStorage": "20",
                "VPCSecurityGroups": ["sg-1"],
                "ManageMasterUserPassword": "true",
                "MasterUserSecret": {"KmsKeyId": "key-1"},
                "EnablePerformanceInsights": True,
                "ApplyImmediately": True,
            },
            MARK,
        )
    assert made == "orders"


def test_an_alias_for_the_key_is_refused_before_anything_is_made(stub_aws: Aws) -> None:
    with pytest.raises(ExecutionError, match="KmsKeyId: expected the ARN or the id of a key"):
        DBInstance().create(stub_aws, {"KmsKeyId": "alias/shop"}, MARK)


def test_what_is_changed_and_still_to_come_is_read_as_changed(stub_aws: Aws) -> None:
    found = _described(
        stub_aws,
        AllocatedStorage=20,
        MultiAZ=False,
        PendingModifiedValues={
            "AllocatedStorage": 50,
            "MultiAZ": True,
            "MasterUserPassword": "****",
            "IAMDatabaseAuthenticationEnabled": True,
        },
    )
    assert found.properties == {
        "DBInstanceIdentifier": "orders",
        "AllocatedStorage": "50",
        "EnableIAMDatabaseAuthentication": True,
        "ManageMasterUserPassword": False,
        "MultiAZ": True,
        "Tags": [],
    }


@pytest.mark.parametrize(
    ("status", "condition"),
    [
        ("available", Condition.READY),
        ("storage-optimization", Condition.READY),
        ("creating", Condition.BUSY),
        ("rebooting", Condition.BUSY),
        ("modifying", Condition.BUSY),
        ("deleting", Condition.BUSY),
        ("a-state-of-next-year", Condition.BUSY),
        ("failed", Condition.FAILED),
        ("incompatible-network", Condition.FAILED),
        ("inaccessible-encryption-credentials", Condition.FAILED),
    ],
)
def test_a_state_of_rds_is_one_of_ours(stub_aws: Aws, status: str, condition: Condition) -> None:
    found = _described(stub_aws, DBInstanceStatus=status)
    assert (found.condition, found.detail) == (condition, status)


def test_a_protected_database_is_not_deleted(stub_aws: Aws) -> None:
    found = _described(stub_aws, DeletionProtection=True)
    with stubbed(stub_aws, "rds"), pytest.raises(ExecutionError, match="protected against deletion"):
        DBInstance().delete(stub_aws, found)


def test_a_database_is_deleted_with_a_final_snapshot(stub_aws: Aws) -> None:
    found = _described(stub_aws, TagList=[{"Key": MARK_CREATION, "Value": MARK.token}])
    with stubbed(stub_aws, "rds") as stub:
        stub.add_response(
            "delete_db_instance",
            {},
            {
                "DBInstanceIdentifier": "orders",
                "SkipFinalSnapshot": False,
                "FinalDBSnapshotIdentifier": f"orders-final-{MARK.token}",
            },
        )
        DBInstance().delete(stub_aws, found)


def test_a_deletion_that_goes_on_already_is_left_to_go_on(stub_aws: Aws) -> None:
    found = _described(stub_aws, DbiResourceId="db-ONE")
    with stubbed(stub_aws, "rds") as stub:
        stub.add_client_error("delete_db_instance", "InvalidDBInstanceState")
        stub.add_response(
            "describe_db_instances",
            {"DBInstances": [{"DBInstanceIdentifier": "orders", "DBInstanceStatus": "deleting"}]},
        )
        DBInstance().delete(stub_aws, found)


@pytest.mark.parametrize(
    ("wanted", "actual", "same"),
    [
        ("16", "16.3", True),
        ("16.3", "16.3", True),
        ("16.3", "16.4", True),
        ("16.4", "16.3", False),
        ("16.3", "17.1", False),
        ("16", "17.1", False),
        ("1", "16.3", False),
        ("8.0", "8.0.35", True),
        ("8.0.35", "8.0.36", True),
        ("8.0.36", "8.0.35", False),
        ("8.4.1", "8.0.36", False),
        ("19.0.0.0.ru-1", "19.0.0.0.ru-2", False),
    ],
)
def test_a_version_is_met_by_itself_and_by_later_patches(wanted: str, actual: str, *, same: bool) -> None:
    assert is_version(wanted, actual) is same
