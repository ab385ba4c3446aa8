"""The real client of discord.py talks to a Discord on loopback, over real sockets; only the replies are written down."""

import asyncio
import gc
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, get_args

import discord
import pytest
import yarl
from aiohttp import web

from bots.discord_bot.bot import ALL_SHARDS, Bot, Shards
from bots.discord_bot.channel_settings import ChannelSettings, Setting
from bots.discord_bot.commands import add_commands
from bots.discord_bot.persona_pool import PersonaInfo, PersonaPool
from bots.discord_bot.store import PendingMessage, Store, StoreError
from bots.discord_bot.webhooks import PersonaWebhooks
from charbot.config import DEFAULT_OPTIONS, ChatSettings, Config, DiscordSettings
from charbot.errors import ConfigError
from charbot.generation.batching import BatchScheduler
from charbot.generation.persona import Persona, Reply, Request
from charbot.generation.reranking import Candidate
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import _ME, BOT, GUILD, OWNER, ROLE, TOKEN, FakeDiscord, _answer

ME = f"<@{BOT}>"


class _Written(Persona):
    """Says how many turns it has heard, the last of them, and whether it is clean, or else in what manner; as slowly as
    `seconds`, and not before it is `free`."""

    seconds = 0.0
    manner = ""
    free = threading.Event()
    asked: ClassVar[list[str]] = []

    def reply_batch(
        self,
        requests: Sequence[Request],
        options: ChatSettings = DEFAULT_OPTIONS,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Reply]:
        conversations = [request.conversation for request in requests]
        self.asked.extend(conversation.turns[-1].text for conversation in conversations)
        time.sleep(self.seconds)
        assert self.free.wait(60)
        found = []
        for conversation in conversations:
            if conversation.turns[-1].text == "crash":
                raise RuntimeError("on purpose")
            manner = self.manner or ("clean" if options.clean else "free")
            text = f"{self.card.name} {manner} {len(conversation.turns)}: {conversation.turns[-1].text}"
            text += " x" * 1500 if conversation.turns[-1].text.endswith("at length") else ""
            found.append(Reply(text, (Candidate(text, 0, 0, 0, 0, 0),), conversation.add(text, self.card.name), 0.0))
        return found


@dataclass
class Stage:
    """A bot, the Discord that it is logged in to, and what it was made of."""

    discord: FakeDiscord
    bot: Bot
    store: Store

    async def heard(self, count: int, seconds: float = 60) -> list[str]:
        """What the bot said, once it has said so much."""
        return [one["content"] for one in await self.until(lambda: self.discord.messages, count, seconds)]

    async def until(self, list_of: Callable[[], list[Any]], count: int, seconds: float = 60) -> list[Any]:
        end = time.monotonic() + seconds
        while len(list_of()) < count:
            assert time.monotonic() < end, f"{len(list_of())} of {count}: {list_of()} {self.discord.faults}"
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert not self.discord.faults
        return list_of()

    async def told(self, name: str, /, **options: Any) -> str:
        """What a command is answered."""
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
    **settings: Any,
) -> AsyncIterator[Stage]:
    fake = fake or FakeDiscord()
    await fake.start()
    discord.http.Route.BASE = f"http://127.0.0.1:{fake.port}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://127.0.0.1:{fake.port}/")
    config = Config(discord=DiscordSettings(**{"persona": "ann", "cooldown": 0.0, "waiting": 100, **settings}))
    store = Store(f"sqlite:///{folder / 'bot.db'}")
    with BatchScheduler() as scheduler:
        bot = Bot(PersonaPool(lambda: Library(library.folders)), store, scheduler, config, add_commands, shards)
        bot._connection.guild_ready_timeout = 0.05
        running = asyncio.create_task(bot.start(token))
        try:
            ready = asyncio.create_task(bot.wait_until_ready())
            await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED, timeout=60)
            if running.done():
                ready.cancel()
                await running
            yield Stage(fake, bot, store)
        finally:
            _Written.free.set()
            await bot.close()
            await asyncio.gather(running, return_exceptions=True)
            store.close()
            await fake.stop()


