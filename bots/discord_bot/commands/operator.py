"""The commands of the bot's operators, whom config.yaml names."""

from datetime import UTC, datetime

import discord
from discord import app_commands
from discord.ext import commands

from bots.discord_bot.commands.base import Interaction, ServicesCog
from bots.discord_bot.interactions import tell
from bots.discord_bot.markdown import escape
from charbot.errors import UsageError

_ID_DIGITS = 20
"""Digits of an id, at most: it has 64 bits."""


@app_commands.allowed_contexts(guilds=True, dms=True)
@app_commands.default_permissions(administrator=True)
class Operator(ServicesCog, commands.GroupCog, group_name="operator", group_description="For whoever runs me"):
    """Commands for operators alone."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        if not self.services.access.is_operator(interaction.user.id):
            raise app_commands.CheckFailure("Only those whom `discord.operators` in config.yaml names can do that.")
        return True

    @app_commands.command(name="status", description="How I am doing")
    async def status(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        bot, services = interaction.client, self.services
        lines = [
            f"health: {await bot.health_problem() or 'well'}",
            f"servers: {len(bot.guilds)}",
            f"latency: {bot.latency * 1000:.0f} ms",
            f"pending requests: {services.responder.pending}",
            f"personas: {len(services.personas.members)}",
        ]
        await tell(interaction, "\n".join(lines))

    @app_commands.command(name="servers", description="The servers that I am in")
    async def servers(self, interaction: Interaction) -> None:
        guilds = sorted(interaction.client.guilds, key=lambda guild: -(guild.member_count or 0))
        await tell(interaction, "\n".join(f"{guild.id} {escape(guild.name)}: {guild.member_count} members" for guild in guilds))

    @app_commands.command(name="leave", description="Leave a server")
    @app_commands.describe(server="its id")
    async def leave(self, interaction: Interaction, server: str) -> None:
        guild: discord.Guild | None = interaction.client.get_guild(_id(server))
        if guild is None:
            raise UsageError("I am in no such server; /operator servers lists them.")
        await interaction.response.defer(ephemeral=True)
        await guild.leave()
        await tell(interaction, f"Left {escape(guild.name)}.")

    @app_commands.command(name="block", description="Answer a user or server no more")
    @app_commands.describe(id="of the user or server")
    async def block(self, interaction: Interaction, id: str) -> None:
        await interaction.response.defer(ephemeral=True)
        await self.services.access.block(_id(id))
        await tell(interaction, f"{_id(id)} is blocked.")

    @app_commands.command(name="unblock", description="Answer a user or server again")
    @app_commands.describe(id="of the user or server")
    async def unblock(self, interaction: Interaction, id: str) -> None:
        await interaction.response.defer(ephemeral=True)
        was_blocked = await self.services.access.unblock(_id(id))
        await tell(interaction, f"{_id(id)} is {'blocked no more' if was_blocked else 'not blocked by a command'}.")

    @app_commands.command(name="sync", description="Register my commands with Discord again")
    async def sync(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await tell(interaction, f"{len(await interaction.client.tree.sync())} commands are registered.")

    @app_commands.command(name="backup", description="Copy my database")
    async def backup(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        name = f"backup-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        await tell(interaction, f"The copy is {escape(str(await interaction.client.backup(name)))}.")


def _id(text: str) -> int:
    """Return an id that somebody typed. Raises UsageError."""
    if not text.strip().isdecimal() or len(text.strip()) > _ID_DIGITS:
        raise UsageError("That is no id: switch on Discord's developer mode, and copy it.")
    return int(text)
