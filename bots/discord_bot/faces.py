"""Personas under their own names: a webhook in each channel that wants it."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TypeAlias

import discord

from charbot.errors import ConfigError
from charbot.personas.library import slug

_NAME = "charbot"
_REFUSED_SECONDS = 600
"""How long a channel that lets no webhook be made is not asked again."""
_UNKNOWN_WEBHOOK = 10015
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
        self._hooks: dict[int, discord.Webhook] = {}
        self._refused: dict[int, float] = {}
        # One at a time, or two threads of a channel would make it two.
        self._looking = asyncio.Lock()

    async def say(self, channel: object, speaker: str, text: str, view: discord.ui.View) -> bool:
        """Has somebody say something, with a button where `view` has one.

        False where that cannot be done there: no webhooks, no permission, or 15 already."""
        room = channel.parent if isinstance(channel, discord.Thread) else channel
        if not isinstance(room, _Room) or time.monotonic() < self._refused.get(room.id, 0.0):
            return False
        thread = channel if isinstance(channel, discord.Thread) else None
        try:
            try:
                await self._send(room, thread, speaker, text, view)
            except discord.NotFound as error:
                if error.code != _UNKNOWN_WEBHOOK:
                    raise
                # Somebody has deleted it.
                self._hooks.pop(room.id, None)
                await self._send(room, thread, speaker, text, view)
        except discord.HTTPException as error:
            if error.status not in (400, 403) and error.code != _UNKNOWN_WEBHOOK:
                raise
            return self._refuse(room, error)
        return True

    async def _send(self, room: _Room, thread: discord.Thread | None, speaker: str, text: str, view: discord.ui.View) -> None:
        async with self._looking:
            if room.id not in self._hooks:
                own = [hook for hook in await room.webhooks() if hook.token and hook.user == room.guild.me]
                self._hooks[room.id] = own[0] if own else await room.create_webhook(name=_NAME)
        await self._hooks[room.id].send(
            text, username=speaker[:_LIMIT], avatar_url=self._avatars.get(slug(speaker)), view=view,
            thread=thread or discord.utils.MISSING, wait=True, allowed_mentions=discord.AllowedMentions.none(),
        )  # fmt: skip

    def _refuse(self, room: _Room, error: discord.HTTPException) -> bool:
        _log.warning("no webhook in channel %d, charbot answers itself: %s", room.id, error)
        self._hooks.pop(room.id, None)
        self._refused[room.id] = time.monotonic() + _REFUSED_SECONDS
        return False
