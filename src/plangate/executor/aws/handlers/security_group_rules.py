"""Rules of security groups: how templates say them, how EC2 does, and which resource each belongs to.

1. In one direction of a group, protocol, ports and peer make a rule; its description does not.
2. A rule that carries our marks belongs to a resource of its own. All others belong to the group: what its template
   says inline, and what somebody added by hand.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html, API_IpPermission.html and
API_AuthorizeSecurityGroupIngress.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from plangate.errors import ExecutionError
from plangate.executor.aws.base import MARK_KEEP, MARKS
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.handlers import ec2
from plangate.executor.aws.tags import marks_of

INGRESS: Final = "Ingress"
EGRESS: Final = "Egress"
_PROTOCOLS: Final = {"all": "-1", "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
_OWNED: Final = MARKS - {MARK_KEEP}
_WITH_PORTS: Final = frozenset({"tcp", "udp", "icmp", "icmpv6"})
_ANY: Final = -1
"""Every type or code of ICMP; for other protocols EC2 says this for no ports at all."""


class Key(Struct, frozen=True, order=True, kw_only=True):
    """What makes a rule.

    Attributes:
        protocol: As EC2 says it: ``tcp``, ``-1``, a number as text.
        first: First port, or ICMP's type; `_ANY` for protocols without.
        last: Last port, or ICMP's code.
        kind: Which kind of peer: ``CidrIp``, ``CidrIpv6``, ``PrefixList`` or ``Group``.
        peer: Addresses, or id.
    """

    protocol: str
    first: int
    last: int
    kind: str
    peer: str


class Rule(Struct, frozen=True, kw_only=True):
    """A rule as EC2 has it.

    Attributes:
        identifier: ``sgr-…``.
        group: Id of its group.
        direction: `INGRESS` or `EGRESS`.
        key: What makes it.
        description: Empty for none.
        account: Whose the peer is, if it is a group; else empty.
        tags: Its tags.
    """

    identifier: str
    group: str
    direction: str
    key: Key
    description: str
    account: str
    tags: Sequence[Mapping[str, str]]

    @property
    def is_of_its_group(self) -> bool:
        """Whether no resource of its own made it."""
        return not marks_of(self.tags).keys() >= _OWNED

    @property
    def properties(self) -> dict[str, Any]:
        """As an inline rule of a template."""
        key = self.key
        told: dict[str, Any] = {"IpProtocol": key.protocol, _peer_name(self.direction, key.kind): key.peer}
        if key.protocol in _WITH_PORTS:
            told |= {"FromPort": key.first, "ToPort": key.last}
        if self.description:
            told["Description"] = self.description
        if self.account and self.direction == INGRESS:
            told["SourceSecurityGroupOwnerId"] = self.account
        return told


def key_of(properties: Mapping[str, Any]) -> Key:
    """What makes a rule that a template says.

    Raises:
        ExecutionError: It has no peer, names its peer in a way that EC2 does not tell again, or its ports are none.
    """
    protocol = protocol_of(properties.get("IpProtocol"))
    with_ports = protocol in _WITH_PORTS
    kind, peer = _peer(properties)
    return Key(
        protocol=protocol,
        first=_port(properties, "FromPort") if with_ports else _ANY,
        last=_port(properties, "ToPort") if with_ports else _ANY,
        kind=kind,
        peer=peer,
    )


def same_rules(wanted: Iterable[Mapping[str, Any]], actual: Iterable[Mapping[str, Any]]) -> bool:
    """Whether two lists of inline rules are the same rules with the same descriptions."""
    return {key_of(each): each.get("Description") or "" for each in wanted} == {
        key_of(each): each.get("Description") or "" for each in actual
    }


def rules_of(aws: Aws, groups: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """All rules of some groups, of which EC2 has told: one call for up to 200 groups."""
    ids = [str(each["GroupId"]) for each in groups]
    found = ec2.described(aws, "describe_security_group_rules", "SecurityGroupRules", "group-id", ids)
    return told_rules(found, groups)


def told_rules(rules: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """Rules as EC2 tells them one by one, with the descriptions that it tells with their groups."""
    descriptions = {
        (str(group["GroupId"]), direction, key): text
        for group in groups
        for direction, name in ((INGRESS, "IpPermissions"), (EGRESS, "IpPermissionsEgress"))
        for permission in group.get(name) or ()
        for key, text in _descriptions(permission)
    }
    return [_rule(each, descriptions) for each in rules]


def permission(direction: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of a template as an argument of EC2's calls."""
    key = key_of(properties)
    member, name = _MEMBERS[key.kind]
    peer = {name: key.peer}
    if properties.get("Description"):
        peer["Description"] = str(properties["Description"])
    if direction == INGRESS and key.kind == "Group" and properties.get("SourceSecurityGroupOwnerId"):
        peer["UserId"] = str(properties["SourceSecurityGroupOwnerId"])
    made: dict[str, Any] = {"IpProtocol": key.protocol, member: [peer]}
    if key.protocol in _WITH_PORTS:
        made |= {"FromPort": key.first, "ToPort": key.last}
    return made


