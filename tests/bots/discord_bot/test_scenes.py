"""Scenes of several personas."""

import asyncio
from pathlib import Path

import discord
import pytest

from bots.discord_bot.timings import Timings
from charbot.personas.library import Library
from tests.bots.discord_bot.harness import add_persona, run, script, stage


@run
async def test_a_scene_is_bounded(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path, timings=Timings(scene_pause=0.01)) as on:
        lines = on.discord.edits
        assert "two to 4" in await on.told("scene", personas="ann")
        assert "no zed" in await on.told("scene", personas="ann, zed")
        assert "twice" in await on.told("scene", personas="ann, bob, Ann")
        assert await on.told("scene", personas="ann, bob", topic="Tea?", turns=3) == "*Ann and Bob:*\n> Tea?"
        await on.until(lambda: lines, 3)
        assert [line["content"][:23] for line in lines] == [
            "**Ann**: Ann clean 1: T",
            "**Bob**: Bob clean 2: A",
            "**Ann**: Ann clean 3: B",
        ]
        await asyncio.sleep(0.1)
        assert len(lines) == 3


@run
async def test_a_scene_goes_on_until_it_is_stopped(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path, timings=Timings(scene_pause=60)) as on:
        lines = on.discord.edits
        await on.told("scene", personas="bob,ann")
        await on.until(lambda: lines, 1)
        assert "on already" in await on.told("scene", personas="bob,ann")
        assert await on.told("stop") == "Cut!"
        assert await on.told("stop") == "No scene is on."
        await on.told("scene", personas="bob,ann")
        await on.told("settings", manager=True, mode="off")
        await asyncio.sleep(0.1)
        assert not on.bot.services.scenes.stop(1), "where nobody talks no scene goes on"
        await on.told("settings", manager=True, mode="mentions")
        await on.told("scene", personas="bob,ann")
        await on.told("settings", manager=True, roles="<@&71>")
        assert await on.told("stop") == "Cut!", "whoever it is"


@run
@pytest.mark.parametrize("expired", [False, True])
async def test_a_scene_that_fails_says_so(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expired: bool
) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path, timings=Timings(scene_pause=0.01)) as on:
        script.free.clear()
        await on.told("scene", personas="ann, bob", topic="crash")
        on.discord.expired = expired
        monkeypatch.setattr(discord.Interaction, "is_expired", lambda interaction: expired)
        script.free.set()
        (said,) = await on.until(lambda: on.discord.messages if expired else on.discord.edits, 1)
        assert said["content"] == "Sorry, I lost my line. Try again?"


@run
async def test_a_scene_says_that_it_ends_when_charbot_leaves(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path) as on:
        await on.told("scene", personas="bob,ann")
        await on.until(lambda: on.discord.edits, 1)
    assert on.discord.edits[-1]["content"] == "I have to go for a moment. Ask me again in a minute."


@run
async def test_what_a_scene_begins_with_is_quoted_as_somebody_s(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path, timings=Timings(scene_pause=0.01)) as on:
        topic = "[Free](https://evil.example/nitro) **now**"
        told = await on.told("scene", personas="ann, bob", topic=topic, turns=2)
        assert told == "*Ann and Bob:*\n> \\[Free\\](<https://evil.example/nitro>) \\*\\*now\\*\\*"
        await on.until(lambda: on.discord.edits, 2)
        assert not [line for line in on.discord.edits if "[Free](" in line["content"]]
