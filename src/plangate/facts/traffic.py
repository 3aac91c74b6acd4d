"""Who may reach what: one shape for the entries of firewalls, and the questions that rules ask of it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from plangate.facts.addresses import covers_everyone, is_wider
from plangate.facts.base import Raw, whole_number
from plangate.model.values import UNKNOWN, Tri, Unknown, all_of, any_of

Entry = Mapping[str, Any]
"""One permission, as `plangate.model.kinds.INGRESS_SHAPE` says."""

LAST_PORT: Final = 65535
_NAMES: Final = {"-1": "all", "all": "all", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


def entry(
    *,
    address: str,
    path: str,
    protocol: Raw,
    ports: tuple[Raw, Raw],
    cidrs: Iterable[str | Unknown],
    others: Tri = False,
) -> Entry:
    """One permission from native values.

    Args:
        address: The resource that says so.
        path: JSON Pointer of the attribute in it.
        protocol: Name or number, in any case.
        ports: First and last port. Where the cloud ignores them, or for a port of -1, they become all ports.
        cidrs: Source networks.
        others: Whether sources that are no networks (prefix lists) let everyone in.
    """
    sources = tuple(cidrs)
    name = protocol_name(protocol)
    first, last = _ports(name, *ports)
    return {
        "address": address,
        "path": path,
        "protocol": name,
        "from_port": first,
        "to_port": last,
        "cidrs": sources,
        "any_source": any_of([covers_everyone(sources), others]),
    }


def protocol_name(value: Raw) -> str | Unknown:
    """A protocol in lower case; its number as text when it has no name here.

    Source: https://www.iana.org/assignments/protocol-numbers
    """
    if isinstance(value, str) and value.strip():
        given = value.strip().lower()
    elif isinstance(number := whole_number(value), int):
        given = str(number)
    else:
        return UNKNOWN
    return _NAMES.get(given, given)


def is_reached(item: Entry, *, protocols: Collection[str], port: int) -> Tri:
    """Whether an entry lets traffic of one of the protocols through to a port."""
    name: str | Unknown = item["protocol"]
    first, last = item["from_port"], item["to_port"]
    if name == "all":
        return True
    if name is UNKNOWN:
        # It may be "all", whatever its ports.
        return UNKNOWN
    starts: Tri = UNKNOWN if first is UNKNOWN else first <= port
    ends: Tri = UNKNOWN if last is UNKNOWN else last >= port
    return all_of([name in protocols, starts, ends])


def is_everything(item: Entry) -> Tri:
    """Whether an entry lets all traffic through: every protocol, or every port of TCP or UDP."""
    name: str | Unknown = item["protocol"]
    first, last = item["from_port"], item["to_port"]
    if name == "all":
        return True
    if name is UNKNOWN:
        return UNKNOWN
    starts: Tri = UNKNOWN if first is UNKNOWN else first <= 1
    ends: Tri = UNKNOWN if last is UNKNOWN else last >= LAST_PORT
    return all_of([name in {"tcp", "udp"}, starts, ends])


def lets_everyone_in(item: Entry, *, ipv4: int, ipv6: int) -> Tri:
    """Whether the sources of an entry are everyone, or a network wider than the given prefix lengths."""
    if any(is_wider(cidr, ipv4=ipv4, ipv6=ipv6) for cidr in item["cidrs"]):
        return True
    return item["any_source"] if isinstance(item["any_source"], bool) else UNKNOWN


def _ports(protocol: str | Unknown, first: Raw, last: Raw) -> tuple[int | Unknown, int | Unknown]:
    """Ports that are open. Only TCP and UDP (and ICMP, whose types stand there) have any to choose from.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    if isinstance(protocol, str) and protocol not in {"tcp", "udp", "icmp", "icmpv6"}:
        return 0, LAST_PORT
    start, end = whole_number(first), whole_number(last)
    # Missing or -1 leaves nothing out; what it lets through can only be more than meant.
    if start is None or start == -1:
        start = 0
    if end is None or end == -1:
        end = LAST_PORT
    if isinstance(start, int) and isinstance(end, int) and start > end:
        return end, start
    return start, end
