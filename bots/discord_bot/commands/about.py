"""Commands about the bot and its data: /help, /privacy and /forget-me."""

from contextlib import suppress

import discord
from discord import app_commands

from bots.discord_bot import texts
from bots.discord_bot.commands.base import Interaction, ServicesCog
from bots.discord_bot.conversations import DEPARTED_DAYS
from bots.discord_bot.interactions import tell
from bots.discord_bot.retry import ignore_send_errors
from charbot.generation.conversation import MAX_EARLIER


class About(ServicesCog):
    """Help, and the privacy of users."""

    @app_commands.command(name="privacy", description="What is kept, and for how long")
    async def privacy(self, interaction: Interaction) -> None:
        turns, days = 2 * self.services.config.chat.context_turns + MAX_EARLIER, self.services.config.discord.memory_days
        await tell(interaction, texts.PRIVACY.format(turns=turns, days=days, departed=DEPARTED_DAYS))

    @app_commands.command(name="forget-me", description="Delete all that you said to me")
    async def forget_me(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        for quote in await self.services.conversations.quotes(interaction.user.id):
            await ignore_send_errors(self.services.targets.delete(quote))
        await self.services.conversations.forget_user(interaction.user.id)
        with suppress(discord.HTTPException):
            # What was set in direct messages is the user's alone.
            place = (await interaction.user.create_dm()).id
            self.services.settings.forget([place])
            await self.services.conversations.forget_places([place])
        self.services.cooldowns.forget(interaction.user.id)
        await tell(interaction, "All that you said to me, and set in direct messages, is deleted.")

    @app_commands.command(name="help", description="What I can do")
    async def help(self, interaction: Interaction) -> None:
        text = texts.HELP
        settings = interaction.client.tree.get_command("settings")
        if interaction.permissions.manage_channels and isinstance(settings, app_commands.Command):
            options = (f"`{option.name}`: {option.description}" for option in settings.parameters)
            text += "\n" + "\n".join([texts.SETTINGS_HELP, *options])
        await tell(interaction, text)
