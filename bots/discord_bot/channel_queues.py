"""Queues of calls, which are answered sequentially within a channel and concurrently across channels."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

C = TypeVar("C")

_CANCELLED_SECONDS = 5
"""Seconds that cancelled calls may take to end."""

_log = logging.getLogger("charbot.discord")


class ChannelQueues(Generic[C]):
    """A bounded queue, and a task that works on it, per channel with pending calls."""

    def __init__(self, answer: Callable[[C], Awaitable[None]], waiting: int) -> None:
        """Let at most `waiting` calls per channel wait while one is answered."""
        self._answer, self._limit = answer, waiting
        self._queues: dict[int, deque[C]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self.open = True

    @property
    def pending(self) -> int:
        """The number of calls in all queues, including those that are being answered."""
        return sum(map(len, self._queues.values()))

    def is_full(self, channel: int) -> bool:
        """Return whether a channel's queue takes no more calls."""
        return len(self._queues.get(channel, ())) > self._limit

    def waiting(self, channel: int) -> list[C]:
        """Return the calls of a channel whose answering has not begun."""
        return list(self._queues.get(channel, ()))[1:]

    def put(self, channel: int, call: C, *, late: bool = False) -> bool:
        """Enqueue a call; return False if the channel's queue is full, or after `close`. `late` calls ignore the limit."""
        queue = self._queues.get(channel)
        if not self.open or (self.is_full(channel) and not late):
            return False
        if queue is None:
            self._queues[channel] = deque([call])
            worker = asyncio.create_task(self._work(channel), name=f"channel {channel}")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        else:
            queue.append(call)
        return True

    async def _work(self, channel: int) -> None:
        queue = self._queues[channel]
        try:
            while queue:
                # The call stays at the front while it is answered: `put` counts it, `close` skips it.
                try:
                    await self._answer(queue[0])
                except Exception:
                    _log.exception("a call in channel %d failed", channel)
                finally:
                    queue.popleft()
        finally:
            del self._queues[channel]

    async def close(self, seconds: float) -> list[C]:
        """Refuse further calls, wait `seconds` for pending ones, cancel the rest and return those that had not begun."""
        self.open = False
        if self._workers:
            await asyncio.wait(self._workers, timeout=seconds)
        left = [call for channel in self._queues for call in self.waiting(channel)]
        for worker in self._workers:
            worker.cancel()
        if self._workers:
            await asyncio.wait(self._workers, timeout=_CANCELLED_SECONDS)
        return left
