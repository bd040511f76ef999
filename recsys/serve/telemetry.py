"""Metrics for Prometheus and a log in lines of JSON; neither has an id of a listener, a query or a body."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

METRICS_TYPE = CONTENT_TYPE_LATEST
UNLOGGED = "The service cannot write its log; see where its standard output goes, and the space there"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Telemetry:
    """
    Counts and logs requests; a log that cannot be written stops nothing.

    Attributes:
        clock: The current instant.
        stream: Where the log goes.
        problem: Why the log may have gaps; None if all was written.
    """

    def __init__(self, clock: Callable[[], datetime], stream: BinaryIO | None = None) -> None:
        self.clock, self.stream = clock, stream or sys.stdout.buffer
        self.problem: str | None = None
        self._has_failed = self._has_lines = False  # since the last flush
        self.registry = CollectorRegistry()
        names = ["method", "route", "status"]
        self._requests = Counter("recsys_requests", "Requests.", names, registry=self.registry)
        self._seconds = Histogram(
            "recsys_request_seconds", "Duration of a request.", ["route"], registry=self.registry, buckets=_BUCKETS_S
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # looking one up by labels is slow
        self._stale = Gauge("recsys_release_stale", "1 if the newest release is not open.", registry=self.registry)
        self._lost = Counter("recsys_log_failures", "Failed attempts to write the log.", registry=self.registry)
        self._release = Gauge("recsys_release", "1 for the open release.", ["release"], registry=self.registry)

    def request(self, *, method: str, route: str, status: int, seconds: float, consumer: str, release: str) -> None:
        """Count a request, and log it; method, route and consumer are names of ours, not what a client wrote."""
        labels = method, route, status
        if labels not in self._children:
            self._children[labels] = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
        count, duration = self._children[labels]
        count.inc()
        duration.observe(seconds)
        milliseconds = round(seconds * 1_000, 2)
        self._write(
            {
                "event": "request",
                "consumer": consumer,
                "method": method,
                "route": route,
                "status": status,
                "ms": milliseconds,
                "release": release,
            }
        )

    def note(self, event: str, text: str) -> None:
        """Log what is no request."""
        self._write({"event": event, "text": text})
        self.flush()

    def state(self, release: str, *, is_stale: bool) -> None:
        """Set the gauges, and flush the log."""
        self._release.clear()
        self._release.labels(release).set(1)
        self._stale.set(is_stale)
        self.flush()

    def flush(self) -> None:
        """Write what is buffered, if the stream takes it, and note whether all since the last time was written."""
        self._try(self.stream.flush)
        if self._has_failed or self._has_lines:
            self.problem = UNLOGGED if self._has_failed else None
        self._has_failed = self._has_lines = False

    def metrics(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _write(self, line: dict[str, object]) -> None:
        instant = self.clock().isoformat(timespec="milliseconds")
        encoded = msgspec.json.encode({"at": instant, **line}) + b"\n"
        self._has_lines = True
        self._try(lambda: self.stream.write(encoded))

    def _try(self, write: Callable[[], object]) -> None:
        try:
            write()
        except (OSError, ValueError):  # a full disk, a closed pipe, a closed stream
            self._lost.inc()
            self._has_failed = True
