"""Deletion of the data of servers, channels and threads that are gone."""

import asyncio
from pathlib import Path

from bots.discord_bot.bot import Shards
from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.store import PendingMessage, Store, StoredTurn
from bots.discord_bot.timings import Timings
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import APP, BOT, GUILD, FakeDiscord
from tests.bots.discord_bot.harness import ME, Stage, run, stage

_LEFT = GUILD + (1 << 22)
"""Of another shard than GUILD where there are several."""


async def _settle(on: Stage, channel: int) -> None:
    """A channel has settings, and a conversation."""
    before = len(on.discord.messages)
    await on.discord.say(f"{ME} Hi", channel=channel)
    await on.heard(before + 1)
    await on.bot.services.settings.change(channel, GUILD, ChannelSettings(clean=False))
    await on.until(lambda: on.store.turns(channel, 9), 2)


def _left(folder: Path) -> Store:
    """A database that knows a server which the bot is not in any more."""
    store = Store(f"sqlite:///{folder / 'bot.db'}", APP)
    store.set_place(_LEFT, ChannelSettings(clean=True), _LEFT)
    store.set_place(70, ChannelSettings(clean=False), _LEFT)
    store.set_place(71, ChannelSettings(clean=False))
    store.answered(None, 70, [StoredTurn(5, None, "Hi")], keep=9, guild=_LEFT)
    store.answered(None, 71, [StoredTurn(5, None, "A direct message")], keep=9)
    store.receive(PendingMessage(10, _LEFT, 70, 5, "Tea?"))
    return store


@run
async def test_what_belongs_to_another_bot_stays(shared_library: Library, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    other = Store(url, APP + 7)
    other.set_place(_LEFT, ChannelSettings(clean=True), _LEFT)
    other.set_place(1, ChannelSettings(temperature=0.5), GUILD)
    other.answered(None, 1, [StoredTurn(4000, None, "Hi")], keep=9, guild=GUILD)
    other.receive(PendingMessage(10, GUILD, 1, 4000, "Tea?"))
    async with stage(shared_library, tmp_path) as on:
        await _settle(on, 1)
        assert on.discord.messages[0]["content"] == "Ann clean 1: Hi", "that conversation was with another"
        await on.told("forget-me")
        await on.told("reset")
        await on.discord._dispatch("CHANNEL_DELETE", {"id": "1", "guild_id": str(GUILD), "type": 0, "name": "channel-1"})
        await on.until(lambda: [] if on.store.places() else [True], 1)
        assert await on.bot.services.conversations.forget_departed() is False
    assert other.places() == {_LEFT: ChannelSettings(clean=True), 1: ChannelSettings(temperature=0.5)}
    assert other.turns(1, 9) == [StoredTurn(4000, None, "Hi")]
    assert [message.text for message in other.waiting(60)] == ["Tea?"]
    other.close()


@run
async def test_a_server_that_is_left_is_forgotten_after_some_days(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, timings=Timings(refresh=0.05)) as on:
        settings = on.bot.services.settings
        await _settle(on, 1)
        await settings.change(GUILD, GUILD, ChannelSettings(clean=True))
        await on.discord._dispatch("GUILD_DELETE", {"id": str(GUILD)})
        await on.until(lambda: [True] if on.store.departed() else [], 1)
        on.clock.ahead = 6 * 86_400
        await asyncio.sleep(0.2)
        assert set(on.store.places()) == {1, GUILD}
        on.clock.ahead = 8 * 86_400
        await on.until(lambda: [] if settings.places else [True], 1)
        assert on.store.places() == {}
        assert on.store.turns(1, 9) == []
        assert on.store.departed() == set()


@run
async def test_a_server_that_takes_it_back_is_as_before(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    async with stage(shared_library, tmp_path, fake) as on:
        await _settle(on, 1)
        await fake._dispatch("GUILD_DELETE", {"id": str(GUILD)})
        await on.until(lambda: [True] if on.store.departed() else [], 1)
    async with stage(shared_library, tmp_path, fake) as on:
        await on.until(lambda: [] if on.store.departed() else [True], 1)
        on.clock.ahead = 8 * 86_400
        assert on.store.forget_departed(7) == set()
        assert set(on.store.places()) == {1}


@run
async def test_servers_that_removed_the_bot_while_it_was_offline_are_noted(shared_library: Library, tmp_path: Path) -> None:
    store = _left(tmp_path)
    async with stage(shared_library, tmp_path, timings=Timings(refresh=0.05)) as on:
        await on.until(lambda: list(store.departed()), 1)
        assert store.departed() == {_LEFT}
        assert set(on.bot.services.settings.places) == {_LEFT, 70, 71}
        on.clock.ahead = 8 * 86_400
        await on.until(lambda: [] if 70 in on.bot.services.settings.places else [True], 1)
        assert store.places() == on.bot.services.settings.places == {71: ChannelSettings(clean=False)}
        assert store.turns(70, 9) == []
    store.close()


@run
async def test_what_other_processes_serve_stays(shared_library: Library, tmp_path: Path) -> None:
    store = _left(tmp_path)
    async with stage(shared_library, tmp_path, shards=Shards(((GUILD >> 22) % 2,), 2)) as on:
        await _settle(on, 1)
        assert set(store.places()) == {1, _LEFT, 70, 71}
        assert [turn.text for turn in store.turns(70, 9)] == ["Hi"]
    store.close()


@run
async def test_a_channel_or_thread_that_is_deleted_leaves_nothing(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for channel in (1, 2):
            await _settle(on, channel)
        await on.discord._dispatch("CHANNEL_DELETE", {"id": "1", "guild_id": str(GUILD), "type": 0, "name": "channel-1"})
        await on.until(lambda: [] if 1 in on.store.places() else [True], 1)
        assert on.store.turns(1, 9) == []
        assert set(on.bot.services.settings.places) == {2}
        # Discord tells of threads by their ids alone.
        await on.discord._dispatch("THREAD_DELETE", {"id": "2", "guild_id": str(GUILD), "parent_id": "18", "type": 11})
        await on.until(lambda: [] if 2 in on.store.places() else [True], 1)
        assert on.store.turns(2, 9) == []
        assert on.bot.services.settings.places == {}


@run
async def test_a_private_thread_that_it_left_is_forgotten(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord(threads={30: 1, 31: 1}, private={30})
    async with stage(shared_library, tmp_path, fake) as on:
        for thread in (30, 31):
            await _settle(on, thread)
            gone = {"id": str(thread), "guild_id": str(GUILD), "removed_member_ids": [str(BOT)], "member_count": 1}
            await fake._dispatch("THREAD_MEMBERS_UPDATE", {**gone, "added_members": []})
        await on.until(lambda: [] if 30 in on.store.places() else [True], 1)
        assert on.store.turns(30, 9) == []
        assert set(on.store.places()) == {31}
