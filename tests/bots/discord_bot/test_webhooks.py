"""Personas under their own names."""

import asyncio
from pathlib import Path
from typing import Any

import discord
import pytest

from bots.discord_bot.timings import Timings
from bots.discord_bot.webhooks import PersonaWebhooks
from charbot.errors import ConfigError
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import _ME, OWNER, FakeDiscord, _answer
from tests.bots.discord_bot.harness import ME, add_persona, run, stage


@run
async def test_the_log_keeps_the_webhooks_tokens(
    shared_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(shared_library, tmp_path, timings=Timings(retries=())) as on:
        await on.told("settings", manager=True, webhooks=True)
        on.discord.refuse = lambda method, path: _answer({}, 500) if method == "POST" and "webhooks/" in path else None
        await on.discord.say(f"{ME} One")
        await on.until(lambda: [record for record in caplog.records if "could be sent" in record.message], 1)
    assert "Discord answers 500" in caplog.text
    assert on.discord.webhooks[0]["token"] not in caplog.text


@run
async def test_personas_speak_under_their_own_names(shared_library: Library, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`discord.avatars`: ann is 'me\.png'"):
        PersonaWebhooks({"ann": "me.png"})
    async with stage(shared_library, tmp_path, avatars={"Ann": "https://example.org/ann.png"}) as on:
        fake = on.discord
        fake.may_make_webhooks = False
        assert "Manage Webhooks" in await on.told("settings", manager=True, webhooks=True)
        fake.may_make_webhooks = True
        fake.add_webhook(1, own=False)
        told = await on.told("settings", manager=True, webhooks=True)
        assert "webhooks: True" in told
        assert "Replies to a persona's name I cannot read" in told
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
async def test_a_webhook_that_was_moved_leaves_no_message_in_the_other_channel(
    shared_library: Library, tmp_path: Path, told: bool
) -> None:
    async with stage(shared_library, tmp_path, FakeDiscord(threads={30: 1})) as on:
        fake = on.discord
        await on.told("settings", manager=True, webhooks=True)
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
        await on.told("settings", manager=True, webhooks=True, server_wide=True, author=OWNER)
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
async def test_a_persona_whose_name_discord_reserves_posts_by_webhook(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Clyde")
    async with stage(library, tmp_path, persona="clyde") as on:
        await on.told("settings", manager=True, webhooks=True)
        await on.discord.say(f"{ME} Hi")
        await on.heard(1)
        assert on.discord.messages[0]["name"] == "C\u200alyde"


@run
async def test_where_no_webhook_can_be_made_charbot_answers_itself(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        fake = on.discord
        await on.told("settings", manager=True, webhooks=True, server_wide=True)
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
async def test_what_a_webhook_answers_is_quoted(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, FakeDiscord(granted=1 << 15), message_content=True) as on:
        assert "cannot read" not in await on.told("settings", manager=True, webhooks=True)
        await on.discord.say(f"{ME} *Tea?*")
        await on.discord.say(f"{ME} {'x' * 90}")
        await on.discord.say(f"{ME} at length")
        await on.heard(4)
        said = [one["content"] for one in on.discord.messages]
        assert said[0] == "> \\*Tea?\\*\nAnn clean 1: \\*Tea?\\*"
        assert said[1].splitlines()[0] == f"> {'x' * 80}..."
        assert said[2].startswith("> at length\nAnn clean 5: ")
        assert not said[3].startswith(">"), "the rest of a long answer quotes nothing"


@run
async def test_a_webhook_is_created_only_to_post(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.told("settings", manager=True, webhooks=True)
        await on.discord.say(f"{ME} One")
        await on.heard(1)
        (sent,) = on.discord.messages
        await on.until(lambda: on.store.quotes(4000), 1)
        on.discord.webhooks.clear()
        room = on.bot.get_channel(1)
        message = discord.PartialMessage(channel=room, id=int(sent["id"]))  # type: ignore[arg-type]
        for known in (True, False):
            if not known:
                on.bot._webhooks.forget(1)
            assert await on.bot._webhooks.text_of(room, message) is None  # type: ignore[arg-type]
            assert not await on.bot._webhooks.delete(room, message.id)
        assert on.discord.webhooks == []
