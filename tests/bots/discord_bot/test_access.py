"""The limits that the operator of a bot sets, and the commands for operators."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from bots.discord_bot.access import Access
from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.store import Store
from bots.discord_bot.timings import Timings
from charbot.config import DiscordSettings
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, OWNER, FakeDiscord, _answer
from tests.bots.discord_bot.harness import ME, run, stage

_OPERATOR = 8000


@run
async def test_settings_stay_within_the_operator_s_limits(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, cooldown=60.0, max_temperature=0.8) as on:
        for channel in (1, 9):
            told = await on.told("settings", manager=True, channel=channel, cooldown=1.0, temperature=1.5)
            assert "temperature: 0.8" in told
            assert "cooldown: 60.0" in told
        assert "cooldown: 90.0" in await on.told("settings", manager=True, cooldown=90.0)


@run
async def test_direct_messages_can_be_off(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, direct_messages=False, operators=(_OPERATOR,)) as on:
        await on.discord.say("Tea?", channel=9)
        await on.discord.say("Tea?", channel=9)
        await on.discord.say("Milk?", channel=9, author=_OPERATOR)
        assert await on.heard(2) == ["I talk in servers only.", "Ann clean 1: Milk?"]
        assert await on.told("say", where="group", persona="ann", message="x") == "I talk in servers only."


@run
async def test_who_is_blocked_is_not_answered(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, operators=(_OPERATOR,), blocked=(5001,)) as on:
        operator = {"author": _OPERATOR}
        assert await on.told("operator", sub="block", id="5002", **operator) == "5002 is blocked."
        for author in (5001, 5002):
            await on.discord.say(f"{ME} Tea?", author=author)
            assert "has blocked you" in await on.told("chat", author=author, message="Tea?")
        await on.discord.say(f"{ME} Milk?", author=5003)
        assert await on.heard(1) == ["Ann clean 1: Milk?"]
        stranger = await on.discord.press(on.discord.messages[0], author=5001)
        await on.until(lambda: on.discord.told(stranger), 1)
    async with stage(shared_library, tmp_path, FakeDiscord(), operators=(_OPERATOR,)) as on:
        assert "has blocked you" in await on.told("chat", author=5002, message="Tea?"), "a restart unblocks nobody"
        assert await on.told("operator", sub="unblock", id="5002", **operator) == "5002 is blocked no more."
        await on.discord.say(f"{ME} Now?", author=5002)
        await on.heard(1)
        await on.told("operator", sub="block", id=str(GUILD), **operator)
        assert "or this server" in await on.told("chat", author=5002, message="Tea?")
        for wrong in ("me", "9" * 5000):
            assert "That is no id" in await on.told("operator", sub="block", id=wrong, **operator)


@run
async def test_operators_look_after_a_bot(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, operators=(_OPERATOR,)) as on:
        assert "`discord.operators`" in await on.told("operator", sub="status", author=OWNER)
        operator = {"author": _OPERATOR}
        status = await on.told("operator", sub="status", **operator)
        assert status.startswith("health: well\nservers: 1\nlatency: ")
        assert await on.told("operator", sub="servers", **operator) == f"{GUILD} Demo: 2 members"
        before = len(on.discord.synced)
        assert "commands are registered" in await on.told("operator", sub="sync", **operator)
        assert len(on.discord.synced) == before + 1
        on.store.set_place(1, ChannelSettings(persona="ann"))
        told = await on.told("operator", sub="backup", **operator)
        (copy,) = tmp_path.glob("bot-backup-*.db")
        assert copy.name.replace("-", "") in told.replace("\\", "").replace("-", "")
        with closing(sqlite3.connect(copy)) as db:
            assert db.execute("SELECT count(*) FROM settings").fetchone() == (1,)
        assert "no such server" in await on.told("operator", sub="leave", server="7", **operator)
        assert await on.told("operator", sub="leave", server=str(GUILD), **operator) == "Left Demo."
        assert on.discord.left == [GUILD]


@run
async def test_without_operators_there_is_no_such_command(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        assert "operator" not in {command["name"] for command in on.discord.synced[0]}


@run
async def test_a_server_can_keep_reset_for_admins_and_have_changes_told(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.bot.services.settings.change(GUILD, GUILD, ChannelSettings(log_channel=2))
        assert "admins_only: True" in await on.told("settings", manager=True, admins_only=True)
        assert await on.heard(1) == ["<@4000> changed the settings of <#1>:\nadmins_only: True"]
        assert on.discord.messages[0]["channel"] == 2
        for command in ("reset", "stop"):
            assert "may manage the channel" in await on.told(command)
        assert await on.told("reset", manager=True) == "A new conversation."
        await on.told("settings", manager=True, inherit="admins_only")
        assert (await on.heard(2))[1].endswith("admins_only: inherited")
        assert await on.told("reset") == "A new conversation."


@run
async def test_each_log_channel_is_told_of_a_change_and_those_that_cannot_be_are_named(
    shared_library: Library, tmp_path: Path
) -> None:
    async with stage(shared_library, tmp_path) as on:
        for before, after in ((2, 18), (18, 2)):
            await on.bot.services.settings.change(1, GUILD, ChannelSettings(log_channel=before))
            await on.bot.services.settings.change(GUILD, GUILD, ChannelSettings(log_channel=after))
            on.discord.refuse = lambda method, path: (
                _answer({"message": "Missing Access", "code": 50001}, 403) if path == "channels/2/messages" else None
            )
            told = await on.told("settings", manager=True, inherit="log_channel")
            assert "I could not tell that in <#2>: 403" in told
            assert on.discord.messages.pop()["channel"] == 18
        assert "I could not tell that in <#2>" in await on.told("persona", sub="set", manager=True, name="ann")


@run
async def test_blocks_at_the_same_moment_are_all_stored(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    first, second = (Access(store, SerialExecutor("store"), DiscordSettings()) for _ in range(2))
    await asyncio.gather(first.block(5001), first.block(5002))
    await second.block(5003)
    await first.load()
    assert all(first.is_blocked(user, None) for user in (5001, 5002, 5003))
    assert await second.unblock(5001)
    assert not await first.unblock(5001)
    store.close()


@run
async def test_a_block_in_another_process_applies_soon(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, timings=Timings(refresh=0.05)) as on:
        on.store.set_meta("blocked", "[5001]")
        await on.until(lambda: [True] if on.bot.services.access.is_blocked(5001, None) else [], 1)
