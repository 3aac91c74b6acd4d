"""Who asks, and what it may: bearer tokens, client certificates, permissions.

The rules this module keeps:

1. A token is compared by its SHA-256, with every digest that there is, in constant time. The token itself is stored
   nowhere.
2. Credentials that are wrong are refused, also where none are needed.
3. A caller is known by its token first, then by its certificate. When it shows both, both have to be of the same one.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from plangate.errors import UsageError
from plangate.server.exchange import Caller, HttpProblem, header
from plangate.server_settings import ServerSettings

_DIGEST_LINE: Final = re.compile(r"sha256:([0-9a-f]{64})(?:[ \t]+(\S+))?")
_MAX_FILE_BYTES: Final = 4 << 20
_MAX_TOKEN_BYTES: Final = 8 * 1024
_MAX_NAME: Final = 200
ANONYMOUS: Final = "anonymous"
__all__ = ["ANONYMOUS", "Access", "Caller", "read_digests"]
_CHALLENGE: Final = (("www-authenticate", 'Bearer realm="plangate"'),)


class Access:
    """The callers of the settings.

    Args:
        settings: Say who they are.
        folder: What paths in them are relative to.

    Raises:
        UsageError: A file of digests cannot be read.
    """

    def __init__(self, settings: ServerSettings, folder: Path) -> None:
        self._callers = {
            name: Caller(
                name=name,
                identity=name,
                may=frozenset(item.may),
                rule_sets=frozenset(item.rule_sets),
                max_requests=item.max_requests,
            )
            for name, item in settings.callers.items()
        }
        self._digests: list[tuple[bytes, str]] = [
            (digest, name)
            for name, item in settings.callers.items()
            if item.tokens
            for digest in read_digests(folder / item.tokens, settings.audience)
        ]
        self._certificates = {
            item.certificate: name for name, item in settings.callers.items() if item.certificate
        }
        self._anonymous = Caller(
            name=ANONYMOUS, identity=ANONYMOUS, may=frozenset(settings.unsafe_anonymous), max_requests=1 << 30
        )

    def identify(self, scope: Mapping[str, Any]) -> Caller:
        """Who sent a request.

        Raises:
            HttpProblem: Its credentials are of nobody.
        """
        names: Sequence[str] = scope.get("extensions", {}).get("tls", {}).get("client_names", ())
        by_certificate = next((self._certificates[name] for name in names if name in self._certificates), "")
        authorization = header(scope, b"authorization")
        subject = names[0] if names else ""
        if authorization:
            name = self._by_token(authorization)
            if not name or (by_certificate and by_certificate != name):
                raise HttpProblem(401, "unauthorized", "the credentials are of nobody", headers=_CHALLENGE)
        else:
            name = by_certificate
        if not name:
            return self._known(self._anonymous, subject)
        return self._known(self._callers[name], subject)

    def require(self, caller: Caller, permission: str, rule_set: str = "") -> None:
        """Let only those pass who may.

        Raises:
            HttpProblem: 401 without credentials, 403 with those of somebody who may not.
        """
        if permission not in caller.may:
            if caller.name == ANONYMOUS:
                raise HttpProblem(401, "unauthorized", "credentials are needed", headers=_CHALLENGE)
            raise HttpProblem(403, "forbidden", f"this caller may not {permission}")
        if rule_set and caller.rule_sets and rule_set not in caller.rule_sets:
            raise HttpProblem(403, "forbidden", "this caller may not ask under this rule set")

    def _by_token(self, authorization: str) -> str:
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN_BYTES:
            return ""
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        found = ""
        for known, name in self._digests:
            if hmac.compare_digest(known, digest):
                found = name  # the loop goes on: how long it takes says nothing of which one it was
        return found

    @staticmethod
    def _known(caller: Caller, subject: str) -> Caller:
        if not subject:
            return caller
        identity = f"{caller.name} ({subject})"[:_MAX_NAME]
        return Caller(
            name=caller.name,
            identity=identity,
            may=caller.may,
            rule_sets=caller.rule_sets,
            max_requests=caller.max_requests,
        )


def read_digests(path: Path, audience: str) -> list[bytes]:
    """The digests in a file that are meant for this server.

    A line is ``sha256:DIGEST``, or ``sha256:DIGEST AUDIENCE`` for a token that counts at one server only; empty lines
    and those that start with ``#`` say nothing.

    Raises:
        UsageError: It cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: the tokens' digests cannot be read: {error.strerror}") from error
    if len(data) > _MAX_FILE_BYTES:
        raise UsageError(f"{path}: more than {_MAX_FILE_BYTES} bytes")
    digests = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _DIGEST_LINE.fullmatch(text)
        if found is None:
            raise UsageError(
                f"{path}:{number}: expected sha256:DIGEST, and after a space the audience, if there is one",
                hint="printf %s TOKEN | sha256sum, never the token itself",
            )
        if found[2] is None or found[2] == audience:
            digests.append(bytes.fromhex(found[1]))
    return digests
