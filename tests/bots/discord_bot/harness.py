"""The real client of discord.py, which talks to a Discord on loopback over real sockets; only the replies are scripted."""

import asyncio
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial, wraps
from pathlib import Path
from typing import Any

import discord
import yarl

from bots.discord_bot.bot import ALL_SHARDS, Bot, Shards
from bots.discord_bot.commands import add_commands
from bots.discord_bot.store import PendingMessage, Store
from bots.discord_bot.timings import DEFAULT_TIMINGS, Timings
from bots.persona_pool import PersonaPool
from charbot.config import ChatSettings, Config, DiscordSettings
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.personas.bundle import PersonaCard
from charbot.personas.library import Library
from charbot.testing import ScriptedPersona
from tests.bots.discord_bot.fake_discord import BOT, TOKEN, FakeDiscord

ME = f"<@{BOT}>"


@dataclass
class Script:
    """Replies that tell how many turns were heard, the last of them, and whether they are clean."""

    seconds: float = 0.0
    """How long a reply takes."""
    manner: str = ""
    """A word instead of whether the reply is clean."""
    free: threading.Event = field(default_factory=threading.Event)
    """No reply is given before it is set."""
    check: Callable[[Conversation], None] = lambda _: None
    """Raises AssertionError for a conversation that is not as it should be."""
    asked: list[str] = field(default_factory=list)
    """The messages that were replied to."""

    def __call__(self, card: PersonaCard, conversation: Conversation, options: ChatSettings) -> str:
        last = conversation.turns[-1].text
        self.asked.append(last)
        self.check(conversation)
        time.sleep(self.seconds)
        assert self.free.wait(60)
        if last == "crash":
            raise RuntimeError("on purpose")
        manner = self.manner or ("clean" if options.clean else "free")
        text = f"{card.name} {manner} {len(conversation.turns)}: {last}"
        return text + " x" * 1500 if last.endswith("at length") else text

    def reset(self) -> None:
        self.seconds, self.manner, self.check = 0.0, "", lambda _: None
        self.asked.clear()
        self.free.set()


script = Script()
"""The replies of all personas in a test; conftest.py resets it."""


@dataclass
class AdjustableClock:
    """The system's clock, `ahead` by some seconds."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Stage:
    """A bot, the Discord that it is logged in to, and what it was made of."""

    discord: FakeDiscord
    bot: Bot
    store: Store
    clock: AdjustableClock

    async def heard(self, count: int, seconds: float = 60) -> list[str]:
        """Return the bot's messages, without the lines that its webhooks quote, once there are `count`."""
        messages = await self.until(lambda: self.discord.messages, count, seconds)
        return [sent["content"].rpartition("\n")[2] if sent["hook"] else sent["content"] for sent in messages]

    async def until(self, list_of: Callable[[], list[Any]], count: int, seconds: float = 60) -> list[Any]:
        """Wait until a list has `count` items, and return it. Raises AssertionError after `seconds`."""
        end = time.monotonic() + seconds
        while len(list_of()) < count:
            assert time.monotonic() < end, f"{len(list_of())} of {count}: {list_of()} {self.discord.faults}"
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert not self.discord.faults
        return list_of()

    async def told(self, name: str, /, **options: Any) -> str:
        """Use a command, and return its answer."""
        id_ = await self.discord.command(name, **options)
        await self.until(lambda: self.discord.told(id_), 1)
        return str(self.discord.told(id_)[0])


@asynccontextmanager
async def stage(
    library: Library,
    folder: Path,
    fake: FakeDiscord | None = None,
    token: str = TOKEN,
    shards: Shards = ALL_SHARDS,
    timings: Timings = DEFAULT_TIMINGS,
    force_sync: bool = False,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Run a bot that is logged in to a fake Discord within the context; `settings` are those of DiscordSettings."""
    fake = fake or FakeDiscord()
    await fake.start()
    discord.http.Route.BASE = f"http://127.0.0.1:{fake.port}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://127.0.0.1:{fake.port}/")
    config = Config(discord=DiscordSettings(**{"persona": "ann", "cooldown": 0.0, "waiting": 100, **settings}))
    clock = AdjustableClock()
    store = Store(f"sqlite:///{folder / 'bot.db'}", clock=clock)
    personas = PersonaPool(lambda: Library(library.folders), partial(ScriptedPersona, script=script))
    with BatchScheduler(threads=1) as scheduler:
        bot = Bot(personas, store, scheduler, config, add_commands, shards, timings, force_sync=force_sync)
        bot._connection.guild_ready_timeout = 0.05
        running = asyncio.create_task(bot.start(token))
        try:
            ready = asyncio.create_task(bot.wait_until_ready())
            await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED, timeout=60)
            if running.done():
                ready.cancel()
                await running
            yield Stage(fake, bot, store, clock)
        finally:
            script.free.set()
            await bot.close()
            await asyncio.gather(running, return_exceptions=True)
            store.close()
            await fake.stop()


def run(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the decorated test in an event loop."""

    @wraps(test)
    def inner(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return inner


def add_persona(library: Library, name: str) -> None:
    """Add a persona that equals Ann except for the name."""
    ann = library.folders[0] / "personas" / "ann"
    card = Path(shutil.copytree(ann, ann.with_name(name.lower()))) / "persona.json"
    card.write_text(card.read_text().replace('"name": "Ann"', f'"name": "{name}"'))


def leave_waiting(folder: Path, *waiting: PendingMessage) -> None:
    """Store messages in a database as a bot leaves them that crashed before it answered them."""
    store = Store(f"sqlite:///{folder / 'bot.db'}")
    for message in waiting:
        store.receive(message)
    store.close()
