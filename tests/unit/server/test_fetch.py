"""Addresses that somebody else named: which of them may be asked."""

import ipaddress
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import UsageError
from plangate.server.fetch import FetchRefusedError, may_ask, networks_of, read_url


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::1",
    ],
)  # fmt: skip
def test_what_is_inside_is_not_asked(address: str) -> None:
    assert may_ask(ipaddress.ip_address(address)) is False


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_is_public_is_asked(address: str) -> None:
    assert may_ask(ipaddress.ip_address(address)) is True


def test_a_network_that_is_named_is_asked_and_its_neighbours_are_not() -> None:
    networks = networks_of(["10.1.0.0/16", "fd00:1::/32"])
    assert may_ask(ipaddress.ip_address("10.1.255.1"), networks)
    assert may_ask(ipaddress.ip_address("::ffff:10.1.0.1"), networks)
    assert may_ask(ipaddress.ip_address("fd00:1::1"), networks)
    assert not may_ask(ipaddress.ip_address("10.2.0.1"), networks)
    assert not may_ask(ipaddress.ip_address("169.254.169.254"), networks)


@given(st.ip_addresses(v=4))
def test_an_address_within_an_address_is_looked_at(address: ipaddress.IPv4Address) -> None:
    inside = int(address)
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | inside)
    translated = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | inside)
    assert may_ask(mapped) == may_ask(translated) == may_ask(address)


def test_networks_that_are_none_are_refused() -> None:
    for text in ("10.1.0.1/16", "localhost", ""):
        with pytest.raises(UsageError, match="private_networks"):
            networks_of([text])


@pytest.mark.parametrize(
    "url",
    [
        "http://app.terraform.io/", "https://", "https://./", "https:///x", "//app.terraform.io/", "ftp://app.terraform.io/",
        "https://u@app.terraform.io/", "https://u:p@app.terraform.io/", "https://app.terraform.io#@evil.example/",
        "https://app.terraform.io\\@evil.example/", "https://app.terraform.io%2eevil.example/",
        "https://app.terraform.io/\r\nHost: evil", "https://app.terraform.io/ x", "https://app.terraform.io:99999/",
        "https://app.terraform.io:0/", "https://app.terraform.io:x/", "https://äpp.terraform.io/", "https://[::1/",
        "https://app.terraform.io/" + "x" * 20_000, "", "\thttps://app.terraform.io/",
    ],
)  # fmt: skip
def test_a_url_that_is_written_oddly_is_refused(url: str) -> None:
    with pytest.raises(FetchRefusedError):
        read_url(url)


def test_a_url_is_taken_apart_once() -> None:
    found = read_url("https://App.Terraform.IO.:443/api/v2/plans?x=1&y=%20")
    assert (found.place, found.target) == ("app.terraform.io", "/api/v2/plans?x=1&y=%20")
    assert read_url("https://tfe.example.com:8443").place == "tfe.example.com:8443"


@given(st.text(max_size=60))
def test_any_text_is_a_url_with_a_host_or_refused(text: str) -> None:
    for each in (text, f"https://{text}", f"https://app.terraform.io{text}"):
        try:
            found = read_url(each)
        except FetchRefusedError:
            continue
        assert found.host
        assert "@" not in found.place
        assert found.target.startswith(("/", "?")) or found.target == "/"
        assert found.target.isascii()
        assert found.target.isprintable()


_SILENT = """
import asyncio, contextlib, sys
import uvloop
from plangate.server.fetch import Fetcher, FetchFailedError, read_url

async def main(cancel):
    loop, made, closed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    class Silent(asyncio.Protocol):
        def data_received(self, _):
            made.set()

        def connection_lost(self, _):
            closed.set()

    server = await loop.create_server(Silent, "127.0.0.1", 0)
    url = read_url(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    sending = Fetcher(["127.0.0.0/8"]).send("GET", url, headers={}, max_bytes=1, timeout_s=60.0 if cancel else 2.0)
    request = asyncio.create_task(sending)
    await asyncio.wait_for(made.wait(), 30)
    if cancel:
        request.cancel()
    await asyncio.wait([request])
    print("cancelled" if request.cancelled() else type(request.exception()).__name__)
    await asyncio.wait_for(closed.wait(), 30)
    print("closed")

with asyncio.Runner(loop_factory=getattr(uvloop if sys.argv[1] == "uvloop" else asyncio, "new_event_loop")) as runner:
    runner.run(main(sys.argv[2] == "cancelled"))
"""


@pytest.mark.parametrize("ended", ["cancelled", "FetchFailedError"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_request_that_ends_while_tls_is_agreed_on_leaves_no_connection(loop: str, ended: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SILENT, loop, ended], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == [ended, "closed"], done.stderr
