"""The conversations of channels: cached in memory, and written to the database in order."""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from bots.bounded_dict import BoundedDict
from bots.discord_bot.database import StoreError
from bots.discord_bot.requests import ReplyRequest
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.store import FORGOTTEN, PendingMessage, Quote, Store, StoredTurn
from charbot.config import ChatSettings
from charbot.dialogue import Utterance
from charbot.generation.conversation import MAX_EARLIER, Conversation

_CACHED = 1000
"""Conversations in memory at once, at most (others are in the database), and recent deletions that are remembered."""
_UNWRITTEN = 50
"""Writes per channel that wait while the database is unavailable; the oldest are dropped."""

DEPARTED_DAYS = 7.0
"""Days for which the data of a server that the bot has left, perhaps by mistake, is kept."""

_log = logging.getLogger("charbot.discord")


@dataclass(frozen=True)
class _Cached:
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
    turns: tuple[StoredTurn, ...] = ()
    """The turns that it stores."""
    replaces: bool = False
    """Whether the last of them replaces the channel's last turn."""


def kept_turns(settings: ChatSettings) -> int:
    """Return the maximum number of turns kept per channel: those that models may read, and earlier ones."""
    return 2 * settings.context_turns + MAX_EARLIER


class Conversations:
    """The conversation of each channel. The database is accessed in the thread of `disk` only."""

    def __init__(self, store: Store, disk: SerialExecutor, turns: int, days: float) -> None:
        """Keep at most `turns` turns per channel, each for at most `days` days."""
        self._store, self._disk, self._turns, self._days = store, disk, turns, days
        self._cached: BoundedDict[int, _Cached] = BoundedDict(_CACHED)
        # When a message, channel or user, by id, was last forgotten, on the monotonic clock.
        self._forgotten: BoundedDict[int, float] = BoundedDict(_CACHED)
        # Only the disk thread uses these two after `open`, so that writes keep the order of the requests.
        self._unwritten: dict[int, deque[_Write]] = {}
        self._last_forgotten: str | None = None

    async def open(self) -> None:
        """Read when a user was last forgotten, so that `forget_old` notices later deletions. Raises StoreError."""
        self._last_forgotten = await self._disk.run(self._store.get_meta, FORGOTTEN)

    async def conversation(self, channel: int) -> Conversation:
        """Return a channel's conversation so far, or an empty one if the database is unavailable."""
        cached = self._cached.get(channel)
        if cached is None:
            try:
                stored = await self._disk.run(self._read, channel)
            except StoreError as error:
                _log.warning("%s", error)
                return Conversation()
            conversation = Conversation().extend([Utterance(turn.speaker, turn.text) for turn in stored])
            cached = _Cached(conversation, tuple(turn.author for turn in stored), 0.0)
        self._cached[channel] = replace(cached, used=self._store.clock())
        return cached.conversation

    def _read(self, channel: int) -> list[StoredTurn]:
        """Return a channel's last turns, including those that cannot be written yet. Raises StoreError."""
        try:
            self._write(channel)
        except StoreError as error:
            _log.warning("%s", error)
        turns = self._store.turns(channel, self._turns)
        for pending in self._unwritten.get(channel, ()):
            turns = [*turns[:-1], pending.turns[-1]] if pending.replaces and pending.turns else [*turns, *pending.turns]
        return turns[-self._turns :]

    async def keep(self, request: ReplyRequest, conversation: Conversation, after: Conversation) -> None:
        """Store the message and the answer of a request, which are the last turns of `after`.

        `conversation` is the one before the request. Nothing is stored if the request is outside the channel's conversation,
        or if it, its channel or its author was forgotten meanwhile.
        """
        ids = (request.id, request.channel, request.author)
        forgotten = max(self._forgotten.get(id_, request.received_at) for id_ in ids)
        if request.outside_conversation or forgotten > request.received_at:
            await self.done(request)
            return
        asked, reply = after.turns[-2:]
        cached = self._cached.get(request.channel)
        # If part of it was forgotten meanwhile, it is not cached but reread from the database.
        if cached is not None and cached.conversation is conversation:
            self._cached[request.channel] = _Cached(after, (*cached.authors, request.author)[-self._turns :], self._store.clock())
        turns = (StoredTurn(request.author, None, asked.text), StoredTurn(request.author, reply.speaker, reply.text))
        await self._finish(request, turns)

    async def done(self, request: ReplyRequest) -> None:
        """Record that a request needs no answer any more, without storing any turns."""
        if request.durable:
            await self._finish(request, ())

    async def receive(self, request: ReplyRequest) -> None:
        """Store a message that is to be answered, so that it is answered even after a crash."""
        message = PendingMessage(request.id, request.guild, request.channel, request.author, request.text)
        await self._write_soon(request.channel, _Write(request.author, partial(self._store.receive, message)))

    async def sending(self, request: ReplyRequest, reply: str) -> None:
        """Store the reply to a request that is about to be sent, so that it is not generated again after a crash."""
        if request.durable:
            with suppress(StoreError):
                await self._disk.run(self._store.sending, request.id, reply)

    async def _finish(self, request: ReplyRequest, turns: tuple[StoredTurn, ...]) -> None:
        message, replaces = request.id if request.durable else None, request.replaces is not None
        write = partial(self._store.answered, message, request.channel, turns, self._turns, instead=replaces, guild=request.guild)
        await self._write_soon(request.channel, _Write(request.author, write, turns, replaces))

    async def _write_soon(self, channel: int, write: _Write) -> None:
        """Write to the database, now or once it is available again."""
        try:
            await self._disk.run(self._write, channel, write)
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
        """Perform the pending writes of all channels. Raises StoreError once all are tried, if any failed."""
        failures = []
        for channel in list(self._unwritten):
            try:
                self._write(channel)
            except StoreError as error:
                failures.append(f"channel {channel}: {error}")
        if failures:
            raise StoreError(f"{len(failures)} channels could not be written, the first of them {failures[0]}")

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

    async def forget_departed(self) -> bool:
        """Delete all of servers that were left long ago; return whether there were any. Raises StoreError."""
        gone = await self._disk.run(self._store.forget_departed, DEPARTED_DAYS)
        self._drop(gone)
        return bool(gone)

    def _forget(self, channels: Iterable[int], forget: Callable[[], None]) -> None:
        # Written first: pending writes also remove answered messages and store who is quoted, which must not get lost.
        for channel in channels:
            self._write(channel)
        forget()

    async def add_quote(self, quote: Quote) -> None:
        """Store which message of the bot's quotes a user, so that it can be deleted with what they said."""
        await self._write_soon(quote.channel, _Write(quote.author, partial(self._store.add_quote, quote)))

    async def quotes(self, user: int) -> list[Quote]:
        """Return the messages of the bot's that quote a user. Raises StoreError."""
        return await self._disk.run(self._quotes, user)

    def _quotes(self, user: int) -> list[Quote]:
        self._write_all()
        return self._store.quotes(user)

    async def edit(self, channel: int, message: int, text: str) -> None:
        """Change the text of a stored message that is not answered yet."""
        await self._write_soon(channel, _Write(0, partial(self._store.edit, message, text)))

    async def forget_messages(self, channel: int, messages: Collection[int]) -> None:
        """Delete messages of a channel, and the answers to them. Raises StoreError."""
        for message in messages:
            self._forgotten[message] = time.monotonic()
        # Of most messages in a server the bot knows nothing.
        if await self._disk.run(self._knows_any, channel, messages):
            await self._disk.run(self._store.forget_messages, messages)
            self._drop([channel])

    def _knows_any(self, channel: int, messages: Collection[int]) -> bool:
        with suppress(StoreError):
            self._write(channel)
        return self._store.knows_any(messages)

    async def forget_member(self, guild: int, user: int) -> None:
        """Delete a user's messages in a server, and the answers to them. Raises StoreError."""
        self._drop(self._channels_of(user))
        await self._disk.run(self._forget_member, guild, user)
        self._drop(self._channels_of(user))

    def _forget_member(self, guild: int, user: int) -> None:
        # Written first, or their pending turns would be written afterwards.
        self._write_all()
        self._store.forget_member(guild, user)

    async def forget_user(self, user: int) -> None:
        """Delete a user's messages and the answers to them. Raises StoreError."""
        self._forgotten[user] = time.monotonic()
        self._drop(self._channels_of(user))
        await self._disk.run(self._forget_user, user)
        self._drop(self._channels_of(user))

    def _forget_user(self, user: int) -> None:
        for channel, queue in self._unwritten.items():
            self._unwritten[channel] = deque((write for write in queue if write.author != user), _UNWRITTEN)
        before = self._store.get_meta(FORGOTTEN)
        now = self._store.forget_user(user)
        if before == self._last_forgotten:
            self._last_forgotten = now

    async def forget_old(self) -> None:
        """Delete old turns, and drop from memory what another process has deleted. Raises StoreError."""
        then = self._store.clock() - self._days * 86_400
        # Another process may have deleted their turns already; then they are not in `gone`.
        self._drop([channel for channel, cached in self._cached.items() if cached.used < then])
        gone, user_forgotten = await self._disk.run(self._forget_old)
        # Another process has forgotten a user, but does not say whom: reread all conversations.
        self._drop(list(self._cached) if user_forgotten else gone)

    def _forget_old(self) -> tuple[set[int], bool]:
        """Return the channels of old turns, and whether another process has forgotten a user. Raises StoreError."""
        gone, last = self._store.forget_older(self._days), self._store.get_meta(FORGOTTEN)
        user_forgotten, self._last_forgotten = last != self._last_forgotten, last
        return gone, user_forgotten

    def _channels_of(self, user: int) -> list[int]:
        return [channel for channel, cached in self._cached.items() if user in cached.authors]

    def _drop(self, channels: Iterable[int]) -> None:
        for channel in channels:
            self._cached.pop(channel, None)
