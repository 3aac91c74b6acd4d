"""Tables.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html, API_UpdateTable.html and
API_TableDescription.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.arguments import is_true, only, present
from plangate.executor.aws.base import REF, BaseHandler, Condition, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.calls import call
from plangate.executor.aws.clients import Aws, code_of, is_gone
from plangate.executor.aws.keys import not_an_alias, same_key
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tagged import owned_by_tag
from plangate.executor.aws.tags import as_mapping, changed_tags, marks_of, template_tags, wanted_tags

_LIMIT: Final = 255
_ON_DEMAND: Final = "PAY_PER_REQUEST"
_BROKEN: Final = frozenset({"ARCHIVED", "INACCESSIBLE_ENCRYPTION_CREDENTIALS"})
_AS_IS: Final = (
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "KeySchema",
    "ProvisionedThroughput",
    "TableClass",
)
_ENCRYPTED: Final = frozenset({"ENABLED", "ENABLING", "UPDATING"})


class Table(BaseHandler):
    """``AWS::DynamoDB::Table``.

    DynamoDB takes one change of a table at a time: what it does not take yet is left for the next update. A protected
    table is not deleted; protection and backups that were switched on by hand stay when the template has none.
    """

    type: ClassVar[str] = "AWS::DynamoDB::Table"
    supported: ClassVar[frozenset[str]] = frozenset({
        *_AS_IS, "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "PointInTimeRecoverySpecification",
        "SSESpecification", "StreamSpecification", "TableName", "Tags", "TimeToLiveSpecification",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = supported - {"KeySchema", "LocalSecondaryIndexes", "TableName"}
    defaults: ClassVar[Properties] = {
        "BillingMode": "PROVISIONED",
        "GlobalSecondaryIndexes": [],
        "SSESpecification": {"SSEEnabled": False},
        "StreamSpecification": {},
        "Tags": [],
        "TimeToLiveSpecification": {"Enabled": False},
    }
    volatile: ClassVar[frozenset[str]] = frozenset({"StreamArn"})
    patience_s: ClassVar[float] = 3600.0
    names: ClassVar[frozenset[str]] = frozenset({"TableName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """Four calls for each: DynamoDB tells them one by one."""
        found = ((name, self._found(aws, name)) for name in identifiers)
        return {name: each for name, each in found if each is not None}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return owned_by_tag(aws, self, "dynamodb", owner, _table_of)

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call; backups and the time to live follow as updates."""
        encryption = properties.get("SSESpecification")
        name = str(properties.get("TableName") or generated_name(mark, _LIMIT))
        given = {key: properties.get(key) for key in (*_AS_IS, "LocalSecondaryIndexes")}
        call(
            aws,
            "dynamodb",
            "CreateTable",
            **present(given),
            **present(
                {
                    "GlobalSecondaryIndexes": [
                        _index(each) for each in properties.get("GlobalSecondaryIndexes", ())
                    ],
                    "StreamSpecification": _stream(properties.get("StreamSpecification")),
                    "SSESpecification": _encryption(encryption) if encryption else None,
                }
            ),
            TableName=name,
            Tags=wanted_tags(properties, mark),
        )
        return name

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name, when it carries the token."""
        name = str(properties.get("TableName") or generated_name(mark, _LIMIT))
        found = self.read(aws, [name]).get(name)
        return name if found is not None and mark.matches(found.marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """As many changes as DynamoDB takes now, from what is there now."""
        now = self.read(aws, [found.identifier]).get(found.identifier, found)
        steps = _steps(now, {**self.defaults, **properties}, changed)
        for made, (operation, arguments) in enumerate(steps):
            try:
                call(aws, "dynamodb", operation, TableName=found.identifier, **arguments)
            except Exception as error:
                if made and code_of(error) in {
                    "ResourceInUseException",
                    "ContinuousBackupsUnavailableException",
                }:
                    return
                raise
        if "Tags" in changed:
            put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
            arn = found.attributes["Arn"]
            if put:
                call(aws, "dynamodb", "TagResource", ResourceArn=arn, Tags=put)
            if gone:
                call(aws, "dynamodb", "UntagResource", ResourceArn=arn, TagKeys=gone)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call.

        Raises:
            ExecutionError: It is protected.
        """
        if found.properties.get("DeletionProtectionEnabled"):
            raise ExecutionError(
                f"the table {found.identifier} is not deleted: it is protected against deletion",
                hint="set DeletionProtectionEnabled to false, apply that, and delete it then",
            )
        if found.detail == "DELETING":
            return
        try:
            call(aws, "dynamodb", "DeleteTable", TableName=found.identifier)
        except Exception as error:
            if not is_gone(error):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Indexes and attributes by name, keys by id or ARN; nothing is nothing."""
        if name in {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"}:
            return _indexes(wanted) == _indexes(actual)
        if name == "AttributeDefinitions":
            return _texts(wanted) == _texts(actual)
        if name == "StreamSpecification":
            return _stream(wanted) == _stream(actual)
        if name == "SSESpecification":
            mine, theirs = _encryption(wanted), _encryption(actual)
            key = mine.get("KMSMasterKeyId")
            return mine["Enabled"] == theirs["Enabled"] and (
                key is None or same_key(key, theirs.get("KMSMasterKeyId"))
            )
        return None

    @staticmethod
    def _found(aws: Aws, name: str) -> Found | None:
        client = aws.client("dynamodb")
        try:
            said = client.describe_table(TableName=name)["Table"]
            tags = as_mapping(
                aws.pages("dynamodb", "list_tags_of_resource", "Tags", ResourceArn=said["TableArn"])
            )
            if said["TableStatus"] == "DELETING":
                backups, life = {}, {}
            else:
                backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
                life = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        except Exception as error:
            if is_gone(error) or code_of(error) == "TableNotFoundException":
                return None
            raise
        status = str(said["TableStatus"])
        return Found(
            identifier=name,
            properties={
                **_told(said),
                **present(
                    {
                        "PointInTimeRecoverySpecification": _recovery(backups),
                        "TimeToLiveSpecification": _life(life),
                    }
                ),
                "Tags": template_tags(tags),
            },
            attributes=present(
                {
                    REF: name,
                    "Arn": said["TableArn"],
                    "StreamArn": said.get("LatestStreamArn"),
                }
            ),
            condition=_condition(said),
            detail=status,
            marks=marks_of(tags),
        )


def _table_of(arn: str) -> str | None:
    name = arn.partition(":table/")[2]
    return name if name and "/" not in name else None


def _condition(said: Mapping[str, Any]) -> Condition:
    if said["TableStatus"] in _BROKEN:
        return Condition.FAILED
    indexes = (each.get("IndexStatus", "ACTIVE") for each in said.get("GlobalSecondaryIndexes") or ())
    encryption = (said.get("SSEDescription") or {}).get("Status", "ENABLED")
    steady = {said["TableStatus"], *indexes} == {"ACTIVE"} and encryption in {"ENABLED", "DISABLED"}
    return Condition.READY if steady else Condition.BUSY


def _told(said: Mapping[str, Any]) -> dict[str, Any]:
    """What DescribeTable says, as templates have it."""
    mode = (said.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
    encryption = said.get("SSEDescription") or {}
    stream = said.get("StreamSpecification") or {}
    on = encryption.get("Status") in _ENCRYPTED
    return present(
        {
            "TableName": said["TableName"],
            "AttributeDefinitions": said.get("AttributeDefinitions"),
            "KeySchema": said.get("KeySchema"),
            "BillingMode": mode,
            "DeletionProtectionEnabled": said.get("DeletionProtectionEnabled", False),
            "TableClass": (said.get("TableClassSummary") or {}).get("TableClass"),
            "ProvisionedThroughput": _throughput(said, mode),
            "GlobalSecondaryIndexes": [
                _told_index(each, mode) for each in said.get("GlobalSecondaryIndexes") or ()
            ],
            "LocalSecondaryIndexes": [
                _told_index(each, "") for each in said.get("LocalSecondaryIndexes") or ()
            ],
            "SSESpecification": present(
                {
                    "SSEEnabled": True if on else None,
                    "SSEType": encryption.get("SSEType") if on else None,
                    "KMSMasterKeyId": encryption.get("KMSMasterKeyArn") if on else None,
                }
            ),
            "StreamSpecification": present(
                {"StreamViewType": stream.get("StreamViewType") if stream.get("StreamEnabled") else None}
            ),
        }
    )


def _throughput(said: Mapping[str, Any], mode: str) -> dict[str, Any]:
    given = said.get("ProvisionedThroughput") or {}
    names = ("ReadCapacityUnits", "WriteCapacityUnits")
    return {} if mode != "PROVISIONED" else {name: given[name] for name in names if name in given}


def _told_index(said: Mapping[str, Any], mode: str) -> dict[str, Any]:
    return present(
        {
            "IndexName": said["IndexName"],
            "KeySchema": said["KeySchema"],
            "Projection": present(said["Projection"]),
            "ProvisionedThroughput": _throughput(said, mode),
        }
    )


def _recovery(said: Mapping[str, Any]) -> dict[str, Any]:
    given = said.get("PointInTimeRecoveryDescription") or {}
    on = given.get("PointInTimeRecoveryStatus") == "ENABLED"
    return present(
        {
            "PointInTimeRecoveryEnabled": on,
            "RecoveryPeriodInDays": given.get("RecoveryPeriodInDays") if on else None,
        }
    )


def _life(said: Mapping[str, Any]) -> dict[str, Any] | None:
    if said.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
        return None
    return {"Enabled": True, "AttributeName": said["AttributeName"]}


def _index(given: Any) -> dict[str, Any]:
    known = ("IndexName", "KeySchema", "Projection", "ProvisionedThroughput")
    return dict(only("GlobalSecondaryIndexes", given, *known))


def _indexes(given: Any) -> dict[str, Any]:
    """By name; the order of what is copied into an index means nothing."""
    return {
        str(each["IndexName"]): (
            str(each["KeySchema"]),
            each["Projection"].get("ProjectionType"),
            sorted(each["Projection"].get("NonKeyAttributes", ())),
            {name: str(value) for name, value in (each.get("ProvisionedThroughput") or {}).items()},
        )
        for each in given or ()
    }


def _texts(given: Any) -> list[str]:
    return sorted(str(sorted(each.items())) for each in given or ())


def _stream(given: Any) -> dict[str, Any]:
    kind = only("StreamSpecification", given or {}, "StreamViewType").get("StreamViewType")
    return {"StreamEnabled": True, "StreamViewType": kind} if kind else {}


def _encryption(given: Any) -> dict[str, Any]:
    value = only("SSESpecification", given, "SSEEnabled", "SSEType", "KMSMasterKeyId")
    key = value.get("KMSMasterKeyId")
    not_an_alias("SSESpecification", key)
    on = is_true(value.get("SSEEnabled", False))
    return {
        "Enabled": on,
        **(present({"SSEType": value.get("SSEType"), "KMSMasterKeyId": key}) if on else {}),
    }


def _steps(
    now: Found, wanted: Properties, changed: frozenset[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Operations with their arguments, one change each, as far as something is still other than wanted."""
    is_now = now.properties
    if changed & {"BillingMode", "ProvisionedThroughput"}:
        yield from _capacity_steps(is_now, wanted)
    for name in ("DeletionProtectionEnabled", "TableClass"):
        if name in changed and name in wanted:
            yield "UpdateTable", {name: wanted[name]}
    if "SSESpecification" in changed:
        yield "UpdateTable", {"SSESpecification": _encryption(wanted["SSESpecification"])}
    if "StreamSpecification" in changed:
        yield from _stream_steps(
            _stream(is_now.get("StreamSpecification")), _stream(wanted["StreamSpecification"])
        )
    if "GlobalSecondaryIndexes" in changed:
        yield from _index_steps(is_now.get("GlobalSecondaryIndexes", ()), wanted)
    if "PointInTimeRecoverySpecification" in changed:
        given = wanted["PointInTimeRecoverySpecification"]
        yield "UpdateContinuousBackups", {"PointInTimeRecoverySpecification": given}
    if "TimeToLiveSpecification" in changed:
        yield from _life_steps(is_now.get("TimeToLiveSpecification"), wanted["TimeToLiveSpecification"])


