"""Answering of commands and buttons: like messages, but only their user sees errors."""

from typing import Any

import discord

from bots.discord_bot import texts
from bots.discord_bot.channel_settings import ChannelSettings, age_restricted, channel_of
from bots.discord_bot.requests import ReplyRequest, ReplyTarget
from bots.discord_bot.services import Services


async def answer_interaction(
    services: Services,
    interaction: discord.Interaction[Any],
    target: ReplyTarget,
    settings: ChannelSettings,
    text: str = "",
    *,
    outside_conversation: bool = False,
    replaces: str | None = None,
) -> None:
    """Enqueue a command or a button press, or tell its user that it is refused."""
    request = ReplyRequest(
        interaction.id, interaction.guild_id, channel_of(interaction), interaction.user.id, text, settings,
        age_restricted(interaction.channel), str(interaction.locale), target,
        outside_conversation=outside_conversation, replaces=replaces,
    )  # fmt: skip
    if why := await services.responder.answer(request):
        await target.send(why)


async def tell(interaction: discord.Interaction[Any], text: str) -> None:
    """Answer a command, visible only to its user unless it was deferred publicly."""
    for part in texts.pieces(text):
        if interaction.response.is_done():
            await interaction.followup.send(part, ephemeral=True)
        else:
            await interaction.response.send_message(part, ephemeral=True)
