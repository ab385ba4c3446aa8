"""Work that waits for something, kept off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from charbot.errors import BusyError

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """A thread that does what it is given, one thing after the other."""

    def __init__(self, name: str, most: int | None = None) -> None:
        """No more than `most` things are taken at once, where it is given."""
        self._thread = ThreadPoolExecutor(1, f"charbot-{name}")
        self._most, self._taken = most, 0

    async def do(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a call returns, once everything before it is done. Once begun it is not cancelled. Raises BusyError."""
        if self._most is not None and self._taken >= self._most:
            raise BusyError("Too many ask that at once; try again in a moment.")
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*args, **kwargs))
        finally:
            self._taken -= 1

    async def close(self) -> None:
        """Waits for what it was given."""
        await asyncio.to_thread(self._thread.shutdown)
