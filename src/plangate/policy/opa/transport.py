"""HTTP to OPA through opa-python-client, with what a gate needs and the client leaves open.

The client by itself waits for every piece of an answer anew, repeats requests that failed, follows redirects, reads
proxies and passwords from the environment, takes answers of any size, and rewrites policies that OPA refuses. Its
session is made here instead, and none of that is left: one deadline over everything, no repetition, no redirects,
nothing from the environment, a limit on answers. Anything but success is an `EngineError` before the client sees it.

This module imports the client, which is an extra, and so is itself imported only when an OPA is asked.
"""

import contextlib
import json
import socket
from collections.abc import Mapping
from typing import Any, Final

import requests
import urllib3
from opa_client import OpaClient  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from plangate.errors import EngineError
from plangate.policy.opa.base import Deadline, Endpoint, RefusedError, RuleFailedError, UnavailableError

_CHUNK_BYTES: Final = 1 << 16


class EncodedDocument(dict[str, Any]):
    """A JSON document that goes over as the bytes it is, where the client expects a dictionary.

    Decoding and encoding a big plan again would take seconds, and change its numbers.
    """

    def __init__(self, encoded: bytes) -> None:
        super().__init__()
        self.encoded: Final = encoded

    def __bool__(self) -> bool:
        return True


class GuardedSession(requests.Session):
    """One conversation with one OPA; see the module.

    Args:
        endpoint: Where it is.
        max_answer_bytes: One answer.
    """

    def __init__(self, endpoint: Endpoint, max_answer_bytes: int) -> None:
        super().__init__()
        self.endpoint: Final = endpoint
        self.deadline = Deadline(0)
        self.doing = "asking OPA"
        self._max_answer_bytes: Final = max_answer_bytes
        self._opened: Final[list[socket.socket]] = []
        # No proxies, no .netrc (it would replace our token), no authorities of somebody's environment.
        self.trust_env = False
        self.headers["Accept-Encoding"] = "identity"
        self.headers["User-Agent"] = "plangate"
        if endpoint.token:
            self.headers["Authorization"] = f"Bearer {endpoint.token}"
        self.verify = str(endpoint.ca_file) if endpoint.ca_file is not None else True
        if endpoint.client_cert is not None:
            self.cert = (str(endpoint.client_cert[0]), str(endpoint.client_cert[1]))
        self.adapters.clear()
        scheme = "https" if endpoint.tls else "http"
        self.mount(f"{scheme}://", _Adapter(endpoint, self._opened))

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """The answer to one request, if it is a success; as in `requests.Session.request`.

        Raises:
            UnavailableError: Nobody there, or not ready.
            RefusedError: The request does not please OPA.
            RuleFailedError: An evaluation failed.
            EngineError: Too late, too much, no permission, an answer that makes no sense, or a fault of the server.
        """
        left = self.deadline.left
        if left <= 0:
            raise self.deadline.error(self.doing)
        document = options.get("json")
        if isinstance(document, Mapping) and isinstance(document.get("input"), EncodedDocument):
            options["data"] = _with_document(document)
            options["headers"] = {**(options.get("headers") or {}), "Content-Type": "application/json"}
            del options["json"]
        options |= {"timeout": left, "stream": True, "allow_redirects": False}
        try:
            with super().request(method, url, *args, **options) as response:
                body = self._body(response)
        except requests.exceptions.SSLError as problem:
            raise EngineError(
                f"{self.endpoint.name}: no trust in its certificate: {_reason(problem)}"
            ) from None
        except requests.exceptions.ConnectTimeout:
            raise self.deadline.error(self.doing) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as problem:
            if self.deadline.left <= 0:
                raise self.deadline.error(self.doing) from None
            if _nobody_there(problem):
                raise UnavailableError(f"{self.endpoint.name}: nobody answers: {_reason(problem)}") from None
            raise EngineError(
                f"{self.endpoint.name}: the connection broke while {self.doing}: {_reason(problem)}"
            ) from None
        # What the client reads as `response.content`; it was read here to keep limit and deadline.
        response._content = body  # noqa: SLF001
        self._check(response, body)
        return response

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        # NOTE: not decoded: we asked for plain bytes, and compressed ones could be any number of them.
        for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
            body += chunk
            if len(body) > self._max_answer_bytes:
                raise EngineError(
                    f"{self.endpoint.name} gave more than {self._max_answer_bytes} bytes (max_answer_bytes)"
                )
            if self.deadline.left <= 0:
                raise self.deadline.error(self.doing)
        return bytes(body)

    def _check(self, response: requests.Response, body: bytes) -> None:
        status, name = response.status_code, self.endpoint.name
        if status in {200, 204}:
            return
        if status in {401, 403}:
            raise EngineError(
                f"{name} refuses us (status {status})", hint="see token_file, token_env and client_cert"
            )
        if status == requests.codes.service_unavailable:
            raise UnavailableError(f"{name} is not ready (status {status})")
        said = _errors(body)
        if status == requests.codes.bad_request and said:
            raise RefusedError("; ".join(text for _, text in said)[:1000])
        if said and all(code.startswith("eval_") for code, _ in said):
            raise RuleFailedError("; ".join(text for _, text in said)[:500])
        raise EngineError(f"{name} answered with status {status} while {self.doing}")

    def close(self) -> None:
        """Close all connections, those included whose answers were not read to the end."""
        super().close()
        for opened in self._opened:
            opened.close()
        self._opened.clear()

    def break_off(self) -> None:
        """Wake whoever waits for an answer: there will be none. From any thread."""
        for opened in self._opened:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


