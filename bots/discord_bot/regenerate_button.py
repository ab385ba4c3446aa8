"""The button below a reply that replaces it by another one."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord

from bots.discord_bot import texts
from bots.discord_bot.channel_settings import channel_of, rejection_reason
from bots.discord_bot.interactions import answer_interaction
from bots.discord_bot.markdown import escape

if TYPE_CHECKING:
    from bots.discord_bot.services import Services

_SIGN = "\N{ANTICLOCKWISE DOWNWARDS AND UPWARDS OPEN CIRCLE ARROWS}"


@dataclass(frozen=True)
class _InPlace:
    """Replaces a reply by editing its message."""

    interaction: discord.Interaction
    quoted: str
    """The lines above the reply, which stay: the user's text below a command, else nothing."""

    def edited(self, text: str) -> "_InPlace":
        return self

    async def typing(self) -> None:
        return None

    async def send(self, text: str, speaker: str | None = None, *, in_doubt: bool = False) -> None:
        if speaker is None:
            await self.interaction.followup.send(text, ephemeral=True)
        else:
            await self.interaction.edit_original_response(content=texts.pieces(self.quoted + escape(text))[0])


class RegenerateButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"again:(?P<author>\d+)"):
    """A persistent button: it works after a restart, because its custom id holds all its data."""

    def __init__(self, author: int) -> None:
        """Make a button for `author`, the user who was answered; nobody else may use it."""
        super().__init__(discord.ui.Button(emoji=_SIGN, custom_id=f"again:{author}"))
        self._author = author

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> "RegenerateButton":
        return cls(int(match["author"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        interaction.client.tree.watch()
        services: Services = interaction.client.services
        settings = services.settings.of(interaction.channel, interaction.guild_id)
        user, locale = interaction.user, str(interaction.locale)
        own = user.id == self._author
        why = services.access.refusal(user.id, interaction.guild_id, locale) if own else texts.text("not_yours", locale)
        why = why or rejection_reason(user, settings, locale)
        if why := why or services.responder.refusal(user.id, channel_of(interaction), settings, locale):
            await interaction.response.send_message(why, ephemeral=True)
            return
        await interaction.response.defer()
        quoted, line_end, shown = (interaction.message.content if interaction.message else "").rpartition("\n")
        await answer_interaction(services, interaction, _InPlace(interaction, quoted + line_end), settings, replaces=shown)


def regenerate_view(author: int) -> discord.ui.View:
    """Return a view with the button, to send with a reply to `author`."""
    view = discord.ui.View(timeout=None)
    return view.add_item(RegenerateButton(author))
