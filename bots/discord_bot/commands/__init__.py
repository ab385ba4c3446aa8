"""The slash commands: a cog per topic."""

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
    for cog in (Talk, SceneCommands, SettingsCommands, About):
        await bot.add_cog(cog(services))
    if services.config.discord.operators:
        await bot.add_cog(Operator(services))
    bot.tree.error(explain)
