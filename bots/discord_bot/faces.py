"""Personas under their own names: a webhook in each channel that wants it."""

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from typing import TypeAlias

import aiohttp
import discord

from bots.discord_bot.recent import Recent
from bots.discord_bot.sending import PASSING
from charbot.errors import ConfigError
from charbot.personas.library import slug

_NAME = "charbot"
_REFUSED_SECONDS = 600
"""How long a channel that lets no webhook be made is not asked again."""
_GONE = (10003, 10015)
"""Discord's codes for a webhook that is not in the channel any more, and for one that is nowhere."""
_ROOMS = 1000
"""Channels whose webhooks are known at once."""
_RESERVED = re.compile(r"(c(?=lyde)|d(?=iscord))", re.IGNORECASE)
"""What Discord lets nobody be called; a hair space makes it another name that looks the same."""
_LIMIT = 80
"""Characters of a name that Discord shows."""

_Room: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel

_log = logging.getLogger("charbot.discord")


class Faces:
    """The webhooks that personas speak by."""

    def __init__(self, avatars: Mapping[str, str]) -> None:
        """`avatars` has the addresses of personas' pictures. Raises ConfigError."""
        for name, address in avatars.items():
            if not address.startswith("https://"):
                raise ConfigError(f"`discord.avatars`: {name} is {address!r}; it must be an address: https://...")
        self._avatars = {slug(name): address for name, address in avatars.items()}
        self._hooks: Recent[int, discord.Webhook] = Recent(_ROOMS)
        self._session: aiohttp.ClientSession | None = None
        self._refused: Recent[int, float] = Recent(_ROOMS)
        # One at a time in a room, or two threads of it would make it two.
        self._looking: Recent[int, asyncio.Lock] = Recent(_ROOMS)

    async def say(self, channel: object, speaker: str, text: str, view: discord.ui.View) -> bool:
        """Has somebody say something, with a button where `view` has one.

        False where that cannot be done there: no webhooks, no permission, or 15 already."""
        room, thread = _parts(channel)
        if room is None or time.monotonic() < self._refused.get(room.id, 0.0):
            return False
        try:
            # The second time by one that was looked up, or made, anew.
            return await self._sent(room, thread, speaker, text, view) or await self._sent(room, thread, speaker, text, view)
        except discord.HTTPException as error:
            if error.status not in (400, 403):
                raise
            return self._refuse(room, error)

    async def said(self, channel: object, message: discord.Message) -> str | None:
        """What a webhook's message says, which Discord keeps back elsewhere. None where that cannot be found out. Raises
        what PASSING has."""
        room, thread = _parts(channel)
        if room is None:
            return None
        try:
            hook = await self._hook(room)
            return (await hook.fetch_message(message.id, thread=thread or discord.utils.MISSING)).content
        except discord.HTTPException as error:
            if isinstance(error, PASSING):
                raise
            return None

    async def close(self) -> None:
        """Nothing is said after it."""
        if self._session:
            await self._session.close()

    def forget(self, room: int) -> None:
        """A channel's webhooks changed: it is looked at anew."""
        self._hooks.pop(room, None)

    async def _sent(self, room: _Room, thread: discord.Thread | None, speaker: str, text: str, view: discord.ui.View) -> bool:
        """Whether the room's webhook could send it. False where somebody has deleted or moved the webhook."""
        name = _RESERVED.sub("\\1\u200a", speaker)[:_LIMIT]
        try:
            message = await (await self._hook(room)).send(
                text, username=name, avatar_url=self._avatars.get(slug(speaker)), view=view,
                thread=thread or discord.utils.MISSING, wait=True, allowed_mentions=discord.AllowedMentions.none(),
            )  # fmt: skip
        except discord.NotFound as error:
            if error.code not in _GONE:
                raise
        else:
            if message.channel.id == (thread or room).id:
                return True
            await message.delete()
        self.forget(room.id)
        return False

    async def _hook(self, room: _Room) -> discord.Webhook:
        if room.id not in self._hooks:
            lock = self._looking[room.id] = self._looking.get(room.id) or asyncio.Lock()
            async with lock:
                if room.id not in self._hooks:
                    own = [hook for hook in await room.webhooks() if hook.token and hook.user == room.guild.me]
                    hook = own[0] if own else await room.create_webhook(name=_NAME)
                    hook.session = self._session = self._session or aiohttp.ClientSession(raise_for_status=_no_second_time)
                    self._hooks[room.id] = hook
        return self._hooks[room.id]

    def _refuse(self, room: _Room, error: discord.HTTPException) -> bool:
        _log.warning("no webhook in channel %d, charbot answers itself: %s", room.id, error)
        self.forget(room.id)
        self._refused[room.id] = time.monotonic() + _REFUSED_SECONDS
        return False


async def _no_second_time(response: aiohttp.ClientResponse) -> None:
    """discord.py posts again at once what Discord failed at. Some of that has arrived, and a webhook's post has no nonce."""
    if response.status >= 500:
        response.release()
        # An aiohttp.ClientResponseError would tell the address, and so the webhook's token, to the log.
        raise aiohttp.ClientError(f"Discord answers {response.status}")


def _parts(channel: object) -> tuple[_Room | None, discord.Thread | None]:
    """The room whose webhook speaks in a channel, if it can have one, and the thread that it speaks in."""
    thread = channel if isinstance(channel, discord.Thread) else None
    room = thread.parent if thread else channel
    return (room if isinstance(room, _Room) else None), thread
