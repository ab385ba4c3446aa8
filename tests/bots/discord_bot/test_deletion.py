"""Messages that are deleted or edited, and people who are banned."""

from pathlib import Path

import pytest

from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, _user
from tests.bots.discord_bot.harness import ME, run, script, stage


@run
@pytest.mark.parametrize("count", [1, 2])
async def test_a_message_that_is_deleted_while_it_waits_is_not_answered(
    shared_library: Library, tmp_path: Path, count: int
) -> None:
    async with stage(shared_library, tmp_path) as on:
        script.free.clear()
        await on.discord.say(f"{ME} First")
        await on.until(lambda: script.asked, 1)
        waiting = [await on.discord.say(f"{ME} Waiting {number}") for number in range(count)]
        await on.until(lambda: on.store.waiting(60), 1 + count)
        await on.discord.delete(*waiting)
        await on.until(lambda: [] if len(on.store.waiting(60)) > 1 else [True], 1)
        script.free.set()
        await on.discord.say(f"{ME} Last")
        assert await on.heard(2) == ["Ann clean 1: First", "Ann clean 3: Last"]


@run
async def test_a_message_that_is_deleted_while_it_is_answered_gets_no_answer(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        script.free.clear()
        asked = await on.discord.say(f"{ME} A secret")
        await on.until(lambda: script.asked, 1)
        await on.discord.delete(asked)
        await on.until(lambda: [] if on.store.waiting(60) else [True], 1)
        script.free.set()
        await on.discord.say(f"{ME} Next")
        assert await on.heard(1) == ["Ann clean 1: Next"]
        assert [turn.text for turn in on.store.turns(1, 9)] == ["Next", "Ann clean 1: Next"]


@run
async def test_a_message_that_is_deleted_later_leaves_context_and_database(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        asked = [await on.discord.say(f"{ME} {text}") for text in ("One", "Two")]
        await on.heard(2)
        await on.until(lambda: on.store.turns(1, 9), 4)
        await on.discord.delete(asked[0])
        await on.discord.delete(12345)
        await on.until(lambda: [] if len(on.store.turns(1, 9)) > 2 else [True], 1)
        await on.discord.say(f"{ME} Three")
        assert (await on.heard(3))[2] == "Ann clean 3: Three"
        assert [turn.text for turn in on.store.turns(1, 9)][::2] == ["Two", "Three"]


@run
async def test_an_answer_to_a_message_that_is_just_deleted_is_no_error(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        script.free.clear()
        on.discord.deleted.add(await on.discord.say(f"{ME} Tea?"))
        script.free.set()
        assert await on.heard(1) == ["Ann clean 1: Tea?"]


@run
async def test_an_edit_counts_while_a_message_waits(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        script.free.clear()
        first = await on.discord.say(f"{ME} First")
        await on.until(lambda: script.asked, 1)
        waiting = await on.discord.say(f"{ME} Tee?")
        await on.until(lambda: on.store.waiting(60), 2)
        await on.discord.edit(first, f"{ME} Too late")
        await on.discord.edit(waiting, f"{ME} Tea?")
        await on.until(lambda: [True] if on.store.waiting(60)[1].text == "Tea?" else [], 1)
        script.free.set()
        assert await on.heard(2) == ["Ann clean 1: First", "Ann clean 3: Tea?"]


@run
async def test_a_webhook_quotes_an_edited_message_as_it_is_now(shared_library: Library, tmp_path: Path) -> None:
    # Otherwise the answer would not be found after a crash, which leaves the edited text alone, and be said twice.
    async with stage(shared_library, tmp_path) as on:
        await on.told("settings", manager=True, webhooks=True)
        script.free.clear()
        await on.discord.say(f"{ME} First")
        await on.until(lambda: script.asked, 1)
        waiting = await on.discord.say(f"{ME} Tee?")
        await on.until(lambda: on.store.waiting(60), 2)
        await on.discord.edit(waiting, f"{ME} Tea?")
        await on.until(lambda: [True] if on.store.waiting(60)[1].text == "Tea?" else [], 1)
        script.free.set()
        await on.heard(2)
        assert on.discord.messages[1]["content"] == "> Tea?\nAnn clean 3: Tea?"


@run
async def test_an_edit_keeps_the_text_of_attached_files(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        script.free.clear()
        await on.discord.say(f"{ME} First")
        await on.until(lambda: script.asked, 1)
        attachments = [on.discord.attach("list.txt", b"Tea", "text/plain")]
        waiting = await on.discord.say(f"{ME} Bye:", attachments=attachments)
        await on.until(lambda: on.store.waiting(60), 2)
        await on.discord.edit(waiting, f"{ME} Buy:", attachments=attachments)
        await on.until(lambda: [True] if on.store.waiting(60)[1].text == "Buy: Tea" else [], 1)
        script.free.set()
        assert await on.heard(2) == ["Ann clean 1: First", "Ann clean 3: Buy: Tea"]


@run
async def test_who_is_banned_leaves_nothing_in_the_server(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for number, (author, channel) in enumerate(((5001, 1), (5002, 1), (5001, 9)), 1):
            await on.discord.say(f"{ME} By {author}", author=author, channel=channel)
            await on.heard(number)
        await on.discord._dispatch("GUILD_BAN_ADD", {"guild_id": str(GUILD), "user": _user(5001)})
        await on.until(lambda: [] if len(on.store.turns(1, 9)) > 2 else [True], 1)
        assert on.store.turns(1, 9)[0].text == "By 5002"
        assert len(on.store.turns(9, 9)) == 2, "what they said elsewhere is theirs"
        await on.discord.say(f"{ME} Next")
        assert (await on.heard(4))[3] == "Ann clean 3: Next"
