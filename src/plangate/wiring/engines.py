"""Which engine judges with Rego policies, as the settings have it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from plangate.errors import UsageError
from plangate.policy.base import Engine, PolicySet
from plangate.policy.embedded import EmbeddedEngine, EngineLimits
from plangate.settings import Settings
from plangate.settings_file import OpaSettings

if TYPE_CHECKING:
    from plangate.policy.opa.engine import PrivateServer, RunningServer

MAX_TOKEN_BYTES: Final = 64 * 1024


class ClosableEngine(Engine, Protocol):
    """An engine that holds on to something, and lets go of it."""

    @property
    def decision_ids(self) -> tuple[str, ...]:
        """What it called its answers, if it keeps a log of its own."""

    def close(self) -> None:
        """End processes and connections."""


def engine_for(settings: Settings, policies: PolicySet | None) -> ClosableEngine:
    """The engine that the settings name.

    Args:
        settings: Say which, and what it may use.
        policies: Start it with these now; ``None`` to start it when it is asked.

    Raises:
        UsageError: A secret or a certificate that the settings name is not there.
        EngineError: It cannot be started.
    """
    limits = settings.values.limits
    opa = settings.opa()
    if opa is None:
        return EmbeddedEngine(policies, EngineLimits(memory_bytes=limits.policy_memory_bytes))
    from plangate.policy.opa.engine import OpaEngine, OpaLimits  # noqa: PLC0415 - most runs have no OPA

    return OpaEngine(_server(opa, settings), policies, OpaLimits(memory_bytes=limits.policy_memory_bytes))


def _server(opa: OpaSettings, settings: Settings) -> "RunningServer | PrivateServer":
    from plangate.policy.opa.engine import PrivateServer, RunningServer  # noqa: PLC0415 - as above

    if opa.binary:
        # A name is looked up on PATH, anything with a slash is a file beside the settings.
        return PrivateServer(binary=str(settings.folder / opa.binary) if "/" in opa.binary else opa.binary)

    def file(key: str) -> Path | None:
        name: str | None = getattr(opa, key)
        if not name:
            return None
        path = settings.folder / name
        if not path.is_file():
            raise UsageError(f"{settings.file}: engine.opa.{key}: {path}: no such file")
        return path

    certificate, key = file("client_cert"), file("client_key")
    return RunningServer(
        url=opa.url or "",
        ca_file=file("ca_file"),
        client_cert=(certificate, key) if certificate is not None and key is not None else None,
        token=_token(opa, settings, file("token_file")),
    )


def _token(opa: OpaSettings, settings: Settings, file: Path | None) -> str:
    """The bearer token, which no message repeats."""
    if file is not None:
        name = f"{settings.file}: engine.opa.token_file: {file}"
        try:
            with file.open("rb") as opened:
                data = opened.read(MAX_TOKEN_BYTES + 1)
        except OSError as error:
            raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
        token = data.decode("ascii", errors="replace").strip()
    elif opa.token_env:
        name = f"{settings.file}: engine.opa.token_env: {opa.token_env}"
        token = os.environ.get(opa.token_env, "").strip()
    else:
        return ""
    if not token:
        raise UsageError(f"{name}: empty, expected a token")
    if len(token) > MAX_TOKEN_BYTES or not all("!" <= character <= "~" for character in token):
        raise UsageError(
            f"{name}: not a token (expected up to {MAX_TOKEN_BYTES} ASCII characters, no spaces)"
        )
    return token
