"""The conversations of channels: remembered while they go on, and written to the database in order."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bots.discord_bot.calls import Call
from bots.discord_bot.recent import Recent
from bots.discord_bot.store import FORGOTTEN, Said, Store, StoreError, Waiting
from bots.discord_bot.worker import Worker
from charbot.dialogue import Utterance
from charbot.generation.conversation import Conversation

_REMEMBERED = 1000
"""Conversations in memory at once, and channels and people known to be forgotten; the database has the others."""
_UNWRITTEN = 50
"""Writes of a channel that wait for a database that is away; older ones are let go."""

_log = logging.getLogger("charbot.discord")


@dataclass(frozen=True)
class _Known:
    """A conversation in memory: who has turns in it, and when it was used last (seconds since 1970)."""

    conversation: Conversation
    authors: tuple[int, ...]
    used: float


@dataclass(frozen=True)
class _Write:
    """What is to be written on behalf of somebody."""

    author: int
    write: Callable[[], object]


class Conversations:
    """Each channel's conversation. What waits for the database does so in the disk's thread."""

    def __init__(self, store: Store, disk: Worker, turns: int, days: float) -> None:
        """No more than `turns` turns of each are kept, and for no more than `days` days after the last."""
        self._store, self._disk, self._turns, self._days = store, disk, turns, days
        self._known: Recent[int, _Known] = Recent(_REMEMBERED)
        # When a channel, or what somebody said, was forgotten last.
        self._forgotten: Recent[int, float] = Recent(_REMEMBERED)
        # The disk's thread alone touches these two, so that all is done in the order in which it was asked for.
        self._unwritten: dict[int, deque[_Write]] = {}
        self._told: str | None = None

    async def open(self) -> None:
        """Nothing that was forgotten before is news. Raises StoreError."""
        self._told = await self._disk.do(self._store.fact, FORGOTTEN)

    async def conversation(self, channel: int) -> Conversation:
        """A channel's conversation so far; an empty one where the database is away."""
        known = self._known.get(channel)
        if known is None:
            try:
                said = await self._disk.do(self._read, channel)
            except StoreError as error:
                _log.warning("%s", error)
                return Conversation()
            conversation = Conversation().extend([Utterance(one.speaker, one.text) for one in said])
            known = _Known(conversation, tuple(one.author for one in said), 0.0)
        self._known[channel] = replace(known, used=time.time())
        return known.conversation

    def _read(self, channel: int) -> list[Said]:
        self._write(channel)
        return self._store.turns(channel, self._turns)

    async def keep(self, call: Call, conversation: Conversation, after: Conversation) -> None:
        """A call was answered: `memory` was the conversation before it, and `after` ends with it and its answer."""
        forgotten = max(self._forgotten.get(one, call.at) for one in (call.channel, call.author))
        if call.aside or forgotten > call.at:
            await self.done(call)
            return
        asked, reply = after.turns[-2:]
        known = self._known.get(call.channel)
        # Where something of it was forgotten meanwhile, it is read anew.
        if known is not None and known.conversation is conversation:
            self._known[call.channel] = _Known(after, (*known.authors, call.author)[-self._turns :], time.time())
        await self._note(call, [Said(call.author, None, asked.text), Said(call.author, reply.speaker, reply.text)])

    async def done(self, call: Call) -> None:
        """A call needs no answer any more, and leaves nothing to remember."""
        if call.kept:
            await self._note(call, ())

    async def receive(self, call: Call) -> None:
        """A message is to be answered, even after a crash."""
        one = Waiting(call.id, call.guild, call.channel, call.author, call.text)
        await self._have_written(call, partial(self._store.receive, one))

    async def _note(self, call: Call, turns: Sequence[Said]) -> None:
        message, instead = call.id if call.kept else None, call.instead is not None
        await self._have_written(
            call, partial(self._store.answered, message, call.channel, turns, self._turns, instead=instead, guild=call.guild)
        )

    async def _have_written(self, call: Call, write: Callable[[], object]) -> None:
        """Writes something, now or when the database is back."""
        try:
            await self._disk.do(self._write, call.channel, _Write(call.author, write))
        except StoreError as error:
            _log.warning("%s", error)

    def _write(self, channel: int, *more: _Write) -> None:
        """Writes what waits of a channel, and more. Raises StoreError, and then it waits on."""
        queue = self._unwritten.setdefault(channel, deque(maxlen=_UNWRITTEN))
        queue.extend(more)
        while queue:
            queue[0].write()
            queue.popleft()
        del self._unwritten[channel]

    async def flush(self) -> None:
        """Writes what could not be written before."""
        try:
            await self._disk.do(self._write_all)
        except StoreError as error:
            _log.warning("%s", error)

    def _write_all(self) -> None:
        for channel in list(self._unwritten):
            self._write(channel)

    async def forget_channel(self, channel: int) -> None:
        """The channel's conversation starts anew. Raises StoreError."""
        self._drop([channel])
        self._forgotten[channel] = time.monotonic()
        await self._disk.do(self._forget, [channel], partial(self._store.forget_channel, channel))
        # It may have been read meanwhile.
        self._drop([channel])

    async def forget_places(self, places: Sequence[int]) -> None:
        """Nothing of these places stays. Raises StoreError."""
        self._drop(places)
        await self._disk.do(self._forget, places, partial(self._store.forget_places, places))

    def _forget(self, channels: Iterable[int], forget: Callable[[], None]) -> None:
        for channel in channels:
            self._unwritten.pop(channel, None)
        forget()

    async def forget_user(self, user: int) -> None:
        """What somebody said is gone, and what was answered. Raises StoreError."""
        self._forgotten[user] = time.monotonic()
        self._drop(self._with(user))
        await self._disk.do(self._forget_user, user)
        self._drop(self._with(user))

    def _forget_user(self, user: int) -> None:
        for channel, queue in self._unwritten.items():
            self._unwritten[channel] = deque((one for one in queue if one.author != user), _UNWRITTEN)
        before = self._store.fact(FORGOTTEN)
        noted = self._store.forget_user(user)
        if before == self._told:
            self._told = noted

    async def forget_old(self) -> None:
        """Forgets what is old, or what another process was told to forget. Raises StoreError."""
        then = time.time() - self._days * 86_400
        # Another process may have deleted it, so that this one is not told.
        self._drop([channel for channel, known in self._known.items() if known.used < then])
        gone, told = await self._disk.do(self._forget_old)
        # Who was forgotten elsewhere is not known.
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
