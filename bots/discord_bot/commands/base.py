"""The base of the commands: who may use them, their errors, and the completion of names."""

import logging
from collections.abc import Sequence
from typing import Any, TypeAlias

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from bots.discord_bot.channel_settings import ChannelSettings, channel_of, rejection_reason
from bots.discord_bot.database import StoreError
from bots.discord_bot.interactions import tell
from bots.discord_bot.markdown import escape
from bots.discord_bot.retry import ignore_send_errors
from bots.discord_bot.services import Services
from bots.discord_bot.texts import NoticeError, refusal_text, text
from bots.persona_pool import PersonaInfo
from charbot.errors import BusyError, CharbotError, UsageError

_MAX_CHOICES = 25
"""Choices that Discord shows in an autocompletion, at most."""
_CHOICE_LENGTH = 100
"""Characters that Discord allows per choice."""

_EXPECTED = (UsageError, BusyError, app_commands.CheckFailure)
"""Errors that the user can do something about, and whose text is shown."""

_log = logging.getLogger("charbot.discord")

Interaction: TypeAlias = discord.Interaction[Any]


async def explain(interaction: Interaction, error: app_commands.AppCommandError) -> None:
    """Tell the user of a command what went wrong; log errors that they can do nothing about."""
    reason = getattr(error, "original", error)
    if isinstance(reason, CharbotError | discord.NotFound) and not isinstance(reason, _EXPECTED):
        # Discord answers NotFound if a command is acknowledged too late.
        _log.warning("a command failed: %s", reason)
    elif not isinstance(reason, _EXPECTED):
        _log.error("a command failed", exc_info=reason)
    await ignore_send_errors(tell(interaction, error_text(reason, str(interaction.locale))))


def error_text(error: Exception, locale: str) -> str:
    """Return the text that users see for an error."""
    if isinstance(error, StoreError):
        return text("not_stored", locale)
    return refusal_text(error, locale) if isinstance(error, _EXPECTED) else text("sorry", locale)


class ServicesCog(commands.Cog):
    """A cog whose commands use the bot's services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def settings_of(self, interaction: Interaction) -> ChannelSettings:
        return self.services.settings.of(interaction.channel, interaction.guild_id)

    def require_answered(self, interaction: Interaction) -> None:
        """Raise UsageError if the user is not answered in the channel."""
        if why := rejection_reason(interaction.user, self.settings_of(interaction), str(interaction.locale)):
            raise UsageError(why)

    def require_accepted(self, interaction: Interaction) -> None:
        """Raise UsageError if the user is not answered in the channel, or not now."""
        self.require_answered(interaction)
        settings = self.settings_of(interaction)
        locale = str(interaction.locale)
        if why := self.services.responder.refusal(interaction.user.id, channel_of(interaction), settings, locale):
            raise UsageError(why)

    def require_admin(self, interaction: Interaction) -> None:
        """Raise UsageError if the channel's settings keep this for admins, and the user is none."""
        if self.settings_of(interaction).admins_only and not interaction.permissions.manage_channels:
            raise UsageError(text("admins_only", str(interaction.locale)))

    def require_persona(self, name: str) -> PersonaInfo:
        """Return a persona by its name. Raises UsageError if there is none."""
        persona = self.services.personas.member(name)
        if persona is None:
            raise NoticeError("no_persona", name=escape(name))
        return persona

    def complete_persona(self, typed: str) -> list[Choice[str]]:
        """Return the personas whose name or show contains what is typed."""
        wanted = typed.casefold()
        personas = [info for info in self.services.personas.members if wanted in f"{info.name} {info.show}".casefold()]
        return choices([(f"{persona.name} ({persona.show})", persona.name) for persona in personas])


def choices(pairs: Sequence[tuple[str, str]]) -> list[Choice[str]]:
    """Return the choices of a completion from their texts and values, as many and as long as Discord allows."""
    return [Choice(name=shown[:_CHOICE_LENGTH], value=value[:_CHOICE_LENGTH]) for shown, value in pairs[:_MAX_CHOICES]]


def require_manager(interaction: Interaction, server_wide: bool) -> None:
    """Raise UsageError if the user may not change the settings of the channel, or of the whole server."""
    rights = interaction.permissions
    if server_wide and isinstance(interaction.user, discord.Member):
        # `interaction.permissions` are those in this channel only.
        rights = interaction.user.guild_permissions
    if interaction.guild_id and not rights.manage_channels:
        where = "channels in the whole server" if server_wide else "the channel"
        raise UsageError(f"Only those who may manage {where} can change that.")
