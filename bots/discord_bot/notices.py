"""Notices to users who are not answered, at most one per user and interval."""

import asyncio
import time

import discord

from bots.bounded_dict import BoundedDict
from bots.discord_bot import texts
from bots.discord_bot.background import BackgroundTasks
from bots.discord_bot.requests import ReplyTarget
from bots.discord_bot.retry import SEND_ERRORS, ignore_send_errors

_INTERVAL = 600.0
"""Seconds between two notices to a user, at least."""
_USERS = 10_000
"""Users whose last notice is remembered, at most."""


class Notices:
    """Tells users why they are not answered."""

    def __init__(self, background: BackgroundTasks, delay: float) -> None:
        """Count the messages that are left unanswered for `delay` seconds before each notice."""
        self._background, self._delay = background, delay
        self._given: BoundedDict[int, float] = BoundedDict(_USERS)
        self._unanswered: dict[int, int] = {}

    def left_unanswered(self, message: discord.Message, target: ReplyTarget, reason: str, locale: str) -> None:
        """Count a message that was left unanswered, to tell its user soon."""
        user = message.author.id
        if user in self._unanswered:
            self._unanswered[user] += 1
        elif self._is_due(user):
            self._unanswered[user] = 1
            self._background.start(self._tell_unanswered(message, target, reason, locale))

    async def tell(self, user: int, target: ReplyTarget, text: str) -> None:
        """Tell a user something, unless they were told something a short while ago."""
        if self._is_due(user):
            await ignore_send_errors(target.send(text))

    def _is_due(self, user: int) -> bool:
        """Return whether a user may be given a notice; if so, it counts as given."""
        now = time.monotonic()
        if now - self._given.get(user, -_INTERVAL) < _INTERVAL:
            return False
        self._given[user] = now
        return True

    async def _tell_unanswered(self, message: discord.Message, target: ReplyTarget, reason: str, locale: str) -> None:
        """Put an hourglass under a message, or where that is not allowed, say how many were left."""
        await asyncio.sleep(self._delay)
        count = self._unanswered.pop(message.author.id)
        try:
            await message.add_reaction(texts.HOURGLASS)
        except SEND_ERRORS:
            await ignore_send_errors(target.send(texts.text("left", locale, count=count, reason=reason)))
