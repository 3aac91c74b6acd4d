"""Security groups, and rules that are resources of their own.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html and
API_DescribeSecurityGroupRules.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.handlers import security_group_rules as rules
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.tags import marks_of, tag_list, template_tags

_NAME_LENGTH: Final = 255
_DIRECTIONS: Final = {"SecurityGroupEgress": rules.EGRESS, "SecurityGroupIngress": rules.INGRESS}
_EVERYWHERE: Final = ({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"},)
"""The egress rule of a new group."""


class SecurityGroup(ec2.Ec2Handler):
    """``AWS::EC2::SecurityGroup`` with its inline rules, to which every rule counts that no other resource made.

    So a port that somebody opened by hand is a difference, and is closed. Without ``SecurityGroupEgress`` the group
    has the egress rule that EC2 gives a new one, for IPv4.
    """

    type: ClassVar[str] = "AWS::EC2::SecurityGroup"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "read": frozenset({"ec2:DescribeSecurityGroupRules"}),
        "update": frozenset({"ec2:DescribeSecurityGroupRules"}),
    }
    supported: ClassVar[frozenset[str]] = frozenset({
        "GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({"SecurityGroupEgress", "SecurityGroupIngress", "Tags"})
    defaults: ClassVar[Properties] = {
        "SecurityGroupEgress": list(_EVERYWHERE),
        "SecurityGroupIngress": [],
        "Tags": [],
    }
    names: ClassVar[frozenset[str]] = frozenset({"GroupName"})
    patience_s: ClassVar[float] = 1800.0
    """Interfaces of load balancers and functions that are gone go later."""
    listing: ClassVar[ec2.Listing] = ec2.Listing(
        operation="describe_security_groups",
        result="SecurityGroups",
        key="GroupId",
        filter="group-id",
        kind="security-group",
    )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """Rules follow as an update: CreateSecurityGroup takes none. Until then nothing comes in."""
        made = ec2.call(
            aws,
            "CreateSecurityGroup",
            GroupName=properties.get("GroupName") or generated_name(mark, _NAME_LENGTH),
            Description=properties["GroupDescription"],
            **ec2.chosen(properties, "VpcId"),
            **self.tagging(properties, mark),
        )
        return str(made["GroupId"])

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """What is missing is added before what is too much goes, so that no wanted traffic stops between."""
        for name, direction in _DIRECTIONS.items():
            if name in changed:
                wanted = properties.get(name, self.defaults[name])
                self._set_rules(aws, found.identifier, direction, wanted)
        if "Tags" in changed:
            ec2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call; AWS refuses while an interface or another group's rule uses it."""
        ec2.quietly_gone(aws, "DeleteSecurityGroup", GroupId=found.identifier)

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Rules by what they mean."""
        return rules.same_rules(wanted, actual) if name in _DIRECTIONS else None

    def found(self, aws: Aws, items: Sequence[Mapping[str, Any]]) -> Sequence[Found | None]:
        """One call more, for the rules of all."""
        every = rules.rules_of(aws, items) if items else []
        return [
            self._found(
                item, [each for each in every if each.group == item["GroupId"] and each.is_of_its_group]
            )
            for item in items
        ]

    @staticmethod
    def _set_rules(aws: Aws, group: str, direction: str, wanted: Sequence[Mapping[str, Any]]) -> None:
        # Asked for again: what was found may be from before a call of which no answer came.
        groups = ec2.described(aws, "describe_security_groups", "SecurityGroups", "group-id", [group])
        every = [each for each in rules.rules_of(aws, groups) if each.direction == direction]
        there = {each.key: each for each in every}
        asked = {rules.key_of(each): each for each in wanted}
        taken = sorted(key for key in asked if key in there and not there[key].is_of_its_group)
        if taken:
            raise ExecutionError(
                f"security group {group}: its rule {taken[0].protocol} {taken[0].first}-{taken[0].last} for "
                f"{taken[0].peer} belongs to another resource",
                hint="say the rule once: in the group, or as a resource of its own",
            )
        missing = [rules.permission(direction, each) for key, each in asked.items() if key not in there]
        renamed = [
            rules.permission(direction, each)
            for key, each in asked.items()
            if key in there and (each.get("Description") or "") != there[key].description
        ]
        extra = [each.identifier for each in every if each.is_of_its_group and each.key not in asked]
        if missing:
            rules.authorize(aws, direction, group, missing)
        if renamed:
            rules.describe(aws, direction, group, renamed)
        if extra:
            rules.revoke(aws, direction, group, extra)

    @staticmethod
    def _found(item: Mapping[str, Any], own: Sequence[rules.Rule]) -> Found:
        identifier = str(item["GroupId"])
        ordered = sorted(own, key=lambda each: each.key)
        return Found(
            identifier=identifier,
            properties={
                "GroupDescription": item.get("Description", ""),
                "GroupName": item.get("GroupName", ""),
                **ec2.told(item, "VpcId"),
                # Also when there are none: a group without its default egress rule differs from one with it.
                **{
                    name: [each.properties for each in ordered if each.direction == direction]
                    for name, direction in _DIRECTIONS.items()
                },
                "Tags": template_tags(item.get("Tags")),
            },
            attributes={
                REF: identifier,
                "Id": identifier,
                "GroupId": identifier,
                **ec2.told(item, "VpcId"),
            },
            marks=marks_of(item.get("Tags")),
        )


class _GroupRule(BaseHandler):
    """A rule that is a resource of its own. It carries our marks as its tags; its template knows no tags."""

    type: ClassVar[str]
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "create": frozenset({"ec2:CreateTags"}),
        "read": frozenset({"ec2:DescribeSecurityGroups"}),
    }
    supported: ClassVar[frozenset[str]]
    updatable: ClassVar[frozenset[str]] = frozenset({"Description"})
    defaults: ClassVar[Properties] = {"Description": ""}
    direction: ClassVar[str]

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """Two calls for all: the rules, and their groups."""
        found = ec2.described(
            aws, "describe_security_group_rules", "SecurityGroupRules", "security-group-rule-id", identifiers
        )
        return {each.identifier: each for each in self._all(aws, found)}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags."""
        return self._all(aws, ec2.owned_by(aws, "describe_security_group_rules", "SecurityGroupRules", owner))

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call."""
        tags = {"ResourceType": "security-group-rule", "Tags": tag_list(mark.tags)}
        made = rules.authorize(
            aws,
            self.direction,
            properties["GroupId"],
            [rules.permission(self.direction, properties)],
            TagSpecifications=[tags],
        )
        return str(made[0]["SecurityGroupRuleId"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """By the token's tag."""
        return ec2.marked(
            aws, "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId", mark
        )

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """Its description."""
        if "Description" in changed:
            rules.describe(
                aws,
                self.direction,
                str(found.properties["GroupId"]),
                [rules.permission(self.direction, properties)],
            )

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        rules.revoke(aws, self.direction, str(found.properties["GroupId"]), [found.identifier])

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Protocols and address ranges by what they mean."""
        if name == "IpProtocol":
            return rules.protocol_of(wanted) == rules.protocol_of(actual)
        if name in ("FromPort", "ToPort") and actual is None:
            return True
        return ec2.network(wanted) == ec2.network(actual) if name in ("CidrIp", "CidrIpv6") else None

    def clashes(self, before: Properties, after: Properties) -> bool:
        """Whether both are the same rule of the same group."""
        return before.get("GroupId") == after.get("GroupId") and rules.key_of(before) == rules.key_of(after)

    def _all(self, aws: Aws, items: Sequence[Mapping[str, Any]]) -> list[Found]:
        ids = sorted({str(each["GroupId"]) for each in items})
        groups = (
            ec2.described(aws, "describe_security_groups", "SecurityGroups", "group-id", ids) if ids else []
        )
        return [
            Found(
                identifier=each.identifier,
                # A template may say ports where the protocol has none: `same` knows ``None``.
                properties={"FromPort": None, "ToPort": None, "GroupId": each.group, **each.properties},
                attributes={REF: each.identifier, "Id": each.identifier},
                marks=marks_of(each.tags),
            )
            for each in rules.told_rules(items, groups)
            if each.direction == self.direction
        ]


class GroupIngress(_GroupRule):
    """``AWS::EC2::SecurityGroupIngress``."""

    type: ClassVar[str] = "AWS::EC2::SecurityGroupIngress"
    supported: ClassVar[frozenset[str]] = frozenset({
        "CidrIp", "CidrIpv6", "Description", "FromPort", "GroupId", "IpProtocol", "SourcePrefixListId",
        "SourceSecurityGroupId", "SourceSecurityGroupOwnerId", "ToPort",
    })  # fmt: skip
    direction: ClassVar[str] = rules.INGRESS


class GroupEgress(_GroupRule):
    """``AWS::EC2::SecurityGroupEgress``."""

    type: ClassVar[str] = "AWS::EC2::SecurityGroupEgress"
    supported: ClassVar[frozenset[str]] = frozenset({
        "CidrIp", "CidrIpv6", "Description", "DestinationPrefixListId", "DestinationSecurityGroupId", "FromPort",
        "GroupId", "IpProtocol", "ToPort",
    })  # fmt: skip
    direction: ClassVar[str] = rules.EGRESS


HANDLERS: Final[Mapping[str, Handler]] = {
    each.type: each for each in (SecurityGroup(), GroupIngress(), GroupEgress())
}
