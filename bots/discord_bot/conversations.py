"""The conversations of channels: cached in memory, and written to the database in order."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bots.discord_bot.bounded_dict import BoundedDict
from bots.discord_bot.requests import ReplyRequest
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.store import FORGOTTEN, PendingMessage, Store, StoredTurn, StoreError
from charbot.dialogue import Utterance
from charbot.generation.conversation import Conversation

_REMEMBERED = 1000
"""Conversations in memory at once, at most (others are in the database), and recent deletions that are remembered."""
_UNWRITTEN = 50
"""Writes per channel that wait while the database is unavailable; the oldest are dropped."""

_log = logging.getLogger("charbot.discord")


@dataclass(frozen=True)
class _Known:
    """A conversation in memory."""

    conversation: Conversation
    authors: tuple[int, ...]
    """Ids of the users who have turns in it."""
    used: float
    """When it was last used, in seconds since 1970."""


@dataclass(frozen=True)
class _Write:
    """A pending write to the database, for a message of the user `author`."""

    author: int
    write: Callable[[], object]


class Conversations:
    """The conversation of each channel. The database is accessed in the thread of `disk` only."""

    def __init__(self, store: Store, disk: SerialExecutor, turns: int, days: float) -> None:
        """Keep at most `turns` turns per channel, each for at most `days` days."""
        self._store, self._disk, self._turns, self._days = store, disk, turns, days
        self._known: BoundedDict[int, _Known] = BoundedDict(_REMEMBERED)
        # When a channel or user, by id, was last forgotten, on the monotonic clock.
        self._forgotten: BoundedDict[int, float] = BoundedDict(_REMEMBERED)
        # After `open`, only the disk thread uses these two, so that everything is done in the order of the requests.
        self._unwritten: dict[int, deque[_Write]] = {}
        self._told: str | None = None

    async def open(self) -> None:
        """Read when a user was last forgotten, so that `forget_old` notices later deletions. Raises StoreError."""
        self._told = await self._disk.run(self._store.fact, FORGOTTEN)

    async def conversation(self, channel: int) -> Conversation:
        """Return a channel's conversation so far, or an empty one if the database is unavailable."""
        known = self._known.get(channel)
        if known is None:
            try:
                said = await self._disk.run(self._read, channel)
            except StoreError as error:
                _log.warning("%s", error)
                return Conversation()
            conversation = Conversation().extend([Utterance(one.speaker, one.text) for one in said])
            known = _Known(conversation, tuple(one.author for one in said), 0.0)
        self._known[channel] = replace(known, used=time.time())
        return known.conversation

    def _read(self, channel: int) -> list[StoredTurn]:
        self._write(channel)
        return self._store.turns(channel, self._turns)

    async def keep(self, call: ReplyRequest, conversation: Conversation, after: Conversation) -> None:
        """Store the message and the answer of a call, which are the last turns of `after`.

        `conversation` is the one before the call. Nothing is stored if the call is outside the channel's conversation, or
        if its channel or author was forgotten meanwhile.
        """
        forgotten = max(self._forgotten.get(one, call.at) for one in (call.channel, call.author))
        if call.aside or forgotten > call.at:
            await self.done(call)
            return
        asked, reply = after.turns[-2:]
        known = self._known.get(call.channel)
        # If part of it was forgotten meanwhile, it is not cached but reread from the database.
        if known is not None and known.conversation is conversation:
            self._known[call.channel] = _Known(after, (*known.authors, call.author)[-self._turns :], time.time())
        await self._note(call, [StoredTurn(call.author, None, asked.text), StoredTurn(call.author, reply.speaker, reply.text)])

    async def done(self, call: ReplyRequest) -> None:
        """Note that a call needs no answer any more, without storing any turns."""
        if call.kept:
            await self._note(call, ())

    async def receive(self, call: ReplyRequest) -> None:
        """Store a message that is to be answered, so that it is answered even after a crash."""
        one = PendingMessage(call.id, call.guild, call.channel, call.author, call.text)
        await self._have_written(call, partial(self._store.receive, one))

    async def _note(self, call: ReplyRequest, turns: Sequence[StoredTurn]) -> None:
        message, instead = call.id if call.kept else None, call.instead is not None
        await self._have_written(
            call, partial(self._store.answered, message, call.channel, turns, self._turns, instead=instead, guild=call.guild)
        )

    async def _have_written(self, call: ReplyRequest, write: Callable[[], object]) -> None:
        """Write to the database, now or once it is available again."""
        try:
            await self._disk.run(self._write, call.channel, _Write(call.author, write))
        except StoreError as error:
            _log.warning("%s", error)

    def _write(self, channel: int, *more: _Write) -> None:
        """Perform a channel's pending writes, and more. Raises StoreError; the failed write and later ones stay pending."""
        queue = self._unwritten.setdefault(channel, deque(maxlen=_UNWRITTEN))
        queue.extend(more)
        while queue:
            queue[0].write()
            queue.popleft()
        del self._unwritten[channel]

    async def flush(self) -> None:
        """Retry the pending writes of all channels."""
        try:
            await self._disk.run(self._write_all)
        except StoreError as error:
            _log.warning("%s", error)

    def _write_all(self) -> None:
        for channel in list(self._unwritten):
            self._write(channel)

    async def forget_channel(self, channel: int) -> None:
        """Delete a channel's conversation. Raises StoreError."""
        self._drop([channel])
        self._forgotten[channel] = time.monotonic()
        await self._disk.run(self._forget, [channel], partial(self._store.forget_channel, channel))
        # It may have been read again meanwhile.
        self._drop([channel])

    async def forget_places(self, places: Sequence[int]) -> None:
        """Delete all that is stored for these servers, channels and threads. Raises StoreError."""
        self._drop(places)
        await self._disk.run(self._forget, places, partial(self._store.forget_places, places))

    def _forget(self, channels: Iterable[int], forget: Callable[[], None]) -> None:
        for channel in channels:
            self._unwritten.pop(channel, None)
        forget()

    async def forget_user(self, user: int) -> None:
        """Delete a user's messages and the answers to them. Raises StoreError."""
        self._forgotten[user] = time.monotonic()
        self._drop(self._with(user))
        await self._disk.run(self._forget_user, user)
        self._drop(self._with(user))

    def _forget_user(self, user: int) -> None:
        for channel, queue in self._unwritten.items():
            self._unwritten[channel] = deque((one for one in queue if one.author != user), _UNWRITTEN)
        before = self._store.fact(FORGOTTEN)
        noted = self._store.forget_user(user)
        if before == self._told:
            self._told = noted

    async def forget_old(self) -> None:
        """Delete old turns, and drop from memory what another process has deleted. Raises StoreError."""
        then = time.time() - self._days * 86_400
        # Another process may have deleted their turns already; then they are not in `gone`.
        self._drop([channel for channel, known in self._known.items() if known.used < then])
        gone, told = await self._disk.run(self._forget_old)
        # If another process has forgotten a user, it is not known whom: reread all conversations.
        self._drop(list(self._known) if told else gone)

    def _forget_old(self) -> tuple[set[int], bool]:
        gone, told = self._store.forget_older(self._days), self._store.fact(FORGOTTEN)
        news, self._told = told != self._told, told
        return gone, news

    def _with(self, user: int) -> list[int]:
        return [channel for channel, known in self._known.items() if user in known.authors]

    def _drop(self, channels: Iterable[int]) -> None:
        for channel in channels:
            self._known.pop(channel, None)
