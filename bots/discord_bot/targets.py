"""Where answers go: below a message, or to a command."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import discord

from bots.discord_bot import texts
from bots.discord_bot.again import again
from bots.discord_bot.faces import Faces
from bots.discord_bot.sending import patiently

_UNANSWERABLE = (50035, 160002)
"""Discord's codes for answering a message that was deleted, and without the permission to read older ones."""

AnyMessage: TypeAlias = discord.Message | discord.PartialMessage


@dataclass(frozen=True)
class ToMessage:
    """Answers somebody's message, pinging nobody; where there are faces, personas do so under their own names. `stands`
    finds out whether an answer to a message is there; it may be from the start where that is `in_doubt`."""

    message: AnyMessage
    author: int
    stands: Callable[[AnyMessage, str], Awaitable[bool]]
    faces: Faces | None = None
    in_doubt: bool = False

    async def typing(self) -> None:
        await self.message.channel.typing()

    async def send(self, text: str, speaker: str | None = None) -> None:
        parts = texts.pieces(text)
        for number, part in enumerate(parts):
            view = again(self.author) if speaker and len(parts) == 1 else discord.utils.MISSING
            send = partial(self._send, number, part, speaker, view)
            if speaker:
                await patiently(send, partial(self.stands, self.message, part), in_doubt=self.in_doubt)
            else:
                # What charbot says in its own name is not worth the wait.
                await send()

    async def _send(self, number: int, part: str, speaker: str | None, view: discord.ui.View) -> None:
        if self.faces and speaker and await self.faces.say(self.message.channel, speaker, part, view):
            return
        # With the same nonce Discord takes it once, however often it is sent.
        nonce = f"{self.message.id}-{number}"[:25]
        try:
            await self.message.reply(part, nonce=nonce, mention_author=False, view=view)
        except discord.HTTPException as error:
            if error.code not in _UNANSWERABLE:
                raise
            await self.message.channel.send(part, nonce=nonce, view=view)


@dataclass(frozen=True)
class ToCommand:
    """Answers a command that was deferred; what was asked stands above the answer. `named` says who gives it."""

    interaction: discord.Interaction
    asked: str
    named: bool = False

    async def typing(self) -> None:
        return None

    async def send(self, text: str, speaker: str | None = None) -> None:
        said = f"**{speaker}**: {text}" if self.named and speaker else text
        first, *others = texts.pieces(f"> {self.asked}\n{said}")
        view = None if speaker is None or self.named or others else again(self.interaction.user.id)
        send = partial(self.interaction.edit_original_response, content=first, view=view)
        await (patiently(send) if speaker else send())
        for part in others:
            await self.interaction.followup.send(part)
