"""Slash commands."""

import asyncio
import gc
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from aiohttp import web

from bots.discord_bot.channel_settings import ChannelSettings, Setting
from bots.discord_bot.texts import HOURGLASS
from bots.discord_bot.timings import Timings
from bots.persona_pool import PersonaInfo
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD, OWNER, ROLE, FakeDiscord, _answer
from tests.bots.discord_bot.harness import ME, add_persona, run, script, stage


@run
async def test_commands(library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path) as on:
        fake = on.discord
        assert "Ann (Demo)" in await on.told("persona", sub="list")
        assert "may manage" in await on.told("persona", sub="set", name="bob")
        assert "no zed" in await on.told("persona", sub="set", manager=True, name="zed")
        assert await on.told("persona", sub="set", manager=True, name="bob") == (
            "Bob talks here now.\n**Bob**: Bob clean 1: Hey!"
        )
        assert await on.told("persona", sub="show") == "Bob from Demo, without profanity."
        asked = await fake.command("who", line="More tea?")
        completed = await fake.command("persona", sub="set", complete="name", name="bo")
        await on.until(lambda: [callback for callback in fake.callbacks if callback["id"] == completed], 1)
        assert [one["value"] for one in fake.said_to(completed)["data"]["choices"]] == ["Bob"]
        assert "/persona" in await on.told("help")
        assert (await on.until(lambda: fake.told(asked), 1))[-1] == "Sorry, I lost my line. Try again?"
        assert "no speaker classifier" in caplog.text
        assert "nothing that is typed here is ever used for training" in await on.told("privacy")
        assert "deleted" in await on.told("forget-me")
        assert await on.told("reset") == "A new conversation."
        assert "content intent" in await on.told("settings", manager=True, mode="always")
        assert "temperature: 0.5" in await on.told("settings", manager=True, cooldown=0.0, temperature=0.5)
        await fake.say(f"{ME} Who are you?")
        assert await on.heard(1) == ["Bob clean 1: Who are you?"]
    async with stage(library, tmp_path, fake) as on:
        await on.discord.say(f"{ME} Still?")
        assert (await on.heard(2))[1] == "Bob clean 3: Still?", "settings and conversation survive"