class GuardedClient(OpaClient):  # type: ignore[misc]
    """The client with our session, and a list of policies with their texts, which it lacks."""

    def __init__(self, endpoint: Endpoint, max_answer_bytes: int) -> None:
        self.session: Final = GuardedSession(endpoint, max_answer_bytes)
        super().__init__(host=endpoint.host, port=endpoint.port, ssl=endpoint.tls, retries=0)

    def _init_session(self) -> requests.Session:
        return self.session

    def policies(self) -> list[dict[str, Any]]:
        """Every policy that the server holds: ``id``, ``raw`` (its text) and ``ast``."""
        answer = self.session.get(f"{self.root_url}/policies").json()
        found = answer["result"] if isinstance(answer, dict) else None
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise ValueError("no list of policies")
        return found


class _Adapter(HTTPAdapter):
    """Connections that can be broken off, over a socket file where there is one; never made twice for a request."""

    def __init__(self, endpoint: Endpoint, opened: list[socket.socket]) -> None:
        self._endpoint = endpoint
        self._opened = opened
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As in `requests`, with our own kind of connections."""
        super().init_poolmanager(*args, **options)
        opened, file = self._opened, self._endpoint.socket_file

        class Plain(HTTPConnection):
            def connect(self) -> None:
                if file is None:
                    super().connect()
                else:
                    self.sock = socket.socket(socket.AF_UNIX)
                    self.sock.settimeout(self.timeout)
                    self.sock.connect(str(file))
                opened.append(self.sock)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                opened.append(self.sock)

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _with_document(document: Mapping[str, Any]) -> bytes:
    rest = {key: value for key, value in document.items() if key != "input"}
    head = json.dumps(rest)[:-1] + (", " if rest else "")
    return b"".join((head.encode(), b'"input": ', document["input"].encoded, b"}"))


def _errors(body: bytes) -> list[tuple[str, str]]:
    """Codes and texts of what OPA says is wrong; none when it is not OPA's way to say so."""
    try:
        answer = json.loads(body)
        listed = answer.get("errors") or [answer]
        return [(str(error["code"]), _text(error)) for error in listed]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return []


def _text(error: Mapping[str, Any]) -> str:
    place = error.get("location") or {}
    where = (
        f"{place['file']}:{place.get('row', 0)}: " if isinstance(place, dict) and place.get("file") else ""
    )
    return f"{where}{error['message']}"


def _nobody_there(problem: BaseException) -> bool:
    """No connection was made, so nothing was said."""
    seen: set[int] = set()
    causes: list[Any] = [problem]
    while causes:
        cause = causes.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        if isinstance(
            cause, urllib3.exceptions.NewConnectionError | ConnectionRefusedError | FileNotFoundError
        ):
            return True
        causes += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
    return False


def _reason(problem: BaseException) -> str:
    """The innermost cause in its own words, without addresses of objects."""
    text = str(problem).rsplit("Caused by", maxsplit=1)[-1].strip("() ")
    return text.rsplit(": ", maxsplit=1)[-1].strip("()'\" ")[:200] or type(problem).__name__
