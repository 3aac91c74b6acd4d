"""Security groups of AWS and their rules, which may be blocks of the group or resources of their own."""

from typing import Any, Final

from plangate.facts.addresses import covers_everyone
from plangate.facts.base import REGISTRY, Adapter, Native, Raw, Values, blocks_in, native_of, texts
from plangate.facts.links import any_target, referrers
from plangate.facts.traffic import Entry, entry
from plangate.model.values import UNKNOWN, Tri, Unknown, pointer

_RULE_TYPES: Final = ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule")


def _group(native: Native) -> dict[str, Any]:
    own = _inline(native)
    linked: list[Entry] = []
    for native_type in _RULE_TYPES:
        links = referrers(native, native_type, "/security_group_id")
        for resource in links.exact:
            linked += _RULE_READERS[native_type](native_of(resource, native.graph))
        # Possible links say nothing about this group: each rule is judged where it stands.
    return {"ingress": UNKNOWN if own is UNKNOWN else (*own, *linked)}


def _inline(native: Native) -> tuple[Entry, ...] | Unknown:
    """Entries of the group's own ``ingress`` blocks.

    The group's ``ingress`` is an attribute that may be written as blocks: with ``dynamic`` it is a list of
    unknown blocks and never wholly unknown, so that wholly unknown and not configured really is "not set",
    and a new group lets nothing in.
    """
    blocks = blocks_in(native.setting("ingress"))
    if blocks is UNKNOWN:
        return UNKNOWN
    return tuple(_permission(native, block, pointer("ingress", index)) for index, block in enumerate(blocks))


def _rule(native: Native) -> tuple[Entry, ...]:
    # An unknown direction may be ingress.
    if native.values.get("type") == "egress":
        return ()
    return (_permission(native, native.values, ""),)


def _ingress_rule(native: Native) -> tuple[Entry, ...]:
    values = native.values
    cidrs = [item for key in ("cidr_ipv4", "cidr_ipv6") for item in _sources(values.get(key))]
    return (
        entry(
            address=native.resource.address,
            path="/cidr_ipv6" if values.get("cidr_ipv6") is not None else "/cidr_ipv4",
            protocol=values.get("ip_protocol"),
            ports=(values.get("from_port"), values.get("to_port")),
            cidrs=cidrs,
            others=_prefix_lists(native, "/prefix_list_id"),
        ),
    )


def _permission(native: Native, values: Values, at: str) -> Entry:
    cidrs = [item for key in ("cidr_blocks", "ipv6_cidr_blocks") for item in _sources(values.get(key))]
    open_ipv6 = covers_everyone(_sources(values.get("ipv6_cidr_blocks"))) is True
    return entry(
        address=native.resource.address,
        path=f"{at}/ipv6_cidr_blocks" if open_ipv6 else f"{at}/cidr_blocks",
        protocol=values.get("protocol"),
        ports=(values.get("from_port"), values.get("to_port")),
        cidrs=cidrs,
        others=_prefix_lists(native, f"{at}/prefix_list_ids"),
    )


def _sources(value: Raw) -> tuple[str | Unknown, ...]:
    listed = texts(value)
    return (UNKNOWN,) if listed is UNKNOWN else listed


def _prefix_lists(native: Native, at: str) -> Tri:
    """Whether a prefix list lets everyone in. One whose entries this plan does not hold is `UNKNOWN`."""
    links = native.graph.targets(native.resource, at, ("aws_ec2_managed_prefix_list",))
    return any_target(native, links, _lists_everyone)


def _lists_everyone(native: Native) -> Tri:
    """Entries of a prefix list: ``entry`` blocks of one that is managed, ``entries`` of one that is read."""
    entries = native.blocks("entry" if native.resource.mode == "managed" else "entries")
    if entries is UNKNOWN:
        return UNKNOWN
    return covers_everyone(cidr for item in entries for cidr in _sources(item.get("cidr")) or (UNKNOWN,))


_RULE_READERS: Final = {
    "aws_security_group_rule": _rule,
    "aws_vpc_security_group_ingress_rule": _ingress_rule,
}


def _own_rule(native: Native) -> dict[str, Any]:
    return {"ingress": _rule(native)}


def _own_ingress_rule(native: Native) -> dict[str, Any]:
    return {"ingress": _ingress_rule(native)}


def _egress_rule(_native: Native) -> dict[str, Any]:
    return {"ingress": ()}


ADAPTERS: Final = {
    "aws_security_group": Adapter(
        kind="network.security_group", adapt=_group, docs=REGISTRY + "security_group"
    ),
    "aws_default_security_group": Adapter(
        kind="network.security_group", adapt=_group, docs=REGISTRY + "default_security_group"
    ),
    "aws_security_group_rule": Adapter(
        kind="network.security_group_rule", adapt=_own_rule, docs=REGISTRY + "security_group_rule"
    ),
    "aws_vpc_security_group_ingress_rule": Adapter(
        kind="network.security_group_rule",
        adapt=_own_ingress_rule,
        docs=REGISTRY + "vpc_security_group_ingress_rule",
    ),
    "aws_vpc_security_group_egress_rule": Adapter(
        kind="network.security_group_rule",
        adapt=_egress_rule,
        docs=REGISTRY + "vpc_security_group_egress_rule",
    ),
}
