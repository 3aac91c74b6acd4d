"""Databases and what they stand in."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.base import Case


def _subnets(aws: Aws) -> list[str]:
    client = aws.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return [
        client.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"{aws.place.region}{zone}"
        )["Subnet"]["SubnetId"]
        for i, zone in enumerate("abc")
    ]


def _subnet_group(aws: Aws) -> dict[str, Any]:
    return {
        "DBSubnetGroupDescription": "private",
        "DBSubnetGroupName": "Shop-Data",
        "SubnetIds": _subnets(aws)[::-1],
        "Tags": [{"Key": "owner", "Value": "data"}],
    }


def _parameter_group(_: Aws) -> dict[str, Any]:
    return {
        "Family": "postgres16",
        "Description": "tls only",
        "Parameters": {"rds.force_ssl": 1, "log_min_duration_statement": "500"},
    }


def _groups(aws: Aws) -> list[str]:
    client = aws.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    return [
        client.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("b", "a")
    ]


def _database(aws: Aws) -> dict[str, Any]:
    aws.client("rds").create_db_subnet_group(
        DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=_subnets(aws)
    )
    return {
        "DBInstanceIdentifier": "Shop-Orders",
        "DBInstanceClass": "db.t4g.medium",
        "DBName": "orders",
        "DBSubnetGroupName": "data",
        "Engine": "postgres",
        "EngineVersion": "16.3",
        "AllocatedStorage": "50",
        "StorageType": "gp3",
        "StorageEncrypted": "true",
        "KmsKeyId": "arn:aws:kms:eu-central-1:111122223333:key/one",
        "MasterUsername": "keeper",
        "ManageMasterUserPassword": True,
        "MultiAZ": True,
        "Port": 5433,
        "BackupRetentionPeriod": 14,
        "CopyTagsToSnapshot": True,
        "EnableCloudwatchLogsExports": ["upgrade", "postgresql"],
        "EnableIAMDatabaseAuthentication": True,
        "PreferredBackupWindow": "03:00-04:00",
        "PreferredMaintenanceWindow": "Sun:05:00-Sun:06:00",
        "PubliclyAccessible": False,
        "VPCSecurityGroups": _groups(aws),
        "Tags": [{"Key": "owner", "Value": "data"}],
    }


def _small_database(_: Aws) -> dict[str, Any]:
    return {
        "DBInstanceClass": "db.t4g.micro",
        "Engine": "mysql",
        "AllocatedStorage": 20,
        "MasterUsername": "keeper",
        "MasterUserPassword": "not-a-secret-of-anybody",
    }


CASES: Final = (
    Case(
        type="AWS::RDS::DBInstance",
        name="full",
        prepare=_database,
        changes=(
            {"AllocatedStorage": "100", "BackupRetentionPeriod": 30},
            {"DBInstanceClass": "db.t4g.large"},
            {"EngineVersion": "16.4"},
            {"EnableCloudwatchLogsExports": ["postgresql"]},
            {"Tags": [{"Key": "owner", "Value": "web"}]},
            {"Tags": None},
        ),
        absent=("not-there",),
    ),
    Case(
        type="AWS::RDS::DBInstance",
        name="small",
        prepare=_small_database,
        changes=({"PubliclyAccessible": True}, {"PubliclyAccessible": None}),
    ),
    Case(
        type="AWS::RDS::DBParameterGroup",
        prepare=_parameter_group,
        changes=(
            {"Parameters": {"rds.force_ssl": "1", "log_min_duration_statement": "250"}},
            {"Tags": [{"Key": "owner", "Value": "web"}]},
        ),
        many_calls=3,
        absent=("not-there",),
    ),
    Case(
        type="AWS::RDS::DBSubnetGroup",
        prepare=_subnet_group,
        changes=(
            # Other subnets are in tests/unit/executor/aws/test_rds.py: the double fails at them.
            {"Tags": [{"Key": "owner", "Value": "web"}]},
            {"Tags": None},
        ),
        many_calls=2,
        absent=("not-there",),
    ),
)
