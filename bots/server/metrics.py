"""Prometheus metrics of the server."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMPLETIONS = "/v1/chat/completions"


class Metrics:
    """The metrics of one server. They identify no client and no conversation."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter("charbot_requests", "Responses by HTTP status", ["status"], registry=self._registry)
        self._seconds = Histogram(
            "charbot_completion_seconds", "Seconds from a request for replies to the end of the response, waiting included",
            buckets=(0.1, 0.2, 0.5, 1, 2, 5, 10, 30), registry=self._registry,
        )  # fmt: skip

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def count(self, status: int) -> None:
        """Count a response."""
        self._requests.labels(str(status)).inc()

    def observe(self, seconds: float) -> None:
        """Record how long a response with replies took."""
        self._seconds.observe(seconds)


class MeasureRequests:
    """ASGI middleware that counts and times responses."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def count_and_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._metrics.count(status)
            await send(message)

        await self._app(scope, receive, count_and_send)
        if status == 200 and scope["path"] == COMPLETIONS:
            self._metrics.observe(time.perf_counter() - started)
