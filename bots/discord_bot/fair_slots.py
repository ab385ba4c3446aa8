"""A bound on concurrent work that gives everybody a fair share."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairSlots:
    """Slots for concurrent work. Free ones go to the servers that wait in turn, and within a server to its users in turn."""

    def __init__(self, count: int) -> None:
        """Let at most `count` calls work at once."""
        self._free = count
        self._waiting: OrderedDict[int, OrderedDict[int, deque[asyncio.Future[None]]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, guild: int, user: int) -> AsyncIterator[None]:
        """Hold a slot within the context, for a user of a server."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(guild, user)
        try:
            yield
        finally:
            self._release()

    async def _wait(self, guild: int, user: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(guild, OrderedDict()).setdefault(user, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # The slot was given at the same moment.
                self._release()
            raise

    def _release(self) -> None:
        """Hand a slot to the next in turn, or count it as free."""
        while self._waiting:
            turn = self._next()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _next(self) -> "asyncio.Future[None]":
        """Take the first turn of the user and server that were served longest ago, and move both to the end."""
        guild, users = next(iter(self._waiting.items()))
        user, turns = next(iter(users.items()))
        turn = turns.popleft()
        users.move_to_end(user)
        self._waiting.move_to_end(guild)
        if not turns:
            del users[user]
        if not users:
            del self._waiting[guild]
        return turn
