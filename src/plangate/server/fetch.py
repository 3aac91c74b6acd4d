"""Requests of our own to addresses that somebody else named: to listed hosts only, and to nowhere inside.

The rules this module keeps:

1. Only https, only hosts that the caller of this module lists, no user information, no fragment.
2. A name is resolved once, every address that it has must be a public one (or in a network that the settings name),
   and the connection goes to one of exactly these: what a name means cannot change in between.
3. No redirect is followed, no proxy is used, no cookie is kept, and nothing is unpacked.
4. Answers have a size, and requests a time.
5. However a request ends, its connection is closed by then.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import httpcore
from msgspec import Struct

from plangate.errors import CannotDecideError, UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HTTPS: Final = 443
_MAX_URL: Final = 16_384
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4: Final = 0xFFFF_FFFF
_CONNECT_S: Final = 10.0


class FetchRefusedError(CannotDecideError):
    """The address is not one that may be asked."""


class FetchFailedError(CannotDecideError):
    """There was no answer, or none that may be read. Asking again may help."""


class Fetched(Struct, frozen=True, kw_only=True):
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Url(Struct, frozen=True, kw_only=True):
    """A URL that was taken apart once, so that nobody else reads it in another way."""

    host: str
    port: int
    target: str

    @property
    def place(self) -> str:
        """Host, and the port when it is not the usual one; as lists of hosts have it."""
        return self.host if self.port == _HTTPS else f"{self.host}:{self.port}"


def read_url(text: str) -> Url:
    """Take a URL apart.

    Raises:
        FetchRefusedError: It is not a plain https URL.
    """
    if len(text) > _MAX_URL or not text.isascii() or any(not "!" <= character <= "~" for character in text):
        raise FetchRefusedError("a URL with characters that no URL has, or too many of them")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise FetchRefusedError("a URL that cannot be read") from error
    if parts.scheme != "https" or not host or port == 0:
        raise FetchRefusedError("a URL that is not https with a host")
    if "\\" in text or "@" in parts.netloc or "%" in parts.netloc or "#" in text:
        raise FetchRefusedError("a URL with user information, a fragment, or a host that is written oddly")
    return Url(host=host, port=_HTTPS if port is None else port, target=_target(parts))


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class Fetcher:
    """Sends requests.

    Args:
        networks: Networks that are not public and may be asked all the same, e.g. ``10.1.0.0/16``.
        ca_file: Authorities that sign the other side's certificate (PEM); empty for the system's.

    Raises:
        UsageError: A network or the file makes no sense.
    """

    def __init__(self, networks: Sequence[str] = (), ca_file: str = "") -> None:
        self._networks = networks_of(networks)
        try:
            self._tls = ssl.create_default_context(cafile=ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{ca_file}: no certificates can be read from it") from error
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    async def send(
        self,
        method: str,
        url: Url,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        max_bytes: int,
        timeout_s: float,
    ) -> Fetched:
        """One request, and its answer whatever the status is.

        Args:
            method: Of HTTP.
            url: Where to; the caller has checked its host.
            headers: Besides ``Host``.
            body: Sent as it is.
            max_bytes: Of the answer's body.
            timeout_s: Seconds for everything.

        Raises:
            FetchRefusedError: The host has an address that must not be asked, or the answer is too big or packed.
            FetchFailedError: There is no answer.
        """
        place = f"[{url.host}]" if ":" in url.host else url.host
        sent = {"host": place if url.port == _HTTPS else f"{place}:{url.port}", "accept-encoding": "identity"}
        request = httpcore.Request(
            method,
            httpcore.URL(scheme=b"https", host=url.host, port=url.port, target=url.target),
            headers=list((sent | dict(headers)).items()) + [("content-length", str(len(body)))] * bool(body),
            content=body or None,
            extensions={
                "timeout": {"connect": _CONNECT_S, "read": timeout_s, "write": timeout_s, "pool": timeout_s}
            },
        )
        backend = _Backend(self._networks)
        try:
            async with asyncio.timeout(timeout_s), self._pool(backend) as pool:
                response = await pool.handle_async_request(request)
                try:
                    return await _read(response, max_bytes)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise FetchFailedError(f"{url.place}: no whole answer within {timeout_s:g} s") from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise FetchFailedError(f"{url.place}: no answer ({type(error).__name__})") from error
        finally:
            await backend.close()

    def _pool(self, backend: "_Backend") -> httpcore.AsyncConnectionPool:
        return httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=backend, max_connections=1)


async def _read(response: httpcore.Response, max_bytes: int) -> Fetched:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise FetchRefusedError("the answer is packed, which was not asked for")
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_stream():
        size += len(part)
        if size > max_bytes:
            raise FetchRefusedError(f"the answer is bigger than {max_bytes} bytes")
        parts.append(part)
    return Fetched(status=response.status, headers=headers, body=b"".join(parts))


class _Backend(httpcore.AnyIOBackend):
    """Connects to public addresses only, for one request, and remembers what it opened."""

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        self._networks = networks
        self._opened: list[httpcore.AsyncNetworkStream] = []

    async def close(self) -> None:
        """Close what was opened.

        A request that is cancelled, or runs out of time, while TLS is agreed on has a connection that the pool does
        not know yet: nobody else would close it, and the other side would go on waiting for us.
        """
        for stream in self._opened:
            await stream.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class has it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check, connect.

        Raises:
            FetchRefusedError: An address of the host must not be asked.
        """
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            if not may_ask(ipaddress.ip_address(address), self._networks):
                raise FetchRefusedError(
                    f"{host}: has an address that is not public",
                    hint="if it is meant to, name its network in private_networks",
                )
        problem: Exception = httpcore.ConnectError(f"{host}: has no address")
        for address in addresses:
            try:
                stream = await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                self._opened.append(stream)
                return stream
        raise problem


def may_ask(address: Address, networks: Sequence[Network] = ()) -> bool:
    """Whether an address is public, or in one of these networks; addresses within addresses are looked at as well."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & _IPV4)
        if inner is not None:
            return may_ask(inner, networks)
    if any(address in network for network in networks):
        return True
    return address.is_global and not address.is_multicast


def networks_of(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks as they stand in settings.

    Raises:
        UsageError: One makes no sense.
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise UsageError(f"private_networks: {error} (expected e.g. 10.1.0.0/16)") from error
