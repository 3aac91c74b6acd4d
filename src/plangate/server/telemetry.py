"""OpenTelemetry traces of requests, when the environment asks for them in OpenTelemetry's own variables.

A span says which decision was made and how long it took; it holds nothing of what was judged.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from plangate import __version__
from plangate.errors import UsageError
from plangate.server.exchange import Exchange

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Telemetry:
    """Makes spans, or nothing at all when nobody wants any."""

    def __init__(self, tracer: "Tracer | None" = None, provider: Any = None) -> None:
        self._tracer = tracer
        self._provider = provider

    @property
    def is_on(self) -> bool:
        """Spans are made."""
        return self._tracer is not None

    @contextmanager
    def request(self, scope: Mapping[str, Any]) -> Iterator["Span"]:
        """A span over one request; the caller's own trace goes on in it."""
        if self._tracer is None:
            yield Span(None)
            return
        from opentelemetry.propagate import extract  # noqa: PLC0415
        from opentelemetry.trace import SpanKind  # noqa: PLC0415

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        carrier = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        with self._tracer.start_as_current_span(
            f"{scope['method']} request", context=extract(carrier), kind=SpanKind.SERVER
        ) as span:
            span.set_attribute("http.request.method", scope["method"])
            yield Span(span)

    def close(self) -> None:
        """Send what is left."""
        if self._provider is not None:
            self._provider.shutdown()


class Span:
    """One span, or none."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def answered(self, exchange: Exchange, status: int) -> None:
        """Say what came of the request."""
        if self._span is None:
            return
        self._span.set_attribute("http.response.status_code", status)
        if exchange.decision_id:
            self._span.set_attribute("plangate.decision_id", exchange.decision_id)
            self._span.set_attribute("plangate.result", exchange.result)


def is_wanted(environ: Mapping[str, str]) -> bool:
    """The environment asks for traces."""
    return environ.get("OTEL_SDK_DISABLED", "").lower() != "true" and any(map(environ.get, _ENDPOINTS))


def check_telemetry(environ: Mapping[str, str]) -> None:
    """Refuse to start without what the environment asks for.

    Raises:
        UsageError: The extra is not installed.
    """
    if is_wanted(environ) and find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        raise UsageError(
            "OpenTelemetry is asked for, and its exporter is not installed",
            hint="pip install 'plangate[telemetry]'",
        )


def telemetry() -> Telemetry:
    """What the environment asks for. Starts a thread, so that it is for processes that fork no more."""
    if not is_wanted(os.environ):
        return Telemetry()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": "plangate", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Telemetry(provider.get_tracer("plangate"), provider)
