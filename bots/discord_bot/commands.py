"""The slash commands."""

import logging
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord_bot import texts
from bots.discord_bot.bot import Bot
from bots.discord_bot.channel_settings import (
    ChannelSettings,
    Mode,
    Setting,
    age_restricted,
    channel_of,
    may_speak,
    rejection_reason,
)
from bots.discord_bot.reply_targets import ToCommand
from bots.discord_bot.retry import ignore_send_errors
from bots.discord_bot.scene import MOST_PEOPLE, play
from charbot.errors import BusyError, CharbotError, UsageError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply
from charbot.text import prepare_message, words

_CHOICES = 25
"""Choices that Discord shows in an autocompletion, at most."""
_LONGEST = 100
"""Characters that Discord allows per choice."""
_LIKELY = 3
"""Names that /who shows."""

_EXPECTED = (UsageError, BusyError, app_commands.CheckFailure)
"""Errors that the user can do something about, and whose text is shown."""

_log = logging.getLogger("charbot.discord")

Interaction: TypeAlias = discord.Interaction[Bot]


def add_commands(bot: Bot) -> None:
    """Add the slash commands and their error handler to the bot."""
    found: list[app_commands.Command[Any, ..., Any] | app_commands.Group] = [
        _Persona(),
        _chat,
        _say,
        _who,
        _scene,
        _stop,
        _reset,
        _settings,
    ]
    found += [_privacy, _forget_me, _help]
    for command in found:
        bot.tree.add_command(command)
    bot.tree.error(_explain)


