"""Answers arrive once, whatever becomes of the network."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.timings import Timings
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, FakeDiscord, _answer
from tests.bots.discord_bot.harness import ME, run, script, stage


@run
@pytest.mark.parametrize("faces", [False, True])
async def test_a_broken_line_costs_no_answer(shared_library: Library, tmp_path: Path, faces: bool) -> None:
    broken: list[Any] = ["reset", None, "reset", "overloaded", None]

    def refuse(method: str, path: str) -> web.Response | None:
        sends = method == "POST" and ("webhooks/" in path if faces else path.endswith("messages"))
        trouble = broken.pop(0) if sends and broken else None
        if trouble == "reset":
            raise asyncio.CancelledError
        return _answer({"message": "overloaded"}, 503) if trouble else None

    async with stage(shared_library, tmp_path, timings=Timings(retries=(0.01, 0.01))) as on:
        if faces:
            await on.told("settings", manager=True, webhooks=True)
        on.discord.refuse = refuse
        for text in ("One", "Two", "Three"):
            await on.discord.say(f"{ME} {text}")
        assert await on.heard(3) == ["Ann clean 1: One", "Ann clean 3: Two", "Ann clean 5: Three"]
        assert not broken


@run
async def test_a_message_that_arrived_despite_an_error_is_not_sent_twice(shared_library: Library, tmp_path: Path) -> None:
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

    async with stage(shared_library, tmp_path, timings=Timings(retries=(0.01, 0.01))) as on:
        await on.told("settings", manager=True, webhooks=True)
        on.discord.spoil, on.discord.refuse = spoil, refuse
        for text in ("One", "Two", "Three"):
            await on.discord.say(f"{ME} {text}")
        assert await on.heard(3) == ["Ann clean 1: One", "Ann clean 3: Two", "Ann clean 5: Three"]
        await on.until(lambda: on.store.turns(1, 9), 6)
        assert len(on.discord.messages) == 3
        assert len(spoiled) == 2
        assert not unread


@run
async def test_an_answer_that_could_not_be_sent_is_sent_after_the_next_start(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord(refuse=lambda method, path: _answer({}, 503) if path.endswith("channels/1/messages") else None)
    async with stage(shared_library, tmp_path, fake, timings=Timings(retries=(0.01,))) as on:
        await fake.say(f"{ME} One")
        await on.until(lambda: script.asked, 1)
        await fake.say(f"{ME} Elsewhere", channel=2)
        await on.heard(1)
        await on.until(lambda: [] if 1 in on.bot.services.responder._queues._queues else [True], 1)
    fake.refuse = lambda method, path: None
    async with stage(shared_library, tmp_path, fake, timings=Timings(retries=(0.01,))) as on:
        assert (await on.heard(2))[1] == "Ann clean 1: One"
        assert script.asked == ["One", "Elsewhere"], "it is the answer that could not be sent"


@run
async def test_many_answers_at_once_keep_discord_s_limits_and_all_arrive(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord(channels=dict.fromkeys(range(100, 280), False), limited=True)
    async with stage(shared_library, tmp_path, fake) as on:
        for channel in fake.channels:
            await fake.say(f"{ME} {channel}", channel=channel, author=channel)
        heard = await on.heard(len(fake.channels))
        assert set(heard) == {f"Ann clean 1: {channel}" for channel in fake.channels}
        assert fake.too_many == []
        assert len(fake.typed) < len(fake.channels), "who is to be answered comes before who is to see it type"


@run
@pytest.mark.parametrize("webhooks", [False, True])
async def test_many_answers_in_a_channel_keep_its_limit(shared_library: Library, tmp_path: Path, webhooks: bool) -> None:
    fake = FakeDiscord(limited=True)
    async with stage(shared_library, tmp_path, fake) as on:
        await on.bot.services.settings.change(1, GUILD, ChannelSettings(webhooks=webhooks))
        for number in range(8):
            await fake.say(f"{ME} {number}", author=4000 + number)
        assert [text[-1] for text in await on.heard(8)] == list("01234567")
        assert fake.too_many == []


@run
async def test_an_answer_that_is_rate_limited_repeatedly_arrives(shared_library: Library, tmp_path: Path) -> None:
    refusals = [6]

    def refuse(method: str, path: str) -> web.Response | None:
        if not path.endswith("messages") or method != "POST" or not refusals[0]:
            return None
        refusals[0] -= 1
        return _answer({"retry_after": 0.01, "global": True, "message": "slow"}, 429, {"Via": "1"})

    async with stage(shared_library, tmp_path, FakeDiscord(refuse=refuse), timings=Timings(retries=(0.01,))) as on:
        await on.discord.say(f"{ME} Tea?")
        assert await on.heard(1) == ["Ann clean 1: Tea?"]


@run
async def test_what_cannot_be_sent_for_long_is_sent_once_it_can(shared_library: Library, tmp_path: Path) -> None:
    broken = [True]
    fake = FakeDiscord(refuse=lambda method, path: _answer({}, 503) if path.endswith("channels/1/messages") and broken else None)
    async with stage(shared_library, tmp_path, fake, timings=Timings(retries=(), refresh=0.05)) as on:
        await fake.say(f"{ME} One")
        await on.until(lambda: on.bot.services.responder._unsent, 1)
        await on.discord.say(f"{ME} Two", channel=2)
        await on.heard(1)
        broken.clear()
        assert (await on.heard(2))[1] == "Ann clean 1: One"
        assert script.asked == ["One", "Two"], "it is the answer that could not be sent"
        await on.until(lambda: on.store.turns(1, 9), 2)
        assert on.store.waiting(60) == []
