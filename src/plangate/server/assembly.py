"""Seeing, before anything is started, that a server can be put together from its settings."""

from plangate.server.access import Access
from plangate.server.app import make_app
from plangate.server.endpoint import Guard
from plangate.server.front import Front
from plangate.server.judges import Judges
from plangate.server.log_client import LogClient
from plangate.server.metrics import Metrics
from plangate.server.request_log import RequestLog
from plangate.settings import Settings


def check_parts(settings: Settings) -> None:
    """Put together once what every process that answers puts together, to see that it can be.

    Raises:
        UsageError: Tokens, contracts or other settings make no sense.
    """
    server = settings.values.server
    log = LogClient("", server.limits.record_timeout_s)
    front = Front(settings, Access(server, settings.folder), Judges(lambda _: None), log, Metrics())
    make_app(front, Guard(front, RequestLog(requests=False)))
