"""Firewalls of Google: rules of a network, and rules of firewall policies.

A rule of a network permits or denies. The lowest priority number is asked first, and of two with the same number the
one that denies; what no rule matches does not come in. Only denials of the same network that hold for all machines
take a permission away here; those of policies above it do not count.

Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_firewall and
https://cloud.google.com/firewall/docs/firewalls
"""

from collections.abc import Iterator
from typing import Any, Final

from plangate.facts.base import (
    GOOGLE,
    Adapter,
    Blocks,
    Native,
    Raw,
    Values,
    blocks_in,
    flag,
    native_of,
    text,
    texts,
)
from plangate.facts.firewalls import (
    EVERYONE,
    MAX_DENIALS,
    Denial,
    denials,
    not_denied,
    permissions,
    port_range,
)
from plangate.facts.links import targets
from plangate.facts.traffic import LAST_PORT, Entry
from plangate.model.values import UNKNOWN, Unknown

_FIREWALL: Final = "google_compute_firewall"
_NETWORK: Final = "google_compute_network"
_DEFAULT_PRIORITY: Final = 1000
_NETWORK_SOURCES: Final = ("source_tags", "source_service_accounts")
_POLICY_SOURCES: Final = (
    "src_address_groups",
    "src_fqdns",
    "src_region_codes",
    "src_secure_tags",
    "src_threat_intelligences",
    "src_network_scope",
    "src_network_type",
    "src_networks",
)
_OURS: Final = frozenset({"src_secure_tags", "src_networks"})
"""Sources of a policy's rule that are machines of ours; all others may be anyone."""


def _firewall(native: Native) -> dict[str, Any]:
    direction = text(native.setting("direction"))
    disabled = flag(native.setting("disabled"), default=False)
    allowed = native.blocks("allow")
    if direction == "EGRESS" or disabled is True or allowed == ():
        return {"ingress": ()}
    if allowed is UNKNOWN:
        return {"ingress": UNKNOWN}
    certain = direction in ("INGRESS", "") and disabled is False
    entries = _entries(
        native.resource.address, "/source_ranges", allowed, _sources(native) if certain else (UNKNOWN,)
    )
    return {"ingress": not_denied(_priority(native), entries, _refused(native), also_equal=True)}


def _refused(native: Native) -> tuple[Denial, ...]:
    network = _network_of(native)
    if not network:
        return ()
    return native.graph.remembered((_FIREWALL, *network), lambda: tuple(_find_refused(native, network)))


def _sources(native: Native) -> tuple[str | Unknown, ...]:
    """Networks that traffic may come from: everyone when no source of any kind is named.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/firewalls (``sourceRanges``)
    """
    listed = texts(native.setting("source_ranges"))
    if listed is UNKNOWN:
        return (UNKNOWN,)
    if listed:
        return listed
    others = [native.setting(name) for name in _NETWORK_SOURCES]
    if any(other is UNKNOWN for other in others):
        return (UNKNOWN,)
    return () if any(other not in (None, [], ()) for other in others) else EVERYONE


def _priority(native: Native) -> Raw:
    given = native.setting("priority")
    return _DEFAULT_PRIORITY if given is None else given


def _network_of(native: Native) -> tuple[str, ...]:
    """What tells the network from all others; empty when it is not certain which it is."""
    named, project = native.values.get("network"), native.setting("project")
    if named is UNKNOWN:
        links = targets(native, "/network", (_NETWORK,))
        certain = len(links.exact) == 1 and not links.possible and not links.outside
        return ("", links.exact[0].address) if certain else ()
    return (project, named) if isinstance(named, str) and isinstance(project, str) else ()


def _find_refused(native: Native, network: tuple[str, ...]) -> Iterator[Denial]:
    """What the rules of a network refuse to everyone, on all its machines."""
    candidates = native.graph.of_type(_FIREWALL)
    for resource in candidates if len(candidates) <= MAX_DENIALS else ():
        other = native_of(resource, native.graph)
        blocks = other.blocks("deny")
        if blocks is UNKNOWN or not blocks or _network_of(other) != network:
            continue
        if _denies_all_machines(other):
            yield from denials(_priority(other), _entries(resource.address, "", blocks, _sources(other)))


def _denies_all_machines(native: Native) -> bool:
    return (
        text(native.setting("direction")) in ("INGRESS", "")
        and flag(native.setting("disabled"), default=False) is False
        and all(
            native.setting(name) in (None, [], ())
            for name in ("target_tags", "target_service_accounts", "destination_ranges")
        )
    )


def _entries(
    address: str, path: str, blocks: Blocks, cidrs: tuple[str | Unknown, ...], protocol: str = "protocol"
) -> tuple[Entry, ...]:
    return tuple(
        item
        for block in blocks
        for item in permissions(
            address=address, path=path, protocol=block.get(protocol), ports=_ports(block), cidrs=cidrs
        )
    )


def _ports(block: Values) -> tuple[tuple[Raw, Raw], ...]:
    """Ranges of ports; without any, all of them."""
    value = block.get("ports")
    if value is None or value in ([], ()):
        return ((0, LAST_PORT),)
    # Terraform writes them as text, other tools as numbers too.
    items = value if isinstance(value, list | tuple) else (value,)
    return tuple(port_range(item) for item in items)


def _policy_rule(native: Native) -> dict[str, Any]:
    """A rule of a firewall policy. One that hands on to the next policy lets nothing in by itself.

    Source:
    https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_network_firewall_policy_rule
    """
    return {"ingress": _policy_entries(native, native.values, "")}


def _policy_entries(native: Native, values: Values, at: str) -> tuple[Entry, ...] | Unknown:
    action, direction = text(values.get("action")), text(values.get("direction"))
    disabled = flag(values.get("disabled"), default=False)
    if direction == "EGRESS" or disabled is True or action in {"deny", "goto_next"}:
        return ()
    matches = blocks_in(values.get("match"))
    if matches is UNKNOWN:
        return UNKNOWN
    certain = (
        action in {"allow", "apply_security_profile_group"} and direction == "INGRESS" and disabled is False
    )
    found: list[Entry] = []
    for match in matches:
        layers = blocks_in(match.get("layer4_configs"))
        if layers is UNKNOWN:
            return UNKNOWN
        cidrs = _policy_sources(match) if certain else (UNKNOWN,)
        found += _entries(
            native.resource.address, f"{at}/match/0/src_ip_ranges", layers, cidrs, "ip_protocol"
        )
    return tuple(found)


def _policy_sources(match: Values) -> tuple[str | Unknown, ...]:
    """Networks that a policy's rule lets in: everyone when it names no source of any kind."""
    listed = texts(match.get("src_ip_ranges"))
    if listed is UNKNOWN:
        return (UNKNOWN,)
    others = {name: value for name in _POLICY_SOURCES if (value := match.get(name)) not in (None, "", [], ())}
    if not listed and not others:
        return EVERYONE
    # Countries, names and lists of others: whom they let in, or leave out, is not in the plan.
    ours = all(name in _OURS and value is not UNKNOWN for name, value in others.items())
    return listed if ours else (*listed, UNKNOWN)


ADAPTERS: Final = {
    f"google_{page}": Adapter(kind="network.security_group_rule", adapt=adapt, docs=GOOGLE + page)
    for page, adapt in {
        "compute_firewall": _firewall,
        "compute_firewall_policy_rule": _policy_rule,
        "compute_network_firewall_policy_rule": _policy_rule,
        "compute_region_network_firewall_policy_rule": _policy_rule,
    }.items()
}
