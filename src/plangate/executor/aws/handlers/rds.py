"""Databases.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html,
API_ModifyDBInstance.html, API_DBInstance.html and API_DeleteDBInstance.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.arguments import fitting, is_true, only, present
from plangate.executor.aws.base import (
    MARK_CREATION,
    REF,
    BaseHandler,
    Condition,
    Found,
    Handler,
    Mark,
    Owner,
    Properties,
)
from plangate.executor.aws.clients import Aws, code_of, is_gone
from plangate.executor.aws.keys import not_an_alias, same_key
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tags import changed_tags, marks_of, template_tags, wanted_tags

_LIMIT: Final = 63
_MANY: Final = 100
_AS_IS: Final = (
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "AvailabilityZone",
    "BackupRetentionPeriod",
    "CACertificateIdentifier",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBInstanceIdentifier",
    "DBName",
    "DeletionProtection",
    "Engine",
    "EngineVersion",
    "Iops",
    "KmsKeyId",
    "LicenseModel",
    "MasterUsername",
    "MaxAllocatedStorage",
    "MonitoringInterval",
    "MonitoringRoleArn",
    "MultiAZ",
    "NetworkType",
    "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "PubliclyAccessible",
    "StorageEncrypted",
    "StorageThroughput",
    "StorageType",
)
"""Properties that AWS takes and tells under their own names."""
_OTHERWISE: Final = (
    "DBParameterGroupName",
    "DBSubnetGroupName",
    "EnableCloudwatchLogsExports",
    "EnableIAMDatabaseAuthentication",
    "EnablePerformanceInsights",
    "ManageMasterUserPassword",
    "MasterUserPassword",
    "MasterUserSecret",
    "OptionGroupName",
    "Port",
    "Tags",
    "VPCSecurityGroups",
)
"""Properties that AWS takes under their names or `_TAKEN_AS`, and tells in other shapes, or never."""
_ORDERS: Final = ("AllowMajorVersionUpgrade", "ApplyImmediately")
"""How changes are made; no part of the database."""
_TAKEN_AS: Final = {"VPCSecurityGroups": "VpcSecurityGroupIds"}
_FOREVER: Final = frozenset(
    {
        "AvailabilityZone",
        "DBInstanceIdentifier",
        "DBName",
        "DBSubnetGroupName",
        "Engine",
        "KmsKeyId",
        "MasterUsername",
        "PerformanceInsightsKMSKeyId",
        "StorageEncrypted",
    }
)
"""What another value makes another database of."""
_BROKEN: Final = frozenset({"failed", "insufficient-capacity", "restore-error", "storage-full"})
_STEADY: Final = frozenset({"available", "stopped", "storage-optimization"})
_LOWER: Final = frozenset({
    "DBInstanceIdentifier", "DBParameterGroupName", "DBSubnetGroupName", "OptionGroupName", "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
})  # fmt: skip
"""What AWS tells in small letters."""


class DBInstance(BaseHandler):
    """``AWS::RDS::DBInstance``: one with storage of its own; no copy of another, and none of a cluster.

    Without `PubliclyAccessible` it is not, whatever its network is like. What is changed is read as changed from the
    moment on that RDS has taken the change, also if that waits for the maintenance window. Deletion makes a final
    snapshot, named after the identifier and the creation; with `DeletionProtection` it is refused.
    """

    type: ClassVar[str] = "AWS::RDS::DBInstance"
    supported: ClassVar[frozenset[str]] = frozenset({*_AS_IS, *_OTHERWISE, *_ORDERS})
    updatable: ClassVar[frozenset[str]] = supported - _FOREVER
    defaults: ClassVar[Properties] = {"PubliclyAccessible": False, "Tags": []}
    volatile: ClassVar[frozenset[str]] = frozenset({
        "CertificateDetails.CAIdentifier", "Endpoint.Port", "MasterUserSecret.SecretArn",
    })  # fmt: skip
    patience_s: ClassVar[float] = 5400.0
    names: ClassVar[frozenset[str]] = frozenset({"DBInstanceIdentifier"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for up to a hundred, tags included."""
        found: dict[str, Found] = {}
        for start in range(0, len(identifiers), _MANY):
            some = list(identifiers[start : start + _MANY])
            for item in _described(aws, Filters=[{"Name": "db-instance-id", "Values": some}]):
                found[str(item["DBInstanceIdentifier"])] = _found(item)
        return found

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags, which the description of all has."""
        found = (_found(item) for item in _described(aws))
        return [each for each in found if owner.tags.items() <= each.marks.items()]

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call."""
        for name in ("KmsKeyId", "PerformanceInsightsKMSKeyId"):
            not_an_alias(name, properties.get(name))
        given = {
            "PubliclyAccessible": False,
            **_arguments(properties, self.supported - {"Tags", *_ORDERS}),
            "DBInstanceIdentifier": _name_of(properties, mark),
            "Tags": wanted_tags(properties, mark),
        }
        client = aws.client("rds")
        made = client.create_db_instance(**fitting(client, "CreateDBInstance", given))
        return str(made["DBInstance"]["DBInstanceIdentifier"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name, when it carries the token."""
        name = _name_of(properties, mark)
        found = self.read(aws, [name]).get(name)
        return name if found is not None and mark.matches(found.marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for everything, at once if the template does not say otherwise, and one or two for the tags."""
        client = aws.client("rds")
        names = (changed & self.updatable) - {"Tags", *_ORDERS}
        if "EnableCloudwatchLogsExports" in names:
            # It takes steps, not a state: from where it is now.
            found = self.read(aws, [found.identifier]).get(found.identifier, found)
        if names:
            given = _modification(found, {**self.defaults, **properties}, names)
            client.modify_db_instance(**fitting(client, "ModifyDBInstance", given))
        if "Tags" in changed:
            retag(aws, str(found.attributes["DBInstanceArn"]), found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call, with a final snapshot.

        Raises:
            ExecutionError: It is protected.
        """
        if found.properties.get("DeletionProtection"):
            raise ExecutionError(
                f"the database {found.identifier} is not deleted: it is protected against deletion",
                hint="set DeletionProtection to false, apply that, and delete it then",
            )
        if found.detail == "deleting":
            return
        made_by = found.marks.get(MARK_CREATION) or str(found.attributes["DbiResourceId"]).lower()
        try:
            aws.client("rds").delete_db_instance(
                DBInstanceIdentifier=found.identifier,
                SkipFinalSnapshot=False,
                FinalDBSnapshotIdentifier=f"{found.identifier}-final-{made_by}",
            )
        except Exception as error:
            if is_gone(error):
                return
            now = self.read(aws, [found.identifier]).get(found.identifier)
            if code_of(error) != "InvalidDBInstanceState" or (now is not None and now.detail != "deleting"):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Names and windows in any letters, keys by id or ARN, sets in any order, versions as far as they are said."""
        if name in _LOWER:
            return str(wanted).lower() == str(actual).lower()
        if name in {"KmsKeyId", "PerformanceInsightsKMSKeyId"}:
            return same_key(wanted, actual)
        if name == "MasterUserSecret":
            key = only(name, wanted, "KmsKeyId").get("KmsKeyId")
            return key is None or same_key(key, actual.get("KmsKeyId"))
        if name in {"VPCSecurityGroups", "EnableCloudwatchLogsExports"}:
            return sorted(wanted) == sorted(actual)
        if name == "EngineVersion":
            return is_version(str(wanted), str(actual))
        return None


def is_version(wanted: str, actual: str) -> bool:
    """Whether a version is the wanted one, or a later patch of it: RDS upgrades by itself, and never back.

    ``16`` is any of ``16.…``, and ``16.3`` is ``16.3`` or ``16.4``, not ``16.2`` or ``17.1``.
    """
    mine, theirs = wanted.split("."), actual.split(".")
    if theirs[: len(mine)] == mine:
        return True
    if len(mine) < 2 or len(theirs) < len(mine) or theirs[: len(mine) - 1] != mine[:-1]:  # noqa: PLR2004
        return False
    patch, their_patch = mine[-1], theirs[len(mine) - 1]
    return patch.isdigit() and their_patch.isdigit() and int(their_patch) >= int(patch)


def retag(aws: Aws, arn: str, found: Found, properties: Properties) -> None:
    """Bring the tags of anything in RDS to what the template says."""
    put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
    client = aws.client("rds")
    if put:
        client.add_tags_to_resource(ResourceName=arn, Tags=put)
    if gone:
        client.remove_tags_from_resource(ResourceName=arn, TagKeys=gone)


def _name_of(properties: Properties, mark: Mark) -> str:
    given = properties.get("DBInstanceIdentifier")
    return str(given).lower() if given else generated_name(mark, _LIMIT, lower=True)


def _described(aws: Aws, **arguments: Any) -> list[Any]:
    return aws.pages("rds", "describe_db_instances", "DBInstances", **arguments)


def _arguments(properties: Properties, names: frozenset[str]) -> dict[str, Any]:
    """What creation and modification take alike."""
    given = {
        _TAKEN_AS.get(name, name): properties[name]
        for name in names - {"MasterUserSecret"}
        if name in properties
    }
    secret = properties.get("MasterUserSecret")
    if "MasterUserSecret" in names and secret:
        given["MasterUserSecretKmsKeyId"] = only("MasterUserSecret", secret, "KmsKeyId").get("KmsKeyId")
    return present(given)


def _modification(found: Found, properties: Properties, names: frozenset[str]) -> dict[str, Any]:
    given = _arguments(properties, names - {"EnableCloudwatchLogsExports"})
    if "Port" in given:
        given["DBPortNumber"] = given.pop("Port")
    if "EnableCloudwatchLogsExports" in names:
        before = set(found.properties.get("EnableCloudwatchLogsExports", ()))
        after = set(properties.get("EnableCloudwatchLogsExports", ()))
        given["CloudwatchLogsExportConfiguration"] = present(
            {
                "EnableLogTypes": sorted(after - before),
                "DisableLogTypes": sorted(before - after),
            }
        )
    if "ManageMasterUserPassword" in names and not is_true(properties.get("ManageMasterUserPassword")):
        given |= present({"MasterUserPassword": properties.get("MasterUserPassword")})
    if names & {"Iops", "StorageType", "StorageThroughput", "AllocatedStorage"}:
        # RDS takes these only together.
        storage = frozenset({"AllocatedStorage", "Iops", "StorageThroughput", "StorageType"})
        given |= _arguments(properties, storage)
    return {
        **given,
        "DBInstanceIdentifier": found.identifier,
        "ApplyImmediately": is_true(properties.get("ApplyImmediately", True)),
        "AllowMajorVersionUpgrade": is_true(properties.get("AllowMajorVersionUpgrade", False)),
    }


def _found(item: Mapping[str, Any]) -> Found:
    status = str(item.get("DBInstanceStatus", ""))
    properties = {**{name: item.get(name) for name in _AS_IS}, **dict(_told_otherwise(item))}
    return Found(
        identifier=str(item["DBInstanceIdentifier"]),
        properties={"Tags": [], **present(properties | _pending(item.get("PendingModifiedValues") or {}))},
        attributes=present(
            {
                REF: item["DBInstanceIdentifier"],
                "DBInstanceArn": item.get("DBInstanceArn"),
                "DBInstanceIdentifier": item["DBInstanceIdentifier"],
                "DbiResourceId": item.get("DbiResourceId"),
                "DBSystemId": item.get("DBSystemId"),
                "CertificateDetails.CAIdentifier": (item.get("CertificateDetails") or {}).get("CAIdentifier"),
                "Endpoint.Address": (item.get("Endpoint") or {}).get("Address"),
                "Endpoint.HostedZoneId": (item.get("Endpoint") or {}).get("HostedZoneId"),
                "Endpoint.Port": _text((item.get("Endpoint") or {}).get("Port")),
                "MasterUserSecret.SecretArn": (item.get("MasterUserSecret") or {}).get("SecretArn"),
            }
        ),
        condition=_condition(status),
        detail=status,
        marks=marks_of(item.get("TagList")),
    )


def _condition(status: str) -> Condition:
    """Unknown states are taken for passing ones; the engine's patience ends."""
    if status in _STEADY:
        return Condition.READY
    if status in _BROKEN or status.startswith(("incompatible-", "inaccessible-")):
        return Condition.FAILED
    return Condition.BUSY


def _told_otherwise(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    groups = item.get("DBParameterGroups") or ()
    options = item.get("OptionGroupMemberships") or ()
    secret = item.get("MasterUserSecret") or {}
    yield "DBSubnetGroupName", (item.get("DBSubnetGroup") or {}).get("DBSubnetGroupName")
    yield "DBParameterGroupName", groups[0]["DBParameterGroupName"] if groups else None
    yield "OptionGroupName", options[0]["OptionGroupName"] if options else None
    yield "EnableIAMDatabaseAuthentication", item.get("IAMDatabaseAuthenticationEnabled")
    yield "EnablePerformanceInsights", item.get("PerformanceInsightsEnabled")
    yield "EnableCloudwatchLogsExports", sorted(item.get("EnabledCloudwatchLogsExports") or ())
    yield "ManageMasterUserPassword", bool(secret)
    yield "MasterUserSecret", present({"KmsKeyId": secret.get("KmsKeyId")})
    # Text, as the schema has it; 0 in DbInstancePort is no port.
    yield "Port", _text((item.get("Endpoint") or {}).get("Port"))
    yield "AllocatedStorage", _text(item.get("AllocatedStorage"))
    active = [each for each in item.get("VpcSecurityGroups") or () if each.get("Status") != "removing"]
    yield "VPCSecurityGroups", sorted(str(each["VpcSecurityGroupId"]) for each in active)
    yield "Tags", template_tags(item.get("TagList"))


def _pending(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was changed and is still to come."""
    renamed = {"IAMDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication"}
    known = {name: value for name, value in said.items() if name in {*_AS_IS, *renamed, "Port"}}
    found = {renamed.get(name, name): value for name, value in known.items()}
    return found | {name: str(found[name]) for name in ("AllocatedStorage", "Port") if name in found}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


HANDLERS: Final[Mapping[str, Handler]] = {DBInstance.type: DBInstance()}
