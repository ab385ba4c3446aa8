"""Prometheus metrics and a health check, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from charbot.errors import ConfigError


class Metrics:
    """The metrics of one bot. They identify no server, channel or user."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._calls = Counter(
            "charbot_calls", "Messages and uses of /chat: answered, apologised, unsent, left as one too many, or given a note",
            ["outcome"], registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "charbot_answer_seconds", "From a message to its answer, the wait for earlier ones in it",
            buckets=(0.1, 0.2, 0.5, 1, 2, 5, 10, 30), registry=self._registry,
        )  # fmt: skip
        self._rate_limited = Counter(
            "charbot_rate_limited", "Requests that Discord refused as too many", registry=self._registry
        )  # fmt: skip

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a gauge whose value is computed when it is asked for."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def rate_limited(self) -> None:
        """Count a request that Discord refused for its rate limits."""
        self._rate_limited.inc()

    def count(self, outcome: str, seconds: float | None = None) -> None:
        """Count a call with this outcome, and record after how many seconds it was answered, if given."""
        self._calls.labels(outcome).inc()
        if seconds is not None:
            self._seconds.observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


@asynccontextmanager
async def serve_metrics(
    metrics: Metrics,
    health_problem: Callable[[], Awaitable[str | None]],
    port: int | None,
    host: str = "127.0.0.1",
    timeout: float = 5.0,
) -> AsyncIterator[None]:
    """Serve /metrics and /health within the context, unless `port` is None, to those who reach the address `host`.

    `health_problem` returns what is wrong with the bot, or None, within `timeout` seconds. Raises ConfigError if the port
    or address cannot be used.
    """
    if port is None:
        yield
        return

    async def figures(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_: web.Request) -> web.Response:
        try:
            wrong = await asyncio.wait_for(health_problem(), timeout)
        except TimeoutError:
            wrong = f"no answer within {timeout:g} seconds"
        return web.Response(text=f"{wrong or 'well'}\n", status=503 if wrong else 200)

    app = web.Application()
    app.router.add_get("/metrics", figures)
    app.router.add_get("/health", health)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(f"`discord.metrics_port` {port} at {host}: {error.strerror or error}") from error
        yield
    finally:
        await runner.cleanup()
