"""The tree of commands, which asks first whether somebody may use the bot."""

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bots.discord_bot.interactions import tell
from bots.discord_bot.retry import ignore_send_errors

if TYPE_CHECKING:
    from bots.discord_bot.services import Services


class GuardedTree(app_commands.CommandTree[Any]):
    """Refuses the commands of those whom the operator keeps out."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        services: Services = interaction.client.services
        why = services.access.refusal(interaction.user.id, interaction.guild_id)
        if why and interaction.type is discord.InteractionType.application_command:
            await ignore_send_errors(tell(interaction, why))
        return why is None