def _capacity_steps(is_now: Properties, wanted: Properties) -> Iterator[tuple[str, Mapping[str, Any]]]:
    mode = wanted["BillingMode"]
    units = {} if mode == _ON_DEMAND else wanted.get("ProvisionedThroughput", {})
    if (mode, units) != (is_now["BillingMode"], is_now.get("ProvisionedThroughput", {})):
        yield "UpdateTable", {"BillingMode": mode, **({"ProvisionedThroughput": units} if units else {})}


def _life_steps(
    before: Mapping[str, Any] | None, wanted: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """To be switched off it needs its attribute; what is off is not switched off."""
    if before or is_true(wanted.get("Enabled")):
        after = {"AttributeName": (before or {}).get("AttributeName"), **wanted}
        yield "UpdateTimeToLive", {"TimeToLiveSpecification": present(after)}


def _stream_steps(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Another view needs another stream: the old one is switched off first."""
    if before and before != after:
        yield "UpdateTable", {"StreamSpecification": {"StreamEnabled": False}}
    if after and before != after:
        yield "UpdateTable", {"StreamSpecification": after}


def _index_steps(before: Any, wanted: Properties) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """An index with another key or projection is deleted, and made again by the next update."""
    indexes = wanted["GlobalSecondaryIndexes"]
    old, new = _indexes(before), _indexes(indexes)
    for name in sorted(old):
        if name not in new or new[name][:3] != old[name][:3]:
            yield "UpdateTable", {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
    for index in indexes:
        name = str(index["IndexName"])
        if name not in old or new[name][:3] != old[name][:3]:
            yield (
                "UpdateTable",
                {
                    "AttributeDefinitions": wanted["AttributeDefinitions"],
                    "GlobalSecondaryIndexUpdates": [{"Create": _index(index)}],
                },
            )
        elif new[name] != old[name]:
            change = {"IndexName": name, "ProvisionedThroughput": index["ProvisionedThroughput"]}
            yield "UpdateTable", {"GlobalSecondaryIndexUpdates": [{"Update": change}]}


HANDLERS: Final[Mapping[str, Handler]] = {Table.type: Table()}
