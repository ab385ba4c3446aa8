"""The button that asks for another reply."""

from pathlib import Path

from bots.discord_bot.channel_settings import ChannelSettings
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import GUILD
from tests.bots.discord_bot.harness import ME, add_persona, run, script, stage


@run
async def test_the_last_reply_can_be_another_one(library: Library, tmp_path: Path) -> None:
    async with stage(library, tmp_path) as on:
        fake, messages = on.discord, on.discord.messages
        await fake.say(f"{ME} One")
        await fake.say(f"{ME} Two")
        await on.heard(2)
        script.manner = "again"
        stranger = await fake.press(messages[1], author=4001)
        await on.until(lambda: fake.told(stranger), 1)
        assert fake.told(stranger) == ["That button is for somebody else."]
        assert messages[1]["content"] == "Ann clean 3: Two"
        early = await fake.press(messages[0])
        await on.until(lambda: fake.told(early), 1)
        assert "moved on" in fake.told(early)[0]
        await fake.press(messages[1])
        await on.until(lambda: [sent for sent in messages if sent["content"] == "Ann again 3: Two"], 1)
        assert [turn.text for turn in on.store.turns(1, 9)] == ["One", "Ann clean 1: One", "Two", "Ann again 3: Two"]
    # The button under it works after a restart, has the same persona speak, and what is remembered is what was said last.
    script.manner = "later"
    add_persona(library, "Bob")
    async with stage(library, tmp_path, fake) as on:
        for change, why in ((ChannelSettings(roles=(1,)), "your roles"), (ChannelSettings(mode="off"), "do not talk")):
            await on.bot.services.settings.change(1, GUILD, change)
            refused = await fake.press(messages[1])
            await on.until(lambda refused=refused: fake.told(refused), 1)  # type: ignore[misc]
            assert why in fake.told(refused)[0]
        await on.bot.services.settings.change(1, GUILD, ChannelSettings(mode="mentions"))
        await on.bot.services.settings.change(1, GUILD, ChannelSettings(roles=()))
        await fake.command("persona", sub="set", name="bob", manager=True)
        await fake.press(messages[1])
        await on.until(lambda: [sent for sent in messages if sent["content"] == "Ann later 3: Two"], 1)
        await fake.say(f"{ME} Three")
        assert (await on.heard(3))[2] == "Bob later 5: Three"


@run
async def test_replies_to_commands_and_by_webhooks_can_be_regenerated(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        fake = on.discord
        await on.told("settings", manager=True, webhooks=True)
        await on.told("chat", message="One")
        await fake.say(f"{ME} Two", channel=2)
        script.manner = "again"
        (buttons,) = [edit["components"][0]["components"] for edit in fake.edits if edit.get("components")]
        answer = {"channel": 1, "content": "> One\nAnn clean 1: One", "id": "77", "hook": None, "buttons": buttons}
        await fake.press(answer)
        await on.until(lambda: [True] if answer["content"] == "> One\nAnn again 1: One" else [], 1)
        await on.told("settings", manager=True, webhooks=True, channel=2)
        await fake.say(f"{ME} Three", channel=2)
        await on.heard(2)
        assert fake.messages[1]["hook"]
        script.manner = "later"
        await fake.press(fake.messages[1])
        await on.until(lambda: [True] if fake.messages[1]["content"] == "> Three\nAnn later 3: Three" else [], 1)
