"""Buckets and databases of CloudFormation as the Terraform provider has them.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_S3.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_RDS.html and those of the other services.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.facts.base import Raw, Values, flag
from plangate.facts.cloudformation_shape import Attribute, Block, Coded, Part, Twin, listed, member
from plangate.model.values import UNKNOWN, AllUnknown, all_of

_ACLS: Final[Mapping[str, str]] = {
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
    "AuthenticatedRead": "authenticated-read",
    "LogDeliveryWrite": "log-delivery-write",
    "BucketOwnerRead": "bucket-owner-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
    "AwsExecRead": "aws-exec-read",
}
_PUBLIC_ACCESS: Final = Block(
    "",
    {
        "BlockPublicAcls": "block_public_acls",
        "BlockPublicPolicy": "block_public_policy",
        "IgnorePublicAcls": "ignore_public_acls",
        "RestrictPublicBuckets": "restrict_public_buckets",
    },
)
_RESTORE: Final = "restore_to_point_in_time"
_SOURCES: Final = (
    "RestoreTime",
    "RestoreToTime",
    "UseLatestRestorableTime",
    "SourceDbiResourceId",
    "SourceDBInstanceAutomatedBackupsArn",
    "SourceDBClusterIdentifier",
    "SourceDbClusterResourceId",
)
"""Properties of a database that is made from another one."""


def _acl(value: Raw) -> Raw:
    """A canned ACL; one that is not known here may be open."""
    return _ACLS.get(value, UNKNOWN) if isinstance(value, str) else UNKNOWN


def _bucket_parts(given: Values) -> Iterator[Part]:
    access = member(given, "PublicAccessBlockConfiguration")
    if access is not None:
        yield Part("aws_s3_bucket_public_access_block", "bucket", _flat(_PUBLIC_ACCESS, access))
    encryption = member(given, "BucketEncryption")
    if encryption is not None:
        rules = listed(member(encryption, "ServerSideEncryptionConfiguration"))
        yield Part(
            "aws_s3_bucket_server_side_encryption_configuration",
            "bucket",
            {"rule": UNKNOWN if rules is None else [_encryption_rule(rule) for rule in rules]},
        )
    versioning = member(given, "VersioningConfiguration")
    if versioning is not None:
        status = member(versioning, "Status")
        yield Part("aws_s3_bucket_versioning", "bucket", {"versioning_configuration": [{"status": status}]})


def _flat(block: Block, value: Raw) -> Values:
    if isinstance(value, Mapping) and not isinstance(value, AllUnknown):
        return block.table.attributes(value)
    return dict.fromkeys(block.table.names(), UNKNOWN)


def _encryption_rule(rule: Raw) -> Raw:
    default = member(rule, "ServerSideEncryptionByDefault")
    if default is None:
        return {}
    algorithm = UNKNOWN if default is UNKNOWN else member(default, "SSEAlgorithm")
    return {"apply_server_side_encryption_by_default": [{"sse_algorithm": algorithm}]}


def _db_instance_type(given: Values) -> str:
    # One of which nothing is known may be one of its own, whose data goes with it.
    alone = isinstance(given, AllUnknown) or member(given, "DBClusterIdentifier") in (None, "")
    return "aws_db_instance" if alone else "aws_rds_cluster_instance"


def _db_instance(given: Values, values: dict[str, Any]) -> None:
    """Left open, whether it is public depends on the network: a gateway in it makes it public.

    Source:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html
    """
    values.setdefault("publicly_accessible", UNKNOWN)
    _restored(given, values)


def _restored(given: Values, values: dict[str, Any]) -> None:
    """What is made from another database follows that one."""
    if any(member(given, name) not in (None, "", False) for name in _SOURCES):
        values[_RESTORE] = UNKNOWN


def _global_table(given: Values, values: dict[str, Any]) -> None:
    replicas = listed(member(given, "Replicas"))
    values["deletion_protection_enabled"] = (
        UNKNOWN
        if not replicas
        else all_of(flag(member(each, "DeletionProtectionEnabled"), default=False) for each in replicas)
    )


_CLUSTER: Final[Mapping[str, Attribute]] = {
    "DBClusterIdentifier": "cluster_identifier",
    "StorageEncrypted": "storage_encrypted",
    "DeletionProtection": "deletion_protection",
    "SnapshotIdentifier": "snapshot_identifier",
    "ReplicationSourceIdentifier": "replication_source_identifier",
    "GlobalClusterIdentifier": "global_cluster_identifier",
    "EngineMode": "engine_mode",
}
_SEARCH: Final[Mapping[str, Attribute]] = {
    "VPCOptions": Block("vpc_options", {"SubnetIds": "subnet_ids"}),
    "DomainName": "domain_name",
}

TWINS: Final[Mapping[str, Twin]] = {
    "AWS::S3::Bucket": Twin(
        type="aws_s3_bucket",
        members={"BucketName": "bucket", "AccessControl": Coded("acl", _acl)},
        parts=_bucket_parts,
    ),
    "AWS::S3::BucketPolicy": Twin(
        type="aws_s3_bucket_policy", members={"Bucket": "bucket", "PolicyDocument": "policy"}, tags=""
    ),
    "AWS::RDS::DBInstance": Twin(
        type=_db_instance_type,
        members={
            "DBInstanceIdentifier": "identifier",
            "DBClusterIdentifier": "cluster_identifier",
            "PubliclyAccessible": "publicly_accessible",
            "StorageEncrypted": "storage_encrypted",
            "DeletionProtection": "deletion_protection",
            "DBSnapshotIdentifier": "snapshot_identifier",
            "DBClusterSnapshotIdentifier": "snapshot_identifier",
            "SourceDBInstanceIdentifier": "replicate_source_db",
        },
        adjust=_db_instance,
    ),
    "AWS::RDS::DBCluster": Twin(type="aws_rds_cluster", members=_CLUSTER, adjust=_restored),
    "AWS::Neptune::DBCluster": Twin(type="aws_neptune_cluster", members=_CLUSTER, adjust=_restored),
    "AWS::Neptune::DBInstance": Twin(
        type="aws_neptune_cluster_instance",
        members={
            "DBInstanceIdentifier": "identifier",
            "DBClusterIdentifier": "cluster_identifier",
            "PubliclyAccessible": "publicly_accessible",
        },
    ),
    "AWS::DocDB::DBCluster": Twin(type="aws_docdb_cluster", members=_CLUSTER, adjust=_restored),
    "AWS::Redshift::Cluster": Twin(
        type="aws_redshift_cluster",
        members={
            "ClusterIdentifier": "cluster_identifier",
            "PubliclyAccessible": "publicly_accessible",
            "Encrypted": "encrypted",
        },
    ),
    "AWS::DynamoDB::Table": Twin(
        type="aws_dynamodb_table",
        members={"TableName": "name", "DeletionProtectionEnabled": "deletion_protection_enabled"},
    ),
    # Tags stand in each replica.
    "AWS::DynamoDB::GlobalTable": Twin(
        type="aws_dynamodb_table", members={"TableName": "name"}, adjust=_global_table, tags="?"
    ),
    "AWS::Serverless::SimpleTable": Twin(type="aws_dynamodb_table", members={"TableName": "name"}),
    "AWS::ElastiCache::ReplicationGroup": Twin(
        type="aws_elasticache_replication_group",
        members={
            "AtRestEncryptionEnabled": "at_rest_encryption_enabled",
            "Engine": "engine",
            "GlobalReplicationGroupId": "global_replication_group_id",
        },
    ),
    "AWS::OpenSearchService::Domain": Twin(
        type="aws_opensearch_domain",
        members={**_SEARCH, "EncryptionAtRestOptions": Block("encrypt_at_rest", {"Enabled": "enabled"})},
    ),
    "AWS::Elasticsearch::Domain": Twin(
        type="aws_elasticsearch_domain",
        members={**_SEARCH, "EncryptionAtRestOptions": Block("encrypt_at_rest", {"Enabled": "enabled"})},
    ),
}
