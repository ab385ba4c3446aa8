"""Many channels in which everything happens at random, from a seed: nothing is lost, said twice, or said elsewhere."""

import asyncio
import random
import time
from pathlib import Path

import pytest

from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, FakeDiscord
from tests.bots.discord_bot.harness import ME, run, script, stage


@run
@pytest.mark.parametrize("seed", range(2))
async def test_messages_edits_deletions_broken_lines_and_odd_events(shared_library: Library, tmp_path: Path, seed: int) -> None:
    rng, fake = random.Random(seed), FakeDiscord(channels=dict.fromkeys(range(100, 120), False))
    asked: dict[int, tuple[int, str]] = {}
    deleted: set[int] = set()
    async with stage(shared_library, tmp_path, fake, message_content=False) as on:
        script.seconds = 0.005
        for number in range(150):
            channel = rng.choice(list(fake.channels))
            event = rng.random()
            if event < 0.7 or not asked:
                id_ = await fake.say(f"{ME} mark{channel} {number}", channel=channel, author=channel)
                asked[id_] = channel, f"mark{channel} {number}"
            elif event < 0.8:
                id_ = rng.choice(list(asked))
                await fake.edit(id_, f"{ME} mark{asked[id_][0]} edited", channel=asked[id_][0], author=asked[id_][0])
            elif event < 0.9:
                id_ = rng.choice(list(asked))
                deleted.add(id_)
                await fake.delete(id_, channel=asked[id_][0])
            elif event < 0.96:
                await fake._dispatch(rng.choice(["CHANNEL_UPDATE", "MESSAGE_CREATE"]), {"guild_id": str(GUILD), "id": "x"})
            else:
                await fake.drop()
        end = time.monotonic() + 60
        while {one["answers"] for one in fake.messages} | deleted < set(asked) or on.bot.services.responder.pending:
            assert time.monotonic() < end, set(asked) - deleted - {one["answers"] for one in fake.messages}
            await asyncio.sleep(0.02)
        answers = [one["answers"] for one in fake.messages]
        assert len(answers) == len(set(answers)), "said twice"
        for one in fake.messages:
            assert one["channel"] == asked[one["answers"]][0]
            assert f": mark{one['channel']} " in one["content"], "said elsewhere"
        assert on.store.waiting(600) == []
        assert not fake.faults
        for channel in fake.channels:
            assert all(f"mark{channel} " in turn.text for turn in on.store.turns(channel, 99))