@run
async def test_reset_and_forget_me_forget(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for number, command in enumerate(("reset", "forget-me")):
            await on.discord.say(f"{ME} Remember this")
            await on.heard(2 * number + 1)
            await on.told(command)
            await on.discord.say(f"{ME} What?")
            assert (await on.heard(2 * number + 2))[-1] == "Ann clean 1: What?"
            await on.told("reset")


@run
async def test_a_command_that_came_too_late_is_no_crash(
    shared_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(shared_library, tmp_path) as on:
        on.discord.late = True
        for command in ("help", "reset"):
            await on.discord.command(command)
        await on.until(lambda: [one for one in caplog.records if "a command failed" in one.message], 2)
        gc.collect()
        assert {record.levelname for record in caplog.records if record.name in ("charbot.discord", "asyncio")} == {"WARNING"}


@run
async def test_who_may_manage_one_channel_may_not_manage_the_server(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        assert "whole server" in await on.told("persona", sub="set", manager=True, name="ann", server_wide=True)
        assert "whole server" in await on.told("settings", manager=True, temperature=0.5, server_wide=True)
        assert await on.told("persona", sub="set", author=OWNER, manager=True, name="ann", server_wide=True) == (
            "Ann talks in this server now.\n**Ann**: Ann clean 1: Hey!"
        )


@run
async def test_admins_choose_where_it_talks_and_with_whom(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        boss: dict[str, Any] = {"manager": True, "author": OWNER}
        assert "mode: off" in await on.told("settings", **boss, mode="off", server_wide=True)
        await on.told("settings", **boss, mode="mentions", channel=2)
        await on.discord.say(f"{ME} Hello?")
        for command in ("chat", "say", "who", "scene", "reset"):
            options = {"chat": {"message": "x"}, "say": {"persona": "ann", "message": "x"}, "who": {"line": "x"}}
            options["scene"] = {"personas": "ann, ann"}
            assert "do not talk in this channel" in await on.told(command, **options.get(command, {}))
        await on.discord.say(f"{ME} Tea?", channel=2)
        assert await on.heard(1) == ["Ann clean 1: Tea?"]
        assert "mode: mentions" in await on.told("settings", **boss, inherit="mode", server_wide=True)
        assert "Either set mode" in await on.told("settings", **boss, inherit="mode", mode="off")
        assert "Mention the roles" in await on.told("settings", **boss, roles="friends")
        assert "roles: <@&71> <@&72>" in await on.told("settings", **boss, roles="<@&71>, <@&72>")
        assert "Nobody with your roles" in await on.told("reset")
        assert "roles: @everyone" in await on.told("settings", **boss, roles=f"<@&{GUILD}>")
        await on.told("settings", **boss, roles="<@&71>")
        assert "roles: @everyone" in await on.told("settings", **boss, inherit="roles")
        assert await on.told("reset") == "A new conversation."
    assert set(get_args(Setting)) == {field.name for field in fields(ChannelSettings)}


@run
async def test_the_cooldown_refuses_early_messages_and_refusals_do_not_restart_it(library: Library, tmp_path: Path) -> None:
    add_persona(library, "Bob")
    async with stage(library, tmp_path, timings=Timings(notice=0.01), cooldown=3600.0, waiting=1) as on:
        for command, option in (("who", {"line": "x"}), ("scene", {"personas": "ann, bob", "turns": 2})):
            author = 6000 + len(command)
            await on.told(command, author=author, **option)
            assert "yours can come in 60 minutes" in await on.told(command, author=author, channel=2, **option)
        script.free.clear()
        for author in (5001, 5002, 5003):
            await on.discord.say(f"{ME} {author}", author=author)
        assert "left 1" in (await on.heard(1))[0]
        script.free.set()
        await on.heard(3)
        await on.discord.say(f"{ME} Now?", author=5003)
        assert (await on.heard(4))[3].endswith("Now?")
        answered = {**on.discord._made(1, "x"), "id": on.discord.messages[-1]["id"]}
        await on.discord.say("You cannot read this", answers=answered, ping=False, author=5003)
        await on.discord.say("Nor this", answers=answered, ping=False, author=5004)
        assert (await on.heard(5))[4].startswith("Mention me")
        await on.discord.say(f"{ME} Then this", author=5004)
        assert (await on.heard(6))[5].endswith("Then this")


@run
async def test_who_would_have_said_it_keeps_no_answer_waiting(
    shared_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(shared_library, tmp_path) as on:
        ranked = threading.Event()
        monkeypatch.setattr(on.bot.services.personas, "who_said", lambda line: [("Ann", 1.0)] if ranked.wait(60) else [])
        asked = [await on.discord.command("who", author=7000 + number, line="x") for number in range(40)]
        try:
            await on.discord.say(f"{ME} Tea?")
            await on.heard(1, 20)
            refused = await on.until(lambda: [command for command in asked if on.discord.told(command)], 32)
            assert {on.discord.told(command)[0] for command in refused} == {"Too many ask at once; try again in a moment."}
        finally:
            ranked.set()
        await on.until(lambda: [command for command in asked if on.discord.told(command)], 40)
        assert sum("Ann: 100%" in on.discord.told(one)[0] for one in asked) == 8


@run
async def test_names_that_are_too_long_are_completed_in_part(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        on.bot.services.personas._members["long"] = PersonaInfo("long" * 30, "Demo", False, ("word",))
        completed = await on.discord.command("persona", sub="set", complete="name", name="long")
        await on.until(lambda: [callback for callback in on.discord.callbacks if callback["id"] == completed], 1)
        (choice,) = on.discord.said_to(completed)["data"]["choices"]
        assert [len(choice["name"]), len(choice["value"])] == [100, 100]


@run
async def test_who_uses_an_option_under_its_old_name_is_told_the_new_one(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for old, new in (("faces", "webhooks"), ("wake", "trigger_words"), ("everywhere", "server_wide")):
            assert f"`{old}` is called `{new}` now" in await on.told("settings", manager=True, **{old: True})
        assert "`server_wide` now" in await on.told("persona", sub="set", manager=True, name="ann", everywhere=True)


@run
async def test_who_is_not_answered_is_told_why_and_once(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, timings=Timings(notice=2.0), cooldown=3600.0) as on:
        for _ in range(20):
            await on.discord.say(f"{ME} Tea?", author=5001)
        assert await on.heard(2) == [
            "Ann clean 1: Tea?",
            "I left 19 unanswered. Here everybody waits 60 minutes between two messages; yours can come in 60 minutes.",
        ]
        await on.discord.say(f"{ME} Tea?", author=5001)
        asked = await on.discord.command("chat", message="Tea?", author=5001)
        await on.until(lambda: on.discord.told(asked), 1)
        assert on.discord.said_to(asked)["data"]["flags"] == 64, "only who asked sees it"
        assert len(on.discord.messages) == 2
        (left,) = [line for line in on.bot.metrics.text().decode().splitlines() if 'outcome="left"' in line and "total" in line]
        assert left.endswith(" 20.0")
    async with stage(shared_library, tmp_path, on.discord, cooldown=3600.0) as on:
        assert "waits 60 minutes" in await on.told("chat", message="Tea?", author=5001), "a restart ends no cooldown"
        await on.discord.say(f"{ME} Milk?", author=5002)
        assert (await on.heard(3))[2].endswith(": Milk?")


@run
async def test_what_is_left_unanswered_gets_a_reaction_once(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path, FakeDiscord(may_react=True), timings=Timings(notice=0.2), cooldown=3600.0) as on:
        asked = [await on.discord.say(f"{ME} Tea?", author=author) for author in (5001, 5002) for _ in range(4)]
        await on.until(lambda: on.discord.reactions, 2)
        await on.discord.say(f"{ME} Tea?", author=5001)
        assert await on.heard(2) == ["Ann clean 1: Tea?", "Ann clean 3: Tea?"]
        await asyncio.sleep(0.5)
        assert sorted(on.discord.reactions) == [(asked[1], HOURGLASS), (asked[5], HOURGLASS)]
        assert f"{HOURGLASS} under your message" in await on.told("help")


@run
async def test_who_cannot_be_read_is_told_so_once(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for _ in range(3):
            await on.discord.say(f"<@&{ROLE}> Tea?", author=5001)
        await on.discord.say(f"{ME} Tea?", author=5001)
        assert [text[:10] for text in await on.heard(2)] == ["Mention me", "Ann clean "]


@run
async def test_what_others_typed_is_quoted_as_theirs_and_its_links_are_bare(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        typed = "[Free Nitro](https://evil.example/nitro_1) <@4000>"
        shown = "\\[Free Nitro\\](<https://evil.example/nitro_1>) \\<@4000\\>"
        for command, options, before in (
            ("chat", {"message": typed}, "Ann clean 1: "),
            ("say", {"message": typed, "persona": "ann"}, "**Ann**: Ann clean 1: "),
        ):
            assert await on.told(command, **options) == f"> {shown}\n{before}{shown}"
        await on.discord.say(f"{ME} [Free](https://evil.example) ***")
        assert await on.heard(1) == ["Ann clean 3: \\[Free\\](<https://evil.example>) \\*\\*\\*"]
        await on.discord.press(on.discord.messages[0])
        await on.until(lambda: on.discord.edits, 3)
        assert on.discord.edits[2]["content"] == on.discord.messages[0]["content"], "the button knows its reply"


@run
async def test_commands_are_registered_where_they_are_not(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    for lost, times in ((0, 1), (0, 1), (1, 2), (0, 2)):
        fake.registered = fake.registered[lost:]
        async with stage(shared_library, tmp_path, fake):
            assert len(fake.synced) == times
    async with stage(shared_library, tmp_path, fake, force_sync=True):
        assert len(fake.synced) == 3


@run
@pytest.mark.parametrize("status", [400, 403, 503])
async def test_commands_that_discord_rejects_stop_nothing_else(
    shared_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    rejected = _answer({"code": 50035, "message": "Invalid Form Body"}, status)
    fake = FakeDiscord(refuse=lambda method, path: rejected if method == "PUT" else None)
    async with stage(shared_library, tmp_path, fake) as on:
        await on.discord.say(f"{ME} Tea?")
        assert await on.heard(1) == ["Ann clean 1: Tea?"]
    assert "the slash commands may be missing or old" in caplog.text


@run
async def test_messages_that_quote_somebody_are_deleted_with_what_they_said(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.told("chat", message="A secret")
        await on.told("chat", message="Not mine", author=4001)
        await on.told("settings", manager=True, webhooks=True, channel=2)
        await on.discord.say(f"{ME} Another", channel=2)
        await on.heard(1)
        await on.until(lambda: on.store.quotes(4000), 2)
        await on.told("forget-me")
        assert len(on.discord.removed) == 1
        assert on.discord.messages == [], "by the webhook that had posted it"
        assert (len(on.store.quotes(4000)), len(on.store.quotes(4001))) == (0, 1)


@run
async def test_forget_me_says_what_could_not_be_deleted_and_tries_it_again(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for channel in (1, 2, 18):
            await on.told("chat", message="A secret", channel=channel)
        await on.told("settings", manager=True, webhooks=True, channel=1)
        await on.discord.say(f"{ME} Another")
        await on.heard(1)
        await on.until(lambda: on.store.quotes(4000), 4)
        by_channel = {quote.channel: quote for quote in on.store.quotes(4000)}
        hooked = int(on.discord.messages[0]["id"])
        on.discord.webhooks.clear()

        def refuse(method: str, path: str) -> web.Response | None:
            if method == "DELETE" and path.startswith("channels/18/"):
                return _answer({"message": "Missing Access", "code": 50001}, 403)
            gone = method == "DELETE" and path.startswith("channels/2/")
            return _answer({"message": "Unknown Message", "code": 10008}, 404) if gone else None

        on.discord.refuse = refuse
        told = await on.told("forget-me")
        assert "but for 2, which Discord did not let me delete" in told
        assert told.splitlines()[-2:] == [by_channel[18].address, f"https://discord.com/channels/{GUILD}/1/{hooked}"]
        assert on.store.turns(1, 9) == []
        on.discord.refuse = lambda method, path: None
        assert "but for 1, which" in await on.told("forget-me"), "its webhook is gone, the other one can be deleted now"


@run
async def test_forget_me_says_that_direct_messages_could_not_be_found(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        on.discord.refuse = lambda method, path: (
            _answer({"message": "Cannot send messages to this user", "code": 50007}, 403)
            if path == "users/@me/channels"
            else None
        )
        assert "could not be found" in await on.told("forget-me")


@run
async def test_what_was_set_in_direct_messages_is_forgotten_with_its_user(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        await on.bot.services.settings.change(9, None, ChannelSettings(temperature=0.5))
        await on.bot.services.settings.change(1, GUILD, ChannelSettings(temperature=0.6))
        assert "set in direct messages" in await on.told("forget-me")
        assert on.store.places() == on.bot.services.settings.places == {1: ChannelSettings(temperature=0.6)}


@run
async def test_any_message_can_be_answered_from_its_menu(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for number, (text, told) in enumerate(
            (("More *tea*?", "> More \\*tea\\*?\nAnn clean 1: More \\*tea\\*?"), ("", "no text"))
        ):
            message = on.discord._made(1, text, str(70 + number))
            data = {"id": "1", "name": "Answer this", "type": 3, "target_id": message["id"]}
            data |= {"resolved": {"messages": {message["id"]: message}}}
            await on.discord._interact(900 + number, 2, 1, 4000, False, {"data": data})
            await on.until(lambda number=number: on.discord.told(900 + number), 1)  # type: ignore[misc]
            assert told in on.discord.told(900 + number)[0]


@run
async def test_help_explains_the_settings_to_those_who_can_change_them(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        assert "`trigger_words`: words, with commas between" in await on.told("help", manager=True)
        assert "`trigger_words`" not in await on.told("help")
