"""Storing and forgetting of conversations."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bots.discord_bot.conversations import Conversations
from bots.discord_bot.database import StoreError
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.store import Quote, Store
from bots.discord_bot.timings import Timings
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import APP, GUILD
from tests.bots.discord_bot.harness import ME, Stage, run, script, stage


@run
async def test_forget_me_during_an_answer_keeps_nothing_of_it(shared_library: Library, tmp_path: Path) -> None:
    script.seconds = 0.5
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
async def test_a_pending_answer_is_stored_though_other_conversations_are_dropped(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async with stage(shared_library, tmp_path, timings=Timings(refresh=0.05)) as on:
        script.free.clear()
        await on.discord.say(f"{ME} Tea?")
        await on.until(lambda: script.asked, 1)
        if how == "a stranger":
            await on.told("forget-me", author=4001, channel=2)
        elif how == "elsewhere":
            known = on.bot.services.conversations._cached
            monkeypatch.setattr(on.store, "forget_older", lambda days: set())
            on.store.forget_user(4001)
            await on.until(lambda: [] if known else [True], 1)
        else:
            on.bot.services.conversations._cached.clear()
        script.free.set()
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
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", APP)
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
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", APP)
    assert [turn.text for turn in store.turns(1, 9)] == ["Tea?", "Ann clean 1: Tea?"]
    store.close()


def _full_disk(on: Stage, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Make storing of answers fail until the returned event is set."""
    write, emptied = on.store.answered, threading.Event()

    def answered(*args: Any, **kwargs: Any) -> None:
        if not emptied.is_set():
            raise StoreError("the disk is full")
        write(*args, **kwargs)

    monkeypatch.setattr(on.store, "answered", answered)
    return emptied


@run
async def test_turns_that_another_process_let_expire_leave_the_cache(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, timings=Timings(refresh=0.05)) as on:
        await on.discord.say(f"{ME} A secret")
        await on.heard(1)
        on.store.forget_older(-1)
        on.clock.ahead = 8 * 86_400
        await on.until(lambda: [] if on.bot.services.conversations._cached else [True], 1)
        await on.discord.say(f"{ME} What was it?")
        assert (await on.heard(2))[1] == "Ann clean 1: What was it?"


