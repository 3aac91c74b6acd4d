"""Functions of IP address ranges in CIDR notation.

Source: https://developer.hashicorp.com/terraform/language/functions/cidrsubnet
"""

import ipaddress
import re
from decimal import Decimal
from typing import Final, TypeAlias

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_base import NUM, TEXT, Function, check_size, whole
from plangate.parsers.hcl.values import Value

_V4: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9}){3})/([0-9]{1,9})")
_V6: Final = re.compile(r"([0-9A-Fa-f:.]{2,60})/([0-9]{1,9})")
_MAPPED: Final = ipaddress.ip_network("::ffff:0:0/96")
MAX_SUBNET_BITS: Final = 32
MAX_SUBNETS: Final = 10_000
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(prefix: str) -> _Network | None:
    """The range, without host bits, or None for IPv4 in IPv6, which is written in ways of its own.

    Raises:
        ValueError: Not a range.
    """
    network = _parsed(prefix)
    # IPv6 ranges that hold IPv4 addresses are written so, too.
    return (
        None
        if isinstance(network, ipaddress.IPv6Network) and network.prefixlen and network.overlaps(_MAPPED)
        else network
    )


def _parsed(prefix: str) -> _Network:
    try:
        if match := _V4.fullmatch(prefix):
            # Zeros in front are no octal digits here.
            address = ".".join(str(int(part)) for part in match[1].split("."))
            return ipaddress.IPv4Network(f"{address}/{int(match[2])}", strict=False)
        if match := _V6.fullmatch(prefix):
            return ipaddress.IPv6Network(f"{match[1]}/{int(match[2])}", strict=False)
    except ValueError:
        pass  # its message shows the address
    raise ValueError("not an address range in CIDR notation")


def _whole(value: int | Decimal, what: str) -> int:
    """A whole number of any size: an address may have 128 bits."""
    if not isinstance(value, int):
        raise ValueError(f"{what} must be a whole number")  # noqa: TRY004 -- a refusal, not a bug
    return value


def _written(base: _Network, address: int, bits: int | None = None) -> Value:
    """An address, or the range that starts there."""
    if isinstance(base, ipaddress.IPv4Network):
        shown = str(ipaddress.IPv4Address(address))
    elif ipaddress.IPv6Address(address) in _MAPPED:
        return UNKNOWN
    else:
        shown = str(ipaddress.IPv6Address(address))
    return shown if bits is None else f"{shown}/{bits}"


def _cidrhost(prefix: str, host: int | Decimal) -> Value:
    number = _whole(host, "host number")
    network = _network(prefix)
    if network is None:
        return UNKNOWN
    size = network.num_addresses
    if not -size <= number < size:
        raise ValueError("the range has no such host")
    return _written(network, int(network.network_address) + (number if number >= 0 else size + number))


def _cidrnetmask(prefix: str) -> Value:
    network = _network(prefix)
    if not isinstance(network, ipaddress.IPv4Network):
        raise ValueError("IPv6 ranges have no netmask in dotted notation")  # noqa: TRY004 -- a refusal, not a bug
    return str(network.netmask)


def _cidrsubnet(prefix: str, newbits: int | Decimal, netnum: int | Decimal) -> Value:
    bits, number = whole(newbits, "newbits"), _whole(netnum, "netnum")
    network = _network(prefix)
    if network is None or bits < 0 or number < 0:
        return UNKNOWN  # Terraform answers something, but no range within the range
    if network.prefixlen + bits > network.max_prefixlen:
        raise ValueError("not enough remaining address space for so many new bits")
    if number >= 1 << bits:
        raise ValueError("the number does not fit into the new bits")
    length = network.prefixlen + bits
    return _written(
        network, int(network.network_address) + (number << (network.max_prefixlen - length)), length
    )


def _cidrsubnets(prefix: str, *newbits: int | Decimal) -> Value:
    check_size(len(newbits), MAX_SUBNETS)
    sizes = [whole(bits, "newbits") for bits in newbits]
    network = _network(prefix)
    if network is None:
        return UNKNOWN
    made: list[Value] = []
    start = int(network.network_address)
    end = start + network.num_addresses
    for bits in sizes:
        length = network.prefixlen + bits
        if not 1 <= bits <= MAX_SUBNET_BITS or length > network.max_prefixlen:
            raise ValueError("newbits must be at least 1, at most 32, and leave address space")
        size = 1 << (network.max_prefixlen - length)
        start = -(-start // size) * size
        if start + size > end:
            raise ValueError("not enough remaining address space for another subnet")
        made.append(_written(network, start, length))
        start += size
    return made


FUNCTIONS: Final = (
    Function(name="cidrhost", run=_cidrhost, parameters=(TEXT, NUM)),
    Function(name="cidrnetmask", run=_cidrnetmask, parameters=(TEXT,)),
    Function(name="cidrsubnet", run=_cidrsubnet, parameters=(TEXT, NUM, NUM)),
    Function(name="cidrsubnets", run=_cidrsubnets, parameters=(TEXT,), rest=NUM),
)
