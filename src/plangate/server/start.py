"""From settings to a running server: what has to be right before anything listens."""

import ipaddress
import os
import shutil
import ssl
import stat
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from plangate.errors import UsageError
from plangate.server.telemetry import check_telemetry
from plangate.server_settings import check_server
from plangate.settings import Settings
from plangate.wiring import Choices, settings_for, state_folder

_SHARED: Final = 0o077


def serve(choices: Choices, listen: str | None, workers: int | None, say: Callable[[str], None]) -> int:
    """Serve until told to stop.

    Args:
        choices: What the command line says.
        listen: ``--listen``; wins over the settings.
        workers: ``--workers``; wins over the settings.
        say: Tells people what is going on.

    Returns:
        The exit code.

    Raises:
        PlangateError: It could not be started.
    """
    check_extra()
    check_telemetry(os.environ)
    settings = settings_for(choices)
    server = settings.values.server
    server = msgspec.structs.replace(
        server,
        listen=listen if listen is not None else server.listen,
        workers=workers if workers is not None else server.workers,
    )
    try:
        check_server(server, {})
    except ValueError as error:
        raise UsageError(str(error)) from error
    settings = replace(settings, values=msgspec.structs.replace(settings.values, server=server))
    check_safety(settings)
    folder = Path(tempfile.mkdtemp(prefix="plangate-"))
    # Metrics are shared between processes by files, and the library looks for their folder when it is imported.
    (folder / "metrics").mkdir(mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder / "metrics")
    try:
        from plangate.server.supervisor import Supervisor  # noqa: PLC0415 - see above

        return Supervisor(settings, choices, state_folder(settings, choices), folder, say).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_safety(settings: Settings) -> None:
    """Refuse to listen where what is sent could be read or anybody could ask.

    Raises:
        UsageError: As said; names the setting.
    """
    server = settings.values.server
    host = server.listen.rpartition(":")[0].strip("[]")
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise UsageError(
            f"server.listen: {server.listen!r} (expected an IP address and a port)",
            hint="0.0.0.0 for all of IPv4",
        ) from error
    if server.tls is None and not is_local and not server.unsafe_plain_http:
        raise UsageError(
            f"server.listen: {server.listen} can be reached from elsewhere, and there is no server.tls",
            hint="plans hold secrets; behind a proxy that has TLS, say server.unsafe_plain_http: true",
        )
    if not server.callers and not server.unsafe_anonymous:
        raise UsageError(
            "server.callers: nobody may ask anything",
            hint="name callers, or for a server of this machine only: unsafe_anonymous: [ask]",
        )
    if server.tls is not None:
        key = settings.folder / server.tls.key
        for path in filter(None, (server.tls.certificate, server.tls.key, server.tls.client_ca)):
            if not (settings.folder / path).is_file():
                raise UsageError(f"server.tls: {settings.folder / path}: no such file")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(settings.folder / server.tls.certificate, key)
            if server.tls.client_ca:
                context.load_verify_locations(settings.folder / server.tls.client_ca)
        except (ssl.SSLError, OSError) as error:
            raise UsageError(f"server.tls: certificate, key or client_ca cannot be used: {error}") from error
        mode = stat.S_IMODE(key.stat().st_mode)
        if mode & _SHARED:
            raise UsageError(f"{key}: others can read this key (mode {mode:04o})", hint=f"chmod 600 {key}")


def check_extra() -> None:
    """Refuse to serve without what serving needs.

    Raises:
        UsageError: The extra is not installed.
    """
    for name in ("httptools", "prometheus_client", "starlette", "uvicorn", "uvloop"):
        if find_spec(name) is None:
            raise UsageError(
                f"plangate serve: {name} is not installed", hint="pip install 'plangate[server]'"
            )