@pytest.fixture(autouse=True)
def _written(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("bots.discord_bot.persona_pool.Persona", _Written)
    monkeypatch.setattr(_Written, "seconds", 0.0)
    monkeypatch.setattr(_Written, "asked", [])
    _Written.free.set()
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    yield
    discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = before


def run(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def inner(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return inner


@run
async def test_it_answers_mentions_direct_messages_and_replies_and_nothing_else(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        first = await on.discord.say(f"{ME} Tea?")
        assert await on.heard(1) == ["Ann clean 1: Tea?"]
        assert on.discord.messages[0]["answers"] == first
        await on.discord.say("not for you")
        await on.discord.say("Hello?", channel=9)
        await on.heard(2)
        answered = {**on.discord._made(1, "x"), "id": on.discord.messages[0]["id"]}
        await on.discord.say("And?", answers=answered)
        await on.discord.say(f"{ME}", bot=True)
        await on.discord.say(f"{ME} I am a face", webhook=True)
        await on.discord.say(f"{ME}")
        assert await on.heard(4) == ["Ann clean 1: Tea?", "Ann clean 1: Hello?", "Ann clean 3: And?", "Ann clean 5: Hey!"]
        assert not on.discord.faults


@run
async def test_nobody_is_pinged_and_long_answers_arrive(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} @everyone <@4000> at length")
        heard = await on.heard(2)
        assert "".join(heard).count("x") == 1500


@run
async def test_channels_do_not_mix_and_a_flood_is_answered_or_told_so(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord(channels=dict.fromkeys(range(100, 150), False))
    async with stage(shared_library, tmp_path, fake, waiting=5):
        for number in range(20):
            for channel in fake.channels:
                await fake.say(f"{ME} mark{channel} {number}", channel=channel, author=channel)
        end = time.monotonic() + 60

        def settled() -> bool:
            told = sum(int(one["content"].split("left ")[1].split(" ")[0]) for one in fake.messages if "left" in one["content"])
            return told + sum("left" not in one["content"] for one in fake.messages) == 1000

        while not settled():
            assert time.monotonic() < end, len(fake.messages)
            await asyncio.sleep(0.05)
        for channel in fake.channels:
            said = [one["content"] for one in fake.messages if one["channel"] == channel and "left" not in one["content"]]
            assert all(f": mark{channel} " in one for one in said)
            numbers = [int(one.rsplit(" ", 1)[1]) for one in said]
            assert numbers == sorted(set(numbers))
        assert not fake.faults


@run
async def test_a_command_is_acknowledged_while_the_engine_is_busy_and_hearts_beat(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Written, "seconds", 4.0)
    async with stage(shared_library, tmp_path) as on:
        before = len(on.discord.heartbeats)
        await on.discord.say(f"{ME} Slow?")
        asked = await on.discord.command("chat", message="Me too")
        await on.until(lambda: on.discord.edits, 1, seconds=20)
        assert on.discord.said_to(asked)["type"] == 5
        assert on.discord.edits[0]["content"] == "> Me too\nAnn clean 3: Me too"
        # One each second: the thread that replies does not hold them up.
        assert len(on.discord.heartbeats) - before > 4


def _add(library: Library, name: str) -> None:
    """Another persona, who is Ann but for the name."""
    ann = library.folders[0] / "personas" / "ann"
    card = Path(shutil.copytree(ann, ann.with_name(name.lower()))) / "persona.json"
    card.write_text(card.read_text().replace('"name": "Ann"', f'"name": "{name}"'))


@run
async def test_commands(library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _add(library, "Bob")
    async with stage(library, tmp_path) as on:
        fake = on.discord
        assert "Ann (Demo)" in await on.told("persona", sub="list")
        assert "may manage" in await on.told("persona", sub="set", name="bob")
        assert "no zed" in await on.told("persona", sub="set", manager=True, name="zed")
        assert await on.told("persona", sub="set", manager=True, name="bob") == "Bob talks here now."
        assert await on.told("persona", sub="show") == "Bob from Demo, without profanity."
        asked = await fake.command("who", line="More tea?")
        completed = await fake.command("persona", sub="set", complete="name", name="bo")
        await on.until(lambda: [one for one in fake.callbacks if one["id"] == completed], 1)
        assert [one["value"] for one in fake.said_to(completed)["data"]["choices"]] == ["Bob"]
        assert "/persona" in await on.told("help")
        assert (await on.until(lambda: fake.told(asked), 1))[-1] == "Sorry, I lost my line. Try again?"
        assert "no line classifier" in caplog.text
        assert "nothing that is typed here is ever used for training" in await on.told("privacy")
        assert "deleted" in await on.told("forget-me")
        assert await on.told("reset") == "A new conversation."
        assert "content intent" in await on.told("settings", manager=True, mode="always")
        assert "temperature: 0.5" in await on.told("settings", manager=True, cooldown=0.0, temperature=0.5)
        await fake.say(f"{ME} Who are you?")
        assert await on.heard(1) == ["Bob clean 1: Who are you?"]
    async with stage(library, tmp_path) as on:
        await on.discord.say(f"{ME} Still?")
        assert await on.heard(1) == ["Bob clean 3: Still?"], "settings and conversation survive"
        assert on.discord.synced == [], "commands that did not change are not sent again"


@run
async def test_reset_and_forget_me_forget(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for number, command in enumerate(("reset", "forget-me")):
            await on.discord.say(f"{ME} Remember this")
            await on.heard(2 * number + 1)
            await on.told(command)
            await on.discord.say(f"{ME} What?")
            assert (await on.heard(2 * number + 2))[-1] == "Ann clean 1: What?"
            await on.told("reset")


@run
async def test_a_scene_is_bounded_and_can_be_stopped(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.discord_bot.scene.PAUSE", 0.01)
    _add(library, "Bob")
    async with stage(library, tmp_path) as on:
        lines = on.discord.edits
        assert "two to 4" in await on.told("scene", personas="ann")
        assert "no zed" in await on.told("scene", personas="ann, zed")
        assert "twice" in await on.told("scene", personas="ann, bob, Ann")
        assert await on.told("scene", personas="ann, bob", topic="Tea?", turns=3) == "*Ann and Bob: Tea?*"
        await on.until(lambda: lines, 3)
        assert [line["content"][:23] for line in lines] == [
            "**Ann**: Ann clean 1: T",
            "**Bob**: Bob clean 2: A",
            "**Ann**: Ann clean 3: B",
        ]
        await asyncio.sleep(0.1)
        assert len(lines) == 3
        monkeypatch.setattr("bots.discord_bot.scene.PAUSE", 60)
        await on.told("scene", personas="bob,ann")
        await on.until(lambda: lines, 4)
        assert "on already" in await on.told("scene", personas="bob,ann")
        assert await on.told("stop") == "Cut!"
        assert await on.told("stop") == "No scene is on."
        await on.told("scene", personas="bob,ann")
        await on.told("settings", manager=True, mode="off")
        await asyncio.sleep(0.1)
        assert not on.bot.stages.stop(1), "where nobody talks no scene goes on"
        await on.told("settings", manager=True, mode="mentions")
        await on.told("scene", personas="bob,ann")
        await on.told("settings", manager=True, roles="<@&71>")
        assert await on.told("stop") == "Cut!", "whoever it is"


@run
@pytest.mark.parametrize("expired", [False, True])
async def test_a_scene_that_fails_says_so(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expired: bool
) -> None:
    monkeypatch.setattr("bots.discord_bot.scene.PAUSE", 0.01)
    _add(library, "Bob")
    async with stage(library, tmp_path) as on:
        _Written.free.clear()
        await on.told("scene", personas="ann, bob", topic="crash")
        on.discord.expired = expired
        monkeypatch.setattr(discord.Interaction, "is_expired", lambda interaction: expired)
        _Written.free.set()
        (said,) = await on.until(lambda: on.discord.messages if expired else on.discord.edits, 1)
        assert said["content"] == "Sorry, I lost my line. Try again?"


@run
async def test_a_command_that_came_too_late_is_no_crash(
    shared_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(shared_library, tmp_path) as on:
        on.discord.late = True
        for command in ("help", "reset"):
            await on.discord.command(command)
        await on.until(lambda: [one for one in caplog.records if "a command failed" in one.message], 2)
        gc.collect()
        assert {one.levelname for one in caplog.records if one.name in ("charbot.discord", "asyncio")} == {"WARNING"}


@run
async def test_mature_personas_keep_to_age_restricted_channels(library: Library, tmp_path: Path) -> None:
    card = library.folders[0] / "personas" / "ann" / "persona.json"
    card.write_text(card.read_text().replace('"general"', '"mature"'))
    async with stage(library, tmp_path) as on:
        await on.discord.say(f"{ME} Hi")
        assert await on.heard(1) == ["Ann clean 1: Hi"]
        await on.discord.say(f"{ME} Hi", channel=18)
        assert (await on.heard(2))[1] == "Ann free 1: Hi"
        await on.told("settings", manager=True, clean=False)
        await on.discord.say(f"{ME} Hi")
        assert "age-restricted" in (await on.heard(3))[2]


@run
async def test_a_dropped_line_is_taken_up_again_and_nothing_missed(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.drop()
        await on.discord.say(f"{ME} Missed?")
        assert await on.heard(1, seconds=30) == ["Ann clean 1: Missed?"]
        assert (on.discord.resumed, on.discord.identified) == (1, 1)


@run
async def test_limits_and_failures_of_discord_are_survived(shared_library: Library, tmp_path: Path) -> None:
    troubles = iter(
        [
            _answer({"retry_after": 0.1, "global": False, "message": "slow"}, 429, {"Via": "1", "X-RateLimit-Scope": "user"}),
            _answer({"message": "bad gateway"}, 502),
            None,
            _answer({"message": "Missing Permissions", "code": 50013}, 403),
        ]
    )

    def refuse(method: str, path: str) -> web.Response | None:
        return next(troubles, None) if path.endswith("messages") else None

    async with stage(shared_library, tmp_path) as on:
        on.discord.refuse = refuse
        await on.discord.say(f"{ME} One")
        assert await on.heard(1, seconds=20) == ["Ann clean 1: One"]
        await on.discord.say(f"{ME} Two")
        await on.discord.say(f"{ME} Three", channel=2)
        assert (await on.heard(2))[1] == "Ann clean 1: Three"


@run
async def test_where_it_may_not_write_it_tries_nothing_and_admins_are_told(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, FakeDiscord(mute={1})) as on:
        await on.discord.say(f"{ME} Hello?")
        await on.discord.say(f"{ME} Tea?", channel=2)
        assert await on.heard(1) == ["Ann clean 1: Tea?"]
        assert _Written.asked == ["Tea?"]
        for text in (
            await on.told("persona", sub="set", manager=True, name="ann"),
            await on.told("settings", manager=True),
        ):
            assert "give me the permission Send Messages" in text
        assert await on.told("persona", sub="set", manager=True, name="ann", channel=2) == "Ann talks here now."


@run
async def test_an_error_is_apologised_for_and_the_next_message_answered(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} crash")
        await on.discord.say(f"{ME} Still there?")
        heard = await on.heard(2)
        assert heard[0].startswith("Sorry")
        assert heard[1].endswith(": Still there?")


@run
@pytest.mark.parametrize("faces", [False, True])
async def test_a_broken_line_costs_no_answer(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faces: bool
) -> None:
    monkeypatch.setattr("bots.discord_bot.retry.PAUSES", (0.01, 0.01))
    broken: list[Any] = ["reset", None, "reset", "overloaded", None]

    def refuse(method: str, path: str) -> web.Response | None:
        sends = method == "POST" and ("webhooks/" in path if faces else path.endswith("messages"))
        trouble = broken.pop(0) if sends and broken else None
        if trouble == "reset":
            raise asyncio.CancelledError
        return _answer({"message": "overloaded"}, 503) if trouble else None

    async with stage(shared_library, tmp_path) as on:
        if faces:
            await on.told("settings", manager=True, faces=True)
        on.discord.refuse = refuse
        for text in ("One", "Two", "Three"):
            await on.discord.say(f"{ME} {text}")
        assert await on.heard(3) == ["Ann clean 1: One", "Ann clean 3: Two", "Ann clean 5: Three"]
        assert not broken


@run
async def test_what_discord_took_and_called_an_error_is_not_said_twice(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord_bot.retry.PAUSES", (0.01, 0.01))
    spoiled: list[str] = []
    # Nor can what was said be read at first.
    unread = [True]

    def spoil(method: str, path: str) -> web.Response | None:
        if method != "POST" or "webhooks/" not in path or len(spoiled) == 2:
            return None
        spoiled.append(path)
        return _answer({"message": "Internal Server Error"}, 500)

    def refuse(method: str, path: str) -> web.Response | None:
        return _answer({}, 501) if method == "GET" and path.endswith("messages") and unread and unread.pop() else None

    async with stage(shared_library, tmp_path) as on:
        await on.told("settings", manager=True, faces=True)
        on.discord.spoil, on.discord.refuse = spoil, refuse
        for text in ("One", "Two", "Three"):
            await on.discord.say(f"{ME} {text}")
        assert await on.heard(3) == ["Ann clean 1: One", "Ann clean 3: Two", "Ann clean 5: Three"]
        await on.until(lambda: on.store.turns(1, 9), 6)
        assert len(on.discord.messages) == 3
        assert len(spoiled) == 2
        assert not unread


@run
async def test_the_log_keeps_the_webhooks_tokens(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bots.discord_bot.retry.PAUSES", ())
    async with stage(shared_library, tmp_path) as on:
        await on.told("settings", manager=True, faces=True)
        on.discord.refuse = lambda method, path: _answer({}, 500) if method == "POST" and "webhooks/" in path else None
        await on.discord.say(f"{ME} One")
        await on.until(lambda: [record for record in caplog.records if "could be sent" in record.message], 1)
    assert "Discord answers 500" in caplog.text
    assert on.discord.webhooks[0]["token"] not in caplog.text


@run
async def test_what_cannot_be_sent_for_long_is_sent_after_the_next_start(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord_bot.retry.PAUSES", (0.01,))
    fake = FakeDiscord(refuse=lambda method, path: _answer({}, 503) if path.endswith("channels/1/messages") else None)
    async with stage(shared_library, tmp_path, fake) as on:
        await fake.say(f"{ME} One")
        await on.until(lambda: _Written.asked, 1)
        await fake.say(f"{ME} Elsewhere", channel=2)
        await on.heard(1)
        await on.until(lambda: [] if 1 in on.bot._desk._queues else [True], 1)
    fake.refuse = lambda method, path: None
    async with stage(shared_library, tmp_path, fake) as on:
        assert (await on.heard(2))[1] == "Ann clean 1: One"
        assert _Written.asked == ["One", "Elsewhere"], "it is the answer that could not be sent"


@run
async def test_who_is_forgotten_in_the_middle_of_an_answer_is_forgotten(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Written, "seconds", 0.5)
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} A secret")
        await on.discord.say(f"{ME} Another")
        await asyncio.sleep(0.1)
        await on.told("forget-me")
        await on.heard(2)
        assert on.store.turns(1, 99) == []
        await on.discord.say(f"{ME} What was it?")
        assert (await on.heard(3))[2] == "Ann clean 1: What was it?"


@run
@pytest.mark.parametrize("how", ["a stranger", "elsewhere", "room"])
async def test_an_answer_in_hand_is_remembered_whatever_becomes_of_other_conversations(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("bots.discord_bot.bot._REFRESH_SECONDS", 0.05)
    async with stage(shared_library, tmp_path) as on:
        _Written.free.clear()
        await on.discord.say(f"{ME} Tea?")
        await on.until(lambda: _Written.asked, 1)
        if how == "a stranger":
            await on.told("forget-me", author=4001, channel=2)
        elif how == "elsewhere":
            known = on.bot.conversations._known
            monkeypatch.setattr(on.store, "forget_older", lambda days: set())
            on.store.forget_user(4001)
            await on.until(lambda: [] if known else [True], 1)
        else:
            on.bot.conversations._known.clear()
        _Written.free.set()
        await on.heard(1)
        await on.discord.say(f"{ME} And milk?")
        assert (await on.heard(2))[1] == "Ann clean 3: And milk?"


@run
async def test_turns_are_written_in_order_once_the_database_is_back(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        emptied = _full_disk(on, monkeypatch)
        for number, channel in enumerate((1, 2, 1, 18, 18)):
            await on.discord.say(f"{ME} {number}", channel=channel, author=5000 + channel)
            await on.heard(number + 1)
        emptied.set()
        await on.told("reset", channel=2)
        await on.told("forget-me", author=5018)
        await on.discord.say(f"{ME} last")
        await on.heard(6)
        await on.until(lambda: on.store.turns(1, 9), 6)
        assert [turn.text for turn in on.store.turns(1, 9)][::2] == ["0", "2", "last"]
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    assert (store.turns(2, 9), store.turns(18, 9)) == ([], []), "what was forgotten is not written later"
    store.close()


@run
async def test_turns_that_could_not_be_written_are_written_when_it_leaves(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        emptied = _full_disk(on, monkeypatch)
        await on.discord.say(f"{ME} Tea?")
        await on.heard(1)
        emptied.set()
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    assert [turn.text for turn in store.turns(1, 9)] == ["Tea?", "Ann clean 1: Tea?"]
    store.close()


def _full_disk(on: Stage, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No answer can be noted until it is set."""
    write, emptied = on.store.answered, threading.Event()

    def answered(*args: Any, **kwargs: Any) -> None:
        if not emptied.is_set():
            raise StoreError("the disk is full")
        write(*args, **kwargs)

    monkeypatch.setattr(on.store, "answered", answered)
    return emptied


@run
async def test_what_another_process_let_expire_is_forgotten_here_too(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord_bot.bot._REFRESH_SECONDS", 0.05)
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} A secret")
        await on.heard(1)
        on.store.forget_older(-1)
        later = SimpleNamespace(time=lambda: time.time() + 8 * 86_400, monotonic=time.monotonic)
        monkeypatch.setattr("bots.discord_bot.conversations.time", later)
        await on.until(lambda: [] if on.bot.conversations._known else [True], 1)
        await on.discord.say(f"{ME} What was it?")
        assert (await on.heard(2))[1] == "Ann clean 1: What was it?"


@run
async def test_what_was_forgotten_before_it_started_is_no_news(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord_bot.bot._REFRESH_SECONDS", 0.05)
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    store.forget_user(4001)
    store.close()
    async with stage(shared_library, tmp_path) as on:
        assert await on.bot._disk.run(on.bot.conversations._forget_old) == (set(), False)


@run
async def test_what_says_nothing_is_a_greeting_and_leaves_the_conversation_whole(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} Tea?", author=5)
        await on.discord.say(f"{ME} \u200b", author=6)
        await on.heard(2)
        assert [(turn.author, turn.text) for turn in on.store.turns(1, 9)] == [
            (5, "Tea?"), (5, "Ann clean 1: Tea?"), (6, "Hey!"), (6, "Ann clean 3: Hey!"),
        ]  # fmt: skip


@run
async def test_who_may_manage_one_channel_may_not_manage_the_server(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        assert "whole server" in await on.told("persona", sub="set", manager=True, name="ann", everywhere=True)
        assert "whole server" in await on.told("settings", manager=True, temperature=0.5, everywhere=True)
        assert await on.told("persona", sub="set", author=OWNER, manager=True, name="ann", everywhere=True) == (
            "Ann talks in this server now."
        )


@run
async def test_admins_choose_where_it_talks_and_with_whom(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        boss: dict[str, Any] = {"manager": True, "author": OWNER}
        assert "mode: off" in await on.told("settings", **boss, mode="off", everywhere=True)
        await on.told("settings", **boss, mode="mentions", channel=2)
        await on.discord.say(f"{ME} Hello?")
        for command in ("chat", "say", "who", "scene", "reset"):
            options = {"chat": {"message": "x"}, "say": {"persona": "ann", "message": "x"}, "who": {"line": "x"}}
            options["scene"] = {"personas": "ann, ann"}
            assert "do not talk in this channel" in await on.told(command, **options.get(command, {}))
        await on.discord.say(f"{ME} Tea?", channel=2)
        assert await on.heard(1) == ["Ann clean 1: Tea?"]
        assert "mode: mentions" in await on.told("settings", **boss, inherit="mode", everywhere=True)
        assert "Either set mode" in await on.told("settings", **boss, inherit="mode", mode="off")
        assert "Mention the roles" in await on.told("settings", **boss, roles="friends")
        assert "roles: <@&71> <@&72>" in await on.told("settings", **boss, roles="<@&71>, <@&72>")
        assert "Nobody with your roles" in await on.told("reset")
        assert "roles: @everyone" in await on.told("settings", **boss, roles=f"<@&{GUILD}>")
        await on.told("settings", **boss, roles="<@&71>")
        assert "roles: @everyone" in await on.told("settings", **boss, inherit="roles")
        assert await on.told("reset") == "A new conversation."
    assert set(get_args(Setting)) == {one.name for one in fields(ChannelSettings)}


@run
async def test_who_asks_too_soon_is_told_so_and_who_was_refused_may_ask_again(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord_bot.bot._NOTICE_SECONDS", 0.01)
    _add(library, "Bob")
    async with stage(library, tmp_path, cooldown=3600.0, waiting=1) as on:
        for command, option in (("who", {"line": "x"}), ("scene", {"personas": "ann, bob", "turns": 2})):
            author = 6000 + len(command)
            await on.told(command, author=author, **option)
            assert "One at a time" in await on.told(command, author=author, channel=2, **option)
        _Written.free.clear()
        for author in (5001, 5002, 5003):
            await on.discord.say(f"{ME} {author}", author=author)
        assert "left 1" in (await on.heard(1))[0]
        _Written.free.set()
        await on.heard(3)
        await on.discord.say(f"{ME} Now?", author=5003)
        assert (await on.heard(4))[3].endswith("Now?")
        answered = {**on.discord._made(1, "x"), "id": on.discord.messages[-1]["id"]}
        await on.discord.say("You cannot read this", answers=answered, ping=False, author=5003)
        await on.discord.say("Nor this", answers=answered, ping=False, author=5004)
        assert (await on.heard(5))[4].startswith("Mention me")
        await on.discord.say(f"{ME} Then this", author=5004)
        assert (await on.heard(6))[5].endswith("Then this")


@run
async def test_who_would_have_said_it_keeps_no_answer_waiting(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        found = threading.Event()
        monkeypatch.setattr(on.bot.cast, "who_said", lambda line: [("Ann", 1.0)] if found.wait(60) else [])
        asked = [await on.discord.command("who", author=7000 + number, line="x") for number in range(40)]
        try:
            await on.discord.say(f"{ME} Tea?")
            await on.heard(1, 20)
            refused = await on.until(lambda: [one for one in asked if on.discord.told(one)], 32)
            assert {on.discord.told(one)[0] for one in refused} == {"Too many ask that at once; try again in a moment."}
        finally:
            found.set()
        await on.until(lambda: [one for one in asked if on.discord.told(one)], 40)
        assert sum("Ann: 100%" in on.discord.told(one)[0] for one in asked) == 8


@run
async def test_its_role_stands_for_it_and_what_is_no_language_is_left_out(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} <@&{ROLE}> Tea <:cup:123> or <a:mug:5>? <t:1618953630:R> </chat:9>")
        assert await on.heard(1) == ["Ann clean 1: Tea or ?"]
        await on.discord.say(f"<@&{ROLE}> Tea?")
        assert (await on.heard(2))[1].startswith("Mention me")
    async with stage(shared_library, tmp_path, FakeDiscord(granted=1 << 15), message_content=True) as on:
        await on.discord.say(f"<@&{ROLE}> Milk?")
        assert (await on.heard(1))[0].endswith(": Milk?")


@run
async def test_an_answer_that_cannot_be_read_is_told_so(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} Tea?")
        await on.heard(1)
        answered = {**on.discord._made(1, "x"), "id": on.discord.messages[0]["id"]}
        await on.discord.say("You cannot read this", answers=answered, ping=False)
        assert (await on.heard(2))[1].startswith("Mention me")


@run
async def test_commands_that_wait_when_it_leaves_are_told(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Written, "seconds", 1.0)
    monkeypatch.setattr("bots.discord_bot.bot._CLOSING_SECONDS", 0.1)
    async with stage(shared_library, tmp_path) as on:
        await on.discord.command("chat", message="One")
        await on.discord.command("say", message="Two", persona="ann")
        kept = await on.discord.say(f"{ME} Kept")
        await asyncio.sleep(0.3)
    assert [line["content"].splitlines()[-1][:19] for line in on.discord.edits] == ["I have to go for a "] * 2
    assert on.discord.messages == []
    async with stage(shared_library, tmp_path, on.discord) as on:
        assert await on.heard(1) == ["Ann clean 1: Kept"]
        assert on.discord.messages[0]["answers"] == kept


def _left_waiting(folder: Path, *waiting: PendingMessage) -> None:
    """What a bot leaves in its database that crashed before it had answered, or between noting a reply and sending it."""
    store = Store(f"sqlite:///{folder / 'bot.db'}")
    for one in waiting:
        store.receive(one)
    store.close()


@run
async def test_what_was_not_answered_before_a_crash_is_answered_once_after_it(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    _left_waiting(
        tmp_path,
        PendingMessage(50, GUILD, 1, 4000, "Before the crash"),
        PendingMessage(51, GUILD, 2, 4000, "Nearly sent", "Here I am."),
    )
    async with stage(shared_library, tmp_path, fake) as on:
        assert sorted(await on.heard(2)) == ["Ann clean 1: Before the crash", "Here I am."]
    async with stage(shared_library, tmp_path, fake) as on:
        await on.discord.say(f"{ME} Next")
        assert len(await on.heard(3)) == 3


@run
async def test_an_answer_that_was_sent_before_a_crash_is_not_sent_again_however_late(
    shared_library: Library, tmp_path: Path
) -> None:
    fake = FakeDiscord()
    hook = fake.add_webhook(2)["id"]
    fake.messages += [
        {"channel": 1, "content": "Here I am.", "answers": 50, "id": "60", "hook": None},
        {"channel": 2, "content": "So am I.", "answers": None, "id": "61", "hook": hook},
        {"channel": 18, "content": "Something else.", "answers": None, "id": "62", "hook": None},
    ]
    known = ((50, 1, "Here I am."), (51, 2, "So am I."), (52, 18, "And I."))
    _left_waiting(
        tmp_path, *(PendingMessage(message, GUILD, channel, 4000, "Where are you?", reply) for message, channel, reply in known)
    )
    async with stage(shared_library, tmp_path, fake) as on:
        assert (await on.heard(4))[3] == "And I."
        await on.until(lambda: [] if on.store.waiting(60) else [True], 1)
        assert [turn.text for turn in on.store.turns(1, 9)] == ["Where are you?", "Here I am."], "and it is remembered"
        assert len(fake.messages) == 4


@run
async def test_another_answer_that_came_after_a_message_is_not_taken_for_the_one_to_it(
    shared_library: Library, tmp_path: Path
) -> None:
    fake = FakeDiscord()
    hook = fake.add_webhook(2)["id"]
    fake.messages += [
        {"channel": 1, "content": "Here I am.", "answers": 49, "id": "60", "hook": None},
        {"channel": 2, "content": "Not I.", "answers": None, "id": "61", "hook": hook},
    ]
    known = ((50, 1, "Here I am."), (51, 2, "So am I."))
    _left_waiting(
        tmp_path, *(PendingMessage(message, GUILD, channel, 4000, "Where are you?", reply) for message, channel, reply in known)
    )
    async with stage(shared_library, tmp_path, fake) as on:
        assert sorted((await on.heard(4))[2:]) == ["Here I am.", "So am I."]


@run
async def test_all_that_waits_at_the_start_is_answered_before_what_is_said_then(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    fake.greeting = lambda: fake.say(f"{ME} new")
    _left_waiting(tmp_path, *(PendingMessage(message, GUILD, 1, 4000, f"old {message}") for message in range(50, 54)))
    async with stage(shared_library, tmp_path, fake, waiting=4) as on:
        assert [text.split(": ")[1] for text in await on.heard(5)] == ["old 50", "old 51", "old 52", "old 53", "new"]


@run
async def test_more_than_may_wait_are_answered_after_a_start(shared_library: Library, tmp_path: Path) -> None:
    _left_waiting(tmp_path, *(PendingMessage(message, GUILD, 1, 4000, f"old {message}") for message in range(50, 54)))
    async with stage(shared_library, tmp_path, waiting=1) as on:
        assert [text[-2:] for text in await on.heard(4)] == ["50", "51", "52", "53"]
        await on.until(lambda: [] if on.store.waiting(60) else [True], 1)


@run
async def test_what_discord_tells_twice_is_answered_once(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} Tea?", twice=True)
        await on.discord.say(f"{ME} And?")
        assert await on.heard(2) == ["Ann clean 1: Tea?", "Ann clean 3: And?"]


@run
async def test_what_could_not_be_noted_before_its_answer_is_remembered_after_it(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        receive, full = on.store.receive, [True]
        monkeypatch.setattr(on.store, "receive", lambda one: _raise(StoreError("the disk is full")) if full else receive(one))
        _Written.free.clear()
        await on.discord.say(f"{ME} Tea?")
        await on.until(lambda: _Written.asked, 1)
        full.clear()
        _Written.free.set()
        await on.heard(1)
        await on.until(lambda: on.store.turns(1, 9), 2)
        assert on.store.waiting(60) == []


def _raise(error: Exception) -> None:
    raise error


@run
async def test_personas_speak_under_their_own_names(shared_library: Library, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`discord.avatars`: ann is 'me\.png'"):
        PersonaWebhooks({"ann": "me.png"})
    async with stage(shared_library, tmp_path, avatars={"Ann": "https://example.org/ann.png"}) as on:
        fake = on.discord
        fake.may_make_webhooks = False
        assert "Manage Webhooks" in await on.told("settings", manager=True, faces=True)
        fake.may_make_webhooks = True
        fake.add_webhook(1, own=False)
        assert "faces: True" in await on.told("settings", manager=True, faces=True)
        for count, text in ((1, "One"), (3, "Two at length")):
            await fake.say(f"{ME} {text}")
            await on.heard(count)
        assert [one.get("name") for one in fake.messages] == ["Ann", "Ann", "Ann"]
        assert {one["avatar"] for one in fake.messages} == {"https://example.org/ann.png"}
        assert [hook["user"] == _ME for hook in fake.webhooks] == [False, True], "one webhook of its own serves a channel"
        face = fake.messages[0]
        await fake.say("Three", answers=fake._made(1, face["content"], face["id"], face["hook"]), ping=False, author=4001)
        assert (await on.heard(4))[3] == "Mention me, please: other messages I cannot read."
        fake.webhooks.clear()
        await fake.say(f"{ME} Four")
        assert (await on.heard(5))[4].endswith("Four"), "a webhook that was deleted is made anew"
        assert len(fake.webhooks) == 1


@run
@pytest.mark.parametrize("told", [True, False])
async def test_a_webhook_that_was_moved_says_nothing_where_it_does_not_belong(
    shared_library: Library, tmp_path: Path, told: bool
) -> None:
    async with stage(shared_library, tmp_path, FakeDiscord(threads={30: 1})) as on:
        fake = on.discord
        await on.told("settings", manager=True, faces=True)
        await fake.say(f"{ME} One")
        await on.heard(1)
        await fake.move_webhook(0, 2, told=told)
        await fake.say(f"{ME} Two")
        await on.heard(2)
        await fake.move_webhook(1, 2, told=told)
        await fake.say(f"{ME} Three", channel=30)
        assert (await on.heard(3))[2].endswith(" 1: Three")
        assert [(one["channel"], one["name"]) for one in fake.messages] == [(1, "Ann"), (1, "Ann"), (30, "Ann")]


@run
async def test_a_channel_waits_for_no_other_to_get_its_webhook(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.told("settings", manager=True, faces=True, everywhere=True, author=OWNER)
        made, free = discord.TextChannel.create_webhook, asyncio.Event()

        async def slow(room: discord.TextChannel, **kwargs: Any) -> discord.Webhook:
            if room.id == 1:
                await free.wait()
            return await made(room, **kwargs)

        monkeypatch.setattr(discord.TextChannel, "create_webhook", slow)
        await on.discord.say(f"{ME} Slow")
        await on.discord.say(f"{ME} Quick", channel=2)
        assert await on.heard(1) == ["Ann clean 1: Quick"]
        free.set()
        await on.heard(2)


@run
async def test_a_name_that_discord_keeps_for_itself_is_a_face_all_the_same(library: Library, tmp_path: Path) -> None:
    _add(library, "Clyde")
    async with stage(library, tmp_path, persona="clyde") as on:
        await on.told("settings", manager=True, faces=True)
        await on.discord.say(f"{ME} Hi")
        await on.heard(1)
        assert on.discord.messages[0]["name"] == "C\u200alyde"


@run
async def test_names_that_are_too_long_are_completed_in_part(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        on.bot.cast._members["long"] = PersonaInfo("long" * 30, "Demo", False)
        completed = await on.discord.command("persona", sub="set", complete="name", name="long")
        await on.until(lambda: [one for one in on.discord.callbacks if one["id"] == completed], 1)
        (choice,) = on.discord.said_to(completed)["data"]["choices"]
        assert [len(choice["name"]), len(choice["value"])] == [100, 100]


@run
async def test_where_no_webhook_can_be_made_charbot_answers_itself(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        fake = on.discord
        await on.told("settings", manager=True, faces=True, everywhere=True)
        for _ in range(15):
            fake.add_webhook(1, own=False)
        first = await fake.say(f"{ME} One")
        assert await on.heard(1) == ["Ann clean 1: One"]
        assert fake.messages[0]["answers"] == first
        fake.refuse = lambda method, path: (
            _answer({"message": "Missing Permissions", "code": 50013}, 403) if path.endswith("webhooks") else None
        )
        second = await fake.say(f"{ME} Two", channel=2)
        await on.heard(2)
        assert fake.messages[1]["answers"] == second


@run
async def test_of_several_processes_on_a_database_each_answers_for_its_own_servers(
    shared_library: Library, tmp_path: Path
) -> None:
    other = next(guild for guild in (number << 22 for number in range(9)) if guild >> 22 & 1 != GUILD >> 22 & 1)
    _left_waiting(
        tmp_path, *(PendingMessage(message, guild, 1, 4000, f"In {guild}") for message, guild in ((50, GUILD), (51, other)))
    )
    mine = Shards(((GUILD >> 22) % 2,), 2)
    async with stage(shared_library, tmp_path, shards=mine) as on:
        assert await on.heard(1) == [f"Ann clean 1: In {GUILD}"]
        await asyncio.sleep(0.1)
        assert [one.guild for one in on.store.waiting(60)] == [other]


@run
async def test_answers_in_hand_are_finished_when_it_leaves(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Written, "seconds", 0.5)
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} Wait for me")
        await asyncio.sleep(0.2)
    assert [one["content"] for one in on.discord.messages] == ["Ann clean 1: Wait for me"]


@run
async def test_a_bad_token_and_a_missing_intent_are_told_apart(shared_library: Library, tmp_path: Path) -> None:
    with pytest.raises(discord.LoginFailure):
        async with stage(shared_library, tmp_path, token="wrong"):
            pass
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with stage(shared_library, tmp_path, message_content=True):
            pass
    async with stage(shared_library, tmp_path, FakeDiscord(granted=1 << 15), message_content=True) as on:
        await on.told("settings", manager=True, mode="always")
        await on.discord.say("for all of you")
        assert await on.heard(1) == ["Ann clean 1: for all of you"]


@run
async def test_the_last_reply_can_be_another_one(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(library, tmp_path) as on:
        fake, said = on.discord, on.discord.messages
        await fake.say(f"{ME} One")
        await fake.say(f"{ME} Two")
        await on.heard(2)
        monkeypatch.setattr(_Written, "manner", "again")
        stranger = await fake.press(said[1], author=4001)
        await on.until(lambda: fake.told(stranger), 1)
        assert fake.told(stranger) == ["That button is for somebody else."]
        assert said[1]["content"] == "Ann clean 3: Two"
        early = await fake.press(said[0])
        await on.until(lambda: fake.told(early), 1)
        assert "moved on" in fake.told(early)[0]
        await fake.press(said[1])
        await on.until(lambda: [one for one in said if one["content"] == "Ann again 3: Two"], 1)
        assert [turn.text for turn in on.store.turns(1, 9)] == ["One", "Ann clean 1: One", "Two", "Ann again 3: Two"]
    # The button under it works after a restart, has the same persona speak, and what is remembered is what was said last.
    monkeypatch.setattr(_Written, "manner", "later")
    _add(library, "Bob")
    async with stage(library, tmp_path, fake) as on:
        for change, why in ((ChannelSettings(roles=(1,)), "your roles"), (ChannelSettings(mode="off"), "do not talk")):
            await on.bot.change_place(1, change)
            refused = await fake.press(said[1])
            await on.until(lambda refused=refused: fake.told(refused), 1)  # type: ignore[misc]
            assert why in fake.told(refused)[0]
        await on.bot.change_place(1, ChannelSettings(mode="mentions"))
        await on.bot.change_place(1, ChannelSettings(roles=()))
        await fake.command("persona", sub="set", name="bob", manager=True)
        await fake.press(said[1])
        await on.until(lambda: [one for one in said if one["content"] == "Ann later 3: Two"], 1)
        await fake.say(f"{ME} Three")
        assert (await on.heard(3))[2] == "Bob later 5: Three"


@run
async def test_a_reply_to_a_command_and_one_by_a_webhook_can_be_others(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        fake = on.discord
        await on.told("settings", manager=True, faces=True)
        await on.told("chat", message="One")
        await fake.say(f"{ME} Two", channel=2)
        monkeypatch.setattr(_Written, "manner", "again")
        (buttons,) = [edit["components"][0]["components"] for edit in fake.edits if edit.get("components")]
        answer = {"channel": 1, "content": "> One\nAnn clean 1: One", "id": "77", "hook": None, "buttons": buttons}
        await fake.press(answer)
        await on.until(lambda: [True] if answer["content"] == "> One\nAnn again 1: One" else [], 1)
        await on.told("settings", manager=True, faces=True, channel=2)
        await fake.say(f"{ME} Three", channel=2)
        await on.heard(2)
        assert fake.messages[1]["hook"]
        monkeypatch.setattr(_Written, "manner", "later")
        await fake.press(fake.messages[1])
        await on.until(lambda: [True] if fake.messages[1]["content"] == "Ann later 3: Three" else [], 1)


@run
async def test_it_joins_in_at_its_words_and_by_chance(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        assert "message content intent" in await on.told("settings", manager=True, wake="pizza")
    async with stage(shared_library, tmp_path, FakeDiscord(granted=1 << 15), message_content=True) as on:
        assert "wake: pizza, hey ann" in await on.told("settings", manager=True, wake="pizza, hey ann")
        for text in ("pizzas", "A PIZZA!", "Well, hey Ann."):
            await on.discord.say(text)
        assert await on.heard(2) == ["Ann clean 1: A PIZZA!", "Ann clean 3: Well, hey Ann."]
        assert "wake: -" in await on.told("settings", manager=True, wake="-", chance=1.0)
        await on.discord.say("Nobody")
        assert (await on.heard(3))[2] == "Ann clean 5: Nobody"
        await on.told("settings", manager=True, chance=0.0)
        await on.discord.say("pizza")
        await on.discord.say(f"{ME} Enough")
        assert (await on.heard(4))[3] == "Ann clean 7: Enough"


@run
@pytest.mark.parametrize("how", ["elsewhere", "age"])
async def test_what_is_forgotten_elsewhere_or_old_is_forgotten_here_too(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("bots.discord_bot.bot._REFRESH_SECONDS", 0.05)
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} A secret")
        await on.heard(1)
        if how == "elsewhere":
            other = Store(f"sqlite:///{tmp_path / 'bot.db'}")
            other.forget_user(4000)
            other.close()
        else:
            later = SimpleNamespace(time=lambda: time.time() + 8 * 86_400, monotonic=time.monotonic)
            monkeypatch.setattr("bots.discord_bot.store.time", later)
        await on.until(lambda: [] if on.bot.conversations._known else [True], 1)
        await on.discord.say(f"{ME} What was it?")
        assert (await on.heard(2))[1] == "Ann clean 1: What was it?"


@run
async def test_a_scene_says_that_it_ends_when_charbot_leaves(library: Library, tmp_path: Path) -> None:
    _add(library, "Bob")
    async with stage(library, tmp_path) as on:
        await on.told("scene", personas="bob,ann")
        await on.until(lambda: on.discord.edits, 1)
    assert on.discord.edits[-1]["content"] == "I have to go for a moment. Ask me again in a minute."


@run
async def test_what_is_said_while_it_closes_is_answered_after_it(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Written, "seconds", 3.0)
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} One")
        await asyncio.sleep(0.3)
        closing = asyncio.create_task(on.bot.close())
        await asyncio.sleep(0.1)
        await on.discord.say(f"{ME} Two", channel=2)
        asked = await on.discord.command("chat", message="Three", channel=2)
        await closing
    monkeypatch.setattr(_Written, "seconds", 0.0)
    assert [one["content"] for one in on.discord.messages] == ["Ann clean 1: One"]
    assert [text.splitlines()[1][:16] for text in on.discord.told(asked)] == ["I have to go for"]
    async with stage(shared_library, tmp_path, on.discord) as on:
        assert (await on.heard(2))[1] == "Ann clean 1: Two"


@run
async def test_a_database_that_is_away_costs_the_turns_before_and_no_more(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} One")
        await on.heard(1)
        on.bot.conversations._known.clear()
        with monkeypatch.context() as away:
            away.setattr(on.store, "_rests_until", time.monotonic() + 60)
            await on.discord.say(f"{ME} Two")
            assert (await on.heard(2))[1] == "Ann clean 1: Two"
            assert await on.told("reset") == "Sorry, I lost my line. Try again?"
        await on.discord.say(f"{ME} Three")
        assert (await on.heard(3))[2] == "Ann clean 3: Three"
