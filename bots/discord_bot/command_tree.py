"""The tree of commands, which asks first whether somebody may use the bot, and waits for those that run."""

import asyncio
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bots.discord_bot.interactions import tell
from bots.discord_bot.retry import ignore_send_errors

if TYPE_CHECKING:
    from bots.discord_bot.services import Services


class GuardedTree(app_commands.CommandTree[Any]):
    """Refuses the commands of those whom the operator keeps out, and knows which commands and buttons are running."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._running: set[asyncio.Task[Any]] = set()

    async def finish(self, seconds: float) -> None:
        """Wait at most so many seconds for the commands and buttons that are running."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    def watch(self) -> None:
        """Have `finish` wait for the current task, which runs a command or a button."""
        if task := asyncio.current_task():
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        # The command runs in the same task as its check.
        self.watch()
        services: Services = interaction.client.services
        why = services.access.refusal(interaction.user.id, interaction.guild_id, str(interaction.locale))
        if why and interaction.type is discord.InteractionType.application_command:
            await ignore_send_errors(tell(interaction, why))
        return why is None
