"""Pending messages are answered at the next start, after a stop or a crash."""

import asyncio
from pathlib import Path

import pytest

from bots.discord_bot.requests import ReplyRequest
from bots.discord_bot.store import PendingMessage
from bots.discord_bot.timings import Timings
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, FakeDiscord
from tests.bots.discord_bot.harness import ME, leave_waiting, run, script, stage


@run
async def test_commands_that_wait_when_it_leaves_are_told(shared_library: Library, tmp_path: Path) -> None:
    script.seconds = 1.0
    async with stage(shared_library, tmp_path, timings=Timings(closing=0.1)) as on:
        await on.discord.command("chat", message="One")
        await on.discord.command("say", message="Two", persona="ann")
        kept = await on.discord.say(f"{ME} Kept")
        await asyncio.sleep(0.3)
    assert [line["content"].splitlines()[-1][:19] for line in on.discord.edits] == ["I have to go for a "] * 2
    assert on.discord.messages == []
    async with stage(shared_library, tmp_path, on.discord) as on:
        assert await on.heard(1) == ["Ann clean 1: Kept"]
        assert on.discord.messages[0]["answers"] == kept


@run
async def test_commands_that_run_when_it_leaves_are_finished(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        begun = asyncio.Event()

        async def slow(channel: int) -> None:
            begun.set()
            await asyncio.sleep(1)

        monkeypatch.setattr(on.bot.services.conversations, "forget_channel", slow)
        asked = await on.discord.command("reset")
        await begun.wait()
    assert on.discord.told(asked) == ["A new conversation."]


@run
async def test_buttons_that_are_pressed_when_it_leaves_are_answered(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} One")
        await on.heard(1)
        begun, answer = asyncio.Event(), on.bot.services.responder.answer

        async def slow(request: ReplyRequest) -> str | None:
            begun.set()
            await asyncio.sleep(1)
            return await answer(request)

        monkeypatch.setattr(on.bot.services.responder, "answer", slow)
        pressed = await on.discord.press(on.discord.messages[0])
        await begun.wait()
    assert [told[:19] for told in on.discord.told(pressed)] == ["I have to go for a "]


@run
async def test_a_message_not_answered_before_a_crash_is_answered_once_afterwards(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    leave_waiting(
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
async def test_an_answer_sent_before_a_crash_is_not_sent_again(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    hook = fake.add_webhook(2)["id"]
    fake.messages += [
        {"channel": 1, "content": "Here I am.", "answers": 50, "id": "60", "hook": None},
        {"channel": 2, "content": "So am I.", "answers": None, "id": "61", "hook": hook},
        {"channel": 18, "content": "Something else.", "answers": None, "id": "62", "hook": None},
    ]
    known = ((50, 1, "Here I am."), (51, 2, "So am I."), (52, 18, "And I."))
    leave_waiting(
        tmp_path, *(PendingMessage(message, GUILD, channel, 4000, "Where are you?", reply) for message, channel, reply in known)
    )
    async with stage(shared_library, tmp_path, fake) as on:
        assert (await on.heard(4))[3] == "And I."
        await on.until(lambda: [] if on.store.waiting(60) else [True], 1)
        assert [turn.text for turn in on.store.turns(1, 9)] == ["Where are you?", "Here I am."], "and it is remembered"
        assert len(fake.messages) == 4


@run
async def test_an_answer_to_another_message_does_not_count_as_sent(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    hook = fake.add_webhook(2)["id"]
    fake.messages += [
        {"channel": 1, "content": "Here I am.", "answers": 49, "id": "60", "hook": None},
        {"channel": 2, "content": "Not I.", "answers": None, "id": "61", "hook": hook},
    ]
    known = ((50, 1, "Here I am."), (51, 2, "So am I."))
    leave_waiting(
        tmp_path, *(PendingMessage(message, GUILD, channel, 4000, "Where are you?", reply) for message, channel, reply in known)
    )
    async with stage(shared_library, tmp_path, fake) as on:
        assert sorted((await on.heard(4))[2:]) == ["Here I am.", "So am I."]


@run
async def test_stored_messages_are_answered_before_new_ones(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    fake.greeting = lambda: fake.say(f"{ME} new")
    leave_waiting(tmp_path, *(PendingMessage(message, GUILD, 1, 4000, f"old {message}") for message in range(50, 54)))
    async with stage(shared_library, tmp_path, fake, waiting=4) as on:
        assert [text.split(": ")[1] for text in await on.heard(5)] == ["old 50", "old 51", "old 52", "old 53", "new"]


@run
async def test_more_than_may_wait_are_answered_after_a_start(shared_library: Library, tmp_path: Path) -> None:
    leave_waiting(tmp_path, *(PendingMessage(message, GUILD, 1, 4000, f"old {message}") for message in range(50, 54)))
    async with stage(shared_library, tmp_path, waiting=1) as on:
        assert [text[-2:] for text in await on.heard(4)] == ["50", "51", "52", "53"]
        await on.until(lambda: [] if on.store.waiting(60) else [True], 1)


@run
async def test_answers_in_hand_are_finished_when_it_leaves(shared_library: Library, tmp_path: Path) -> None:
    script.seconds = 0.5
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} Wait for me")
        await asyncio.sleep(0.2)
    assert [one["content"] for one in on.discord.messages] == ["Ann clean 1: Wait for me"]


@run
async def test_what_is_said_while_it_closes_is_answered_after_it(shared_library: Library, tmp_path: Path) -> None:
    script.seconds = 3.0
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} One")
        await asyncio.sleep(0.3)
        closing = asyncio.create_task(on.bot.close())
        await asyncio.sleep(0.1)
        await on.discord.say(f"{ME} Two", channel=2)
        asked = await on.discord.command("chat", message="Three", channel=2)
        await closing
    script.seconds = 0.0
    assert [one["content"] for one in on.discord.messages] == ["Ann clean 1: One"]
    assert [text.splitlines()[1][:16] for text in on.discord.told(asked)] == ["I have to go for"]
    async with stage(shared_library, tmp_path, on.discord) as on:
        assert (await on.heard(2))[1] == "Ann clean 1: Two"