@run
async def test_deletions_before_the_start_do_not_drop_the_cache(shared_library: Library, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", APP)
    store.forget_user(4001)
    store.close()
    async with stage(shared_library, tmp_path, timings=Timings(refresh=0.05)) as on:
        assert await on.bot._disk.run(on.bot.services.conversations._forget_old) == (set(), False)


@run
async def test_a_message_that_could_not_be_stored_on_arrival_is_stored_with_its_answer(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        receive, full = on.store.receive, [True]
        monkeypatch.setattr(
            on.store, "receive", lambda message: _raise(StoreError("the disk is full")) if full else receive(message)
        )
        script.free.clear()
        await on.discord.say(f"{ME} Tea?")
        await on.until(lambda: script.asked, 1)
        full.clear()
        script.free.set()
        await on.heard(1)
        await on.until(lambda: on.store.turns(1, 9), 2)
        assert on.store.waiting(60) == []


def _raise(error: Exception) -> None:
    raise error


@run
@pytest.mark.parametrize("how", ["elsewhere", "age"])
async def test_turns_forgotten_by_another_process_or_expired_leave_the_cache(
    shared_library: Library, tmp_path: Path, how: str
) -> None:
    async with stage(shared_library, tmp_path, timings=Timings(refresh=0.05)) as on:
        await on.discord.say(f"{ME} A secret")
        await on.heard(1)
        if how == "elsewhere":
            other = Store(f"sqlite:///{tmp_path / 'bot.db'}", APP)
            other.forget_user(4000)
            other.close()
        else:
            on.clock.ahead = 8 * 86_400
        await on.until(lambda: [] if on.bot.services.conversations._cached else [True], 1)
        await on.discord.say(f"{ME} What was it?")
        assert (await on.heard(2))[1] == "Ann clean 1: What was it?"


@run
async def test_an_unavailable_database_costs_only_the_context_of_earlier_turns(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} One")
        await on.heard(1)
        on.bot.services.conversations._cached.clear()
        with monkeypatch.context() as away:
            away.setattr(on.store, "_retry_at", time.monotonic() + 60)
            await on.discord.say(f"{ME} Two")
            assert (await on.heard(2))[1] == "Ann clean 1: Two"
            assert (await on.told("reset")).startswith("I cannot write anything down")
        await on.discord.say(f"{ME} Three")
        assert (await on.heard(3))[2] == "Ann clean 5: Three", "a reset that failed has changed nothing"


@run
async def test_turns_that_cannot_be_written_still_give_context(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.discord.say(f"{ME} One")
        await on.heard(1)
        emptied = _full_disk(on, monkeypatch)
        for number, text in enumerate(("Two", "Three"), 2):
            on.bot.services.conversations._cached.clear()
            await on.discord.say(f"{ME} {text}")
            assert (await on.heard(number))[-1] == f"Ann clean {2 * number - 1}: {text}"
        emptied.set()


@run
async def test_settings_that_could_not_be_stored_are_not_claimed_to_be(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        monkeypatch.setattr(on.store, "set_place", lambda *args: _raise(StoreError("the disk is full")))
        assert (await on.told("settings", manager=True, temperature=0.5)).startswith("I cannot write anything down")
        assert on.bot.services.settings.places == {}


@run
async def test_reset_leaves_no_answered_message_to_be_answered_again(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        emptied = _full_disk(on, monkeypatch)
        await on.discord.say(f"{ME} Tea?")
        await on.heard(1)
        assert (await on.told("reset")).startswith("I cannot write anything down"), "its turns are still pending"
        emptied.set()
        assert await on.told("reset") == "A new conversation."
        assert (on.store.waiting(60), on.store.turns(1, 9)) == ([], [])


@run
async def test_a_ban_deletes_turns_that_could_not_be_written_before(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        emptied = _full_disk(on, monkeypatch)
        await on.discord.command("chat", author=5001, message="Tea?")
        await on.until(lambda: on.discord.edits, 1)
        emptied.set()
        await on.bot.services.conversations.forget_member(GUILD, 5001)
        await on.bot.services.conversations.flush()
        assert on.store.turns(1, 9) == []


@run
async def test_a_quote_that_could_not_be_written_is_returned_once_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    conversations = Conversations(store, SerialExecutor("store"), 9, 7.0)
    quote = Quote(message=1, guild=GUILD, channel=2, author=5001)
    with monkeypatch.context() as away:
        away.setattr(store, "_retry_at", time.monotonic() + 60)
        await conversations.add_quote(quote)
    assert await conversations.quotes(5001) == [quote]
    store.close()


@run
async def test_a_channel_that_cannot_be_written_keeps_no_other_from_being(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    conversations = Conversations(store, SerialExecutor("store"), 9, 7.0)
    add_quote, failing = store.add_quote, {1, 2, 3}
    monkeypatch.setattr(
        store, "add_quote", lambda quote: _raise(StoreError("odd")) if quote.channel in failing else add_quote(quote)
    )
    for channel in (1, 2, 3):
        await conversations.add_quote(Quote(message=channel, guild=GUILD, channel=channel, author=5001))
    failing.remove(3)
    await conversations.flush()
    assert [quote.channel for quote in store.quotes(5001)] == [3]
    assert "2 channels could not be written, the first of them channel 1: odd" in caplog.text
    failing.clear()
    await conversations.flush()
    assert [quote.channel for quote in store.quotes(5001)] == [3, 1, 2]
    store.close()


@run
async def test_the_conversation_unused_longest_is_dropped_from_memory_and_read_again(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord_bot.conversations._CACHED", 2)
    async with stage(shared_library, tmp_path) as on:
        for count, channel in enumerate((1, 2, 1, 18, 2), 1):
            await on.discord.say(f"{ME} Tea?", channel=channel)
            await on.heard(count)
        assert [text.split(":")[0] for text in await on.heard(5)] == [
            "Ann clean 1", "Ann clean 1", "Ann clean 3", "Ann free 1", "Ann clean 3",
        ]  # fmt: skip
        assert list(on.bot.services.conversations._cached) == [18, 2]
