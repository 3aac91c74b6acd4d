"""Flow logs.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html and API_FlowLog.html
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.arguments import present
from plangate.executor.aws.base import REF, Found, Handler, Mark, Properties
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.tags import marks_of, template_tags

_TAKEN: Final = (
    "DeliverLogsPermissionArn", "LogDestination", "LogDestinationType", "LogFormat", "LogGroupName",
    "MaxAggregationInterval", "TrafficType",
)  # fmt: skip
_TYPES: Final = {
    "vpc-": "VPC",
    "subnet-": "Subnet",
    "eni-": "NetworkInterface",
    "tgw-attach-": "TransitGatewayAttachment",
    "tgw-": "TransitGateway",
}
"""What an id begins with, to what it is the id of: AWS does not tell it again."""


class FlowLog(ec2.Ec2Handler):
    """``AWS::EC2::FlowLog``."""

    type: ClassVar[str] = "AWS::EC2::FlowLog"
    supported: ClassVar[frozenset[str]] = frozenset({*_TAKEN, "ResourceId", "ResourceType", "Tags"})
    names: ClassVar[frozenset[str]] = frozenset({"ResourceId"})
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation="describe_flow_logs",
        result="FlowLogs",
        key="FlowLogId",
        filter="flow-log-id",
        kind="vpc-flow-log",
    )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call.

        Raises:
            ExecutionError: AWS took the call and made nothing.
        """
        made = ec2.call(
            aws,
            "CreateFlowLogs",
            **ec2.chosen(properties, *_TAKEN, "ResourceType"),
            **self.tagging(properties, mark),
            ResourceIds=[properties["ResourceId"]],
            ClientToken=mark.token,
        )
        identifiers = made.get("FlowLogIds") or ()
        if not identifiers:
            error: Mapping[str, Any] = next(
                (each.get("Error", {}) for each in made.get("Unsuccessful") or ()), {}
            )
            raise ExecutionError(
                f"no flow log was made: {error.get('Code', 'no reason')}: {error.get('Message', '')[:300]}"
            )
        return str(identifiers[0])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Tags; anything else is another flow log."""
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call, which may answer that there is nothing to delete."""
        ec2.quietly_gone(aws, "DeleteFlowLogs", FlowLogIds=[found.identifier])

    def clashes(self, before: Properties, after: Properties) -> bool:
        """Whether both log the same traffic to the same place, which AWS refuses."""
        names = ("ResourceId", "TrafficType", "LogDestination", "LogGroupName")
        return all(before.get(name) == after.get(name) for name in names)

    def found_one(self, aws: Aws, item: Mapping[str, Any]) -> Found:  # noqa: ARG002
        """One describe call tells all."""
        identifier, of = str(item["FlowLogId"]), str(item["ResourceId"])
        kind = next((name for start, name in _TYPES.items() if of.startswith(start)), None)
        return Found(
            identifier=identifier,
            properties={
                **present({name: item.get(name) for name in _TAKEN}),
                **present({"ResourceId": of, "ResourceType": kind}),
                "Tags": template_tags(item.get("Tags")),
            },
            attributes={REF: identifier, "Id": identifier},
            marks=marks_of(item.get("Tags")),
        )


HANDLERS: Final[Mapping[str, Handler]] = {FlowLog.type: FlowLog()}
