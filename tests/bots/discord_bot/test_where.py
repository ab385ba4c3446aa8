"""Threads, direct messages, and places that the bot does not know."""

import shutil
from pathlib import Path

import pytest

from bots.discord_bot.timings import Timings
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import FakeDiscord
from tests.bots.discord_bot.harness import ME, add_persona, run, script, stage


@run
async def test_a_thread_inherits_settings_but_has_its_own_conversation(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path, FakeDiscord(threads={30: 18, 31: 1})) as on:
        await on.told("persona", sub="set", manager=True, name="bob", channel=18)
        for count, (text, channel) in enumerate((("Tea?", 18), ("Milk?", 30), ("More?", 30), ("Sugar?", 31)), 1):
            await on.discord.say(f"{ME} {text}", channel=channel)
            await on.heard(count)
        assert [(one["channel"], one["content"]) for one in on.discord.messages] == [
            (18, "Bob free 1: Tea?"), (30, "Bob free 1: Milk?"), (30, "Bob free 3: More?"), (31, "Ann clean 1: Sugar?"),
        ]  # fmt: skip


@run
@pytest.mark.parametrize("channel", [1, 9, 30])
async def test_it_is_seen_to_type_while_it_thinks(shared_library: Library, tmp_path: Path, channel: int) -> None:
    async with stage(shared_library, tmp_path, FakeDiscord(threads={30: 1})) as on:
        script.free.clear()
        await on.discord.say(f"{ME} Tea?", channel=channel)
        assert await on.until(lambda: on.discord.typed, 1) == [channel]
        assert on.discord.messages == []
        script.free.set()
        await on.heard(1)


@run
async def test_a_persona_removed_during_a_reply_finishes_it_and_is_then_refused(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path, timings=Timings(refresh=0.05)) as on:
        await on.told("persona", sub="set", manager=True, name="bob")
        script.asked.clear()
        script.free.clear()
        await on.discord.say(f"{ME} Tea?")
        await on.until(lambda: script.asked, 1)
        shutil.rmtree(library.folders[0] / "personas" / "bob")
        await on.until(lambda: [] if on.bot.services.personas.member("bob") else [True], 1)
        script.free.set()
        assert await on.heard(1) == ["Bob clean 1: Tea?"]
        await on.discord.say(f"{ME} More?")
        assert (await on.heard(2))[1] == "Bob is not here any more. /persona set chooses somebody else."
        assert await on.told("persona", sub="set", manager=True, name="ann") == (
            "Ann talks here now.\n**Ann**: Ann clean 1: Hey!"
        )


@run
@pytest.mark.parametrize("where", ["group", "elsewhere"])
async def test_user_installed_commands_work_where_the_bot_is_not_a_member(
    shared_library: Library, tmp_path: Path, where: str
) -> None:
    async with stage(shared_library, tmp_path) as on:
        assert (
            await on.told("say", where=where, channel=40, persona="ann", message="Tea?") == "> Tea?\n**Ann**: Ann clean 1: Tea?"
        )
        assert "/say" in await on.told("help", where=where, channel=40)
        assert on.store.turns(40, 9) == []
        (said_to_be,) = [one for one in on.discord.synced[0] if one["name"] == "say"]
        assert (said_to_be["contexts"], said_to_be["integration_types"]) == ([0, 1, 2], [0, 1])
