"""Firewalls whose rules have an order: which permissions are left once denials in front of them are counted.

A denial takes a permission away only where it certainly does: its place in the order is known and in front, it holds
for every destination, and it denies everyone. Everything else leaves the permission where it is, so that a doubt
denies rather than allows.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, summarize_address_range
from typing import Final

from msgspec import Struct

from plangate.facts.addresses import covers_everyone, network
from plangate.facts.base import Raw, whole_number
from plangate.facts.traffic import LAST_PORT, Entry, entry
from plangate.model.values import UNKNOWN, Tri, Unknown

EVERYONE: Final = ("0.0.0.0/0", "::/0")
"""What a firewall means that lets any source in: both families."""

MAX_DENIALS: Final = 100
"""Denials, and rules in which denials are looked for, that are counted for one firewall; more are not, so that cost
stays linear."""

_FAMILIES: Final = (4, 6)
_SPLIT: Final = ("tcp", "udp")


class Denial(Struct, frozen=True, kw_only=True):
    """Traffic that is refused to everyone, before any later rule is asked.

    Attributes:
        precedence: Its place in the order; the smallest is asked first.
        protocol: As in an entry.
        first: First port.
        last: Last port.
        families: IP versions of which it refuses every source.
    """

    precedence: int
    protocol: str
    first: int
    last: int
    families: frozenset[int]


def denials(precedence: Raw, entries: Iterable[Entry]) -> tuple[Denial, ...]:
    """What the entries of a denying rule certainly refuse to everyone."""
    place = whole_number(precedence)
    if not isinstance(place, int):
        return ()
    found = []
    for item in entries:
        protocol, first, last = item["protocol"], item["from_port"], item["to_port"]
        families = frozenset(version for version in _FAMILIES if _covers_family(item["cidrs"], version))
        if families and UNKNOWN not in (protocol, first, last):
            found.append(
                Denial(precedence=place, protocol=protocol, first=first, last=last, families=families)
            )
    return tuple(found)


def not_denied(
    precedence: Raw, entries: Iterable[Entry], refused: Sequence[Denial], *, also_equal: bool = False
) -> tuple[Entry, ...]:
    """The entries of a permitting rule that no denial in front of it takes away.

    Args:
        precedence: Place of the rule in the order.
        entries: What it permits.
        refused: Denials of the same firewall.
        also_equal: A denial in the same place comes first.
    """
    place = whole_number(precedence)
    if not isinstance(place, int) or len(refused) > MAX_DENIALS:
        return tuple(entries)
    before = [d for d in refused if d.precedence < place or (also_equal and d.precedence == place)]
    return tuple(item for item in entries if not any(_takes_away(denial, item) for denial in before))


def permissions(
    *,
    address: str,
    path: str,
    protocol: Raw,
    ports: Iterable[tuple[Raw, Raw]],
    cidrs: Sequence[str | Unknown],
    others: Tri = False,
) -> tuple[Entry, ...]:
    """One entry for each range of ports. ``all`` protocols with ports to choose from are TCP and UDP.

    Args:
        address: The resource that says so.
        path: JSON Pointer of the attribute in it.
        protocol: Name or number; ``*`` is all.
        ports: First and last port of each range.
        cidrs: Source networks.
        others: Whether sources that are no networks are everyone.
    """
    name = "all" if protocol == "*" else protocol
    found: list[Entry] = []
    for first, last in ports:
        split = isinstance(name, str) and name.lower() == "all" and (first, last) != (0, LAST_PORT)
        found += (
            entry(address=address, path=path, protocol=each, ports=(first, last), cidrs=cidrs, others=others)
            for each in (_SPLIT if split else (name,))
        )
    return tuple(found)


def port_range(value: Raw) -> tuple[Raw, Raw]:
    """First and last port of ``22``, ``20-25`` or ``*``; both `UNKNOWN` for anything else."""
    if value == "*":
        return 0, LAST_PORT
    if isinstance(value, str) and "-" in value:
        start, _, end = value.partition("-")
        first, last = whole_number(start.strip()), whole_number(end.strip())
    else:
        first = last = whole_number(value.strip() if isinstance(value, str) else value)
    if not isinstance(first, int) or not isinstance(last, int):
        return UNKNOWN, UNKNOWN
    return first, last


def address_range(value: str) -> tuple[str, ...] | None:
    """The networks of ``10.0.0.1-10.0.0.9``, or ``None`` when the text is no range of addresses."""
    start, dash, end = value.partition("-")
    if not dash:
        return None
    try:
        first, last = ip_address(start.strip()), ip_address(end.strip())
        if isinstance(first, IPv4Address) and isinstance(last, IPv4Address):
            return tuple(str(found) for found in summarize_address_range(first, last))
        if isinstance(first, IPv6Address) and isinstance(last, IPv6Address):
            return tuple(str(found) for found in summarize_address_range(first, last))
    except ValueError:
        return None
    return None


def _covers_family(cidrs: Sequence[str | Unknown], version: int) -> bool:
    own = [c for c in cidrs if isinstance(c, str) and (n := network(c)) is not None and n.version == version]
    return covers_everyone(own) is True


def _takes_away(denial: Denial, item: Entry) -> bool:
    protocol, first, last = item["protocol"], item["from_port"], item["to_port"]
    if UNKNOWN in (protocol, first, last) or denial.protocol not in {"all", protocol}:
        return False
    if not (denial.first <= first and last <= denial.last):
        return False
    networks = [network(cidr) if isinstance(cidr, str) else None for cidr in item["cidrs"]]
    return bool(networks) and all(n is not None and n.version in denial.families for n in networks)
