"""Networks and patterns, against slower readings of the same."""

import fnmatch
import re
from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from plangate.facts.addresses import covers_everyone
from plangate.facts.policy_documents import matches
from plangate.facts.traffic import entry, is_everything, is_reached
from plangate.model.values import UNKNOWN

BLOCKS = [f"{n << 4}.0.0.0/4" for n in range(16)]


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 4)), max_size=12))
def test_networks_cover_everyone_exactly_when_they_hold_every_part_of_the_internet(
    nets: list[tuple[int, int]],
) -> None:
    cidrs = [str(IPv4Network(f"{block << 4}.0.0.0/{length}", strict=False)) for block, length in nets]
    held = all(any(IPv4Network(part).subnet_of(IPv4Network(cidr)) for cidr in cidrs) for part in BLOCKS)
    assert covers_everyone(cidrs) is held


@given(
    st.lists(st.sampled_from([*BLOCKS, "0.0.0.0/0", "::/0", "10.0.0.0/8"])),
    st.sampled_from(["x", "", "1.2.3.4/99"]),
)
def test_a_network_that_cannot_be_read_never_closes_anything(cidrs: list[str], unreadable: str) -> None:
    assert covers_everyone([*cidrs, unreadable]) is (True if covers_everyone(cidrs) is True else UNKNOWN)


@given(st.text("ab*?:", max_size=10), st.text("ab:", max_size=10))
def test_patterns_match_as_shell_patterns_do(pattern: str, value: str) -> None:
    assert matches(pattern, value) is (re.fullmatch(fnmatch.translate(pattern), value) is not None)


@given(
    st.integers(-1, 70000),
    st.integers(-1, 70000),
    st.integers(0, 65535),
    st.sampled_from(["tcp", "6", "UDP"]),
)
def test_a_port_is_reached_exactly_when_the_range_holds_it(
    first: int, last: int, port: int, protocol: str
) -> None:
    item = entry(address="a", path="", protocol=protocol, ports=(first, last), cidrs=())
    low, high = (0 if first == -1 else first), (65535 if last == -1 else last)
    assert is_reached(item, protocols=("tcp", "udp"), port=port) is (min(low, high) <= port <= max(low, high))


@given(st.one_of(st.just("-1"), st.just(-1), st.just("all"), st.just("ALL")), st.integers(), st.integers())
def test_all_protocols_are_everything_whatever_the_ports(protocol: str | int, first: int, last: int) -> None:
    item = entry(address="a", path="", protocol=protocol, ports=(first, last), cidrs=())
    assert (is_everything(item), is_reached(item, protocols=(), port=22)) == (True, True)
