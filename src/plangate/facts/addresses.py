"""Networks in CIDR text: which of them let everyone in.

Text is read as a cloud would read it: ``0.0.0.0/00``, ``0:0::/0`` and ``10.0.0.1/0`` are all the whole
internet. What cannot be read is `UNKNOWN`, never a closed network.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from plangate.model.values import UNKNOWN, Tri, Unknown

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=4096)
def network(cidr: str) -> Network | None:
    """The network that CIDR text names, or ``None`` when it names none. Host bits are ignored."""
    try:
        return ip_network(cidr.strip(), strict=False)
    except ValueError:
        return None


def covers_everyone(cidrs: Iterable[str | Unknown]) -> Tri:
    """Whether networks together are all of IPv4 or of IPv6; ``0.0.0.0/1`` and ``128.0.0.0/1`` together are."""
    fourth: list[IPv4Network] = []
    sixth: list[IPv6Network] = []
    unreadable = False
    for cidr in cidrs:
        found = network(cidr) if isinstance(cidr, str) else None
        if isinstance(found, IPv4Network):
            fourth.append(found)
        elif isinstance(found, IPv6Network):
            sixth.append(found)
        else:
            unreadable = True
    if any(n.prefixlen == 0 for n in collapse_addresses(fourth)):
        return True
    if any(n.prefixlen == 0 for n in collapse_addresses(sixth)):
        return True
    return UNKNOWN if unreadable else False


def is_wider(cidr: object, *, ipv4: int, ipv6: int) -> bool:
    """Whether a network that can be read is wider than the given prefix lengths; ``/7`` is wider than 8."""
    found = network(cidr) if isinstance(cidr, str) else None
    if found is None:
        return False
    return found.prefixlen < (ipv4 if found.version == 4 else ipv6)  # noqa: PLR2004
