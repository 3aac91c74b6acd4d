"""Seeing, before anything is started, that a server can be put together from its settings."""

from pathlib import Path

from plangate.server.access import Access
from plangate.server.app import make_app
from plangate.server.endpoint import Guard
from plangate.server.front import Front
from plangate.server.judges import Judges
from plangate.server.log_client import LogClient
from plangate.server.metrics import Metrics
from plangate.server.request_log import RequestLog
from plangate.settings import Settings


def check_parts(settings: Settings, folder: Path) -> None:
    """Put together once what every process that answers puts together, to see that it can be.

    Args:
        settings: The settings.
        folder: The state folder.

    Raises:
        UsageError: Tokens, contracts or other settings make no sense.
    """
    server = settings.values.server
    log = LogClient("", server.limits.record_timeout_s)
    access, judges = Access(server, settings.folder), Judges(lambda _: None)
    front = Front(settings, access, judges, log, Metrics(), folder=folder)
    make_app(front, Guard(front, RequestLog(requests=False)))
