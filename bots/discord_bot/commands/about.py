"""Commands about the bot and its data: /help, /privacy and /forget-me."""

import logging

from discord import app_commands

from bots.discord_bot import texts
from bots.discord_bot.commands.base import Interaction, ServicesCog
from bots.discord_bot.conversations import DEPARTED_DAYS, kept_turns
from bots.discord_bot.interactions import tell
from bots.discord_bot.retry import SEND_ERRORS
from bots.discord_bot.store import Quote
from bots.discord_bot.texts import text

_LISTED = 20
"""Messages that /forget-me lists if it cannot delete them, at most."""

_log = logging.getLogger("charbot.discord")


class About(ServicesCog):
    """Help, and the privacy of users."""

    @app_commands.command(name="privacy", description="What is kept, and for how long")
    async def privacy(self, interaction: Interaction) -> None:
        turns, days = kept_turns(self.services.config.chat), self.services.config.discord.memory_days
        locale = str(interaction.locale)
        await tell(interaction, texts.privacy_text(locale, turns=turns, days=days, departed=DEPARTED_DAYS))

    @app_commands.command(name="forget-me", description="Delete all that you said to me")
    async def forget_me(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        user, locale = interaction.user, str(interaction.locale)
        kept = [quote for quote in await self.services.conversations.quotes(user.id) if not await self._delete(quote)]
        await self.services.conversations.forget_user(user.id)
        # Those that could not be deleted are still known, so that the command can be repeated.
        for quote in kept:
            await self.services.conversations.add_quote(quote)
        self.services.cooldowns.forget(user.id)
        try:
            # What was set in direct messages is the user's alone.
            place = (await user.create_dm()).id
        except SEND_ERRORS as error:
            _log.warning("a user's direct messages could not be found: %s", error)
            told = [text("forgotten", locale), text("settings_kept", locale)]
        else:
            self.services.settings.forget([place])
            await self.services.conversations.forget_places([place])
            told = [text("all_forgotten", locale)]
        if kept:
            told += [text("quotes_kept", locale, count=len(kept)), *(quote.address for quote in kept[:_LISTED])]
        await tell(interaction, "\n".join(told))

    async def _delete(self, quote: Quote) -> bool:
        """Delete a message that quotes a user; return False if that fails."""
        try:
            await self.services.targets.delete(quote)
        except SEND_ERRORS as error:
            _log.warning("message %d in channel %d, which quotes a user, stays: %s", quote.message, quote.channel, error)
            return False
        return True

    @app_commands.command(name="help", description="What I can do")
    async def help(self, interaction: Interaction) -> None:
        shown = texts.help_text(str(interaction.locale))
        settings = interaction.client.tree.get_command("settings")
        if interaction.permissions.manage_channels and isinstance(settings, app_commands.Command):
            options = (f"`{option.name}`: {option.description}" for option in settings.parameters)
            shown += "\n" + "\n".join([texts.SETTINGS_HELP, *options])
        await tell(interaction, shown)
