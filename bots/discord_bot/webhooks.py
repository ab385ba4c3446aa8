"""Webhooks, by which personas post under their own names and pictures."""

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from typing import TypeAlias

import aiohttp
import discord

from bots.bounded_dict import BoundedDict
from bots.discord_bot.retry import is_transient
from charbot.errors import ConfigError
from charbot.personas.library import slug

_NAME = "charbot"
_REFUSED_SECONDS = 600
"""Seconds before a channel that refused a webhook is tried again."""
_GONE = (10003, 10015)
"""Discord's error codes for a webhook that was moved to another channel, and for one that was deleted."""
_CHANNELS = 1000
"""Channels that are remembered at once, at most."""
_RESERVED = re.compile(r"(c(?=lyde)|d(?=iscord))", re.IGNORECASE)
"""Words that Discord forbids in names; with a hair space after the first letter they pass, and look the same."""
_MAX_NAME = 80
"""Characters that Discord allows in a name."""

_Room: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel

_log = logging.getLogger("charbot.discord")


class PersonaWebhooks:
    """The webhooks by which personas post, one per channel."""

    def __init__(self, avatars: Mapping[str, str]) -> None:
        """Set the addresses (https) of the pictures, by persona. Raises ConfigError for any other address."""
        for name, address in avatars.items():
            if not address.startswith("https://"):
                raise ConfigError(f"`discord.avatars`: {name} is {address!r}; it must be an address: https://...")
        self._avatars = {slug(name): address for name, address in avatars.items()}
        self._hooks: BoundedDict[int, discord.Webhook] = BoundedDict(_CHANNELS)
        self._session: aiohttp.ClientSession | None = None
        self._refused: BoundedDict[int, float] = BoundedDict(_CHANNELS)
        # One lookup per channel at a time: two of its threads at once could create two webhooks.
        self._looking: BoundedDict[int, asyncio.Lock] = BoundedDict(_CHANNELS)

    async def post(self, channel: object, speaker: str, text: str, view: discord.ui.View) -> int | None:
        """Post a text as a persona, with the buttons of `view`, and return the id of the message.

        Returns None where webhooks are impossible: wrong kind of channel, no permission, or 15 of them already.
        """
        room, thread = _parts(channel)
        if room is None or time.monotonic() < self._refused.get(room.id, 0.0):
            return None
        try:
            # The first attempt forgets a webhook that is gone; the second looks one up, or creates it.
            return await self._sent(room, thread, speaker, text, view) or await self._sent(room, thread, speaker, text, view)
        except discord.HTTPException as error:
            if error.status not in (400, 403):
                raise
            self._refuse(room, error)
            return None

    async def text_of(self, channel: object, message: discord.Message) -> str | None:
        """Return the text of a message that the channel's webhook posted, or None if it cannot be read.

        Without the message content intent, Discord gives that text to the webhook alone. Raises transient errors.
        """
        room, thread = _parts(channel)
        if room is None:
            return None
        try:
            if (hook := await self._existing(room)) is None:
                return None
            return (await hook.fetch_message(message.id, thread=thread or discord.utils.MISSING)).content
        except discord.HTTPException as error:
            if is_transient(error):
                raise
            return None

    async def delete(self, channel: object, message: int) -> bool:
        """Delete a message that the channel's webhook posted; return False if it has none, or another one posted it.

        Raises the errors in SEND_ERRORS.
        """
        room, thread = _parts(channel)
        if room is None or (hook := await self._existing(room)) is None:
            return False
        try:
            await hook.delete_message(message, thread=thread or discord.utils.MISSING)
        except discord.NotFound:
            return False
        return True

    async def close(self) -> None:
        """Close the HTTP session."""
        if self._session:
            await self._session.close()

    def forget(self, room: int) -> None:
        """Forget a channel's webhook, so that it is looked up again."""
        self._hooks.pop(room, None)

    async def _sent(
        self, room: _Room, thread: discord.Thread | None, speaker: str, text: str, view: discord.ui.View
    ) -> int | None:
        """Post through the channel's webhook; return None, and forget it, if it was deleted or moved."""
        name = _RESERVED.sub("\\1\u200a", speaker)[:_MAX_NAME]
        try:
            message = await (await self._existing_or_new(room)).send(
                text, username=name, avatar_url=self._avatars.get(slug(speaker)), view=view,
                thread=thread or discord.utils.MISSING, wait=True, allowed_mentions=discord.AllowedMentions.none(),
            )  # fmt: skip
        except discord.NotFound as error:
            if error.code not in _GONE:
                raise
        else:
            if message.channel.id == (thread or room).id:
                return message.id
            await message.delete()
        self.forget(room.id)
        return None

    async def _existing(self, room: _Room) -> discord.Webhook | None:
        """Return the channel's webhook, or None if it has none."""
        async with self._lock(room):
            return await self._found(room)

    async def _existing_or_new(self, room: _Room) -> discord.Webhook:
        """Return the channel's webhook; create it if there is none."""
        async with self._lock(room):
            return await self._found(room) or self._keep(room, await room.create_webhook(name=_NAME))

    def _lock(self, room: _Room) -> asyncio.Lock:
        lock = self._looking[room.id] = self._looking.get(room.id) or asyncio.Lock()
        return lock

    async def _found(self, room: _Room) -> discord.Webhook | None:
        if room.id not in self._hooks:
            usable = [hook for hook in await room.webhooks() if hook.token and hook.user == room.guild.me]
            return self._keep(room, usable[0]) if usable else None
        return self._hooks[room.id]

    def _keep(self, room: _Room, hook: discord.Webhook) -> discord.Webhook:
        hook.session = self._session = self._session or aiohttp.ClientSession(raise_for_status=_raise_server_error)
        self._hooks[room.id] = hook
        return hook

    def _refuse(self, room: _Room, error: discord.HTTPException) -> None:
        _log.warning("no webhook in channel %d, charbot answers itself: %s", room.id, error)
        self.forget(room.id)
        self._refused[room.id] = time.monotonic() + _REFUSED_SECONDS


async def _raise_server_error(response: aiohttp.ClientResponse) -> None:
    """Raise aiohttp.ClientError for a server error, before discord.py sees it and retries at once.

    The failed post may have arrived, and webhook posts have no nonce that would keep Discord from posting twice.
    """
    if response.status >= 500:
        response.release()
        # Not aiohttp.ClientResponseError: its text has the address, and so would put the webhook's token into the log.
        raise aiohttp.ClientError(f"Discord answers {response.status}")


def _parts(channel: object) -> tuple[_Room | None, discord.Thread | None]:
    """Return the channel that has the webhook, or None if it cannot have one, and the thread to post in, if any."""
    thread = channel if isinstance(channel, discord.Thread) else None
    room = thread.parent if thread else channel
    return (room if isinstance(room, _Room) else None), thread
