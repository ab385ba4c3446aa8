"""Messages that it answers, and the line to Discord."""

import asyncio
import time
from pathlib import Path

import discord
import pytest
from aiohttp import web

from bots.discord_bot.bot import Shards
from bots.discord_bot.store import PendingMessage
from bots.discord_bot.timings import Timings
from charbot.generation.crisis import CRISIS_NOTE
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, ROLE, FakeDiscord, _answer
from tests.bots.discord_bot.harness import ME, add_persona, leave_waiting, run, script, stage


@run
async def test_only_mentions_direct_messages_and_replies_are_answered(shared_library: Library, tmp_path: Path) -> None:
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
    fake = FakeDiscord(channels=dict.fromkeys(range(100, 150), False), limited=True)
    async with stage(shared_library, tmp_path, fake, waiting=5, timings=Timings(notice=8.0)):
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
        assert not fake.too_many


@run
async def test_commands_and_heartbeats_do_not_wait_for_replies(shared_library: Library, tmp_path: Path) -> None:
    script.seconds = 4.0
    async with stage(shared_library, tmp_path) as on:
        before = len(on.discord.heartbeats)
        await on.discord.say(f"{ME} Slow?")
        asked = await on.discord.command("chat", message="Me too")
        await on.until(lambda: on.discord.edits, 1, seconds=20)
        assert on.discord.said_to(asked)["type"] == 5
        assert on.discord.edits[0]["content"] == "> Me too\nAnn clean 3: Me too"
        # One each second: the thread that replies does not hold them up.
        assert len(on.discord.heartbeats) - before > 4


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
async def test_without_permission_to_send_nothing_is_sent_and_settings_say_so(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, FakeDiscord(mute={1})) as on:
        await on.discord.say(f"{ME} Hello?")
        await on.discord.say(f"{ME} Tea?", channel=2)
        assert await on.heard(1) == ["Ann clean 1: Tea?"]
        assert script.asked == ["Tea?"]
        for text in (
            await on.told("persona", sub="set", manager=True, name="ann"),
            await on.told("settings", manager=True),
        ):
            assert "give me the permission Send Messages" in text
        assert "permission" not in await on.told("persona", sub="set", manager=True, name="ann", channel=2)


@run
async def test_an_error_is_apologised_for_and_the_next_message_answered(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} crash")
        await on.discord.say(f"{ME} Still there?")
        heard = await on.heard(2)
        assert heard[0].startswith("Sorry")
        assert heard[1].endswith(": Still there?")


@run
async def test_a_message_without_words_counts_as_a_greeting(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} Tea?", author=5)
        await on.discord.say(f"{ME} \u200b", author=6)
        await on.heard(2)
        assert [(turn.author, turn.text) for turn in on.store.turns(1, 9)] == [
            (5, "Tea?"), (5, "Ann clean 1: Tea?"), (6, "Hey!"), (6, "Ann clean 3: Hey!"),
        ]  # fmt: skip


@run
async def test_its_role_counts_as_a_mention_and_discord_s_markup_is_removed(shared_library: Library, tmp_path: Path) -> None:
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
async def test_what_discord_tells_twice_is_answered_once(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} Tea?", twice=True)
        await on.discord.say(f"{ME} And?")
        assert await on.heard(2) == ["Ann clean 1: Tea?", "Ann clean 3: And?"]


@run
async def test_processes_that_share_a_database_answer_only_their_shards(shared_library: Library, tmp_path: Path) -> None:
    other = next(guild for guild in (number << 22 for number in range(9)) if guild >> 22 & 1 != GUILD >> 22 & 1)
    leave_waiting(
        tmp_path, *(PendingMessage(message, guild, 1, 4000, f"In {guild}") for message, guild in ((50, GUILD), (51, other)))
    )
    mine = Shards(((GUILD >> 22) % 2,), 2)
    async with stage(shared_library, tmp_path, shards=mine) as on:
        assert await on.heard(1) == [f"Ann clean 1: In {GUILD}"]
        await asyncio.sleep(0.1)
        assert [message.guild for message in on.store.waiting(60)] == [other]


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
async def test_it_joins_in_at_its_words_and_by_chance(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        assert "message content intent" in await on.told("settings", manager=True, trigger_words="pizza")
    async with stage(shared_library, tmp_path, FakeDiscord(granted=1 << 15), message_content=True) as on:
        assert "trigger_words: pizza, hey ann" in await on.told("settings", manager=True, trigger_words="pizza, hey ann")
        for text in ("pizzas", "A PIZZA!", "Well, hey Ann."):
            await on.discord.say(text)
        assert await on.heard(2) == ["Ann clean 1: A PIZZA!", "Ann clean 3: Well, hey Ann."]
        assert "trigger_words: -" in await on.told("settings", manager=True, trigger_words="-", random_reply_chance=1.0)
        await on.discord.say("Nobody")
        assert (await on.heard(3))[2] == "Ann clean 5: Nobody"
        await on.told("settings", manager=True, random_reply_chance=0.0)
        await on.discord.say("pizza")
        await on.discord.say(f"{ME} Enough")
        assert (await on.heard(4))[3] == "Ann clean 7: Enough"


@run
async def test_what_is_read_of_a_message_is_bounded_in_tokens(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} {'ha ' * 400}tea")
        assert (await on.heard(1))[0] == f"Ann clean 1: {'ha ' * 255}tea"
        assert len(on.store.turns(1, 1)[0].text) < 900


@run
async def test_more_channels_than_the_model_takes_at_once_are_all_answered(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord(channels=dict.fromkeys(range(100, 400), False))
    async with stage(shared_library, tmp_path, fake) as on:
        script.free.clear()
        for channel in fake.channels:
            await fake.say(f"{ME} {channel}", channel=channel, author=channel)
        script.free.set()
        heard = await on.heard(len(fake.channels))
        assert set(heard) == {f"Ann clean 1: {channel}" for channel in fake.channels}


@run
async def test_a_message_about_a_crisis_gets_a_note_and_is_not_kept(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path) as on:
        await on.discord.say(f"{ME} I want to kill myself")
        assert await on.heard(1) == [CRISIS_NOTE]
        assert (await on.told("say", persona="ann", message="I want to die")).endswith(CRISIS_NOTE)
        assert await on.told("scene", personas="ann, bob", topic="Should we shoot up the school?") == CRISIS_NOTE
        assert script.asked == []
        assert on.store.turns(1, 9) == []
        assert on.store.waiting(60) == []
        await on.discord.say(f"{ME} This homework kills me")
        assert (await on.heard(2))[1] == "Ann clean 1: This homework kills me"
