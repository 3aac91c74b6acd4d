"""A connection to one Kubernetes API server, as a kubeconfig names it.

Rules this module keeps:
1. The server proves who it is: a context that turns off the check of its certificate, or has none, is refused.
2. No answer is longer than a limit, none is waited for longer than a limit, and no redirect is followed.
3. Only requests that change nothing are repeated.

lightkube reads the kubeconfig and makes the authenticated client. Its typed resources are not used: they drop members
that they do not know, so that what is sent would not be what is written.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct, field

from plangate.errors import CannotDecideError, UsageError

if TYPE_CHECKING:
    from lightkube.config.kubeconfig import SingleConfig

FIELD_MANAGER: Final = "plangate"
_INSTALL: Final = "pip install 'plangate[kubernetes]'"
_APPLY: Final = "application/apply-patch+yaml"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_BUSY: Final = frozenset({429, 503})
_TRIES: Final = 4
_PAUSE_S: Final = 0.5
_MAX_PAUSE_S: Final = 10.0
_OK: Final = range(200, 300)
_WARNING: Final = re.compile(r'299 \S{1,200} "(.*)"', re.DOTALL)
_MAX_WARNINGS: Final = 50


class ApiLimits(Struct, frozen=True, kw_only=True):
    """What one request may cost.

    Attributes:
        connect_timeout_s: Seconds to connect.
        read_timeout_s: Seconds without a byte of the answer; webhooks of the cluster may take 30 each.
        max_answer_bytes: Size of one answer.
    """

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    max_answer_bytes: int = 16 * 1024 * 1024


class Where(Struct, frozen=True, kw_only=True):
    """Which cluster, as the user says it.

    Attributes:
        kubeconfig: The file.
        context: Name of a context in it; empty for the one that the file calls current.
        namespace: For objects that say none; empty for the context's.
    """

    kubeconfig: Path
    context: str = ""
    namespace: str = ""


class Cause(Struct, frozen=True):
    """One reason of a refusal, as the API gives it."""

    reason: str = ""
    message: str = ""
    field: str = ""


class _Details(Struct, frozen=True):
    causes: list[Cause] = field(default_factory=list)


class _Status(Struct, frozen=True):
    message: str = ""
    reason: str = ""
    details: _Details | None = None


class ClusterRefusedError(CannotDecideError):
    """The API server answered with anything but success.

    Args:
        status: HTTP status; 0 when there was no answer.
        reason: The API's word for it, e.g. ``Conflict``.
        causes: What exactly.
    """

    def __init__(
        self, message: str, *, status: int = 0, reason: str = "", causes: tuple[Cause, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.causes = causes


class Type(Struct, frozen=True, kw_only=True):
    """A type of objects as the server has it."""

    base: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    def path(self, namespace: str, name: str) -> str:
        """The path of an object."""
        within = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced else ""
        return f"{self.base}{within}/{self.plural}/{quote(name, safe='')}"


class _Listed(Struct, frozen=True):
    name: str
    kind: str
    namespaced: bool
    verbs: list[str] = field(default_factory=list)


class _TypeList(Struct, frozen=True):
    resources: list[_Listed]


class Applied(Struct, frozen=True, kw_only=True):
    """What the server made of an apply; ``created`` when there was no such object before."""

    object: dict[str, Any]
    created: bool


class Cluster:
    """The API of one server.

    Args:
        where: Which one.
        limits: Of each request.

    Raises:
        UsageError: The kubeconfig or the package is missing, or names no server that could be trusted.
    """

    def __init__(self, where: Where, limits: ApiLimits | None = None) -> None:
        try:
            import httpx2  # noqa: PLC0415 - an extra
            from lightkube.config.client_adapter import Client, ConnectionParams  # noqa: PLC0415
            from lightkube.core.exceptions import ConfigError  # noqa: PLC0415
        except ImportError as error:
            raise UsageError(
                "applying to Kubernetes needs the package lightkube", hint=f"install it: {_INSTALL}"
            ) from error
        self._limits = limits or ApiLimits()
        self._name = str(where.kubeconfig)
        config = _config(where)
        try:
            self._client: httpx2.Client = Client(
                config,
                ConnectionParams(
                    timeout=httpx2.Timeout(
                        self._limits.read_timeout_s, connect=self._limits.connect_timeout_s
                    )
                ),
            )
        except (ConfigError, OSError, ValueError) as error:
            raise UsageError(f"{self._name}: {_plain(error)}") from error
        self._problems = (httpx2.HTTPError, httpx2.InvalidURL, ConfigError, OSError, ValueError, KeyError)
        self._types: dict[str, dict[str, Type]] = {}
        self._warnings: dict[str, None] = {}
        self.url = config.cluster.server
        self.context = config.context_name
        self.namespace = where.namespace or config.namespace
        self.credentials_program = config.user.exec.command if config.user and config.user.exec else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def version(self) -> str:
        """The server's version, e.g. ``v1.34.4``."""
        found = self._get("/version").get("gitVersion")
        return found if isinstance(found, str) else ""

    def warnings(self) -> list[str]:
        """What the server warned of so far, each once: https://kubernetes.io/blog/2020/09/03/warnings/."""
        return list(self._warnings)

    def identity(self) -> str:
        """What tells this cluster from any other: the UID of kube-system; empty when it may not be read."""
        try:
            found = self.read("/api/v1/namespaces/kube-system")
        except ClusterRefusedError as error:
            if error.status == 403:  # noqa: PLR2004 - forbidden
                return ""
            raise
        return "" if found is None else str(found.get("metadata", {}).get("uid", ""))

    def type_of(self, version: str, kind: str) -> Type | None:
        """The type of objects with this ``apiVersion`` and ``kind``; ``None`` when the server has none."""
        if version not in self._types:
            self._types[version] = self._discover(version)
        return self._types[version].get(kind)

    def forget_types(self) -> None:
        """Ask again which types there are: a definition was applied."""
        self._types.clear()

    def read(self, path: str) -> dict[str, Any] | None:
        """An object; ``None`` when there is none."""
        try:
            return self._get(path)
        except ClusterRefusedError as error:
            if error.status == 404:  # noqa: PLR2004 - not found
                return None
            raise

    def apply(self, path: str, manifest: Mapping[str, Any], *, dry_run: bool) -> Applied:
        """Server-side apply, never forced.

        Args:
            path: Of the object.
            manifest: What is wanted of it; a ``resourceVersion`` and a ``uid`` in it are conditions.
            dry_run: Say what would be stored, and store nothing.

        Raises:
            ClusterRefusedError: The server refused it, or cannot be asked.
        """
        parameters = {"fieldManager": FIELD_MANAGER, "force": "false", "fieldValidation": "Strict"}
        if dry_run:
            parameters["dryRun"] = "All"
        status, found = self._ask("PATCH", path, manifest, parameters, again=dry_run)
        return Applied(object=found, created=status == 201)  # noqa: PLR2004 - created

    def _get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, None, {}, again=True)[1]

    def _discover(self, version: str) -> dict[str, Type]:
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        found = self.read(quote(base))
        if found is None:
            return {}
        try:
            listed = msgspec.convert(found, _TypeList).resources
        except msgspec.ValidationError as error:
            raise ClusterRefusedError(f"{self.url}{base}: not a list of types: {error}") from error
        return {
            each.kind: Type(
                base=base, plural=each.name, namespaced=each.namespaced, verbs=frozenset(each.verbs)
            )
            for each in listed
            if "/" not in each.name  # what belongs to an object, such as its status
        }

    def _ask(
        self, method: str, path: str, body: Any, parameters: Mapping[str, str], *, again: bool
    ) -> tuple[int, dict[str, Any]]:
        """One request, repeated while the server is busy; if nothing could have changed, also when it is not heard."""
        for left in reversed(range(_TRIES)):
            try:
                status, retry_after, data = self._once(method, path, body, parameters)
            except self._problems as error:
                if not (again and left) or isinstance(error, KeyError | ValueError):
                    raise ClusterRefusedError(f"{self.url}: cannot be asked: {_plain(error)}") from error
                time.sleep(_PAUSE_S)
                continue
            if status in _BUSY and left and (again or status == 429):  # noqa: PLR2004 - too many requests
                time.sleep(min(retry_after or _PAUSE_S, _MAX_PAUSE_S))
                continue
            return status, self._answer(status, path, data)
        raise AssertionError  # the last try returns or raises

    def _once(
        self, method: str, path: str, body: Any, parameters: Mapping[str, str]
    ) -> tuple[int, float, bytes]:
        headers = {"Accept": "application/json"}
        content = None
        if body is not None:
            content, headers["Content-Type"] = _ENCODER.encode(body), _APPLY
        data = bytearray()
        with self._client.stream(
            method, path, params=dict(parameters), content=content, headers=headers
        ) as answer:
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > self._limits.max_answer_bytes:
                    raise ValueError(f"an answer of more than {self._limits.max_answer_bytes} bytes")
            for each in answer.headers.get_list("Warning")[:_MAX_WARNINGS]:
                if (said := _WARNING.fullmatch(each)) and len(self._warnings) < _MAX_WARNINGS:
                    self._warnings[said[1][:500]] = None
            return answer.status_code, _seconds(answer.headers.get("Retry-After", "")), bytes(data)

    def _answer(self, status: int, path: str, data: bytes) -> dict[str, Any]:
        if status in _OK:
            try:
                return msgspec.json.decode(data, type=dict[str, Any])
            except msgspec.DecodeError as error:
                raise ClusterRefusedError(
                    f"{self.url}{path}: the answer is not a JSON object: {error}", status=status
                ) from error
        try:
            said = msgspec.json.decode(data, type=_Status)
        except msgspec.DecodeError:
            said = _Status(message=f"HTTP status {status}")
        causes = tuple(said.details.causes) if said.details is not None else ()
        raise ClusterRefusedError(
            said.message or f"HTTP status {status}", status=status, reason=said.reason, causes=causes
        )


