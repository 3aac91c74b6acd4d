"""Rules with an order: a denial takes a permission away only where that is certain."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.facts.firewalls import (
    EVERYONE,
    MAX_DENIALS,
    address_range,
    denials,
    not_denied,
    permissions,
    port_range,
)
from plangate.facts.traffic import Entry, is_reached, lets_everyone_in
from plangate.model.values import UNKNOWN


def some(protocol: Any = "tcp", ports: Any = (22, 22), cidrs: Any = EVERYONE) -> tuple[Entry, ...]:
    return permissions(address="a", path="/p", protocol=protocol, ports=(ports,), cidrs=cidrs)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("22", (22, 22)),
        (22, (22, 22)),
        ("20-25", (20, 25)),
        (" 20 - 25 ", (20, 25)),
        ("*", (0, 65535)),
        ("ssh", (UNKNOWN, UNKNOWN)),
        ("22,23", (UNKNOWN, UNKNOWN)),
        ("-", (UNKNOWN, UNKNOWN)),
        (UNKNOWN, (UNKNOWN, UNKNOWN)),
        (None, (UNKNOWN, UNKNOWN)),
        ([], (UNKNOWN, UNKNOWN)),
    ],
)
def test_a_range_of_ports_is_read_or_not_known(value: object, expected: object) -> None:
    assert port_range(value) == expected


def test_a_range_of_addresses_is_the_networks_in_it() -> None:
    assert address_range("0.0.0.0-255.255.255.255") == ("0.0.0.0/0",)
    assert address_range("10.0.0.0-10.0.0.2") == ("10.0.0.0/31", "10.0.0.2/32")
    assert address_range("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == ("::/0",)
    for text in ("10.0.0.1", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "a-b", ""):
        assert address_range(text) is None


def test_all_protocols_with_ports_to_choose_from_are_tcp_and_udp_with_those_ports() -> None:
    assert [(e["protocol"], e["from_port"], e["to_port"]) for e in some("*", (443, 443))] == [
        ("tcp", 443, 443),
        ("udp", 443, 443),
    ]
    assert [e["protocol"] for e in some("*", (0, 65535))] == ["all"]
    assert [e["protocol"] for e in some(UNKNOWN)] == [UNKNOWN]


def test_a_denial_in_front_takes_a_permission_away_and_one_behind_does_not() -> None:
    refused = denials(100, some("*", (0, 65535)))
    assert not_denied(200, some(), refused) == ()
    assert not_denied(50, some(), refused) == some()
    assert not_denied(100, some(), refused) == some()
    assert not_denied(100, some(), refused, also_equal=True) == ()


@pytest.mark.parametrize(
    "refusing",
    [
        some("udp"),
        some("tcp", (23, 65535)),
        some(UNKNOWN),
        some("tcp", (UNKNOWN, UNKNOWN)),
        some(cidrs=("0.0.0.0/1",)),
        some(cidrs=(UNKNOWN,)),
        some(cidrs=("VirtualNetwork",)),
        some(cidrs=("::/0",)),
        some(cidrs=("0.0.0.0/0",)),
    ],
)
def test_a_denial_that_does_not_certainly_cover_it_leaves_a_permission(refusing: tuple[Entry, ...]) -> None:
    assert not_denied(200, some(), denials(100, refusing)) == some()


@pytest.mark.parametrize("place", [UNKNOWN, None, "first", True, 1.5])
def test_an_unknown_place_in_the_order_leaves_a_permission(place: object) -> None:
    assert denials(place, some()) == ()
    assert not_denied(place, some(), denials(100, some())) == some()


def test_a_permission_of_one_family_needs_a_denial_of_that_family() -> None:
    fourth = some(cidrs=("0.0.0.0/0",))
    assert not_denied(200, fourth, denials(100, fourth)) == ()
    assert not_denied(200, some(cidrs=("::/0",)), denials(100, fourth)) == some(cidrs=("::/0",))


def test_a_permission_whose_sources_are_not_known_stays() -> None:
    for cidrs in ((UNKNOWN,), (), ("0.0.0.0/0", UNKNOWN)):
        assert not_denied(200, some(cidrs=cidrs), denials(100, some("all"))) == some(cidrs=cidrs)


def test_more_denials_than_are_counted_take_nothing_away() -> None:
    one = denials(100, some())
    assert not_denied(200, some(), one * MAX_DENIALS) == ()
    assert not_denied(200, some(), one * (MAX_DENIALS + 1)) == some()


PLACES = st.one_of(st.integers(1, 4), st.just(UNKNOWN))
ENTRIES = st.builds(
    some,
    st.sampled_from(["tcp", "udp", "*", UNKNOWN]),
    st.sampled_from([(22, 22), (0, 65535), (80, 443), (UNKNOWN, UNKNOWN)]),
    st.sampled_from([EVERYONE, ("0.0.0.0/0",), ("10.0.0.0/8",), (UNKNOWN,)]),
)


@given(PLACES, ENTRIES, st.lists(st.tuples(PLACES, ENTRIES), max_size=4), st.sampled_from(["tcp", "udp"]))
def test_what_a_first_match_lets_in_is_never_taken_away(
    place: Any, permitted: tuple[Entry, ...], denying: list[tuple[Any, tuple[Entry, ...]]], protocol: str
) -> None:
    refused = tuple(d for at, entries in denying for d in denials(at, entries))
    left = not_denied(place, permitted, refused)

    def opens(entries: tuple[Entry, ...]) -> bool:
        return any(
            is_reached(e, protocols=(protocol,), port=22) is not False
            and lets_everyone_in(e, ipv4=8, ipv6=16) is not False
            for e in entries
        )

    def denied() -> bool:
        return any(
            isinstance(at, int)
            and isinstance(place, int)
            and at < place
            and any(
                is_reached(e, protocols=(protocol,), port=22) is True and "0.0.0.0/0" in e["cidrs"]
                for e in entries
            )
            for at, entries in denying
        )

    assert opens(left) or not opens(permitted) or denied()
