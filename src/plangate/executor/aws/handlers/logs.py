"""Log groups.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html and
API_DescribeLogGroups.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.arguments import fitting, present
from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tagged import owned_by_tag
from plangate.executor.aws.tags import as_mapping, changed_tags, marks_of, template_tags, wanted_tags

_LIMIT: Final = 512
_FOREVER: Final = 0
"""Days of a group that keeps everything: no value that CloudWatch Logs would take."""


class LogGroup(BaseHandler):
    """``AWS::Logs::LogGroup``.

    Without `RetentionInDays` events are kept for ever, so a retention that is set by hand is taken away again. A key
    that was set by hand stays.
    """

    type: ClassVar[str] = "AWS::Logs::LogGroup"
    supported: ClassVar[frozenset[str]] = frozenset({
        "KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({"KmsKeyId", "RetentionInDays", "Tags"})
    defaults: ClassVar[Properties] = {"RetentionInDays": _FOREVER, "Tags": []}
    names: ClassVar[frozenset[str]] = frozenset({"LogGroupName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """Two calls for each: by name, and its tags."""
        found: dict[str, Found] = {}
        for name in identifiers:
            listed = aws.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
            for item in listed:
                if item["logGroupName"] == name:
                    found[name] = self._found(aws, item)
        return found

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return owned_by_tag(aws, self, "logs", owner, _group_of)

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call; the retention follows as an update."""
        name = _name_of(properties, mark)
        given = {"kmsKeyId": properties.get("KmsKeyId"), "logGroupClass": properties.get("LogGroupClass")}
        aws.client("logs").create_log_group(
            logGroupName=name, tags=as_mapping(wanted_tags(properties, mark)), **present(given)
        )
        return name

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name, when it carries the token."""
        name = _name_of(properties, mark)
        found = self.read(aws, [name]).get(name)
        return name if found is not None and mark.matches(found.marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each."""
        client, name = aws.client("logs"), found.identifier
        if "KmsKeyId" in changed:
            client.associate_kms_key(logGroupName=name, kmsKeyId=str(properties["KmsKeyId"]))
        if "RetentionInDays" in changed:
            days = properties.get("RetentionInDays", _FOREVER)
            if days == _FOREVER:
                client.delete_retention_policy(logGroupName=name)
            else:
                given = {"logGroupName": name, "retentionInDays": days}
                client.put_retention_policy(**fitting(client, "PutRetentionPolicy", given))
        if "Tags" in changed:
            put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
            arn = _untailed(str(found.attributes["Arn"]))
            if put:
                client.tag_resource(resourceArn=arn, tags=as_mapping(put))
            if gone:
                client.untag_resource(resourceArn=arn, tagKeys=gone)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call, with every event in it."""
        try:
            aws.client("logs").delete_log_group(logGroupName=found.identifier)
        except Exception as error:
            if not is_gone(error):
                raise

    @staticmethod
    def _found(aws: Aws, item: Mapping[str, Any]) -> Found:
        arn, name = str(item["arn"]), str(item["logGroupName"])
        tags = as_mapping(aws.client("logs").list_tags_for_resource(resourceArn=_untailed(arn))["tags"])
        return Found(
            identifier=name,
            properties={
                "LogGroupName": name,
                **present(
                    {
                        "KmsKeyId": item.get("kmsKeyId"),
                        "LogGroupClass": item.get("logGroupClass"),
                        "RetentionInDays": item.get("retentionInDays"),
                    }
                ),
                "Tags": template_tags(tags),
            },
            attributes={REF: name, "Arn": arn},
            marks=marks_of(tags),
        )


def _name_of(properties: Properties, mark: Mark) -> str:
    return str(properties.get("LogGroupName") or generated_name(mark, _LIMIT))


def _untailed(arn: str) -> str:
    """The ARN that the calls for tags take: without the part that stands for all of its streams."""
    return arn.removesuffix(":*")


def _group_of(arn: str) -> str | None:
    return _untailed(arn).partition(":log-group:")[2] or None


HANDLERS: Final[Mapping[str, Handler]] = {LogGroup.type: LogGroup()}
