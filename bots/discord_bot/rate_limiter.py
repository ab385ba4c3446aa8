"""A limiter that keeps requests below Discord's global rate limit."""

import asyncio
import time
from http import HTTPStatus
from types import SimpleNamespace

import aiohttp

from bots.discord_bot.metrics import Metrics

GLOBAL_LIMIT = 36.0
"""Requests per second that a bot sends. Discord allows 50, but counts them on arrival, where delayed ones pile up."""
_BURST = 4
"""Requests that may be sent at once after a pause."""


class RateLimiter:
    """Lets requests pass at a steady rate, in order. Limits per channel are kept by discord.py."""

    def __init__(self, rate: float) -> None:
        """Let `rate` requests pass per second."""
        self._interval = 1 / rate
        self._next = 0.0
        self._turn = asyncio.Lock()

    @property
    def is_busy(self) -> bool:
        """Whether requests have to wait."""
        return self._turn.locked() or self._next > time.monotonic()

    async def wait(self) -> None:
        """Wait for the turn of a request."""
        # One after the other: if all slept until turns given in advance, those that a busy loop delays would pass at once.
        async with self._turn:
            await asyncio.sleep(self._next - time.monotonic())
            self._next = max(self._next, time.monotonic() - (_BURST - 1) * self._interval) + self._interval


def limiting_trace(limiter: RateLimiter, metrics: Metrics) -> aiohttp.TraceConfig:
    """Return a trace for discord.py's session that has requests wait for the limiter, and counts refused ones."""

    async def on_request_start(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        # Discord does not count interactions and webhooks, which have no such header; nor may they wait.
        if "Authorization" in params.headers:
            await limiter.wait()

    async def on_request_end(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        if params.response.status == HTTPStatus.TOO_MANY_REQUESTS:
            metrics.rate_limited()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_request_start)
    trace.on_request_end.append(on_request_end)
    return trace