def _config(where: Where) -> "SingleConfig":
    from lightkube.config.kubeconfig import KubeConfig  # noqa: PLC0415 - an extra
    from lightkube.core.exceptions import ConfigError  # noqa: PLC0415

    name = str(where.kubeconfig)
    try:
        config = KubeConfig.from_file(where.kubeconfig).get(where.context or None)
    except (ConfigError, OSError) as error:
        raise UsageError(f"{name}: {_plain(error)}", hint="see `kubectl config get-contexts`") from error
    except Exception as error:
        # Whatever is wrong in it, from YAML to a missing key; and nothing of what it says, since it holds credentials.
        raise UsageError(f"{name}: not a kubeconfig ({type(error).__name__})") from error
    if config is None or config.user is None:
        raise UsageError(f"{name}: the context names no user")
    scheme, host = urlsplit(config.cluster.server)[0], urlsplit(config.cluster.server).hostname
    if config.cluster.insecure:
        raise UsageError(
            f"{name}: insecure-skip-tls-verify: whoever answers could be anybody",
            hint="give the cluster's certificate-authority instead",
        )
    if scheme != "https" and not (scheme == "http" and host in _LOOPBACK):
        raise UsageError(f"{name}: the server is not named by an https URL")
    return config


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() and len(text) < 6 else 0.0  # noqa: PLR2004 - never mind more than a day
