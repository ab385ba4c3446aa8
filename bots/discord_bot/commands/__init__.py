"""The slash commands and the menu of messages: a cog per topic."""

from discord import app_commands
from discord.ext import commands

from bots.discord_bot.commands.about import About
from bots.discord_bot.commands.base import explain
from bots.discord_bot.commands.operator import Operator
from bots.discord_bot.commands.scene import SceneCommands
from bots.discord_bot.commands.settings import SettingsCommands
from bots.discord_bot.commands.talk import Talk
from bots.discord_bot.services import Services


async def add_commands(bot: commands.AutoShardedBot, services: Services) -> None:
    """Add the slash commands and their error handler to the bot."""
    talk = Talk(services)
    for cog in (talk, SceneCommands(services), SettingsCommands(services), About(services)):
        await bot.add_cog(cog)
    bot.tree.add_command(app_commands.ContextMenu(name="Answer this", callback=talk.answer_message))
    if services.config.discord.operators:
        await bot.add_cog(Operator(services))
    bot.tree.error(explain)
