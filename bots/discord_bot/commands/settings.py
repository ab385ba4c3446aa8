"""The commands /persona and /settings, by which people choose who talks in a channel, and how."""

import logging
import re

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord_bot import texts
from bots.discord_bot.addressing import GREETING
from bots.discord_bot.channel_settings import (
    MAX_COOLDOWN,
    OLD_NAMES,
    ChannelSettings,
    Mode,
    Setting,
    age_restricted,
    channel_of,
    may_speak,
)  # fmt: skip
from bots.discord_bot.commands.base import Interaction, ServicesCog, require_manager
from bots.discord_bot.interactions import tell
from bots.discord_bot.markdown import escape
from bots.discord_bot.reply_generator import Asker
from bots.discord_bot.retry import SEND_ERRORS
from charbot.errors import UsageError
from charbot.generation.conversation import Conversation
from charbot.text import words

_log = logging.getLogger("charbot.discord")


class SettingsCommands(ServicesCog):
    """The settings of a channel, or of a whole server."""

    persona = app_commands.Group(name="persona", description="Who talks in this channel")

    @persona.command(name="set", description="Choose who talks")
    @app_commands.describe(name="who", server_wide="in all channels of the server that have not chosen")
    async def choose(self, interaction: Interaction, name: str, server_wide: bool = False) -> None:
        _refuse_old_names(interaction)
        require_manager(interaction, server_wide)
        self.require_persona(name)
        settings = ChannelSettings(persona=name).with_fallback(self.settings_of(interaction))
        persona, _ = self.services.generator.persona(settings, age_restricted(interaction.channel))
        await interaction.response.defer()
        untold = await self._change(interaction, server_wide, ChannelSettings(persona=persona.name))
        where = "in this server" if server_wide else "here"
        greeting = await self._greeting(interaction, settings)
        await interaction.followup.send(_with_remedy(interaction, f"{persona.name} talks {where} now.{greeting}{untold}"))

    async def _greeting(self, interaction: Interaction, settings: ChannelSettings) -> str:
        """Return how the persona of these settings greets, on a line of its own; "" if it cannot now."""
        asker = Asker(interaction.guild_id, interaction.user.id, age_restricted(interaction.channel))
        try:
            reply = await self.services.generator.reply(settings, Conversation().add(GREETING), asker)
        except Exception as error:
            _log.warning("no greeting: %s", error)
            return ""
        return f"\n**{reply.conversation.turns[-1].speaker}**: {escape(reply.text)}"

    @choose.autocomplete("name")
    async def _complete(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        return self.complete_persona(typed)

    @persona.command(name="show", description="Who talks in this channel")
    async def show(self, interaction: Interaction) -> None:
        nsfw = age_restricted(interaction.channel)
        persona, clean = self.services.generator.persona(self.settings_of(interaction), nsfw)
        await tell(interaction, f"{persona.name} from {persona.show}{', without profanity' if clean else ''}.")

    @persona.command(name="list", description="Who there is")
    async def list_all(self, interaction: Interaction) -> None:
        personas = self.services.personas.members
        await tell(interaction, "\n".join(f"{info.name} ({info.show}{', mature' if info.mature else ''})" for info in personas))

    @app_commands.command(name="settings", description="What counts in this channel, or in the whole server")
    @app_commands.describe(
        mode="answer nothing, mentions only, or everything", temperature="0.05 is predictable, 2 is wild",
        clean="no profanity", cooldown="seconds between two messages of one person",
        roles="who is answered: @friends @mods; @everyone for all", webhooks="personas speak under their own names",
        trigger_words="words, with commas between, that need no mention; - for none",
        random_reply_chance="of joining in unasked: 0 is never, 1 is always",
        media_replies="whether pictures and such get an answer, though they cannot be seen",
        admins_only="whether only those who may manage the channel can use /reset and /stop",
        log_channel="where changes of settings are told",
        inherit="set this back to what the server, or else charbot, has", server_wide="for the whole server",
    )  # fmt: skip
    @app_commands.default_permissions(manage_channels=True)
    async def settings(
        self,
        interaction: Interaction,
        mode: Mode | None = None,
        temperature: app_commands.Range[float, 0.05, 2.0] | None = None,
        clean: bool | None = None,
        cooldown: app_commands.Range[float, 0.0, MAX_COOLDOWN] | None = None,
        roles: app_commands.Range[str, 1, 500] | None = None,
        webhooks: bool | None = None,
        trigger_words: app_commands.Range[str, 1, 200] | None = None,
        random_reply_chance: app_commands.Range[float, 0.0, 1.0] | None = None,
        media_replies: bool | None = None,
        admins_only: bool | None = None,
        log_channel: discord.TextChannel | None = None,
        inherit: Setting | None = None,
        server_wide: bool = False,
    ) -> None:
        _refuse_old_names(interaction)
        phrases = None if trigger_words is None else tuple(part.strip() for part in trigger_words.split(",") if words(part))
        changes = ChannelSettings(
            mode=mode, temperature=temperature, clean=clean, cooldown=cooldown, webhooks=webhooks, trigger_words=phrases,
            random_reply_chance=random_reply_chance, media_replies=media_replies, admins_only=admins_only,
            log_channel=None if log_channel is None else log_channel.id,
            roles=None if roles is None else _roles(roles, interaction.guild_id),
        )  # fmt: skip
        _require_possible(interaction, changes, inherit)
        await interaction.response.defer(ephemeral=True)
        untold = ""
        if inherit or changes != ChannelSettings():
            require_manager(interaction, server_wide)
            untold = await self._change(interaction, server_wide, changes, inherit)
            if self.settings_of(interaction).mode == "off":
                self.services.scenes.stop(channel_of(interaction))
        shown = self.settings_of(interaction).shown() + untold
        if webhooks and not interaction.client.intents.message_content:
            shown += f"\n{texts.WEBHOOKS_UNREAD}"
        await tell(interaction, _with_remedy(interaction, shown))

    async def _change(
        self, interaction: Interaction, server_wide: bool, changes: ChannelSettings, inherit: Setting | None = None
    ) -> str:
        """Change settings, and tell the log channels, if there are any, before or after. Raises StoreError.

        Returns a line for each channel that could not be told.
        """
        logs = {self.settings_of(interaction).log_channel}
        place = (interaction.guild_id if server_wide else None) or channel_of(interaction)
        await self.services.settings.change(place, interaction.guild_id, changes, inherit)
        where = "the server" if server_wide else f"<#{place}>"
        what = "\n".join(filter(None, (changes.shown(), inherit and f"{inherit}: inherited")))
        untold = ""
        for log in {*logs, self.settings_of(interaction).log_channel} - {None}:
            channel = interaction.client.get_partial_messageable(log)
            try:
                await channel.send(f"<@{interaction.user.id}> changed the settings of {where}:\n{what}")
            except SEND_ERRORS as error:
                _log.warning("a change of settings could not be told in channel %d: %s", log, error)
                untold += f"\nI could not tell that in <#{log}>: {escape(str(error))}"
        return untold


def _refuse_old_names(interaction: Interaction) -> None:
    """Raise UsageError if an option has its old name, as Discord's app may offer for a while after an update."""
    for name, _ in interaction.namespace:
        if name in OLD_NAMES:
            raise UsageError(f"`{name}` is called `{OLD_NAMES[name]}` now; restart Discord, and the command has it.")


def _require_possible(interaction: Interaction, changes: ChannelSettings, inherit: Setting | None) -> None:
    """Raise UsageError if changes contradict one another, or need what the bot does not have."""
    reads_all = interaction.client.intents.message_content
    if (changes.mode == "always" or changes.trigger_words or changes.random_reply_chance) and not reads_all:
        raise UsageError(
            "That needs the message content intent: `discord.message_content: true` in config.yaml, "
            "and the same switch in Discord's developer portal."
        )
    if changes.webhooks and not interaction.app_permissions.manage_webhooks:
        raise UsageError("That needs webhooks: give me the permission Manage Webhooks first.")
    if inherit and getattr(changes, inherit) is not None:
        raise UsageError(f"Either set {inherit}, or have it set back.")


def _with_remedy(interaction: Interaction, text: str) -> str:
    """Return a text, with what to do added if the bot may not post in the channel."""
    silenced = interaction.guild_id and not may_speak(interaction.app_permissions, interaction.channel)
    return f"{text}\n{texts.MUTE}" if silenced else text


def _roles(text: str, everyone: int | None) -> tuple[int, ...]:
    """Return the ids of the roles that a text mentions, or none for everyone.

    `everyone` is the server's id, which its @everyone role shares. Raises UsageError if there are no mentions.
    """
    roles = tuple(int(role) for role in re.findall(r"<@&(\d+)>", text))
    if everyone in roles or text.strip() == "@everyone":
        return ()
    if not roles:
        raise UsageError("Mention the roles, @friends @mods, or @everyone for all.")
    return roles
