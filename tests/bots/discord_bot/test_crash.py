"""The whole program, killed in the middle of an answer, and shared by two processes."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import BOT, FakeDiscord
from tests.bots.discord_bot.harness import run
from tests.bots.discord_bot.test_run import started


async def _until(true: Callable[[], object]) -> None:
    for _ in range(6000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


@run
@pytest.mark.parametrize("calls", [("typing", "messages"), ("messages",)])
async def test_killed_in_the_middle_it_answers_exactly_once(
    shared_library: Library, tmp_path: Path, calls: tuple[str, ...]
) -> None:
    fake = FakeDiscord()
    await fake.start()
    async with started(fake, shared_library, tmp_path) as process:

        def kill(method: str, path: str) -> None:
            # A reply may be ready before anybody is shown to type.
            if method == "POST" and path.split("/")[-1] in calls and process.returncode is None:
                process.send_signal(signal.SIGKILL)

        await _until(lambda: fake.identified)
        fake.refuse = kill
        first = await fake.say(f"<@{BOT}> Where is the kettle?")
        assert await process.wait() == -signal.SIGKILL
    fake.refuse = lambda method, path: None
    async with started(fake, shared_library, tmp_path):
        await _until(lambda: fake.identified == 2)
        second = await fake.say(f"<@{BOT}> Are you back?")
        await _until(lambda: second in [one["answers"] for one in fake.messages])
    assert [one["answers"] for one in fake.messages] == [first, second]
    assert not fake.faults
    await fake.stop()


@run
async def test_two_processes_share_the_shards_and_a_database(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    await fake.start()
    async with started(fake, shared_library, tmp_path, "--shards", "0/2"):
        await _until(lambda: fake.identified)
        async with started(fake, shared_library, tmp_path, "--shards", "1/2"):
            await _until(lambda: fake.identified == 2)
            asked = [await fake.say(f"<@{BOT}> Tea {number}?", channel=channel) for number in range(2) for channel in (1, 9)]
            await _until(lambda: len(fake.messages) >= len(asked))
            await asyncio.sleep(0.5)
    assert Counter(one["answers"] for one in fake.messages) == Counter(asked)
    assert not fake.faults
    await fake.stop()
