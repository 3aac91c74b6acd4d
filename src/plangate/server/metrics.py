"""Prometheus metrics over all processes of a server: each writes a file of its own, and an answer adds them up."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts of one process. ``PROMETHEUS_MULTIPROC_DIR`` has to be set before this module is imported."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.requests = Counter(
            "plangate_requests_total", "Requests by status.", ["method", "status"], registry=registry
        )
        self.decisions = Counter(
            "plangate_decisions_total",
            "Recorded decisions.",
            ["result", "mode", "rule_set"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "plangate_request_seconds", "From the head of a request to its answer.", registry=registry,
            buckets=_BUCKETS,
        )  # fmt: skip
        self.judging_seconds = Histogram(
            "plangate_judging_seconds", "Judging, without waiting.", registry=registry, buckets=_BUCKETS
        )
        self.record_failures = Counter(
            "plangate_record_failures_total", "Decisions that could not be recorded.", registry=registry
        )
        self.refused = Counter(
            "plangate_refused_total", "Requests refused before they were judged.", ["code"], registry=registry
        )
        self.running = Gauge(
            "plangate_requests_running", "Requests that are worked on.", registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self.generation = Gauge(
            "plangate_policy_generation", "Which load of the policies judges.", registry=registry,
            multiprocess_mode="livemin",
        )  # fmt: skip
        self.reload_failed = Gauge(
            "plangate_policy_reload_failed", "1 after a reload that was refused.", registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self._results: dict[tuple[str, str, str], Counter] = {}
        self._answers: dict[tuple[str, int], Counter] = {}

    def decided(self, result: str, mode: str, rule_set: str) -> None:
        """Count a decision."""
        key = (result, mode, rule_set)
        counter = self._results.get(key)
        if counter is None:
            counter = self._results[key] = self.decisions.labels(*key)
        counter.inc()

    def judged(self, seconds: float) -> None:
        """Count a judgement."""
        self.judging_seconds.observe(seconds)

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        key = (method, status)
        counter = self._answers.get(key)
        if counter is None:
            known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"
            counter = self._answers[key] = self.requests.labels(known, str(status))
        counter.inc()
        self.request_seconds.observe(seconds)


def forget(pid: int) -> None:
    """Leave the gauges of a process that ended out of the sums; what it counted stays."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library has no types there


def exposition() -> bytes:
    """The metrics of all processes as text."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types there
    return generate_latest(registry)