def authorize(aws: Aws, direction: str, group: str, permissions: Sequence[Any], **more: Any) -> list[Any]:
    """Add rules in one call; what EC2 says of them."""
    answer = ec2.call(
        aws, f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=list(permissions), **more
    )
    return list(answer.get("SecurityGroupRules") or ())


def revoke(aws: Aws, direction: str, group: str, identifiers: Sequence[str]) -> None:
    """Take rules away in one call."""
    ec2.quietly_gone(
        aws, f"RevokeSecurityGroup{direction}", GroupId=group, SecurityGroupRuleIds=list(identifiers)
    )


def describe(aws: Aws, direction: str, group: str, permissions: Sequence[Any]) -> None:
    """Set the descriptions of rules in one call; a rule without one loses what it had."""
    operation = f"UpdateSecurityGroupRuleDescriptions{direction}"
    ec2.call(aws, operation, GroupId=group, IpPermissions=list(permissions))


_MEMBERS: Final = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "PrefixList": ("PrefixListIds", "PrefixListId"),
    "Group": ("UserIdGroupPairs", "GroupId"),
}
"""Kind of peer to where EC2's permissions have them, and under which name."""


def _port(properties: Mapping[str, Any], name: str) -> int:
    value = properties.get(name)
    try:
        return _ANY if value is None else int(str(value))
    except ValueError as error:
        raise ExecutionError(
            f"a rule of a security group has a {name} that is no whole number", hint="e.g. 443"
        ) from error


def _peer_name(direction: str, kind: str) -> str:
    source = direction == INGRESS
    return {
        "PrefixList": "SourcePrefixListId" if source else "DestinationPrefixListId",
        "Group": "SourceSecurityGroupId" if source else "DestinationSecurityGroupId",
    }.get(kind, kind)


def _peer(properties: Mapping[str, Any]) -> tuple[str, str]:
    for kind in ("CidrIp", "CidrIpv6"):
        if properties.get(kind):
            return kind, ec2.network(properties[kind])
    for direction in (INGRESS, EGRESS):
        for kind in ("PrefixList", "Group"):
            if found := properties.get(_peer_name(direction, kind)):
                return kind, str(found)
    if properties.get("SourceSecurityGroupName"):
        raise ExecutionError(
            "a rule of a security group names its source group by name, which EC2 does not tell again",
            hint="use SourceSecurityGroupId with the group's id",
        )
    raise ExecutionError(
        "a rule of a security group says neither addresses, a prefix list nor a group",
        hint="give it one of CidrIp, CidrIpv6, a prefix list's id and a group's id",
    )


def protocol_of(value: Any) -> str:
    """A protocol as EC2 says it."""
    said = str(value).lower()
    return _PROTOCOLS.get(said, said)


def _descriptions(permission: Mapping[str, Any]) -> list[tuple[Key, str]]:
    protocol = protocol_of(permission.get("IpProtocol"))
    return [
        (
            Key(
                protocol=protocol,
                first=int(permission.get("FromPort", _ANY)) if protocol in _WITH_PORTS else _ANY,
                last=int(permission.get("ToPort", _ANY)) if protocol in _WITH_PORTS else _ANY,
                kind=kind,
                peer=str(peer.get(name, "")),
            ),
            str(peer["Description"]),
        )
        for kind, (member, name) in _MEMBERS.items()
        for peer in permission.get(member) or ()
        if peer.get("Description")
    ]


def _rule(told: Mapping[str, Any], descriptions: Mapping[tuple[str, str, Key], str]) -> Rule:
    direction = EGRESS if told.get("IsEgress") else INGRESS
    group = told.get("ReferencedGroupInfo") or {}
    peers = {
        "CidrIp": told.get("CidrIpv4"),
        "CidrIpv6": told.get("CidrIpv6"),
        "PrefixList": told.get("PrefixListId"),
        "Group": group.get("GroupId"),
    }
    kind, peer = next(((kind, str(peer)) for kind, peer in peers.items() if peer), ("", ""))
    protocol = protocol_of(told.get("IpProtocol"))
    with_ports = protocol in _WITH_PORTS
    key = Key(
        protocol=protocol,
        first=int(told.get("FromPort", _ANY)) if with_ports else _ANY,
        last=int(told.get("ToPort", _ANY)) if with_ports else _ANY,
        kind=kind,
        peer=peer,
    )
    return Rule(
        identifier=str(told["SecurityGroupRuleId"]),
        group=str(told["GroupId"]),
        direction=direction,
        key=key,
        description=str(
            told.get("Description") or descriptions.get((str(told["GroupId"]), direction, key), "")
        ),
        account=str(group.get("UserId") or ""),
        tags=told.get("Tags") or (),
    )
