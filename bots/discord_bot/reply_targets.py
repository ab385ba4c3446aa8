"""Targets of answers: a message, or a slash command."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import discord

from bots.discord_bot import texts
from bots.discord_bot.regenerate_button import again
from bots.discord_bot.retry import send_with_retry
from bots.discord_bot.webhooks import PersonaWebhooks

_UNANSWERABLE = (50035, 160002)
"""Discord's error codes for a reply to a deleted message, and for one without the permission to read the history."""

AnyMessage: TypeAlias = discord.Message | discord.PartialMessage


@dataclass(frozen=True)
class ToMessage:
    """Answers a user's message without pinging anybody."""

    message: AnyMessage
    author: int
    stands: Callable[[AnyMessage, str], Awaitable[bool]]
    """Tells whether this answer to the message is in the channel already."""
    faces: PersonaWebhooks | None = None
    """Webhooks, if personas post under their own names."""
    in_doubt: bool = False
    """Whether the answer may have been sent before."""

    async def typing(self) -> None:
        await self.message.channel.typing()

    async def send(self, text: str, speaker: str | None = None) -> None:
        parts = texts.pieces(text)
        for number, part in enumerate(parts):
            view = again(self.author) if speaker and len(parts) == 1 else discord.utils.MISSING
            send = partial(self._send, number, part, speaker, view)
            if speaker:
                await send_with_retry(send, partial(self.stands, self.message, part), in_doubt=self.in_doubt)
            else:
                # Notices in charbot's own name are not worth retrying.
                await send()

    async def _send(self, number: int, part: str, speaker: str | None, view: discord.ui.View) -> None:
        if self.faces and speaker and await self.faces.say(self.message.channel, speaker, part, view):
            return
        # Discord posts each nonce only once, however often it is sent.
        nonce = f"{self.message.id}-{number}"[:25]
        try:
            await self.message.reply(part, nonce=nonce, mention_author=False, view=view)
        except discord.HTTPException as error:
            if error.code not in _UNANSWERABLE:
                raise
            await self.message.channel.send(part, nonce=nonce, view=view)


@dataclass(frozen=True)
class ToCommand:
    """Answers a deferred slash command, below a quotation of the user's text."""

    interaction: discord.Interaction
    asked: str
    """The user's text."""
    named: bool = False
    """Whether the answer begins with the persona's name."""

    async def typing(self) -> None:
        return None

    async def send(self, text: str, speaker: str | None = None) -> None:
        said = f"**{speaker}**: {text}" if self.named and speaker else text
        first, *others = texts.pieces(f"> {self.asked}\n{said}")
        view = None if speaker is None or self.named or others else again(self.interaction.user.id)
        send = partial(self.interaction.edit_original_response, content=first, view=view)
        await (send_with_retry(send) if speaker else send())
        for part in others:
            await self.interaction.followup.send(part)
