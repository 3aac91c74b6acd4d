"""``server`` in ``plangate.yaml``: what ``plangate serve`` listens on, who may ask it for what, and its limits."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

PERMISSIONS: Final = ("ask", "approve", "read")
MODES: Final = ("enforce", "warn")
DEFAULT_RULE_SET: Final = "default"
_MAX_WORKERS: Final = 256


class TlsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Our certificate, and whose certificates callers may have."""

    certificate: str
    key: str
    client_ca: str = ""
    require_client_certificate: bool = False


class CallerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One caller: how it is known, and what it may do."""

    may: list[str]
    tokens: str = ""
    certificate: str = ""
    rule_sets: list[str] = []
    max_requests: int = 64


class RuleSetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name to ask under: which environment's rules judge, and whether a denial holds anything up."""

    mode: str = "enforce"
    environment: str = ""


class QuerySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rego that callers of the OPA and AuthZEN interfaces ask directly, besides the gate's own policies."""

    policies: list[str] = []
    data: list[str] = []
    rego_version: str = "v1"
    main: str = "system/main"
    authzen: str = ""


class ServerLimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What callers may cost at most; see the schema for units and defaults."""

    max_body_bytes: int = 16 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
    max_connections: int = 16_384
    max_requests: int = 512
    header_timeout_s: float = 10.0
    body_timeout_s: float = 20.0
    idle_timeout_s: float = 75.0
    write_timeout_s: float = 30.0
    evaluation_timeout_s: float = 8.0
    record_timeout_s: float = 4.0
    shutdown_timeout_s: float = 30.0


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about serving."""

    listen: str = "127.0.0.1:8181"
    workers: int = 0
    judges: int = 1
    audience: str = ""
    tls: TlsSettings | None = None
    callers: dict[str, CallerSettings] = {}
    unsafe_anonymous: list[str] = []
    unsafe_plain_http: bool = False
    rule_sets: dict[str, RuleSetSettings] = {}
    queries: QuerySettings = QuerySettings()
    contracts: dict[str, dict[str, Any]] = {}
    limits: ServerLimitSettings = ServerLimitSettings()


def check_server(server: ServerSettings, environments: Mapping[str, object]) -> None:
    """Refuse what makes no sense.

    Args:
        server: The settings.
        environments: Those of the file, by name; none when it speaks of none.

    Raises:
        ValueError: Names the key, and what is expected.
    """
    if not 0 <= server.workers <= _MAX_WORKERS:
        raise ValueError(f"server.workers: {server.workers} (expected 1 to {_MAX_WORKERS}, 0 for all cores)")
    if not 1 <= server.judges <= _MAX_WORKERS:
        raise ValueError(f"server.judges: {server.judges} (expected 1 to {_MAX_WORKERS})")
    _permissions("server.unsafe_anonymous", server.unsafe_anonymous)
    for name, caller in server.callers.items():
        _check_caller(f"server.callers.{name}", caller, server)
    for name, rule_set in server.rule_sets.items():
        _check_rule_set(f"server.rule_sets.{name}", rule_set, environments)
    if server.queries.rego_version not in {"v0", "v1"}:
        raise ValueError(f"server.queries.rego_version: {server.queries.rego_version!r} (expected v0 or v1)")
    for key in ServerLimitSettings.__struct_fields__:
        if getattr(server.limits, key) <= 0:
            raise ValueError(f"server.limits.{key}: {getattr(server.limits, key)} (expected more than 0)")
    tls = server.tls
    if tls is not None and tls.require_client_certificate and not tls.client_ca:
        raise ValueError("server.tls.client_ca: expected a file, because require_client_certificate is true")


def _check_rule_set(at: str, rule_set: RuleSetSettings, environments: Mapping[str, object]) -> None:
    if rule_set.mode not in MODES:
        raise ValueError(f"{at}.mode: {rule_set.mode!r} (expected one of: {', '.join(MODES)})")
    if rule_set.environment and environments and rule_set.environment not in environments:
        raise ValueError(f"{at}.environment: no environment {rule_set.environment!r}")


def _check_caller(at: str, caller: CallerSettings, server: ServerSettings) -> None:
    _permissions(f"{at}.may", caller.may)
    if not caller.tokens and not caller.certificate:
        raise ValueError(f"{at}: expected tokens (a file of digests), certificate (a name), or both")
    if caller.certificate and (server.tls is None or not server.tls.client_ca):
        raise ValueError(f"{at}.certificate: needs server.tls.client_ca")
    if caller.max_requests <= 0:
        raise ValueError(f"{at}.max_requests: {caller.max_requests} (expected more than 0)")
    for rule_set in caller.rule_sets:
        if rule_set != DEFAULT_RULE_SET and rule_set not in server.rule_sets:
            raise ValueError(f"{at}.rule_sets: no rule set {rule_set!r} in server.rule_sets")


def _permissions(at: str, listed: list[str]) -> None:
    for permission in listed:
        if permission not in PERMISSIONS:
            raise ValueError(f"{at}: {permission!r} (expected one of: {', '.join(PERMISSIONS)})")
