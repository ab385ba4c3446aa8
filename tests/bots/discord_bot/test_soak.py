"""Many channels in which everything happens at random, from a seed: nothing is lost, said twice, or said elsewhere.

SOAK_SECONDS=600 makes a long run of the short one, with Discord's limits, and shows as it goes the memory that it takes:

    SOAK_SECONDS=600 python -m pytest tests/bots/discord_bot/test_soak.py -s -p no:logging --timeout 0

pytest itself would keep what is logged, with the tracebacks of odd events, and so take more memory all the time.
"""

import asyncio
import gc
import os
import random
import re
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.timings import Timings
from charbot.generation.conversation import Conversation
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, FakeDiscord, _answer
from tests.bots.discord_bot.harness import ME, Stage, run, script, stage

_SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))
_CHANNELS = range(100, 120)
_WEBHOOKS = range(100, 104)
"""Channels where personas post under their own names."""
_ROUND = 60
"""Events between two restarts."""
_SETTLING = 4
"""Restarts between two looks at what has come of all that was asked."""
_PACE = 0.07
"""Seconds between two events of a long run, on average: about as many in ten minutes as a server has in two hours."""
_TIMINGS = Timings(closing=0.05, retries=(0.05, 0.1, 0.2, 0.4, 0.8))
_ANSWER = re.compile(r"Ann clean \d+: mark(\d+) (\d+)( edited)?")
_ODD: list[tuple[str, dict[str, Any]]] = [
    ("MESSAGE_CREATE", {"id": "x"}),
    ("MESSAGE_CREATE", {"poll": {"expiry": None}}),
    ("MESSAGE_UPDATE", {"id": None, "channel_id": []}),
    ("MESSAGE_DELETE", {}),
    ("CHANNEL_UPDATE", {"id": "x"}),
    ("GUILD_BAN_ADD", {"user": 7}),
    ("THREAD_DELETE", {}),
    ("INTERACTION_CREATE", {"type": 2}),
    ("SOMETHING_NEW", {"id": 1}),
]