async def _explain(interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
    """Tell the user what went wrong; log errors that they can do nothing about."""
    reason = getattr(error, "original", error)
    if isinstance(reason, CharbotError | discord.NotFound) and not isinstance(reason, _EXPECTED):
        # Discord answers NotFound if a command is acknowledged too late.
        _log.warning("a command failed: %s", reason)
    elif not isinstance(reason, _EXPECTED):
        _log.error("a command failed", exc_info=reason)
    await ignore_send_errors(_tell(interaction, _reason(reason)))


def _reason(error: Exception) -> str:
    """Return the text that users see for an error."""
    return str(error) if isinstance(error, _EXPECTED) else texts.SORRY


async def _tell(interaction: discord.Interaction, text: str) -> None:
    """Answer a command, visible only to its user unless it was deferred publicly."""
    send: Callable[..., object] = interaction.response.send_message
    if interaction.response.is_done():
        send = interaction.followup.send
    for part in texts.pieces(text):
        await send(part, ephemeral=True)  # type: ignore[misc]
        send = interaction.followup.send


def _place(interaction: Interaction) -> ChannelSettings:
    return interaction.client.place_of(interaction.channel, interaction.guild_id)


def _may_manage(interaction: Interaction, everywhere: bool) -> None:
    rights = interaction.permissions
    if everywhere and isinstance(interaction.user, discord.Member):
        # `interaction.permissions` are those in this channel only.
        rights = interaction.user.guild_permissions
    if interaction.guild_id and not rights.manage_channels:
        raise UsageError(
            f"Only those who may manage {'channels in the whole server' if everywhere else 'the channel'} can change that."
        )


def _and_cure(interaction: Interaction, text: str) -> str:
    """Return a text, with what to do added if the bot may not post in the channel."""
    mute = interaction.guild_id and not may_speak(interaction.app_permissions, interaction.channel)
    return f"{text}\n{texts.MUTE}" if mute else text


def _may_talk(interaction: Interaction) -> None:
    if why := rejection_reason(interaction.user, _place(interaction)):
        raise UsageError(why)


def _may_ask(interaction: Interaction) -> None:
    _may_talk(interaction)
    if interaction.client.hasty(interaction.user.id, _place(interaction)):
        raise UsageError(texts.BUSY.format(count="that"))


async def _names(interaction: Interaction, typed: str) -> list[Choice[str]]:
    wanted = typed.casefold()
    found = [one for one in interaction.client.cast.members if wanted in f"{one.name} {one.show}".casefold()]
    return [Choice(name=f"{one.name} ({one.show})"[:_LONGEST], value=one.name[:_LONGEST]) for one in found[:_CHOICES]]


@app_commands.command(name="chat", description="Say something to whoever talks in this channel")
@app_commands.describe(message="what you say")
async def _chat(interaction: Interaction, message: app_commands.Range[str, 1, 1000]) -> None:
    _may_talk(interaction)
    await _answer(interaction, _place(interaction), message)


async def _answer(interaction: Interaction, place: ChannelSettings, message: str, aside: bool = False) -> None:
    """Defer a command and enqueue it, to be answered under the settings `place`."""
    await interaction.response.defer(thinking=True)
    target = ToCommand(interaction, message, named=aside)
    await interaction.client.answer_use(interaction, target, place, prepare_message(message) or "Hey!", aside=aside)


@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
@app_commands.command(name="say", description="One line of anybody's, outside the conversation")
@app_commands.describe(persona="who says it", message="what it answers")
@app_commands.autocomplete(persona=_names)
async def _say(interaction: Interaction, persona: str, message: app_commands.Range[str, 1, 1000]) -> None:
    _may_talk(interaction)
    place = ChannelSettings(persona=persona).with_fallback(_place(interaction))
    interaction.client.member(place, age_restricted(interaction.channel))
    await _answer(interaction, place, message, aside=True)


@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
@app_commands.command(name="who", description="Who of the shows would have said it")
@app_commands.describe(line="what somebody said")
async def _who(interaction: Interaction, line: app_commands.Range[str, 1, 1000]) -> None:
    _may_ask(interaction)
    interaction.client.heed(interaction.user.id)
    await interaction.response.defer(thinking=True)
    ranking = await interaction.client.who_said(line)
    likely = "\n".join(f"{name}: {probability:.0%}" for name, probability in ranking[:_LIKELY])
    await ToCommand(interaction, line).send(likely)


async def _last_name(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """Complete the last of several names with commas between."""
    before, comma, last = typed.rpartition(",")
    found = await _names(interaction, last.strip())
    lead = f"{before}, " if comma else ""
    return [Choice(name=f"{lead}{one.value}"[:_LONGEST], value=f"{lead}{one.value}"[:_LONGEST]) for one in found]


@app_commands.command(name="scene", description="Several people of the shows talk to one another")
@app_commands.describe(personas="two to four, with commas between", topic="what it begins with", turns="how many lines")
@app_commands.autocomplete(personas=_last_name)
async def _scene(
    interaction: Interaction,
    personas: str,
    topic: app_commands.Range[str, 1, 500] = "Hey!",
    turns: app_commands.Range[int, 2, 20] = 6,
) -> None:
    _may_ask(interaction)
    bot = interaction.client
    nsfw, here = age_restricted(interaction.channel), _place(interaction)
    names = [name.strip() for name in personas.split(",") if name.strip()]
    if not 2 <= len(names) <= MOST_PEOPLE:
        raise UsageError(f"A scene has two to {MOST_PEOPLE} people: joey, ross")
    for name in names:
        if bot.cast.member(name) is None:
            raise UsageError(f"There is no {name}. /persona list shows who there is.")
    people = [bot.member(ChannelSettings(persona=name).with_fallback(here), nsfw)[0].name for name in names]
    if len(set(people)) < len(people):
        raise UsageError("Nobody can take part twice.")

    async def reply(who: str, conversation: Conversation) -> Reply:
        return await bot.reply(ChannelSettings(persona=who).with_fallback(here), nsfw, conversation)

    async def say(line: str) -> None:
        if interaction.is_expired():
            await bot.get_partial_messageable(channel_of(interaction)).send(line)
        else:
            await interaction.followup.send(line)

    async def scene() -> None:
        await interaction.response.send_message(f"*{' and '.join(people)}: {topic}*")
        try:
            await play(people, topic, turns, reply, say)
        except Exception as error:
            await ignore_send_errors(say(_reason(error)))
            raise

    if not bot.stages.begin(channel_of(interaction), scene(), say):
        raise UsageError("A scene is on already; /stop ends it.")
    bot.heed(interaction.user.id)


@app_commands.command(name="stop", description="End the scene in this channel")
async def _stop(interaction: Interaction) -> None:
    stopped = interaction.client.stages.stop(channel_of(interaction))
    await interaction.response.send_message("Cut!" if stopped else "No scene is on.", ephemeral=not stopped)


@app_commands.command(name="reset", description="Start the conversation in this channel anew")
async def _reset(interaction: Interaction) -> None:
    _may_talk(interaction)
    await interaction.response.defer()
    await interaction.client.conversations.forget_channel(channel_of(interaction))
    await interaction.followup.send("A new conversation.")


@app_commands.command(name="settings", description="What counts in this channel, or in the whole server")
@app_commands.describe(
    mode="answer nothing, mentions only, or everything", temperature="0.05 is predictable, 2 is wild", clean="no profanity",
    cooldown="seconds between two messages of one person", roles="who is answered: @friends @mods; @everyone for all",
    faces="personas speak under their own names", wake="words, with commas between, that need no mention; - for none",
    chance="of joining in unasked: 0 is never, 1 is always",
    inherit="set this back to what the server, or else charbot, has", everywhere="for the whole server",
)  # fmt: skip
@app_commands.default_permissions(manage_channels=True)
async def _settings(
    interaction: Interaction,
    mode: Mode | None = None,
    temperature: app_commands.Range[float, 0.05, 2.0] | None = None,
    clean: bool | None = None,
    cooldown: app_commands.Range[float, 0.0, 3600.0] | None = None,
    roles: app_commands.Range[str, 1, 500] | None = None,
    faces: bool | None = None,
    wake: app_commands.Range[str, 1, 200] | None = None,
    chance: app_commands.Range[float, 0.0, 1.0] | None = None,
    inherit: Setting | None = None,
    everywhere: bool = False,
) -> None:
    bot = interaction.client
    phrases = None if wake is None else tuple(one.strip() for one in wake.split(",") if words(one))
    if (mode == "always" or phrases or chance) and not bot.intents.message_content:
        raise UsageError(
            "That needs the message content intent: `discord.message_content: true` in config.yaml, "
            "and the same switch in Discord's developer portal."
        )
    if faces and not interaction.app_permissions.manage_webhooks:
        raise UsageError("That needs webhooks: give me the permission Manage Webhooks first.")
    changes = ChannelSettings(
        mode=mode, temperature=temperature, clean=clean, cooldown=cooldown, faces=faces, wake=phrases, chance=chance,
        roles=None if roles is None else _roles(roles, interaction.guild_id),
    )  # fmt: skip
    if inherit and getattr(changes, inherit, None) is not None:
        raise UsageError(f"Either set {inherit}, or have it set back.")
    await interaction.response.defer(ephemeral=True)
    if inherit or changes != ChannelSettings():
        _may_manage(interaction, everywhere)
        await bot.change_place(_where(interaction, everywhere), changes, inherit)
        if _place(interaction).mode == "off":
            bot.stages.stop(channel_of(interaction))
    await _tell(interaction, _and_cure(interaction, _place(interaction).shown()))


def _roles(text: str, everyone: int | None) -> tuple[int, ...]:
    """Return the ids of the roles that a text mentions, or none for everyone.

    `everyone` is the server's id, which its @everyone role shares. Raises UsageError if there are no mentions.
    """
    found = tuple(int(one) for one in re.findall(r"<@&(\d+)>", text))
    if everyone in found or text.strip() == "@everyone":
        return ()
    if not found:
        raise UsageError("Mention the roles, @friends @mods, or @everyone for all.")
    return found


def _where(interaction: Interaction, everywhere: bool) -> int:
    return (interaction.guild_id if everywhere else None) or channel_of(interaction)


@app_commands.command(name="privacy", description="What is kept, and for how long")
async def _privacy(interaction: Interaction) -> None:
    config = interaction.client.config
    await _tell(interaction, texts.PRIVACY.format(turns=2 * config.chat.context_turns, days=config.discord.memory_days))


@app_commands.command(name="forget-me", description="Delete all that you said to me")
async def _forget_me(interaction: Interaction) -> None:
    await interaction.response.defer(ephemeral=True)
    await interaction.client.forget_user(interaction.user.id)
    await _tell(interaction, "All that you said to me is deleted.")


@app_commands.command(name="help", description="What I can do")
async def _help(interaction: Interaction) -> None:
    await _tell(interaction, texts.HELP)


class _Persona(app_commands.Group):
    """The /persona commands, which show and choose who talks."""

    def __init__(self) -> None:
        super().__init__(name="persona", description="Who talks in this channel")

    @app_commands.command(name="set", description="Choose who talks")
    @app_commands.describe(name="who", everywhere="in all channels of the server that have not chosen")
    @app_commands.autocomplete(name=_names)
    async def choose(self, interaction: Interaction, name: str, everywhere: bool = False) -> None:
        _may_manage(interaction, everywhere)
        bot = interaction.client
        if bot.cast.member(name) is None:
            raise UsageError(f"There is no {name}. /persona list shows who there is.")
        place = ChannelSettings(persona=name).with_fallback(_place(interaction))
        member, _ = bot.member(place, age_restricted(interaction.channel))
        await interaction.response.defer()
        await bot.change_place(_where(interaction, everywhere), ChannelSettings(persona=member.name))
        said = f"{member.name} talks {'in this server' if everywhere else 'here'} now."
        await interaction.followup.send(_and_cure(interaction, said))

    @app_commands.command(name="show", description="Who talks in this channel")
    async def show(self, interaction: Interaction) -> None:
        member, clean = interaction.client.member(_place(interaction), age_restricted(interaction.channel))
        await _tell(interaction, f"{member.name} from {member.show}{', without profanity' if clean else ''}.")

    @app_commands.command(name="list", description="Who there is")
    async def list_all(self, interaction: Interaction) -> None:
        lines = [f"{one.name} ({one.show}{', mature' if one.mature else ''})" for one in interaction.client.cast.members]
        await _tell(interaction, "\n".join(lines))
