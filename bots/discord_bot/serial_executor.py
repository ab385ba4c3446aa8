"""A thread for blocking work, so that it does not hold up the event loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import ParamSpec, TypeVar

from charbot.errors import BusyError

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger("charbot.discord")


class SerialExecutor:
    """A daemon thread that runs calls one after the other.

    Unlike a pool's thread, it does not keep the program from exiting when a call hangs.
    """

    def __init__(self, name: str, max_pending: int | None = None) -> None:
        """Start the thread; at most `max_pending` calls may be pending at once, if given."""
        self._name, self._open = name, True
        self._max_pending, self._pending = max_pending, 0
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        Thread(target=self._work, name=f"charbot-{name}", daemon=True).start()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work()

    def _put(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)

        self._queue.put(work)
        return asyncio.wrap_future(future)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call in the thread, after all earlier ones, and return its result.

        A call that has begun cannot be cancelled. Raises BusyError if too many are pending, RuntimeError after `close`.
        """
        if not self._open:
            raise RuntimeError(f"nothing is done any more: {self._name}")
        if self._max_pending is not None and self._pending >= self._max_pending:
            raise BusyError("Too many ask that at once; try again in a moment.")
        self._pending += 1
        try:
            return await self._put(lambda: call(*args, **kwargs))
        finally:
            self._pending -= 1

    async def close(self, seconds: float = 5.0) -> None:
        """Refuse further calls, and wait at most so many seconds for the pending ones."""
        if not self._open:
            return
        self._open = False
        try:
            await asyncio.wait_for(self._put(lambda: None), seconds)
        except TimeoutError:
            _log.warning("left in the middle of it: %s", self._name)
        self._queue.put(None)