@dataclass
class _Server:
    """A server in which people do things at random."""

    rng: random.Random
    fake: FakeDiscord
    asked: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Channels and numbers of messages, by their ids."""
    commands: list[int] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)
    """Numbers of messages that were deleted."""
    happened: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Megabytes of the process, and its objects, whenever all was answered."""
    number: int = 0

    async def act(self, on: Stage) -> None:
        """Do one thing, chosen at random."""
        actions = {self._say: 60, self._command: 6, self._edit: 8, self._delete: 8, self._odd: 8, self._break: 4, self._new: 1}
        (action,) = self.rng.choices(list(actions), list(actions.values()))
        self.happened[action.__name__.strip("_")] += 1
        await action(on)

    async def _say(self, _on: Stage) -> None:
        channel = self.rng.choice(_CHANNELS)
        self.number += 1
        twice = self.rng.random() < 0.1
        author = 10 * channel + self.rng.randrange(3)
        id_ = await self.fake.say(f"{ME} mark{channel} {self.number}", channel=channel, author=author, twice=twice)
        self.asked[id_] = channel, self.number

    async def _command(self, _on: Stage) -> None:
        channel = self.rng.choice(_CHANNELS)
        self.number += 1
        options: dict[str, Any] = {"message": f"mark{channel} {self.number}"}
        name, options = self.rng.choice([("chat", options), ("reset", {})])
        self.commands.append(await self.fake.command(name, channel=channel, author=10 * channel, **options))

    async def _edit(self, _on: Stage) -> None:
        if self.asked:
            id_, (channel, number) = self.rng.choice(list(self.asked.items())[-20:])
            await self.fake.edit(id_, f"{ME} mark{channel} {number} edited", channel=channel, author=10 * channel)

    async def _delete(self, _on: Stage) -> None:
        if self.asked:
            channel = self.rng.choice(list(self.asked.values()))[0]
            ids = [id_ for id_, (where, _) in self.asked.items() if where == channel][-self.rng.randint(1, 3) :]
            self.deleted.update(self.asked[id_][1] for id_ in ids)
            await self.fake.delete(*ids, channel=channel)

    async def _odd(self, _on: Stage) -> None:
        name, data = self.rng.choice(_ODD)
        await self.fake._dispatch(name, {"guild_id": str(GUILD), **data})

    async def _break(self, _on: Stage) -> None:
        await self.rng.choice([self.fake.drop, self.fake.reconnect])()

    async def _new(self, on: Stage) -> None:
        """Have Discord begin a new session."""
        await self.heard(on)
        before, self.fake.forgetful = self.fake.identified, True
        await self.fake.drop()
        await on.until(lambda: [True] * self.fake.identified, before + 1)
        self.fake.forgetful = False
        await asyncio.wait_for(on.bot.wait_until_ready(), 60)

    async def heard(self, on: Stage) -> None:
        """Wait until the bot has heard all that has happened, as Discord repeats nothing to the next session."""
        line, shard = self.fake._lines[0], on.bot.shards[0]._parent
        await on.until(lambda: [True] * (shard.ws.sequence or 0), len(line.log))

    def refuse(self, method: str, path: str) -> web.Response | None:
        """Let some requests to post fail before they have an effect."""
        return self._fail(method, path)

    def spoil(self, method: str, path: str) -> web.Response | None:
        """Let some of them fail although they had their effect."""
        return self._fail(method, path)

    def _fail(self, method: str, path: str) -> web.Response | None:
        posts = method == "POST" and (path.endswith("/messages") or path.startswith("webhooks/"))
        return _answer({"message": "bad gateway"}, 502) if posts and self.rng.random() < 0.01 else None

    async def settle(self, on: Stage) -> None:
        """Wait until all is answered, check it, and forget it."""
        wanted = {number for _, number in self.asked.values()} - self.deleted
        end = time.monotonic() + 120
        while (missing := wanted - set(self._answers())) or on.bot.services.responder.pending:
            assert time.monotonic() < end, f"lost: {missing}"
            await asyncio.sleep(0.02)
        twice = {number for number, times in Counter(self._answers()).items() if times > 1}
        doubles = [sent for sent, number in zip(self.fake.messages, self._answers(), strict=True) if number in twice]
        assert not doubles, f"said twice: {doubles}"
        # Those that reach the bot later than three seconds after, as over a broken line, it cannot answer.
        for command in {callback["id"] for callback in self.fake.callbacks} & set(self.commands):
            await on.until(lambda command=command: self.fake.told(command), 1)  # type: ignore[misc]
        assert on.store.waiting(600) == []
        for channel in _CHANNELS:
            assert all(f"mark{channel} " in turn.text for turn in on.store.turns(channel, 99)), "kept elsewhere"
        assert not self.fake.faults
        for seen in (
            self.fake.messages,
            self.fake.edits,
            self.fake.callbacks,
            self.fake.heartbeats,
            self.fake.typed,
            script.asked,
        ):
            seen.clear()
        for known in (self.asked, self.commands, self.deleted, self.fake._nonces, self.fake._asked, self.fake.deleted):
            known.clear()
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.memory.append((pages * resource.getpagesize() / 2**20, len(gc.get_objects())))
        if _SECONDS:
            # At once, so that a run of hours that is ended early has told what it found.
            events, (size, objects) = self.happened.total(), self.memory[-1]
            print(f"{time.strftime('%H:%M:%S')} {events} events, all well, {size:.1f} MB, {objects} objects", flush=True)

    def _answers(self) -> list[int]:
        """Return the numbers of the messages that were answered, each in its channel."""
        numbers = []
        for one in self.fake.messages:
            found = _ANSWER.fullmatch(one["content"].rpartition("\n")[2])
            assert found, one["content"]
            assert int(found[1]) == one["channel"], "said elsewhere"
            numbers.append(int(found[2]))
        return numbers


def _check_context(conversation: Conversation) -> None:
    """Raise AssertionError if a conversation has turns of several channels."""
    marks = {mark for turn in conversation.turns for mark in re.findall(r"mark\d+", turn.text)}
    assert len(marks) == 1, marks


@asynccontextmanager
async def _started(library: Library, folder: Path, server: _Server) -> AsyncIterator[Stage]:
    async def at_once(shard: int | None, *, initial: bool = False) -> None:
        return None

    async with stage(library, folder, server.fake, timings=_TIMINGS) as on:
        on.bot.before_identify_hook = at_once  # type: ignore[assignment, method-assign]
        yield on
        await server.heard(on)


@run
@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_each_message_is_answered_once(shared_library: Library, tmp_path: Path, seed: int) -> None:
    fake = FakeDiscord(channels=dict.fromkeys(_CHANNELS, False), limited=_SECONDS > 0)
    server = _Server(random.Random(seed), fake)
    script.seconds, script.check = 0.005, _check_context
    async with _started(shared_library, tmp_path, server) as on:
        for channel in _WEBHOOKS:
            await on.bot.services.settings.change(channel, GUILD, ChannelSettings(webhooks=True))
    fake.refuse, fake.spoil = server.refuse, server.spoil
    end, rounds = time.monotonic() + _SECONDS, 0
    while time.monotonic() < end or rounds < _SETTLING:
        rounds += 1
        async with _started(shared_library, tmp_path, server) as on:
            for _ in range(_ROUND if rounds % _SETTLING else 0):
                await server.act(on)
                await asyncio.sleep(server.rng.expovariate(1 / _PACE) if _SECONDS else 0)
            if rounds % _SETTLING == 0:
                await server.settle(on)
    if _SECONDS:
        print(f"\nseed {seed}: {rounds} restarts, {dict(server.happened)}, {len(fake.too_many)} times 429")
        quarter = len(server.memory) // 4
        assert server.memory[-1][0] < server.memory[quarter][0] + 10, "memory grows"
