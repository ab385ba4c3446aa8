"""A thread for blocking work, so that it does not hold up the event loop."""

import asyncio
import logging
import sys
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import ParamSpec, TypeVar

from charbot.errors import BusyError

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger("charbot.discord")


class SerialExecutor:
    """A daemon thread that runs calls one after the other.

    Unlike a pool's thread, it does not keep the program from exiting when a call hangs.
    """

    def __init__(self, name: str, max_pending: int = sys.maxsize) -> None:
        """Start the thread; at most `max_pending` calls may be pending at once."""
        self._name, self._open = name, True
        self._slots = Semaphore(max_pending)
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        Thread(target=self._work, name=f"charbot-{name}", daemon=True).start()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work()

    def _put(self, call: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)

        self._queue.put(work)
        return future

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call in the thread, after all earlier ones, and return its result.

        A call that has begun cannot be cancelled. Raises BusyError if too many are pending, RuntimeError after `close`.
        """
        if not self._open:
            raise RuntimeError(f"nothing is done any more: {self._name}")
        if not self._slots.acquire(blocking=False):
            raise BusyError("Too many ask that at once; try again in a moment.")
        future = self._put(lambda: call(*args, **kwargs))
        # Done is what has ended, or was cancelled before it began; a call whose caller was cancelled may still run.
        future.add_done_callback(lambda _: self._slots.release())
        return await asyncio.wrap_future(future)

    async def close(self, seconds: float = 5.0) -> None:
        """Refuse further calls, and wait at most so many seconds for the pending ones."""
        if not self._open:
            return
        self._open = False
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._put(lambda: None)), seconds)
        except TimeoutError:
            _log.warning("left in the middle of it: %s", self._name)
        self._queue.put(None)
