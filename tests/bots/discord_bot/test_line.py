"""The line to Discord's gateway, and what becomes of it."""

from pathlib import Path
from typing import Any

import pytest

from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, FakeDiscord
from tests.bots.discord_bot.harness import ME, run, script, stage


@run
async def test_a_line_that_discord_wants_anew_is_taken_up_again(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.reconnect()
        await on.discord.say(f"{ME} Missed?")
        assert await on.heard(1) == ["Ann clean 1: Missed?"]
        await on.until(lambda: [True] * on.discord.resumed, 1)
        assert on.discord.identified == 1


@run
async def test_a_new_gateway_session_keeps_conversations(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(shard: int | None, *, initial: bool = False) -> None:
        return None

    async with stage(shared_library, tmp_path) as on:
        monkeypatch.setattr(on.bot, "before_identify_hook", at_once)
        await on.discord.say(f"{ME} Tea?")
        await on.heard(1)
        on.discord.forgetful = True
        await on.discord.drop()
        await on.until(lambda: [True] * on.discord.identified, 2)
        await on.discord.say(f"{ME} And milk?")
        assert (await on.heard(2))[1] == "Ann clean 3: And milk?"
        assert on.discord.resumed == 0


@run
async def test_hearts_beat_while_many_channels_wait_for_replies(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord(channels=dict.fromkeys(range(100, 164), False))
    async with stage(shared_library, tmp_path, fake) as on:
        script.free.clear()
        for channel in fake.channels:
            await fake.say(f"{ME} {channel}", channel=channel, author=channel)
        await on.until(lambda: on.store.waiting(60), 64)
        await on.until(lambda: fake.heartbeats, len(fake.heartbeats) + 3)
        assert fake.messages == []
        script.free.set()
        await on.heard(64)
        assert {one["content"] for one in fake.messages} == {f"Ann clean 1: {channel}" for channel in fake.channels}
        assert (fake.identified, fake.resumed) == (1, 0), "the line held"


@run
@pytest.mark.parametrize("event", ["MESSAGE_CREATE", "INTERACTION_CREATE", "CHANNEL_CREATE", "THREAD_CREATE"])
async def test_an_event_that_cannot_be_parsed_is_logged_and_skipped(
    shared_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture, event: str
) -> None:
    async with stage(shared_library, tmp_path) as on:
        poll: dict[str, Any] = {"question": {"text": "Tea?"}, "answers": [], "expiry": None}
        poll |= {"allow_multiselect": False, "layout_type": 1}
        await on.discord.say(f"{ME} Tea?", poll=poll)
        await on.discord._dispatch(event, {"guild_id": str(GUILD), "id": str(GUILD)})
        await on.discord.say(f"{ME} Still there?")
        assert (await on.heard(1))[-1].endswith(": Still there?")
        assert on.discord.identified == 1
    assert f"cannot be read: {event}" in caplog.text
    assert "cannot be read: MESSAGE_CREATE: TypeError" in caplog.text
