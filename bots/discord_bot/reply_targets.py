"""Targets of answers: a message, or a slash command."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import discord

from bots.discord_bot import texts
from bots.discord_bot.channel_settings import ChannelSettings, channel_of
from bots.discord_bot.markdown import escape, quote
from bots.discord_bot.rate_limiter import RateLimiter
from bots.discord_bot.retry import is_transient, send_with_retry
from bots.discord_bot.store import Quote
from bots.discord_bot.webhooks import PersonaWebhooks

_NO_HISTORY = 160002
"""Discord's error code for a reply without the permission to read the history."""
_QUOTED = 80
"""Characters of a message that the answer by a webhook quotes."""
_SEARCHED = 50
"""Messages after one that are searched for its answer."""

AnyMessage: TypeAlias = discord.Message | discord.PartialMessage

_log = logging.getLogger("charbot.discord")


class ReplyTargets:
    """Makes the targets, and has the services that all of them need to send answers."""

    def __init__(
        self,
        client: discord.Client,
        wrote: Callable[[discord.Message], bool],
        webhooks: PersonaWebhooks,
        view_factory: Callable[[int], discord.ui.View],
        on_quote: Callable[[Quote], Awaitable[None]],
        limiter: RateLimiter,
        pauses: Sequence[float],
    ) -> None:
        """`wrote` tells whether the bot wrote a message; `view_factory` makes the buttons below the answer to a user;
        `on_quote` is told of each message that quotes a user.

        `pauses` are the seconds before each further attempt to send.
        """
        self._client, self._wrote = client, wrote
        self.webhooks, self.view_factory, self.on_quote = webhooks, view_factory, on_quote
        self.limiter, self.pauses = limiter, pauses

    def message(self, message: AnyMessage, author: int, asked: str, settings: ChannelSettings) -> "ToMessage":
        """Return the target of the answer to a message, which says `asked`."""
        return ToMessage(message, author, asked, self, bool(settings.webhooks))

    def command(self, interaction: discord.Interaction, asked: str, *, named: bool = False) -> "ToCommand":
        """Return the target of the answer to a command; it begins with the persona's name if `named`."""
        return ToCommand(interaction, asked, self, named)

    async def delete(self, quote: Quote) -> None:
        """Delete a message of the bot's, if it is still there. Raises the errors in SEND_ERRORS."""
        try:
            await self._client.get_partial_messageable(quote.channel).get_partial_message(quote.message).delete()
        except discord.NotFound:
            return
        except discord.Forbidden:
            # What a webhook posted is not the bot's own.
            if not await self.webhooks.delete(self._client.get_channel(quote.channel), quote.message):
                raise

    async def already_sent(self, message: AnyMessage, *answers: str) -> bool:
        """Return whether an answer to a message, in any of these forms, is in its channel. Raises errors that are transient."""
        try:
            # Message by message, as the text of a webhook's message costs a request.
            channel = self._client.get_partial_messageable(message.channel.id)
            async for later in channel.history(after=message, limit=_SEARCHED):
                if self._wrote(later) and await self._is_answer(later, message, answers):
                    return True
        except discord.HTTPException as error:
            if is_transient(error):
                raise
            _log.warning("the last messages in channel %d cannot be read: %s", message.channel.id, error)
        return False

    async def _is_answer(self, later: discord.Message, message: AnyMessage, answers: Sequence[str]) -> bool:
        if later.reference is not None and later.reference.message_id != message.id:
            return False
        return (later.content or (later.webhook_id and await self.webhooks.text_of(message.channel, later))) in answers


@dataclass(frozen=True)
class ToMessage:
    """Answers a user's message without pinging anybody."""

    message: AnyMessage
    author: int
    asked: str
    """What the message says."""
    targets: ReplyTargets
    by_webhook: bool = False
    """Whether personas post under their own names."""

    def edited(self, text: str) -> "ToMessage":
        # The answer is looked for with its quotation after a restart, which knows the edited text alone.
        return replace(self, asked=text)

    async def typing(self) -> None:
        # Answers come first: where many are to be sent, nobody is shown to type.
        if not self.targets.limiter.is_busy:
            await self.message.channel.typing()

    async def send(self, text: str, speaker: str | None = None, *, in_doubt: bool = False) -> None:
        parts = texts.pieces(escape(text) if speaker else text, texts.LIMIT - 4 * _QUOTED)
        for number, part in enumerate(parts):
            view = self.targets.view_factory(self.author) if speaker and len(parts) == 1 else discord.utils.MISSING
            send = partial(self._send, number, part, speaker, view)
            if speaker:
                arrived = partial(self.targets.already_sent, self.message, part, self._quoting(number, part))
                await send_with_retry(send, self.targets.pauses, arrived, in_doubt=in_doubt)
            else:
                # Notices in charbot's own name are not worth retrying.
                await send()

    async def _send(self, number: int, part: str, speaker: str | None, view: discord.ui.View) -> None:
        if self.by_webhook and speaker:
            quoting = self._quoting(number, part)
            channel = self.message.channel
            if posted := await self.targets.webhooks.post(channel, speaker, quoting, view):
                if number == 0:
                    guild = channel.guild.id if channel.guild else None
                    await self.targets.on_quote(Quote(posted, guild, channel.id, self.author))
                return
        # Discord posts each nonce only once, however often it is sent.
        nonce = f"{self.message.id}-{number}"[:25]
        channel = self.message.channel
        # The message may be deleted at the same moment.
        reference = self.message.to_reference(fail_if_not_exists=False)
        try:
            await channel.send(part, reference=reference, nonce=nonce, mention_author=False, view=view)
        except discord.HTTPException as error:
            if error.code != _NO_HISTORY:
                raise
            await channel.send(part, nonce=nonce, view=view)

    def _quoting(self, number: int, part: str) -> str:
        """Return a part of an answer as a webhook posts it, which cannot reply: the first quotes the message."""
        short = self.asked if len(self.asked) <= _QUOTED else f"{self.asked[:_QUOTED]}..."
        return f"{quote(short)}\n{part}" if number == 0 else part


@dataclass(frozen=True)
class ToCommand:
    """Answers a deferred slash command, below a quotation of the user's text."""

    interaction: discord.Interaction
    asked: str
    """The user's text."""
    targets: ReplyTargets
    named: bool = False
    """Whether the answer begins with the persona's name."""

    def edited(self, text: str) -> "ToCommand":
        return self

    async def typing(self) -> None:
        return None

    async def send(self, text: str, speaker: str | None = None, *, in_doubt: bool = False) -> None:
        answer = escape(text) if speaker else text
        if self.named and speaker:
            answer = f"**{speaker}**: {answer}"
        first, *others = texts.pieces(f"{quote(self.asked)}\n{answer}")
        plain = speaker is None or self.named or others
        view = None if plain else self.targets.view_factory(self.interaction.user.id)
        send = partial(self.interaction.edit_original_response, content=first, view=view)
        message = await (send_with_retry(send, self.targets.pauses) if speaker else send())
        if message is not None:
            place = (self.interaction.guild_id, channel_of(self.interaction))
            await self.targets.on_quote(Quote(message.id, *place, self.interaction.user.id))
        for part in others:
            await self.interaction.followup.send(part)
