"""Security groups of Azure and their rules, which may be blocks of the group or resources of their own.

Rules are asked in the order of their priority, the lowest number first, and the first that matches decides; what no
rule matches does not come in from the internet.

Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from plangate.facts.addresses import network
from plangate.facts.base import AZURE, Adapter, Native, Raw, Values, blocks_in, native_of, text, texts
from plangate.facts.firewalls import (
    EVERYONE,
    Denial,
    address_range,
    denials,
    not_denied,
    permissions,
    port_range,
)
from plangate.facts.links import referrers, targets
from plangate.facts.traffic import Entry
from plangate.model.values import UNKNOWN, Tri, Unknown, pointer

_GROUP: Final = "azurerm_network_security_group"
_RULE: Final = "azurerm_network_security_rule"
_ANYONE: Final = frozenset({"*", "any", "internet"})
_SERVICE_TAG: Final = re.compile(r"[a-z]{1,99}[a-z0-9]{0,99}(?:\.[a-z0-9]{1,99})?", re.IGNORECASE | re.ASCII)


def _group(native: Native) -> dict[str, Any]:
    own = _own_rules(native)
    if own is UNKNOWN:
        return {"ingress": UNKNOWN}
    refused = _refused_by_group(native)
    found: list[Entry] = []
    for at, values in own:
        found += _let_in(native.resource.address, at, values, refused)
    for rule in _linked_rules(native):
        found += _let_in(rule.resource.address, "", rule.values, refused)
    return {"ingress": tuple(found)}


def _rule(native: Native) -> dict[str, Any]:
    group = _group_of(native)
    refused = () if group is None else _refused_by_group(group)
    return {"ingress": _let_in(native.resource.address, "", native.values, refused)}


def _own_rules(native: Native) -> tuple[tuple[str, Values], ...] | Unknown:
    """The group's own blocks, each with its place. They are an attribute that may be written as blocks.

    So a list that is wholly unknown and not configured really is "not set", and a new group lets nothing in.
    """
    blocks = blocks_in(native.setting("security_rule"))
    if blocks is UNKNOWN:
        return UNKNOWN
    return tuple((pointer("security_rule", index), block) for index, block in enumerate(blocks))


def _linked_rules(group: Native) -> Iterator[Native]:
    # Possible links say nothing about this group: each rule is judged where it stands.
    for resource in referrers(group, _RULE, "/network_security_group_name").exact:
        rule = native_of(resource, group.graph)
        if _in_same_place(rule, group) is not False:
            yield rule


def _group_of(rule: Native) -> Native | None:
    """The one group that a rule certainly belongs to, if this plan has it."""
    links = targets(rule, "/network_security_group_name", (_GROUP,))
    if links.outside or links.possible or len(links.exact) != 1:
        return None
    group = native_of(links.exact[0], rule.graph)
    return group if _in_same_place(rule, group) is True else None


def _in_same_place(rule: Native, group: Native) -> Tri:
    """Whether rule and group are in one resource group: a name means a group only within it."""
    if rule.values.get("network_security_group_name") is UNKNOWN:
        # Then the link is a reference to this group.
        return True
    names = [each.values.get("resource_group_name") for each in (rule, group)]
    if not all(isinstance(name, str) for name in names):
        return UNKNOWN
    return str(names[0]).lower() == str(names[1]).lower()


def _refused_by_group(group: Native) -> tuple[Denial, ...]:
    """What the group's own rules, and those that certainly belong to it, refuse."""
    address = group.resource.address
    return group.graph.remembered((_GROUP, address), lambda: tuple(_find_refused(group)))


def _find_refused(group: Native) -> Iterator[Denial]:
    own = _own_rules(group)
    for at, values in () if own is UNKNOWN else own:
        yield from _refused(group.resource.address, at, values)
    for rule in _linked_rules(group):
        if _word(rule.values, "access") == "deny" and _group_of(rule) is not None:
            yield from _refused(rule.resource.address, "", rule.values)


def _refused(address: str, at: str, values: Values) -> tuple[Denial, ...]:
    denies = _word(values, "access") == "deny" and _word(values, "direction") == "inbound"
    if not denies or not _is_for_all_targets(values):
        return ()
    return denials(values.get("priority"), _entries(address, at, values, certain=True))


def _is_for_all_targets(values: Values) -> bool:
    """Whether a rule holds for every machine and every source port."""
    return (
        values.get("destination_address_prefix") == "*"
        and values.get("source_port_range") == "*"
        and all(
            values.get(name) in (None, [], ())
            for name in (
                "destination_address_prefixes",
                "destination_application_security_group_ids",
                "source_port_ranges",
            )
        )
    )


def _let_in(address: str, at: str, values: Values, refused: tuple[Denial, ...]) -> tuple[Entry, ...]:
    access, direction = _word(values, "access"), _word(values, "direction")
    if access == "deny" or direction == "outbound":
        return ()
    certain = access == "allow" and direction == "inbound"
    return not_denied(values.get("priority"), _entries(address, at, values, certain=certain), refused)


def _entries(address: str, at: str, values: Values, *, certain: bool) -> tuple[Entry, ...]:
    listed = texts(values.get("source_address_prefixes"))
    single = values.get("source_address_prefix")
    cidrs = _networks((*_listed(single), *((UNKNOWN,) if listed is UNKNOWN else listed)))
    nothing = single in (None, "") and listed == ()
    if nothing and values.get("source_application_security_group_ids") in (None, [], ()):
        # The provider asks for one of the three.
        cidrs = (UNKNOWN,)
    return permissions(
        address=address,
        path=f"{at}/source_address_prefix" if listed == () else f"{at}/source_address_prefixes",
        protocol=values.get("protocol"),
        ports=_ports(values),
        # A rule that may turn out to deny, or to be for traffic that leaves, lets in we do not know whom.
        cidrs=cidrs if certain else (UNKNOWN,),
        others=False if certain else UNKNOWN,
    )


def _ports(values: Values) -> tuple[tuple[Raw, Raw], ...]:
    listed = texts(values.get("destination_port_ranges"))
    single = _listed(values.get("destination_port_range"))
    items = (*single, *((UNKNOWN,) if listed is UNKNOWN else listed))
    return tuple(port_range(item) for item in items) if items else ((UNKNOWN, UNKNOWN),)


def _listed(value: Raw) -> tuple[Raw, ...]:
    return () if value is None or value == "" else (value,)


def _networks(sources: tuple[Raw, ...]) -> tuple[str | Unknown, ...]:
    """Sources as networks. A service tag other than ``Internet`` names networks of Azure, not everyone.

    Source: https://learn.microsoft.com/azure/virtual-network/service-tags-overview
    """
    found: list[str | Unknown] = []
    for source in sources:
        if not isinstance(source, str):
            found.append(UNKNOWN)
            continue
        given = source.strip()
        if given.lower() in _ANYONE:
            found += EVERYONE
        elif network(given) is not None:
            found.append(given)
        elif (networks := address_range(given)) is not None:
            found += networks
        elif not _SERVICE_TAG.fullmatch(given):
            found.append(UNKNOWN)
    return tuple(found)


def _word(values: Values, name: str) -> str | Unknown:
    given = text(values.get(name))
    return UNKNOWN if given is UNKNOWN else given.strip().lower()


ADAPTERS: Final = {
    _GROUP: Adapter(kind="network.security_group", adapt=_group, docs=AZURE + "network_security_group"),
    _RULE: Adapter(kind="network.security_group_rule", adapt=_rule, docs=AZURE + "network_security_rule"),
}
