"""The function that CloudFormation calls as a Lambda Hook: it sends the event to a gate server and returns its answer.

The log has to outlive a function, which nothing in a function does; so the decision is the server's. Whatever goes
wrong on the way, the answer is a failed hook. Nothing but the standard library is imported here.

Settings are environment variables: ``PLANGATE_URL`` (``https://HOST/v1/cloudformation/hooks``), ``PLANGATE_TOKEN`` or
``PLANGATE_TOKEN_FILE``, and ``PLANGATE_CA_FILE`` for authorities that the system does not have.

``python -m plangate.server.lambda_handler`` is a runtime of its own, for ``provided.al2023`` and container images.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import http.client
import json
import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 25.0
"""CloudFormation waits for 30 seconds, and the server answers within 20."""
_MAX_ANSWER_BYTES: Final = 1 << 20
_OK: Final = 200
_STATUSES: Final = frozenset({"SUCCESS", "FAILED"})
_RUNTIME: Final = "/2018-06-01/runtime"


def handler(event: Any, context: Any = None) -> dict[str, Any]:
    """The answer to an event of a hook. It never raises: an exception would leave it to ``FailureMode``."""
    del context
    token = _token_of(event)
    try:
        answer = _asked(event, os.environ)
        if answer.get("hookStatus") not in _STATUSES or answer.get("clientRequestToken") != token:
            return _failed(token, "the gate's answer is not one to this event")
    except Exception as error:  # noqa: BLE001 - as said
        return _failed(token, f"the gate could not be asked ({type(error).__name__})")
    return answer


def _token_of(event: Any) -> str:
    for name, value in event.items() if isinstance(event, Mapping) else ():
        if isinstance(name, str) and name.lower() == "clientrequesttoken" and isinstance(value, str):
            return value
    return ""


def _asked(event: Any, environ: Mapping[str, str]) -> dict[str, Any]:
    url = urlsplit(environ["PLANGATE_URL"])
    if url.scheme != "https" or not url.hostname:
        raise ValueError("PLANGATE_URL: expected https")
    tls = ssl.create_default_context(cafile=environ.get("PLANGATE_CA_FILE") or None)
    connection = http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=TIMEOUT_S, context=tls)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_bearer(environ)}"}
    try:
        connection.request("POST", url.path or "/", json.dumps(event).encode(), headers)
        response = connection.getresponse()
        body = response.read(_MAX_ANSWER_BYTES + 1)
    finally:
        connection.close()
    if response.status != _OK or len(body) > _MAX_ANSWER_BYTES:
        raise ValueError(f"the gate answered {response.status}")
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise TypeError("the gate's answer is not an object")
    return answer


def _bearer(environ: Mapping[str, str]) -> str:
    file = environ.get("PLANGATE_TOKEN_FILE")
    return Path(file).read_text(encoding="ascii").strip() if file else environ["PLANGATE_TOKEN"]


def _failed(token: str, message: str) -> dict[str, Any]:
    return {
        "hookStatus": "FAILED",
        "errorCode": "InternalFailure",
        "message": f"could not decide: {message}",
        "clientRequestToken": token,
    }


def run(address: str, times: int | None = None) -> None:
    """Be a Lambda runtime: take events and answer them.

    Args:
        address: ``HOST:PORT`` of the Runtime API.
        times: How many events; without it, until the environment is frozen for good.
    """
    while times is None or times > 0:
        connection = http.client.HTTPConnection(address)  # no timeout: the next event may be a day away
        connection.request("GET", f"{_RUNTIME}/invocation/next")
        response = connection.getresponse()
        invocation = response.getheader("Lambda-Runtime-Aws-Request-Id") or ""
        body = response.read()
        try:
            event: Any = json.loads(body)
        except (ValueError, RecursionError):
            event = None
        answer = json.dumps(handler(event)).encode()
        connection.request("POST", f"{_RUNTIME}/invocation/{invocation}/response", answer)
        connection.getresponse().read()
        connection.close()
        times = None if times is None else times - 1


if __name__ == "__main__":
    if "AWS_LAMBDA_RUNTIME_API" not in os.environ:
        sys.exit("plangate.server.lambda_handler: AWS_LAMBDA_RUNTIME_API is not set; Lambda sets it")
    run(os.environ["AWS_LAMBDA_RUNTIME_API"])
